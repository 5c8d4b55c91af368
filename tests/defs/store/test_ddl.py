"""Tables made, dropped and altered in transactions: what the system rows say, what stays of rows, what is refused."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bsatn import U32, U64
from bsatn import types as t
from defs.bindings import AnonymousViewContext, EventTable, Module, Table, column
from defs.raw.shared import BTree, TableAccess
from defs.schema.model import ModuleDef
from defs.schema.table import ColumnSchema, ConstraintSchema, IndexSchema, OutboxSchema, SequenceSchema, TableSchema
from defs.store.datastore import Datastore
from defs.store.ddl.columns import reset
from defs.store.ddl.program import Program, update_program
from defs.store.ddl.update import STEPS, Step, update_database
from defs.store.transactions.errors import TransactionError
from defs.store.transactions.transaction import Transaction
from defs.system import rows as st
from defs.validate import validate

sys.path.insert(0, str(Path(__file__).parent))

from datastore_cases import EVENT, PING, PLAYER, check_replay, columns_of, contents, new, only, rows, table

NOTE = table("note", columns_of(id=t.U32, text=t.STRING), unique=(0,), auto_inc=(0,), primary_key=0)
LONGER = columns_of(id=t.U32, text=t.STRING, stars=t.U8, by=t.option_type(t.STRING))


def filled(directory: Path | None = None, *, upstream: bool = False) -> Datastore:
    """Some tables; two notes, of which the sequence was asked three."""
    datastore = new(NOTE, PING, EVENT, directory=directory, upstream=upstream)
    with datastore.begin() as tx:
        for text in ("one", "two", "gone"):
            tx.insert("note", (0, text))
        tx.delete_by_index("note", "note_id", 3)
        tx.commit()
    return datastore


# Tables ---------------------------------------------------------------------------------------------------------


def test_a_table_is_described_as_it_was_made(tmp_path: Path) -> None:
    datastore = Datastore.create(tmp_path, fsync=False)
    with datastore.begin() as tx:
        assert [tx.create_table(one) for one in (NOTE, EVENT)] == [4096, 4097]
        tx.insert("note", (0, "in the same transaction"))
        tx.insert("damage", (0, 1, "an event in it too"))
        data = tx.commit()
    assert sorted(data.tables) == [1, 2, 3, 4, 5, 17, 18, 19, 20, 4096, 4097]
    schema = datastore.state.tables[4097].schema
    assert schema.is_event
    assert [(one.index_id, one.index_name) for one in schema.indexes] == [
        (4097, "damage_id_idx_btree"),
        (4098, "damage_code_idx_btree"),
    ]
    assert schema == datastore.state.schema_for_table(4097)
    assert len(datastore.state.tables[4096]) == 1
    check_replay(datastore, tmp_path)


def test_a_roll_back_leaves_no_trace_of_tables() -> None:
    datastore = filled()
    before = contents(datastore.state)
    with datastore.begin() as tx:
        tx.create_table(PLAYER)
        tx.drop_table("note")
        tx.alter_event_table_columns("ping", columns_of(at=t.STRING))
        tx.alter_table_access("damage", TableAccess.Private)
    assert contents(datastore.state) == before
    with datastore.begin() as tx:
        assert tx.create_table(PLAYER) == 4099
        assert tx.count("note") == 2


def test_a_name_can_be_taken_once_and_again_after_a_drop(tmp_path: Path) -> None:
    datastore = filled(tmp_path)
    with datastore.begin() as tx, pytest.raises(TransactionError, match="st_table_table_name_idx_btree"):
        tx.create_table(NOTE)
    with datastore.begin() as tx:
        tx.drop_table("note")
        with pytest.raises(TransactionError, match="Table with name `note` not found"):
            tx.count("note")
        with pytest.raises(TransactionError, match="4096"):
            tx.count(4096)
        assert tx.create_table(replace(NOTE, is_event=True)) == 4099
        tx.insert("note", (0, "an event now"))
        data = tx.commit()
    assert data.tables[4096].truncated
    assert sorted(data.tables[4096].deleted()) == [(1, "one"), (2, "two")]
    assert list(data.tables[4099].inserted()) == [(1, "an event now")]
    check_replay(datastore, tmp_path)


def test_a_table_made_and_dropped_in_one_transaction_only_uses_up_ids() -> None:
    datastore = Datastore.create()
    with datastore.begin() as tx:
        tx.create_table(PING)
        tx.insert("ping", (1,))
        tx.drop_table("ping")
        data = tx.commit()
    assert sorted(data.tables) == [st.ST_SEQUENCE_ID]
    assert sorted(datastore.state.tables)[-1] < 4096


def test_a_change_that_fails_half_way_cannot_be_committed() -> None:
    datastore = filled()
    before = contents(datastore.state)
    wrong = replace(PLAYER, constraints=(replace(PLAYER.constraints[0], constraint_name="note_id_key"),))
    tx = datastore.begin()
    with pytest.raises(TransactionError):
        tx.create_table(replace(wrong, indexes=(replace(PLAYER.indexes[0], index_name="note_id_idx_btree"),)))
    with pytest.raises(TransactionError, match=r"failed half-way, roll the transaction back: .*note_id_idx_btree"):
        tx.commit()
    tx.rollback()
    assert contents(datastore.state) == before


# Columns --------------------------------------------------------------------------------------------------------


def test_added_columns_move_the_rows_to_another_id(tmp_path: Path) -> None:
    datastore = filled(tmp_path)
    with datastore.begin() as tx:
        tx.insert("note", (0, "of this transaction"))
        assert tx.add_columns("note", LONGER, (5, None)) == 4099
        assert tx.insert("note", (0, "new", 1, "me")) == (5, "new", 1, "me")
        data = tx.commit()
    assert data.tables[4096].truncated
    assert list(data.tables[4099].inserted()) == [
        (4, "of this transaction", 5, None),
        (1, "one", 5, None),
        (2, "two", 5, None),
        (5, "new", 1, "me"),
    ]
    check_replay(datastore, tmp_path)


@pytest.mark.parametrize(
    ("columns", "defaults", "kind"),
    [
        (LONGER, (5,), "DefaultValueMissing"),
        (LONGER, ("five", None), "DefaultValueTypeMismatch"),
        (columns_of(id=t.U64, text=t.STRING, stars=t.U8), (5,), "MissingExistingColumns"),
        (columns_of(id=t.U32), (), "MissingExistingColumns"),
    ],
)
def test_columns_that_cannot_be_added(columns: tuple[ColumnSchema, ...], defaults: tuple[object, ...], kind: str) -> None:
    with filled().begin() as tx:
        with pytest.raises(TransactionError) as caught:
            tx.add_columns("note", columns, defaults)
        assert caught.value.kind == kind
        assert tx.commit().tx_offset is None


def test_sums_may_get_variants(tmp_path: Path) -> None:
    short = t.SumType((t.SumTypeVariant("a", t.U8),))
    longer = t.SumType((*short, t.SumTypeVariant("b", t.STRING)))
    datastore = new(table("sums", columns_of(it=short)), directory=tmp_path)
    with datastore.begin() as tx:
        tx.insert("sums", ((0, 1),))
        tx.commit()
    with datastore.begin() as tx:
        tx.alter_table_columns("sums", columns_of(it=longer))
        tx.insert("sums", ((1, "b"),))
        assert rows(tx, "sums") == [((1, "b"),), ((0, 1),)]
        tx.commit()
    with datastore.begin() as tx:
        for wrong in (columns_of(it=short), columns_of(other=longer), columns_of(it=t.U8)):
            with pytest.raises(TransactionError) as caught:
                tx.alter_table_columns("sums", wrong)
            assert caught.value.kind == "InvalidColumns"
    check_replay(datastore, tmp_path)


def test_an_event_table_takes_any_columns_and_keeps_its_id(tmp_path: Path) -> None:
    datastore = filled(tmp_path)
    with datastore.begin() as tx:
        tx.insert("ping", (1,))
        tx.commit()
    with datastore.begin() as tx:
        tx.alter_event_table_columns("ping", columns_of(why=t.STRING, at=t.I64))
        with pytest.raises(TransactionError, match="takes no events in the transaction that changed its columns"):
            tx.insert("ping", ("x", 1))
        data = tx.commit()
    assert only(data, "st_column")[1] == [(4097, 0, "at", b"\x0c")]
    assert only(data, "st_column_accessor") == ([("ping", "why", "why")], [])  # "at" cancels
    with datastore.begin() as tx:
        tx.insert("ping", ("x", 1))
        assert only(tx.commit(), "ping") == ([("x", 1)], [])
    check_replay(datastore, tmp_path)


def test_retyping_an_indexed_event_column_makes_its_index_anew(tmp_path: Path) -> None:
    datastore = filled(tmp_path)
    retyped = columns_of(id=t.U64, code=t.STRING, text=t.STRING)
    with datastore.begin() as tx:
        tx.alter_event_table_columns("damage", retyped)
        tx.commit()
    with datastore.begin() as tx:
        tx.insert("damage", (0, "a", "b"))
        with pytest.raises(TransactionError, match='value: "a"'):
            tx.insert("damage", (0, "a", "c"))
        assert tx.by_index("damage", "damage_code", "a") == [(1, "a", "b")]
        tx.commit()
    check_replay(datastore, tmp_path)


def test_as_upstream_a_retyped_index_is_stale_until_reopened(tmp_path: Path) -> None:
    datastore = filled(tmp_path, upstream=True)
    with datastore.begin() as tx:
        tx.alter_event_table_columns("damage", columns_of(id=t.U64, code=t.STRING, text=t.STRING))
        with pytest.raises(TransactionError, match="index damage_code_idx_btree of table damage still has keys"):
            tx.insert("damage", (0, "a", "b"))
        tx.commit()
    with datastore.begin() as tx, pytest.raises(TransactionError) as caught:
        tx.insert("damage", (0, "a", "b"))
    assert caught.value.kind == "StaleIndex"
    datastore.close()
    with Datastore.open(tmp_path, upstream=True, fsync=False) as reopened, reopened.begin() as tx:
        assert tx.insert("damage", (0, "a", "b")) == (1, "a", "b")


def test_what_is_no_empty_event_table_keeps_its_columns() -> None:
    with filled().begin() as tx:
        with pytest.raises(TransactionError) as caught:
            tx.alter_event_table_columns("note", LONGER)
        assert caught.value.upstream == (
            "DatastoreError: TableError: Table with ID `4096` attempted to reschema using `alter_event_table_row_type`, "
            "but it is not an event table"
        )
        tx.insert("ping", (1,))
        with pytest.raises(TransactionError) as caught:
            tx.alter_event_table_columns("ping", columns_of(at=t.U8))
        assert caught.value.upstream == "DatastoreError: TableError: Event table with ID `4097` is not empty"
        with pytest.raises(TransactionError, match="damage_id_seq"):
            tx.alter_event_table_columns("damage", columns_of(id=t.STRING, code=t.U32))
        assert tx.commit().tx_offset is not None


# Parts, access, names -------------------------------------------------------------------------------------------

BY_TEXT = IndexSchema(0, 0, "note_text_idx_btree", "by_text", BTree((1,)))
TEXT_KEY = ConstraintSchema(0, 0, "note_text_key", (1,))


def test_parts_come_and_go(tmp_path: Path) -> None:
    datastore = filled(tmp_path)
    with datastore.begin() as tx:
        index = tx.create_index("note", BY_TEXT)
        assert tx.by_index("note", "by_text", "two") == [(2, "two")]
        tx.create_constraint("note", TEXT_KEY)
        with pytest.raises(TransactionError, match="note_text_idx_btree"):
            tx.insert("note", (0, "two"))
        tx.alter_index_source_name("note", index, "texts")
        tx.drop_sequence("note", "note_id_seq")
        assert tx.insert("note", (0, "zero")) == (0, "zero")
        tx.commit()
    with datastore.begin() as tx:
        assert tx.by_index("note", "texts", "zero") == [(0, "zero")]
        tx.drop_constraint("note", "note_text_key")
        tx.insert("note", (9, "two"))
        tx.drop_index("note", "texts")
        with pytest.raises(TransactionError, match="Index not found"):
            tx.by_index("note", "texts", "two")
        tx.create_sequence("note", SequenceSchema(0, "note_id_seq", 0, 0, start=20))
        assert tx.insert("note", (0, "twenty")) == (20, "twenty")
        tx.commit()
    check_replay(datastore, tmp_path)


def test_access_key_names_and_outbox_change(tmp_path: Path) -> None:
    datastore = filled(tmp_path)
    outbox = OutboxSchema("deliver", 0, (1,), None, 5)
    with datastore.begin() as tx:
        tx.alter_table_access("note", TableAccess.Private)
        tx.alter_table_primary_key("note", None)
        tx.alter_table_accessor_name("note", "Note")
        tx.alter_column_accessor_name("note", 1, "Text")
        tx.alter_table_outbox("note", outbox)
        schema = tx.schema("note")
        tx.commit()
    assert (schema.table_access, schema.primary_key, schema.alias) == (TableAccess.Private, None, "Note")
    assert [one.alias for one in schema.columns] == ["id", "Text"]
    assert schema.outbox == outbox
    with datastore.begin() as tx:
        tx.alter_table_accessor_name("note", "Note")
        tx.alter_column_accessor_name("note", 1, "Text")
        tx.alter_index_source_name("note", "note_id", "note_id")
        assert tx.commit().tx_offset is None
    check_replay(datastore, tmp_path)


REFUSED: dict[str, tuple[Callable[[Transaction], object], str]] = {
    "an index over a missing column": (
        lambda tx: tx.create_index("note", replace(BY_TEXT, index_algorithm=BTree((7,)))), "InvalidTable"
    ),
    "an index name taken": (
        lambda tx: tx.create_index("note", replace(BY_TEXT, index_name="damage_id_idx_btree")), "UniqueConstraintViolation"
    ),
    "a constraint without an index": (lambda tx: tx.create_constraint("note", TEXT_KEY), "ConstraintWithoutIndex"),
    "a sequence of texts": (lambda tx: tx.create_sequence("note", SequenceSchema(0, "s", 0, 1)), "InvalidTable"),
    "an unknown constraint": (lambda tx: tx.drop_constraint("note", "none"), "IdNotFound"),
    "an unknown sequence": (lambda tx: tx.drop_sequence("note", 77), "IdNotFound"),
    "an unknown column": (lambda tx: tx.alter_column_accessor_name("note", 2, "x"), "InvalidColumns"),
    "a table without a name": (lambda tx: tx.create_table(table("t", columns_of(**{"": t.U8}))), "InvalidTable"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_refused_changes_say_why(what: str) -> None:
    act, kind = REFUSED[what]
    with filled().begin() as tx:
        with pytest.raises(TransactionError) as caught:
            act(tx)
        assert caught.value.kind == kind


@pytest.mark.parametrize("committed", [True, False])
def test_keys_that_are_there_twice_cannot_become_unique(committed: bool) -> None:
    datastore = filled()
    tx = datastore.begin()
    tx.insert("note", (0, "one"))
    if committed:
        tx.commit()
        tx = datastore.begin()
    with pytest.raises(TransactionError, match="Unique constraint violation 'note_text_idx_btree'"):
        tx.create_index("note", BY_TEXT, unique=True)
    tx.rollback()
    with datastore.begin() as tx:
        if not committed:
            tx.insert("note", (0, "one"))
        tx.create_index("note", BY_TEXT)
        with pytest.raises(TransactionError, match="several rows have the value 'one'"):
            tx.create_constraint("note", TEXT_KEY)
        tx.delete("note", (1, "one"))
        tx.create_constraint("note", TEXT_KEY)
        tx.commit()


# Modules --------------------------------------------------------------------------------------------------------


def first_module() -> ModuleDef:
    declared = Module()

    @declared.table(public=True)
    class Fighter(Table):
        id: U64 = column(primary_key=True, auto_inc=True)
        name: str

    @declared.table(public=True)
    class Hit(EventTable):
        target: U64

    @declared.table()
    class Old(Table):
        what: str

    return validate(declared.build())


def second_module() -> ModuleDef:
    declared = Module()

    @declared.table()
    class Fighter(Table):
        id: U64 = column(primary_key=True, auto_inc=True)
        name: str = column(unique=True)

    @declared.table(public=True)
    class Hit(EventTable):
        damage: U32
        target: str

    @declared.table(public=True)
    class Fresh(Table):
        what: str

    return validate(declared.build())


STEPS_BETWEEN = [
    Step("RemoveTable", (), "old"),
    Step("ReschemaEventTable", (), "hit"),
    Step("AddTable", (), "fresh"),
    Step("AddIndex", (), "fighter_name_idx_btree"),
    Step("AddConstraint", (), "fighter_name_key"),
    Step("ChangeAccess", (), "fighter"),
    Step("UpdateView"),
    Step("DisconnectAllUsers"),
]


def test_a_module_is_published_and_updated(tmp_path: Path) -> None:
    first, second = first_module(), second_module()
    datastore = Datastore.create(tmp_path, database_identity=5, owner_identity=6, fsync=False)
    data = datastore.publish(first, Program(b"one"))
    assert data.tx_offset == 1
    assert [table.schema.table_name for table in list(datastore.state.tables.values())[-3:]] == ["fighter", "hit", "old"]
    with pytest.raises(TransactionError, match="already initialized"):
        datastore.publish(first)
    with datastore.begin() as tx:
        tx.insert("fighter", (0, "ann"))
        tx.insert("hit", (1,))
        tx.commit()
    with datastore.begin() as tx:
        updated = update_database(tx, second, STEPS_BETWEEN)
        update_program(tx, Program(b"two", 1))
        data = tx.commit()
    assert updated.result == "RequiresClientDisconnect"
    assert updated.log == (
        "Dropping table `old`",
        "Changing schema of event table `hit`",
        "Creating table `fresh`",
        "Creating index `fighter_name_idx_btree` on table `fighter`",
        "Adding constraint `fighter_name_key` on table `fighter`",
        "Disconnecting all users",
    )
    assert [(row[2], row[4]) for row in only(data, "st_module")[0]] == [(1, b"two")]
    wanted = Datastore.create()
    wanted.publish(second)
    for name in ("fighter", "hit", "fresh"):
        is_now, should_be = datastore.state.table_named(name), wanted.state.table_named(name)
        assert is_now is not None
        assert should_be is not None
        assert _without_ids(is_now.schema) == _without_ids(should_be.schema)
    check_replay(datastore, tmp_path)


def _without_ids(schema: TableSchema) -> TableSchema:
    return reset(schema).normalize()


def test_a_database_knows_its_module_when_opened(tmp_path: Path) -> None:
    Datastore.create(tmp_path, database_identity=5, owner_identity=6, fsync=False).close()
    with Datastore.open(tmp_path, fsync=False) as datastore:
        assert (datastore.database_identity, datastore.owner_identity) == (0, 0)  # not published: the log does not say
    tmp_path = tmp_path / "published"
    with Datastore.create(tmp_path, database_identity=5, owner_identity=6, fsync=False) as datastore:
        datastore.publish(first_module())
    with Datastore.open(tmp_path, fsync=False) as datastore:
        assert (datastore.database_identity, datastore.owner_identity) == (5, 6)
        with pytest.raises(TransactionError, match="already initialized"):
            datastore.publish(first_module())


def test_steps_that_cannot_be_carried_out() -> None:
    datastore = Datastore.create()
    datastore.publish(first_module())
    with datastore.begin() as tx:
        tx.insert("old", ("rows",))
        for step, text in (
            (Step("RemoveTable", (), "old"), "Cannot remove table `old`: table contains data."),
            (Step("AddSchedule", (), "old"), "the migration step AddSchedule cannot be stored here"),
            (Step("AddTable", (), "nothing"), "Table with name `nothing` not found"),
            (Step("RemoveIndex", (), "nothing"), "nothing"),
        ):
            with pytest.raises(TransactionError, match=text):
                update_database(tx, second_module(), [step])


def test_every_step_of_a_plan_is_known_but_those_about_schedules() -> None:
    parts = ["Index", "Constraint", "Sequence", "Schedule", "View", "RowLevelSecurity", "Table"]
    planned = {f"{verb}{part}" for verb in ("Add", "Remove") for part in parts} | {
        "ChangeColumns", "ReschemaEventTable", "AddColumns", "ChangeIndexSourceName", "ChangeTableAccessorName", "ChangeOutbox",
        "ChangeColumnAccessorName", "ChangeAccess", "ChangePrimaryKey", "UpdateView", "DisconnectAllUsers",
    }  # fmt: skip
    assert planned - set(STEPS) == {"AddSchedule", "RemoveSchedule"}
    assert set(STEPS) <= planned


def test_views_have_tables_that_are_never_logged(tmp_path: Path) -> None:
    declared = Module()

    @declared.table(public=True)
    class Fighter(Table):
        id: U64 = column(primary_key=True)
        name: str

    @declared.view
    def strong(ctx: AnonymousViewContext) -> list[Fighter]:
        return []

    datastore = Datastore.create(tmp_path, fsync=False)
    datastore.publish(validate(declared.build()))
    state = datastore.state
    (view,) = state.records(st.StViewRow)
    assert (view.view_name, view.table_id, view.is_anonymous) == ("strong", 4097, True)
    assert [row.col_name for row in state.records(st.StViewColumnRow)] == ["id", "name"]
    with datastore.begin() as tx:
        tx.insert("strong", (0, 1, "ann"))
        data = tx.commit()
    assert data.tables[4097].ephemeral
    assert data.tx_offset is None
    assert len(state.tables[4097]) == 1
    with datastore.begin() as tx:
        tx.insert("strong", (0, 2, "bob"))
        tx.insert("fighter", (2, "bob"))
        mutations = tx.commit().to_txdata().mutations
    assert mutations is not None
    assert [group.table_id for group in mutations.inserts] == [4096]
    with datastore.begin() as tx:
        update_database(tx, first_module(), [Step("RemoveView", (), "strong")])
        tx.commit()
    assert not state.records(st.StViewRow)
    check_replay(datastore, tmp_path)


OF_HITS = "SELECT hit.* FROM fighter f JOIN hit ON f.id = hit.target"
OF_FIGHTERS = 'SELECT * FROM "fighter" WHERE id = 1'


def test_rules_are_stored_with_the_table_that_they_return(tmp_path: Path) -> None:
    datastore = Datastore.create(tmp_path, fsync=False)
    datastore.publish(replace(first_module(), row_level_security=(OF_HITS, OF_FIGHTERS)))
    found = {row.sql: row.table_id for row in datastore.state.records(st.StRowLevelSecurityRow)}
    assert found == {OF_HITS: 4097, OF_FIGHTERS: 4096}
    with datastore.begin() as tx:
        steps = [Step("RemoveRowLevelSecurity", (), OF_HITS), Step("AddRowLevelSecurity", (), "SELECT h.* FROM hit AS h")]
        assert update_database(tx, first_module(), steps).log == (
            f"Removing row-level security `{OF_HITS}`",
            "Adding row-level security `SELECT h.* FROM hit AS h`",
        )
        assert [row[0] for row in rows(tx, "st_row_level_security")] == [4097, 4096]
        tx.commit()
    check_replay(datastore, tmp_path)


@pytest.mark.parametrize("sql", ["", "SELECT", "DELETE FROM hit", "SELECT x.* FROM hit", "SELECT * FROM nothing", "SELECT 1"])
def test_what_is_no_rule_is_not_stored(sql: str) -> None:
    datastore = Datastore.create()
    with pytest.raises(TransactionError) as caught:
        datastore.publish(replace(first_module(), row_level_security=(sql,)))
    assert caught.value.kind in ("InvalidRule", "TableNotFound")
    assert len(datastore.state.records(st.StModuleRow)) == 0
    with datastore.begin() as tx, pytest.raises(TransactionError, match="there is no such rule"):
        update_database(tx, first_module(), [Step("RemoveRowLevelSecurity", (), sql)])
