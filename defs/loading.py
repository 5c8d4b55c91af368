"""From what a user names to a raw definition: sources find the bytes or the JSON, this reads them.

JSON comes in three dresses: with the outer tag (`{"V10": {...}}`), and bare as a server's schema route gives it, for
version 9 and version 10; which one, its first key says. (spec: wire 5.3)
"""

from __future__ import annotations

import dataclasses
import os
import re
from typing import TYPE_CHECKING

from bsatn.codec import Trailing
from bsatn.frozen import frozen
from bsatn.limits import DEFAULT_LIMITS
from bsatn.limits import Limits as CodecLimits
from defs import raw, sources
from defs.raw import layouts

if TYPE_CHECKING:
    from defs.schema.model import ModuleDef

__all__ = ["Loaded", "load", "read_json"]


@frozen
class Loaded:
    """A definition, and where it came from."""

    raw: raw.RawModuleDef
    origin: str  #: for a person: the path, `<stdin>`, `<bytes>` or the URL
    kind: sources.Kind  #: what was found there: wasm, bsatn, hex, json or lock
    notes: tuple[str, ...]  #: what else is worth telling, such as what the module printed
    layout: str  #: the id of the wire layout it was read in, such as `10i` (spec: wire 7)

    @property
    def version(self) -> int:
        """8, 9 or 10."""
        return raw.version_of(self.raw)

    def validate(self) -> ModuleDef:
        """The validated definition. Raises ValidationErrors, which holds everything that is wrong with it."""
        from defs.validate import validate

        return validate(self.raw)


def load(
    source: str | os.PathLike[str] | bytes | bytearray | memoryview,
    *,
    kind: sources.Kind | None = None,
    layout: str = "auto",
    trailing: Trailing = "reject",
    limits: sources.Limits | None = None,
    codec_limits: CodecLimits = DEFAULT_LIMITS,
) -> Loaded:
    """The definition that `source` holds: a path, `-` for standard input, a schema route's URL, `git:REF:PATH`, or bytes.

    Of a directory that holds a commit log, it is that of the module that was published last.
    `kind` forces what the content is taken for; `layout` names the layout, or a release that wrote it, see
    `defs.raw.layouts.decode`. Raises SourceError when there is no definition to be had, DecodeError when there is one that
    does not decode, UnknownLayout.
    """
    found = _read(source, kind, limits or sources.Limits())
    if found.kind == "json":
        read = read_json(found.data, layout=layout, limits=codec_limits)
    else:
        layout = found.layout if layout == "auto" and found.layout else layout
        read = layouts.decode(found.data, layout=layout, trailing=trailing, limits=codec_limits)
    return Loaded(read.raw, found.origin, found.kind, found.notes, read.layout.id)


def _read(
    source: str | os.PathLike[str] | bytes | bytearray | memoryview, kind: sources.Kind | None, limits: sources.Limits
) -> sources.Found:
    if kind is None and isinstance(source, (str, os.PathLike)) and os.path.isdir(source):  # noqa: PTH112  # never raises
        from defs.store.program import is_log, read_program

        if is_log(source):
            return read_program(source, limits=limits)
    return sources.read(source, kind=kind, limits=limits)


#: What the first key of a document means, where it is none of the outer tag's names. (spec: wire 5.3)
_BARE: dict[str, type] = {
    "sections": raw.RawModuleDefV10,
    **{field.name: raw.RawModuleDefV9 for field in dataclasses.fields(raw.RawModuleDefV9)},
}
_FIRST_KEY = re.compile(r'\s*\{\s*("(?:[^"\\]|\\.)*")')


def read_json(text: str | bytes, *, layout: str = "auto", limits: CodecLimits = DEFAULT_LIMITS) -> layouts.Read:
    """A definition from its SATS-JSON, with or without the outer tag. Raises DecodeError, UnknownLayout."""
    start = text[:1024] if isinstance(text, str) else text[:1024].decode(errors="replace")
    found = _FIRST_KEY.match(start)
    key = found[1][1:-1] if found else ""
    return layouts.loads(text, _BARE.get(key, raw.RawModuleDef), layout=layout, limits=limits)
