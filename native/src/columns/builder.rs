//! Arrays being built: a tree like that of the layouts, of which each node reads its own bytes.
//!
//! Recursion follows the layout, whose depth is bounded, not the bytes. Rows of fixed width are read a column at a time.

use arrow_buffer::{BooleanBufferBuilder, i256};

use super::layout::{Kind, Layout};
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
    fn spend_null(&mut self, cost: u64) -> Read<()> {
        self.nulls = self.nulls.checked_sub(cost).ok_or(Stop::Nulls)?;
        Ok(())
    }
}

/// Up to so many bytes are copied as if there were so many, which is faster than to ask for how many.
const SHORT: usize = 16;

pub enum Builder {
    W1(Vec<u8>),
    W2(Vec<u16>),
    W4(Vec<u32>),
    W8(Vec<u64>),
    Fixed { width: usize, data: Vec<u8> },
    Decimal128 { signed: bool, data: Vec<i128> },
    Decimal256 { signed: bool, data: Vec<i256> },
    Bool(BooleanBufferBuilder),
    Text { offsets: Vec<i32>, data: Vec<u8> },
    Null { len: usize, metered: bool },
    Broken { len: usize },
    Choice { choices: Vec<Vec<u8>>, inner: Box<Builder> },
    List { offsets: Vec<i32>, least: u32, element: Box<Builder> },
    Struct { len: usize, parts: Vec<Builder>, metered: bool },
    Option { valid: BooleanBufferBuilder, cost: u64, payload: Box<Builder> },
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
    pub valid: BooleanBufferBuilder,
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
            (Kind::Bool, _) => Builder::Bool(bits()),
            (Kind::Text, _) => Builder::Text { offsets: vec![0], data: Vec::new() },
            (Kind::Null, _) => Builder::Null { len: 0, metered: layout.metered },
            (Kind::Broken, _) => Builder::Broken { len: 0 },
            (Kind::Choice, _) => Builder::Choice { choices: layout.choices.clone(), inner: inner() },
            (Kind::List, _) => Builder::List { offsets: vec![0], least: layout.least, element: inner() },
            (Kind::Struct, _) => Builder::Struct { len: 0, parts: parts().collect(), metered: layout.metered },
            (Kind::Option, _) => Builder::Option { valid: bits(), cost: layout.cost, payload: inner() },
            (Kind::Union, _) => Builder::Union(Union::new(layout)),
            (Kind::OptionUnion, _) => Builder::OptionUnion(Union::new(layout.parts.first().unwrap_or(layout))),
            (Kind::Tagged, _) => {
                let variants = parts().map(|payload| Variant { valid: bits(), payload }).collect();
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

    /// One more value.
    pub fn read(&mut self, source: &mut Source<'_>) -> Read<()> {
        let input = &mut source.input;
        match self {
            Builder::W1(data) => data.push(input.byte()?),
            Builder::W2(data) => data.push(u16::from_le_bytes(input.array()?)),
            Builder::W4(data) => data.push(u32::from_le_bytes(input.array()?)),
            Builder::W8(data) => data.push(u64::from_le_bytes(input.array()?)),
            Builder::Fixed { width, data } => data.extend(input.bytes(*width)?.iter().rev()),
            Builder::Decimal128 { signed, data } => data.push(decimal128(input.array()?, *signed)?),
            Builder::Decimal256 { signed, data } => data.push(decimal256(input.array()?, *signed)?),
            Builder::Bool(data) => data.append(boolean(input.byte()?)?),
            Builder::Text { offsets, data } => {
                text(input, data)?;
                offsets.push(offset(data.len())?);
            }
            Builder::Null { len, metered } => {
                *len += 1;
                source.empties = source.empties.checked_sub(u64::from(*metered)).ok_or(Stop::Bytes)?;
            }
            Builder::Broken { .. } => return Err(Stop::Bytes),
            Builder::Choice { choices, inner } => {
                let rest = input.rest();
                choices.iter().find(|wire| rest.starts_with(wire)).ok_or(Stop::Bytes)?;
                inner.read(source)?;
            }
            Builder::List { offsets, least, element } => {
                let count = input.count(*least, &mut source.empties)?;
                element.read_many(source, count)?;
                offsets.push(offset(element.len())?);
            }
            Builder::Struct { len, parts, metered } => {
                *len += 1;
                source.empties = source.empties.checked_sub(u64::from(*metered)).ok_or(Stop::Bytes)?;
                for part in parts {
                    part.read(source)?;
                }
            }
            Builder::Option { valid, cost, payload } => {
                let there = present(input)?;
                valid.append(there);
                if there {
                    payload.read(source)?;
                } else {
                    source.spend_null(*cost)?;
                    payload.null();
                }
            }
            Builder::Union(union) => union.read(source)?,
            Builder::OptionUnion(union) => {
                if present(input)? {
                    union.read(source)?;
                } else {
                    union.none()?;
                }
            }
            Builder::Tagged { tags, variants, cost } => {
                let tag = input.byte()?;
                if usize::from(tag) >= variants.len() {
                    return Err(Stop::Bytes);
                }
                tags.push(tag);
                source.spend_null(*cost)?;
                for (index, variant) in variants.iter_mut().enumerate() {
                    let chosen = index == usize::from(tag);
                    variant.valid.append(chosen);
                    if chosen {
                        variant.payload.read(source)?;
                    } else {
                        variant.payload.null();
                    }
                }
            }
        }
        Ok(())
    }

    /// So many more values back to back.
    pub fn read_many(&mut self, source: &mut Source<'_>, count: usize) -> Read<()> {
        match self.width() {
            Some(width) if count > 1 => {
                let rows = source.input.bytes(count.checked_mul(width).ok_or(Stop::Bytes)?)?;
                self.read_column(rows, width, 0, count)
            }
            _ => (0..count).try_for_each(|_| self.read(source)),
        }
    }

    /// A value from each row: rows have `stride` bytes, `at` is where the value begins.
    pub fn read_column(&mut self, rows: &[u8], stride: usize, at: usize, count: usize) -> Read<()> {
        match self {
            Builder::W1(data) => data.extend(cells(rows, stride, at).map(u8::from_le_bytes)),
            Builder::W2(data) => data.extend(cells(rows, stride, at).map(u16::from_le_bytes)),
            Builder::W4(data) => data.extend(cells(rows, stride, at).map(u32::from_le_bytes)),
            Builder::W8(data) => data.extend(cells(rows, stride, at).map(u64::from_le_bytes)),
            Builder::Fixed { width: 16, data } => big_endian::<16>(rows, stride, at, data),
            Builder::Fixed { data, .. } => big_endian::<32>(rows, stride, at, data),
            Builder::Decimal128 { signed, data } => {
                for cell in cells(rows, stride, at) {
                    data.push(decimal128(cell, *signed)?);
                }
            }
            Builder::Decimal256 { signed, data } => {
                for cell in cells(rows, stride, at) {
                    data.push(decimal256(cell, *signed)?);
                }
            }
            Builder::Bool(data) => {
                for [cell] in cells(rows, stride, at) {
                    data.append(boolean(cell)?);
                }
            }
            Builder::Null { len, .. } => *len += count,
            Builder::Struct { len, parts, .. } => {
                *len += count;
                let mut at = at;
                for part in parts {
                    part.read_column(rows, stride, at, count)?;
                    at += part.width().unwrap_or_default();
                }
            }
            _ => return Err(Stop::Bytes),
        }
        Ok(())
    }

    /// A value that is not there.
    fn null(&mut self) {
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
            Builder::Option { payload, .. } => payload.grow(times, room),
            Builder::Union(union) | Builder::OptionUnion(union) => {
                reserve(&mut union.ids, times, room);
                reserve(&mut union.offsets, times, room);
                union.parts.iter_mut().for_each(|part| part.grow(times, room));
            }
            Builder::Tagged { tags, variants, .. } => {
                reserve(tags, times, room);
                variants.iter_mut().for_each(|variant| variant.payload.grow(times, room));
            }
            Builder::Bool(_) | Builder::Null { .. } | Builder::Broken { .. } => {}
        }
    }
}

