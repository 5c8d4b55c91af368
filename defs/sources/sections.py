"""The outline of a wasm binary, read without an engine: its sections and how many things each declares.

Run before anything is compiled, so that a truncated file, a component or a module with a million exports is
refused cheaply and by name. Contents are not checked; the engine validates the module.
"""

from __future__ import annotations

from collections.abc import Iterator

from bsatn.frozen import frozen

from .errors import SourceError, size
from .limits import WasmLimits

MAGIC = b"\0asm"
_HEADER_BYTES = 8
_MODULE_LAYER, _COMPONENT_LAYER = 0, 1


@frozen
class _Counted:
    """A section whose first number is bounded: which field of `WasmLimits` holds the bound."""

    section: int
    limit: str


_CODE = 10
_COUNTED: tuple[_Counted, ...] = (
    _Counted(2, "imports"),
    _Counted(3, "functions"),
    _Counted(7, "exports"),
    _Counted(_CODE, "functions"),
)


def check_outline(wasm: bytes, limits: WasmLimits, origin: str) -> int:
    """Refuse what is no whole wasm module, or one beyond the limits; tell the size of the largest function.

    Raises `SourceError`: `WasmInvalid`, `WasmTooComplex`, `TooLarge`.
    """
    _check_header(wasm, limits, origin)
    bounds = {row.section: row for row in _COUNTED}
    largest = 0
    for number, (section, start, end) in enumerate(_sections(wasm, origin)):
        if number >= limits.sections:
            raise _too_complex(origin, "sections", number + 1, limits.sections)
        row = bounds.get(section)
        if row is None or start == end:
            continue
        count, after = _leb_u32(wasm, start, end, origin)
        most: int = getattr(limits, row.limit)
        if count > most:
            raise _too_complex(origin, row.limit, count, most)
        if section == _CODE:
            largest = max(largest, _largest_body(wasm, count, after, end, origin))
    if largest > limits.function_bytes:
        most_bytes = f"{size(limits.function_bytes)} (WasmLimits.function_bytes)"
        message = f"the module has a function of {size(largest)}, the limit is {most_bytes}"
        raise SourceError("WasmTooComplex", origin, message)
    return largest


def _largest_body(wasm: bytes, count: int, at: int, end: int, origin: str) -> int:
    largest = 0
    for _ in range(count):
        length, at = _leb_u32(wasm, at, end, origin)
        largest = max(largest, length)
        at += length
    return largest


def _check_header(wasm: bytes, limits: WasmLimits, origin: str) -> None:
    if not wasm.startswith(MAGIC):
        hint = "; this is WebAssembly text: assemble it first (wat2wasm)" if wasm.lstrip().startswith(b"(") else ""
        found = f"starts with {wasm[:4].hex(' ')}" if wasm else "is empty"
        message = f"not a WebAssembly module: expected it to start with 00 61 73 6d, it {found}{hint}"
        raise SourceError("WasmInvalid", origin, message)
    if len(wasm) > limits.wasm_bytes:
        most = f"{size(limits.wasm_bytes)} (WasmLimits.wasm_bytes)"
        message = f"the module has {size(len(wasm))}, the limit is {most}"
        raise SourceError("TooLarge", origin, message)
    if len(wasm) < _HEADER_BYTES:
        raise SourceError("WasmInvalid", origin, f"the module is cut short: it ends after {size(len(wasm))}")
    version, layer = int.from_bytes(wasm[4:6], "little"), int.from_bytes(wasm[6:8], "little")
    if layer == _COMPONENT_LAYER:
        message = (
            "this is a WebAssembly component, expected a core module; build for wasm32-unknown-unknown,"
            " or leave out the step that wraps the module into a component"
        )
        raise SourceError("WasmInvalid", origin, message)
    if (version, layer) != (1, _MODULE_LAYER):
        raise SourceError("WasmInvalid", origin, f"expected WebAssembly version 1, found version {version}.{layer}")


def _sections(wasm: bytes, origin: str) -> Iterator[tuple[int, int, int]]:
    """(id, start, end) of each section's contents."""
    at = _HEADER_BYTES
    while at < len(wasm):
        section = wasm[at]
        length, start = _leb_u32(wasm, at + 1, len(wasm), origin)
        end = start + length
        if end > len(wasm):
            message = (
                f"the module is cut short: its section {section} at offset {at} should have {size(length)},"
                f" only {size(len(wasm) - start)} follow; build or copy it again"
            )
            raise SourceError("WasmInvalid", origin, message)
        yield section, start, end
        at = end


def _leb_u32(wasm: bytes, at: int, end: int, origin: str) -> tuple[int, int]:
    """(the number at `at`, the offset after it)."""
    value = 0
    for index in range(5):
        if at + index >= end:
            raise SourceError("WasmInvalid", origin, f"the module is cut short: a number at offset {at} has no end")
        byte = wasm[at + index]
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value, at + index + 1
    raise SourceError("WasmInvalid", origin, f"the number at offset {at} of the module is too long")


def _too_complex(origin: str, what: str, count: int, most: int) -> SourceError:
    message = f"the module has {count} {what}, the limit is {most}; raise WasmLimits.{what} if it is to be trusted"
    return SourceError("WasmTooComplex", origin, message)
