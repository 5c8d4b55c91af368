//! Bits in a row, eight a byte, the lowest first: bools, and whether values are there.

use arrow_buffer::{BooleanBuffer, Buffer};

#[derive(Default)]
pub struct Bits {
    pub bytes: Vec<u8>,
    length: usize,
}

impl Bits {
    pub fn len(&self) -> usize {
        self.length
    }

    #[inline(always)]
    pub fn append(&mut self, bit: bool) {
        let place = self.length % 8;
        match self.bytes.last_mut() {
            Some(last) if place != 0 => *last |= u8::from(bit) << place,
            _ => self.bytes.push(u8::from(bit)),
        }
        self.length += 1;
    }

    pub fn finish(mut self) -> BooleanBuffer {
        self.bytes.shrink_to_fit();
        BooleanBuffer::new(Buffer::from_vec(self.bytes), 0, self.length)
    }
}
