"""What kind of content is this? The first bytes decide; nothing is decoded.

    00 61 73 6d         a WebAssembly module (or component, which is refused by name)
    00 .. 0f            BSATN: the tag of a RawModuleDef is 0, 1 or 2; the decoder refuses higher ones
    a known signature   refused by name: gzip, zip, ...
    text { or [         JSON (after an optional byte order mark and white space), or a lock file, whose first key says so
    only hex digits     hex of BSATN, with white space anywhere and an optional leading 0x
    anything else       refused: JavaScript, WebAssembly text, HTML, ... by name where recognised

Ambiguities. The tag bytes 0..2 are control characters, which no text starts with, so binary and hex never
collide: `02` followed by binary is BSATN, the two characters "02" are hex. (Tags 9, 10 and 13 would be white
space; there are no such tags.) A V8 definition, tag 0, could only be taken for a module if its typespace had
0x016d7361 (23 million) types. `kind=` overrides all of this, for instance for BSATN without the outer tag.
"""

from __future__ import annotations

import re
from typing import Literal, get_args

from .errors import ErrorKind, SourceError, printable
from .lock import is_lock

Kind = Literal["wasm", "bsatn", "hex", "json", "lock"]
"""What was found. All but `json` lead to the BSATN bytes of a RawModuleDef."""

KINDS: tuple[Kind, ...] = get_args(Kind)

EXPECTED = "a .wasm module, a BSATN definition, its hex, or its JSON"
"""What a person may name, for messages."""

_WASM = b"\0asm"
_BOM = b"\xef\xbb\xbf"
_SPACE = b" \t\r\n\f\v"
_MAX_TAG = 0x0F

_SIGNATURES: tuple[tuple[bytes, str, str], ...] = (
    (b"\x1f\x8b", "gzip-compressed data", "decompress it first (gzip -d)"),
    (b"PK\x03\x04", "a zip archive", "extract the module or definition from it first"),
    (b"PK\x05\x06", "an empty zip archive", "name a .wasm module or a definition"),
    (b"\x28\xb5\x2f\xfd", "zstd-compressed data", "decompress it first (zstd -d)"),
    (b"\xfd7zXZ\x00", "xz-compressed data", "decompress it first (xz -d)"),
    (b"BZh", "bzip2-compressed data", "decompress it first (bzip2 -d)"),
    (b"\x7fELF", "a native library or program (ELF)", "build the module for WebAssembly"),
    (b"MZ", "a Windows program or library, such as a .NET assembly", "build the module for WebAssembly"),
    (b"\xcf\xfa\xed\xfe", "a native library or program (Mach-O)", "build the module for WebAssembly"),
    (b"!<arch>", "a static library", "build the module for WebAssembly as a cdylib"),
    (b"(ds)^2", "a segment of a commit log", "name the commit log directory to the commands that read logs"),
    (b"SQLite format 3", "an SQLite database", "name a .wasm module or a definition"),
    (b"\xff\xfe", "text in UTF-16", "save it as UTF-8 (redirection in some shells writes UTF-16)"),
    (b"\xfe\xff", "text in UTF-16", "save it as UTF-8"),
)

_TEXTS: tuple[tuple[re.Pattern[str], str, str], ...] = (
    (
        re.compile(r"(?:\(\s*module|\(\s*component|;;|\(;)"),
        "WebAssembly text",
        "assemble it into a .wasm binary first (wat2wasm, or wasm-tools parse)",
    ),
    (
        re.compile(r"<!doctype|<html|<\?xml|<svg", re.IGNORECASE),
        "an HTML or XML page",
        "name the schema route itself: http://HOST/v1/database/NAME/schema?version=10",
    ),
    (
        re.compile(r"(?:#!\[|#\[|use\s+\w+(?:::|;)|pub\s+(?:fn|struct|mod)\b|mod\s+\w+)"),
        "Rust source",
        "build it and name the .wasm file it yields",
    ),
    (
        re.compile(r"(?:using\s+[\w.]+;|namespace\s+[\w.]+|#include\b|#pragma\b)"),
        "C# or C++ source",
        "build it and name the .wasm file it yields",
    ),
    (
        re.compile(
            r"""(?://|/\*|["']use strict["']|import[\s{*"']|export[\s{*]"""
            r"""|(?:var|let|const|class|function|async)\s"""
            r"""|\(\s*(?:function|async|\(\)\s*=>)|[!;]\s*function|Object\.define)"""
        ),
        "JavaScript or TypeScript",
        "script modules are not run here: publish it and name the server's schema route"
        " (http://HOST/v1/database/NAME/schema?version=10)",
    ),
)

_HEX_START = re.compile(rb"(?:\xef\xbb\xbf)?[ \t\r\n\f\v]*(?:0[xX])?")
_NOT_HEX = re.compile(rb"[^0-9A-Fa-f \t\r\n\f\v]")
_TEXT_PROBE = 4096
_MOSTLY_HEX = 0.8  # from this share of digits on, other characters are taken for mistakes in hex


