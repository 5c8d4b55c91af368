"""The files: one for each group, as JSON and as CBOR with the same content, and a digest of every file there is.

CBOR is deterministic (RFC 8949, 4.2: shortest heads, keys sorted by their bytes) and holds text, integers, byte strings,
arrays, maps with text keys and booleans only. JSON is written in one way as well: fields in the order of `FIELDS`, a case a
line, bytes as hex, integers past 53 bits as decimal text. So both follow from the content, and any other byte is a hand edit.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from bsatn.errors import BsatnError
from defs.vectors.areas import AREAS, FIELDS

__all__ = [
    "DIGESTS", "FORMAT", "Case", "VectorError", "VectorFile", "default_directory", "digests", "from_cbor", "plain", "read",
    "read_all", "to_cbor", "to_json", "write",
]  # fmt: skip

FORMAT = 1  #: version of the format
DIGESTS = "DIGESTS"  #: file with the SHA-256 of every generated file
MAX_FILE = 64 << 20  #: bytes of a file that is read
SAFE = 1 << 53  #: integers up to here survive being a double

Case: TypeAlias = dict[str, Any]


class VectorError(BsatnError):
    """A vector file is not as it was generated, or cannot be generated; `path` names the file or case."""


@dataclass(frozen=True, slots=True)
class VectorFile:
    """One group of cases. `path` is without ending and relative to the directory, `values/vectors`."""

    area: str
    group: str
    about: str
    cases: tuple[Case, ...]

    @property
    def path(self) -> str:
        return f"{self.area}/{self.group}"

    def content(self) -> dict[str, Any]:
        """What both twins hold."""
        head = {"format": FORMAT, "area": self.area, "group": self.group, "about": self.about}
        return {**head, "count": len(self.cases), "cases": list(self.cases)}


def default_directory() -> Path:
    """Where the vectors are: in the repository, or else in the installed package."""
    import bsatn

    package = Path(bsatn.__file__).parent
    installed = package / "vectors"
    return installed if installed.is_dir() else package.parent / "vectors"


# -- CBOR


def _head(major: int, argument: int) -> bytes:
    if argument < 24:
        return bytes([major << 5 | argument])
    size = (max(argument.bit_length() - 1, 0) // 8).bit_length()
    return bytes([major << 5 | 24 + size]) + argument.to_bytes(1 << size, "big")


def to_cbor(content: Any) -> bytes:
    """Deterministic CBOR; raises VectorError for what the files may not hold."""
    match content:
        case bool():
            return b"\xf5" if content else b"\xf4"
        case int() if -(1 << 63) <= content < 1 << 64:
            return _head(0, content) if content >= 0 else _head(1, ~content)
        case bytes():
            return _head(2, len(content)) + content
        case str():
            data = content.encode()
            return _head(3, len(data)) + data
        case list() | tuple():
            return _head(4, len(content)) + b"".join(map(to_cbor, content))
        case dict() if all(isinstance(key, str) for key in content):
            pairs = sorted((to_cbor(key), to_cbor(value)) for key, value in content.items())
            return _head(5, len(pairs)) + b"".join(key + value for key, value in pairs)
    raise VectorError("Content", f"a vector file may not hold {type(content).__name__} {content!r:.40}")


def from_cbor(data: bytes) -> Any:
    """The content of a CBOR file; raises VectorError unless it is exactly what `to_cbor` writes."""
    import cbor2

    try:
        content = cbor2.load(io.BytesIO(data))
        again = to_cbor(content)
    except (cbor2.CBORDecodeError, ValueError, RecursionError, MemoryError, OverflowError) as error:
        raise VectorError("NotCbor", f"it is not CBOR: {error}") from None
    if again != data:
        raise VectorError("NotDeterministic", "it is not the deterministic CBOR of its content")
    return content


# -- JSON

_RANKS = {name: rank for rank, name in enumerate(("format", "area", "group", "about", "count", "cases", "choice", *FIELDS))}


def plain(content: Any) -> Any:
    """What the JSON twin says for a content: hex for bytes, decimal text for big integers, fields in order."""
    match content:
        case bytes():
            return content.hex()
        case int() if not isinstance(content, bool) and abs(content) > SAFE:
            return str(content)
        case list() | tuple():
            return [plain(one) for one in content]
        case dict():
            names = sorted(content, key=lambda name: (_RANKS.get(name, len(_RANKS)), name))
            return {name: plain(content[name]) for name in names}
    return content


def _compact(content: Any) -> str:
    return json.dumps(plain(content), ensure_ascii=False, separators=(",", ":"))


def to_json(content: dict[str, Any]) -> str:
    """The JSON twin: a head field a line, then a case a line."""
    head = {name: plain(value) for name, value in content.items() if name != "cases"}
    lines = [f' "{name}": {_compact(head[name])},' for name in sorted(head, key=lambda name: _RANKS.get(name, len(_RANKS)))]
    cases = ",\n".join("  " + _compact(case) for case in content["cases"])
    return "\n".join(["{", *lines, ' "cases": [', *([cases] if cases else []), " ]", "}", ""])


# -- directories


def _bounded(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(MAX_FILE + 1)
    if len(data) > MAX_FILE:
        raise VectorError("TooLarge", f"the file is larger than {MAX_FILE >> 20} MiB", path=(path.name,))
    return data


def read(path: Path) -> VectorFile:
    """One group, from its CBOR file. Raises VectorError for a file that is none, OSError for one that cannot be read."""
    try:
        content = from_cbor(_bounded(path))
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise VectorError("Format", f"it is not a vector file of format {FORMAT}")
        area, group, about, cases = (content.get(name) for name in ("area", "group", "about", "cases"))
        if not all(isinstance(text, str) for text in (area, group, about)) or not isinstance(cases, list):
            raise VectorError("Format", "the file lacks area, group, about or cases")
        if not all(isinstance(case, dict) and isinstance(case.get("id"), str) for case in cases):
            raise VectorError("Format", "a case is a map with an id")
        return VectorFile(str(area), str(group), str(about), tuple(cases))
    except VectorError as error:
        error.path = error.path or (path.parent.name, path.name)
        raise


def paths(directory: Path, areas: Iterable[str] = AREAS) -> list[Path]:
    """The CBOR files of the areas, sorted."""
    return [path for area in areas for path in sorted((directory / area).glob("*.cbor"))]


def read_all(directory: Path | None = None, areas: Iterable[str] = AREAS) -> Iterator[VectorFile]:
    """Every group of the areas, in order."""
    for path in paths(directory or default_directory(), areas):
        yield read(path)


def write(directory: Path, file: VectorFile) -> None:
    """Both twins of a group."""
    content = file.content()
    place = directory / file.area
    place.mkdir(parents=True, exist_ok=True)
    (place / f"{file.group}.cbor").write_bytes(to_cbor(content))
    (place / f"{file.group}.json").write_bytes(to_json(content).encode())


def generated(directory: Path) -> list[Path]:
    """Every file that is generated, or that says what such a file is: the groups, the ledger, the schemas."""
    found = [path for area in AREAS for path in (directory / area).glob("*") if path.suffix in (".cbor", ".json")]
    return sorted([*found, *(directory / "schema").glob("*"), *directory.glob("LEDGER")])


def digests(directory: Path) -> str:
    """What `DIGESTS` must say: the SHA-256 and the name of each generated file."""
    lines = (f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(directory).as_posix()}\n" for path in
             generated(directory))  # fmt: skip
    return "".join(lines)
