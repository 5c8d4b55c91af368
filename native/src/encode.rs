//! Values to bytes. The stack holds what is still to be written, the next value on top: a container that begins puts its
//! parts there.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyByteArray, PyBytes, PyList, PyString, PyTuple};

use crate::calls::Calls;
use crate::failure::{Failure, Outcome};
use crate::numbers;
use crate::ops::{Code, Op};
use crate::output::Output;
use crate::plan::Plan;
use crate::tables::{Style, Sum};

/// A list or tuple. One of another class is copied, so that the class has its say.
enum Sequence<'py> {
    List(Bound<'py, PyList>),
    Tuple(Bound<'py, PyTuple>),
}

impl<'py> Sequence<'py> {
    fn of(plan: &Plan, value: Bound<'py, PyAny>) -> Outcome<Self> {
        if value.is_exact_instance_of::<PyTuple>() || value.get_type().is(plan.kit.variant.bind(value.py())) {
            return Ok(Sequence::Tuple(value.cast_into()?));
        }
        if value.is_exact_instance_of::<PyList>() {
            return Ok(Sequence::List(value.cast_into()?));
        }
        if value.is_instance_of::<PyTuple>() || value.is_instance_of::<PyList>() {
            let copy = value.py().get_type::<PyTuple>().call1((value,))?;
            return Ok(Sequence::Tuple(copy.cast_into()?));
        }
        Err(Failure::Refused)
    }

    fn len(&self) -> usize {
        match self {
            Sequence::List(list) => list.len(),
            Sequence::Tuple(tuple) => tuple.len(),
        }
    }

    #[inline]
    fn get(&self, index: usize) -> PyResult<Bound<'py, PyAny>> {
        match self {
            Sequence::List(list) => list.get_item(index),
            Sequence::Tuple(tuple) => tuple.get_item(index),
        }
    }

    /// Do something with an item. A tuple keeps it meanwhile, a list may lose it.
    #[inline(always)]
    fn with<T>(&self, index: usize, work: impl FnOnce(&Bound<'py, PyAny>) -> Outcome<T>) -> Outcome<T> {
        match self {
            Sequence::List(list) => work(&list.get_item(index)?),
            Sequence::Tuple(tuple) => work(&*tuple.get_borrowed_item(index)?),
        }
    }
}

/// An array, as many elements as were promised, and how many of them are written.
struct Loop<'py> {
    items: Sequence<'py>,
    count: usize,
    done: usize,
}

pub struct Encoder<'a, 'py> {
    plan: &'a Plan,
    pub out: Output,
    loops: Vec<Loop<'py>>,
    values: Vec<Bound<'py, PyAny>>,
}

impl<'a, 'py> Encoder<'a, 'py> {
    pub fn new(plan: &'a Plan) -> Self {
        Encoder { plan, out: Output::default(), loops: Vec::new(), values: Vec::new() }
    }

    /// One more value onto the bytes.
    pub fn value(&mut self, value: Bound<'py, PyAny>) -> Outcome<()> {
        let plan = self.plan;
        self.values.push(value);
        let mut calls = Calls::new(&plan.flow)?;
        let mut at = plan.flow.functions[0].start;
        loop {
            let op = plan.flow.ops[at];
            at += 1;
            match op.code {
                Code::Tuple | Code::Record | Code::Variant | Code::Some | Code::Newtype | Code::Spend | Code::Skip => {}
                Code::Open => at = self.open(op, at)?,
                Code::OpenRecord => {
                    let value = self.popped()?;
                    plan.records[op.b as usize].spread(&value, &mut self.values)?;
                }
                Code::Sum => at = self.sum(&plan.sums[op.a as usize])?,
                Code::Jump => at = op.a as usize,
                Code::Array => {
                    let items = Sequence::of(plan, self.popped()?)?;
                    let count = items.len();
                    self.length(count)?;
                    let (element, next) = (plan.flow.ops[at], op.a as usize);
                    if element.code.is_leaf() {
                        self.leaves(element, &items, count)?;
                        at = next + 1;
                    } else {
                        self.loops.push(Loop { items, count, done: 0 });
                        at = next;
                    }
                }
                Code::Next => {
                    if self.next()? {
                        at = op.a as usize;
                    }
                }
                Code::Call => at = calls.enter(op.a, op.b, at)?,
                Code::Return => match calls.leave() {
                    Some(back) => at = back,
                    None => return Ok(()),
                },
                _ => {
                    let value = self.popped()?;
                    self.leaf(op, &value)?;
                }
            }
        }
    }

