//! A type's program with all that it refers to, as Python sees it.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

use crate::check;
use crate::decode::Decoder;
use crate::encode::Encoder;
use crate::failure::Failure;
use crate::input::Input;
use crate::kit::Kit;
use crate::ops::Flow;
use crate::tables::{Choice, Record, Sum, WrittenSum};

/// Bytes from which on the GIL is let go while they are checked.
const LARGE: usize = 1 << 12;

/// The objects that a program refers to.
#[derive(FromPyObject)]
struct WrittenTables {
    records: Vec<Record>,
    sums: Vec<WrittenSum>,
    choices: Vec<Vec<(Vec<u8>, Py<PyAny>)>>,
    callables: Vec<Py<PyAny>>,
}

/// Reads and writes values of one type. What it raises says nothing but that the Construct engine must look.
#[pyclass(frozen, module = "bsatn._native")]
pub struct Plan {
    pub flow: Flow,
    pub records: Vec<Record>,
    pub sums: Vec<Sum>,
    pub choices: Vec<Choice>,
    callables: Vec<Py<PyAny>>,
    pub kit: Kit,
}

impl Plan {
    #[inline]
    pub fn callable<'a, 'py>(&'a self, py: Python<'py>, number: u32) -> &'a Bound<'py, PyAny> {
        self.callables[number as usize].bind(py)
    }

    fn raise(&self, py: Python<'_>) -> impl Fn(Failure) -> PyErr {
        move |failure| self.kit.raised(py, failure)
    }
}

#[pymethods]
impl Plan {
    /// `program` has the attributes of `WrittenFlow` and `WrittenTables`.
    #[new]
    fn new(py: Python<'_>, program: &Bound<'_, PyAny>, kit: Kit) -> PyResult<Self> {
        let tables: WrittenTables = program.extract()?;
        Ok(Plan {
            flow: Flow::new(program.extract()?)?,
            records: tables.records,
            sums: tables.sums.into_iter().map(|sum| Sum::new(py, sum)).collect::<PyResult<_>>()?,
            choices: tables.choices.into_iter().map(|choice| Choice::new(py, choice)).collect::<PyResult<_>>()?,
            callables: tables.callables,
            kit,
        })
    }

    /// The value at `offset` and the offset after it.
    fn decode<'py>(&self, data: &Bound<'py, PyBytes>, offset: usize) -> PyResult<(Bound<'py, PyAny>, usize)> {
        let mut decoder = Decoder::new(data.py(), self, Input::new(data.as_bytes(), offset));
        let done = decoder.value().and_then(|()| decoder.values.pop().ok_or(Failure::Refused));
        done.map(|value| (value, decoder.input.at)).map_err(self.raise(data.py()))
    }

    /// Values back to back from `offset` until `end`, and the offset after the last.
    fn decode_many<'py>(&self, data: &Bound<'py, PyBytes>, offset: usize, end: usize) -> PyResult<(Bound<'py, PyList>, usize)> {
        let mut decoder = Decoder::new(data.py(), self, Input::new(data.as_bytes(), offset));
        while decoder.input.at < end {
            decoder.value().map_err(self.raise(data.py()))?;
        }
        Ok((PyList::new(data.py(), decoder.values)?, decoder.input.at))
    }

    fn encode<'py>(&self, value: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
        let (py, mut encoder) = (value.py(), Encoder::new(self));
        encoder.value(value).map_err(self.raise(py))?;
        Ok(PyBytes::new(py, encoder.out.written()))
    }

    fn encode_many<'py>(&self, values: &Bound<'py, PyList>) -> PyResult<Bound<'py, PyBytes>> {
        let mut encoder = Encoder::new(self);
        for value in values {
            encoder.value(value).map_err(self.raise(values.py()))?;
        }
        Ok(PyBytes::new(values.py(), encoder.out.written()))
    }

    /// The offset after `count` values back to back at `offset`. Only for a program written without values.
    fn check(&self, data: &Bound<'_, PyBytes>, offset: usize, count: u64) -> PyResult<usize> {
        let (py, mut input) = (data.py(), Input::new(data.as_bytes(), offset));
        let mut work = || check::values(self, &mut input, count).map(|()| input.at);
        let done = if data.as_bytes().len() < LARGE { work() } else { py.detach(work) };
        done.map_err(self.raise(py))
    }
}
