//! Rows to Arrow arrays, without a Python object a value.

mod bits;
mod builder;
mod finish;
mod layout;
mod reading;
mod source;

use std::sync::Arc;

use arrow_array::ffi::{FFI_ArrowSchema, to_ffi};
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::{Array, RecordBatch, RecordBatchIterator, RecordBatchOptions, StructArray};
use arrow_schema::{ArrowError, DataType, Schema, SchemaRef};
use pyo3::exceptions::{PyIndexError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCapsule};

use crate::input::Input;
use builder::Builder;
use finish::Made;
use layout::Layout;
use source::{Read, Source, Stop};

/// Bytes of input that become one batch, and a row more.
const BATCH: usize = 1 << 26;
/// Bytes of rows of fixed width that are read column by column while they are at hand.
const BLOCK: usize = 1 << 14;
/// Rows that show how much room the others will need.
const SAMPLE: usize = 256;
/// Values without bytes that are read into one batch, and a row's more, so that offsets of elements stay below 2^31.
const EMPTIES: u64 = 1 << 30;
/// Bytes of room at most for each byte of input, before there is something to put into it.
const ROOM: usize = 8;

/// Reads rows of one layout.
#[pyclass(frozen, module = "bsatn._native")]
pub struct ColumnReader {
    layout: Layout,
    schema: SchemaRef,
    empty_elements: u64,
    null_bytes: u64,
}

/// Where reading stopped, and why: nowhere if `reason` is empty. The row is the first that can be too much; all before `sure_row`
/// are right to the last byte.
#[pyclass(frozen, get_all, module = "bsatn._native")]
pub struct Stopped {
    reason: &'static str,
    row: usize,
    offset: usize,
    column: usize,
    sure_row: usize,
    sure_offset: usize,
}

#[pymethods]
impl ColumnReader {
    #[new]
    fn new(layout: Layout, empty_elements: u64, null_bytes: u64) -> PyResult<Self> {
        let DataType::Struct(fields) = &layout.data_type else { return Err(PyValueError::new_err("rows are structs")) };
        let schema = Arc::new(Schema::new(fields.clone()));
        Ok(ColumnReader { layout, schema, empty_elements, null_bytes })
    }

    /// Rows from `offset` on, to the end or `count` of them; the columns, and where they end or why there are none.
    fn read(&self, data: &Bound<'_, PyBytes>, offset: usize, count: Option<usize>) -> PyResult<(Option<ColumnData>, Stopped)> {
        let bytes = data.as_bytes();
        let source = Source { input: Input::new(bytes, offset), empties: 0, nulls: self.null_bytes };
        let mut reading = Reading { reader: self, count, source, row: 0, column: 0, sure: (0, offset) };
        let done = data.py().detach(|| reading.batches());
        let stopped = |reason| {
            let (sure_row, sure_offset) = reading.sure;
            Stopped { reason, row: reading.row, offset: reading.source.input.at, column: reading.column, sure_row, sure_offset }
        };
        match done {
            Ok(batches) => Ok((Some(ColumnData { schema: self.schema.clone(), rows: reading.row, batches }), stopped(""))),
            Err(stop) => Ok((None, stopped(stop.name()))),
        }
    }
}

impl Stop {
    fn name(self) -> &'static str {
        match self {
            Stop::Bytes => "bytes",
            Stop::Digits => "digits",
            Stop::Nulls => "nulls",
            Stop::Offsets => "offsets",
        }
    }
}

struct Reading<'a> {
    reader: &'a ColumnReader,
    count: Option<usize>,
    source: Source<'a>,
    /// The rows read. When reading stopped, the first that may be at fault, which begins at `source.input.at`.
    row: usize,
    /// The column being read.
    column: usize,
    /// A row that begins where all is right so far, its texts too, and its offset.
    sure: (usize, usize),
}

impl Reading<'_> {
    fn batches(&mut self) -> Read<Vec<RecordBatch>> {
        let mut batches = Vec::new();
        while self.more() || batches.is_empty() {
            let first = self.row;
            self.sure = (first, self.source.input.at);
            let mut columns: Vec<Builder> = self.reader.layout.parts.iter().map(Builder::new).collect();
            match columns.iter().map(Builder::width).sum() {
                Some(width) => self.fixed(&mut columns, width)?,
                None => self.variable(&mut columns)?,
            }
            batches.push(self.reader.batch(columns, self.row - first).map_err(|_| Stop::Bytes)?);
        }
        Ok(batches)
    }

    fn more(&self) -> bool {
        self.count.map_or(!self.source.input.rest().is_empty(), |count| self.row < count)
    }

    /// Rows that all take `width` bytes, a column at a time.
    fn fixed(&mut self, columns: &mut [Builder], width: usize) -> Read<()> {
        let left = self.source.input.rest().len();
        let wanted = self.count.map_or(left.div_ceil(width.max(1)), |count| count - self.row);
        let there = left.checked_div(width).unwrap_or(wanted);
        let whole = wanted.min(there).min(BATCH.checked_div(width).unwrap_or(wanted).max(1));
        let block = BLOCK.checked_div(width).unwrap_or(whole).max(1);
        let (mut done, first) = (0, self.row);
        while done < whole {
            let count = block.min(whole - done);
            let start = self.source.input.at;
            let rows = self.source.input.bytes(count * width)?;
            let mut at = 0;
            for (index, column) in columns.iter_mut().enumerate() {
                self.column = index;
                column.read_column(rows, width, at, count).inspect_err(|_| self.source.input.at = start)?;
                at += column.width().unwrap_or_default();
            }
            done += count;
            self.row = first + done;
            self.sure = (self.row, self.source.input.at);
            if done == count {
                let mut room = ROOM * whole * width;
                columns.iter_mut().for_each(|column| column.grow(whole as f64 / done as f64, &mut room));
            }
        }
        if whole == 0 && wanted > 0 { Err(Stop::Bytes) } else { Ok(()) }
    }

    /// Rows one by one.
    fn variable(&mut self, columns: &mut [Builder]) -> Read<()> {
        let (begin, first) = (self.source.input.at, self.row);
        let mut steps = Step::of(columns);
        let mut empties = 0;
        while self.more() && self.source.input.at - begin < BATCH && empties < EMPTIES {
            let start = self.source.input.at;
            self.source.empties = self.reader.empty_elements;
            for step in &mut steps {
                self.column = step.first;
                let read = match &mut columns[step.first..step.first + step.count] {
                    [column] if step.width.is_none() => column.read(&mut self.source),
                    _ => step.pass(&mut self.source),
                };
                read.inspect_err(|_| self.source.input.at = start)?;
            }
            self.row += 1;
            if (self.row - first).is_multiple_of(SAMPLE) {
                steps.iter_mut().try_for_each(|step| step.catch_up(columns, &self.source))?;
            }
            empties = self.reader.empty_elements.saturating_sub(self.source.empties).saturating_add(empties);
            if self.row - first == SAMPLE {
                let left = self.source.input.rest().len().min(BATCH);
                let times = 1.02 + left as f64 / (self.source.input.at - begin) as f64;
                let mut room = ROOM * left;
                columns.iter_mut().for_each(|column| column.grow(times, &mut room));
            }
        }
        steps.iter_mut().try_for_each(|step| step.catch_up(columns, &self.source))
    }
}

