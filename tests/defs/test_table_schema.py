"""Table schemas: what they take from definitions, what is compared with definitions and what is not."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bsatn import types as t
from bsatn.errors import BsatnError
from bsatn.types import ProductType, ProductTypeElement, Ref, Typespace
from defs import raw
from defs.raw import v10
from defs.raw.shared import BTree, Direct, Hash, RawUniqueConstraintDataV9, TableAccess, TableType
from defs.schema.compatible import Mismatch, check_compatible
from defs.schema.lookup import Lookup
from defs.schema.model import ModuleDef, TableDef
from defs.schema.table import (
    ColumnSchema,
    ColumnsNotFound,
    ConstraintSchema,
    EmptyName,
    IndexSchema,
    OneAutoInc,
    OutboxSchema,
    ScheduleSchema,
    SequenceSchema,
    TableSchema,
    TableSchemaError,
    ViewInfo,
    table_schema,
    view_schema,
)
from defs.validate import validate

MODULES = json.loads((Path(__file__).parents[2] / "vectors/modules/expected.json").read_text())["modules"]


def product(**parts: t.AlgebraicType) -> ProductType:
    return ProductType(tuple(ProductTypeElement(name, kind) for name, kind in parts.items()))


POS = product(xPos=t.I32, yPos=t.I32)
PLAYER = product(PlayerId=t.U64, homePos=Ref(0), Level=t.U8, score=t.U32)
TIMER = product(id=t.U64, at=t.SCHEDULE_AT)
MAIL = product(id=t.U64, target=t.IDENTITY, amount=t.U32)
RESOLVED_POS = product(x_pos=t.I32, y_pos=t.I32)


def index(name: str, algorithm: Any) -> v10.RawIndexDefV10:
    return v10.RawIndexDefV10(name, None, algorithm)


def table(name: str, ref: int, *indexes: v10.RawIndexDefV10, **changed: Any) -> v10.RawTableDefV10:
    plain = v10.RawTableDefV10(
        source_name=name,
        product_type_ref=ref,
        primary_key=(0,),
        indexes=(index(f"{name}_i", BTree((0,))), *indexes),
        constraints=(v10.RawConstraintDefV10(None, RawUniqueConstraintDataV9((0,))),),
        sequences=(),
        table_type=TableType.User,
        table_access=TableAccess.Public,
        default_values=(),
    )
    return replace(plain, **changed)


def reducer(name: str, **params: t.AlgebraicType) -> v10.RawReducerDefV10:
    return v10.RawReducerDefV10(name, product(**params), v10.FunctionVisibility.Private, t.UNIT, t.STRING)


def arena(*mounted: v10.RawSubmoduleV10) -> v10.RawModuleDefV10:
    player = table(
        "Player",
        1,
        index("Player_j", Hash((3, 2))),
        index("Player_d", Direct(2)),
        sequences=(v10.RawSequenceDefV10(None, 0, None, None, None, 1),),
        default_values=(v10.RawColumnDefaultValueV10(3, bytes(4)),),
    )
    names = ("Pos", "Player", "Timer", "Mail")
    key = v10.RawViewPrimaryKeyDefV10("allPlayers", ("Level",))
    views = (
        v10.RawViewDefV10("myPlayers", 0, True, False, product(nearPos=Ref(0), minLevel=t.U8), t.ArrayType(Ref(1))),
        v10.RawViewDefV10("allPlayers", 0, False, True, ProductType(), t.ArrayType(Ref(1))),
    )
    return v10.RawModuleDefV10(
        (
            v10.TypespaceSection(Typespace((POS, PLAYER, TIMER, MAIL))),
            v10.TypesSection(
                tuple(v10.RawTypeDefV10(v10.RawScopedTypeNameV10((), name), ref, True) for ref, name in enumerate(names))
            ),
            v10.TablesSection(
                (
                    player,
                    table("moveTimer", 2),
                    table("Mail", 3),
                    table("Hit", 0, primary_key=(), constraints=(), is_event=True),
                )
            ),
            v10.ReducersSection(
                (reducer("fireTimer", arg=Ref(2)), reducer("mailDone", row=Ref(3), res=t.result_type(t.UNIT, t.STRING)))
            ),
            v10.SchedulesSection((v10.RawScheduleDefV10(None, "moveTimer", 1, "fireTimer"),)),
            v10.OutboxesSection((v10.RawOutboxDefV10("Mail", "other.take", 1, (2,), "mailDone", 258),)),
            v10.ViewsSection(views),
            v10.ViewPrimaryKeysSection((key,)),
            v10.SubmodulesSection(mounted),
        )
    )


ROOT = validate(arena(v10.RawSubmoduleV10("myLib", arena())))
LIB = ROOT.submodules["my_lib"]


def stored(module: ModuleDef, name: str) -> TableSchema:
    return table_schema(module, module.tables[name], 7).stored_under(module.path)


# -- from definitions


def test_a_table() -> None:
    schema = table_schema(ROOT, ROOT.tables["player"], 7)
    assert schema == TableSchema(
        table_id=7,
        table_name="player",
        alias="Player",
        view_info=None,
        columns=(
            ColumnSchema(7, 0, "player_id", "PlayerId", t.U64),
            ColumnSchema(7, 1, "home_pos", "homePos", RESOLVED_POS),
            ColumnSchema(7, 2, "level", "Level", t.U8),
            ColumnSchema(7, 3, "score", "score", t.U32),
        ),
        primary_key=0,
        indexes=(
            IndexSchema(0, 7, "player_level_idx_direct", "Player_d", Direct(2)),
            IndexSchema(0, 7, "player_player_id_idx_btree", "Player_i", BTree((0,))),
            IndexSchema(0, 7, "player_score_level_idx_hash", "Player_j", Hash((3, 2))),
        ),
        constraints=(ConstraintSchema(7, 0, "player_player_id_key", (0,)),),
        sequences=(SequenceSchema(0, "player_player_id_seq", 7, 0, start=1),),
        table_type=TableType.User,
        table_access=TableAccess.Public,
        schedule=None,
        is_event=False,
        outbox=None,
    )
    assert schema.row_type == product(player_id=t.U64, home_pos=RESOLVED_POS, level=t.U8, score=t.U32)
    assert pickle.loads(pickle.dumps(schema)) == schema
    assert (SequenceSchema.INCREMENT, SequenceSchema.MIN_VALUE, SequenceSchema.MAX_VALUE) == (1, 1, 2**127 - 1)


def test_a_schedule_an_outbox_and_an_event_table() -> None:
    assert stored(ROOT, "move_timer").schedule == ScheduleSchema(7, 0, "move_timer_sched", "fire_timer", 1)
    assert stored(ROOT, "mail").outbox == OutboxSchema("other.take", 1, (2,), "mail_done", 258)
    assert stored(ROOT, "hit").is_event
    assert table_schema(ROOT, ROOT.tables["hit"]).table_id == 0


def test_a_table_of_a_submodule_has_local_names_until_it_is_stored() -> None:
    local = table_schema(ROOT, LIB.tables["move_timer"])
    assert local == table_schema(LIB, LIB.tables["move_timer"]) == table_schema(ROOT, ROOT.tables["move_timer"])
    there = local.stored_under(("my_lib",))
    assert there.table_name == "my_lib.move_timer"
    assert there.indexes[0].index_name == "my_lib.move_timer_id_idx_btree"
    assert there.schedule == ScheduleSchema(0, 0, "move_timer_sched", "my_lib.fire_timer", 1)
    outbox = table_schema(ROOT, LIB.tables["mail"]).outbox  # the one name that is qualified from the start
    assert outbox is not None
    assert outbox.on_result_reducer == "my_lib.mail_done"


def test_a_table_of_another_module_has_no_schema() -> None:
    with pytest.raises(TableSchemaError, match=r"my_lib\.mail is not in the module") as caught:
        table_schema(validate(arena()), LIB.tables["mail"])
    assert caught.value.kind == "NotInModule"


def test_a_view_as_clients_see_it() -> None:
    mine, every = (view_schema(ROOT, ROOT.views[name]) for name in ("my_players", "all_players"))
    columns = tuple(replace(one, table_id=0) for one in stored(ROOT, "player").columns)
    common: dict[str, Any] = {"columns": columns, "indexes": (), "constraints": (), "sequences": ()}
    common |= {"alias": None, "view_info": None, "table_type": TableType.User}
    assert mine == TableSchema(table_id=0, table_name="my_players", primary_key=None, table_access=TableAccess.Public, **common)
    assert every == TableSchema(table_id=0, table_name="all_players", primary_key=2, table_access=TableAccess.Private, **common)


def test_a_view_as_the_database_stores_it() -> None:
    mine, every = (view_schema(ROOT, ROOT.views[name], "datastore") for name in ("my_players", "all_players"))
    assert (mine.alias, mine.primary_key, mine.constraints, mine.is_event) == ("myPlayers", None, (), False)
    assert mine.view_info == ViewInfo(0, False, product(near_pos=Ref(0), min_level=t.U8))
    assert mine.columns[:2] == (
        ColumnSchema(0, 0, "arg_hash", None, t.U256),
        ColumnSchema(0, 1, "player_id", "PlayerId", t.U64),
    )
    assert [column.col_pos for column in mine.columns] == [0, 1, 2, 3, 4]
    assert mine.indexes == (IndexSchema(0, 0, "my_players_arg_hash_idx_btree", None, BTree((0,))),)
    assert (every.view_info, every.primary_key) == (ViewInfo(0, True, ProductType()), None)
    assert every.indexes[1:] == (IndexSchema(0, 0, "all_players_arg_hash_level_idx_btree", None, BTree((0, 3))),)
    assert every.constraints == (ConstraintSchema(0, 0, "all_players_arg_hash_level_key", (0, 3)),)


@pytest.mark.parametrize("form", ["codegen", "datastore"])
def test_only_v10_views_have_keys(form: Any) -> None:
    older = view_schema(replace(ROOT, version=9), ROOT.views["all_players"], form)
    assert (older.primary_key, older.constraints) == (None, ())
    assert len(older.indexes) == (form == "datastore")


@pytest.mark.parametrize("name", MODULES)
def test_real_modules(name: str) -> None:
    module = validate(raw.decode(bytes.fromhex(MODULES[name]["bytes"])))
    for one in module.all_tables():
        schema = table_schema(module, one)
        assert schema.problems() == []
        assert schema == schema.normalize()
        assert check_compatible(schema, module, one) is None
        assert "ref(" not in repr(schema.row_type)
        assert [column.col_name for column in schema.columns] == [column.name for column in one.columns]
    for view in module.views.values():
        shown, kept = view_schema(module, view), view_schema(module, view, "datastore")
        assert kept.row_type.elements[1:] == shown.row_type.elements
        assert kept.problems() == []


def with_type(kind: t.AlgebraicType, *types: t.AlgebraicType) -> tuple[ModuleDef, TableDef]:
    """The player's table with another type in column 1, and a typespace for it."""
    one = ROOT.tables["player"]
    columns = (one.columns[0], replace(one.columns[1], ty=kind), *one.columns[2:])
    return replace(ROOT, typespace=Typespace(types)), replace(one, columns=columns)


