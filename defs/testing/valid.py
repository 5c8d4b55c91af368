"""Valid definitions of version 10, by construction.

`Module` draws one module, in the order in which its parts need one another: types (see `defs.testing.kinds`), tables,
functions, and what is said about those. The older versions are written down from the same drawing (see `defs.testing.older`),
without what they lack.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

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
from defs.testing.kinds import DIRECT, WORDS, Column, Drawing
from defs.testing.rest import environments, http_sections, remote_reducers

__all__ = ["Module", "definitions_v10"]

_ALGORITHMS = {BTree: "btree", Hash: "hash", Direct: "direct"}


class Module(Drawing):
    """One module while it is drawn; `root` says whether it is a submodule, `depth` how many levels of those it may have."""

    def __init__(self, draw: st.DrawFn, version: int, depth: int, root: bool) -> None:
        super().__init__(draw, version)
        self.depth, self.root = depth, root
        self.tables: list[v10.RawTableDefV10] = []
        self.reducers: list[v10.RawReducerDefV10] = []
        self.procedures: list[v10.RawProcedureDefV10] = []
        self.views: list[v10.RawViewDefV10] = []
        self.schedules: list[v10.RawScheduleDefV10] = []
        self.outboxes: list[v10.RawOutboxDefV10] = []
        self.view_keys: list[v10.RawViewPrimaryKeyDefV10] = []

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
                v10.RawConstraintDefV10("ignored" if self.chance() else None, RawUniqueConstraintDataV9(cols))
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
        found: list[tuple[int, ...]] = [] if key is None else [(key,)]
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
        return kind in DIRECT or (isinstance(kind, t.Ref) and kind.index in self.enums)

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
            self.reducers.append(v10.RawReducerDefV10(callback, t.ProductType(parts), self.visibility(), t.UNIT, t.STRING))
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
            self.function(),
            self.one_of((0, 1, (1 << 32) - 1)),
            self.chance(),
            self.chance(),
            t.ProductType(tuple(kept)),
            returned,
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
        security = tuple(RawRowLevelSecurityDefV9(f"SELECT * FROM {self.one_of(WORDS)}") for _ in self.times(2))
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
        unused = v10.FunctionName(v10.NameMapping("no such", ""))
        sections.append(v10.ExplicitNamesSection(v10.ExplicitNames((*entries, unused))))
        if self.policy is v10.CaseConversionPolicy.None_ or self.chance():
            sections.append(v10.CaseConversionPolicySection(self.policy))
        empty = [place for place, one in enumerate(sections) if _is_empty(one) and self.chance()]
        kept = [one for place, one in enumerate(sections) if place not in empty]
        late = [v10.TypesSection((v10.RawTypeDefV10(v10.RawScopedTypeNameV10((), ""), 1 << 20, False),))]
        has_types = any(isinstance(one, v10.TypesSection) for one in kept)
        return RawModuleDefV10((*self.draw(st.permutations(kept)), *(late if has_types and self.chance() else ())))


def _is_empty(section: v10.RawModuleDefV10Section) -> bool:
    """Whether leaving the section out means the same."""
    content = getattr(section, next(iter(section.__dataclass_fields__)))
    return content == () and not isinstance(section, v10.EnvironmentSection)


@st.composite
def definitions_v10(draw: st.DrawFn, version: int = 10) -> RawModuleDefV10:
    """Definitions of version 10; with what an older version has, only, when one is named."""
    return Module(draw, version, draw(st.integers(0, 2)), root=True).definition()
