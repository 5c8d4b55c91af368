//! The classes of values that every program may make.

use pyo3::prelude::*;
use pyo3::types::{PyFloat, PyTuple, PyType};

use crate::failure::{Failure, Outcome};

const EXPONENT: u32 = 0x7F80_0000;
const QUIET: u32 = 0x0040_0000;

#[derive(FromPyObject)]
pub struct Kit {
    pub variant: Py<PyType>,
    pub some: Py<PyType>,
    f32_nan: Py<PyType>,
    new_tuple: Py<PyAny>,
    pub give_up: Py<PyType>,
    pub unsure: Py<PyType>,
}

impl Kit {
    /// An instance of a class of tuples, without asking the class.
    pub fn tuple_of<'py>(&self, cls: &Py<PyType>, values: Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyAny>> {
        let py = values.py();
        self.new_tuple.bind(py).call1((cls.bind(py), values))
    }

    /// The float of a 32-bit pattern: a signalling NaN, which a Python float cannot hold, is an F32NaN.
    #[inline]
    pub fn float32<'py>(&self, py: Python<'py>, bits: u32) -> PyResult<Bound<'py, PyAny>> {
        let value = f32::from_bits(bits);
        if !value.is_nan() {
            return Ok(PyFloat::new(py, f64::from(value)).into_any());
        }
        if bits & QUIET == 0 {
            return self.f32_nan.bind(py).call1((bits,));
        }
        let wide = u64::from(bits >> 31) << 63 | 0x7FF << 52 | u64::from(bits & 0x007F_FFFF) << 29;
        Ok(PyFloat::new(py, f64::from_bits(wide)).into_any())
    }

    /// The bits of a value as a 32-bit float. What is out of range, or a NaN that does not fit, is refused.
    #[inline]
    pub fn bits32(&self, value: &Bound<'_, PyAny>) -> Outcome<u32> {
        if !value.is_exact_instance_of::<PyFloat>() && value.is_instance(self.f32_nan.bind(value.py()))? {
            return Err(Failure::Refused);
        }
        let wide: f64 = value.extract()?;
        if !wide.is_nan() {
            let narrow = wide as f32;
            return if narrow.is_infinite() && wide.is_finite() { Err(Failure::Refused) } else { Ok(narrow.to_bits()) };
        }
        let bits = wide.to_bits();
        let narrow = ((bits >> 63) as u32) << 31 | EXPONENT | (bits >> 29) as u32 & 0x007F_FFFF;
        if narrow & QUIET == 0 { Err(Failure::Refused) } else { Ok(narrow) }
    }

    /// The exception that stands for a failure.
    pub fn raised(&self, py: Python<'_>, failure: Failure) -> PyErr {
        match failure {
            Failure::Refused => PyErr::from_type(self.give_up.bind(py).clone(), ()),
            Failure::Unsure => PyErr::from_type(self.unsure.bind(py).clone(), ()),
            Failure::Raised(error) => *error,
        }
    }
}
