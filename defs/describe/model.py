"""Description: a module as plain data, for whoever draws, prints or lists it.

Everything is an immutable record of strings, flags and tuples, already sorted the way descriptions list it:
by full name. Types are texts. What the texts cannot say, which table uses which type and what calls what, is
in `links`, by position, so that two things of one name (a broken definition can have them) stay two things.

Names are exactly what the definition says, control characters and all, up to `MAX_NAME` characters: a
renderer must make them safe for its medium (`defs.describe.words` helps). Submodules are flattened: each item
has the `namespace` it is mounted under, empty at the root, and `full_name` is what SQL and clients call it.
"""

from __future__ import annotations

import enum
from typing import NamedTuple

from bsatn.frozen import frozen

__all__ = [
    "Column", "Description", "Index", "Link", "LinkKind", "Member", "NamedType", "Node", "NodeKind", "Outbox", "Param",
    "Procedure", "Reducer", "Route", "Schedule", "Table", "Variable", "View", "full_name",
]  # fmt: skip


def full_name(namespace: str, name: str) -> str:
    """The name with the namespace it is mounted under."""
    return f"{namespace}.{name}" if namespace else name


@frozen
class _Named:
    namespace: str
    name: str

    @property
    def full_name(self) -> str:
        """The name with the namespace it is mounted under."""
        return full_name(self.namespace, self.name)


@frozen
class Column:
    """A column of a table. `default` is the text of the value, None without one."""

    name: str
    type: str
    is_primary_key: bool = False
    is_unique: bool = False
    is_auto_increment: bool = False
    default: str | None = None


@frozen
class Index:
    """An index; `algorithm` is btree, hash or direct. The name has the namespace in it."""

    name: str
    algorithm: str
    columns: tuple[str, ...]


@frozen
class Schedule:
    """What rows of a table call, at the time in `column`. `function_kind` is reducer, procedure, or None if unknown."""

    function: str
    function_kind: str | None
    column: str


@frozen
class Outbox:
    """The reducer of another database that rows of a table call."""

    remote_reducer: str
    target_column: str
    arg_columns: tuple[str, ...]
    on_result_reducer: str | None


@frozen
class Table(_Named):
    """A table. `unique_constraints` holds those over several columns; a column's own is its flag.

    `problem` says why the columns are not known, for a definition that is not valid.
    """

    is_public: bool
    is_event: bool
    is_system: bool
    columns: tuple[Column, ...]
    indexes: tuple[Index, ...] = ()
    unique_constraints: tuple[tuple[str, ...], ...] = ()
    schedule: Schedule | None = None
    outbox: Outbox | None = None
    row_type: str | None = None
    problem: str | None = None


@frozen
class Param:
    """A parameter of a function."""

    name: str
    type: str


@frozen
class View(_Named):
    """A function that clients subscribe to. `primary_key` names columns of its rows."""

    params: tuple[Param, ...]
    return_type: str
    is_public: bool
    is_anonymous: bool
    primary_key: tuple[str, ...] = ()


@frozen
class Reducer(_Named):
    """A transaction. `lifecycle` is init, client_connected or client_disconnected; None for a plain one."""

    params: tuple[Param, ...]
    lifecycle: str | None
    is_private: bool


@frozen
class Procedure(_Named):
    """A function that returns a value; `return_type` is None when it is the unit type."""

    params: tuple[Param, ...]
    return_type: str | None
    is_private: bool


@frozen
class Route:
    """An HTTP request that a handler answers; `method` is ANY for every one."""

    method: str
    path: str
    handler: str


@frozen
class Variable:
    """An environment variable. `choices` are the values it may have; None means any string."""

    name: str
    choices: tuple[str, ...] | None
    is_optional: bool


@frozen
class Member:
    """A field of a product or a variant of a sum; `type` is None for a variant without payload."""

    name: str
    type: str | None


@frozen
class NamedType(_Named):
    """A named type; `name` has its scopes in it. `kind` is product, sum, or alias: then `alias` is the type's
    text.

    `is_row`: it is the row type of a table, and shown there. `is_used`: some column, parameter or result
    reaches it.
    """

    kind: str
    members: tuple[Member, ...]
    is_row: bool
    is_used: bool
    alias: str = ""

    @property
    def is_listed(self) -> bool:
        """Whether lists of the module's types include it: it is used, and no table shows it already."""
        return self.is_used and not self.is_row


class NodeKind(enum.Enum):
    """Which list of the description a node stands in."""

    TABLE = "tables"
    VIEW = "views"
    REDUCER = "reducers"
    PROCEDURE = "procedures"
    TYPE = "types"


class Node(NamedTuple):
    """One item of the description: its list and its position there."""

    kind: NodeKind
    position: int


class LinkKind(enum.Enum):
    """What one item has to do with another."""

    USES = "uses"  #: a column or member has that type (or that table's row type)
    SCHEDULES = "schedules"  #: rows of the table call that function
    RETURNS = "returns"  #: the view's rows are of that type or table


class Link(NamedTuple):
    """A reference between items; `label` is the column or member it stands in, empty for a view's result."""

    kind: LinkKind
    source: Node
    target: Node
    label: str


@frozen
class Description:
    """A module. `version` is that of the definition, 8 to 10. `environment` is None if undeclared, which is not empty."""

    version: int
    tables: tuple[Table, ...] = ()
    views: tuple[View, ...] = ()
    reducers: tuple[Reducer, ...] = ()
    procedures: tuple[Procedure, ...] = ()
    routes: tuple[Route, ...] = ()
    environment: tuple[Variable, ...] | None = None
    row_level_security: tuple[str, ...] = ()
    types: tuple[NamedType, ...] = ()
    links: tuple[Link, ...] = ()

    @property
    def listed_types(self) -> tuple[NamedType, ...]:
        """The named types that are used and that no table shows already."""
        return tuple(t for t in self.types if t.is_listed)
