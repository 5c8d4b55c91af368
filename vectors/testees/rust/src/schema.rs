//! What needs the crate that validates: names, definitions that are valid or not, and replacing one by another.
use crate::{definition, encode, hex, kind, normal, refuse, skip, text, Reply};
use convert_case::{Case, Casing};
use serde_json::{json, Value};
use spacetimedb_lib::RawModuleDef;
use spacetimedb_schema::auto_migrate::{ponder_auto_migrate, AutoMigratePrecheck, AutoMigrateStep, MigratePlan};
use spacetimedb_schema::auto_migrate::PrettyPrintStyle::NoColor;
use spacetimedb_schema::def::ModuleDef;
use spacetimedb_schema::describe::describe_module;
use spacetimedb_schema::identifier::{Identifier, NamespacePath};

fn listed<'a, E: std::fmt::Debug + std::fmt::Display + 'a>(errors: impl IntoIterator<Item = &'a E>) -> Value {
    let one = |error: &E| json!({"kind": kind(error), "message": error.to_string()});
    errors.into_iter().map(one).collect()
}

fn module(request: &Value, field: &str) -> Result<ModuleDef, Value> {
    ModuleDef::try_from(definition(request, field)?.0).map_err(|errors| {
        let message = format!("`{field}` is not valid: {errors}");
        json!({"ok": false, "error": "InvalidModule", "message": message, "errors": listed(errors.iter())})
    })
}

pub fn name(request: &Value) -> Reply {
    let name = text(request, "name")?;
    let verdict = Identifier::new(name.to_string().into()).map_or_else(|error| kind(&error), |_| "valid".into());
    let [snake, camel, pascal] = [Case::Snake, Case::Camel, Case::Pascal].map(|case| name.to_case(case));
    Ok(json!({"identifier": verdict, "snake": snake, "camel": camel, "pascal": pascal}))
}

pub fn validate(request: &Value) -> Reply {
    Ok(match ModuleDef::try_from(definition(request, "bytes")?.0) {
        Ok(module) => json!({"valid": true, "errors": [], "warnings": module.collect_warnings()}),
        Err(errors) => json!({"valid": false, "errors": listed(errors.iter()), "warnings": []}),
    })
}

/// Lists that the crates leave in the order of their hash maps are sorted, as the protocol says.
pub fn convert(request: &Value) -> Reply {
    if request["upstream"] == false {
        return skip("the crates convert only as they do");
    }
    let module = module(request, "bytes")?;
    let converted = match text(request, "to")? {
        "v9" => RawModuleDef::V9(normal::v9(module.into())),
        "v10" => RawModuleDef::V10(normal::v10(module.into())),
        _ => return refuse("BadRequest", "`to` must be v9 or v10"),
    };
    Ok(json!({"bytes": hex(&encode(&converted))}))
}

pub fn describe(request: &Value) -> Reply {
    Ok(json!({"text": describe_module(&module(request, "bytes")?, NoColor)}))
}

pub fn migrate(request: &Value) -> Reply {
    let (old, new) = (module(request, "old")?, module(request, "new")?);
    Ok(match ponder_auto_migrate(&old, &new) {
        Err(errors) => json!({"verdict": "manual", "errors": listed(errors.iter())}),
        Ok(plan) => {
            let prechecks: Value = plan.prechecks.iter().map(precheck).collect();
            let steps: Value = plan.steps.iter().map(step).collect();
            let plan = MigratePlan::Auto(plan);
            let verdict = if plan.breaks_client() { "breaks-clients" } else { "auto" };
            let text = plan.pretty_print(NoColor).unwrap_or_else(|error| format!("ERR {error}"));
            json!({"verdict": verdict, "prechecks": prechecks, "steps": steps, "text": text})
        }
    })
}

fn named(kind: String, (namespace, name): (&NamespacePath, &impl std::fmt::Display)) -> Value {
    let namespace: Vec<&str> = namespace.segments().iter().map(|segment| &**segment).collect();
    json!({"kind": kind, "namespace": namespace, "name": name.to_string()})
}

fn precheck(precheck: &AutoMigratePrecheck) -> Value {
    let AutoMigratePrecheck::CheckAddSequenceRangeValid(key) = precheck;
    named(kind(precheck), *key)
}

fn step(step: &AutoMigrateStep) -> Value {
    use AutoMigrateStep::*;
    let kind = kind(step);
    match step {
        RemoveIndex(key) | RemoveConstraint(key) | RemoveSequence(key) | ChangeIndexSourceName(key) | AddIndex(key)
        | AddConstraint(key) | AddSequence(key) => named(kind, *key),
        RemoveSchedule(key) | RemoveView(key) | RemoveTable(key) | ChangeColumns(key) | ReschemaEventTable(key)
        | AddColumns(key) | ChangeTableAccessorName(key) | ChangeOutbox(key) | AddTable(key) | AddSchedule(key)
        | AddView(key) | ChangeAccess(key) | ChangePrimaryKey(key) | UpdateView(key) => named(kind, *key),
        ChangeColumnAccessorName(key, column) => {
            let mut step = named(kind, *key);
            step["column"] = column.to_string().into();
            step
        }
        RemoveRowLevelSecurity(sql) | AddRowLevelSecurity(sql) => json!({"kind": kind, "sql": sql.to_string()}),
        DisconnectAllUsers => json!({"kind": kind}),
    }
}
