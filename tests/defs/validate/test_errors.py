"""Every error of the reference cases is rebuilt from its Debug text: message, Debug text and order must be upstream's."""

from __future__ import annotations

import enum
import gzip
import json
import pickle
import random
import re
import time
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from bsatn import types as t
from bsatn.annotations import array, product, ref, result, sum_
from bsatn.errors import BsatnError, DecodeError, LimitExceeded
from defs.migrate.errors import ReorderTable
from defs.raw import v10
from defs.raw.shared import Lifecycle
from defs.raw.v9 import RawScopedTypeNameV9
from defs.schema.model import ScopedTypeName
from defs.validate import errors as e
from defs.validate import reasons as r
from defs.validate import rustlike
from defs.validate.placed import Placed
from defs.validate.rustlike import Family, debug_str, fields_of

REFERENCE = Path(__file__).parents[3] / "vectors" / "reference"
FILES = ("modules.jsonl.gz", "modules_v8.jsonl.gz")


@cache
def lists() -> list[list[dict[str, str]]]:
    """The `errors` list of every invalid case of the reference."""
    found = []
    for name in FILES:
        with gzip.open(REFERENCE / name, "rt") as lines:
            found += [case["errors"] for case in map(json.loads, lines) if case.get("errors")]
    return found


# Debug text read back ---------------------------------------------------------------------------------------

STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
CHAR = re.compile(r"'((?:[^'\\]|\\.[^']*))'")
WORD = re.compile(r"(\w+)")
AGGREGATE = re.compile(r"(\w+)Type ")
LABEL = re.compile(r"([^(){}|<>&]*?): ")
PLAIN_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0"}
PRIMITIVES = {kind.name: kind for kind in t.PRIMITIVES}


def unescaped(text: str) -> str:
    return re.sub(r"\\(?:u\{([0-9a-f]+)\}|(.))", lambda m: chr(int(m[1], 16)) if m[1] else PLAIN_ESCAPES.get(m[2], m[2]), text)


