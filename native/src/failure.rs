//! Why an engine gave up. Whatever the reason, the caller asks the Construct engine, which words the error.

use pyo3::PyErr;

pub enum Failure {
    /// The bytes, or the value, are wrong.
    Refused,
    /// A limit may be passed.
    Unsure,
    /// Python code that was called has raised.
    Raised(PyErr),
}

impl From<PyErr> for Failure {
    fn from(error: PyErr) -> Self {
        Failure::Raised(error)
    }
}

pub type Outcome<T> = Result<T, Failure>;
