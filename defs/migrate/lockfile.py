"""Locks of modules: made from a definition, and compared with what is on disk. `defs.sources.lock` has the format."""

from __future__ import annotations

from bsatn import __version__
from defs import raw
from defs.loading import Loaded
from defs.migrate.fingerprint import fingerprint
from defs.raw import layouts
from defs.sources.lock import Lock

__all__ = ["lock_of"]


def lock_of(loaded: Loaded) -> Lock:
    """The lock of a definition, in the layout that it was read in. Raises ValidationErrors when it is invalid."""
    module = loaded.validate()
    definition = layouts.encode(loaded.raw, layout=loaded.layout)
    return Lock(__version__, raw.version_of(loaded.raw), loaded.layout, fingerprint(module), definition)
