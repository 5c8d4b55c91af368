"""A Description from a raw definition, with names as it writes them.

Three passes, none of which can fail on a definition that decodes:

1. `parts_of` brings the version's layout to one form, submodules one level at a time;
2. each module's items are made records: types become texts, positions become names, defaults become values;
3. all items are put in order and the links between them, noted on the way, become positions.

The rules of validation are not applied (a definition is described, valid or not), and neither is case
conversion: indexes are named as the server would name them from names as written. What does not make sense is
shown as far as it goes: a column that is not there is `col_7`, an unknown type `&7`, a default that is no
value of its type its bytes. Every text is bounded, see `words`, `typetexts` and `defaults`. (spec: validation
1.2, 2.3)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from bsatn import types as t
from bsatn.types import AlgebraicType, ProductType, ProductTypeElement, Ref
from defs.describe import model as m
from defs.describe.defaults import Defaults
from defs.describe.parts import FunctionParts, IndexParts, ModuleParts, TableParts, UniqueParts, parts_of
from defs.describe.typetexts import TypeTexts
from defs.describe.words import clip, clip_list, joined
from defs.raw import RawModuleDef, version_of
from defs.schema.model import ModuleDef

__all__ = ["describe"]


class _HasFullName(Protocol):
    @property
    def full_name(self) -> str: ...


_Item = TypeVar("_Item", bound=_HasFullName)

#: An item before everything is put in order: its kind and its position among those found.
_Found = m.Node


@dataclass(slots=True)
class _Harvest:
    """Everything found so far, in the order found, with links by those positions."""

    items: dict[m.NodeKind, list[_HasFullName]] = field(default_factory=lambda: {kind: [] for kind in m.NodeKind})
    links: dict[m.Link, None] = field(default_factory=dict[m.Link, None])

    def add(self, kind: m.NodeKind, item: _HasFullName) -> _Found:
        self.items[kind].append(item)
        return m.Node(kind, len(self.items[kind]) - 1)

    def link(self, kind: m.LinkKind, source: _Found, targets: Iterable[_Found], label: str) -> None:
        for target in targets:
            self.links[m.Link(kind, source, target, label)] = None


def describe(definition: RawModuleDef | ModuleDef) -> m.Description:
    """The picture of a definition, raw or validated. Never raises for one that `defs.raw.decode` gives."""
    harvest = _Harvest()
    root = parts_of(definition)
    todo = [("", root)]
    while todo:
        namespace, parts = todo.pop()
        _Module(namespace, parts, harvest).gather()
        todo += [(clip(m.full_name(namespace, clip(name))), parts_of(module)) for name, module in parts.submodules]
    version = definition.version if isinstance(definition, ModuleDef) else version_of(definition)
    return _in_order(version, root, harvest)


def _in_order(version: int, root: ModuleParts, harvest: _Harvest) -> m.Description:
    """Items by full name; of one name, in the order found. Routes are matched in order, so they keep theirs."""
    orders = {kind: _order(items) for kind, items in harvest.items.items()}
    places = {kind: {old: new for new, old in enumerate(order)} for kind, order in orders.items()}

    def moved(node: _Found) -> m.Node:
        return m.Node(node.kind, places[node.kind][node.position])

    def ordered(kind: m.NodeKind, cls: type[_Item]) -> tuple[_Item, ...]:
        found = (harvest.items[kind][position] for position in orders[kind])
        return tuple(item for item in found if isinstance(item, cls))

    links = {m.Link(link.kind, moved(link.source), moved(link.target), link.label) for link in harvest.links}
    return m.Description(
        version,
        ordered(m.NodeKind.TABLE, m.Table),
        ordered(m.NodeKind.VIEW, m.View),
        ordered(m.NodeKind.REDUCER, m.Reducer),
        ordered(m.NodeKind.PROCEDURE, m.Procedure),
        tuple(m.Route(clip(method), path, clip(handler)) for method, path, handler in root.routes),
        None if root.environment is None else _environment(root),
        tuple(sorted(set(root.row_level_security))),
        ordered(m.NodeKind.TYPE, m.NamedType),
        tuple(sorted(links, key=_link_order)),
    )


def _order(items: Sequence[_HasFullName]) -> list[int]:
    return sorted(range(len(items)), key=lambda position: items[position].full_name)


def _link_order(link: m.Link) -> tuple[str, int, str, int, str]:
    return link.source.kind.value, link.source.position, link.target.kind.value, link.target.position, link.label


def _environment(root: ModuleParts) -> tuple[m.Variable, ...]:
    found = (m.Variable(clip(v.name), v.choices, v.is_optional) for v in root.environment or ())
    return tuple(sorted(found, key=lambda variable: variable.name))


class _Module:
    """One module of the tree: what its references and names mean."""

    def __init__(self, namespace: str, parts: ModuleParts, harvest: _Harvest) -> None:
        self.namespace = namespace
        self.parts = parts
        self.harvest = harvest
        # of several names for one entry the last counts (spec: validation 1.1)
        self.paths = {kind.ref: kind.path for kind in parts.types}
        self.names = {ref: joined(path, ".") for ref, path in self.paths.items()}
        self.rows = {table.row_ref for table in parts.tables}
        self.texts = TypeTexts(parts.typespace, self.names)
        self.used: set[int] = set()
        self.defaults = Defaults(parts.typespace)
        self.nodes: dict[int, list[_Found]] = {}
        self.noted: list[tuple[m.LinkKind, _Found, frozenset[int], str]] = []

    def gather(self) -> None:
        """Add all items and links of the module to the harvest."""
        functions = self._functions()
        tables = [self._table(table, functions) for table in self.parts.tables]
        self._types()
        for table, node in zip(self.parts.tables, tables, strict=True):
            self.nodes.setdefault(table.row_ref, []).append(node)
        for kind, source, refs, label in self.noted:
            for ref in sorted(refs):
                self.harvest.link(kind, source, self._nodes_of(ref), label)

    def _nodes_of(self, ref: int) -> list[_Found]:
        """The tables of a row type, or the named type: at most a few, since many may share one."""
        nodes = self.nodes.get(ref, [])
        tables = [node for node in nodes if node.kind is m.NodeKind.TABLE]
        return (tables or nodes)[:4]

    def _note(self, kind: m.LinkKind, source: _Found, used: AlgebraicType, label: str) -> None:
        self.noted.append((kind, source, self._use(used), label))

    def _use(self, kind: AlgebraicType) -> frozenset[int]:
        refs = self.texts.reached(kind)
        self.used |= refs
        return refs

    # -- functions

    def _functions(self) -> dict[str, tuple[str, _Found]]:
        """Adds reducers, procedures and views; gives what a schedule may call, by name: reducers first."""
        callable_: dict[str, tuple[str, _Found]] = {}
        for reducer in self.parts.reducers:
            node = self.harvest.add(m.NodeKind.REDUCER, self._reducer(reducer))
            callable_.setdefault(reducer.name, ("reducer", node))
        for procedure in self.parts.procedures:
            node = self.harvest.add(m.NodeKind.PROCEDURE, self._procedure(procedure))
            callable_.setdefault(procedure.name, ("procedure", node))
        for view in self.parts.views:
            node = self.harvest.add(m.NodeKind.VIEW, self._view(view))
            self._note(m.LinkKind.RETURNS, node, _rows_of(view.returns), "")
        return callable_

    def _params(self, params: tuple[ProductTypeElement, ...]) -> tuple[m.Param, ...]:
        for param in params:
            self._use(param.algebraic_type)
        return tuple(m.Param(_name(p, i), self.texts.text(p.algebraic_type)) for i, p in enumerate(params))

    def _reducer(self, reducer: FunctionParts) -> m.Reducer:
        name = clip(reducer.name)
        return m.Reducer(self.namespace, name, self._params(reducer.params), reducer.lifecycle, reducer.is_private)

    def _procedure(self, procedure: FunctionParts) -> m.Procedure:
        self._use(procedure.returns)
        returns = None if self.texts.is_unit(procedure.returns) else self.texts.text(procedure.returns)
        params = self._params(procedure.params)
        return m.Procedure(self.namespace, clip(procedure.name), params, returns, procedure.is_private)

    def _view(self, view: FunctionParts) -> m.View:
        return m.View(
            self.namespace,
            clip(view.name),
            self._params(view.params),
            self.texts.text(_rows_of(view.returns)),
            not view.is_private,
            view.is_anonymous,
            clip_list((clip(name) for name in view.primary_key), len(view.primary_key)),
        )

    # -- tables

    def _table(self, table: TableParts, functions: dict[str, tuple[str, _Found]]) -> _Found:
        elements = self._row(table.row_ref)
        names = _ColumnNames(elements or ())
        single = {unique.columns[0] for unique in table.uniques if len(set(unique.columns)) == 1}
        columns = tuple(self._column(i, element, table, single) for i, element in enumerate(elements or ()))
        made = m.Table(
            self.namespace,
            clip(table.name),
            table.is_public,
            table.is_event,
            table.is_system,
            columns,
            self._indexes(table, names),
            _uniques(table, names),
            self._schedule(table, names, functions),
            _outbox(table, names),
            self.names.get(table.row_ref),
            None if elements is not None else f"the row type &{table.row_ref} is no product",
        )
        node = self.harvest.add(m.NodeKind.TABLE, made)
        for column, element in zip(columns, elements or (), strict=True):
            self._note(m.LinkKind.USES, node, element.algebraic_type, column.name)
        if table.schedule and table.schedule.function in functions:
            called = functions[table.schedule.function][1]
            self.harvest.link(m.LinkKind.SCHEDULES, node, [called], names[table.schedule.at_column])
        return node

    def _row(self, ref: int) -> tuple[ProductTypeElement, ...] | None:
        """The fields of a table's row; None if it has no such type. A reference to a product is none either."""
        types = self.parts.typespace.types
        row = types[ref] if ref < len(types) else None
        return row.elements if isinstance(row, ProductType) else None

    def _column(self, position: int, element: ProductTypeElement, table: TableParts, single: set[int]) -> m.Column:
        default = table.defaults.get(position)
        kind = element.algebraic_type
        return m.Column(
            _name(element, position),
            self.texts.text(kind),
            position in table.primary_key[:1],
            position in single,
            position in table.sequences,
            None if default is None else self.defaults.text(kind, default),
        )

    def _indexes(self, table: TableParts, names: _ColumnNames) -> tuple[m.Index, ...]:
        def made(index: IndexParts) -> m.Index:
            words = (clip(table.name), names.joined(index.columns), "idx", index.algorithm)
            name = clip("_".join(words)) if index.name is None else clip(index.name)
            return m.Index(m.full_name(self.namespace, name), index.algorithm, names.listed(index.columns))

        return tuple(sorted((made(index) for index in table.indexes), key=lambda index: index.name))

    def _schedule(self, table: TableParts, names: _ColumnNames, functions: dict[str, tuple[str, _Found]]) -> m.Schedule | None:
        if table.schedule is None:
            return None
        kind = functions[table.schedule.function][0] if table.schedule.function in functions else None
        function = m.full_name(self.namespace, clip(table.schedule.function))
        return m.Schedule(function, kind, names[table.schedule.at_column])

    # -- types

    def _types(self) -> None:
        """Adds the named types that have an entry; whatever a used one refers to is used as well."""
        todo = list(self.used | self.rows)
        types = self.parts.typespace.types
        reaches: dict[int, frozenset[int]] = {}
        while todo:
            ref = todo.pop()
            if ref not in reaches and ref < len(types):
                reaches[ref] = self._inside(types[ref])
                if ref in self.used:
                    self.used |= reaches[ref]
                todo.extend(reaches[ref])
        for ref, path in self.paths.items():
            node = self.harvest.add(m.NodeKind.TYPE, self._named_type(ref, path))
            self.nodes[ref] = [node]
            if ref < len(types) and ref not in self.rows:
                for label, part in _members(types[ref]):
                    self.noted.append((m.LinkKind.USES, node, self.texts.reached(part), label))

    def _inside(self, kind: AlgebraicType) -> frozenset[int]:
        """The named entries that the parts of an entry refer to."""
        return frozenset().union(*(self.texts.reached(part) for _, part in _members(kind)))

    def _named_type(self, ref: int, path: tuple[str, ...]) -> m.NamedType:
        types = self.parts.typespace.types
        kind: AlgebraicType = types[ref] if ref < len(types) else Ref(ref)
        is_row, is_used = ref in self.rows, ref in self.used
        label = self.names[ref]
        match kind:
            case t.ProductType():
                fields = tuple(m.Member(name, self.texts.text(part)) for name, part in _members(kind))
                return m.NamedType(self.namespace, label, "product", fields, is_row, is_used)
            case t.SumType():
                variants = tuple(
                    m.Member(name, None if self.texts.is_unit(part) else self.texts.text(part)) for name, part in _members(kind)
                )
                return m.NamedType(self.namespace, label, "sum", variants, is_row, is_used)
            case _:
                return m.NamedType(self.namespace, label, "alias", (), is_row, is_used, self.texts.text(kind))


