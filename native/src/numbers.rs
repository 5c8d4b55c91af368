//! Plain numbers: integers of up to 128 bits and floats, one by one and many in a row.

use pyo3::prelude::*;
use pyo3::types::{PyFloat, PyList, PyTuple};

use crate::failure::{Failure, Outcome};
use crate::input::Input;
use crate::kit::Kit;
use crate::ops::Code;
use crate::output::Output;

/// Hands the type of a plain number to a macro: the table of them.
macro_rules! with_number {
    ($code:expr, $do:ident, $otherwise:expr) => {
        match $code {
            Code::U8 => $do!(u8),
            Code::I8 => $do!(i8),
            Code::U16 => $do!(u16),
            Code::I16 => $do!(i16),
            Code::U32 => $do!(u32),
            Code::I32 => $do!(i32),
            Code::U64 => $do!(u64),
            Code::I64 => $do!(i64),
            Code::U128 => $do!(u128),
            Code::I128 => $do!(i128),
            _ => $otherwise,
        }
    };
}
pub(crate) use with_number;

/// An array of numbers, its count first.
pub fn read_many<'py>(
    py: Python<'py>,
    kit: &Kit,
    code: Code,
    tuple: bool,
    input: &mut Input<'_>,
) -> Outcome<Bound<'py, PyAny>> {
    macro_rules! read {
        ($type:ty) => {{
            const N: usize = size_of::<$type>();
            let chunks = input.prefixed(N)?.as_chunks::<N>().0.iter();
            gathered(
                py,
                tuple,
                chunks.map(|chunk| Ok(<$type>::from_le_bytes(*chunk).into_pyobject(py).map_err(PyErr::from)?.into_any())),
            )?
        }};
    }
    Ok(with_number!(code, read, {
        if code == Code::F32 {
            let chunks = input.prefixed(4)?.as_chunks::<4>().0.iter();
            gathered(py, tuple, chunks.map(|chunk| Ok(kit.float32(py, u32::from_le_bytes(*chunk))?)))?
        } else {
            let chunks = input.prefixed(8)?.as_chunks::<8>().0.iter();
            gathered(py, tuple, chunks.map(|chunk| Ok(PyFloat::new(py, f64::from_le_bytes(*chunk)).into_any())))?
        }
    }))
}

/// A list or tuple of as many values, if none failed.
#[inline(always)]
pub fn gathered<'py>(
    py: Python<'py>,
    tuple: bool,
    items: impl ExactSizeIterator<Item = Outcome<Bound<'py, PyAny>>>,
) -> Outcome<Bound<'py, PyAny>> {
    let mut failed = None;
    let items = items.map(|item| {
        item.unwrap_or_else(|failure| {
            failed = Some(failure);
            py.None().into_bound(py)
        })
    });
    let made = if tuple { PyTuple::new(py, items)?.into_any() } else { PyList::new(py, items)?.into_any() };
    failed.map_or(Ok(made), Err)
}

/// The bytes of one number.
#[inline(always)]
pub fn write(kit: &Kit, code: Code, value: &Bound<'_, PyAny>, out: &mut Output) -> Outcome<()> {
    macro_rules! write {
        ($type:ty) => {
            out.array(value.extract::<$type>()?.to_le_bytes())
        };
    }
    with_number!(
        code,
        write,
        match code {
            Code::F32 => out.array(kit.bits32(value)?.to_le_bytes()),
            Code::F64 => out.array(value.extract::<f64>()?.to_le_bytes()),
            _ => return Err(Failure::Refused),
        }
    );
    Ok(())
}
