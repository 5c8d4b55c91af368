//! What is read, and why reading stops.

use crate::failure::Failure;
use crate::input::Input;

/// Why reading stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The bytes are wrong, or whoever counts more exactly must say.
    Bytes,
    /// A number has too many digits for a decimal.
    Digits,
    /// Values that are not there take too much memory.
    Nulls,
    /// Offsets into an array pass 2^31.
    Offsets,
}

impl From<Failure> for Stop {
    fn from(_: Failure) -> Self {
        Stop::Bytes
    }
}

pub type Read<T> = Result<T, Stop>;

/// What is read, and what may still be spent on it.
pub struct Source<'a> {
    pub input: Input<'a>,
    /// Values without bytes, in this row.
    pub empties: u64,
    /// Bytes of values that are not there.
    pub nulls: u64,
}

impl Source<'_> {
    pub fn spend_null(&mut self, cost: u64) -> Read<()> {
        self.nulls = self.nulls.checked_sub(cost).ok_or(Stop::Nulls)?;
        Ok(())
    }
}