class _ColumnNames:
    """Names of columns by position; of those that are not there too. (spec: validation 2.3)"""

    def __init__(self, elements: tuple[ProductTypeElement, ...]) -> None:
        self.names = [_name(element, position) for position, element in enumerate(elements)]

    def __getitem__(self, position: int) -> str:
        return self.names[position] if position < len(self.names) else f"col_{position}"

    def listed(self, positions: Sequence[int]) -> tuple[str, ...]:
        return clip_list((self[position] for position in positions), len(positions))

    def joined(self, positions: Iterable[int]) -> str:
        return joined(self[position] for position in positions)


def _name(element: ProductTypeElement, position: int) -> str:
    return f"col_{position}" if element.name is None else clip(element.name)


def _members(kind: AlgebraicType) -> list[tuple[str, AlgebraicType]]:
    """Names and types of the fields or variants of an entry."""
    match kind:
        case t.ProductType():
            members = [(element.name, element.algebraic_type) for element in kind.elements]
        case t.SumType():
            members = [(variant.name, variant.algebraic_type) for variant in kind.variants]
        case _:
            members = [("", kind)]
    return [(str(i) if name is None else clip(name), part) for i, (name, part) in enumerate(members)]


def _uniques(table: TableParts, names: _ColumnNames) -> tuple[tuple[str, ...], ...]:
    """Columns of the unique constraints over several, in the order of the constraints' names. (spec: validation 2.3)"""

    def name(unique: UniqueParts) -> str:
        return unique.name or f"{clip(table.name)}_{names.joined(unique.columns)}_key"

    several = [unique for unique in table.uniques if len(set(unique.columns)) > 1]
    return tuple(names.listed(sorted(set(unique.columns))) for unique in sorted(several, key=name))


def _outbox(table: TableParts, names: _ColumnNames) -> m.Outbox | None:
    if table.outbox is None:
        return None
    outbox = table.outbox
    callback = None if outbox.on_result_reducer is None else clip(outbox.on_result_reducer)
    return m.Outbox(clip(outbox.remote_reducer), names[outbox.target_column], names.listed(outbox.arg_columns), callback)


def _rows_of(returns: AlgebraicType) -> AlgebraicType:
    """What a view returns; a query view's wrapper stands for an array. (spec: validation 2.10)"""
    match returns:
        case ProductType((ProductTypeElement("__query__", Ref() as row),)):
            return t.ArrayType(row)
    return returns
