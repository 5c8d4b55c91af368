//! The bytes that are written.

/// Bytes of which the first `used` are written; the others wait, so that to write a number takes no call.
#[derive(Default)]
pub struct Output {
    bytes: Vec<u8>,
    used: usize,
}

impl Output {
    const SMALLEST: usize = 128;

    pub fn written(&self) -> &[u8] {
        &self.bytes[..self.used]
    }

    #[inline(always)]
    pub fn array<const N: usize>(&mut self, bytes: [u8; N]) {
        match self.bytes.get_mut(self.used..).and_then(<[u8]>::first_chunk_mut) {
            Some(place) => *place = bytes,
            None => self.slow(&bytes),
        }
        self.used += N;
    }

    #[inline(always)]
    pub fn slice(&mut self, bytes: &[u8]) {
        match self.bytes.get_mut(self.used..).and_then(|rest| rest.get_mut(..bytes.len())) {
            Some(place) => place.copy_from_slice(bytes),
            None => self.slow(bytes),
        }
        self.used += bytes.len();
    }

    /// Room for these bytes, and as many again; the bytes into it.
    #[cold]
    fn slow(&mut self, bytes: &[u8]) {
        let least = self.used + bytes.len();
        self.bytes.resize((2 * least).max(Self::SMALLEST), 0);
        self.bytes[self.used..least].copy_from_slice(bytes);
    }
}
