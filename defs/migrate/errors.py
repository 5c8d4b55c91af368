"""Why a new definition cannot replace an old one by itself: one class an `AutoMigrateError` variant, in rank order.

A class is its sentence and its fields, as upstream names and orders them; `kind`, `message`, `debug` and `sort_key` follow (see
`defs.validate.rustlike`). `path` is ours: where it is, `("auth", "tables", "user", "columns", "name")` with the namespaces
before; upstream's sentences have local names only. `since` and `until` say which releases can answer so. (spec: compat 3)

The sentences are the server's word for word. Two mislead: "with fewer fields" is said of more fields as well, and a renamed
part within a type is told as if the column's own type were shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, ClassVar, TypeAlias

from bsatn.errors import BsatnError
from bsatn.frozen import frozen
from defs.raw.shared import TableType
from defs.validate.placed import Placed
from defs.validate.rustlike import ColId, Family, Name, OptionalName, Pretty, Rust, TypeRef, variant

__all__ = [
    "AddColumn", "AddOutbox", "AddUniqueConstraint", "ChangeColumnType", "ChangeColumnTypeAlignMismatch",
    "ChangeColumnTypeFewerFields", "ChangeColumnTypeFewerVariants", "ChangeColumnTypeParts", "ChangeColumnTypeRenamedField",
    "ChangeColumnTypeRenamedVariant", "ChangeColumnTypeSizeMismatch", "ChangeIndexAccessor", "ChangeOutboxPrimaryKey",
    "ChangeOutboxTargetColumn", "ChangeTableEventFlag", "ChangeTableType", "ChangeUniqueConstraint",
    "ChangeWithinColumnType", "ChangeWithinColumnTypeAlignMismatch", "ChangeWithinColumnTypeFewerFields",
    "ChangeWithinColumnTypeFewerVariants", "ChangeWithinColumnTypeRenamedField", "ChangeWithinColumnTypeRenamedVariant",
    "ChangeWithinColumnTypeSizeMismatch", "MigrationError", "MigrationErrors", "RemoveColumn", "RemoveOutbox",
    "RemoveTable", "ReorderTable", "ServerWouldCrash", "TypeChange",
]  # fmt: skip

OptionalColId: TypeAlias = Annotated[
    int | None,
    Rust(
        lambda value: "None" if value is None else f"Some(ColId({value}))",
        key=lambda value, _: () if value is None else (value,),
    ),
]


class MigrationError(Placed, family=True):
    """One reason why the server refuses."""

    __slots__ = ()
    since: ClassVar[str] = "1.0.0"


class ColumnTypeParts(Family, family=True):
    """Base of what the errors about types are about."""

    __slots__ = ()


@variant("column {column} of table {table}: {type1} to {type2}")
class ChangeColumnTypeParts(ColumnTypeParts):
    """A column, and two types without references: the column's own, or the parts of it that differ."""

    table: Name
    column: Name
    type1: Pretty
    type2: Pretty


@frozen(eq=False, repr=False)
class TypeChange(MigrationError):
    """A column's type is not what the old one may become."""

    parts: ChangeColumnTypeParts


_FROM_TO = "column {parts.column} in table {parts.table} from {parts.type1} to {parts.type2}"
_OF = f"Changing the type of {_FROM_TO}"
_WITHIN = f"Changing a type within {_FROM_TO}"
_MANUAL = "requires a manual migration"


@variant("Adding a column {column} to table {table} requires a default value annotation")
class AddColumn(MigrationError):
    table: Name
    column: Name


@variant(f"Removing a column {{column}} from table {{table}} {_MANUAL}")
class RemoveColumn(MigrationError):
    table: Name
    column: Name


@variant(f"Reordering table {{table}} {_MANUAL}")
class ReorderTable(MigrationError):
    table: Name


@variant(f"{_OF} {_MANUAL}", tuple_like=True)
class ChangeColumnType(TypeChange): ...


@variant(f"{_WITHIN} {_MANUAL}", tuple_like=True)
class ChangeWithinColumnType(TypeChange):
    since = "1.3.0"


@variant(f"{_OF}, with fewer variants, {_MANUAL}", tuple_like=True)
class ChangeColumnTypeFewerVariants(TypeChange):
    since = "1.3.0"


@variant(f"{_WITHIN}, with fewer variants, {_MANUAL}", tuple_like=True)
class ChangeWithinColumnTypeFewerVariants(TypeChange):
    since = "1.3.0"


@variant(f"{_OF}, with a renamed variant, {_MANUAL}", tuple_like=True)
class ChangeColumnTypeRenamedVariant(TypeChange):
    since = "1.3.0"


@variant(f"{_OF}, with a renamed variant, {_MANUAL}", tuple_like=True)
class ChangeWithinColumnTypeRenamedVariant(TypeChange):
    since = "1.3.0"


@variant(f"{_OF}, {_MANUAL}, due to size mismatch", tuple_like=True)
class ChangeColumnTypeSizeMismatch(TypeChange):
    since = "1.3.0"


