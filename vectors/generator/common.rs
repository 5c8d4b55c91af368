//! What both programs share: hex, SATS-JSON, strict and lax reading, and the loop over JSON lines.
//!
//! A reply is `{"ok": ...}`, or `{"error": KIND, "detail": DEBUG, "message": TEXT, "consumed": N}` where a crate refused, with
//! as many bytes as it had read by then, or `{"crashed": TEXT}` where it panicked. A stack overflow ends the process: whoever
//! asks starts it again.
use serde_json::{json, Value};
use spacetimedb_lib::bsatn;
use spacetimedb_lib::buffer::DecodeError;
use spacetimedb_lib::de::Deserialize;
use spacetimedb_lib::ser::{serde::serialize_to, Serialize};
use std::io::{BufRead, Write};
use std::panic::{catch_unwind, AssertUnwindSafe};

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn bytes_of(request: &Value, field: &str) -> Vec<u8> {
    let text = request[field].as_str().unwrap_or_else(|| panic!("the request lacks `{field}`"));
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).expect("hex digits")).collect()
}

/// SATS-JSON as text, so that its big numbers survive; null for what the crate does not write as JSON.
pub fn sats_json<T: Serialize + ?Sized>(value: &T) -> Value {
    let mut out = Vec::new();
    let written = serialize_to(value, &mut serde_json::Serializer::new(&mut out));
    written.map_or(Value::Null, |_| Value::String(String::from_utf8(out).expect("JSON is UTF-8")))
}

/// The kind of an error: its variant's name, the first word of what Rust prints for debugging.
pub fn kind<E: std::fmt::Debug>(error: &E) -> String {
    format!("{error:?}").chars().take_while(|c| c.is_alphanumeric()).collect()
}

pub fn refusal(error: &DecodeError, consumed: usize) -> Value {
    json!({"error": kind(error), "detail": format!("{error:?}"), "message": error.to_string(), "consumed": consumed})
}

/// A value of a Rust type, and how many bytes are left over.
pub fn read<T: for<'a> Deserialize<'a>>(bytes: &[u8]) -> Result<(T, usize), Value> {
    let mut rest = bytes;
    match bsatn::from_reader(&mut rest) {
        Ok(value) => Ok((value, rest.len())),
        Err(error) => Err(refusal(&error, bytes.len() - rest.len())),
    }
}

/// What a program needs whole, such as a type: it was written by whoever asks.
pub fn whole<T: for<'a> Deserialize<'a>>(bytes: &[u8]) -> T {
    match read(bytes) {
        Ok((value, 0)) => value,
        Ok((_, left)) => panic!("{left} bytes left over"),
        Err(refusal) => panic!("{refusal}"),
    }
}

pub fn serve(answer: impl Fn(&Value) -> Value) {
    std::panic::set_hook(Box::new(|_| {}));
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let request: Value = serde_json::from_str(&line.expect("UTF-8")).expect("a JSON object a line");
        let reply = catch_unwind(AssertUnwindSafe(|| answer(&request))).unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            json!({"crashed": text.or(panic.downcast_ref::<&str>().map(|text| text.to_string()))})
        });
        writeln!(out, "{reply}").and_then(|()| out.flush()).expect("somebody reads");
    }
}
