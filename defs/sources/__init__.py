"""Where definitions come from: wasm, BSATN, hex, JSON, a lock file; in a file, in git, on standard input, in memory, or served.

`read` turns what a user names into bytes and says what they are. Nothing here decodes a definition: that is
for the caller. Fetch, detect the kind by content, convert; one small module each (`files`, `git`, `http`, `detect`,
`wasm`, `lock`). What runs modules, git and the HTTP client are imported when they are first needed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from bsatn.frozen import frozen
from defs.lazy import lazily

from .detect import EXPECTED, KINDS, Kind, clean_json, decode_hex, kind_of
from .errors import ErrorKind, SourceError, printable
from .files import read_path, read_stdin
from .limits import Limits, WasmLimits
from .lock import read_lock

if TYPE_CHECKING:
    from .hostcalls import LogLine as LogLine
    from .wasm import WasmAnswer as WasmAnswer
    from .wasm import describe_wasm as describe_wasm

__all__ = [
    "KINDS",
    "ErrorKind",
    "Found",
    "Kind",
    "Limits",
    "LogLine",
    "SourceError",
    "WasmAnswer",
    "WasmLimits",
    "describe_wasm",
    "read",
]

__getattr__, __dir__ = lazily(__name__, {"LogLine": "hostcalls", "WasmAnswer": "wasm", "describe_wasm": "wasm"})

_DEFAULT_LIMITS = Limits()
_GIT = re.compile(r"git:(?!//)")
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")


@frozen
class Found:
    """A definition as it was found, not yet decoded."""

    kind: Kind
    origin: str
    """For a person: the path, `<stdin>`, `<bytes>`, or the URL."""
    data: bytes
    """`json`: the text, UTF-8 without a byte order mark; the others: BSATN of a RawModuleDef."""
    notes: tuple[str, ...] = ()
    """What else is worth telling, a line each: the export that answered, the ABI, what the module printed."""
    layout: str | None = None
    """The id of the wire layout of the bytes, where the source says it: a lock file does."""


def read(
    source: str | os.PathLike[str] | bytes | bytearray | memoryview,
    *,
    kind: Kind | None = None,
    limits: Limits = _DEFAULT_LIMITS,
) -> Found:
    """Find the definition a user names.

    `source` is a path, `"-"` for standard input, an http(s) URL of a server's schema route, `git:REF:PATH`, or the
    content itself as bytes. (`Path("-")`, `"./-"` and `"./git:a"` are files.) `kind` says what the content is; by default the
    content tells, see `defs.sources.detect`.

    Raises `SourceError`, whose `unreadable` tells input that could not be read from input that is bad. Raises
    `ValueError` for a `kind` that does not exist and `TypeError` for a `source` of another type.

    spec: wire 5.3, 8
    """
    if kind is not None and kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)} or None, not {kind!r}")
    origin, data = _fetch(source, limits)
    if not data:
        raise SourceError("Empty", origin, f"it is empty; expected {EXPECTED}")
    found = kind_of(data, origin) if kind is None else kind
    if found == "lock":
        lock = read_lock(data, origin)
        return Found(found, origin, lock.definition, (f"locked by bsatn {printable(lock.tool)}",), lock.layout)
    converted, notes = _CONVERTERS[found](data, origin, limits)
    return Found(found, origin, converted, notes)


def _fetch(source: object, limits: Limits) -> tuple[str, bytes]:
    """(origin, content)."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        length = source.nbytes if isinstance(source, memoryview) else len(source)
        if length > limits.input_bytes:
            message = f"{length} bytes were passed, the limit is {limits.input_bytes} (Limits.input_bytes)"
            raise SourceError("TooLarge", "<bytes>", message)
        return "<bytes>", bytes(source)
    if isinstance(source, os.PathLike):
        path = os.fsdecode(source)
        return path, read_path(path, limits.input_bytes)
    if not isinstance(source, str):
        raise TypeError(f"source must be a path, '-', a URL or bytes, not {type(source).__name__}")
    if source == "-":
        return "<stdin>", read_stdin(limits.input_bytes)
    if _GIT.match(source):
        from .git import read_git

        return source, read_git(source, limits.input_bytes)
    url = _URL.match(source)
    if url is not None:
        return _fetch_url(source, url[1].lower(), limits)
    return source, read_path(source, limits.input_bytes)


def _fetch_url(url: str, scheme: str, limits: Limits) -> tuple[str, bytes]:
    if scheme in ("http", "https"):
        from .http import read_url, without_login

        return without_login(url), read_url(url, limits)
    advice = "give the path itself" if scheme == "file" else "expected http:// or https://, or a path"
    raise SourceError("Unsupported", printable(url), f"{scheme}:// is not supported; {advice}")


_Converter = Callable[[bytes, str, Limits], tuple[bytes, tuple[str, ...]]]


def _from_wasm(data: bytes, origin: str, limits: Limits) -> tuple[bytes, tuple[str, ...]]:
    from .wasm import describe_wasm

    answer = describe_wasm(data, limits=limits.wasm, origin=origin)
    abi = "none detected" if answer.abi is None else "{}.{}".format(*answer.abi)
    notes = [f"answered by export {answer.export}", f"module ABI: {abi}"]
    notes += [_log_note(line) for line in answer.log]
    if answer.dropped_lines:
        notes.append(f"{answer.dropped_lines} more log lines were dropped")
    return answer.definition, tuple(notes)


def _log_note(line: LogLine) -> str:
    place = f" ({printable(line.place, 120)})" if line.place else ""
    return f"the module logged {line.level}: {printable(line.message, 500)}{place}"


_CONVERTERS: dict[str, _Converter] = {
    "wasm": _from_wasm,
    "bsatn": lambda data, origin, limits: (data, ()),
    "hex": lambda data, origin, limits: (decode_hex(data, origin), ()),
    "json": lambda data, origin, limits: (clean_json(data, origin), ()),
}
