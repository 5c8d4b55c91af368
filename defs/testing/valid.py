"""Valid definitions of version 10, by construction.

`Module` draws one module, in the order in which its parts need one another: types, tables, functions, and what is said about
those. Names are words of `WORDS`, numbered where one comes again: whatever the policy makes of them they stay different, and
a generated name, words joined, tells which words it was made of. The older versions are written down from the same drawing
(see `defs.testing.older`), without what they lack.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from hypothesis import strategies as st

from bsatn import strategies
from bsatn import types as t
from bsatn.codec import Codec
from bsatn.typeshapes import shape_of_type
from defs.raw import RawModuleDefV10, v10
from defs.raw.shared import (
    BTree,
    Direct,
    Hash,
    Lifecycle,
    RawIndexAlgorithm,
    RawRowLevelSecurityDefV9,
    RawUniqueConstraintDataV9,
    TableAccess,
    TableType,
)
from defs.testing.rest import environments, http_sections, remote_reducers
from defs.validate.names import camel, snake
from defs.validate.typedefs import is_default_order

__all__ = ["WORDS", "Column", "Module", "definitions_v10"]

_T = TypeVar("_T")

#: No two share a word, so that names joined by underscores can be told apart; none is a name that means something.
WORDS = (
    "key", "owner", "Level", "userName", "chat_message", "HTTPServer", "東京", "_hidden", "Москва", "x1y", "straße", "ﬁeld",
    "BIG", "trailing_", "two__lines",
)  # fmt: skip
_LEAVES = (*t.PRIMITIVES, *t.SPECIAL_PRODUCTS.values(), t.SCHEDULE_AT, t.UNIT)
_DIRECT = (t.U8, t.U16, t.U32, t.U64)
_ALGORITHMS = {BTree: "btree", Hash: "hash", Direct: "direct"}


class Names:
    """Words that have not been used before."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.uses: dict[str, int] = {}

    def fresh(self, words: Sequence[str] = WORDS) -> str:
        """A word, numbered from its second use on."""
        word = self.draw(st.sampled_from(words))
        self.uses[word] = count = self.uses.get(word, 0) + 1
        return word if count == 1 else f"{word}{count}"


@dataclass(frozen=True, slots=True)
class Column:
    """A column to be: `finite` says that its type has values, all of them finite."""

    name: str
    ty: t.AlgebraicType
    finite: bool = True


