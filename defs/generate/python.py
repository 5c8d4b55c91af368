"""A module as typed Python: records of its types, tables to query, calls of its functions.

In the file stand, in this order: enums, records and cases of every type; sums of cases; a class for each table and view, with
an instance of it named as the table's accessor; a record for the arguments of each reducer and procedure. Those of mounted
modules have the namespace before their names. Clients' functions only: lifecycle reducers are the server's to call.
(spec: validation 7; event-tables 6.1)
"""

from __future__ import annotations

from collections.abc import Sequence

from bsatn.types import AlgebraicType, ProductType
from defs.generate.lines import imported, spread, text_literal
from defs.generate.names import pascal
from defs.generate.types import Scope, Writer, has_literals
from defs.query.runtime import single_indexes, sql_name
from defs.raw.v10 import FunctionVisibility
from defs.schema.generate import ProductTypeDef, Use
from defs.schema.model import ModuleDef, ProcedureDef, ReducerDef, TableDef, ViewDef
from defs.validate.generate import Builder
from defs.validate.reasons import CodegenError

__all__ = ["to_python"]

_TITLE = '"""A SpacetimeDB module for its clients, by `bsatn generate`: do not edit."""'
_CALLS = "defs.generate.calls"


def to_python(module: ModuleDef) -> str:
    """The source text of a Python module, in which every name is the module's accessor as far as Python allows it."""
    writer = Writer()
    parts = [_Part(writer, part) for part in module.modules()]
    for part in parts:
        part.name_types()
    for part in parts:
        part.write_types()
    tables = [line for part in parts for line in part.tables()]
    for part in parts:
        part.write_functions()
    lines = [_TITLE, "", "from __future__ import annotations", *_imports(writer), *writer.classes]
    lines += ["", "", *writer.sums] if writer.sums else []
    return "\n".join([*lines, *tables, *writer.calls]) + "\n"


def _imports(writer: Writer) -> list[str]:
    needed = dict(writer.imports)
    groups = [["import enum"] if "enum" in needed else []]
    needed.pop("enum", None)
    groups[0] += imported("typing", needed.pop("typing", ()))
    groups.append([line for name in sorted(needed) for line in imported(name, needed[name])])
    return [line for group in groups if group for line in ("", *group)]


