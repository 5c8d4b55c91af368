//! The bytes to read, and how far they have been read.

use crate::failure::{Failure, Outcome};

pub struct Input<'a> {
    data: &'a [u8],
    pub at: usize,
}

impl<'a> Input<'a> {
    pub fn new(data: &'a [u8], at: usize) -> Self {
        Input { data, at: at.min(data.len()) }
    }

    /// All the bytes, from the first.
    pub fn all(&self) -> &'a [u8] {
        self.data
    }

    #[inline(always)]
    pub fn rest(&self) -> &'a [u8] {
        &self.data[self.at..]
    }

    #[inline(always)]
    pub fn array<const N: usize>(&mut self) -> Outcome<[u8; N]> {
        let found = self.rest().first_chunk::<N>().ok_or(Failure::Refused)?;
        self.at += N;
        Ok(*found)
    }

    #[inline(always)]
    pub fn byte(&mut self) -> Outcome<u8> {
        let found = *self.data.get(self.at).ok_or(Failure::Refused)?;
        self.at += 1;
        Ok(found)
    }

    /// The next bytes, so many.
    #[inline(always)]
    pub fn bytes(&mut self, count: usize) -> Outcome<&'a [u8]> {
        let found = self.rest().get(..count).ok_or(Failure::Refused)?;
        self.at += count;
        Ok(found)
    }

    #[inline(always)]
    pub fn length(&mut self) -> Outcome<usize> {
        Ok(u32::from_le_bytes(self.array()?) as usize)
    }

    /// A length and as many elements of `width` bytes.
    #[inline(always)]
    pub fn prefixed(&mut self, width: usize) -> Outcome<&'a [u8]> {
        let count = self.length()?;
        self.bytes(count.checked_mul(width).ok_or(Failure::Refused)?)
    }

    /// A count of elements that take at least `width` bytes each; those that take none are paid for.
    #[inline(always)]
    pub fn count(&mut self, width: u32, budget: &mut u64) -> Outcome<usize> {
        let count = self.length()?;
        if width == 0 {
            *budget = budget.checked_sub(count as u64).ok_or(Failure::Unsure)?;
        } else if count as u64 * u64::from(width) > self.rest().len() as u64 {
            return Err(Failure::Refused);
        }
        Ok(count)
    }
}
