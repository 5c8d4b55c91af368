//! Commits of a log stepped over, with their records and rows, or applied to the rows that tables have, as long as they are
//! what one expects.
//!
//! The first commit that is not (its checksum, its offset, a table that is not known, a record that describes one, bytes that
//! are no row, a row that cannot come or go) is left to `defs.store.reading`, which knows what to do and what to say.
//! (spec: event-tables 1.6, 3.2, 3.4)

use std::collections::HashMap;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::changes::{Changes, Kind};
use crate::check;
use crate::failure::{Failure, Outcome};
use crate::input::Input;
use crate::plan::Plan;

const INPUTS: u8 = 0x80;
const OUTPUTS: u8 = 0x40;
const MUTATIONS: u8 = 0x20;
pub const CHECKSUM_SIZE: usize = 4;
/// Bytes of a commit's header where it has an epoch; without one it has eight less.
const HEADER_WITH_EPOCH: usize = 22;

/// What was stepped over, and where it ends. `wanted` is the table whose rows could not be told.
#[pyclass(frozen, get_all, module = "bsatn._native")]
#[derive(Default)]
pub struct Stepped {
    end: usize,
    commits: u64,
    transactions: u64,
    rows: u64,
    last_tx_offset: u64,
    checksum: u32,
    wanted: Option<u32>,
}

/// A table that is known. `rows` has each of its rows as a key; without, or with rows that nobody knows of an event table, no
/// commit can be applied that changes them.
struct Table {
    plan: Py<Plan>,
    rows: Option<Py<PyDict>>,
    is_event: bool,
}

type Tables = HashMap<u32, Table>;

/// Knows the rows of some tables.
#[pyclass(module = "bsatn._native")]
#[derive(Default)]
pub struct Commits {
    tables: Tables,
}

#[pymethods]
impl Commits {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// Rows of a table are what a plan without values checks. Each must take a byte or more. `rows` are those that it has, as
    /// keys, to be changed by commits that are applied; events are not kept.
    #[pyo3(signature = (table_id, plan, rows=None, is_event=false))]
    fn learn(&mut self, table_id: u32, plan: Py<Plan>, rows: Option<Py<PyDict>>, is_event: bool) {
        self.tables.insert(table_id, Table { plan, rows, is_event });
    }

    fn forget(&mut self) {
        self.tables.clear();
    }

    /// Step over commits of consecutive transactions, `expected` the first, that stand in `data` from `at` on.
    fn step(&self, data: &Bound<'_, PyBytes>, at: usize, header_size: usize, expected: u64) -> PyResult<Stepped> {
        let walk = Walk { tables: &self.tables, data: data.as_bytes(), header_size, expected, end: u64::MAX };
        data.py().detach(|| walk.from(at, Checking))
    }

    /// As `step`, for transactions before `end`; and what they do to rows is done.
    fn apply(&self, data: &Bound<'_, PyBytes>, at: usize, header_size: usize, expected: u64, end: u64) -> PyResult<Stepped> {
        let walk = Walk { tables: &self.tables, data: data.as_bytes(), header_size, expected, end };
        walk.from(at, Applying { py: data.py(), changes: Changes::default() })
    }
}

/// What is made of rows.
trait Visitor<'a> {
    /// So many rows come, or go.
    fn rows(&mut self, kind: Kind, table: &'a Table, input: &mut Input<'a>, count: u64) -> Outcome<()>;

    /// All rows go.
    fn truncate(&mut self, table: &'a Table) -> Outcome<()>;

    /// A commit is read to its end; whether it may be stepped over.
    fn end(&mut self) -> PyResult<bool>;
}

/// Sees whether they are rows.
struct Checking;

impl<'a> Visitor<'a> for Checking {
    fn rows(&mut self, _: Kind, table: &'a Table, input: &mut Input<'a>, count: u64) -> Outcome<()> {
        check::values(table.plan.get(), input, count)
    }

    fn truncate(&mut self, _: &'a Table) -> Outcome<()> {
        Ok(())
    }

    fn end(&mut self) -> PyResult<bool> {
        Ok(true)
    }
}

/// Gathers them, to change the tables when all is known to be right.
struct Applying<'a, 'py> {
    py: Python<'py>,
    changes: Changes<'a>,
}

impl<'a> Visitor<'a> for Applying<'a, '_> {
    fn rows(&mut self, kind: Kind, table: &'a Table, input: &mut Input<'a>, count: u64) -> Outcome<()> {
        if table.is_event && matches!(kind, Kind::Insert) {
            return check::values(table.plan.get(), input, count);
        }
        let rows = table.rows.as_ref().ok_or(Failure::Unsure)?;
        for _ in 0..count {
            let rest = input.rest();
            check::values(table.plan.get(), input, 1)?;
            self.changes.row(&rest[..rest.len() - input.rest().len()]);
        }
        self.changes.end_group(kind, rows);
        Ok(())
    }

    fn truncate(&mut self, table: &'a Table) -> Outcome<()> {
        self.changes.end_group(Kind::Truncate, table.rows.as_ref().ok_or(Failure::Unsure)?);
        Ok(())
    }

    fn end(&mut self) -> PyResult<bool> {
        let applied = self.changes.apply(self.py)?;
        self.changes.clear();
        Ok(applied)
    }
}

