"""Lock files: a module's definition, kept beside the code so that what comes later can be compared with it.

JSON with a fixed set of keys, `FIELDS`, so that a lock that was merged by hand, cut short or written by a later version is told
from a good one; a digest guards the definition's bytes. `defs.migrate.lockfile` makes locks from modules.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from typing import Any, Final

from bsatn.frozen import frozen

from .errors import SourceError, printable

__all__ = ["FORMAT", "Lock", "is_lock", "read_lock", "write_lock"]

FORMAT: Final = 1  #: of the lock files that are written, and the newest that is read
_KEY: Final = "bsatn-lock"
_START = re.compile(rb'(?:\xef\xbb\xbf)?\s*\{\s*"bsatn-lock"\s*:')
_WIDTH: Final = 100
_CONFLICT = re.compile(rb"^(?:<{7}|>{7}) ", re.MULTILINE)


@frozen
class Lock:
    """What a lock file says."""

    tool: str  #: the version that wrote it
    version: int  #: of the definition: 8, 9 or 10
    layout: str  #: of its bytes, such as `10i`
    fingerprint: str  #: of what clients see
    definition: bytes


#: The keys of a lock file in their order, and what each holds.
FIELDS: Final[dict[str, type]] = {
    _KEY: int, "tool": str, "version": int, "layout": str, "fingerprint": str, "sha256": str, "definition": list,
}  # fmt: skip


def is_lock(data: bytes) -> bool:
    """Whether the content says that it is a lock file."""
    return _START.match(data) is not None


def write_lock(lock: Lock) -> str:
    """The text of a lock file: the same for the same definition, with lines short enough for a diff."""
    packed = base64.b64encode(lock.definition).decode("ascii")
    values = {
        _KEY: FORMAT,
        "tool": lock.tool,
        "version": lock.version,
        "layout": lock.layout,
        "fingerprint": lock.fingerprint,
        "sha256": hashlib.sha256(lock.definition).hexdigest(),
        "definition": [packed[start : start + _WIDTH] for start in range(0, len(packed), _WIDTH)],
    }
    return json.dumps(values, indent=2) + "\n"


def read_lock(data: bytes, origin: str) -> Lock:
    """The lock. Raises `SourceError`: `LockDamaged`; `LockFromFuture` for a format that is not known here."""
    if _CONFLICT.search(data):
        raise _damaged(origin, "a merge left conflict marks in it")
    try:
        found: Any = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise _damaged(origin, f"it is no JSON ({printable(str(error), 100)})") from None
    stated = found.get(_KEY) if isinstance(found, dict) else None
    if type(stated) is int and stated > FORMAT:
        tool = printable(str(found.get("tool", "?")), 40)
        message = f"a lock file of format {stated}, written by bsatn {tool}; this one reads format {FORMAT}: upgrade bsatn"
        raise SourceError("LockFromFuture", origin, message)
    if stated != FORMAT or type(stated) is not int:
        raise _damaged(origin, f'expected "{_KEY}": {FORMAT}')
    for name, kind in FIELDS.items():
        if type(found.get(name)) is not kind:
            raise _damaged(origin, f'"{name}" is missing or no {_WORDS[kind]}')
    unknown = [key for key in found if key not in FIELDS]
    if unknown:
        raise _damaged(origin, f"unknown key {printable(unknown[0], 40)!r}")
    try:
        definition = base64.b64decode("".join(found["definition"]).encode("ascii"), validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise _damaged(origin, '"definition" is no base64') from None
    if hashlib.sha256(definition).hexdigest() != found["sha256"]:
        raise _damaged(origin, "the definition does not have the digest that is given for it")
    return Lock(found["tool"], found["version"], found["layout"], found["fingerprint"], definition)


_WORDS: Final = {int: "number", str: "text", list: "list"}


def _damaged(origin: str, why: str) -> SourceError:
    return SourceError("LockDamaged", origin, f"a damaged lock file: {why}; write it anew with `bsatn lock`")
