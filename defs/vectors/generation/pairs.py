"""Pairs of definitions, one replaced by the other: one change each. A declaration is a note and two modules, asked both ways.

A module is written as its tables and what else it has. Types are SATN texts, in which `&0` and so on refer to `types`, entries
of the typespace before the rows of the tables. No name is converted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bsatn import types as t
from bsatn.satn import parse_type
from defs import raw
from defs.raw import v10
from defs.raw.shared import (
    BTree,
    Direct,
    Hash,
    RawIndexAlgorithm,
    RawRowLevelSecurityDefV9,
    RawUniqueConstraintDataV9,
    TableAccess,
    TableType,
)

__all__ = ["EDGES", "Module", "Table", "pairs"]

_ALGORITHMS: dict[str, Callable[[tuple[int, ...]], RawIndexAlgorithm]] = {
    "btree": BTree,
    "hash": Hash,
    "direct": lambda columns: Direct(columns[0]),
}


@dataclass(frozen=True)
class Table:
    """A table. An index is `columns`, perhaps with `algorithm`, `accessor` and `name`; `sequences` are columns."""

    name: str
    row: str
    key: int | None = None
    indexes: Sequence[Mapping[str, Any]] = ()
    unique: Sequence[Sequence[int]] = ()
    sequences: Sequence[int] = ()
    defaults: Mapping[int, bytes] = field(default_factory=dict)
    event: bool = False
    private: bool = False
    system: bool = False

    def raw(self, ref: int) -> v10.RawTableDefV10:
        """The table, with its row type at an entry of the typespace."""
        return v10.RawTableDefV10(
            source_name=self.name,
            product_type_ref=ref,
            primary_key=() if self.key is None else (self.key,),
            indexes=tuple(_index(self.name, one) for one in self.indexes),
            constraints=tuple(v10.RawConstraintDefV10(None, RawUniqueConstraintDataV9(tuple(one))) for one in self.unique),
            sequences=tuple(v10.RawSequenceDefV10(None, column, None, None, None, 1) for column in self.sequences),
            table_type=TableType.System if self.system else TableType.User,
            table_access=TableAccess.Private if self.private else TableAccess.Public,
            default_values=tuple(v10.RawColumnDefaultValueV10(column, data) for column, data in self.defaults.items()),
            is_event=self.event,
        )


def _index(table: str, one: Mapping[str, Any]) -> v10.RawIndexDefV10:
    columns = tuple(one["columns"])
    name = one.get("name", "_".join([table, *map(str, columns), "idx"]))
    return v10.RawIndexDefV10(name, one.get("accessor"), _ALGORITHMS[one.get("algorithm", "btree")](columns))


@dataclass(frozen=True)
class Module:
    """A module. `views` and `mounted` are by name: what a view returns, the module in a namespace; `names` explicit ones."""

    tables: Sequence[Table] = ()
    types: Sequence[str] = ()
    rules: Sequence[str] = ()
    views: Mapping[str, Any] = field(default_factory=dict)
    scheduled: Mapping[str, str] = field(default_factory=dict)
    outboxes: Sequence[v10.RawOutboxDefV10] = ()
    reducers: Mapping[str, str] = field(default_factory=dict)
    mounted: Mapping[str, Module] = field(default_factory=dict)
    names: Sequence[v10.ExplicitNameEntry] = ()
    converted: bool = False

    def raw(self) -> v10.RawModuleDefV10:
        """The definition."""
        rows = [*self.types, *(table.row for table in self.tables)]
        space = t.Typespace(tuple(map(parse_type, rows)))
        named = tuple(
            v10.RawTypeDefV10(v10.RawScopedTypeNameV10((), f"T{place}"), place, True) for place in range(len(space.types))
        )
        return v10.RawModuleDefV10(tuple(self._sections(space, named)))

    def _sections(self, space: t.Typespace, named: tuple[v10.RawTypeDefV10, ...]) -> Iterator[v10.RawModuleDefV10Section]:
        yield v10.TypespaceSection(space)
        yield v10.TypesSection(named)
        yield v10.TablesSection(tuple(table.raw(len(self.types) + place) for place, table in enumerate(self.tables)))
        if not self.converted:
            yield v10.CaseConversionPolicySection(v10.CaseConversionPolicy.None_)
        if self.reducers:
            yield v10.ReducersSection(tuple(_reducer(*one) for one in self.reducers.items()))
        if self.views:
            yield v10.ViewsSection(tuple(_view(place, *one) for place, one in enumerate(self.views.items())))
        if self.scheduled:
            yield v10.SchedulesSection(tuple(_schedule(*one) for one in self.scheduled.items()))
        if self.rules:
            yield v10.RowLevelSecuritySection(tuple(map(RawRowLevelSecurityDefV9, self.rules)))
        if self.outboxes:
            yield v10.OutboxesSection(tuple(self.outboxes))
        if self.mounted:
            yield v10.SubmodulesSection(tuple(v10.RawSubmoduleV10(name, one.raw()) for name, one in self.mounted.items()))
        if self.names:
            yield v10.ExplicitNamesSection(v10.ExplicitNames(tuple(self.names)))


def _reducer(name: str, params: str) -> v10.RawReducerDefV10:
    kind = parse_type(params)
    assert isinstance(kind, t.ProductType)
    return v10.RawReducerDefV10(name, kind, v10.FunctionVisibility.ClientCallable, t.UNIT, t.STRING)


def _view(place: int, name: str, what: Any) -> v10.RawViewDefV10:
    given: Mapping[str, Any] = {"returns": what} if isinstance(what, str) else what
    public, params = given.get("public", True), parse_type(given.get("params", "()"))
    assert isinstance(params, t.ProductType)
    return v10.RawViewDefV10(name, place, public, given.get("anonymous", True), params, parse_type(given["returns"]))


def _schedule(table: str, reducer: str) -> v10.RawScheduleDefV10:
    return v10.RawScheduleDefV10(None, table, 1, reducer)


def _outbox(**fields: Any) -> v10.RawOutboxDefV10:
    given = {
        "table_name": "box",
        "remote_reducer": "receive",
        "target_column": 1,
        "arg_columns": (2,),
        "on_result_reducer": None,
    }
    return v10.RawOutboxDefV10(**{**given, "signature_hash": 7, **fields})


# What is declared -------------------------------------------------------------------------------------------------------

ROW = "(id: U64, name: String)"
PLAIN = Table("t", ROW)
KEYED = Table("t", ROW, key=0, indexes=[{"columns": [0]}], unique=[[0]])
EVENT = Table("t", ROW, event=True)
TIMER = Table("timer", "(id: U64, at: ScheduleAt)", key=0, indexes=[{"columns": [0]}], unique=[[0]])
TICK = {"tick": "(arg: &0)"}
BOX = Table(
    "box", "(id: U64, target: Identity, other: Identity, text: String)", key=0, indexes=[{"columns": [0]}], unique=[[0]]
)
UNIT = "(| a: ())"


def _one(table: Table) -> Module:
    return Module([table])


def _kind(*types: str) -> Module:
    """A table with a column of the first type."""
    return Module([Table("t", "(id: U64, kind: &0)")], types)


def _array(kind: str) -> Module:
    return Module([Table("t", "(x: Array<&0>)")], [kind])


def _event_kind(*types: str) -> Module:
    return Module([Table("t", "(id: U64, kind: &0)", event=True)], types)


def _indexed(**index: Any) -> Module:
    return _one(Table("t", ROW, indexes=[{"columns": [0], **index}]))


SEQUENCE = Module([Table("t", ROW, key=0, indexes=[{"columns": [0]}], unique=[[0]], sequences=[0])])


def _boxed(**fields: Any) -> Module:
    return Module([BOX], outboxes=[_outbox(**fields)])


def _keyed_box(key: int) -> Module:
    columns, indexes = "(id: U64, target: Identity, other: Identity, no: U64)", [{"columns": [0]}, {"columns": [3]}]
    return Module([Table("box", columns, key=key, indexes=indexes, unique=[[0], [3]])], outboxes=[_outbox()])


def _called(source: str, table: str) -> v10.ExplicitNameEntry:
    return v10.TableName(v10.NameMapping(source, table))


def _mounted(source: str) -> Module:
    inner = Module([Table("t", ROW, indexes=[{"columns": [0]}])], converted=True)
    return Module(mounted={source: inner}, names=[v10.NamespaceName(v10.NameMapping(source, "lib"))])


#: (what changes, before, after)
EDGES: tuple[tuple[str, Module, Module], ...] = (
    ("nothing", _one(KEYED), _one(KEYED)),
    ("a table", Module(), _one(PLAIN)),
    ("a table among others", _one(PLAIN), Module([PLAIN, Table("u", "(x: U8)")])),
    ("a table with all that belongs to it", Module(), SEQUENCE),
    ("a private table", Module(), _one(Table("t", ROW, private=True))),
    ("an event table", Module(), _one(EVENT)),
    ("an event table with a key and a sequence", Module(),
     _one(Table("t", ROW, key=0, indexes=[{"columns": [0]}], unique=[[0]], sequences=[0], event=True))),
    ("a table of another name", _one(PLAIN), _one(Table("u", ROW))),
    ("who sees a table", _one(PLAIN), _one(Table("t", ROW, private=True))),
    ("who sees an event table", _one(EVENT), _one(Table("t", ROW, private=True, event=True))),
    ("the event flag", _one(PLAIN), _one(EVENT)),
    ("the event flag of a table with a key", _one(KEYED),
     _one(Table("t", ROW, key=0, indexes=[{"columns": [0]}], unique=[[0]], event=True))),
    ("the event flag, and a column", _one(PLAIN), _one(Table("t", "(id: U64)", event=True))),
    ("the event flag, and access", _one(PLAIN), _one(Table("t", ROW, event=True, private=True))),
    ("the kind of table", _one(PLAIN), _one(Table("t", ROW, system=True))),
    ("a column without a default at the end", _one(PLAIN), _one(Table("t", "(id: U64, name: String, n: U32)"))),
    ("a column with a default at the end", _one(PLAIN), _one(Table("t", "(id: U64, name: String, n: U32)",
         defaults={2: bytes(4)}))),
    ("two columns with defaults", _one(PLAIN),
     _one(Table("t", "(id: U64, name: String, n: U8, m: String)", defaults={2: b"\7", 3: bytes(4)}))),
    ("two columns, one with a default", _one(PLAIN), _one(Table("t", "(id: U64, name: String, n: U8, m: U8)",
         defaults={3: b"\7"}))),
    ("a column in the middle", _one(PLAIN), _one(Table("t", "(id: U64, n: U8, name: String)", defaults={1: b"\7"}))),
    ("a column with a default, and an index on it", _one(PLAIN),
     _one(Table("t", "(id: U64, name: String, n: U8)", defaults={2: b"\7"}, indexes=[{"columns": [2]}]))),
    ("the default of a column", _one(Table("t", "(id: U64, n: U8)", defaults={1: b"\7"})),
     _one(Table("t", "(id: U64, n: U8)", defaults={1: b"\10"}))),
    ("whether a column has a default", _one(Table("t", "(id: U64, n: U8)")),
     _one(Table("t", "(id: U64, n: U8)", defaults={1: b"\10"}))),
    ("the order of columns", _one(PLAIN), _one(Table("t", "(name: String, id: U64)"))),
    ("the name of a column", _one(PLAIN), _one(Table("t", "(id: U64, title: String)"))),
    ("all columns", _one(PLAIN), _one(Table("t", "(a: U8)"))),
    ("an event table: a column at the end", _one(EVENT), _one(Table("t", "(id: U64, name: String, n: U32)", event=True))),
    ("an event table: a column in the middle", _one(EVENT), _one(Table("t", "(id: U64, n: U32, name: String)", event=True))),
    ("an event table: the order of columns", _one(EVENT), _one(Table("t", "(name: String, id: U64)", event=True))),
    ("an event table: the type of a column", _one(EVENT), _one(Table("t", "(id: String, name: U8)", event=True))),
    ("an event table: all columns", _one(EVENT), _one(Table("t", "(a: U8)", event=True))),
    ("an event table: an index and a column", _one(Table("t", ROW, indexes=[{"columns": [0]}], event=True)),
     _one(Table("t", "(name: String, id: U64)", indexes=[{"columns": [1]}], event=True))),
    ("an event table: a unique column moves",
     _one(Table("t", ROW, key=0, indexes=[{"columns": [0]}], unique=[[0]], event=True)),
     _one(Table("t", "(name: String, id: U64)", key=1, indexes=[{"columns": [1]}], unique=[[1]], event=True))),
    ("an event table: a sequence", _one(Table("t", ROW, key=0, indexes=[{"columns": [0]}], unique=[[0]], event=True)),
     _one(Table("t", ROW, key=0, indexes=[{"columns": [0]}], unique=[[0]], sequences=[0], event=True))),
    ("an event table: variants", _event_kind(UNIT), _event_kind("(a: () | b: U64)")),
    *((f"the type of a column: {old}, {new}", _one(Table("t", f"(id: U64, x: {old})")), _one(Table("t",
    f"(id: U64, x: {new})")))
      for old, new in (("U8", "U16"), ("U8", "I8"), ("U64", "F64"), ("String", "Bytes"), ("U32", "Option<U32>"),
                       ("Array<U8>", "Array<U16>"), ("Option<U8>", "Option<U16>"), ("Identity", "U256"),
                       ("Timestamp", "TimeDuration"), ("Result<U8, String>", "Result<U8, U8>"))),
    *((f"variants: {old}, {new}", _kind(old), _kind(new))
      for old, new in (("(A: () | B: ())", "(A: () | B: () | C: ())"), ("(| A: ())", "(A: () | B: U8)"),
                       ("(| A: U64)", "(A: U64 | B: String)"), ("(| A: String)", "(A: String | B: U32)"),
                       ("(A: () | B: ())", "(B: () | A: ())"), ("(A: () | B: ())", "(A: () | b: ())"),
                       ("(| A: U8)", "(| A: U16)"), ("(A: U8 | B: U32)", "(A: U8 | B: U32 | C: U32)"),
                       ("(| A: U16)", "(A: U16 | B: String)"), ("(A: () | B: ())", "(A: U8 | B: ())"))),
    *((f"fields of a column's type: {old}, {new}", _kind(old), _kind(new))
      for old, new in (("(x: F32, y: F32)", "(x: F32)"), ("(x: F32)", "(y: F32)"), ("(x: U8)", "(x: U8, y: U8)"),
                       ("(x: U32, y: U8)", "(y: U8, x: U32)"), ("()", "(x: ())"))),
    *((f"inside a column's type {around}: {old}, {new}", _kind(around, old), _kind(around, new))
      for around in ("(z: &1)", "(z: Array<&1>)", "(z: Option<&1>)", "(Z: &1 | Y: ())")
      for old, new in (("(A: () | B: ())", "(| A: ())"), ("(| A: ())", "(| B: ())"), ("(| A: ())", "(A: () | B: U64)"),
                       ("(x: U8)", "(x: U8, y: U8)"), ("(x: U8)", "(y: U8)"), ("(x: U8)", "(x: U32)"),
                       ("(| A: String)", "(A: String | B: U32)"))),
    *((f"inside an array: {old}, {new}", _array(old), _array(new))
      for old, new in (("(A: () | B: ())", "(| A: ())"), ("(| A: ())", "(A: () | B: ())"), ("(x: U8)", "(y: U8)"))),
    ("an index", _one(PLAIN), _indexed()),
    ("an index of a name", _one(PLAIN), _indexed(name="by_id")),
    ("the columns of an index", _indexed(), _indexed(columns=[1])),
    ("the columns of an index of a name", _indexed(name="by"), _indexed(name="by", columns=[0, 1])),
    ("the order of an index's columns", _indexed(name="by", columns=[0, 1]), _indexed(name="by", columns=[1, 0])),
    ("the algorithm of an index", _indexed(name="by"), _indexed(name="by", algorithm="hash")),
    ("a direct index", _indexed(name="by"), _indexed(name="by", algorithm="direct")),
    ("the name of an index", _indexed(name="one"), _indexed(name="two")),
    ("the accessor of an index", _indexed(accessor="one"), _indexed(accessor="two")),
    ("whether an index has an accessor", _indexed(), _indexed(accessor="one")),
    ("a unique constraint", _indexed(), _one(Table("t", ROW, indexes=[{"columns": [0]}], unique=[[0]]))),
    ("a unique constraint on two columns", _indexed(columns=[0, 1]),
     _one(Table("t", ROW, indexes=[{"columns": [0, 1]}], unique=[[0, 1]]))),
    ("a primary key", _one(Table("t", ROW, indexes=[{"columns": [0]}], unique=[[0]])), _one(KEYED)),
    ("which column is the primary key",
     _one(Table("t", "(a: U8, b: U8)", key=0, indexes=[{"columns": [0]}, {"columns": [1]}], unique=[[0], [1]])),
     _one(Table("t", "(a: U8, b: U8)", key=1, indexes=[{"columns": [0]}, {"columns": [1]}], unique=[[0], [1]]))),
    ("a key and all that belongs to it", _one(PLAIN), _one(KEYED)),
    ("a sequence", _one(KEYED), SEQUENCE),
    ("a key and a sequence", _one(PLAIN), SEQUENCE),
    ("a schedule", Module([TIMER], reducers=TICK), Module([TIMER], reducers=TICK, scheduled={"timer": "tick"})),
    ("what is scheduled", Module([TIMER], reducers={**TICK, "tock": "(arg: &0)"}, scheduled={"timer": "tick"}),
     Module([TIMER], reducers={**TICK, "tock": "(arg: &0)"}, scheduled={"timer": "tock"})),
    ("a scheduled table", Module(reducers={"tick": "()"}), Module([TIMER], reducers=TICK, scheduled={"timer": "tick"})),
    ("a reducer", _one(PLAIN), Module([PLAIN], reducers={"go": "(x: U8)"})),
    ("parameters of a reducer", Module(reducers={"go": "(x: U8)"}), Module(reducers={"go": "(x: U16)"})),
    ("a rule", _one(PLAIN), Module([PLAIN], rules=["SELECT * FROM t"])),
    ("a rule, by a space", Module([PLAIN], rules=["SELECT * FROM t"]), Module([PLAIN], rules=["SELECT  * FROM t"])),
    ("one rule of two", Module([PLAIN], rules=["SELECT * FROM t", "SELECT * FROM t WHERE id = 1"]),
     Module([PLAIN], rules=["SELECT * FROM t"])),
    ("a view", _one(PLAIN), Module([PLAIN], views={"v": "Array<&0>"})),
    ("an unchanged view", Module([PLAIN], views={"v": "Array<&0>"}), Module([PLAIN], views={"v": "Array<&0>"})),
    ("what a view returns", Module([PLAIN], views={"v": "Array<&0>"}), Module([PLAIN], views={"v": "Option<&0>"})),
    ("who calls a view", Module([PLAIN], views={"v": "Array<&0>"}),
     Module([PLAIN], views={"v": {"returns": "Array<&0>", "anonymous": False}})),
    ("a view's columns", Module([PLAIN], views={"v": "Array<&0>"}),
     Module([Table("t", ROW)], ["(id: U8)"], views={"v": "Array<&0>"})),
    ("a table becomes a view", Module([PLAIN, Table("v", ROW)]), Module([PLAIN], views={"v": "Array<&0>"})),
    ("an outbox", _one(BOX), _boxed()),
    ("a table with an outbox", Module(), _boxed()),
    ("the reducer of an outbox", _boxed(), _boxed(remote_reducer="other")),
    ("the hash of an outbox", _boxed(), _boxed(signature_hash=8)),
    ("the arguments of an outbox", _boxed(), _boxed(arg_columns=(3,))),
    ("the target column of an outbox", _boxed(), _boxed(target_column=2)),
    ("the primary key of a table with an outbox", _keyed_box(0), _keyed_box(3)),
    ("a module that is mounted", Module(), Module(mounted={"lib": _one(PLAIN)})),
    ("a table of a mounted module", Module(mounted={"lib": Module()}), Module(mounted={"lib": _one(PLAIN)})),
    ("an event table of a mounted module", Module(mounted={"lib": _one(EVENT)}),
     Module(mounted={"lib": _one(Table("t", "(id: U64)", event=True))})),
    ("the event flag in a mounted module", Module(mounted={"lib": _one(PLAIN)}), Module(mounted={"lib": _one(EVENT)})),
    ("a view of a mounted module", Module(mounted={"lib": _one(PLAIN)}),
     Module(mounted={"lib": Module([PLAIN], views={"v": "Array<&0>"})})),
    ("the namespace of a module", Module(mounted={"one": _one(PLAIN)}), Module(mounted={"two": _one(PLAIN)})),
    ("the accessor name of a namespace", _mounted("one"), _mounted("two")),
    ("the accessor name of a table", Module([Table("one", ROW)], names=[_called("one", "t")]),
     Module([Table("two", ROW)], names=[_called("two", "t")])),
    ("the accessor name of a column", Module([Table("t", "(fooBar: U8)")], converted=True),
     Module([Table("t", "(foo_bar: U8)")], converted=True)),
    ("the accessor name of an event table's column", Module([Table("t", "(fooBar: U8)", event=True)], converted=True),
     Module([Table("t", "(foo_bar: U8)", event=True)], converted=True)),
    ("a name that is not ASCII", Module(), _one(Table("tåble", "(ключ: U8)"))),
    ("a type that contains itself", Module(), Module([Table("t", "(next: Array<&0>)")])),
    ("several things at once", Module([KEYED, Table("u", "(x: U8)"), Table("e", ROW, event=True)], rules=["SELECT * FROM t"]),
     Module([Table("t", "(id: U64, name: String, n: U8)", defaults={2: b"\1"}, private=True), Table("e", "(x: U8)",
     event=True),
             Table("w", ROW)], rules=["SELECT * FROM w"])),
    ("several things that forbid it", Module([KEYED, Table("u", "(x: U8, y: U8)"), EVENT.__class__("e", ROW, event=True)]),
     Module([Table("t", "(name: String)"), Table("u", "(y: U8, x: U8)"), Table("e", ROW)])),
)  # fmt: skip


def pairs() -> Iterator[tuple[str, bytes, bytes]]:
    """What is declared, each way: a note, the old definition and the new one."""
    for note, before, after in EDGES:
        old, new = raw.encode(before.raw()), raw.encode(after.raw())
        yield note, old, new
        if old != new:
            yield f"{note}, back", new, old