UNRESOLVABLE: list[tuple[str, str, tuple[ModuleDef, TableDef]]] = [
    ("RecursiveColumnType", "contains itself: type &0", with_type(Ref(0), product(next=t.option_type(Ref(0))))),
    ("RecursiveColumnType", "contains itself: type &1", with_type(Ref(1), t.ArrayType(Ref(1)), t.ArrayType(Ref(0)))),
    ("InvalidTypeRef", "type &5, which does not exist", with_type(t.ArrayType(Ref(5)))),
    ("TypeTooLarge", "too large", with_type(Ref(0), *(product(a=Ref(n + 1), b=Ref(n + 1)) for n in range(25)), t.UNIT)),
    ("TypeTooLarge", "too large", with_type(Ref(0), *(t.ArrayType(Ref(n + 1)) for n in range(5000)), t.U8)),
]


@pytest.mark.parametrize(("kind", "says", "given"), UNRESOLVABLE)
def test_types_that_cannot_be_written_out(kind: str, says: str, given: tuple[ModuleDef, TableDef]) -> None:
    with pytest.raises(TableSchemaError, match=says) as caught:
        table_schema(*given)
    error = caught.value
    assert isinstance(error, BsatnError)
    assert (error.kind, error.where) == (
        kind if "itself" not in says else "RecursiveColumnType",
        "tables.player.columns.home_pos",
    )
    assert (error.fields["table"], error.fields["column"]) == ("player", "home_pos")
    mismatch = check_compatible(stored(ROOT, "player"), *given)
    assert mismatch == Mismatch(kind, "column home_pos", None, RESOLVED_POS)


