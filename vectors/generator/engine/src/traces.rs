//! Transactions over a module's tables: results, what the commit recorded, its record in the log, the state after replaying.
use crate::common::{bytes_of, hex, kind, whole};
use serde_json::{json, Value};
use spacetimedb_commitlog::payload::txdata::{Mutations, Ops, Txdata};
use spacetimedb_commitlog::Decoder;
use spacetimedb_datastore::execution_context::Workload;
use spacetimedb_datastore::locking_tx_datastore::datastore::Locking;
use spacetimedb_datastore::locking_tx_datastore::{ErrorBehavior, MutTxId};
use spacetimedb_datastore::traits::{IsolationLevel, MutTx, MutTxDatastore, TxData};
use spacetimedb_lib::de::DeserializeSeed;
use spacetimedb_lib::sats::{ProductValue, WithTypespace};
use spacetimedb_lib::{bsatn, bsatn::ToBsatn, RawModuleDef};
use spacetimedb_primitives::TableId;
use spacetimedb_schema::def::{ModuleDef, TableDef};
use spacetimedb_schema::schema::{Schema, TableSchema};

struct Tables<'a> {
    module: &'a ModuleDef,
    known: Vec<(TableId, &'a TableDef)>,
}

impl Tables<'_> {
    fn find(&self, name: &str) -> (TableId, &TableDef) {
        let found = self.known.iter().find(|(_, table)| &*table.name == name);
        *found.unwrap_or_else(|| panic!("no table {name}"))
    }
}

pub fn trace(request: &Value) -> Value {
    let module = ModuleDef::try_from(whole::<RawModuleDef>(&bytes_of(request, "module"))).expect("a valid module");
    let datastore = crate::empty();
    let mut records = Vec::new();
    let mut tx = begin(&datastore);
    let mut defs: Vec<&TableDef> = module.tables().collect();
    defs.sort_by_key(|table| table.name.to_string());
    let create = |def| {
        let schema = TableSchema::from_module_def(&module, def, (), TableId::SENTINEL);
        (datastore.create_table_mut_tx(&mut tx, schema).expect("a table that fits"), def)
    };
    let tables = Tables { module: &module, known: defs.into_iter().map(create).collect() };
    commit(&datastore, tx, &mut records);
    let told: Vec<Value> = request["transactions"]
        .as_array()
        .expect("`transactions` is a list")
        .iter()
        .map(|operations| {
            let mut tx = begin(&datastore);
            let operations = operations.as_array().expect("a transaction is a list");
            let results: Vec<Value> = operations.iter().map(|one| perform(&datastore, &tables, &mut tx, one)).collect();
            let data = commit(&datastore, tx, &mut records);
            let record = data.tx_offset().map(|_| hex(records.last().expect("it was logged")));
            json!({"results": results, "changes": changes(&data), "record": record})
        })
        .collect();
    json!({"ok": true, "transactions": told, "live": crate::tables(&datastore), "state": replayed(&records)})
}

fn begin(datastore: &Locking) -> MutTxId {
    datastore.begin_mut_tx(IsolationLevel::Serializable, Workload::Internal)
}

fn perform(datastore: &Locking, tables: &Tables, tx: &mut MutTxId, operation: &Value) -> Value {
    let (id, def) = tables.find(operation["table"].as_str().expect("the name of a table"));
    let row = bytes_of(operation, "row");
    match operation["op"].as_str() {
        Some("insert") => match datastore.insert_mut_tx(tx, id, &row) {
            Ok((_, row, _)) => json!({"ok": true, "row": hex(&row.to_bsatn_vec().expect("a row can be written"))}),
            Err(error) => json!({"ok": false, "error": error.to_string(), "kind": kind(&error)}),
        },
        Some("delete") => {
            let kind = tables.module.typespace()[def.product_type_ref].as_product().expect("a row is a product");
            let mut rest = &row[..];
            let value = WithTypespace::new(tables.module.typespace(), kind).deserialize(bsatn::Deserializer::new(&mut rest));
            let value: ProductValue = value.expect("a row of the table");
            json!({"deleted": datastore.delete_by_rel_mut_tx(tx, id, [value])})
        }
        op => panic!("no such operation: {op:?}"),
    }
}

fn commit(datastore: &Locking, tx: MutTxId, records: &mut Vec<Vec<u8>>) -> TxData {
    let (_, data, ..) = datastore.commit_mut_tx(tx).expect("it commits").expect("it commits");
    if data.tx_offset().is_some() {
        records.push(record(&data));
    }
    data
}

/// The record of a transaction, made as the server makes it: by table id, events among the inserts.
fn record(data: &TxData) -> Vec<u8> {
    let mut inserts: Vec<_> = data.persistent_inserts().map(|(table_id, rowdata)| Ops { table_id, rowdata }).collect();
    let mut deletes: Vec<_> = data.persistent_deletes().map(|(table_id, rowdata)| Ops { table_id, rowdata }).collect();
    let mut truncates: Vec<TableId> = data.persistent_truncates().collect();
    inserts.sort_by_key(|ops| ops.table_id);
    deletes.sort_by_key(|ops| ops.table_id);
    truncates.sort();
    let mutations = Mutations { inserts: inserts.into(), deletes: deletes.into(), truncates: truncates.into() };
    let mut bytes = Vec::new();
    Txdata::<ProductValue> { inputs: None, outputs: None, mutations: Some(mutations) }.encode(&mut bytes);
    bytes
}

fn changes(data: &TxData) -> Vec<Value> {
    let rows = |rows: Option<&[ProductValue]>| -> Vec<String> {
        rows.unwrap_or_default().iter().map(|row| hex(&bsatn::to_vec(row).expect("a row can be written"))).collect()
    };
    let mut ids: Vec<(TableId, &str)> = data.table_ids_and_names().collect();
    ids.sort();
    let told = |&(id, name): &(TableId, &str)| {
        let inserts = data.inserts().find(|(table, _)| *table == id).map(|(_, rows)| &**rows);
        let deletes = data.deletes().find(|(table, _)| *table == id).map(|(_, rows)| &**rows);
        json!({"table": name, "table_id": id.0, "inserts": rows(inserts), "deletes": rows(deletes),
            "truncated": data.persistent_truncates().any(|table| table == id)})
    };
    ids.iter().map(told).collect()
}

fn replayed(records: &[Vec<u8>]) -> Vec<Value> {
    let datastore = crate::empty();
    let mut replay = datastore.replay(|_| {}, ErrorBehavior::FailFast);
    for (offset, record) in records.iter().enumerate() {
        (&mut replay).consume_record(1, offset as u64, &mut &record[..]).expect("what was logged can be replayed");
    }
    replay.committed_state().rebuild_state_after_replay().expect("what was logged can be replayed");
    drop(replay);
    crate::tables(&datastore)
}