impl Union {
    fn new(layout: &Layout) -> Self {
        Union { ids: Vec::new(), offsets: Vec::new(), parts: layout.parts.iter().map(Builder::new).collect(), nulls: 0 }
    }

    fn read(&mut self, source: &mut Source<'_>) -> Read<()> {
        let tag = source.input.byte()?;
        let part = self.parts.get_mut(usize::from(tag)).ok_or(Stop::Bytes)?;
        self.offsets.push(offset(part.len())?);
        self.ids.push(tag as i8);
        part.read(source)
    }

    /// A value that is not there, where there may be none.
    fn none(&mut self) -> Read<()> {
        self.offsets.push(offset(self.nulls)?);
        self.ids.push(self.parts.len() as i8);
        self.nulls += 1;
        Ok(())
    }

    /// A value inside another that is not there.
    fn null(&mut self) {
        let Some(part) = self.parts.first_mut() else { return };
        self.offsets.push(part.len() as i32);
        self.ids.push(0);
        part.null();
    }
}

fn bits() -> BooleanBufferBuilder {
    BooleanBufferBuilder::new(0)
}

/// What is not reserved is found when it is needed.
fn reserve<T>(data: &mut Vec<T>, times: f64, room: &mut usize) {
    let more = (data.len() as f64 * (times - 1.0).max(0.0)) as usize;
    let left = room.checked_sub(more.saturating_mul(size_of::<T>()));
    if let Some(left) = left.filter(|_| data.try_reserve_exact(more).is_ok()) {
        *room = left;
    }
}

