//! Arrays being built: a tree like that of the layouts, of which each node reads its own bytes (`reading`).
//!
//! Recursion follows the layout, whose depth is bounded, not the bytes.

use arrow_buffer::i256;

use super::bits::Bits;
use super::layout::{Kind, Layout};

pub enum Builder {
    W1(Vec<u8>),
    W2(Vec<u16>),
    W4(Vec<u32>),
    W8(Vec<u64>),
    Fixed { width: usize, data: Vec<u8> },
    Decimal128 { signed: bool, data: Vec<i128> },
    Decimal256 { signed: bool, data: Vec<i256> },
    Bool(Bits),
    Text { offsets: Vec<i32>, data: Vec<u8> },
    Null { len: usize, metered: bool },
    Broken { len: usize },
    Choice { choices: Vec<Vec<u8>>, inner: Box<Builder> },
    List { offsets: Vec<i32>, least: u32, element: Box<Builder> },
    Struct { len: usize, parts: Vec<Builder>, metered: bool },
    Option { valid: Bits, cost: u64, payload: Box<Builder> },
    Union(Union),
    OptionUnion(Union),
    Tagged { tags: Vec<u8>, variants: Vec<Variant>, cost: u64 },
}

/// A dense union; the type behind the last variant, if there is one, is of values that are not there.
pub struct Union {
    pub ids: Vec<i8>,
    pub offsets: Vec<i32>,
    pub parts: Vec<Builder>,
    pub nulls: usize,
}

/// A variant in a struct of all of them.
pub struct Variant {
    pub valid: Bits,
    pub payload: Builder,
}

impl Builder {
    pub fn new(layout: &Layout) -> Self {
        let parts = || layout.parts.iter().map(Builder::new);
        let inner = || Box::new(parts().next().unwrap_or(Builder::Broken { len: 0 }));
        match (&layout.kind, layout.width) {
            (Kind::Number, 1) => Builder::W1(Vec::new()),
            (Kind::Number, 2) => Builder::W2(Vec::new()),
            (Kind::Number, 4) => Builder::W4(Vec::new()),
            (Kind::Number, _) => Builder::W8(Vec::new()),
            (Kind::Fixed, width) => Builder::Fixed { width, data: Vec::new() },
            (Kind::Decimal, 16) => Builder::Decimal128 { signed: layout.signed, data: Vec::new() },
            (Kind::Decimal, _) => Builder::Decimal256 { signed: layout.signed, data: Vec::new() },
            (Kind::Bool, _) => Builder::Bool(Bits::default()),
            (Kind::Text, _) => Builder::Text { offsets: vec![0], data: Vec::new() },
            (Kind::Null, _) => Builder::Null { len: 0, metered: layout.metered },
            (Kind::Broken, _) => Builder::Broken { len: 0 },
            (Kind::Choice, _) => Builder::Choice { choices: layout.choices.clone(), inner: inner() },
            (Kind::List, _) => Builder::List { offsets: vec![0], least: layout.least, element: inner() },
            (Kind::Struct, _) => Builder::Struct { len: 0, parts: parts().collect(), metered: layout.metered },
            (Kind::Option, _) => Builder::Option { valid: Bits::default(), cost: layout.cost, payload: inner() },
            (Kind::Union, _) => Builder::Union(Union::new(layout)),
            (Kind::OptionUnion, _) => Builder::OptionUnion(Union::new(layout.parts.first().unwrap_or(layout))),
            (Kind::Tagged, _) => {
                let variants = parts().map(|payload| Variant { valid: Bits::default(), payload }).collect();
                Builder::Tagged { tags: Vec::new(), variants, cost: layout.cost }
            }
        }
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        match self {
            Builder::W1(data) => data.len(),
            Builder::W2(data) => data.len(),
            Builder::W4(data) => data.len(),
            Builder::W8(data) => data.len(),
            Builder::Fixed { width, data } => data.len() / width,
            Builder::Decimal128 { data, .. } => data.len(),
            Builder::Decimal256 { data, .. } => data.len(),
            Builder::Bool(data) => data.len(),
            Builder::Text { offsets, .. } | Builder::List { offsets, .. } => offsets.len() - 1,
            Builder::Null { len, .. } | Builder::Broken { len } | Builder::Struct { len, .. } => *len,
            Builder::Choice { inner, .. } => inner.len(),
            Builder::Option { valid, .. } => valid.len(),
            Builder::Union(union) | Builder::OptionUnion(union) => union.ids.len(),
            Builder::Tagged { tags, .. } => tags.len(),
        }
    }