# -- problems


def test_normalize_sorts_by_name() -> None:
    schema = stored(ROOT, "player")
    assert replace(schema, indexes=schema.indexes[::-1]).normalize() == schema


def test_problems_in_order() -> None:
    schema = stored(ROOT, "player")
    first, sequence = schema.indexes[0], schema.sequences[0]
    broken = replace(
        schema,
        columns=(replace(schema.columns[0], col_name=""), *schema.columns[1:]),
        indexes=(replace(first, index_name="", index_id=5, index_algorithm=BTree((40, 0, 41))),),
        constraints=(replace(schema.constraints[0], constraint_name="", constraint_id=6, columns=(43,)),),
        sequences=(replace(sequence, sequence_name="", sequence_id=8, col_pos=44), sequence, sequence),
    )
    assert broken.problems() == [
        ColumnsNotFound("player", "Sequence", "", (44,)),
        ColumnsNotFound("player", "Index", "", (40, 41)),
        ColumnsNotFound("player", "Constraint", "", (43,)),
        EmptyName("player", "Column", 0),
        EmptyName("player", "Index", 5),
        EmptyName("player", "Constraint", 6),
        EmptyName("player", "Sequence", 8),
        OneAutoInc("player", ""),
    ]
    assert broken.problems()[0].kind == "ColumnsNotFound"


