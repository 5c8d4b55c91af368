//! Commits of a log stepped over, with their records and rows, as long as they are what one expects.
//!
//! The first commit that is not (its checksum, its offset, a table that is not known, a record that describes one, bytes that
//! are no row) is left to `defs.store.reading`, which knows what to do and what to say. (spec: event-tables 3.2, 3.4)

use std::collections::HashMap;

use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::check;
use crate::failure::{Failure, Outcome};
use crate::input::Input;
use crate::plan::Plan;

const INPUTS: u8 = 0x80;
const OUTPUTS: u8 = 0x40;
const MUTATIONS: u8 = 0x20;
const CHECKSUM_SIZE: usize = 4;
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

/// Knows the rows of some tables.
#[pyclass(module = "bsatn._native")]
#[derive(Default)]
pub struct Commits {
    tables: HashMap<u32, Py<Plan>>,
}

#[pymethods]
impl Commits {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// Rows of a table are what a plan without values checks. Each must take a byte or more.
    fn learn(&mut self, table_id: u32, plan: Py<Plan>) {
        self.tables.insert(table_id, plan);
    }

    fn forget(&mut self) {
        self.tables.clear();
    }

    /// Step over commits of consecutive transactions, `expected` the first, that stand in `data` from `at` on.
    fn step(&self, py: Python<'_>, data: &Bound<'_, PyBytes>, at: usize, header_size: usize, expected: u64) -> Stepped {
        let (data, tables) = (data.as_bytes(), &self.tables);
        py.detach(|| {
            let mut stepped = Stepped { end: at, ..Stepped::default() };
            while let Some(commit) = Commit::read(data, stepped.end, header_size) {
                let follows = commit.n > 0 && commit.min_tx_offset == expected.wrapping_add(stepped.transactions);
                if !follows || crc32c::crc32c(commit.body) != commit.checksum {
                    break;
                }
                let mut reading = Reading { tables, input: Input::new(commit.body, header_size), rows: 0, wanted: None };
                if reading.records(commit.n).is_err() {
                    stepped.wanted = reading.wanted;
                    break;
                }
                stepped.end += commit.body.len() + CHECKSUM_SIZE;
                stepped.commits += 1;
                stepped.transactions += commit.n;
                stepped.rows += reading.rows;
                stepped.last_tx_offset = commit.min_tx_offset;
                stepped.checksum = commit.checksum;
            }
            stepped
        })
    }
}

/// A commit that is there in full. `body` is its header and records.
struct Commit<'a> {
    min_tx_offset: u64,
    n: u64,
    body: &'a [u8],
    checksum: u32,
}

impl<'a> Commit<'a> {
    fn read(data: &'a [u8], at: usize, header_size: usize) -> Option<Self> {
        let data = data.get(at..)?;
        let min_tx_offset = u64::from_le_bytes(*data.first_chunk()?);
        let counts = if header_size == HEADER_WITH_EPOCH { 16 } else { 8 };
        let n = u16::from_le_bytes(*data.get(counts..)?.first_chunk()?);
        let size = u32::from_le_bytes(*data.get(counts + 2..)?.first_chunk()?);
        let (body, behind) = data.split_at_checked(header_size + size as usize)?;
        Some(Commit { min_tx_offset, n: u64::from(n), body, checksum: u32::from_le_bytes(*behind.first_chunk()?) })
    }
}

/// The records of one commit.
struct Reading<'a> {
    tables: &'a HashMap<u32, Py<Plan>>,
    input: Input<'a>,
    rows: u64,
    wanted: Option<u32>,
}

impl Reading<'_> {
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
            self.groups()?;
            self.groups()?;
            if self.varint()? != 0 {
                return Err(Failure::Unsure); // truncates
            }
        }
        Ok(())
    }

    fn groups(&mut self) -> Outcome<()> {
        for _ in 0..self.varint()? {
            let table_id = u32::from_le_bytes(self.input.array()?);
            let count = self.varint()?;
            let Some(table) = self.tables.get(&table_id) else {
                self.wanted = Some(table_id);
                return Err(Failure::Unsure);
            };
            check::values(table.get(), &mut self.input, count)?;
            self.rows += count;
        }
        Ok(())
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
