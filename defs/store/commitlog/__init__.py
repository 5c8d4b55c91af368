"""The commit log of SpacetimeDB as a format: read it, check it, salvage it, write it. (spec: event-tables 3)

    for item in read_commits("data/replicas/1/clog"):
        match item:
            case Damage():
                print(item)
            case Commit():
                print(item.min_tx_offset, item.n, len(item.records))

Promised:

- `list_segments(directory)`: the segment files, in order.
- `read_commits(directory, start=0, mode="strict")`: commits in the order of their transactions, whole and with the right
  checksum, and `Damage` for what is wrong, in memory that does not grow with the log. `mode` is `"strict"` (stops after the
  first damage), `"salvage"` (goes on behind it; every intact commit is delivered or its place told) or `"upstream"` (item by
  item what the server's own iterator gives).
- `Writer(directory)`: appends commits, byte for byte as the server does. One writer at a time.
- `compress_segment(path)`: a sealed segment in the seekable zstd form.
- `txdata`: what the records of a commit hold. It needs the types of rows, which the caller knows.

A directory is that of the segments, or of a replica, with `clog/` in it. `LogError` is raised for what is no log, cannot be
opened, or must not be written to; nothing else is raised for any content of the files. Names load on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from defs.store.commitlog import txdata as txdata
    from defs.store.commitlog.compression import compress_segment as compress_segment
    from defs.store.commitlog.errors import LogError as LogError
    from defs.store.commitlog.files import list_segments as list_segments
    from defs.store.commitlog.index import read_offset_index as read_offset_index
    from defs.store.commitlog.model import DAMAGE_KINDS as DAMAGE_KINDS
    from defs.store.commitlog.model import Commit as Commit
    from defs.store.commitlog.model import Damage as Damage
    from defs.store.commitlog.model import Segment as Segment
    from defs.store.commitlog.reading import read_commits as read_commits
    from defs.store.commitlog.writing import Writer as Writer

_HOME = {
    "compression": "compress_segment",
    "errors": "LogError",
    "files": "list_segments",
    "index": "read_offset_index",
    "model": "Commit DAMAGE_KINDS Damage Segment",
    "reading": "read_commits",
    "writing": "Writer",
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names.split()}

__all__ = [*_MODULE_OF, "txdata"]


def __getattr__(name: str) -> Any:
    if name == "txdata":
        return import_module(f"{__name__}.txdata")
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    globals()[name] = value  # found once
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
