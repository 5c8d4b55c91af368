//! Commits made for Python, as long as each has the offset that follows, and the right checksum.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyInt, PyList, PyString};

use crate::commits::{CHECKSUM_SIZE, Commit};

/// What all commits of a segment have in common.
#[derive(FromPyObject)]
pub struct Segment<'py> {
    name: Bound<'py, PyString>,
    version: Bound<'py, PyInt>,
    header_size: usize,
}

/// The commits of consecutive transactions, `expected` the first, that stand in `data` from `at` on, so many at most: each as
/// the fields of `defs.store.commitlog.Commit`. `position` is that of `at` in the segment.
#[pyfunction]
pub fn frames<'py>(
    data: &Bound<'py, PyBytes>,
    at: usize,
    segment: Segment<'py>,
    position: u64,
    mut expected: u64,
    most: usize,
) -> PyResult<Bound<'py, PyList>> {
    let (found, header_size) = (PyList::empty(data.py()), segment.header_size);
    let mut end = at;
    while found.len() < most
        && let Some(commit) = Commit::read(data.as_bytes(), end, header_size)
        && let Some(following) = commit.following(expected)
    {
        let Some(records) = commit.body.get(header_size..) else { break };
        let len = commit.body.len() + CHECKSUM_SIZE;
        found.append((
            expected,
            commit.epoch,
            commit.n,
            PyBytes::new(data.py(), records),
            commit.checksum,
            &segment.name,
            position.saturating_add((end - at) as u64),
            len,
            &segment.version,
        ))?;
        end += len;
        expected = following;
    }
    Ok(found)
}