    fn popped(&mut self) -> Outcome<Bound<'py, PyAny>> {
        self.values.pop().ok_or(Failure::Refused)
    }

    fn length(&mut self, length: usize) -> Outcome<()> {
        let length = u32::try_from(length).map_err(|_| Failure::Refused)?;
        self.out.array(length.to_le_bytes());
        Ok(())
    }

    fn text(&mut self, body: &[u8]) -> Outcome<()> {
        self.length(body.len())?;
        self.out.slice(body);
        Ok(())
    }

    /// The fields are written as far as they are leaves; the others go onto the stack, the first on top.
    #[inline(never)]
    fn open(&mut self, op: Op, mut at: usize) -> Outcome<usize> {
        let fields = Sequence::of(self.plan, self.popped()?)?;
        let (count, mut done) = (op.a as usize, 0);
        if fields.len() != count {
            return Err(Failure::Refused);
        }
        while done < count {
            let field = self.plan.flow.ops[at];
            if field.code.is_leaf() {
                fields.with(done, |value| self.leaf(field, value))?;
                done += 1;
            } else if field.code != Code::Newtype {
                break;
            }
            at += 1;
        }
        for index in (done..count).rev() {
            self.values.push(fields.get(index)?);
        }
        Ok(at)
    }

    /// The elements of an array of leaves.
    #[inline(never)]
    fn leaves(&mut self, element: Op, items: &Sequence<'py>, count: usize) -> Outcome<()> {
        (0..count).try_for_each(|index| items.with(index, |value| self.leaf(element, value)))
    }

    /// A payload of which nothing is written.
    fn unit(&self, payload: Bound<'py, PyAny>) -> Outcome<()> {
        if Sequence::of(self.plan, payload)?.len() == 0 { Ok(()) } else { Err(Failure::Refused) }
    }

    /// Whether there is another element, which then is on the stack.
    #[inline]
    fn next(&mut self) -> Outcome<bool> {
        let Some(open) = self.loops.last_mut() else { return Err(Failure::Refused) };
        let more = open.done < open.count;
        if more {
            self.values.push(open.items.get(open.done)?);
            open.done += 1;
        } else {
            self.loops.pop();
        }
        Ok(more)
    }

    /// The tag; the payload, if there is one, onto the stack; where to go on.
    fn sum(&mut self, sum: &Sum) -> Outcome<usize> {
        let value = self.popped()?;
        let (tag, payload) = match sum.style {
            Style::Option | Style::NestedOption if value.is_none() => (1, None),
            Style::Option => (0, Some(value)),
            Style::NestedOption if value.get_type().is(self.plan.kit.some.bind(value.py())) => {
                (0, Some(value.cast::<PyTuple>()?.get_item(0)?))
            }
            Style::NestedOption => return Err(Failure::Refused),
            Style::Union => (sum.tag_of(&value)?, Some(value)),
            Style::Variant => {
                let pair = Sequence::of(self.plan, value)?;
                if pair.len() != 2 {
                    return Err(Failure::Refused);
                }
                (sum.tag_named(&pair.get(0)?)?, Some(pair.get(1)?))
            }
        };
        let arm = sum.arm(tag)?;
        self.out.array([tag]);
        match (payload, &arm.constant) {
            (Some(payload), None) => self.values.push(payload),
            (Some(payload), Some(_)) if sum.style == Style::Variant => self.unit(payload)?,
            _ => {}
        }
        Ok(arm.target)
    }

    #[inline(always)]
    fn leaf(&mut self, op: Op, value: &Bound<'py, PyAny>) -> Outcome<()> {
        let plan = self.plan;
        match op.code {
            Code::Str => self.text(value.cast::<PyString>()?.to_str()?.as_bytes()),
            Code::Bool => {
                self.out.array([u8::from(value.cast::<PyBool>()?.is_true())]);
                Ok(())
            }
            Code::Bytes => match value.cast::<PyBytes>() {
                Ok(bytes) => self.text(bytes.as_bytes()),
                Err(_) => self.text(&value.cast::<PyByteArray>()?.to_vec()),
            },
            Code::Wide => {
                let py = value.py();
                let made = plan.callable(py, op.b + 1).call1((value, op.a, intern!(py, "little")))?;
                self.out.slice(made.cast::<PyBytes>()?.as_bytes());
                Ok(())
            }
            Code::Choice => plan.choices[op.a as usize].write(value, &mut self.out),
            Code::Numbers => {
                let (code, items) = (plan.flow.numbers[op.a as usize], Sequence::of(plan, value.clone())?);
                let count = items.len();
                self.length(count)?;
                let out = &mut self.out;
                (0..count).try_for_each(|index| items.with(index, |value| numbers::write(&plan.kit, code, value, out)))
            }
            code => numbers::write(&plan.kit, code, value, &mut self.out),
        }
    }
}