@pytest.mark.parametrize(
    ("columns", "field"),
    [((0, 0), "player_id"), ((0, 0, 3, 3), "player_id"), ((0, 3, 3), "score"), ((0, 3, 0), None), ((60, 60), None)],
)
def test_two_sequences_side_by_side(columns: tuple[int, ...], field: str | None) -> None:
    schema = stored(ROOT, "player")
    broken = replace(schema, sequences=tuple(SequenceSchema(0, f"s{col}", 7, col) for col in columns))
    found = [one for one in broken.problems() if isinstance(one, OneAutoInc)]
    assert found == ([] if field is None else [OneAutoInc("player", field)])


# -- compatibility

Change = Callable[[TableSchema], TableSchema]


def change(**fields: Any) -> Change:
    return lambda schema: replace(schema, **fields)


def part(field: str, place: int, **fields: Any) -> Change:
    """One column, index, constraint or sequence changed."""

    def changed(schema: TableSchema) -> TableSchema:
        parts = list(getattr(schema, field))
        parts[place] = replace(parts[place], **fields)
        return change(**{field: tuple(parts)})(schema)

    return changed


def inner(field: str, **fields: Any) -> Change:
    return lambda schema: replace(schema, **{field: replace(getattr(schema, field), **fields)})


def cut(field: str) -> Change:
    return lambda schema: replace(schema, **{field: getattr(schema, field)[:-1]})


#: In the order of comparison: table, mismatch, how the schema is made to differ.
PLAYER_DIFFERS: list[tuple[str, Change]] = [
    ("NotInNamespace", change(table_name="other.player")),
    ("TableNameMismatch", change(table_name="my_lib.Player")),
    ("PrimaryKeyMismatch", change(primary_key=None)),
    ("TableAccessMismatch", change(table_access=TableAccess.Private)),
    ("TableTypeMismatch", change(table_type=TableType.System)),
    ("ColumnNotFound", part("columns", 0, col_pos=4)),
    ("ColumnNameMismatch", part("columns", 0, col_name="PlayerId")),
    ("ColumnTypeMismatch", part("columns", 1, col_type=Ref(0))),
    ("ColumnNotFound", part("columns", 2, col_pos=99)),
    ("ColumnCountMismatch", cut("columns")),
    ("NotInNamespace", part("indexes", 0, index_name="player_level_idx_direct")),
    ("IndexNotFound", part("indexes", 1, index_name="my_lib.nope")),
    ("IndexAlgorithmMismatch", part("indexes", 2, index_algorithm=Hash((2, 3)))),
    ("IndexCountMismatch", cut("indexes")),
    ("NotInNamespace", part("constraints", 0, constraint_name="player_player_id_key")),
    ("ConstraintDataMismatch", part("constraints", 0, columns=(1,))),
    ("ConstraintCountMismatch", cut("constraints")),
    ("NotInNamespace", part("sequences", 0, sequence_name="player_player_id_seq")),
    ("SequenceColumnMismatch", part("sequences", 0, col_pos=3)),
    ("SequenceCountMismatch", cut("sequences")),
    ("ScheduleNotFound", change(schedule=ScheduleSchema(7, 0, "s", "my_lib.f", 0))),
    ("OutboxNotFound", change(outbox=OutboxSchema("r", 0, (), None, 0))),
]
TIMER_DIFFERS: list[tuple[str, Change]] = [
    ("ConstraintNotFound", part("constraints", 0, constraint_name="my_lib.nope")),
    ("ScheduleNameMismatch", inner("schedule", schedule_name="my_lib.move_timer_sched")),
    ("NotInNamespace", inner("schedule", function_name="fire_timer")),
    ("ScheduleFunctionNameMismatch", inner("schedule", function_name="my_lib.bad")),
    ("SchedulePresenceMismatch", change(schedule=None)),
]
MAIL_DIFFERS: list[tuple[str, Change]] = [
    ("OutboxRemoteReducerMismatch", inner("outbox", remote_reducer="other.give")),
    ("OutboxTargetColumnMismatch", inner("outbox", target_column=2)),
    ("OutboxArgColumnsMismatch", inner("outbox", arg_columns=())),
    ("OutboxOnResultReducerMismatch", inner("outbox", on_result_reducer="mail_done")),
    ("OutboxSignatureHashMismatch", inner("outbox", signature_hash=0)),
    ("OutboxPresenceMismatch", change(outbox=None)),
]
DIFFERS = [("player", *one) for one in PLAYER_DIFFERS]
DIFFERS += [("move_timer", *one) for one in TIMER_DIFFERS]
DIFFERS += [("mail", *one) for one in MAIL_DIFFERS]


