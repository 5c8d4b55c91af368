//! The published Rust crates as a testee: answers the testee protocol (version 1) over one release of them.
//!
//! Here are the lines, values, and definitions as they are on the wire, which every release can do; `schema` and `query` have what
//! other crates are asked. Nothing is made up for the crates: a panic or a stack overflow ends the process, as the protocol
//! has it, with the reason on standard error. They do not say where an error is, so no reply has an offset.
mod layouts;
#[cfg(feature = "newest")]
mod normal;
#[cfg(feature = "newest")]
mod query;
#[cfg(feature = "newest")]
mod schema;

use serde_json::{json, Value};
use spacetimedb_lib::bsatn;
use spacetimedb_lib::buffer::DecodeError;
use spacetimedb_lib::de::serde::{deserialize_from, SerdeDeserializer};
use spacetimedb_lib::de::{Deserialize, DeserializeSeed};
use spacetimedb_lib::sats::{AlgebraicType, AlgebraicValue, Typespace, WithTypespace};
use spacetimedb_lib::ser::{serde::serialize_to, Serialize};
use spacetimedb_lib::RawModuleDef;
use std::io::{BufRead, Write};

/// What a program's main thread has on Linux, whatever this one's is: how deep a value may be depends on it.
const STACK: usize = 8 << 20;

/// The fields of a reply; an `Err` is a reply that is not ok.
type Reply = Result<Value, Value>;

/// Each op, and what answers it.
const OPS: &[(&str, fn(&Value) -> Reply)] = &[
    ("hello", hello),
    ("value.decode", value_decode),
    ("value.encode", value_encode),
    ("module.decode", module_decode),
    ("module.encode", module_encode),
    #[cfg(feature = "newest")]
    ("name", schema::name),
    #[cfg(feature = "newest")]
    ("module.validate", schema::validate),
    #[cfg(feature = "newest")]
    ("module.convert", schema::convert),
    #[cfg(feature = "newest")]
    ("module.describe", schema::describe),
    #[cfg(feature = "newest")]
    ("migrate", schema::migrate),
    #[cfg(feature = "newest")]
    ("query.render", query::render),
];

fn skip<T>(why: impl Into<String>) -> Result<T, Value> {
    Err(json!({"skipped": why.into()}))
}

fn refuse<T>(kind: &str, message: impl ToString) -> Result<T, Value> {
    Err(json!({"ok": false, "error": kind, "message": message.to_string()}))
}

/// The kind of an error is the name of its variant: the first word of what Rust prints for debugging.
fn kind(error: &impl std::fmt::Debug) -> String {
    format!("{error:?}").chars().take_while(|c| c.is_alphanumeric()).collect()
}

fn refuse_bytes<T>(error: DecodeError) -> Result<T, Value> {
    refuse(&kind(&error), error)
}

fn refuse_json<T>(error: impl ToString) -> Result<T, Value> {
    refuse("Json", error)
}

fn text<'a>(request: &'a Value, field: &str) -> Result<&'a str, Value> {
    let found = request[field].as_str();
    found.map_or_else(|| refuse("BadRequest", format!("`{field}` must be a string")), Ok)
}

fn bytes(request: &Value, field: &str) -> Result<Vec<u8>, Value> {
    let digits = text(request, field)?.as_bytes();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok().filter(|_| pair.len() == 2)?, 16).ok();
    let found: Option<Vec<u8>> = digits.chunks(2).map(byte).collect();
    found.map_or_else(|| refuse("BadRequest", format!("`{field}` must be hex digits, two a byte")), Ok)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn encode<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    bsatn::to_vec(value).expect("what the crates read they write")
}

/// SATS-JSON as text; null for what the crates do not write as JSON.
fn sats_json<T: Serialize + ?Sized>(value: &T) -> Value {
    let mut out = Vec::new();
    let written = serialize_to(value, &mut serde_json::Serializer::new(&mut out));
    written.map_or(Value::Null, |_| Value::String(String::from_utf8(out).expect("JSON is UTF-8")))
}

/// The crates ignore bytes left over; the protocol does not, unless told to. Gives how many there are.
fn left_over(request: &Value, rest: &[u8]) -> Result<usize, Value> {
    match request["trailing"].as_str() {
        Some("allow") => Ok(rest.len()),
        _ if rest.is_empty() => Ok(0),
        _ => refuse("TrailingBytes", format!("{} bytes left over after the value", rest.len())),
    }
}

