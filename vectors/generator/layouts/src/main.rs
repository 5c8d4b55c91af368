//! What one release of spacetimedb-lib says of module definitions: reads them, and names their type.
#[path = "../../common.rs"]
mod common;

use common::{bytes_of, hex, read, refusal, sats_json, serve, whole};
use serde_json::{json, Value};
use spacetimedb_lib::sats::typespace::{SpacetimeType, TypespaceBuilder};
use spacetimedb_lib::de::DeserializeSeed;
use spacetimedb_lib::sats::{AlgebraicType, AlgebraicTypeRef, AlgebraicValue, Typespace, WithTypespace};
use spacetimedb_lib::{bsatn, RawModuleDef};
use std::any::TypeId;
use std::collections::HashMap;

/// Gives each named type an entry of the typespace, as modules do.
#[derive(Default)]
struct Builder {
    typespace: Typespace,
    known: HashMap<TypeId, AlgebraicTypeRef>,
}

impl TypespaceBuilder for Builder {
    fn add(
        &mut self,
        id: TypeId,
        _name: Option<&'static str>,
        make: impl FnOnce(&mut Self) -> AlgebraicType,
    ) -> AlgebraicType {
        if let Some(known) = self.known.get(&id) {
            return AlgebraicType::Ref(*known);
        }
        let place = self.typespace.add(AlgebraicType::unit());
        self.known.insert(id, place);
        let made = make(self);
        self.typespace[place] = made;
        AlgebraicType::Ref(place)
    }
}

fn type_of<T: SpacetimeType>() -> Value {
    let mut builder = Builder::default();
    let root = T::make_type(&mut builder);
    let kind = hex(&bsatn::to_vec(&root).expect("a type can be written"));
    json!({"ok": true, "type": kind, "typespace": hex(&bsatn::to_vec(&builder.typespace).expect("so can many"))})
}

fn value(request: &Value) -> Value {
    let kind: AlgebraicType = whole(&bytes_of(request, "type"));
    let space: Typespace = whole(&bytes_of(request, "typespace"));
    let bytes = bytes_of(request, "bytes");
    let mut rest = &bytes[..];
    match WithTypespace::new(&space, &kind).deserialize(bsatn::Deserializer::new(&mut rest)) {
        Err(error) => refusal(&error, bytes.len() - rest.len()),
        Ok(value) => {
            let value: AlgebraicValue = value;
            json!({"ok": true, "unread": rest.len(), "reencoded": hex(&bsatn::to_vec(&value).expect("it can be written"))})
        }
    }
}

fn answer(request: &Value) -> Value {
    match request["op"].as_str() {
        Some("type-of") => match request["of"].as_str() {
            Some("RawModuleDef") => type_of::<RawModuleDef>(),
            Some("AlgebraicType") => type_of::<AlgebraicType>(),
            of => panic!("no such type: {of:?}"),
        },
        Some("value") => value(request),
        Some("read") => match read::<RawModuleDef>(&bytes_of(request, "bytes")) {
            Err(refusal) => refusal,
            Ok((definition, unread)) => {
                let again = hex(&bsatn::to_vec(&definition).expect("what was read can be written"));
                json!({"ok": true, "unread": unread, "reencoded": again, "json": sats_json(&definition)})
            }
        },
        op => panic!("no such op: {op:?}"),
    }
}

fn main() {
    serve(answer);
}
