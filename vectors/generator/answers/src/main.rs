//! What the newest release says of values, types, names and definitions.
#[path = "../../common.rs"]
mod common;

use common::{bytes_of, hex, kind, read, refusal, sats_json, serve, whole};
use convert_case::{Case, Casing};
use serde_json::{json, Value};
use spacetimedb_lib::db::raw_def::{v10::RawModuleDefV10, v9::RawModuleDefV9};
use spacetimedb_lib::de::{serde::SerdeDeserializer, DeserializeSeed};
use spacetimedb_lib::sats::{AlgebraicType, AlgebraicValue, ArrayValue, SumValue, Typespace, WithTypespace};
use spacetimedb_lib::{bsatn, RawModuleDef};
use spacetimedb_schema::auto_migrate::{
    ponder_auto_migrate, AutoMigratePrecheck, AutoMigrateStep as Step, MigratePlan, PrettyPrintStyle,
};
use spacetimedb_schema::def::ModuleDef;
use spacetimedb_schema::identifier::{Identifier, NamespacePath};

/// A value by position, without names; `{"hex": ...}` marks a byte string. See the semantic form in the README.
fn semantic(value: &AlgebraicValue) -> Value {
    match value {
        AlgebraicValue::Sum(SumValue { tag, value }) => json!([tag, semantic(value)]),
        AlgebraicValue::Product(product) => product.elements.iter().map(semantic).collect(),
        AlgebraicValue::Array(ArrayValue::U8(bytes)) => json!({ "hex": hex(bytes) }),
        AlgebraicValue::Array(array) => array.clone().into_iter().map(|element| semantic(&element)).collect(),
        AlgebraicValue::Bool(value) => json!(value),
        AlgebraicValue::I8(value) => json!(value),
        AlgebraicValue::U8(value) => json!(value),
        AlgebraicValue::I16(value) => json!(value),
        AlgebraicValue::U16(value) => json!(value),
        AlgebraicValue::I32(value) => json!(value),
        AlgebraicValue::U32(value) => json!(value),
        AlgebraicValue::I64(value) => json!(value),
        AlgebraicValue::U64(value) => json!(value),
        AlgebraicValue::I128(value) => json!({ value.0 }.to_string()),
        AlgebraicValue::U128(value) => json!({ value.0 }.to_string()),
        AlgebraicValue::I256(value) => json!(value.to_string()),
        AlgebraicValue::U256(value) => json!(value.to_string()),
        AlgebraicValue::F32(value) => json!(value.into_inner().to_bits()),
        AlgebraicValue::F64(value) => json!(value.into_inner().to_bits()),
        AlgebraicValue::String(text) => json!(text),
        AlgebraicValue::Min | AlgebraicValue::Max => panic!("no value has these bytes"),
    }
}

fn value(request: &Value) -> Value {
    let kind: AlgebraicType = whole(&bytes_of(request, "type"));
    let space: Typespace = whole(&bytes_of(request, "typespace"));
    let bytes = bytes_of(request, "bytes");
    let mut rest = &bytes[..];
    let typed = WithTypespace::new(&space, &kind);
    match typed.deserialize(bsatn::Deserializer::new(&mut rest)) {
        Err(error) => refusal(&error, bytes.len() - rest.len()),
        Ok(value) => {
            let value: AlgebraicValue = value;
            let again = bsatn::to_vec(&value).expect("what was read can be written");
            let text = sats_json(&typed.with_value(&value));
            let reads_back = text.as_str().is_some_and(|text| {
                let mut json = serde_json::Deserializer::from_str(text);
                let found: Result<AlgebraicValue, _> = typed.deserialize(SerdeDeserializer::new(&mut json));
                found.is_ok_and(|found| bsatn::to_vec(&found).is_ok_and(|bytes| bytes == again))
            });
            let text = if reads_back { text } else { Value::Null };
            json!({"ok": true, "unread": rest.len(), "value": semantic(&value), "json": text, "reencoded": hex(&again)})
        }
    }
}

fn algebraic_type(request: &Value) -> Value {
    match read::<AlgebraicType>(&bytes_of(request, "bytes")) {
        Err(refusal) => refusal,
        Ok((kind, unread)) => json!({"ok": true, "unread": unread, "json": sats_json(&kind),
            "reencoded": hex(&bsatn::to_vec(&kind).expect("what was read can be written")),
            "use": kind.is_valid_for_client_type_use(), "definition": kind.is_valid_for_client_type_definition(),
            "special": kind.is_special()}),
    }
}

fn name(request: &Value) -> Value {
    let name = request["name"].as_str().expect("`name` is text");
    let identifier = Identifier::new(name.to_string().into());
    json!({"ok": true, "identifier": identifier.map_or_else(|error| kind(&error), |_| "valid".into()),
        "snake": name.to_case(Case::Snake), "camel": name.to_case(Case::Camel), "pascal": name.to_case(Case::Pascal)})
}

