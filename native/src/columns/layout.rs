//! A layout as `bsatn/columns/layout.py` makes it, and the Arrow type that it stands for.

use std::sync::Arc;

use arrow_schema::{DataType, Field, TimeUnit, UnionFields, UnionMode};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

pub const DIGITS_128: u8 = 38;
pub const DIGITS_256: u8 = 76;

/// The attributes of the class of that name in Python, where they say more.
#[derive(FromPyObject)]
struct Written {
    kind: String,
    parts: Vec<Written>,
    names: Vec<String>,
    width: usize,
    least: u32,
    cost: u64,
    signed: bool,
    metered: bool,
    choices: Vec<Vec<u8>>,
}

pub enum Kind {
    /// A number of at most 64 bits, whose bytes on the wire are its bytes in Arrow.
    Number,
    Fixed,
    Decimal,
    Bool,
    Text,
    Null,
    Broken,
    Choice,
    List,
    Struct,
    Option,
    OptionUnion,
    Union,
    Tagged,
}

/// One array: the tree of them is as deep as the type, which is bounded.
pub struct Layout {
    pub kind: Kind,
    pub parts: Vec<Layout>,
    pub names: Vec<String>,
    pub width: usize,
    pub least: u32,
    pub cost: u64,
    pub signed: bool,
    pub metered: bool,
    pub choices: Vec<Vec<u8>>,
    pub data_type: DataType,
}

impl<'py> FromPyObject<'_, 'py> for Layout {
    type Error = PyErr;

    fn extract(written: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        Layout::new(written.extract()?)
    }
}

impl Layout {
    fn new(written: Written) -> PyResult<Self> {
        let parts: Vec<Layout> = written.parts.into_iter().map(Layout::new).collect::<PyResult<_>>()?;
        let (kind, data_type) = described(&written.kind, &parts, &written.names, written.width)?;
        let Written { names, width, least, cost, signed, metered, choices, .. } = written;
        Ok(Layout { kind, parts, names, width, least, cost, signed, metered, choices, data_type })
    }

    fn may_be_null(&self) -> bool {
        matches!(self.kind, Kind::Option | Kind::OptionUnion | Kind::Null | Kind::Broken)
    }

    fn field(&self, name: &str) -> Field {
        Field::new(name, self.data_type.clone(), self.may_be_null())
    }
}

fn described(kind: &str, parts: &[Layout], names: &[String], width: usize) -> PyResult<(Kind, DataType)> {
    let named = || parts.iter().zip(names).map(|(part, name)| part.field(name));
    Ok(match kind {
        "int8" => (Kind::Number, DataType::Int8),
        "uint8" => (Kind::Number, DataType::UInt8),
        "int16" => (Kind::Number, DataType::Int16),
        "uint16" => (Kind::Number, DataType::UInt16),
        "int32" => (Kind::Number, DataType::Int32),
        "uint32" => (Kind::Number, DataType::UInt32),
        "int64" => (Kind::Number, DataType::Int64),
        "uint64" => (Kind::Number, DataType::UInt64),
        "float32" => (Kind::Number, DataType::Float32),
        "float64" => (Kind::Number, DataType::Float64),
        "timestamp" => (Kind::Number, DataType::Timestamp(TimeUnit::Microsecond, None)),
        "duration" => (Kind::Number, DataType::Duration(TimeUnit::Microsecond)),
        "fixed" => (Kind::Fixed, DataType::FixedSizeBinary(i32::try_from(width)?)),
        "decimal" if width == 16 => (Kind::Decimal, DataType::Decimal128(DIGITS_128, 0)),
        "decimal" => (Kind::Decimal, DataType::Decimal256(DIGITS_256, 0)),
        "bool" => (Kind::Bool, DataType::Boolean),
        "utf8" => (Kind::Text, DataType::Utf8),
        "binary" => (Kind::Text, DataType::Binary),
        "null" => (Kind::Null, DataType::Null),
        "broken" => (Kind::Broken, DataType::Null),
        "choice" => (Kind::Choice, only(parts)?.data_type.clone()),
        "list" => (Kind::List, DataType::List(Arc::new(only(parts)?.field("item")))),
        "struct" => (Kind::Struct, DataType::Struct(named().collect())),
        "option" => (Kind::Option, only(parts)?.data_type.clone()),
        "union" => (Kind::Union, union(named().collect())?),
        "option_union" => match &only(parts)?.data_type {
            DataType::Union(fields, _) => {
                let known = fields.iter().map(|(_, field)| Field::clone(field));
                (Kind::OptionUnion, union(known.chain([Field::new("none", DataType::Null, true)]).collect())?)
            }
            _ => return Err(PyValueError::new_err("an option of what is no union")),
        },
        "tagged" => {
            let tag = DataType::Dictionary(Box::new(DataType::UInt8), Box::new(DataType::Utf8));
            let carried = || parts.iter().zip(names).filter(|(part, _)| !matches!(part.kind, Kind::Null));
            let variants = carried().map(|(part, name)| Field::new(name, part.data_type.clone(), true));
            if carried().next().is_none() {
                (Kind::Tagged, tag)
            } else {
                (Kind::Tagged, DataType::Struct([Field::new("tag", tag, false)].into_iter().chain(variants).collect()))
            }
        }
        _ => return Err(PyValueError::new_err(format!("no layout is called {kind}"))),
    })
}

fn only(parts: &[Layout]) -> PyResult<&Layout> {
    parts.first().ok_or_else(|| PyValueError::new_err("a layout lacks its part"))
}

fn union(fields: Vec<Field>) -> PyResult<DataType> {
    let fields = UnionFields::try_new((0..=i8::MAX).take(fields.len()), fields);
    Ok(DataType::Union(fields.map_err(|error| PyValueError::new_err(error.to_string()))?, UnionMode::Dense))
}
