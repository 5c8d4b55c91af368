//! A commit log, given as files: what iterating over it yields, its transactions, and the state after replaying it.
use crate::common::{bytes_of, hex, kind};
use serde_json::{json, Value};
use spacetimedb_commitlog::payload::txdata::{Ops, Txdata};
use spacetimedb_commitlog::{commits, fold_transactions, transactions};
use spacetimedb_datastore::locking_tx_datastore::ErrorBehavior;
use spacetimedb_lib::{bsatn, sats::ProductValue};
use spacetimedb_paths::{server::CommitLogDir, FromPathUnchecked};
use std::fs;
use std::path::Path;

/// Errors in a row after which nothing new is learned.
const ERRORS: usize = 5;

pub fn log(request: &Value) -> Value {
    let place = std::env::temp_dir().join(format!("bsatn-vectors-log-{}", std::process::id()));
    let _ = fs::remove_dir_all(&place);
    fs::create_dir_all(&place).expect("a directory to write to");
    for file in request["files"].as_array().expect("`files` is a list") {
        fs::write(place.join(file["name"].as_str().expect("a name")), bytes_of(file, "bytes")).expect("a file");
    }
    let items = iterated(&place);
    let (read, state) = (read(&place), replayed(&place));
    fs::remove_dir_all(&place).expect("the directory is there");
    json!({"ok": true, "items": items, "transactions": read, "state": state})
}

fn iterated(place: &Path) -> Vec<Value> {
    let mut told = Vec::new();
    let mut errors = 0;
    let items = match commits(CommitLogDir::from_path_unchecked(place)) {
        Ok(items) => items,
        Err(error) => return vec![json!({"error": kind(&error), "message": shown(&error, place)})],
    };
    for item in items {
        match item {
            Ok(commit) => told.push(json!({"min_tx_offset": commit.min_tx_offset, "epoch": commit.epoch, "n": commit.n,
                "checksum": commit.checksum, "records": hex(&commit.records)})),
            Err(error) => {
                told.push(json!({"error": kind(&error), "message": shown(&error, place)}));
                errors += 1;
            }
        }
        if errors == ERRORS {
            break;
        }
    }
    told
}

/// The transactions up to the first that cannot be read.
fn read(place: &Path) -> Vec<Value> {
    let datastore = crate::empty();
    let replay = &mut datastore.replay(|_| {}, ErrorBehavior::FailFast);
    let Ok(items) = transactions(CommitLogDir::from_path_unchecked(place), &replay) else { return Vec::new() };
    items.map_while(Result::ok).map(|tx| told(tx.offset, &tx.txdata)).collect()
}

fn told(offset: u64, tx: &Txdata<ProductValue>) -> Value {
    let rows = |groups: &[Ops<ProductValue>]| -> Vec<Value> {
        let row = |row: &ProductValue| hex(&bsatn::to_vec(row).expect("a row can be written"));
        let group = |ops: &Ops<ProductValue>| json!({"table_id": ops.table_id.0, "rows": ops.rowdata.iter().map(row).collect::<Vec<_>>()});
        groups.iter().map(group).collect()
    };
    let mut told = json!({"tx_offset": offset, "inserts": [], "deletes": [], "truncates": []});
    if let Some(inputs) = &tx.inputs {
        told["reducer"] = json!(inputs.reducer_name.as_str());
        told["args"] = json!(hex(&inputs.reducer_args));
    }
    if let Some(outputs) = &tx.outputs {
        told["output"] = json!(outputs.reducer_output.as_str());
    }
    if let Some(mutations) = &tx.mutations {
        told["inserts"] = json!(rows(&mutations.inserts));
        told["deletes"] = json!(rows(&mutations.deletes));
        told["truncates"] = mutations.truncates.iter().map(|table| table.0).collect();
    }
    told
}

fn replayed(place: &Path) -> Value {
    let datastore = crate::empty();
    let mut replay = datastore.replay(|_| {}, ErrorBehavior::FailFast);
    if let Err(error) = fold_transactions(CommitLogDir::from_path_unchecked(place), &mut replay) {
        return json!({"error": shown(&error, place), "next_tx_offset": replay.next_tx_offset()});
    }
    let next = replay.next_tx_offset();
    if let Err(error) = replay.committed_state().rebuild_state_after_replay() {
        return json!({"error": shown(&error, place), "next_tx_offset": next});
    }
    drop(replay);
    json!({"next_tx_offset": next, "tables": crate::tables(&datastore)})
}

fn shown(error: &impl std::fmt::Display, place: &Path) -> String {
    error.to_string().replace(&place.display().to_string(), "")
}