class Module:
    """One module while it is drawn; `root` and `version` say what may stand in it."""

    def __init__(self, draw: st.DrawFn, version: int, depth: int, root: bool) -> None:
        self.draw, self.version, self.depth, self.root = draw, version, depth, root
        self.names = Names(draw)
        plain = version < 10 or draw(st.booleans())
        self.policy = v10.CaseConversionPolicy.None_ if plain else v10.CaseConversionPolicy.SnakeCase
        self.convert: Callable[[str], str] = str if plain else snake
        self.entries: list[t.AlgebraicType] = []
        self.types: list[v10.RawTypeDefV10] = []
        self.finite: list[int] = []  #: entries, named or not, whose values are finite
        self.anywhere: list[int] = []  #: entries that may stand where a value is used
        self.enums: list[int] = []
        self.rows: list[tuple[int, list[Column]]] = []  #: named row types
        self.pinned: dict[tuple[type[Any], str], str] = {}
        self.tables: list[v10.RawTableDefV10] = []
        self.reducers: list[v10.RawReducerDefV10] = []
        self.procedures: list[v10.RawProcedureDefV10] = []
        self.views: list[v10.RawViewDefV10] = []
        self.schedules: list[v10.RawScheduleDefV10] = []
        self.outboxes: list[v10.RawOutboxDefV10] = []
        self.view_keys: list[v10.RawViewPrimaryKeyDefV10] = []

    # Small draws

    def chance(self) -> bool:
        return self.draw(st.booleans())

    def times(self, most: int) -> range:
        return range(self.draw(st.integers(0, most)))

    def one_of(self, choices: Sequence[_T]) -> _T:
        return self.draw(st.sampled_from(choices))

    def some_of(self, choices: Sequence[_T]) -> tuple[_T, ...]:
        """One or more of the choices, in any order."""
        return tuple(self.draw(st.permutations(choices))[: self.draw(st.integers(1, len(choices)))])

    def pin(self, kind: type[Any], source: str) -> str:
        """The canonical name: sometimes given outright, else what the policy makes of the source's."""
        if self.version == 10 and (kind, source) not in self.pinned and self.chance():
            self.pinned[kind, source] = self.names.fresh(("Pinned", "FB", "given_outright"))
        return self.pinned.get((kind, source), self.convert(source))

    def function(self) -> str:
        source = self.names.fresh()
        self.pin(v10.FunctionName, source)
        return source

    # Types

    def use(self, refs: Sequence[int], leaves: Sequence[t.AlgebraicType] = _LEAVES) -> t.AlgebraicType:
        """What a field or parameter may hold; references go to `refs`."""
        kind = self.draw(st.integers(0, 9))
        if kind == 6:
            return t.ArrayType(self.use(refs))
        if kind == 7:
            return t.option_type(self.use(refs))
        if kind == 8:
            return t.result_type(self.use(refs), self.use(refs))
        return t.Ref(self.one_of(refs)) if refs and kind > 3 else self.one_of(leaves)

    def product(self, refs: Sequence[int], most: int = 4) -> t.ProductType:
        names = Names(self.draw)
        return t.ProductType(tuple(t.ProductTypeElement(names.fresh(), self.use(refs)) for _ in self.times(most)))

    def sum_(self, refs: Sequence[int]) -> t.SumType:
        names = Names(self.draw)
        payloads = [self.use(refs, (t.UNIT, *_LEAVES)) for _ in range(self.draw(st.integers(1, 4)))]
        return t.SumType(tuple(t.SumTypeVariant(names.fresh(), payload) for payload in payloads))

    def enum(self) -> t.SumType:
        names = Names(self.draw)
        return t.SumType(tuple(t.SumTypeVariant(names.fresh(), t.UNIT) for _ in range(self.draw(st.integers(1, 4)))))

    def in_order(self, kind: t.AlgebraicType) -> bool:
        """Whether the parts stand in the default order, by the names they will have."""
        if isinstance(kind, t.ProductType):
            return is_default_order(
                t.ProductType(tuple(replace(part, name=self.convert(part.name or "")) for part in kind.elements))
            )
        assert isinstance(kind, t.SumType)
        convert = str if self.convert is str else camel
        return is_default_order(t.SumType(tuple(replace(part, name=convert(part.name or "")) for part in kind.variants)))

    def name_type(self, ref: int) -> None:
        """Give an entry a name."""
        kind = self.entries[ref]
        scope = tuple(self.one_of(WORDS) for _ in self.times(2))
        custom = not self.in_order(kind) or self.chance()
        name = v10.RawScopedTypeNameV10(scope, self.names.fresh(("Kind", "named", "OfThings")))
        self.types.append(v10.RawTypeDefV10(name, ref, custom))

    def draw_types(self) -> None:
        """Named types, each of those before it; aliases of them; and some that contain themselves and each other."""
        for _ in self.times(3):
            enum = self.chance()
            self.entries.append(
                self.enum() if enum else self.product(self.finite) if self.chance() else self.sum_(self.finite)
            )
            ref = len(self.entries) - 1
            self.name_type(ref)
            self.finite.append(ref)
            if enum:
                self.enums.append(ref)
        for _ in self.times(2):
            self.entries.append(self.use(self.finite))
            self.finite.append(len(self.entries) - 1)
        self.anywhere = list(self.finite)
        knot = [len(self.entries) + place for place in self.times(2)]
        self.anywhere += knot
        for _ in knot:
            self.entries.append(self.product(self.anywhere) if self.chance() else self.sum_(self.anywhere))
        for ref in knot:
            self.name_type(ref)

    def draw_row(self, wanted: Sequence[t.AlgebraicType], named: bool) -> tuple[int, list[Column]]:
        """A row type with the wanted columns among others."""
        ref, names = len(self.entries), Names(self.draw)
        columns = [Column(names.fresh(), kind) for kind in wanted]
        for _ in self.times(3):
            finite = self.version == 8 or self.chance()
            refs = self.finite if finite else [*self.anywhere, *([ref] if named else [])]
            leaves = (*_DIRECT, *(t.Ref(enum) for enum in self.enums), *_LEAVES, *(() if finite else (t.NEVER,)))
            columns.append(Column(names.fresh(), self.use(refs, leaves), finite))
        columns = list(self.draw(st.permutations(columns)))
        self.entries.append(t.ProductType(tuple(t.ProductTypeElement(one.name, one.ty) for one in columns)))
        if named:
            self.name_type(ref)
            self.anywhere.append(ref)
            self.rows.append((ref, columns))
        return ref, columns

    # Tables

    def draw_table(self) -> None:
        """A table: ordinary, of events, scheduled, or an outbox."""
        roles = ("ordinary", "event", "scheduled", "outbox") if self.version == 10 else ("ordinary", "scheduled")
        role = self.one_of(roles)
        at = t.SCHEDULE_AT
        wanted = {"scheduled": [t.U64, at], "outbox": [t.U64, self.one_of((t.IDENTITY, t.U256))]}.get(role, [])
        ref, columns = self.draw_row(wanted, named=bool(wanted) or self.chance())
        key = next((place for place, one in enumerate(columns) if one.ty == t.U64), 0) if wanted else None
        system = self.chance()
        source = ("st_" if system and self.chance() else "") + self.names.fresh()
        canonical = self.pin(v10.TableName, source)
        uniques = self.draw_uniques(columns, key)
        singles = [only for only in uniques if len(only) == 1]
        if key is None and singles and self.chance():
            (key,) = self.one_of(singles)
        table = v10.RawTableDefV10(
            source_name=source,
            product_type_ref=ref,
            primary_key=() if key is None else (key,),
            indexes=tuple(self.draw_indexes(canonical, columns, uniques)),
            constraints=tuple(
                v10.RawConstraintDefV10(None if self.version < 10 or self.chance() else "any text", RawUniqueConstraintDataV9(cols))
                for cols in uniques
            ),
            sequences=tuple(self.draw_sequences(columns)),
            table_type=TableType.System if system else TableType.User,
            table_access=self.one_of(tuple(TableAccess)),
            default_values=tuple(self.draw_defaults(columns)) if self.version > 8 else (),
            is_event=role == "event",
        )
        self.tables.append(table)
        if role == "scheduled":
            self.draw_schedule(table, columns)
        if role == "outbox" and key is not None:
            self.draw_outbox(table, columns, key)

    def draw_uniques(self, columns: Sequence[Column], key: int | None) -> list[tuple[int, ...]]:
        """Column lists of unique constraints, no two over the same columns."""
        found = [] if key is None else [(key,)]
        for _ in self.times(2) if columns else ():
            cols = self.some_of(range(len(columns)))
            if set(cols) not in map(set, found):
                found.append(cols)
        return found

    def draw_indexes(
        self, table: str, columns: Sequence[Column], uniques: Sequence[tuple[int, ...]]
    ) -> Iterator[v10.RawIndexDefV10]:
        """An index for each unique constraint, and others."""
        wanted = [tuple(self.draw(st.permutations(cols))) for cols in uniques]
        wanted += [self.some_of(range(len(columns))) for _ in self.times(2) if columns]
        made: set[RawIndexAlgorithm] = set()
        for cols in wanted:
            kinds: list[RawIndexAlgorithm] = [BTree(cols), Hash(cols)]
            if len(cols) == 1 and self.version > 8 and self.is_direct(columns[cols[0]].ty):
                kinds.append(Direct(cols[0]))
            left = [kind for kind in kinds if kind not in made]
            if left:
                made.add(algorithm := self.one_of(left))
                yield self.draw_index(table, columns, cols, algorithm)

    def draw_index(
        self, table: str, columns: Sequence[Column], cols: Sequence[int], algorithm: RawIndexAlgorithm
    ) -> v10.RawIndexDefV10:
        source = self.names.fresh()
        if self.chance():
            joined = "_".join(self.convert(columns[col].name) for col in cols)
            source = f"{table}_{joined}_idx_{_ALGORITHMS[type(algorithm)]}"
        if self.chance():
            self.pin(v10.IndexName, source)
        return v10.RawIndexDefV10(source, self.one_of(WORDS) if self.chance() else None, algorithm)

    def is_direct(self, kind: t.AlgebraicType) -> bool:
        return kind in _DIRECT or (isinstance(kind, t.Ref) and kind.index in self.enums)

    def draw_sequences(self, columns: Sequence[Column]) -> Iterator[v10.RawSequenceDefV10]:
        for place, one in enumerate(columns):
            if one.ty in t.INTEGERS and self.chance():
                name = f"any name, but its own: {self.names.fresh()}" if self.chance() else None
                yield v10.RawSequenceDefV10(name, place, None, None, None, 1)

    def draw_defaults(self, columns: Sequence[Column]) -> Iterator[v10.RawColumnDefaultValueV10]:
        typespace = t.Typespace(tuple(self.entries))
        for place, one in enumerate(columns):
            if one.finite and self.chance():
                value = self.draw(strategies.values(shape_of_type(one.ty, typespace)))
                left_over = b"ignored" if self.chance() else b""
                yield v10.RawColumnDefaultValueV10(place, Codec[Any](one.ty, typespace).encode(value) + left_over)

    def draw_schedule(self, table: v10.RawTableDefV10, columns: Sequence[Column]) -> None:
        """What the table calls: a reducer or a procedure that takes its row."""
        takes_row = t.ProductType((t.ProductTypeElement(self.one_of(WORDS), t.Ref(table.product_type_ref)),))
        name = self.function()
        if self.version > 8 and self.chance():
            self.procedures.append(v10.RawProcedureDefV10(name, takes_row, self.use(self.anywhere), self.visibility()))
        else:
            self.reducers.append(v10.RawReducerDefV10(name, takes_row, self.visibility(), t.UNIT, t.STRING))
        at = next(place for place, one in enumerate(columns) if one.ty == t.SCHEDULE_AT)
        self.schedules.append(v10.RawScheduleDefV10(None if self.chance() else "ignored", table.source_name, at, name))

    def draw_outbox(self, table: v10.RawTableDefV10, columns: Sequence[Column], key: int) -> None:
        """Whom the table calls, and the reducer that is told how it went."""
        target = next(place for place, one in enumerate(columns) if place != key and one.ty in (t.IDENTITY, t.U256))
        callback = None
        if self.chance():
            outcome: t.AlgebraicType = t.result_type(t.UNIT, t.STRING)
            if self.chance():
                self.entries.append(outcome)
                outcome = t.Ref(len(self.entries) - 1)
            parts = (t.ProductTypeElement("key", t.Ref(table.product_type_ref)), t.ProductTypeElement("BIG", outcome))
            callback = self.function()
            self.reducers.append(
                v10.RawReducerDefV10(callback, t.ProductType(parts), self.visibility(), t.UNIT, t.STRING)
            )
        args = self.some_of(range(len(columns))) if self.chance() else ()
        remote, signature = self.draw(remote_reducers(WORDS)), self.draw(st.integers(0, (1 << 256) - 1))
        self.outboxes.append(v10.RawOutboxDefV10(table.source_name, remote, target, args, callback, signature))

    # Functions

    def visibility(self) -> v10.FunctionVisibility:
        return self.one_of(tuple(v10.FunctionVisibility))

    def draw_functions(self) -> None:
        for _ in self.times(3):
            params = self.product(self.anywhere)
            self.reducers.append(v10.RawReducerDefV10(self.function(), params, self.visibility(), t.UNIT, t.STRING))
        for _ in self.times(2) if self.version > 8 else ():
            params, returned = self.product(self.anywhere), self.use(self.anywhere)
            self.procedures.append(v10.RawProcedureDefV10(self.function(), params, returned, self.visibility()))

    def draw_view(self, ref: int, columns: Sequence[Column]) -> None:
        """A view of rows of a type: at most one, any number, or a query."""
        row = t.Ref(ref)
        query = t.ProductType((t.ProductTypeElement("__query__", row),))
        returned: t.AlgebraicType = self.one_of((t.option_type(row), t.ArrayType(row), query))
        params = self.product(self.anywhere, 2)
        kept = (part for part in params.elements if self.version < 10 or part.algebraic_type not in (t.F32, t.F64))
        view = v10.RawViewDefV10(
            self.function(), self.one_of((0, 1, (1 << 32) - 1)), self.chance(), self.chance(), t.ProductType(tuple(kept)), returned
        )
        self.views.append(view)
        if not view.params.elements and columns and self.chance():
            key = (self.one_of(columns).name,) if self.chance() else ()
            self.view_keys.append(v10.RawViewPrimaryKeyDefV10(view.source_name, key))

    def lifecycles(self) -> Iterator[v10.RawLifeCycleReducerDefV10]:
        """Events for reducers that nothing else calls."""
        called = {one.function_name for one in self.schedules} | {one.on_result_reducer for one in self.outboxes}
        free = [one.source_name for one in self.reducers if one.source_name not in called]
        events = self.draw(st.permutations(list(Lifecycle))) if self.root else []
        for event, name in zip(events, free, strict=False):
            if self.chance():
                yield v10.RawLifeCycleReducerDefV10(event, name)

    def submodules(self) -> Iterator[v10.RawSubmoduleV10]:
        for _ in self.times(min(self.depth, 2)):
            source = self.names.fresh()
            self.pin(v10.NamespaceName, source)
            inner = Module(self.draw, self.version, self.depth - 1, root=False)
            yield v10.RawSubmoduleV10(source, inner.definition())

    # All of it

    def definition(self) -> RawModuleDefV10:
        """The module drawn."""
        self.draw_types()
        for _ in self.times(3):
            self.draw_table()
        self.draw_functions()
        for ref, columns in self.rows if self.version > 8 else ():
            if self.chance():
                self.draw_view(ref, columns)
        security = tuple(RawRowLevelSecurityDefV9(f"SELECT * FROM {name}") for name in map(self.one_of, [WORDS] * len(self.times(2))))
        sections: list[v10.RawModuleDefV10Section] = [
            v10.TypespaceSection(t.Typespace(tuple(self.entries))),
            v10.TypesSection(tuple(self.draw(st.permutations(self.types)))),
            v10.TablesSection(tuple(self.tables)),
            v10.ReducersSection(tuple(self.draw(st.permutations(self.reducers)))),
            v10.ProceduresSection(tuple(self.procedures)),
            v10.ViewsSection(tuple(self.views)),
            v10.SchedulesSection(tuple(self.schedules)),
            v10.LifeCycleReducersSection(tuple(self.lifecycles())),
            v10.RowLevelSecuritySection(security),
        ]
        if self.version == 10:
            return self.with_newer_sections(sections)
        return RawModuleDefV10((*sections, v10.CaseConversionPolicySection(self.policy)))

    def with_newer_sections(self, sections: list[v10.RawModuleDefV10Section]) -> RawModuleDefV10:
        """The module with what only version 10 has, in any order, and a section that comes too late to count."""
        sections += self.draw(http_sections([self.function() for _ in self.times(2)]))
        sections += [
            v10.ViewPrimaryKeysSection(tuple(self.view_keys)),
            v10.SubmodulesSection(tuple(self.submodules())),
            v10.OutboxesSection(tuple(self.outboxes)),
        ]
        if self.chance():
            sections.append(v10.EnvironmentSection(self.draw(environments()) if self.root else ()))
        entries = [kind(v10.NameMapping(source, given)) for (kind, source), given in self.pinned.items()]
        sections.append(v10.ExplicitNamesSection(v10.ExplicitNames((*entries, v10.FunctionName(v10.NameMapping("no such", ""))))))
        if self.policy is v10.CaseConversionPolicy.None_ or self.chance():
            sections.append(v10.CaseConversionPolicySection(self.policy))
        empty = [place for place, one in enumerate(sections) if _is_empty(one) and self.chance()]
        kept = [one for place, one in enumerate(sections) if place not in empty]
        late = [v10.TypesSection((v10.RawTypeDefV10(v10.RawScopedTypeNameV10((), ""), 1 << 20, False),))]
        has_types = any(isinstance(one, v10.TypesSection) for one in kept)
        return RawModuleDefV10((*self.draw(st.permutations(kept)), *(late if has_types and self.chance() else ())))


def _is_empty(section: v10.RawModuleDefV10Section) -> bool:
    """Whether leaving the section out means the same."""
    return not isinstance(section, v10.EnvironmentSection) and () in (getattr(section, name) for name in section.__dataclass_fields__)


@st.composite
def definitions_v10(draw: st.DrawFn, version: int = 10) -> RawModuleDefV10:
    """Definitions of version 10; with what an older version has, only, when one is named."""
    return Module(draw, version, draw(st.integers(0, 2)), root=True).definition()
