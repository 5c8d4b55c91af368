//! What the newest release's datastore and commit log say: logs read and replayed, transactions run and logged.
#[path = "../../common.rs"]
mod common;
mod logs;
mod traces;

use common::{hex, serve};
use serde_json::{json, Value};
use spacetimedb_datastore::execution_context::Workload;
use spacetimedb_datastore::locking_tx_datastore::datastore::Locking;
use spacetimedb_datastore::traits::{IsolationLevel, MutTx, MutTxDatastore};
use spacetimedb_lib::{bsatn::ToBsatn, Identity};
use spacetimedb_table::page_pool::PagePool;

/// A database with the system tables and nothing else.
pub fn empty() -> Locking {
    Locking::bootstrap(Identity::ZERO, PagePool::new(None)).expect("the system tables fit")
}

/// Every table with its rows, sorted by their bytes.
pub fn tables(datastore: &Locking) -> Vec<Value> {
    let tx = datastore.begin_mut_tx(IsolationLevel::Serializable, Workload::Internal);
    let mut schemas = datastore.get_all_tables_mut_tx(&tx).expect("tables have schemas");
    schemas.sort_by_key(|schema| schema.table_id);
    let told = schemas
        .iter()
        .map(|schema| {
            let rows = datastore.iter_mut_tx(&tx, schema.table_id).expect("the table is there");
            let mut rows: Vec<String> = rows.map(|row| hex(&row.to_bsatn_vec().expect("a row can be written"))).collect();
            rows.sort();
            json!({"table_id": schema.table_id.0, "table_name": *schema.table_name, "is_event": schema.is_event, "rows": rows})
        })
        .collect();
    datastore.rollback_mut_tx(tx);
    told
}

fn main() {
    serve(|request| match request["op"].as_str() {
        Some("log") => logs::log(request),
        Some("trace") => traces::trace(request),
        op => panic!("no such op: {op:?}"),
    });
}
