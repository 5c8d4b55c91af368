"""The steps of a plan, in the order in which the server sorts and executes them: one class each. (spec: compat 2.1)

A step names what it is about by namespace and canonical name, or by its SQL. `since` is the first release whose planner has it.
Steps sort by the position of their class, then by namespace segment by segment, then by name, all as UTF-8 bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any, ClassVar, TypeAlias, TypeVar, dataclass_transform

from bsatn.frozen import frozen
from defs.schema.model import NamespacePath

__all__ = [
    "STEPS", "AddColumns", "AddConstraint", "AddIndex", "AddRowLevelSecurity", "AddSchedule", "AddSequence", "AddTable",
    "AddView", "ChangeAccess", "ChangeColumnAccessorName", "ChangeColumns", "ChangeIndexSourceName", "ChangeOutbox",
    "ChangePrimaryKey", "ChangeTableAccessorName", "CheckAddSequenceRangeValid", "DisconnectAllUsers", "Key", "Precheck",
    "RemoveConstraint", "RemoveIndex", "RemoveRowLevelSecurity", "RemoveSchedule", "RemoveSequence", "RemoveTable",
    "RemoveView", "ReschemaEventTable", "Step", "UpdateView",
]  # fmt: skip

Key: TypeAlias = tuple[NamespacePath, str]  #: where it is, and its canonical name there
_S = TypeVar("_S", bound="Step")


def _sortable(value: Any) -> Any:
    return value.encode() if isinstance(value, str) else tuple(map(_sortable, value))


class Step:
    """Base of the steps."""

    __slots__ = ()
    kind: ClassVar[str] = ""
    rank: ClassVar[int] = -1
    since: ClassVar[str] = ""

    @property
    def sort_key(self) -> tuple[Any, ...]:
        """What the server sorts by."""
        return (self.rank, *(_sortable(getattr(self, part.name)) for part in fields(self)))  # type: ignore[arg-type]

    def to_json(self) -> dict[str, Any]:
        """The step as plain data: `kind`, and its fields."""
        values = {part.name: getattr(self, part.name) for part in fields(self)}  # type: ignore[arg-type]
        return {"kind": self.kind, **{name: list(value) if name == "namespace" else value for name, value in values.items()}}


@frozen
class _Named(Step):
    namespace: NamespacePath
    name: str

    @property
    def key(self) -> Key:
        """The namespace and the name."""
        return self.namespace, self.name


@frozen
class _Rule(Step):
    sql: str


STEPS: list[type[Step]] = []  #: every step, in the server's order


@dataclass_transform(frozen_default=True)
def _step(since: str) -> Callable[[type[_S]], type[_S]]:
    """Declare the next step."""

    def declare(cls: type[_S]) -> type[_S]:
        made: type[_S] = frozen(cls)
        made.kind, made.rank, made.since = cls.__name__, len(STEPS), since
        STEPS.append(made)
        return made

    return declare


@_step("1.0.0")
class RemoveIndex(_Named):
    """The old index goes: the new module has none of its name, or another one."""


@_step("1.0.0")
class RemoveConstraint(_Named):
    """The old unique constraint goes."""


@_step("1.0.0")
class RemoveSequence(_Named):
    """The old sequence goes: no such name, or on another column."""


@_step("1.0.0")
class RemoveSchedule(_Named):
    """The table's schedule goes, or becomes another; named as in the old module."""


@_step("1.8.0")
class RemoveView(_Named):
    """The old view goes: no such name, or it changed incompatibly."""


@_step("1.0.0")
class RemoveRowLevelSecurity(_Rule):
    """An old rule goes: every one does, to be put back by AddRowLevelSecurity."""


@_step("2.2.0")
class RemoveTable(_Named):
    """The old table goes with all its parts."""


@_step("1.3.0")
class ChangeColumns(_Named):
    """Types of columns grew."""


@_step("2.5.0")
class ReschemaEventTable(_Named):
    """The columns of an event table are others, in any way."""


@_step("1.4.0")
class AddColumns(_Named):
    """The table is written anew, with columns added at its end."""


@_step("2.8.2")
class ChangeIndexSourceName(_Named):
    """The index has another alias."""


@_step("2.8.2")
class ChangeTableAccessorName(_Named):
    """The table has another alias."""


@_step("2.12.0")
class ChangeOutbox(_Named):
    """The table's outbox calls something else, or otherwise."""


@_step("2.8.2")
class ChangeColumnAccessorName(_Named):
    """The column has another alias."""

    column: str


@_step("1.0.0")
class AddTable(_Named):
    """A new table with all its parts."""


@_step("1.0.0")
class AddIndex(_Named):
    """A new index on a table that was there."""


@_step("2.7.0-hotfix2")
class AddConstraint(_Named):
    """A new unique constraint on a table that was there."""


@_step("1.0.0")
class AddSequence(_Named):
    """A new sequence on a table that was there."""


@_step("1.0.0")
class AddSchedule(_Named):
    """The table gets a schedule, or another one; named as in the new module."""


@_step("1.8.0")
class AddView(_Named):
    """A new view, or one that changed incompatibly."""


@_step("1.0.0")
class AddRowLevelSecurity(_Rule):
    """A rule of the new module, every one."""


@_step("1.0.0")
class ChangeAccess(_Named):
    """The table or view becomes public or private."""


@_step("2.2.0")
class ChangePrimaryKey(_Named):
    """The table has another primary key, or none."""


@_step("1.8.0")
class UpdateView(_Named):
    """The view is evaluated by the new module's code."""


@_step("1.4.0")
class DisconnectAllUsers(Step):
    """All clients are disconnected: their bindings do not fit any more."""


@frozen
class CheckAddSequenceRangeValid(_Named):
    """Before anything is done: no row has a value that the new sequence would generate."""

    kind: ClassVar[str] = "CheckAddSequenceRangeValid"
    rank: ClassVar[int] = 0
    since: ClassVar[str] = "1.0.0"


Precheck: TypeAlias = CheckAddSequenceRangeValid
