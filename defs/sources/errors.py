"""What went wrong while fetching a definition.

One exception class. Its `kind` is a row of a table, and the row decides whose fault it is: the input could
not be read (exit status 3), or it was read and is no good (exit status 1). Messages are made for a terminal:
whatever comes out of a file, a module or a server passes through `printable` first.
"""

from __future__ import annotations

from typing import Literal, get_args

UnreadableKind = Literal[
    "NotFound",
    "Unreadable",
    "Unsupported",
    "TooLarge",
    "HttpUrl",
    "HttpStatus",
    "HttpRefused",
    "HttpTimeout",
    "HttpRedirect",
    "HttpFailed",
    "WasmHostMissing",
    "GitSource",
    "GitMissing",
    "GitRevision",
    "GitPath",
    "GitFailed",
]
"""The bytes were never obtained, or nothing here can run them."""

BadInputKind = Literal[
    "Empty",
    "UnknownContent",
    "BadHex",
    "BadJson",
    "AbiVersion",
    "NoDefinition",
    "WasmInvalid",
    "WasmMissingExport",
    "WasmUnknownImport",
    "WasmTrap",
    "WasmSetup",
    "WasmTimeout",
    "WasmFuel",
    "WasmMemory",
    "WasmStack",
    "WasmSink",
    "WasmTooComplex",
    "LogDamaged",
    "LockDamaged",
    "LockFromFuture",
]
"""The bytes were obtained and are not, or do not yield, a definition."""

ErrorKind = UnreadableKind | BadInputKind

_UNREADABLE: frozenset[str] = frozenset(get_args(UnreadableKind))


class SourceError(Exception):
    """No definition could be had from a source.

    `kind` is a short CamelCase name (`ErrorKind`), `origin` the source as a person knows it, `message` says
    what was found, what was expected and what to do. `str(error)` is `origin: message`, always one line.
    """

    def __init__(self, kind: ErrorKind, origin: str, message: str) -> None:
        super().__init__(kind, origin, message)
        self.kind: ErrorKind = kind
        self.origin = origin
        self.message = message

    @property
    def unreadable(self) -> bool:
        """True: could not read it (exit status 3). False: read it, and it is bad (exit status 1)."""
        return self.kind in _UNREADABLE

    def __str__(self) -> str:
        return f"{printable(self.origin, 1000)}: {self.message}"


def printable(text: str, limit: int = 200) -> str:
    """`text` on one line, without control characters or lone surrogates, at most `limit` characters long."""
    clipped = text[: limit + 1]
    shown = "".join(c if c.isprintable() else _escape(c) for c in clipped)
    return shown if len(shown) <= limit and len(text) <= limit else shown[: max(limit - 3, 0)] + "..."


def _escape(char: str) -> str:
    return repr(char)[1:-1]


def size(count: int) -> str:
    """A number of bytes for a person: `512 bytes`, `1.5 MiB`."""
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if count >= unit:
            return f"{count / unit:.1f}".removesuffix(".0") + f" {name}"
    return f"{count} byte" + ("" if count == 1 else "s")
