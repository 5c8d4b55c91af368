//! What instructions refer to by number: records, sums and choices, with the Python objects they are in Python.

use std::collections::HashMap;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString, PyTuple, PyType};

use crate::failure::{Failure, Outcome};
use crate::output::Output;

/// A class of records: an instance is made by setting its attributes on one of `twin`, an unfrozen class of the same
/// slots, which then becomes `cls`; without a twin, by calling `cls`.
#[derive(FromPyObject)]
pub struct Record {
    cls: Py<PyType>,
    twin: Option<Py<PyType>>,
    attributes: Vec<Py<PyString>>,
}

impl Record {
    pub fn make<'py>(
        &self,
        py: Python<'py>,
        values: impl ExactSizeIterator<Item = Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let Some(twin) = &self.twin else {
            return self.cls.bind(py).call1(PyTuple::new(py, values)?);
        };
        let made = twin.bind(py).call0()?;
        for (name, value) in self.attributes.iter().zip(values) {
            made.setattr(name.bind(py), value)?;
        }
        made.setattr(pyo3::intern!(py, "__class__"), self.cls.bind(py))?;
        Ok(made)
    }

    /// The attributes onto the stack, the first on top.
    pub fn spread<'py>(&self, value: &Bound<'py, PyAny>, stack: &mut Vec<Bound<'py, PyAny>>) -> Outcome<()> {
        let (py, cls) = (value.py(), self.cls.bind(value.py()));
        if !value.get_type().is(cls) && !value.is_instance(cls)? {
            return Err(Failure::Refused);
        }
        for name in self.attributes.iter().rev() {
            stack.push(value.getattr(name.bind(py))?);
        }
        Ok(())
    }
}

/// A string or integer of which only some are allowed: bytes on the wire, and constants.
pub struct Choice {
    pub by_wire: Vec<(Vec<u8>, Py<PyAny>)>,
    by_constant: Py<PyDict>,
}

impl Choice {
    pub fn new(py: Python<'_>, by_wire: Vec<(Vec<u8>, Py<PyAny>)>) -> PyResult<Self> {
        let by_constant = PyDict::new(py);
        for (wire, constant) in &by_wire {
            by_constant.set_item(constant.bind(py), PyBytes::new(py, wire))?;
        }
        Ok(Choice { by_wire, by_constant: by_constant.unbind() })
    }

    /// The bytes that begin `rest`, and what they are.
    pub fn read(&self, rest: &[u8]) -> Outcome<&(Vec<u8>, Py<PyAny>)> {
        self.by_wire.iter().find(|(wire, _)| rest.starts_with(wire)).ok_or(Failure::Refused)
    }

    pub fn write(&self, value: &Bound<'_, PyAny>, out: &mut Output) -> Outcome<()> {
        let found = self.by_constant.bind(value.py()).get_item(value)?.ok_or(Failure::Refused)?;
        out.slice(found.cast::<PyBytes>()?.as_bytes());
        Ok(())
    }
}

/// How a sum's values look: see `Style` of `bsatn.shapes`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Variant,
    Option,
    NestedOption,
    Union,
}

/// A variant: where its payload's instructions are, or what stands for it when it has none.
pub struct Arm {
    pub target: usize,
    pub constant: Option<Py<PyAny>>,
}

pub struct Sum {
    pub style: Style,
    pub arms: Vec<Arm>,
    by_name: Py<PyDict>,
    by_class: HashMap<usize, u8>,
    by_identity: HashMap<usize, u8>,
    by_constant: Py<PyDict>,
}

#[derive(FromPyObject)]
pub struct WrittenSum {
    style: String,
    arms: Vec<(usize, Vec<Py<PyAny>>)>,
    by_name: Py<PyDict>,
    by_class: Vec<(Py<PyAny>, u8)>,
    by_constant: Py<PyDict>,
}

impl Sum {
    pub fn new(py: Python<'_>, written: WrittenSum) -> PyResult<Self> {
        let mut by_identity = HashMap::new();
        for (constant, tag) in written.by_constant.bind(py) {
            by_identity.insert(constant.as_ptr() as usize, tag.extract()?);
        }
        let arm = |(target, mut constants): (usize, Vec<Py<PyAny>>)| Arm { target, constant: constants.pop() };
        Ok(Sum {
            style: match written.style.as_str() {
                "OPTION" => Style::Option,
                "NESTED_OPTION" => Style::NestedOption,
                "UNION" => Style::Union,
                _ => Style::Variant,
            },
            arms: written.arms.into_iter().map(arm).collect(),
            by_name: written.by_name,
            by_class: written.by_class.iter().map(|(cls, tag)| (cls.as_ptr() as usize, *tag)).collect(),
            by_identity,
            by_constant: written.by_constant,
        })
    }

    pub fn arm(&self, tag: u8) -> Outcome<&Arm> {
        self.arms.get(usize::from(tag)).ok_or(Failure::Refused)
    }

    /// The tag of a UNION's value: by its class, else it is one of the constants, or equals one.
    pub fn tag_of(&self, value: &Bound<'_, PyAny>) -> Outcome<u8> {
        let class = value.get_type().as_ptr() as usize;
        let known = self.by_class.get(&class).or_else(|| self.by_identity.get(&(value.as_ptr() as usize)));
        if let Some(&tag) = known {
            return Ok(tag);
        }
        let found = self.by_constant.bind(value.py()).get_item(value)?.ok_or(Failure::Refused)?;
        Ok(found.extract()?)
    }

    /// The tag that a number or a variant's name stands for.
    pub fn tag_named(&self, chosen: &Bound<'_, PyAny>) -> Outcome<u8> {
        if chosen.is_instance_of::<PyString>() {
            let found = self.by_name.bind(chosen.py()).get_item(chosen)?.ok_or(Failure::Refused)?;
            return Ok(found.extract()?);
        }
        Ok(chosen.extract()?)
    }
}
