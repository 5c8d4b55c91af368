"""Raw module definitions, exactly as the bytes say them: V8, V9 and V10 in the layouts of release 2.14.0.

`RawModuleDef` is the sum that every module sends: one tag byte, then the definition of that version. `decode` and `encode`
are its codec; sections keep their order and their duplicates, so encoding gives back the bytes that were decoded.
(spec: wire 6)
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, TypeAlias

from bsatn.codec import Codec, Trailing
from bsatn.limits import DEFAULT_LIMITS, Limits
from bsatn.records import variants
from defs.raw import shared, v8, v9, v10
from defs.raw.v8 import RawModuleDefV8
from defs.raw.v9 import RawModuleDefV9
from defs.raw.v10 import RawModuleDefV10

__all__ = [
    "RawModuleDef", "RawModuleDefV8", "RawModuleDefV9", "RawModuleDefV10", "codec", "decode", "encode", "shared",
    "v8", "v9", "v10", "version_of",
]  # fmt: skip

RawModuleDef: TypeAlias = Annotated[RawModuleDefV8 | RawModuleDefV9 | RawModuleDefV10, variants("RawModuleDef")]

_VERSIONS: dict[type[RawModuleDef], int] = {RawModuleDefV8: 8, RawModuleDefV9: 9, RawModuleDefV10: 10}


@cache
def codec(limits: Limits = DEFAULT_LIMITS) -> Codec[RawModuleDef]:
    """The codec of RawModuleDef, outer tag included."""
    return Codec(RawModuleDef, limits=limits)


def decode(data: bytes, *, trailing: Trailing = "reject", limits: Limits = DEFAULT_LIMITS) -> RawModuleDef:
    """A definition from its bytes. Raises DecodeError, with path and offset, for bytes that are none.

    `trailing="allow"` ignores bytes left over, as the server does.
    """
    return codec(limits).decode(data, trailing=trailing)


def encode(definition: RawModuleDef) -> bytes:
    """The bytes of a definition, outer tag included."""
    return codec().encode(definition)


def version_of(definition: RawModuleDef) -> int:
    """8, 9 or 10."""
    return _VERSIONS[type(definition)]