    /// The bytes of any value, where all take the same.
    pub fn width(&self) -> Option<usize> {
        match self {
            Builder::W1(_) | Builder::Bool(_) => Some(1),
            Builder::W2(_) => Some(2),
            Builder::W4(_) => Some(4),
            Builder::W8(_) => Some(8),
            Builder::Fixed { width, .. } => Some(*width),
            Builder::Decimal128 { .. } => Some(16),
            Builder::Decimal256 { .. } => Some(32),
            Builder::Null { metered: false, .. } => Some(0),
            Builder::Struct { parts, metered: false, .. } => parts.iter().map(Builder::width).sum(),
            _ => None,
        }
    }

    /// A value that is not there.
    pub fn null(&mut self) {
        match self {
            Builder::W1(data) => data.push(0),
            Builder::W2(data) => data.push(0),
            Builder::W4(data) => data.push(0),
            Builder::W8(data) => data.push(0),
            Builder::Fixed { width, data } => data.resize(data.len() + *width, 0),
            Builder::Decimal128 { data, .. } => data.push(0),
            Builder::Decimal256 { data, .. } => data.push(i256::ZERO),
            Builder::Bool(data) => data.append(false),
            Builder::Text { offsets, .. } | Builder::List { offsets, .. } => offsets.extend_from_within(offsets.len() - 1..),
            Builder::Null { len, .. } | Builder::Broken { len } => *len += 1,
            Builder::Choice { inner, .. } => inner.null(),
            Builder::Struct { len, parts, .. } => {
                *len += 1;
                parts.iter_mut().for_each(Builder::null);
            }
            Builder::Option { valid, payload, .. } => {
                valid.append(false);
                payload.null();
            }
            Builder::Union(union) | Builder::OptionUnion(union) => union.null(),
            Builder::Tagged { tags, variants, .. } => {
                tags.push(0);
                for variant in variants {
                    variant.valid.append(false);
                    variant.payload.null();
                }
            }
        }
    }

    /// Room for `times` as many values as there are, as long as `room` lasts, in bytes.
    pub fn grow(&mut self, times: f64, room: &mut usize) {
        match self {
            Builder::W1(data) => reserve(data, times, room),
            Builder::W2(data) => reserve(data, times, room),
            Builder::W4(data) => reserve(data, times, room),
            Builder::W8(data) => reserve(data, times, room),
            Builder::Fixed { data, .. } => reserve(data, times, room),
            Builder::Decimal128 { data, .. } => reserve(data, times, room),
            Builder::Decimal256 { data, .. } => reserve(data, times, room),
            Builder::Text { offsets, data } => {
                reserve(offsets, times, room);
                reserve(data, times, room);
            }
            Builder::List { offsets, element, .. } => {
                reserve(offsets, times, room);
                element.grow(times, room);
            }
            Builder::Choice { inner, .. } => inner.grow(times, room),
            Builder::Struct { parts, .. } => parts.iter_mut().for_each(|part| part.grow(times, room)),
            Builder::Option { valid, payload, .. } => {
                reserve(&mut valid.bytes, times, room);
                payload.grow(times, room);
            }
            Builder::Union(union) | Builder::OptionUnion(union) => {
                reserve(&mut union.ids, times, room);
                reserve(&mut union.offsets, times, room);
                union.parts.iter_mut().for_each(|part| part.grow(times, room));
            }
            Builder::Tagged { tags, variants, .. } => {
                reserve(tags, times, room);
                for variant in variants {
                    reserve(&mut variant.valid.bytes, times, room);
                    variant.payload.grow(times, room);
                }
            }
            Builder::Bool(bits) => reserve(&mut bits.bytes, times, room),
            Builder::Null { .. } | Builder::Broken { .. } => {}
        }
    }
}

impl Union {
    fn new(layout: &Layout) -> Self {
        Union { ids: Vec::new(), offsets: Vec::new(), parts: layout.parts.iter().map(Builder::new).collect(), nulls: 0 }
    }

    /// A value inside another that is not there.
    pub fn null(&mut self) {
        let Some(part) = self.parts.first_mut() else { return };
        self.offsets.push(part.len() as i32);
        self.ids.push(0);
        part.null();
    }
}

/// What is not reserved is found when it is needed.
fn reserve<T>(data: &mut Vec<T>, times: f64, room: &mut usize) {
    let more = (data.len() as f64 * (times - 1.0).max(0.0)) as usize;
    let left = room.checked_sub(more.saturating_mul(size_of::<T>()));
    if let Some(left) = left.filter(|_| data.try_reserve_exact(more).is_ok()) {
        *room = left;
    }
}