fn part<T: for<'a> Deserialize<'a>>(request: &Value, field: &str) -> Result<T, Value> {
    let found = bsatn::from_slice(&bytes(request, field)?);
    found.or_else(|error| refuse("BadRequest", format!("`{field}` does not decode: {error}")))
}

fn typed(request: &Value) -> Result<(AlgebraicType, Typespace), Value> {
    let space = if request["typespace"].is_null() { Typespace::default() } else { part(request, "typespace")? };
    Ok((part(request, "type")?, space))
}

fn hello(_: &Value) -> Reply {
    let ops: Vec<&str> = OPS.iter().map(|(op, _)| *op).collect();
    Ok(json!({"name": "spacetimedb (Rust)", "version": layouts::RELEASE, "protocol": 1, "ops": ops}))
}

fn value_decode(request: &Value) -> Reply {
    let (kind, space) = typed(request)?;
    let (typed, bytes) = (WithTypespace::new(&space, &kind), bytes(request, "bytes")?);
    let mut rest = &bytes[..];
    let value: AlgebraicValue = typed.deserialize(bsatn::Deserializer::new(&mut rest)).or_else(refuse_bytes)?;
    let unread = left_over(request, rest)?;
    Ok(json!({"json": sats_json(&typed.with_value(&value)), "bytes": hex(&encode(&value)), "unread": unread}))
}

fn value_encode(request: &Value) -> Reply {
    let (kind, space) = typed(request)?;
    let mut json = serde_json::Deserializer::from_str(text(request, "json")?);
    let read = WithTypespace::new(&space, &kind).deserialize(SerdeDeserializer::new(&mut json));
    let value: AlgebraicValue = read.or_else(|error| refuse_json(error.0))?;
    json.end().or_else(refuse_json)?;
    Ok(json!({"bytes": hex(&encode(&value))}))
}

/// The definition in a field, which must be in a layout that this release reads.
fn definition(request: &Value, field: &str) -> Result<(RawModuleDef, Vec<u8>), Value> {
    let bytes = bytes(request, field)?;
    layouts::own(request, bytes.first().copied())?;
    let mut rest = &bytes[..];
    let definition = bsatn::from_reader(&mut rest).or_else(refuse_bytes)?;
    left_over(request, rest)?;
    Ok((definition, bytes))
}

fn module_decode(request: &Value) -> Reply {
    let (definition, bytes) = definition(request, "bytes")?;
    let (again, tag) = (hex(&encode(&definition)), bytes[0]);
    let layout = layouts::id(layouts::RELEASE, tag);
    Ok(json!({"version": tag + 8, "layout": layout, "json": sats_json(&definition), "bytes": again}))
}

fn module_encode(request: &Value) -> Reply {
    let text = text(request, "json")?;
    layouts::own(request, layouts::tag_of_json(text))?;
    let mut json = serde_json::Deserializer::from_str(text);
    let definition: RawModuleDef = deserialize_from(&mut json).or_else(refuse_json)?;
    json.end().or_else(refuse_json)?;
    Ok(json!({"bytes": hex(&encode(&definition))}))
}

fn answer(line: &str) -> Value {
    let request: Value = serde_json::from_str(line).unwrap_or_default();
    let op = request["op"].as_str().unwrap_or_default();
    let reply = match OPS.iter().find(|(name, _)| *name == op) {
        Some((_, answer)) => answer(&request),
        None if request.is_object() => skip(format!("the op {op:?} is not answered")),
        None => refuse("BadRequest", "a request is a JSON object on one line"),
    };
    let mut reply = reply.map_or_else(|failure| failure, |mut fields| {
        fields["ok"] = true.into();
        fields
    });
    if let Some(id) = request.get("id") {
        reply["id"] = id.clone();
    }
    reply
}

fn serve() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        writeln!(out, "{}", answer(&line?))?;
        out.flush()?;
    }
    Ok(())
}

fn main() -> std::io::Result<()> {
    let serving = std::thread::Builder::new().stack_size(STACK).spawn(serve)?;
    serving.join().unwrap_or_else(|_| std::process::exit(101))
}
