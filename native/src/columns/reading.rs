//! Builders read their bytes: a value at a time, or, where all values take the same, a column at a time.

use std::sync::LazyLock;

use arrow_buffer::i256;

use super::builder::{Builder, Union};
use super::layout::{DIGITS_128, DIGITS_256};
use super::source::{Read, Source, Stop};
use crate::input::Input;

/// Up to so many bytes are copied as if there were so many, which is faster than to ask for how many.
const SHORT: usize = 16;

impl Builder {
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

    /// Whether reading it cannot be too much, only wrong.
    pub fn is_certain(&self) -> bool {
        use Builder::*;
        matches!(self, W1(_) | W2(_) | W4(_) | W8(_) | Fixed { .. } | Bool(_))
    }

    /// A value from each place in the bytes, `at` bytes on.
    pub fn read_scattered(&mut self, bytes: &[u8], places: &[usize], at: usize) -> Read<()> {
        let places = places.iter().map(|place| place + at);
        match self {
            Builder::W1(data) => data.extend(scattered(bytes, places).map(u8::from_le_bytes)),
            Builder::W2(data) => data.extend(scattered(bytes, places).map(u16::from_le_bytes)),
            Builder::W4(data) => data.extend(scattered(bytes, places).map(u32::from_le_bytes)),
            Builder::W8(data) => data.extend(scattered(bytes, places).map(u64::from_le_bytes)),
            Builder::Fixed { width, data } => {
                places.for_each(|place| data.extend(bytes.get(place..place + *width).unwrap_or_default().iter().rev()));
            }
            Builder::Bool(data) => {
                for [byte] in scattered(bytes, places) {
                    data.append(boolean(byte)?);
                }
            }
            _ => return Err(Stop::Bytes),
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
            Builder::W1(data) => gather(data, rows, stride, at, u8::from_le_bytes),
            Builder::W2(data) => gather(data, rows, stride, at, u16::from_le_bytes),
            Builder::W4(data) => gather(data, rows, stride, at, u32::from_le_bytes),
            Builder::W8(data) => gather(data, rows, stride, at, u64::from_le_bytes),
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
}

impl Union {
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

/// The bytes at each place.
#[inline(always)]
fn scattered<const N: usize>(
    bytes: &[u8],
    places: impl ExactSizeIterator<Item = usize>,
) -> impl ExactSizeIterator<Item = [u8; N]> {
    places.map(|place| bytes.get(place..).and_then(<[u8]>::first_chunk).copied().unwrap_or([0; N]))
}

/// Numbers from row after row; those of an array stand back to back, and are copied as a whole.
#[inline(always)]
fn gather<T, const N: usize>(data: &mut Vec<T>, rows: &[u8], stride: usize, at: usize, number: impl Fn([u8; N]) -> T) {
    if stride == N {
        data.extend(rows.as_chunks().0.iter().map(|cell| number(*cell)));
    } else {
        data.extend(cells(rows, stride, at).map(number));
    }
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
    const LIMIT: u128 = 10u128.pow(DIGITS_128 as u32);
    let value = i128::from_le_bytes(bytes);
    let fits = (signed || value >= 0) && value.unsigned_abs() < LIMIT;
    if fits { Ok(value) } else { Err(Stop::Digits) }
}

fn decimal256(bytes: [u8; 32], signed: bool) -> Read<i256> {
    static LIMIT: LazyLock<i256> = LazyLock::new(|| i256::from_i128(10).wrapping_pow(u32::from(DIGITS_256)));
    let value = i256::from_le_bytes(bytes);
    let fits = (signed || value >= i256::ZERO) && value < *LIMIT && value > LIMIT.wrapping_neg();
    if fits { Ok(value) } else { Err(Stop::Digits) }
}
