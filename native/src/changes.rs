//! What the records of a commit do to rows: gathered first, then done to Python's dicts of rows, all of it or nothing.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyNone};

/// What a group of rows is about.
#[derive(Clone, Copy)]
pub enum Kind {
    Insert,
    Delete,
    Truncate,
}

/// Rows of one table; they end at `end` among those of all groups.
struct Group<'a> {
    kind: Kind,
    table: &'a Py<PyDict>,
    end: usize,
}

#[derive(Default)]
pub struct Changes<'a> {
    groups: Vec<Group<'a>>,
    rows: Vec<&'a [u8]>,
}

impl<'a> Changes<'a> {
    pub fn clear(&mut self) {
        self.groups.clear();
        self.rows.clear();
    }

    /// A row of the group that ends next.
    pub fn row(&mut self, row: &'a [u8]) {
        self.rows.push(row);
    }

    pub fn end_group(&mut self, kind: Kind, table: &'a Py<PyDict>) {
        self.groups.push(Group { kind, table, end: self.rows.len() });
    }

    /// Do it. False, and nothing is done, where a row comes that is there already, or one goes that is not.
    pub fn apply(&self, py: Python<'_>) -> PyResult<bool> {
        let mut done = Done { changes: self, groups: 0, rows: 0, emptied: Vec::new() };
        match done.all(py) {
            Ok(true) => Ok(true),
            failed => {
                done.undo(py)?;
                failed
            }
        }
    }
}

/// How far one has come. `emptied` has what was in the tables that were truncated.
struct Done<'a, 'py> {
    changes: &'a Changes<'a>,
    groups: usize,
    rows: usize,
    emptied: Vec<Bound<'py, PyDict>>,
}

impl<'py> Done<'_, 'py> {
    fn all(&mut self, py: Python<'py>) -> PyResult<bool> {
        let none = PyNone::get(py);
        for group in &self.changes.groups {
            let table = group.table.bind(py);
            let rows = &self.changes.rows[self.rows..group.end];
            match group.kind {
                Kind::Insert => {
                    for (count, row) in (table.len()..).zip(rows) {
                        table.set_item(PyBytes::new(py, row), none)?;
                        if table.len() == count {
                            return Ok(false);
                        }
                        self.rows += 1;
                    }
                }
                Kind::Delete => {
                    for row in rows {
                        if table.del_item(PyBytes::new(py, row)).is_err() {
                            return Ok(false);
                        }
                        self.rows += 1;
                    }
                }
                Kind::Truncate => {
                    self.emptied.push(table.copy()?);
                    table.clear();
                }
            }
            self.groups += 1;
        }
        Ok(true)
    }

    /// Backwards, from the group that one is in.
    fn undo(&mut self, py: Python<'py>) -> PyResult<()> {
        let groups = &self.changes.groups;
        for (index, group) in groups.iter().enumerate().take(self.groups + 1).rev() {
            let table = group.table.bind(py);
            let start = index.checked_sub(1).map_or(0, |before| groups[before].end);
            let rows = &self.changes.rows[start..self.rows];
            match group.kind {
                Kind::Insert => rows.iter().try_for_each(|row| table.del_item(PyBytes::new(py, row)))?,
                Kind::Delete => rows.iter().try_for_each(|row| table.set_item(PyBytes::new(py, row), py.None()))?,
                Kind::Truncate => {
                    if index < self.groups
                        && let Some(rows) = self.emptied.pop()
                    {
                        table.update(rows.as_mapping())?;
                    }
                }
            }
            self.rows = start;
        }
        Ok(())
    }
}
