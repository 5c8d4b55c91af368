//! Bytes to values. Values gather on a stack, from which a container takes its parts when it ends.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyFloat, PyList, PyString, PyTuple};

use crate::calls::Calls;
use crate::failure::{Failure, Outcome};
use crate::input::Input;
use crate::numbers::{gathered, read_many, with_number};
use crate::ops::{Code, Op};
use crate::plan::Plan;

/// An array of which elements are missing; the others are on the stack from `base` on.
struct Loop {
    base: usize,
    left: usize,
}

pub struct Decoder<'a, 'py> {
    py: Python<'py>,
    plan: &'a Plan,
    pub input: Input<'a>,
    budget: u64,
    loops: Vec<Loop>,
    pub values: Vec<Bound<'py, PyAny>>,
}

impl<'a, 'py> Decoder<'a, 'py> {
    pub fn new(py: Python<'py>, plan: &'a Plan, input: Input<'a>) -> Self {
        Decoder { py, plan, input, budget: plan.flow.empty_elements, loops: Vec::new(), values: Vec::new() }
    }

    /// One more value onto the stack.
    pub fn value(&mut self) -> Outcome<()> {
        let (py, plan) = (self.py, self.plan);
        let mut calls = Calls::new(&plan.flow)?;
        let mut at = plan.flow.functions[0].start;
        loop {
            let op = plan.flow.ops[at];
            at += 1;
            macro_rules! number {
                ($type:ty) => {
                    <$type>::from_le_bytes(self.input.array()?).into_pyobject(py).map_err(PyErr::from)?.into_any()
                };
            }
            let value = with_number!(
                op.code,
                number,
                match op.code {
                    Code::F32 => plan.kit.float32(py, u32::from_le_bytes(self.input.array()?))?,
                    Code::F64 => PyFloat::new(py, f64::from_le_bytes(self.input.array()?)).into_any(),
                    Code::Bool => match self.input.byte()? {
                        byte @ (0 | 1) => PyBool::new(py, byte == 1).to_owned().into_any(),
                        _ => return Err(Failure::Refused),
                    },
                    Code::Str => PyString::from_bytes(py, self.input.prefixed(1)?)?.into_any(),
                    Code::Bytes => PyBytes::new(py, self.input.prefixed(1)?).into_any(),
                    Code::Tuple => self.fold(op, |py, _, parts| Ok(PyTuple::new(py, parts)?.into_any()))?,
                    Code::Record => self.fold(op, |py, plan, parts| plan.records[op.b as usize].make(py, parts))?,
                    Code::Sum => {
                        let arm = plan.sums[op.a as usize].arm(self.input.byte()?)?;
                        at = arm.target;
                        match &arm.constant {
                            Some(constant) => constant.bind(py).clone(),
                            None => continue,
                        }
                    }
                    Code::Array => {
                        let (left, next) = (self.input.count(op.b, &mut self.budget)?, op.a as usize);
                        if plan.flow.ops[at].code == Code::Str {
                            at = next + 1;
                            self.texts(left, plan.flow.ops[next].b != 0)?
                        } else {
                            self.loops.push(Loop { base: self.values.len(), left });
                            at = next;
                            continue;
                        }
                    }
                    Code::Next => match self.next(op)? {
                        Some(array) => array,
                        None => {
                            at = op.a as usize;
                            continue;
                        }
                    },
                    Code::Open | Code::OpenRecord | Code::Skip => continue,
                    Code::Jump => {
                        at = op.a as usize;
                        continue;
                    }
                    Code::Call => {
                        at = calls.enter(op.a, op.b, at)?;
                        continue;
                    }
                    Code::Return => match calls.leave() {
                        Some(back) => {
                            at = back;
                            continue;
                        }
                        None => return Ok(()),
                    },
                    Code::Spend => {
                        self.budget = self.budget.checked_sub(1).ok_or(Failure::Unsure)?;
                        continue;
                    }
                    _ => self.rare(op)?,
                }
            );
            self.values.push(value);
        }
    }

    /// The elements of an array of strings.
    #[inline(never)]
    fn texts(&mut self, count: usize, tuple: bool) -> Outcome<Bound<'py, PyAny>> {
        let (py, input) = (self.py, &mut self.input);
        gathered(py, tuple, (0..count).map(|_| Ok(PyString::from_bytes(py, input.prefixed(1)?)?.into_any())))
    }

    /// The last `op.a` values become one.
    #[inline(always)]
    fn fold(
        &mut self,
        op: Op,
        make: impl FnOnce(Python<'py>, &Plan, std::vec::Drain<'_, Bound<'py, PyAny>>) -> PyResult<Bound<'py, PyAny>>,
    ) -> Outcome<Bound<'py, PyAny>> {
        let base = self.values.len() - op.a as usize;
        Ok(make(self.py, self.plan, self.values.drain(base..))?)
    }

    /// The array, unless another element follows.
    #[inline]
    fn next(&mut self, op: Op) -> Outcome<Option<Bound<'py, PyAny>>> {
        let Some(open) = self.loops.last_mut() else { return Err(Failure::Refused) };
        if open.left > 0 {
            open.left -= 1;
            return Ok(None);
        }
        let items = self.values.drain(open.base..);
        let made = if op.b == 0 { PyList::new(self.py, items)?.into_any() } else { PyTuple::new(self.py, items)?.into_any() };
        self.loops.pop();
        Ok(Some(made))
    }

    /// Values that take a call into Python, or a loop, anyway.
    fn rare(&mut self, op: Op) -> Outcome<Bound<'py, PyAny>> {
        let (py, plan, input) = (self.py, self.plan, &mut self.input);
        Ok(match op.code {
            Code::Wide => {
                plan.callable(py, op.b).call1((PyBytes::new(py, input.bytes(op.a as usize)?), intern!(py, "little")))?
            }
            Code::Numbers => read_many(py, &plan.kit, plan.flow.numbers[op.a as usize], op.b != 0, input)?,
            Code::Choice => {
                let (wire, constant) = plan.choices[op.a as usize].read(input.rest())?;
                input.bytes(wire.len())?;
                constant.bind(py).clone()
            }
            Code::Newtype => plan.callable(py, op.a).call1((self.popped()?,))?,
            Code::Variant => {
                let pair = PyTuple::new(py, [op.a.into_pyobject(py).map_err(PyErr::from)?.into_any(), self.popped()?])?;
                plan.kit.tuple_of(&plan.kit.variant, pair)?
            }
            Code::Some => plan.kit.tuple_of(&plan.kit.some, PyTuple::new(py, [self.popped()?])?)?,
            _ => return Err(Failure::Refused),
        })
    }

    fn popped(&mut self) -> Outcome<Bound<'py, PyAny>> {
        self.values.pop().ok_or(Failure::Refused)
    }
}
