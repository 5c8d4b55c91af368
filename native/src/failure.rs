//! Why an engine gave up. Whatever the reason, the caller asks the Construct engine, which words the error.

use pyo3::{CastError, CastIntoError, PyErr};

pub enum Failure {
    /// The bytes, or the value, are wrong.
    Refused,
    /// A limit may be passed.
    Unsure,
    /// Python code that was called has raised.
    Raised(Box<PyErr>),
}

impl From<PyErr> for Failure {
    fn from(error: PyErr) -> Self {
        Failure::Raised(Box::new(error))
    }
}

impl From<CastError<'_, '_>> for Failure {
    fn from(_: CastError<'_, '_>) -> Self {
        Failure::Refused
    }
}

impl From<CastIntoError<'_>> for Failure {
    fn from(_: CastIntoError<'_>) -> Self {
        Failure::Refused
    }
}

pub type Outcome<T> = Result<T, Failure>;
