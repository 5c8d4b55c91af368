"""Module definitions of SpacetimeDB: load them from wherever they are, see what they say.

    >>> import defs
    >>> loaded = defs.load("vectors/modules/arena_v1.wasm")
    >>> loaded.version, loaded.layout
    (10, '10i')
    >>> [table.source_name for table in loaded.raw.tables][:2]
    ['audit_event', 'damage_event']

Names load on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from defs.lazy import lazily

if TYPE_CHECKING:
    from defs.convert import to_v9 as to_v9
    from defs.convert import to_v10 as to_v10
    from defs.loading import Loaded as Loaded
    from defs.loading import load as load
    from defs.raw import RawModuleDef as RawModuleDef
    from defs.raw import decode as decode
    from defs.raw import encode as encode
    from defs.sources import SourceError as SourceError

_HOME = {
    "convert": "to_v10 to_v9",
    "loading": "Loaded load",
    "raw": "RawModuleDef decode encode",
    "sources": "SourceError",
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names.split()}

__all__ = list(_MODULE_OF)

__getattr__, __dir__ = lazily(__name__, _MODULE_OF)
