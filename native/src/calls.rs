//! The functions that are open, and how deep: the interpreters' own stack, so that bytes cannot exhaust the machine's.

use crate::failure::{Failure, Outcome};
use crate::ops::Flow;

/// A function may call another without opening a container (through a shared case); not for long.
const CALLS_PER_CONTAINER: u64 = 4;

pub struct Calls<'a> {
    flow: &'a Flow,
    back: Vec<(usize, u64)>,
    depth: u64,
}

impl<'a> Calls<'a> {
    /// Function 0 is entered.
    pub fn new(flow: &'a Flow) -> Outcome<Self> {
        let calls = Calls { flow, back: Vec::new(), depth: 0 };
        calls.guard(0, 0)?;
        Ok(calls)
    }

    /// Enter a function; the answer is where it begins.
    pub fn enter(&mut self, function: u32, nest: u32, back: usize) -> Outcome<usize> {
        let depth = self.depth + u64::from(nest);
        self.guard(function as usize, depth)?;
        if self.back.len() as u64 > CALLS_PER_CONTAINER * (self.flow.depth + 1) {
            return Err(Failure::Unsure);
        }
        self.back.push((back, self.depth));
        self.depth = depth;
        Ok(self.flow.functions[function as usize].start)
    }

    /// Leave it; the answer is where to go on, None after the first function.
    pub fn leave(&mut self) -> Option<usize> {
        let (back, depth) = self.back.pop()?;
        self.depth = depth;
        Some(back)
    }

    fn guard(&self, function: usize, depth: u64) -> Outcome<()> {
        let height = self.flow.functions[function].height;
        if depth + height > self.flow.depth { Err(Failure::Unsure) } else { Ok(()) }
    }
}