/// A part of a row: one column; or some of fixed width, `width` bytes in all, which are passed over, and read for many rows at once.
struct Step {
    first: usize,
    count: usize,
    width: Option<usize>,
    passed: Vec<usize>,
}

impl Step {
    /// The parts of a row of these columns.
    fn of(columns: &[Builder]) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::new();
        for (first, column) in columns.iter().enumerate() {
            let width = column.width().filter(|_| column.is_certain());
            match (steps.last_mut(), width) {
                (Some(Step { count, width: Some(before), .. }), Some(more)) => {
                    *count += 1;
                    *before += more;
                }
                _ => steps.push(Step { first, count: 1, width, passed: Vec::new() }),
            }
        }
        steps
    }

    #[inline(always)]
    fn pass(&mut self, source: &mut Source<'_>) -> Read<()> {
        self.passed.push(source.input.at);
        source.input.bytes(self.width.unwrap_or_default())?;
        Ok(())
    }

    /// What was passed over is read, a column at a time.
    fn catch_up(&mut self, columns: &mut [Builder], source: &Source<'_>) -> Read<()> {
        let mut at = 0;
        for column in &mut columns[self.first..self.first + self.count] {
            if self.width.is_some() {
                column.read_scattered(source.input.all(), &self.passed, at)?;
                at += column.width().unwrap_or_default();
            }
        }
        self.passed.clear();
        Ok(())
    }
}

impl ColumnReader {
    fn batch(&self, columns: Vec<Builder>, rows: usize) -> Made<RecordBatch> {
        let made = columns.into_iter().zip(&self.layout.parts).map(|(column, layout)| column.finish(layout, None));
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(self.schema.clone(), made.collect::<Made<_>>()?, &options)
    }
}

/// Columns, as batches of rows.
#[pyclass(frozen, module = "bsatn._native")]
pub struct ColumnData {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
    #[pyo3(get)]
    rows: usize,
}

#[pymethods]
impl ColumnData {
    #[getter]
    fn batches(&self) -> usize {
        self.batches.len()
    }

    /// Bytes of the buffers.
    #[getter]
    fn nbytes(&self) -> PyResult<usize> {
        let sizes = self.batches.iter().flat_map(RecordBatch::columns).map(|column| column.to_data().get_slice_memory_size());
        sizes.sum::<Made<usize>>().map_err(raised)
    }

    #[getter]
    fn names(&self) -> Vec<&str> {
        self.schema.fields().iter().map(|field| field.name().as_str()).collect()
    }

    /// These rows and those of others, which have the same columns.
    fn joined(&self, others: Vec<PyRef<'_, ColumnData>>) -> PyResult<ColumnData> {
        let mut all = ColumnData { schema: self.schema.clone(), rows: self.rows, batches: self.batches.clone() };
        for other in others {
            if other.schema != self.schema {
                return Err(PyValueError::new_err("columns of different types do not go together"));
            }
            all.rows += other.rows;
            all.batches.extend_from_slice(&other.batches);
        }
        Ok(all)
    }

    fn schema<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        let schema = FFI_ArrowSchema::try_from(self.schema.as_ref()).map_err(raised)?;
        PyCapsule::new_with_value(py, schema, c"arrow_schema")
    }

    /// The batch of that number, a struct array.
    fn array<'py>(&self, py: Python<'py>, number: usize) -> PyResult<(Bound<'py, PyCapsule>, Bound<'py, PyCapsule>)> {
        let batch = self.batches.get(number).ok_or_else(|| PyIndexError::new_err("there are not so many batches"))?;
        let (array, schema) = to_ffi(&StructArray::from(batch.clone()).into_data()).map_err(raised)?;
        let schema = PyCapsule::new_with_value(py, schema, c"arrow_schema")?;
        Ok((schema, PyCapsule::new_with_value(py, array, c"arrow_array")?))
    }

    fn stream<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        let batches = self.batches.clone().into_iter().map(Ok);
        let reader = RecordBatchIterator::new(batches, self.schema.clone());
        PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(Box::new(reader)), c"arrow_array_stream")
    }
}

fn raised(error: ArrowError) -> PyErr {
    PyValueError::new_err(error.to_string())
}
