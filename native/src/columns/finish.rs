//! Built arrays become Arrow's. Here UTF-8 is checked, and by the arrow crates, once more, whatever they promise to others.
//!
//! Lists and structs are made of raw parts: a union is never null itself, and their own constructors take it for null where
//! what it carries is.

use std::sync::Arc;

use arrow_array::types::UInt8Type;
use arrow_array::{
    Array, ArrayRef, BooleanArray, DictionaryArray, NullArray, StringArray, StructArray, UInt8Array, UnionArray, make_array,
};
use arrow_buffer::{Buffer, NullBuffer};
use arrow_data::ArrayData;
use arrow_schema::{ArrowError, DataType};

use super::builder::{Builder, Union};
use super::layout::Layout;

pub type Made<T> = Result<T, ArrowError>;

impl Builder {
    /// The array of all values read; `nulls` of a value that may not be there.
    pub fn finish(self, layout: &Layout, nulls: Option<NullBuffer>) -> Made<ArrayRef> {
        let length = self.len();
        let nested = |buffers: Vec<Buffer>, parts: Vec<ArrayRef>| -> Made<ArrayRef> {
            let data = ArrayData::builder(layout.data_type.clone()).len(length).nulls(nulls.clone()).buffers(buffers);
            Ok(make_array(data.child_data(parts.iter().map(|part| part.to_data()).collect()).build()?))
        };
        let flat = |buffers| nested(buffers, Vec::new());
        match self {
            Builder::W1(data) => flat(vec![exact(data)]),
            Builder::W2(data) => flat(vec![exact(data)]),
            Builder::W4(data) => flat(vec![exact(data)]),
            Builder::W8(data) => flat(vec![exact(data)]),
            Builder::Fixed { data, .. } => flat(vec![exact(data)]),
            Builder::Decimal128 { data, .. } => flat(vec![exact(data)]),
            Builder::Decimal256 { data, .. } => flat(vec![exact(data)]),
            Builder::Text { offsets, data } => flat(vec![exact(offsets), exact(data)]),
            Builder::Bool(bits) => Ok(Arc::new(BooleanArray::new(bits.finish(), nulls))),
            Builder::Null { len, .. } | Builder::Broken { len } => Ok(Arc::new(NullArray::new(len))),
            Builder::Choice { inner, .. } => inner.finish(part(layout, 0)?, nulls),
            Builder::List { offsets, element, .. } => {
                nested(vec![exact(offsets)], vec![element.finish(part(layout, 0)?, None)?])
            }
            Builder::Struct { parts, .. } => {
                let made = parts.into_iter().zip(&layout.parts).map(|(part, layout)| part.finish(layout, None));
                nested(Vec::new(), made.collect::<Made<_>>()?)
            }
            Builder::Option { valid, payload, .. } => payload.finish(part(layout, 0)?, Some(NullBuffer::new(valid.finish()))),
            Builder::Union(union) => union.finish(layout, layout),
            Builder::OptionUnion(union) => union.finish(layout, part(layout, 0)?),
            Builder::Tagged { tags, variants, .. } => {
                let carried = variants.into_iter().zip(&layout.parts).filter(|(variant, _)| !variant.payload.is_null());
                let parts = carried
                    .map(|(variant, layout)| variant.payload.finish(layout, Some(NullBuffer::new(variant.valid.finish()))));
                let parts: Vec<ArrayRef> = parts.collect::<Made<_>>()?;
                let names: StringArray = layout.names.iter().map(Some).collect();
                let tags =
                    |nulls| DictionaryArray::<UInt8Type>::try_new(UInt8Array::new(exact(tags).into(), nulls), Arc::new(names));
                let DataType::Struct(fields) = &layout.data_type else { return Ok(Arc::new(tags(nulls)?)) };
                let columns = [Arc::new(tags(None)?) as ArrayRef].into_iter().chain(parts).collect();
                Ok(Arc::new(StructArray::try_new(fields.clone(), columns, nulls)?))
            }
        }
    }

    fn is_null(&self) -> bool {
        matches!(self, Builder::Null { .. })
    }
}

impl Union {
    fn finish(self, layout: &Layout, variants: &Layout) -> Made<ArrayRef> {
        let DataType::Union(fields, _) = &layout.data_type else { return Err(unlike(layout)) };
        let made = self.parts.into_iter().zip(&variants.parts).map(|(part, layout)| part.finish(layout, None));
        let mut parts: Vec<ArrayRef> = made.collect::<Made<_>>()?;
        if parts.len() < fields.len() {
            parts.push(Arc::new(NullArray::new(self.nulls)));
        }
        Ok(Arc::new(UnionArray::try_new(fields.clone(), exact(self.ids).into(), Some(exact(self.offsets).into()), parts)?))
    }
}

/// A buffer without room to spare.
fn exact<T: arrow_buffer::ArrowNativeType>(mut data: Vec<T>) -> Buffer {
    data.shrink_to_fit();
    Buffer::from_vec(data)
}

fn part(layout: &Layout, index: usize) -> Made<&Layout> {
    layout.parts.get(index).ok_or_else(|| unlike(layout))
}

fn unlike(layout: &Layout) -> ArrowError {
    ArrowError::SchemaError(format!("a layout of {} is not what it says", layout.data_type))
}
