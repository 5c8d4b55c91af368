"""Where bytes pass between the two definitions: who writes them as which type, and who reads them as which.

Arguments are written by old clients and read by the new module; rows and results the other way round; stored rows were written
by the old module and are read by the new one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal

from bsatn.frozen import frozen
from defs.migrate.rules.comparison import Comparison, Function, Pair, Relation, is_callable, row_type
from defs.migrate.rules.model import Hit, Path
from defs.migrate.rules.wire import Difference
from defs.migrate.rules.witness import Reading, Typed
from defs.schema.model import ProcedureDef

__all__ = ["Use", "client_uses"]


@frozen
class Use:
    """Bytes of one thing, and both types that they have."""

    paths: tuple[Path, Path]  #: old, new
    element: str
    what: str  #: `argument`, `row`, `result`
    written_by: Literal["old", "new"]
    written: Typed
    read: Typed

    @classmethod
    def of_params(cls, pair: Pair[Any]) -> Use:
        """Arguments: of a function or a view."""
        old, new = (Typed(one.item.params, one.module) for one in (pair.old, pair.new))
        return cls(pair.paths(), pair.element, "an argument", "old", old, new)

    @classmethod
    def of_result(cls, pair: Pair[Any]) -> Use:
        """A procedure's result; that of a reducer is always the same."""
        old, new = (Typed(one.item.return_type, one.module) for one in (pair.old, pair.new))
        return cls(pair.paths(), pair.element, "a result", "new", new, old)

    @classmethod
    def of_rows(cls, pair: Pair[Any]) -> Use:
        """Rows that are sent to clients."""
        old, new = (Typed(row_type(one.item), one.module) for one in (pair.old, pair.new))
        return cls(pair.paths(), pair.element, "a row", "new", new, old)

    def differences(self, both: Comparison) -> tuple[Difference, ...]:
        """What differs, in the order of the written type."""
        return both.demonstrator.differences(self.written, self.read)

    def hit(
        self, both: Comparison, found: Iterable[Difference], message: str, shows: str, *, reading: Reading = "value"
    ) -> Hit:
        """What was found, with a witness."""
        witness = both.demonstrator.witness(self.written_by, self.written, self.read, found, shows, reading=reading)
        return Hit(*self.paths, self.element, message, witness)


def client_uses(both: Comparison) -> Iterator[Use]:
    """All that passes between clients and the server."""
    calls: tuple[Pair[Function], ...] = (*both.reducers.both, *both.procedures.both)  # type: ignore[arg-type]
    for pair in calls:
        if all(map(is_callable, pair.items)):
            yield Use.of_params(pair)
            if isinstance(pair.old.item, ProcedureDef):
                yield Use.of_result(pair)
    relations: tuple[Pair[Relation], ...] = both.shown
    for relation in relations:
        yield Use.of_rows(relation)