@pytest.mark.parametrize(("name", "kind", "changed"), DIFFERS)
def test_what_is_compared(name: str, kind: str, changed: Change) -> None:
    found = check_compatible(changed(stored(LIB, name)), ROOT, LIB.tables[name])
    assert found is not None
    assert found.kind == kind
    assert found.expected != found.found
    assert kind in str(found)


#: Of two differences in one schema the one compared earlier is told, whichever was made first.
APART = [one for place, one in enumerate(PLAYER_DIFFERS) if place in (1, 2, 3, 4, 6, 7, 9, 11, 12, 13, 15, 18, 20, 21)]


@pytest.mark.parametrize("place", range(len(APART) - 1))
def test_the_first_difference_is_told(place: int) -> None:
    for kind, later in APART[place + 1 :]:
        if {kind, APART[place][0]} == {"IndexAlgorithmMismatch", "IndexCountMismatch"}:
            continue  # the last index is the one that differs
        changed = APART[place][1](later(stored(LIB, "player")))
        found = check_compatible(changed, ROOT, LIB.tables["player"])
        assert found is not None
        assert found.kind == APART[place][0], kind


def test_a_definition_that_differs_from_itself() -> None:
    one, schema = ROOT.tables["player"], stored(ROOT, "player")
    moved = replace(one, columns=(replace(one.columns[0], col_id=3), *one.columns[1:]))
    assert check_compatible(schema, ROOT, moved) == Mismatch("ColumnIdMismatch", "column player_id", 3, 0)
    for field, kind in (("indexes", "Index"), ("constraints", "Constraint"), ("sequences", "Sequence")):
        renamed = Lookup((key, replace(part, name="other")) for key, part in getattr(one, field).items())
        changed: dict[str, Any] = {field: renamed}
        found = check_compatible(schema, ROOT, replace(one, **changed))
        assert found is not None
        assert (found.kind, found.expected) == (f"{kind}NameMismatch", "other")
    assert check_compatible(part("sequences", 0, sequence_name="nope")(schema), ROOT, one) == Mismatch(
        "SequenceNotFound", "sequence nope", None, "nope"
    )


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("player", change(is_event=True)),
        ("player", change(alias=None)),
        ("player", change(table_id=99)),
        ("player", change(view_info=ViewInfo(3, True, ProductType()))),
        ("player", part("columns", 0, alias=None, table_id=98)),
        ("player", lambda schema: replace(schema, columns=schema.columns[::-1])),
        ("player", part("indexes", 0, alias=None, index_id=5, table_id=6)),
        ("player", lambda schema: replace(schema, indexes=schema.indexes[::-1])),
        ("player", part("constraints", 0, constraint_id=5, table_id=6)),
        ("player", part("sequences", 0, sequence_id=5, table_id=6, start=100)),
        ("move_timer", inner("schedule", at_column=0, schedule_id=5, table_id=6)),
    ],
)
def test_what_is_not_compared(name: str, changed: Change) -> None:
    before = stored(LIB, name)
    assert changed(before) != before
    assert check_compatible(changed(before), ROOT, LIB.tables[name]) is None


def test_defaults_are_not_compared() -> None:
    one = ROOT.tables["player"]
    assert one.columns[3].default_bytes == bytes(4)
    without = replace(one, columns=tuple(replace(column, default_value=None, default_bytes=None) for column in one.columns))
    assert check_compatible(stored(ROOT, "player"), ROOT, without) is None


def test_a_namespace_is_no_more_than_a_prefix() -> None:
    one = LIB.tables["player"]
    wacky = replace(one, indexes=Lookup([("a.b.(c)", replace(next(iter(one.indexes.values())), name="a.b.(c)"))]))
    schema = table_schema(ROOT, wacky)
    assert check_compatible(schema.stored_under(LIB.path), ROOT, wacky) is None
    assert check_compatible(schema, ROOT, wacky) == Mismatch("NotInNamespace", "table player", "my_lib.", "player")
    assert check_compatible(replace(schema, table_name="my_lib"), ROOT, wacky) == Mismatch(
        "NotInNamespace", "table my_lib", "my_lib.", "my_lib"
    )
