//! Queries, given as data, as the query builder renders them.
//!
//! The builder wants a Rust type for each table; one does for all here, whose columns are known by name. It also wants names that
//! live for ever, so those of a request are leaked.
use crate::{refuse, Reply};
use serde_json::{json, Value};
use spacetimedb_lib::sats::{i256, u256};
use spacetimedb_lib::{ConnectionId, Identity, Timestamp, Uuid};
use spacetimedb_query_builder::{BoolExpr, CanBeLookupTable, Col, HasCols, HasIxCols, IxCol, IxJoinEq, LiteralValue};
use spacetimedb_query_builder::{Operand, Query, SqlLiteral, Table, ViewCall};
use std::cell::Cell;

type Name = &'static str;

/// A row of any table.
struct Row;

impl HasCols for Row {
    type Cols = Name;
    fn cols(table: Name) -> Name {
        table
    }
}

impl HasIxCols for Row {
    type IxCols = Name;
    fn ix_cols(table: Name) -> Name {
        table
    }
}

impl CanBeLookupTable for Row {}

pub fn render(request: &Value) -> Reply {
    match rendered(&request["description"]) {
        Some(sql) => Ok(json!({ "sql": sql })),
        None => refuse("BadRequest", "`description` is no query"),
    }
}

/// The text of a query of any kind after calls of `filter`.
macro_rules! filtered {
    ($query:expr, $filters:expr) => {
        $filters.fold($query, |query, next| query.filter(once(next))).into_sql()
    };
}

/// What stands before a join may have been filtered or not, which are two types.
macro_rules! joined {
    ($query:expr, $table:expr, $join:expr) => {{
        let argument = name(&$join["table"])?;
        let (left, right) = (name(&$join["on"][0])?, name(&$join["on"][1])?);
        let on = |table: &Name, argument: &Name| -> IxJoinEq<Row, Row, ()> {
            IxCol::new(table, left).eq(IxCol::new(argument, right))
        };
        match $join["kind"].as_str()? {
            "left_semijoin" => filtered!($query.left_semijoin(Table::new(argument), on), filters($table, $join)?),
            "right_semijoin" => filtered!($query.right_semijoin(Table::new(argument), on), filters(argument, $join)?),
            _ => return None,
        }
    }};
}

fn rendered(query: &Value) -> Option<String> {
    if let Some(view) = name(&query["view"]) {
        let arguments: Option<Vec<LiteralValue>> = query["args"].as_array()?.iter().map(literal).collect();
        return Some(ViewCall::<Row>::new(view, arguments?).into_sql());
    }
    let (table, join) = (name(&query["table"])?, &query["join"]);
    let (whole, mut filters) = (Table::<Row>::new(table), filters(table, query)?);
    let Some(first) = filters.next() else {
        return Some(if join.is_null() { whole.into_sql() } else { joined!(whole, table, join) });
    };
    let some = filters.fold(whole.filter(once(first)), |query, next| query.filter(once(next)));
    Some(if join.is_null() { some.into_sql() } else { joined!(some, table, join) })
}

fn name(value: &Value) -> Option<Name> {
    value.as_str().map(|text| &*text.to_string().leak())
}

/// A closure as the builder takes them, though it calls it once.
fn once(filter: BoolExpr<Row>) -> impl Fn(&Name) -> BoolExpr<Row> {
    let filter = Cell::new(Some(filter));
    move |_| filter.take().expect("it is called once")
}

fn filters(table: Name, of: &Value) -> Option<std::vec::IntoIter<BoolExpr<Row>>> {
    let all: Option<Vec<_>> = of["filters"].as_array()?.iter().map(|one| filter(table, one)).collect();
    Some(all?.into_iter())
}

fn filter(table: Name, given: &Value) -> Option<BoolExpr<Row>> {
    let column = |field: &str| name(&given[field]).map(|column| Col::<Row, bool>::new(table, column));
    let part = |place: usize| filter(table, &given["args"][place]);
    let sides = || {
        let right = column("other_column").map(Operand::from).or_else(|| literal(&given["value"]).map(Operand::Literal));
        Some((column("column")?.into(), right?))
    };
    let compared = |make: fn(Operand<Row>, Operand<Row>) -> BoolExpr<Row>| sides().map(|(left, right)| make(left, right));
    match given["op"].as_str()? {
        "eq" => compared(BoolExpr::Eq),
        "ne" => compared(BoolExpr::Ne),
        "gt" => compared(BoolExpr::Gt),
        "lt" => compared(BoolExpr::Lt),
        "gte" => compared(BoolExpr::Gte),
        "lte" => compared(BoolExpr::Lte),
        "and" => Some(part(0)?.and(part(1)?)),
        "or" => Some(part(0)?.or(part(1)?)),
        "not" => Some(part(0)?.not()),
        "column" => Some(column("column")?.into()),
        "const" => Some(given["value"].as_bool()?.into()),
        _ => None,
    }
}

fn literal(given: &Value) -> Option<LiteralValue> {
    let text = || given["value"].as_str();
    macro_rules! number {
        ($kind:ty) => {
            text()?.parse::<$kind>().ok()?.to_sql_literal()
        };
    }
    let bits = || u64::from_str_radix(given["bits"].as_str()?, 16).ok();
    Some(match given["type"].as_str()? {
        "bool" => given["value"].as_bool()?.to_sql_literal(),
        "i8" => number!(i8),
        "u8" => number!(u8),
        "i16" => number!(i16),
        "u16" => number!(u16),
        "i32" => number!(i32),
        "u32" => number!(u32),
        "i64" => number!(i64),
        "u64" => number!(u64),
        "usize" => number!(usize),
        "i128" => number!(i128),
        "u128" => number!(u128),
        "i256" => number!(i256),
        "u256" => number!(u256),
        "f32" => f32::from_bits(bits()? as u32).to_sql_literal(),
        "f64" => f64::from_bits(bits()?).to_sql_literal(),
        "string" => text()?.to_sql_literal(),
        "identity" => Identity::from_hex(text()?).ok()?.to_sql_literal(),
        "connection_id" => ConnectionId::from_hex(text()?).ok()?.to_sql_literal(),
        "uuid" => Uuid::from_u128(u128::from_str_radix(text()?, 16).ok()?).to_sql_literal(),
        "timestamp" => Timestamp::from_micros_since_unix_epoch(text()?.parse().ok()?).to_sql_literal(),
        "bytes" => crate::bytes(given, "value").ok()?.to_sql_literal(),
        _ => return None,
    })
}
