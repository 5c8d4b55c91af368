//! Bytes seen to be values, and where they end, without making the values: no Python, so no GIL.

use crate::calls::Calls;
use crate::failure::{Failure, Outcome};
use crate::input::Input;
use crate::ops::Code;
use crate::plan::Plan;

/// Step over values that stand back to back.
pub fn values(plan: &Plan, input: &mut Input<'_>, count: u64) -> Outcome<()> {
    let mut budget = plan.flow.empty_elements;
    (0..count).try_for_each(|_| step(plan, input, &mut budget))
}

fn step(plan: &Plan, input: &mut Input<'_>, budget: &mut u64) -> Outcome<()> {
    let mut calls = Calls::new(&plan.flow)?;
    let mut left: Vec<usize> = Vec::new();
    let mut at = plan.flow.functions[0].start;
    loop {
        let op = plan.flow.ops[at];
        at += 1;
        match op.code {
            Code::Skip => {
                input.bytes(op.a as usize)?;
            }
            Code::Bool => {
                if input.byte()? > 1 {
                    return Err(Failure::Refused);
                }
            }
            Code::Str => {
                std::str::from_utf8(input.prefixed(1)?).map_err(|_| Failure::Refused)?;
            }
            Code::Bytes => {
                input.prefixed(op.a as usize)?;
            }
            Code::Choice => {
                let (wire, _) = plan.choices[op.a as usize].read(input.rest())?;
                input.bytes(wire.len())?;
            }
            Code::Sum => at = plan.sums[op.a as usize].arm(input.byte()?)?.target,
            Code::Jump => at = op.a as usize,
            Code::Array => {
                left.push(input.count(op.b, budget)?);
                at = op.a as usize;
            }
            Code::Next => match left.last_mut() {
                Some(0) | None => drop(left.pop()),
                Some(count) => {
                    *count -= 1;
                    at = op.a as usize;
                }
            },
            Code::Call => at = calls.enter(op.a, op.b, at)?,
            Code::Return => match calls.leave() {
                Some(back) => at = back,
                None => return Ok(()),
            },
            Code::Spend => *budget = budget.checked_sub(1).ok_or(Failure::Unsure)?,
            _ => return Err(Failure::Refused),
        }
    }
}