/// The way over commits: transactions from `expected` on, and before `end`.
struct Walk<'a> {
    tables: &'a Tables,
    data: &'a [u8],
    header_size: usize,
    expected: u64,
    end: u64,
}

impl<'a> Walk<'a> {
    fn from(&self, at: usize, mut visitor: impl Visitor<'a>) -> PyResult<Stepped> {
        let mut stepped = Stepped { end: at, ..Stepped::default() };
        let mut expected = self.expected;
        while let Some(commit) = Commit::read(self.data, stepped.end, self.header_size) {
            let Some(following) = commit.following(expected).filter(|following| *following <= self.end) else { break };
            let input = Input::new(commit.body, self.header_size);
            let mut reading = Reading { tables: self.tables, visitor: &mut visitor, input, rows: 0, wanted: None };
            if reading.records(commit.n).is_err() {
                stepped.wanted = reading.wanted;
                break;
            }
            let rows = reading.rows;
            if !visitor.end()? {
                break;
            }
            stepped.end += commit.body.len() + CHECKSUM_SIZE;
            stepped.commits += 1;
            stepped.transactions += commit.n;
            stepped.rows += rows;
            stepped.last_tx_offset = commit.min_tx_offset;
            stepped.checksum = commit.checksum;
            expected = following;
        }
        Ok(stepped)
    }
}

/// A commit that is there in full. `body` is its header and records.
pub struct Commit<'a> {
    pub min_tx_offset: u64,
    pub epoch: u64,
    pub n: u64,
    pub body: &'a [u8],
    pub checksum: u32,
}

impl<'a> Commit<'a> {
    pub fn read(data: &'a [u8], at: usize, header_size: usize) -> Option<Self> {
        let data = data.get(at..)?;
        let min_tx_offset = u64::from_le_bytes(*data.first_chunk()?);
        let has_epoch = header_size == HEADER_WITH_EPOCH;
        let epoch = if has_epoch { u64::from_le_bytes(*data.get(8..)?.first_chunk()?) } else { 0 };
        let counts = if has_epoch { 16 } else { 8 };
        let n = u16::from_le_bytes(*data.get(counts..)?.first_chunk()?);
        let size = u32::from_le_bytes(*data.get(counts + 2..)?.first_chunk()?);
        let (body, behind) = data.split_at_checked(header_size.saturating_add(size as usize))?;
        Some(Commit { min_tx_offset, epoch, n: u64::from(n), body, checksum: u32::from_le_bytes(*behind.first_chunk()?) })
    }

    /// The transaction after the commit, if `expected` is its first, and its checksum right.
    pub fn following(&self, expected: u64) -> Option<u64> {
        let follows = self.n > 0 && self.min_tx_offset == expected && crc32c::crc32c(self.body) == self.checksum;
        if follows { expected.checked_add(self.n) } else { None }
    }
}

/// The records of one commit.
struct Reading<'a, 'v, V> {
    tables: &'a Tables,
    visitor: &'v mut V,
    input: Input<'a>,
    rows: u64,
    wanted: Option<u32>,
}

impl<'a, V: Visitor<'a>> Reading<'a, '_, V> {
    /// So many records, and nothing behind them.
    fn records(&mut self, count: u64) -> Outcome<()> {
        (0..count).try_for_each(|_| self.record())?;
        if self.input.rest().is_empty() { Ok(()) } else { Err(Failure::Refused) }
    }

    fn record(&mut self) -> Outcome<()> {
        let flags = self.input.byte()?;
        if flags & INPUTS != 0 {
            let mut inputs = Input::new(self.input.prefixed(1)?, 0);
            let length = inputs.byte()?;
            std::str::from_utf8(inputs.bytes(usize::from(length))?).map_err(|_| Failure::Refused)?;
        }
        if flags & OUTPUTS != 0 {
            let length = self.input.byte()?;
            self.input.bytes(usize::from(length))?;
        }
        if flags & MUTATIONS != 0 {
            self.groups(Kind::Insert)?;
            self.groups(Kind::Delete)?;
            self.truncates()?;
        }
        Ok(())
    }

    fn groups(&mut self, kind: Kind) -> Outcome<()> {
        for _ in 0..self.varint()? {
            let table = self.table()?;
            let count = self.varint()?;
            self.visitor.rows(kind, table, &mut self.input, count)?;
            self.rows += count;
        }
        Ok(())
    }

    fn truncates(&mut self) -> Outcome<()> {
        for _ in 0..self.varint()? {
            let table = self.table()?;
            self.visitor.truncate(table)?;
        }
        Ok(())
    }

    fn table(&mut self) -> Outcome<&'a Table> {
        let table_id = u32::from_le_bytes(self.input.array()?);
        self.tables.get(&table_id).ok_or_else(|| {
            self.wanted = Some(table_id);
            Failure::Unsure
        })
    }

    /// A number below 2^63, in nine bytes at most; a longer spelling is left to others.
    fn varint(&mut self) -> Outcome<u64> {
        let mut value = 0;
        for shift in (0..63).step_by(7) {
            let byte = self.input.byte()?;
            value |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Failure::Unsure)
    }
}