fn module(request: &Value) -> Value {
    let (raw, unread) = match read::<RawModuleDef>(&bytes_of(request, "bytes")) {
        Ok(found) => found,
        Err(refusal) => return refusal,
    };
    match ModuleDef::try_from(raw) {
        Err(errors) => {
            let errors: Vec<Value> =
                errors.iter().map(|error| json!({"kind": kind(error), "message": error.to_string()})).collect();
            json!({"ok": true, "unread": unread, "valid": false, "errors": errors})
        }
        Ok(module) => {
            let v9: RawModuleDefV9 = module.clone().into();
            let v10: RawModuleDefV10 = module.clone().into();
            let write = |raw: RawModuleDef| hex(&bsatn::to_vec(&raw).expect("it can be written"));
            json!({"ok": true, "unread": unread, "valid": true, "warnings": module.collect_warnings(),
                "v9": write(RawModuleDef::V9(v9)), "v10": write(RawModuleDef::V10(v10))})
        }
    }
}

fn named(step: &impl std::fmt::Debug, path: &NamespacePath, name: &str) -> Value {
    let namespace: Vec<&str> = path.segments().iter().map(|segment| &**segment).collect();
    json!({"kind": kind(step), "namespace": namespace, "name": name})
}

fn step(step: &Step) -> Value {
    match *step {
        Step::DisconnectAllUsers => json!({"kind": kind(step)}),
        Step::AddRowLevelSecurity(sql) | Step::RemoveRowLevelSecurity(sql) => json!({"kind": kind(step), "sql": &**sql}),
        Step::ChangeColumnAccessorName((path, name), column) => {
            let mut told = named(step, path, name);
            told["column"] = json!(&**column);
            told
        }
        Step::RemoveTable((path, name))
        | Step::ChangeColumns((path, name))
        | Step::ReschemaEventTable((path, name))
        | Step::AddColumns((path, name))
        | Step::ChangeTableAccessorName((path, name))
        | Step::ChangeOutbox((path, name))
        | Step::AddTable((path, name))
        | Step::ChangeAccess((path, name))
        | Step::ChangePrimaryKey((path, name))
        | Step::RemoveSchedule((path, name))
        | Step::AddSchedule((path, name))
        | Step::RemoveView((path, name))
        | Step::AddView((path, name))
        | Step::UpdateView((path, name)) => named(step, path, name),
        Step::RemoveIndex((path, name))
        | Step::AddIndex((path, name))
        | Step::ChangeIndexSourceName((path, name))
        | Step::RemoveConstraint((path, name))
        | Step::AddConstraint((path, name))
        | Step::RemoveSequence((path, name))
        | Step::AddSequence((path, name)) => named(step, path, name),
    }
}

fn precheck(check: &AutoMigratePrecheck) -> Value {
    let AutoMigratePrecheck::CheckAddSequenceRangeValid((path, name)) = *check;
    named(check, path, name)
}

fn migrate(request: &Value) -> Value {
    let read = |field| ModuleDef::try_from(whole::<RawModuleDef>(&bytes_of(request, field)));
    let (old, new) = match (read("old"), read("new")) {
        (Ok(old), Ok(new)) => (old, new),
        _ => return json!({"ok": true, "valid": false}),
    };
    match ponder_auto_migrate(&old, &new) {
        Err(errors) => {
            let errors: Vec<Value> =
                errors.iter().map(|error| json!({"kind": kind(error), "message": error.to_string()})).collect();
            json!({"ok": true, "valid": true, "migration": "manual", "errors": errors})
        }
        Ok(plan) => {
            let steps: Vec<Value> = plan.steps.iter().map(step).collect();
            let prechecks: Vec<Value> = plan.prechecks.iter().map(precheck).collect();
            let plan = MigratePlan::Auto(plan);
            let verdict = if plan.breaks_client() { "breaks-clients" } else { "auto" };
            let print = |style| plan.pretty_print(style).unwrap_or_else(|error| format!("ERR {error}"));
            json!({"ok": true, "valid": true, "migration": verdict, "steps": steps, "prechecks": prechecks,
                "text": print(PrettyPrintStyle::NoColor), "ansi": print(PrettyPrintStyle::AnsiColor)})
        }
    }
}

fn main() {
    serve(|request| match request["op"].as_str() {
        Some("value") => value(request),
        Some("type") => algebraic_type(request),
        Some("name") => name(request),
        Some("module") => module(request),
        Some("migrate") => migrate(request),
        op => panic!("no such op: {op:?}"),
    });
}