fn offset(length: usize) -> Read<i32> {
    i32::try_from(length).map_err(|_| Stop::Offsets)
}

/// The tag of an option: whether its value follows.
fn present(input: &mut Input<'_>) -> Read<bool> {
    match input.byte()? {
        tag @ (0 | 1) => Ok(tag == 0),
        _ => Err(Stop::Bytes),
    }
}

fn boolean(byte: u8) -> Read<bool> {
    if byte > 1 { Err(Stop::Bytes) } else { Ok(byte == 1) }
}

/// A length and as many bytes. Whether they are UTF-8 is seen when the array is made, of all of them at once.
#[inline(always)]
fn text(input: &mut Input<'_>, data: &mut Vec<u8>) -> Read<()> {
    let ahead = input.rest().get(4..4 + SHORT);
    let body = input.prefixed(1)?;
    match ahead {
        Some(ahead) if body.len() <= SHORT => {
            let length = data.len() + body.len();
            data.extend_from_slice(ahead);
            data.truncate(length);
        }
        _ => data.extend_from_slice(body),
    }
    Ok(())
}

/// The bytes of one field in row after row.
#[inline(always)]
fn cells<const N: usize>(rows: &[u8], stride: usize, at: usize) -> impl ExactSizeIterator<Item = [u8; N]> {
    let from = rows.get(at..).unwrap_or_default();
    from.chunks(stride).map(|row| row.first_chunk().copied().unwrap_or([0; N]))
}

#[inline(always)]
fn big_endian<const N: usize>(rows: &[u8], stride: usize, at: usize, data: &mut Vec<u8>) {
    data.reserve(rows.len() / stride * N);
    for mut cell in cells::<N>(rows, stride, at) {
        cell.reverse();
        data.extend_from_slice(&cell);
    }
}

fn decimal128(bytes: [u8; 16], signed: bool) -> Read<i128> {
    let value = i128::from_le_bytes(bytes);
    let fits = (signed || value >= 0) && value.unsigned_abs() < 10u128.pow(38);
    if fits { Ok(value) } else { Err(Stop::Digits) }
}

fn decimal256(bytes: [u8; 32], signed: bool) -> Read<i256> {
    let value = i256::from_le_bytes(bytes);
    let limit = i256::from_i128(10i128.pow(38)).wrapping_mul(i256::from_i128(10i128.pow(38)));
    let fits = (signed || value >= i256::ZERO) && value < limit && value > limit.wrapping_neg();
    if fits { Ok(value) } else { Err(Stop::Digits) }
}
