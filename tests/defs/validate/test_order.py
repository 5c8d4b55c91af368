"""Which errors hide which: definitions with several faults, of which the reference tells some. Expected is what it answers.

`INPUTS` are definitions that random comparison found, as they were sent; the tables below them are those faults one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from bsatn import types as t
from bsatn.annotations import array, option, product, ref
from defs import raw
from defs.raw import v8, v9, v10
from defs.raw.shared import BTree, Direct, Hash, Lifecycle, RawUniqueConstraintDataV9, TableAccess, TableType
from defs.validate import ValidationErrors, validate

CODEGEN = "ClientCodegenError: error at"
NO_USE = (
    f"{CODEGEN} view `vv` return value: internal codegen error: non-special product or sum type ({{}}) "
    "cannot be used to generate a client type use"
)
TAKEN = "DuplicateName: name `vv` is used for multiple entities"
EMPTY = "IdentifierError: module contains invalid identifier: Empty identifiers are forbidden."


def bad_start(name: str) -> str:
    return (
        f"IdentifierError: module contains invalid identifier: Identifier `{name}`'s starting character '{name[0]}' is neither "
        "an underscore ('_') nor a Unicode XID_start character (according to Unicode Standard Annex 31, "
        "https://www.unicode.org/reports/tr31/) and cannot be used for entities in a module."
    )


def unnamed(owner: str, column: int = 0) -> str:
    return f"UnnamedColumn: table `{owner}` has unnamed column `{column}`, which is forbidden."


def check(definition: raw.RawModuleDef, expected: Sequence[str]) -> None:
    """The definition gets these errors, in this order; it is read back first, as a definition that was sent is."""
    said: list[str] = []
    try:
        validate(raw.decode(raw.encode(definition)))
    except ValidationErrors as errors:
        said = [f"{error.kind}: {error.message}" for error in errors.errors]
    assert said == list(expected)


def row(*columns: tuple[str | None, t.AlgebraicType]) -> t.ProductType:
    return t.ProductType(tuple(t.ProductTypeElement(*column) for column in columns))


# As found ---------------------------------------------------------------------------------------------------

INPUTS = [
    (
        "schedule of a table without name",
        "0101000000020000000001000000000000000000000000000000000000000000000000000000000100000000000000000000000000000000"
        "0000000000000000",
        [EMPTY],
    ),
    (
        "key that is not unique",
        "0101000000020100000000000000000401000000000000000000000001000000000000000000000000000000000001000000000000000000"
        "000000000000000000",
        [EMPTY],
    ),
    (
        "type that cannot be generated",
        "0101000000020100000000000000000000000000010000000000000000000000000000000000000000000000000000000100000000000000"
        "0000000000000000000000",
        [EMPTY],
    ),
    (
        "column without name",
        "0001000000020100000001040200000001000000490000000000000000000000000000000004000000757365720700000070726976617465"
        "0100000000000000000000000000000000000000000000000004000000757365720700000070726976617465010000000000000000000000"
        "00",
        [EMPTY, unnamed("I")],
    ),
    (
        "column type, by reference",
        "0001000000020000000001000000000000000100000000000000000000000000000000000000000000000004000000757365720600000070"
        "75626c696301000000000000000000000000",
        [
            EMPTY,
            "ColumnDefMalformed: table `` column `` type &0 does not match corresponding element at position 0 "
            "in product type `()`",
        ],
    ),
    (
        "name made of a blank column",
        "0101000000020400000001040104010400000000000401000000010000006100000000000000000100000001010203000000000000000000"
        "01000000000000000000000000000000000000",
        [
            EMPTY,
            *(unnamed("a", column) for column in range(3)),
            "DirectIndexOnBadType: Direct index does not support type `String` in column `` in index `a__idx_direct`",
        ],
    ),
]


# Version 9 --------------------------------------------------------------------------------------------------

NO_ROW, ROW, UNNAMED = product(), product(a=t.U64, b=t.STRING), row((None, t.STRING))
BLANK = row(("", t.U8), ("a", t.U64), (None, t.STRING))
FAULTY = row(("1", t.U8), ("x", product(a=t.U8)))  # neither a name nor a type that may be used


def table9(name: str, entry: int = 0, **parts: Any) -> v9.RawTableDefV9:
    fields: dict[str, Any] = {
        "primary_key": (), "indexes": (), "constraints": (), "sequences": (), "schedule": None,
        "table_type": TableType.User, "table_access": TableAccess.Public, **parts,
    }  # fmt: skip
    return v9.RawTableDefV9(name, entry, **fields)


def module9(
    *tables: v9.RawTableDefV9, entries: Sequence[t.AlgebraicType] = (ROW,), exports: Sequence[v9.RawMiscModuleExportV9] = ()
) -> raw.RawModuleDefV9:
    return raw.RawModuleDefV9(t.Typespace(tuple(entries)), tables, (), (), tuple(exports), ())


def index9(algorithm: Any, name: str | None = None) -> v9.RawIndexDefV9:
    return v9.RawIndexDefV9(name, None, algorithm)


def unique9(*columns: int, name: str | None = None) -> v9.RawConstraintDefV9:
    return v9.RawConstraintDefV9(name, RawUniqueConstraintDataV9(columns))


def sequence9(column: int, name: str | None = None, increment: int = 1) -> v9.RawSequenceDefV9:
    return v9.RawSequenceDefV9(name, column, None, None, None, increment)


def view9(name: str, returned: t.AlgebraicType, params: t.ProductType = NO_ROW) -> v9.RawViewDefV9:
    return v9.RawViewDefV9(name, 0, True, True, params, returned)


SCHEDULE = v9.RawScheduleDefV9(None, "f", 0)
BAD_RETURN = option(ref(0))  # of a row that no name makes usable

V9: list[tuple[str, raw.RawModuleDef, Sequence[str]]] = [
    ("schedule", module9(table9("", schedule=SCHEDULE)), [EMPTY]),
    ("key not unique", module9(table9("1", primary_key=(0,))), [bad_start("1")]),
    ("key of two columns", module9(table9("", primary_key=(0, 1))), [EMPTY]),
    ("column that cannot be generated", module9(table9("1"), entries=[FAULTY]), [bad_start("1")]),
    ("column without name", module9(table9(""), entries=[UNNAMED]), [EMPTY]),
    ("index of no column", module9(table9("", indexes=(index9(BTree((7,))),))), [EMPTY]),
    ("index of a column twice", module9(table9("", indexes=(index9(BTree((0, 0))),))), [EMPTY]),
    ("direct index on text", module9(table9("", indexes=(index9(Direct(1)),))), [EMPTY]),
    ("unique without index", module9(table9("", constraints=(unique9(0),))), [EMPTY]),
    ("sequence of text", module9(table9("", sequences=(sequence9(1),))), [EMPTY]),
    ("sequence by two", module9(table9("", sequences=(sequence9(0, increment=2),))), [EMPTY]),
    ("same name twice", module9(table9(""), table9("")), [EMPTY]),
    ("row type missing", module9(table9("", 9)), ["InvalidProductTypeRef: Table  has invalid product_type_ref &9"]),
    (
        "names of what it holds are free",
        module9(table9("", indexes=(index9(BTree((0,)), "tt"),)), table9("tt", sequences=(sequence9(0, "ss"),)), table9("ss")),
        ["DuplicateName: name `ss` is used for multiple entities", EMPTY],
    ),
    (
        "reserved name twice",
        module9(table9("st_x", table_type=TableType.System), table9("st_x")),
        ["DuplicateName: name `st_x` is used for multiple entities"],
    ),
    (
        "names made of a blank column",
        module9(
            table9(
                "tt",
                indexes=tuple(index9(one) for one in (BTree((0, 9)), Hash((0, 0)), Direct(2), BTree((1, 9)))),
                constraints=(unique9(0, 9), unique9(2, 2)),
                sequences=(sequence9(0, increment=2), sequence9(2), sequence9(9)),
            ),
            entries=[BLANK],
        ),
        [
            EMPTY,
            unnamed("tt", 2),
            "ColumnNotFound: column `9` referenced by def tt__col_9_idx_btree not found in table `tt`",
            "ColumnNotFound: column `9` referenced by def tt__col_9_key not found in table `tt`",
            "ColumnNotFound: column `9` referenced by def tt_a_col_9_idx_btree not found in table `tt`",
            "ColumnNotFound: column `9` referenced by def tt_col_9_seq not found in table `tt`",
            "DirectIndexOnBadType: Direct index does not support type `String` in column `2` in index `tt_col_2_idx_direct`",
            "DuplicateColumns: def `tt___idx_hash` has duplicate columns: [ColId(0), ColId(0)]",
            "DuplicateColumns: def `tt_col_2_col_2_key` has duplicate columns: [ColId(2), ColId(2)]",
            "InvalidSequenceColumnType: invalid sequence column type: table `tt` column `2` with type `String` "
            "in sequence `tt_col_2_seq`",
            "InvalidSequenceDefOption: sequence definition `tt__seq` specifies unsupported option `increment` with value 2, "
            "should be 1",
        ],
    ),
    (
        "view: name and parameters",
        module9(exports=[view9("1", array(ref(0)), UNNAMED)]),
        [f"{CODEGEN} view `1` argument 0: internal codegen error: all reducer parameters require names"],
    ),
    ("view: name and returned type", module9(exports=[view9("1", BAD_RETURN)]), [bad_start("1")]),
    (
        "view: name taken and columns",
        module9(exports=[view9("vv", array(ref(0))), view9("vv", array(ref(1)))], entries=[ROW, UNNAMED]),
        [TAKEN, unnamed("vv"), NO_USE.format("0: String"), NO_USE.format("a: U64, b: String")],
    ),
]

# Version 8 --------------------------------------------------------------------------------------------------


def module8(
    *columns: tuple[str, t.AlgebraicType], name: str = "tt", entries: Sequence[t.AlgebraicType] = (product(a=t.U8),)
) -> raw.RawModuleDefV8:
    table = v8.RawTableDefV8(
        name, tuple(v8.RawColumnDefV8(*one) for one in columns), (), (), (), v8.StTableType.User, v8.StAccess.Public, None
    )
    return raw.RawModuleDefV8(t.Typespace(tuple(entries)), (v8.TableDesc(table, 0),), (), ())


def malformed(table: str, column: str, said: str, position: int, of: str) -> str:
    return (
        f"ColumnDefMalformed: table `{table}` column `{column}` type {said} does not match corresponding element "
        f"at position {position} in product type `{of}`"
    )


TEXT = (product(a=t.U8), t.STRING, array(ref(2)))
V8: list[tuple[str, raw.RawModuleDef, Sequence[str]]] = [
    (
        "column too many, by reference",
        module8(("a", t.U8), ("b", ref(1)), entries=TEXT),
        [malformed("tt", "b", "&1", 1, "(a: U8)")],
    ),
    ("column of another type", module8(("a", ref(1)), entries=TEXT), [malformed("tt", "a", "String", 0, "(a: U8)")]),
    (
        "column of another name",
        module8(("b", array(ref(1))), entries=TEXT),
        [malformed("tt", "b", "Array<String>", 0, "(a: U8)")],
    ),
    (
        "column of a type without end",
        module8(("a", array(ref(2))), entries=TEXT),
        [malformed("tt", "a", "Array<&2>", 0, "(a: U8)")],
    ),
    ("column of a missing type", module8(("a", ref(9)), entries=TEXT), [malformed("tt", "a", "&9", 0, "(a: U8)")]),
    ("the row itself", module8(("", ref(0)), name="", entries=[NO_ROW]), [EMPTY, malformed("", "", "&0", 0, "()")]),
    ("column that cannot be generated", module8(name="", entries=[row(("a", product(b=t.U8)))]), [EMPTY]),
]

# Version 10 -------------------------------------------------------------------------------------------------


def table10(name: str, entry: int = 0, **parts: Any) -> v10.RawTableDefV10:
    fields: dict[str, Any] = {
        "primary_key": (), "indexes": (), "constraints": (), "sequences": (), "default_values": (), "is_event": False,
        "table_type": TableType.User, "table_access": TableAccess.Public, **parts,
    }  # fmt: skip
    return v10.RawTableDefV10(name, entry, **fields)


def timed10(name: str, **parts: Any) -> v10.RawTableDefV10:
    index = v10.RawIndexDefV10(f"{name}_by_id", None, BTree((0,)))
    unique = v10.RawConstraintDefV10(None, RawUniqueConstraintDataV9((0,)))
    return table10(name, primary_key=(0,), indexes=(index,), constraints=(unique,), **parts)


def module10(*sections: v10.RawModuleDefV10Section, entries: Sequence[t.AlgebraicType] = (ROW,)) -> raw.RawModuleDefV10:
    return raw.RawModuleDefV10((v10.TypespaceSection(t.Typespace(tuple(entries))), *sections))


def tables10(*tables: v10.RawTableDefV10, entries: Sequence[t.AlgebraicType] = (ROW,)) -> raw.RawModuleDefV10:
    return module10(v10.TablesSection(tables), entries=entries)


def schedules10(*names: tuple[str, int], tables: Sequence[v10.RawTableDefV10]) -> raw.RawModuleDefV10:
    times = product(id=t.U64, at=t.SCHEDULE_AT)
    ones = tuple(v10.RawScheduleDefV10(None, name, column, "f") for name, column in names)
    return module10(v10.TablesSection(tuple(tables)), v10.SchedulesSection(ones), entries=[times])


def views10(*views: v10.RawViewDefV10, entries: Sequence[t.AlgebraicType] = (ROW,)) -> raw.RawModuleDefV10:
    return module10(v10.ViewsSection(views), entries=entries)


def view10(name: str, returned: t.AlgebraicType, params: t.ProductType = NO_ROW) -> v10.RawViewDefV10:
    return v10.RawViewDefV10(name, 0, True, True, params, returned)


def mounted10(*modules: tuple[str, raw.RawModuleDefV10]) -> raw.RawModuleDefV10:
    return module10(v10.SubmodulesSection(tuple(v10.RawSubmoduleV10(*one) for one in modules)))


def variables10(*names: str) -> v10.EnvironmentSection:
    return v10.EnvironmentSection(tuple(v10.RawEnvironmentDeclarationV10(name, v10.EnvString(), False) for name in names))


EVENTS = v10.LifeCycleReducersSection(tuple(v10.RawLifeCycleReducerDefV10(event, "f") for event in Lifecycle))
NO_TIME = (
    "ScheduledIncorrectColumns: A scheduled table must have columns `scheduled_id: u64` and `scheduled_at: ScheduledAt`, "
    'but table `{}` has columns ProductType {{"id": U64, "at": Sum(SumType {{"Interval": Product(ProductType '
    '{{"__time_duration_micros__": I64}}), "Time": Product(ProductType {{"__timestamp_micros_since_unix_epoch__": I64}})}})}}'
)
REDUCER = v10.RawReducerDefV10("f", NO_ROW, v10.FunctionVisibility.ClientCallable, t.UNIT, t.STRING)

V10: list[tuple[str, raw.RawModuleDef, Sequence[str]]] = [
    ("key not unique", tables10(table10("", primary_key=(0,))), [EMPTY]),
    ("column that cannot be generated", tables10(table10("1"), entries=[FAULTY]), [bad_start("1")]),
    ("column without name", tables10(table10(""), entries=[UNNAMED]), [EMPTY]),
    ("name that conversion leaves empty", tables10(table10("_", primary_key=(0, 1))), [EMPTY]),
    ("same name twice", tables10(table10(""), table10("")), [EMPTY]),
    (
        "blank column and an index",
        tables10(table10("tt", indexes=(v10.RawIndexDefV10("i", None, Direct(2)),)), entries=[BLANK]),
        [EMPTY, unnamed("tt", 2)],
    ),
    (
        "reserved name twice",
        tables10(table10("st_x", table_type=TableType.System), table10("st_x")),
        ["DuplicateName: name `st_x` is used for multiple entities"],
    ),
    (
        "schedules of events",
        schedules10(("bb", 1), ("aa", 1), tables=[timed10("aa", is_event=True), timed10("bb", is_event=True)]),
        ["ScheduledEventTable: scheduled table bb must not be an event table"],
    ),
    *(
        (
            f"schedule of Bananas as {name}",
            schedules10((name, 0), tables=[timed10("Bananas")]),
            [NO_TIME.format(name)],
        )
        for name in ("Bananas", "bananas")
    ),
    (
        "reducer of three events",
        module10(v10.ReducersSection((REDUCER,)), EVENTS),
        ["DuplicateLifecycle: Multiple reducers defined for lifecycle event OnConnect"],
    ),
    ("view: name and parameters", views10(view10("1", array(ref(0)), UNNAMED)), [bad_start("1")]),
    ("view: name and returned type", views10(view10("1", BAD_RETURN)), [bad_start("1")]),
    (
        "view: name taken and columns",
        views10(view10("vv", array(ref(0))), view10("vv", array(ref(1))), entries=[ROW, UNNAMED]),
        [TAKEN, NO_USE.format("a: U64, b: String")],
    ),
    (
        "both spellings of a namespace",
        mounted10(("aB" * 32, module10())),
        [
            f"NamespaceTooLong: submodule namespace `{'aB' * 32}` is 64 bytes, which exceeds the 63-byte limit",
            f"NamespaceTooLong: submodule namespace `{'a_b' * 32}` is 96 bytes, which exceeds the 63-byte limit",
        ],
    ),
    (
        "namespace of a module with variables",
        mounted10(("myLib", module10(variables10("K"))), ("my_lib", tables10(table10("")))),
        [
            "DuplicateName: name `my_lib` is used for multiple entities",
            'EnvironmentInSubmodule: submodule "myLib" cannot declare environment variables',
        ],
    ),
    (
        "variable twice before a bad one",
        module10(variables10("K", "K", "1")),
        ["Environment: invalid environment declaration: invalid name"],
    ),
]

CASES = [
    *((f"found: {name}", raw.decode(bytes.fromhex(data)), said) for name, data, said in INPUTS),
    *((f"v9: {name}", definition, said) for name, definition, said in V9),
    *((f"v8: {name}", definition, said) for name, definition, said in V8),
    *((f"v10: {name}", definition, said) for name, definition, said in V10),
]


@pytest.mark.parametrize(("definition", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_the_reference_tells_these_errors(definition: raw.RawModuleDef, expected: Sequence[str]) -> None:
    check(definition, expected)
