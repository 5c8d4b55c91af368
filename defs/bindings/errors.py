"""What is wrong with a declaration."""

from __future__ import annotations

from bsatn.errors import DefinitionError

__all__ = ["DeclarationError"]


class DeclarationError(DefinitionError):
    """A module was declared in a way that makes no definition; raised by the decorator, or by `Module.build()`.

    `path` names the class or function and the column or parameter, `Fighter.health`; `kind` is upstream's name for the fault
    where it has one, such as `ColumnNotFound` or `ScheduledEventTable`. (spec: validation 4.2)
    """