def kind_of(data: bytes, origin: str) -> Kind:
    """The kind of `data`, from its content.

    Raises `SourceError`: `Empty`, `UnknownContent`, `BadHex` (hex digits with something else among them).
    """
    if not data:
        raise SourceError("Empty", origin, f"it is empty; expected {EXPECTED}")
    if data.startswith(_WASM):
        return "wasm"
    if data[0] <= _MAX_TAG and data[0] not in _SPACE:
        return "bsatn"
    for signature, what, advice in _SIGNATURES:
        if data.startswith(signature):
            raise _unknown(origin, f"this is {what}; {advice}")
    text = data.removeprefix(_BOM).lstrip(_SPACE)
    if not text:
        raise SourceError("Empty", origin, f"there is nothing but white space; expected {EXPECTED}")
    if text[:1] in (b"{", b"["):
        return "lock" if is_lock(text) else "json"
    if _NOT_HEX.search(data, _hex_start(data)) is None:
        return "hex"
    raise _explain(text, origin)


def decode_hex(data: bytes, origin: str) -> bytes:
    """The bytes that hex text stands for. White space is allowed anywhere, `0x` at the start, either case.

    Raises `SourceError`: `BadHex`, `Empty`.
    """
    start = _hex_start(data)
    wrong = _NOT_HEX.search(data, start)
    if wrong is not None:
        at, found = wrong.start(), wrong.group()[0]
        line, column = data.count(b"\n", 0, at) + 1, at - (data.rfind(b"\n", 0, at) + 1) + 1
        shown = repr(chr(found)) if 0x20 < found < 0x7F else f"byte 0x{found:02x}"
        message = f"expected only hex digits and white space, found {shown} at line {line}, column {column}"
        raise SourceError("BadHex", origin, message)
    digits = data[start:].translate(None, _SPACE)
    if not digits:
        raise SourceError("Empty", origin, "no hex digits in it; expected the hex of a BSATN RawModuleDef")
    if len(digits) % 2:
        message = f"expected an even number of hex digits, found {len(digits)}; the text is cut short"
        raise SourceError("BadHex", origin, message)
    return bytes.fromhex(digits.decode("ascii"))


def clean_json(data: bytes, origin: str) -> bytes:
    """JSON text in UTF-8 without a byte order mark. Checks the encoding and the first character, not the
    grammar.

    Raises `SourceError`: `BadJson`, `Empty`.
    """
    text = data.removeprefix(_BOM)
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as error:
        where = len(data) - len(text) + error.start
        found = f"byte 0x{error.object[error.start]:02x} at offset {where}"
        raise SourceError("BadJson", origin, f"expected JSON in UTF-8, found {found}; save it as UTF-8") from None
    start = text.lstrip(_SPACE)[:1]
    if not start:
        raise SourceError("Empty", origin, "there is no text in it; expected a module definition as JSON")
    if start not in (b"{", b"["):
        shown = printable(repr(text.lstrip(_SPACE)[:20].decode("utf-8", "replace")), 40)
        raise SourceError("BadJson", origin, f"expected a JSON object (a definition starts with '{{'), found {shown}")
    return text


def _hex_start(data: bytes) -> int:
    """Where the digits of a hex text begin: after a byte order mark, white space and 0x."""
    match = _HEX_START.match(data)
    return match.end() if match else 0


def _unknown(origin: str, message: str, kind: ErrorKind = "UnknownContent") -> SourceError:
    return SourceError(kind, origin, message)


def _explain(text: bytes, origin: str) -> SourceError:
    """The error for content that is none of the kinds."""
    try:
        probe = text[:_TEXT_PROBE].decode("utf-8", "strict" if len(text) <= _TEXT_PROBE else "ignore")
    except UnicodeDecodeError:
        probe = ""
    if not probe or "\0" in probe:
        tag = f"its first byte is 0x{text[0]:02x}, which is no version of a RawModuleDef (0, 1 or 2)"
        return _unknown(origin, f"expected {EXPECTED}; {tag}. If it is BSATN all the same, say so with kind 'bsatn'")
    for pattern, what, advice in _TEXTS:
        if pattern.match(probe):
            return _unknown(origin, f"this looks like {what}; {advice}")
    if b"spacetime:sys@" in text:
        _, what, advice = _TEXTS[-1]
        return _unknown(origin, f"this looks like {what}; {advice}")
    packed = "".join(probe.split())
    digits = sum(c in "0123456789abcdefABCDEF" for c in packed)
    if len(packed) >= 8 and digits >= _MOSTLY_HEX * len(packed):
        try:
            decode_hex(text, origin)
        except SourceError as error:
            return error
    shown = printable(repr(probe[:40]), 60)
    return _unknown(origin, f"expected {EXPECTED}; found text that starts {shown}")
