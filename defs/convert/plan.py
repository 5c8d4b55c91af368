"""Which names the parts of tables can have in version 10, where many names are made and not chosen.

Version 10 makes the names of constraints and schedules itself, and all names share one namespace. A definition that was valid
as version 10 gets the names that it had. One of version 9 may have named its parts otherwise: made names come first, then
every index and sequence that can keeps its name, and the others get free ones. (spec: validation 2.3, 2.4, 5.3)
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, islice, permutations

from bsatn.types import ProductType
from defs.convert.loss import Loss, Path
from defs.raw.shared import BTree, Direct, Hash
from defs.schema.model import ConstraintDef, IndexDef, ModuleDef, SequenceDef, TableDef
from defs.validate import names
from defs.validate.scope import column_names

__all__ = ["Plan"]

_WORDS = {BTree: "btree", Hash: "hash", Direct: "direct"}
_MAX_ORDERS = 120  #: orders of a constraint's columns that are tried for a free name

PartKey = tuple[str, str]  #: canonical names of the table and of its part


class Plan:
    """The names, by table and part; what is lost by them; what cannot be said at all (`impossible`)."""

    def __init__(self, module: ModuleDef) -> None:
        self._typespace = module.typespace
        self.losses: list[Loss] = []
        self.impossible: list[Loss] = []
        self.constraints: dict[PartKey, tuple[str, tuple[int, ...]]] = {}  #: name and column order; those left out have none
        self.indexes: dict[PartKey, tuple[str, str]] = {}  #: source name and canonical name
        self.sequences: dict[PartKey, str] = {}
        self._numbers: dict[str, Iterator[int]] = {}  #: those not tried yet, by the name they are put after
        self._taken = {table.name for table in module.tables.values()}
        self._taken |= {table.accessor_name for table in module.tables.values()}
        self._taken |= set(module.views)
        tables = list(module.tables.values())
        for table in tables:
            self._schedule(table)
        self._place_constraints([(table, one) for table in tables for one in table.constraints.values()])
        self._place_others(tables)

    def generated_index_name(self, table: TableDef, index: IndexDef) -> str:
        """The name an index has when nobody says otherwise."""
        return names.generated_index_name(table.name, self._column_names(table, index.columns), _WORDS[type(index.algorithm)])

    # Made names

    def _column_names(self, table: TableDef, columns: tuple[int, ...]) -> list[str]:
        """The row type's fields, after which names are made. A special type's field is not called as its column is."""
        row = self._typespace[table.product_type_ref]
        assert isinstance(row, ProductType)
        return column_names(row, columns)

    def _schedule(self, table: TableDef) -> None:
        one = table.schedule
        if one is None:
            return
        name, path = names.generated_schedule_name(table.name), ("tables", table.name, "schedule")
        if name in self._taken:
            why = f"version 10 calls it {name}, and something else is called that"
            self.impossible.append(Loss(path, f"the schedule {one.name}", why))
        elif name != one.name:
            self.losses.append(Loss(path, f"the schedule's name {one.name}", f"it becomes {name}"))
        self._taken.add(name)

    def _place_constraints(self, todo: list[tuple[TableDef, ConstraintDef]]) -> None:
        """Those whose own column order gives a free name first, beginning with those that have no other; then the others."""
        left = []
        for table, one in sorted(todo, key=lambda part: len(part[1].columns)):
            columns = one.columns if one.declared_columns is None else one.declared_columns
            if not self._constraint(table, one, columns):
                left.append((table, one))
        exhausted: set[tuple[str, tuple[int, ...]]] = set()
        placed = {(table, tuple(sorted(columns))) for (table, _), (_, columns) in self.constraints.items()}
        for table, one in left:
            key = table.name, one.columns
            orders = islice(permutations(one.columns), 0 if key in exhausted else _MAX_ORDERS)
            if any(self._constraint(table, one, order) for order in orders):
                placed.add(key)
            else:
                exhausted.add(key)
                self._unplaced(table, one, key in placed)

    def _constraint(self, table: TableDef, one: ConstraintDef, columns: tuple[int, ...]) -> bool:
        name = names.generated_key_name(table.name, self._column_names(table, columns))
        if name in self._taken:
            return False
        self._taken.add(name)
        self.constraints[table.name, one.name] = name, columns
        if name != one.name:
            self.losses.append(Loss(_path(table, "constraints", one.name), "the constraint's name", f"it becomes {name}"))
        return True

    def _unplaced(self, table: TableDef, one: ConstraintDef, has_twin: bool) -> None:
        path = _path(table, "constraints", one.name)
        if has_twin:
            self.losses.append(Loss(path, "a second constraint over the same columns", "only the other one is kept"))
        else:
            made = names.generated_key_name(table.name, self._column_names(table, one.columns))
            why = f"version 10 calls it {made}, and something else is called that"
            self.impossible.append(Loss(path, "the constraint", why))

    # Names that can be given

    def _place_others(self, tables: list[TableDef]) -> None:
        left: list[tuple[TableDef, IndexDef | SequenceDef]] = []
        for table in tables:
            for index in table.indexes.values():
                wanted = {index.name, index.source_name}
                if names.identifier_fault(index.name) or wanted & self._taken:
                    left.append((table, index))
                else:
                    self._taken |= wanted
                    self.indexes[table.name, index.name] = index.source_name, index.name
            for sequence in table.sequences.values():
                if sequence.name in self._taken:
                    left.append((table, sequence))
                else:
                    self._taken.add(sequence.name)
                    self.sequences[table.name, sequence.name] = sequence.name
        for table, part in left:
            if isinstance(part, IndexDef):
                self._rename_index(table, part)
            else:
                name = self.sequences[table.name, part.name] = self._free(part.name)
                self._renamed(_path(table, "sequences", part.name), "sequence", name)

    def _rename_index(self, table: TableDef, index: IndexDef) -> None:
        usable = index.name not in self._taken and not names.identifier_fault(index.name)
        name = index.name if usable else self._free(self.generated_index_name(table, index))
        self._taken.add(name)
        source = name if index.source_name in self._taken else index.source_name
        self._taken.add(source)
        self.indexes[table.name, index.name] = source, name
        path = _path(table, "indexes", index.name)
        if name != index.name:
            self._renamed(path, "index", name)
        if source != index.source_name:
            self.losses.append(Loss(path, f"the index's alias {index.source_name}", f"it becomes {source}"))

    def _renamed(self, path: Path, noun: str, name: str) -> None:
        self.losses.append(Loss(path, f"the {noun}'s name", f"it becomes {name}"))

    def _free(self, name: str) -> str:
        """The name, or that with the first number that nobody has."""
        found, numbers = name, self._numbers.setdefault(name, count(2))
        while found in self._taken:
            found = f"{name}_{next(numbers)}"
        self._taken.add(found)
        return found


def _path(table: TableDef, part: str, name: str) -> Path:
    return "tables", table.name, part, name
