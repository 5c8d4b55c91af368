"""The module that a log's database runs: its program is a row of `st_module`. (spec: event-tables 2)"""

from __future__ import annotations

import os

from defs import sources
from defs.sources import SourceError
from defs.store.commitlog import LogError, list_segments
from defs.store.reading import LogReader, Transaction
from defs.system.catalog import row_codec
from defs.system.rows import ST_MODULE_ID, StModuleRow

__all__ = ["is_log", "read_program", "stored_module"]

_WASM, _JAVASCRIPT = 0, 1


def is_log(path: object) -> bool:
    """Whether this names a directory that holds a commit log."""
    if not isinstance(path, (str, os.PathLike)):
        return False
    try:
        return os.path.isdir(path) and bool(list_segments(path))  # noqa: PTH112  # never raises
    except LogError:
        return False


def stored_module(directory: str | os.PathLike[str]) -> tuple[StModuleRow, int]:
    """The module that is published last, and by which transaction.

    Raises SourceError: `LogDamaged`, `NoDefinition` for one in which nothing is published.
    """
    origin = os.fspath(directory)
    found: tuple[bytes, int] | None = None
    for item in LogReader(directory).transactions():
        if not isinstance(item, Transaction):
            message = f"the log is damaged, so the module may not be the last one ({item}); see bsatn log verify"
            raise SourceError("LogDamaged", origin, message)
        for group in item.inserts:
            if group.table.table_id == ST_MODULE_ID and group.rows:
                found = group.rows[-1], item.tx_offset
    if found is None:
        raise SourceError("NoDefinition", origin, "no module is published in this log: its table st_module is empty")
    return row_codec(StModuleRow).decode(found[0]), found[1]


def read_program(directory: str | os.PathLike[str], *, limits: sources.Limits) -> sources.Found:
    """The definition of the module in a log. Raises SourceError."""
    module, tx_offset = stored_module(directory)
    origin = f"{os.fspath(directory)} (module published by transaction {tx_offset})"
    if module.program_kind != _WASM:
        what = "JavaScript" if module.program_kind == _JAVASCRIPT else f"a program of the unknown kind {module.program_kind}"
        advice = "it is not run here: name the server's schema route (http://HOST/v1/database/NAME/schema?version=10)"
        raise SourceError("Unsupported", origin, f"the module is {what}; {advice}")
    try:
        found = sources.read(module.program_bytes, kind="wasm", limits=limits)
    except SourceError as error:
        raise SourceError(error.kind, origin, error.message) from None
    return sources.Found(found.kind, origin, found.data, (f"published by transaction {tx_offset}", *found.notes))