@variant(f"{_WITHIN}, {_MANUAL}, due to size mismatch", tuple_like=True)
class ChangeWithinColumnTypeSizeMismatch(TypeChange):
    since = "1.3.0"


@variant(f"{_OF}, {_MANUAL}, due to alignment mismatch", tuple_like=True)
class ChangeColumnTypeAlignMismatch(TypeChange):
    since = "1.3.0"


@variant(f"{_WITHIN}, {_MANUAL}, due to alignment mismatch", tuple_like=True)
class ChangeWithinColumnTypeAlignMismatch(TypeChange):
    since = "1.3.0"


@variant(f"{_OF}, with fewer fields, {_MANUAL}", tuple_like=True)
class ChangeColumnTypeFewerFields(TypeChange):
    since = "1.3.0"


@variant(f"{_WITHIN}, with fewer fields, {_MANUAL}", tuple_like=True)
class ChangeWithinColumnTypeFewerFields(TypeChange):
    since = "1.3.0"


@variant(f"{_OF}, with a renamed field, {_MANUAL}", tuple_like=True)
class ChangeColumnTypeRenamedField(TypeChange):
    since = "1.3.0"


@variant(f"{_OF}, with a renamed field, {_MANUAL}", tuple_like=True)
class ChangeWithinColumnTypeRenamedField(TypeChange):
    since = "1.3.0"


@variant(f"Adding a unique constraint {{constraint}} {_MANUAL}")
class AddUniqueConstraint(MigrationError):
    """Of releases before 2.7.0-hotfix2."""

    constraint: Name


@variant(f"Changing a unique constraint {{constraint}} {_MANUAL}")
class ChangeUniqueConstraint(MigrationError):
    constraint: Name


@variant(f"Removing the table {{table}} {_MANUAL}")
class RemoveTable(MigrationError):
    """Of releases before 2.2.0."""

    table: Name


@variant(f"Changing the table type of table {{table}} from {{type1!r}} to {{type2!r}} {_MANUAL}")
class ChangeTableType(MigrationError):
    table: Name
    type1: TableType
    type2: TableType


@variant(f"Changing the event flag of table {{table}} {_MANUAL}")
class ChangeTableEventFlag(MigrationError):
    since = "2.0.0"
    table: Name


@variant(f"Changing the target column of outbox table {{table}} from {{old_target!r}} to {{new_target!r}} {_MANUAL}")
class ChangeOutboxTargetColumn(MigrationError):
    since = "2.12.0"
    table: Name
    old_target: ColId
    new_target: ColId


@variant(f"Changing the primary key of outbox table {{table}} from {{old_primary_key!r}} to {{new_primary_key!r}} {_MANUAL}")
class ChangeOutboxPrimaryKey(MigrationError):
    since = "2.12.0"
    table: Name
    old_primary_key: OptionalColId
    new_primary_key: OptionalColId


@variant(f"Adding outbox metadata to table {{table}} {_MANUAL}")
class AddOutbox(MigrationError):
    since = "2.12.0"
    table: Name


@variant(f"Removing outbox metadata from table {{table}} {_MANUAL}")
class RemoveOutbox(MigrationError):
    since = "2.12.0"
    table: Name


@variant(f"Changing the accessor name on index {{index}} from {{old_accessor!r}} to {{new_accessor!r}} {_MANUAL}")
class ChangeIndexAccessor(MigrationError):
    index: Name
    old_accessor: OptionalName
    new_accessor: OptionalName


@variant("the server crashes while it plans this: the type of {what} refers to itself through {ref}")
class ServerWouldCrash(MigrationError):
    """Ours: there is no answer of upstream's, because it panics. (spec: compat 2.2)"""

    what: Name
    ref: TypeRef


class MigrationErrors(BsatnError):
    """The server refuses: `errors` holds every reason, sorted by rank and fields, repeats included.

    `str()` has a line for each, with its place. Sentences quote whole types: past `SHOWN` characters errors are only counted.
    """

    SHOWN: ClassVar[int] = 1 << 20

    def __init__(self, errors: Iterable[MigrationError]) -> None:
        self.errors = tuple(errors)
        super().__init__("MigrationErrors", self._lines())

    def _lines(self) -> str:
        lines: list[str] = []
        room = self.SHOWN
        for error in self.errors:
            if room <= 0:
                return "\n".join([*lines, f"... and {len(self.errors) - len(lines)} more"])
            line = f"{error.where}: {error.message}" if error.path else error.message
            lines.append("".join(char if char.isprintable() else f"\\u{{{ord(char):x}}}" for char in line))
            room -= len(line)
        return "\n".join(lines)

    @property
    def reason(self) -> str:
        """All of it as the server says it to whoever publishes, in our order: `Errors occurred:`, then every sentence."""
        return "Errors occurred:\n" + "".join(f"{error.message}\n\n" for error in self.errors)