class Reader:
    """Reads Debug text of errors; what a field is, its declaration says."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def take(self, word: str) -> None:
        assert self.text.startswith(word, self.at), f"{word!r} expected at {self.text[self.at :][:80]!r}"
        self.at += len(word)

    def skip(self, word: str) -> bool:
        found = self.text.startswith(word, self.at)
        self.at += len(word) if found else 0
        return found

    def match(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        assert found, f"{pattern.pattern} expected at {self.text[self.at :][:80]!r}"
        self.at = found.end()
        return found[1]

    def number(self) -> int:
        return int(self.match(re.compile(r"(-?\d+)")))

    def wrapped(self, name: str) -> int:
        self.take(f"{name}(")
        value = self.number()
        self.take(")")
        return value

    def string(self) -> str:
        return unescaped(self.match(STRING))

    def char(self) -> str:
        return unescaped(self.match(CHAR))

    def optional(self) -> str | None:
        if self.skip("None"):
            return None
        self.take("Some(")
        value = self.string()
        self.take(")")
        return value

    def listed(self, item: Callable[[], Any], start: str = "[", end: str = "]") -> tuple[Any, ...]:
        self.take(start)
        items = []
        while not self.skip(end):
            items.append(item())
            self.skip(", ")
        return tuple(items)

    def columns(self) -> tuple[int, ...]:
        col = lambda: self.wrapped("ColId")  # noqa: E731
        return self.listed(col, "{", "}") if self.text.startswith("{", self.at) else self.listed(col)

    def method(self) -> v10.MethodOrAny:
        if self.skip("Any"):
            return v10.AnyMethod()
        self.take("Method(")
        name = self.match(WORD)
        made = getattr(v10, name)
        if name == "Extension":
            self.take("(")
            method = made(self.string())
            self.take(")")
        else:
            method = made()
        self.take(")")
        return v10.Method(method)

    def type_name(self) -> ScopedTypeName:
        *scope, name = self.string().split("::")
        return ScopedTypeName(tuple(scope), name)

    def raw_type_name(self) -> RawScopedTypeNameV9:
        names = [self.string()]
        while self.skip("::"):
            names.append(self.string())
        return RawScopedTypeNameV9(tuple(names[:-1]), names[-1])

    def structural(self) -> t.AlgebraicType:
        """A type as its derived Debug prints it."""
        word = self.match(WORD)
        if word in PRIMITIVES:
            return PRIMITIVES[word]
        self.take("(")
        kind: t.AlgebraicType
        if word == "Ref":
            kind = t.Ref(self.wrapped("AlgebraicTypeRef"))
        elif word == "Array":
            self.take("ArrayType { elem_ty: ")
            kind = t.ArrayType(self.structural())
            self.take(" }")
        else:
            kind = self.aggregate(word)
        self.take(")")
        return kind

    def aggregate(self, word: str) -> t.ProductType | t.SumType:
        self.skip(f"{word}Type ")
        parts = self.listed(self.entry, "{", "}")
        if word == "Product":
            return t.ProductType(tuple(t.ProductTypeElement(name, kind) for name, kind in parts))
        return t.SumType(tuple(t.SumTypeVariant(name, kind) for name, kind in parts))

    def entry(self) -> tuple[str | None, t.AlgebraicType]:
        name = None if self.skip("None") else self.string()
        self.take(": ")
        return name, self.structural()

    def pretty(self) -> t.AlgebraicType:
        """A type as SATN, whatever its names are. A sum of one reads as a product: the text says no more."""
        if self.skip("(|)"):
            return t.NEVER
        if self.skip("&"):
            return t.Ref(self.number())
        if self.skip("Array<"):
            kind: t.AlgebraicType = t.ArrayType(self.pretty())
            self.take(">")
            return kind
        if not self.skip("("):
            return PRIMITIVES[self.match(WORD)]
        parts: list[tuple[str | None, t.AlgebraicType]] = []
        separator = ""
        while not self.skip(")"):
            label = self.match(LABEL) if LABEL.match(self.text, self.at) else None
            parts.append((label, self.pretty()))
            separator = " | " if self.skip(" | ") else ", " if self.skip(", ") else separator
        if separator == " | " or any(label is None for label, _ in parts):
            return t.SumType(tuple(t.SumTypeVariant(name, kind) for name, kind in parts))
        fields = enumerate(parts)
        return t.ProductType(tuple(t.ProductTypeElement(None if n == str(i) else n, kind) for i, (n, kind) in fields))

    def family(self, family: type[Family]) -> Any:
        """A variant of a family; its class says what follows."""
        name = self.match(WORD)
        made: Any = next(cls for cls in family.variants if cls.kind == name)
        fields = fields_of(made)
        if not fields:
            return made()
        self.take("(" if made.tuple_like else " { ")
        values = {}
        for position, field in enumerate(fields):
            self.take(", " if position else "")
            self.take("" if made.tuple_like else f"{field.name}: ")
            values[field.attribute] = self.field(field)
        self.take(")" if made.tuple_like else " }")
        return made(**values)

    def field(self, field: rustlike.Field) -> Any:
        if isinstance(field.hint, type) and issubclass(field.hint, Family):
            return self.family(field.hint)
        if isinstance(field.hint, type) and issubclass(field.hint, enum.Enum):
            return field.hint[self.match(WORD)]
        return READERS[id(field.how)](self)


def how(alias: Any) -> int:
    return id(alias.__metadata__[-1])


#: How to read a field, by the alias it is declared with.
READERS: dict[int, Callable[[Reader], Any]] = {
    how(rustlike.Name): Reader.string,
    how(rustlike.Char): Reader.char,
    how(rustlike.OptionalName): Reader.optional,
    how(rustlike.SumName): Reader.optional,
    how(rustlike.Names): lambda reader: reader.listed(reader.string),
    how(rustlike.Count): Reader.number,
    how(rustlike.ColId): lambda reader: reader.wrapped("ColId"),
    how(rustlike.ColList): Reader.columns,
    how(rustlike.ColSet): Reader.columns,
    how(rustlike.TypeRef): lambda reader: reader.wrapped("AlgebraicTypeRef"),
    how(rustlike.Pretty): Reader.pretty,
    how(rustlike.Product): lambda reader: reader.aggregate(reader.match(AGGREGATE)),
    how(rustlike.TypeName): Reader.type_name,
    how(rustlike.RawTypeName): Reader.raw_type_name,
    how(r.Method): Reader.method,
    how(r.Kind): lambda reader: r.FunctionKind[reader.match(WORD)],
}


def rebuilt(debug: str) -> e.ValidationError:
    reader = Reader(debug)
    error = reader.family(e.ValidationError)
    assert reader.at == len(debug), debug
    return error  # type: ignore[no-any-return]


# The reference ----------------------------------------------------------------------------------------------

#: The files sort each list by Debug text. This is upstream's order of those with two errors or more, in file order: which
#: error of the list comes first, second, ...
UPSTREAM_ORDER = """
0123 201 01 01 01 01 0123 01 0312 10 01 10 01 10 10 01 10 01 10 01234 10 01 102 01234 10 01 01 01 201 10 0123
10 10 01234 10 10 10 201 01 10 10 01 01 01 10 01 2310 01 01 2301 01 10 2103 10 0123 01 01 10 01 012 0123 10 10
10 120 0123 01 0123 0123 01 01 01 10 10 01 10 01 2301 102 10 10 01 10 10 012 10 10 01 210 01 012 01234 10 01
10 01 0123 10 01 0123 01 0123 012 012 41230 10 12340 10 10 01 10 10 0123 01 10 0123 10 3012 10 01 201 01 10
0123 10 021 01 120 0123 10 10 01 10 210 120 120 0123 01 0123 10 10
"""


def test_every_error_of_the_reference_says_what_upstream_says() -> None:
    seen = Counter[str]()
    for listed in lists():
        for expected in listed:
            error = rebuilt(expected["debug"])
            assert (error.kind, error.debug, error.message) == (expected["kind"], expected["debug"], expected["message"])
            assert rebuilt(error.debug) == error
            seen[error.kind] += 1
    assert sum(seen.values()) >= 802
    assert len(seen) >= 31


def test_every_list_of_the_reference_comes_into_upstreams_order_without_repeats() -> None:
    generator = random.Random(5)
    several = [listed for listed in lists() if len(listed) > 1]
    for listed, order in zip(several, UPSTREAM_ORDER.split(), strict=True):
        errors = [rebuilt(listed[int(position)]["debug"]) for position in order]
        shuffled = [*errors, *(rebuilt(error.debug) for error in errors)]
        generator.shuffle(shuffled)
        assert list(e.combine(shuffled)) == errors
        assert sorted(errors) == errors


# What the files do not hold ---------------------------------------------------------------------------------

COLUMN = r.RawColumnName("t", "c")
PAIR = product(a=t.U8, b=t.U8)
#: Errors of kinds that the files do not hold, each with Debug text and message as the reference gives them; the last seven
#: kinds are never raised, and worded after their declaration.
SAID: list[tuple[e.ValidationError, str, str]] = [
    (
        e.DuplicateTypeName(ScopedTypeName(("a", "b"), "Vec2")),
        'DuplicateTypeName { name: "a::b::Vec2" }',
        "name `a::b::Vec2` is used for multiple types",
    ),
    (
        e.ColumnDefMalformed(COLUMN, t.UNIT, 1, product(owner=t.BOOL, c=t.NEVER)),
        'ColumnDefMalformed { column: RawColumnName { table: "t", column: "c" }, ty: (), pos: ColId(1), '
        "product_type: (owner: Bool, c: (|)) }",
        "table `t` column `c` type () does not match corresponding element at position 1 in product type "
        "`(owner: Bool, c: (|))`",
    ),
    (
        e.RepeatedViewPrimaryKey("my_view"),
        'RepeatedViewPrimaryKey { view: "my_view" }',
        "View my_view has multiple primary key definitions",
    ),
    (
        e.ViewPrimaryKeyWithParams("v"),
        'ViewPrimaryKeyWithParams { view: "v" }',
        "View v has parameters and cannot have a primary key",
    ),
    (
        e.ViewFloatParam("v", "f"),
        'ViewFloatParam { view: "v", param: "f" }',
        "View v has a float parameter `f`, which views can't take yet",
    ),
    (
        e.MissingScheduledFunction("t_sched", "run"),
        'MissingScheduledFunction { schedule: "t_sched", function: "run" }',
        "Schedule t_sched refers to a scheduled reducer or procedure run that does not exist",
    ),
    (
        e.IncorrectScheduledFunctionParams("run", r.FunctionKind.Reducer, product(ref(6)), product(timer=ref(6), again=ref(6))),
        'IncorrectScheduledFunctionParams { function_name: "run", function_kind: Reducer, expected: (0: &6), '
        "actual: (timer: &6, again: &6) }",
        "Scheduled reducer run expected to have type (0: &6), but has type (timer: &6, again: &6)",
    ),
    (
        e.TableNameReserved("st_x"),
        'TableNameReserved { table: "st_x" }',
        "Table name is reserved for system use: st_x",
    ),
    (
        e.MultipleColumnDefaultValues("inventory", 2),
        'MultipleColumnDefaultValues { table: "inventory", col_id: ColId(2) }',
        "Multiple default values for table inventory column 2",
    ),
    (
        e.DuplicateOutbox("a"),
        'DuplicateOutbox { table: "a" }',
        "table a is assigned in multiple outboxes",
    ),
    (
        e.MissingOutboxTable("zz"),
        'MissingOutboxTable { table_name: "zz" }',
        "outbox table zz not found",
    ),
    (
        e.MissingOutboxOnResult("a", "nope"),
        'MissingOutboxOnResult { table: "a", reducer_name: "nope" }',
        "on_result reducer nope for outbox a does not exist",
    ),
    (
        e.IncorrectOutboxOnResultParams("a", "r", product(ref(0), result(t.UNIT, t.STRING)), product(q=t.U8)),
        'IncorrectOutboxOnResultParams { table: "a", reducer_name: "r", expected: (0: &0, 1: (ok: () | err: String)), '
        "actual: (q: U8) }",
        "on_result reducer r for outbox a expected parameters (0: &0, 1: (ok: () | err: String)), but has (q: U8)",
    ),
    (
        e.OutboxOnResultMustBeLocal("a", "x.r"),
        'OutboxOnResultMustBeLocal { table: "a", reducer_name: "x.r" }',
        "on_result reducer x.r for outbox a must be an unqualified name in the same module; cross-module callbacks are not "
        "supported",
    ),
    (
        e.OutboxEventTable("a"),
        'OutboxEventTable { table: "a" }',
        "outbox table a must not be an event table",
    ),
    (
        e.OutboxScheduledTable("a"),
        'OutboxScheduledTable { table: "a" }',
        "outbox table a must not be a scheduled table",
    ),
    (
        e.OutboxMissingPrimaryKey("a"),
        'OutboxMissingPrimaryKey { table: "a" }',
        "outbox table a must have a primary key",
    ),
    (
        e.OutboxInvalidPrimaryKey("a", t.U32),
        'OutboxInvalidPrimaryKey { table: "a", found: U32 }',
        "outbox table a primary key must be u64, found U32",
    ),
    (
        e.OutboxTargetColumnMissing("a"),
        'OutboxTargetColumnMissing { table: "a" }',
        "outbox table a must have exactly one non-primary-key identity target column",
    ),
    (
        e.OutboxArgumentColumnNotFound("a", 9),
        'OutboxArgumentColumnNotFound { table: "a", column: ColId(9) }',
        "outbox table a argument column 9 does not exist",
    ),
    (
        e.DuplicateHttpHandlerName("web_hook"),
        'DuplicateHttpHandlerName { name: "web_hook" }',
        "HTTP handler name web_hook is used for multiple HTTP handlers",
    ),
    (
        e.DuplicateHttpRoute("/a/b", v10.AnyMethod()),
        'DuplicateHttpRoute { path: "/a/b", method: Any }',
        "HTTP route duplicates method Any for path /a/b",
    ),
    (
        e.DuplicateHttpRoute("/p", v10.Method(v10.Extension("zz\n"))),
        'DuplicateHttpRoute { path: "/p", method: Method(Extension("zz\\n")) }',
        'HTTP route duplicates method Method(Extension("zz\\n")) for path /p',
    ),
    (
        e.LifecycleInSubmodule(Lifecycle.Init, "ns"),
        'LifecycleInSubmodule { lifecycle: Init, namespace: "ns" }',
        "lifecycle event Init is not permitted in submodule under namespace `ns`; lifecycle reducers may only be declared in "
        "the root module",
    ),
    (
        e.NamespaceTooLong("n" * 64, 64),
        f'NamespaceTooLong {{ namespace: "{"n" * 64}", len: 64 }}',
        f"submodule namespace `{'n' * 64}` is 64 bytes, which exceeds the 63-byte limit",
    ),
    (
        e.NamespaceNameConflict("table", "a", "a"),
        'NamespaceNameConflict { kind: "table", name: "a", namespace: "a" }',
        "naming conflict between table `a` and submodule namespace `a`; a table cannot share its accessor name with a "
        "namespace mounted in the same module",
    ),
    (
        e.Environment(r.TooManyDeclarations()),
        "Environment(TooManyDeclarations)",
        "invalid environment declaration: too many declarations",
    ),
    (
        e.Environment(r.EmptyUnion("A")),
        'Environment(EmptyUnion { key: "A" })',
        'invalid environment declaration: environment key "A": string union must not be empty',
    ),
    (
        e.EnvironmentInSubmodule("ns"),
        'EnvironmentInSubmodule { namespace: "ns" }',
        'submodule "ns" cannot declare environment variables',
    ),
    (
        e.MissingTypeDef(4, PAIR),
        "MissingTypeDef { ref_: AlgebraicTypeRef(4), ty: (a: U8, b: U8) }",
        "Missing type definition for ref: &4, holds type: (a: U8, b: U8)",
    ),
    (
        e.TableTypeNameMismatch("t"),
        'TableTypeNameMismatch { table: "t" }',
        "Table t should have a type definition for its product_type_element, but does not",
    ),
    (
        e.InvalidRowLevelQuery("SELECT", "no"),
        'InvalidRowLevelQuery { sql: "SELECT", error: "no" }',
        "Row-level security invalid: `no`, query: `SELECT",
    ),
    (
        e.OutboxTargetColumnAmbiguous("t"),
        'OutboxTargetColumnAmbiguous { table: "t" }',
        "outbox table t must not have multiple non-primary-key identity target columns",
    ),
    (
        e.DuplicateLifeCycle(Lifecycle.OnConnect),
        "DuplicateLifeCycle { lifecycle: OnConnect }",
        "lifecycle event OnConnect assigned multiple reducers",
    ),
    (
        e.DuplicateSchedule("t"),
        'DuplicateSchedule { table: "t" }',
        "table t is assigned in multiple schedules",
    ),
    (
        e.MissingScheduleTable("t", "t_sched"),
        'MissingScheduleTable { table_name: "t", schedule_name: "t_sched" }',
        "table t corresponding to schedule t_sched not found",
    ),
    (
        e.ReferenceWouldCrash("an index without source_name"),
        'ReferenceWouldCrash { what: "an index without source_name" }',
        "the reference crashes on this input: an index without source_name",
    ),
]


@pytest.mark.parametrize(("error", "debug", "message"), [pytest.param(*said, id=said[0].kind) for said in SAID])
def test_errors_that_the_files_do_not_hold(error: e.ValidationError, debug: str, message: str) -> None:
    assert (error.debug, error.message) == (debug, message)
    assert rebuilt(debug) == error


def test_every_variant_is_checked() -> None:
    checked = {error.kind for error, _, _ in SAID} | {error["kind"] for listed in lists() for error in listed}
    assert checked == {cls.kind for cls in e.ValidationError.variants}


def test_ranks_are_the_reference_s() -> None:
    ranks: dict[type[Family], int] = {
        e.DuplicateName: 0, e.IdentifierError: 3, e.ColumnNotFound: 6, e.DuplicateColumns: 12, e.ViewFloatParam: 21,
        e.ClientCodegenError: 25, e.IncorrectScheduledFunctionParams: 30, e.TableNotFound: 35, e.OutboxTargetColumnMissing: 45,
        e.DuplicateHttpRoute: 50, e.DuplicateLifeCycle: 54, e.LifecycleInSubmodule: 59, e.EnvironmentInSubmodule: 63,
        e.ReferenceWouldCrash: 64,
    }  # fmt: skip
    assert {cls: cls.rank for cls in ranks} == ranks
    assert [cls.rank for cls in e.ValidationError.variants] == list(range(65))


def test_an_enum_is_what_says_so() -> None:
    """However deep: what enums share is no enum, and what their variants share is none either."""

    class Shared(Family):
        __slots__ = ()

    class First(Shared, family=True):
        __slots__ = ()

    class Part(First):
        __slots__ = ()

    class Second(Shared, family=True):
        __slots__ = ()

    def declared(name: str, base: type[Family]) -> type[Family]:
        return rustlike.variant(name)(type(name, (base,), {}))

    a, b, c = declared("A", First), declared("B", Second), declared("C", Part)
    assert [cls.rank for cls in (a, b, c)] == [0, 0, 1]
    assert (First.variants, Second.variants) == ([a, c], [b])
    with pytest.raises(AttributeError, match="variants"):
        declared("D", Shared)


def test_errors_of_both_judges_are_placed() -> None:
    """A place takes no part in what the reference compares, and is told in JSON."""
    made: list[Placed] = [cls(name, path=("tables", 2)) for cls in (e.RepeatedPrimaryKey, ReorderTable) for name in "ab"]
    assert made[0] == e.RepeatedPrimaryKey("a") != made[1]
    for error, message in zip(made[::2], ("table `a` has multiple primary key annotations",
                                          "Reordering table a requires a manual migration"), strict=True):  # fmt: skip
        assert error.where == "tables[2]"
        debug = f'{error.kind} {{ table: "a" }}'
        assert error.to_json() == {"kind": error.kind, "message": message, "debug": debug, "path": ["tables", 2]}


# Order ------------------------------------------------------------------------------------------------------

METHODS: list[v10.HttpMethod] = [v10.Get(), v10.Post(), v10.Patch(), v10.Extension("A"), v10.Extension("B")]
ORDERED: list[list[Family]] = [
    [e.DuplicateName(name) for name in ("", "A", "B", "a", "a\x00", "aa", "é", "\uffff", "\U00010000")],  # by bytes, not UTF-16
    [e.DuplicateLifecycle(event) for event in Lifecycle],
    [e.DuplicateHttpRoute("/", v10.AnyMethod()), *(e.DuplicateHttpRoute("/", v10.Method(method)) for method in METHODS)],
    [e.ColumnNotFound(*fields) for fields in (("t", "d", 2), ("t", "d", 10), ("t", "e", 0), ("u", "a", 0))],
    [e.DuplicateColumns("d", columns) for columns in ((), (0,), (0, 5), (1,), (1, 1), (2,), (10,))],
    [
        e.DuplicateTypeName(ScopedTypeName(scope, name))
        for scope, name in (((), "a"), ((), "b"), (("a",), "a"), (("a", "b"), "a"), (("b",), "a"))
    ],
    [
        e.ClientCodegenError(place, r.NamelessReducerParam())
        for place in (
            r.ReducerArg("f", 0, None), r.ReducerArg("f", 0, ""), r.ReducerArg("f", 0, "a"), r.ReducerArg("f", 1, None),
            r.ReducerArg("g", 0, None), r.ProcedureArg("a", 0, None), r.ViewArg("a", 0, None), r.ProcedureReturn("a"),
            r.ViewReturn("a"), r.InTypespace(2), r.InTypespace(10),
        )
    ],
    [
        e.ClientCodegenError(r.InTypespace(0), error)
        for error in (
            r.NonSpecialTypeNotAUse(PAIR), r.TypeRefError(r.RecursiveTypeRef(3)), r.TypeRefError(r.InvalidTypeRef(1)),
            r.NonDeclaredTypeDef(0), r.NamelessTypeDefElement(PAIR), r.NamelessReducerParam(), r.NotValidForDefinition(t.U8),
            r.NotValidIdentifier(PAIR, r.Empty()),
        )
    ],
    [
        e.IdentifierError(error)
        for error in (
            r.NotCanonicalized("z"), r.Reserved("a"), r.InvalidStart("1", "1"), r.InvalidStart("1", "2"),
            r.InvalidContinue("a", "."), r.Empty(),
        )
    ],
    [
        e.ColumnDefaultValueMalformed("t", 0, error)
        for error in (
            r.BufferLength("u8", 1, 0), r.InvalidLen(1, 0), r.InvalidTag(2, None), r.InvalidTag(2, "a"), r.InvalidUtf8(),
            r.InvalidBool(2), r.AllocationFailed(1), r.Other(""),
        )
    ],
    [Reader(cls.kind + ' { key: "k" }' * len(fields_of(cls))).family(cls) for cls in r.EnvironmentReason.variants],
    [
        r.NonSpecialTypeNotAUse(kind)
        for kind in (
            ref(0), ref(1), t.NEVER, sum_(t.U8), sum_(a=t.U8), sum_(a=t.U8, b=ref(0)), sum_(a=t.U16), sum_(b=t.STRING), t.UNIT,
            product(ref(0)), product(ref(1), t.U8), product(a=ref(1)), product(aa=ref(0)), array(ref(0)), array(array(t.U8)),
            *t.PRIMITIVES,
        )
    ],
]  # fmt: skip


@pytest.mark.parametrize("expected", ORDERED, ids=lambda errors: f"{errors[0].kind}-{len(errors)}")
def test_fields_sort_as_the_reference_derives_it(expected: list[Family]) -> None:
    shuffled = list(expected)
    random.Random(3).shuffle(shuffled)
    assert [error.debug for error in sorted(shuffled)] == [error.debug for error in expected]
    assert len(set(shuffled)) == len(expected)


# Texts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", '""'),
        ('it\'s "so"', '"it\'s \\"so\\""'),
        ("\0\t\r\n\\", r'"\0\t\r\n\\"'),
        ("\x01\x7f\xa0\xad", r'"\u{1}\u{7f}\u{a0}\u{ad}"'),
        ("é東🍌", '"é東🍌"'),
        ("e\u0301\u200b", r'"e\u{301}\u{200b}"'),
        ("\u09be\uff9e", r'"\u{9be}\u{ff9e}"'),  # extend graphemes without being marks that stand above
    ],
)
def test_debug_text_escapes_as_rust_does(text: str, expected: str) -> None:
    assert debug_str(text) == expected
    assert unescaped(expected[1:-1]) == text


def test_quotes_of_characters() -> None:
    assert e.IdentifierError(r.InvalidStart("'", "'")).debug == (
        """IdentifierError { error: InvalidStart { name: "'", invalid_start: '\\'' } }"""
    )
    assert r.InvalidContinue('a"', '"').debug == r"""InvalidContinue { name: "a\"", invalid_continue: '"' }"""


def test_types_in_debug_text() -> None:
    kind = product(("a", array(ref(1))), (None, sum_(("x", t.U8), (None, t.NEVER))), ("u", t.UNIT))
    assert e.ScheduledIncorrectColumns("t", kind).debug == (
        'ScheduledIncorrectColumns { table: "t", columns: ProductType {"a": Array(ArrayType { elem_ty: '
        'Ref(AlgebraicTypeRef(1)) }), None: Sum(SumType {"x": U8, None: Sum(SumType {})}), "u": Product(ProductType {})} }'
    )


def test_sets_of_columns_are_sorted_without_repeats() -> None:
    error = e.UniqueConstraintWithoutIndex("c", (10, 2, 10))
    assert error.debug == 'UniqueConstraintWithoutIndex { constraint: "c", columns: {ColId(2), ColId(10)} }'
    assert error == e.UniqueConstraintWithoutIndex("c", frozenset({2, 10}))


def test_raw_type_names_quote_every_segment() -> None:
    error = e.InvalidTypeRef(RawScopedTypeNameV9(("a", "b c"), "D"), 9)
    assert error.debug == 'InvalidTypeRef { type_name: "a"::"b c"::"D", ref_: AlgebraicTypeRef(9) }'
    assert error == e.InvalidTypeRef(v10.RawScopedTypeNameV10(("a", "b c"), "D"), 9)
    assert rebuilt(error.debug) == error


def test_decode_errors_become_reasons() -> None:
    reasons = [
        r.decode_reason(DecodeError("BufferLength", for_type="i64", expected=8, given=0, offset=3)),
        r.decode_reason(DecodeError("InvalidTag", tag=18, sum_name=None)),
        r.decode_reason(DecodeError("InvalidTag", tag=18, sum_name="option")),
        r.decode_reason(DecodeError("InvalidUtf8")),
        r.decode_reason(DecodeError("InvalidBool", byte=7)),
        r.decode_reason(LimitExceeded("depth", 512, "nested too deep")),
    ]
    assert [reason.debug for reason in reasons[:-1]] == [
        'BufferLength { for_type: "i64", expected: 8, given: 0 }',
        "InvalidTag { tag: 18, sum_name: None }",
        'InvalidTag { tag: 18, sum_name: Some("option") }',
        "InvalidUtf8",
        "InvalidBool(7)",
    ]
    assert [reason.message for reason in reasons[:-1]] == [
        "data too short for i64: Expected 8, given 0",
        "unknown tag 0x12 for sum type <unknown>",
        "unknown tag 0x12 for sum type option",
        "invalid utf8",
        "byte 7 not valid as `bool` (must be 0 or 1)",
    ]
    assert reasons[-1].kind == "Other"
    assert "nested too deep" in reasons[-1].message


# The list and its exception ---------------------------------------------------------------------------------


def test_a_path_says_where_and_does_not_count() -> None:
    here = e.DuplicateName("x", path=("tables", 2, "indexes", 0))
    assert here == e.DuplicateName("x")
    assert hash(here) == hash(e.DuplicateName("x"))
    assert here.where == "tables[2].indexes[0]"
    assert e.combine([here, e.DuplicateName("x", path=("views",))])[0].path == here.path
    assert here != e.DuplicateSchedule("x")
    assert "path" not in here.debug


def test_the_exception_has_a_line_for_each_error() -> None:
    errors = e.ValidationErrors(
        [e.TableNotFound("t"), e.DuplicateName("a\nb\x1b[31m", path=("tables", 1)), e.TableNotFound("t", path=("x",))]
    )
    assert isinstance(errors, BsatnError)
    assert [error.kind for error in errors.errors] == ["DuplicateName", "TableNotFound"]
    assert str(errors) == ("tables[1]: name `a\\u{a}b\\u{1b}[31m` is used for multiple entities\nTable t not found")
    assert errors.to_json() == {
        "errors": [
            {
                "kind": "DuplicateName",
                "message": "name `a\nb\x1b[31m` is used for multiple entities",
                "debug": 'DuplicateName { name: "a\\nb\\u{1b}[31m" }',
                "path": ["tables", 1],
            },
            {"kind": "TableNotFound", "message": "Table t not found", "debug": 'TableNotFound { table: "t" }', "path": []},
        ],
        "omitted": 0,
    }
    again = pickle.loads(pickle.dumps(errors))
    assert (str(again), again.errors, again.errors[0].path) == (str(errors), errors.errors, ("tables", 1))
    assert json.loads(json.dumps(errors.to_json())) == errors.to_json()


def test_many_errors_about_one_large_type_stay_readable() -> None:
    size = 20_000
    kind = t.ProductType(tuple(t.ProductTypeElement(f"1{index}", t.U8) for index in range(size)))
    errors = [
        e.ClientCodegenError(r.InTypespace(0), r.NotValidIdentifier(kind, r.InvalidStart(f"1{index}", "1")))
        for index in range(size)
    ]
    start = time.perf_counter()
    raised = e.ValidationErrors([*errors, *errors])
    assert len(raised.errors) == size
    assert len(str(raised)) < 2 * e.ValidationErrors.SHOWN
    assert str(raised).endswith(" more")
    assert raised.to_json()["omitted"] > 0
    assert time.perf_counter() - start < 10


def test_deep_types_do_not_overflow_the_stack() -> None:
    def deep() -> t.AlgebraicType:
        kind: t.AlgebraicType = t.U8
        for _ in range(20_000):
            kind = array(product(a=kind))
        return kind

    error = e.InvalidViewReturnType("v", deep())
    assert error == e.InvalidViewReturnType("v", deep())
    assert len(e.combine([error, e.InvalidViewReturnType("v", deep())])) == 1
    assert error.debug.count("Array<") == error.message.count("Array<") == 20_000
    assert isinstance(hash(error), int)