class _Part:
    """One module of the file: the root, or one that is mounted."""

    def __init__(self, writer: Writer, module: ModuleDef) -> None:
        self.writer, self.module = writer, module
        self.scope = Scope(writer, {}, module.accessor_path)
        self.uses = Builder(module.typespace, module.typespace_for_generate)
        self.rows: dict[int, tuple[str, list[str]]] = {}  # class and attributes of the rows, by entry of the typespace
        self.classes: dict[str, str] = {}  # of tables and views, by canonical name

    # Types

    def name_types(self) -> None:
        """Names for all types and tables, so that each can be written wherever another is used."""
        for ref in self.module.typespace_for_generate:
            named = self.module.type_names[ref]
            self.scope.given[ref] = self.writer.type_name(pascal(*self.module.accessor_path, *named.scope) + named.name)
        for table in self.module.tables.values():
            ref = table.product_type_ref
            if ref not in self.scope.given and ref not in self.rows:
                name = self.writer.type_name(pascal(*self.module.accessor_path, table.accessor_name) + "Row")
                self.rows[ref] = name, []
        for kind, those in (("Table", self.module.tables), ("View", self.module.views)):
            for one in those.values():
                self.classes[one.name] = self.writer.type_name(pascal(*self.module.accessor_path, one.accessor_name) + kind)

    def write_types(self) -> None:
        """All records, enums and sums."""
        written = set[int]()
        for ref in self.module.typespace_for_generate:
            definition = self.module.typespace_for_generate[ref]
            if isinstance(definition, ProductTypeDef):
                self.rows[ref] = self.scope.given[ref], self.scope.record(self.scope.given[ref], definition.elements)
            else:
                self.scope.define(ref, definition)
        for table in self.module.tables.values():
            ref = table.product_type_ref
            if ref not in self.scope.given and ref not in written:
                written.add(ref)
                name, _ = self.rows[ref]
                fields = [(column.accessor_name, self.use(column.ty)) for column in table.columns]
                self.rows[ref] = name, self.scope.record(name, fields)

    def use(self, kind: AlgebraicType) -> Use:
        """A type as a use; a valid module's all are."""
        found = self.uses.use(kind)
        assert not isinstance(found, CodegenError), found
        return found

    # Tables and views

    def tables(self) -> list[str]:
        """Classes and instances of the tables and views."""
        lines: list[str] = []
        for table in self.module.tables.values():
            indexed = single_indexes(table)
            columns = [(one.accessor_name, self.use(one.ty), one.col_id in indexed) for one in table.columns]
            base = "EventTable" if table.is_event else "Table"
            lines += self.table(table, base, columns, f"A {'public' if table.is_public else 'private'} table")
        for view in self.module.views.values():
            if view.params.elements:
                lines += self.call(view)
            else:
                columns = [(one.accessor_name, self.use(one.ty), False) for one in view.return_columns]
                lines += self.table(view, "View", columns, "A view")
        return lines

    def table(self, table: TableDef | ViewDef, base: str, columns: Sequence[tuple[str, Use, bool]], what: str) -> list[str]:
        """The class of a table, and its instance."""
        writer = self.writer
        row, attributes = self.rows[table.product_type_ref]
        path = self.module.accessor_path
        name = self.classes[table.name]
        instance = writer.names.give("_".join((*path, table.accessor_name)), "table")
        sql = text_literal(sql_name(self.module, table))
        lines = ["", "", *spread(f"class {name}(", [f"{writer.need('defs.query', base)}[{row}]", f"name={sql}"], "):")]
        rows = "events" if base == "EventTable" else "rows"
        lines += [f'    """{what} of {rows}."""', *([""] if columns else [])]
        for attribute, (wire, use, indexed) in zip(attributes, columns, strict=True):
            cls = writer.need("defs.query", "IndexedColumn" if indexed else "Column")
            arguments = [name, self.scope.literals(use), self.scope.kind(use)]
            if attribute == wire:
                lines += spread(f"    {attribute}: {cls}[", arguments, "]")
            else:
                writer.need("typing", "Annotated")
                column = f"{cls}[{', '.join(arguments)}]"
                lines += spread(f"    {attribute}: Annotated[", [column, text_literal(wire)], "]")
        return [*lines, "", "", f"{instance} = {name}()"]

    def call(self, view: ViewDef) -> list[str]:
        """A function that makes the query of a view with parameters, where SQL can say all of them."""
        writer, names = self.writer, self.writer.attributes()
        row, _ = self.rows[view.product_type_ref]
        name = writer.names.give("_".join((*self.module.accessor_path, view.accessor_name)), "view")
        sql = sql_name(self.module, view)
        params = self.params(view.source_params)
        mute = [wire for wire, use in params if not has_literals(use)]
        if mute:
            return ["", "", f"# The view {sql} has no query: SQL has no literals for {', '.join(mute)}."]
        given = [(names.give(wire, "argument"), use) for wire, use in params]
        signature = [f"{one}: {self.scope.annotation(use)}" for one, use in given]
        pairs = [f"({self.scope.kind(use)}, {one})" for one, use in given]
        lines = ["", "", *spread(f"def {name}(", signature, f") -> {writer.need('defs.query', 'Call')}[{row}]:")]
        lines += ['    """The rows of a view for these arguments."""']
        return [*lines, *spread(f"    return Call({text_literal(sql)}, [", pairs, "])")]

    # Functions

    def params(self, params: ProductType) -> list[tuple[str, Use]]:
        """Names and types of parameters."""
        return [(one.name or f"argument{place}", self.use(one.algebraic_type)) for place, one in enumerate(params.elements)]

    def write_functions(self) -> None:
        """A record for the arguments of each function."""
        for reducer in self.module.reducers.values():
            if reducer.lifecycle is None:
                self.function(reducer, self.writer.need(_CALLS, "ReducerCall"), [])
        for procedure in self.module.procedures.values():
            returns = self.use(procedure.return_type)
            annotation = self.scope.annotation(returns)
            base = f"{self.writer.need(_CALLS, 'ProcedureCall')}[{annotation}]"
            self.function(procedure, base, [f"    RETURNS = {annotation}"])

    def function(self, function: ReducerDef | ProcedureDef, base: str, more: list[str]) -> None:
        """The record of a function's arguments."""
        path = self.module.accessor_path
        name = self.writer.names.give(pascal(*path, function.accessor_name) + "Args", "Args")
        kind = "reducer" if isinstance(function, ReducerDef) else "procedure"
        access = "" if function.visibility is FunctionVisibility.ClientCallable else ", which only the module calls"
        head = [f'    """Arguments of a {kind}{access}."""', "", f"    NAME = {text_literal(function.qualified_name)}", *more]
        reserved = ("NAME", "RETURNS", "encode", "decode", "decode_result")
        self.scope.record(name, self.params(function.source_params), base=base, head=head, reserved=reserved)
