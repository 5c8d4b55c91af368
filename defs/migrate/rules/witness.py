"""Values whose bytes show what a difference does: written as one type, read as the other, by our own codec.

A value is made as bytes, along the way to the difference and as small as it gets elsewhere. `_Writer` counts up, so that no two
numbers of a value are equal and what moved shows; or down from the largest number, so that a change of sign shows; or takes
bytes of which no two are equal, so that what was cut off shows. Each is then read under both types; the first that is read
wrongly without an error is the witness, or the first that fails, if none is. (spec: compat 7.1)
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Literal, TypeAlias

from bsatn.codec import Codec
from bsatn.errors import BsatnError
from bsatn.frozen import frozen
from bsatn.satsjson import dumps, dumps_untyped
from bsatn.types import (
    BOOL,
    F32,
    F64,
    INTEGERS,
    STRING,
    AlgebraicType,
    ArrayType,
    Primitive,
    ProductType,
    Ref,
    SumType,
    Typespace,
)
from defs.migrate.rules.model import Witness
from defs.migrate.rules.texts import type_text
from defs.migrate.rules.wire import Difference, Kind, Steps, Wire, follow
from defs.schema.model import ModuleDef

__all__ = ["Demonstrator", "Typed"]

MAX_BYTES: Final = 4096  #: of a witness; a difference that takes more to show is reported without
MAX_TRIED: Final = 4  #: differences for which a value is made
MAX_DEPTH: Final = 200  #: of a witness's value
_NESTED: Final = 3  #: levels of references after which arrays are empty

Reading: TypeAlias = Literal["value", "rows"]  #: one value, whose reader ignores what follows; or rows back to back


@frozen
class Typed:
    """A type, and the module it is of."""

    type: AlgebraicType
    module: ModuleDef

    @property
    def typespace(self) -> Typespace:
        """What its references are of."""
        return self.module.typespace

    @property
    def text(self) -> str:
        """For people."""
        return type_text(self.type, self.module)


class _Impossible(Exception):
    """The type has no value, or none that is small."""


class _Ranks:
    """How many references have to be followed, at least, to write a value of each entry of a typespace; None: no value."""

    def __init__(self, typespace: Typespace) -> None:
        self.typespace = typespace
        self.of: dict[int, int] = {}
        self.seen: set[int] = set()

    def rank(self, kind: AlgebraicType) -> int | None:
        """The rank of a type; what it leads to was settled before, or is now."""
        new = self._reachable(kind)
        changed = bool(new)
        while changed:
            changed = False
            for index in new:
                rank = self._rank(self.typespace[index])
                if rank is not None and rank + 1 < self.of.get(index, rank + 2):
                    self.of[index] = rank + 1
                    changed = True
        return self._rank(kind)

    def _reachable(self, kind: AlgebraicType) -> list[int]:
        found: list[int] = []
        todo = [kind]
        while todo:
            match todo.pop():
                case Ref(index) if index not in self.seen and index < len(self.typespace):
                    self.seen.add(index)
                    found.append(index)
                    todo.append(self.typespace[index])
                case ArrayType(element):
                    todo.append(element)
                case ProductType(parts) | SumType(parts):
                    todo.extend(part.algebraic_type for part in parts)
        return found[::-1]

    def _rank(self, kind: AlgebraicType) -> int | None:
        match kind:
            case Ref(index):
                return self.of.get(index)
            case ProductType(parts):
                ranks = [self._rank(part.algebraic_type) for part in parts]
                return None if None in ranks else max((one or 0 for one in ranks), default=0)
            case SumType(parts):
                ranks = [self._rank(part.algebraic_type) for part in parts]
                return min((one for one in ranks if one is not None), default=None)
        return 0


_Style: TypeAlias = Literal["low", "high", "mixed"]

#: The bytes of the integer that counts as the nth, by its width in bytes.
_INTEGERS: Final[dict[_Style, Callable[[int, int], bytes]]] = {
    "low": lambda count, width: (count % (1 << 8 * width)).to_bytes(width, "little"),
    "high": lambda count, width: (-count % (1 << 8 * width)).to_bytes(width, "little"),
    "mixed": lambda count, width: bytes((count + place) % 255 + 1 for place in range(width)),
}


class _Writer:
    """Writes small values, each number and text of which is another one."""

    def __init__(self, typespace: Typespace, ranks: _Ranks, style: _Style) -> None:
        self.typespace, self.ranks = typespace, ranks
        self.style: _Style = style
        self.count = 0
        self.size = 0
        self.depth = 0

    def write(self, kind: AlgebraicType, focus: Steps | None = None, nested: int = 0) -> bytes:
        """The bytes of a value that has a part at `focus`. Raises _Impossible."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _Impossible
        data = self.written(kind, focus, nested)
        self.depth -= 1
        return data

    def written(self, kind: AlgebraicType, focus: Steps | None, nested: int) -> bytes:
        if isinstance(kind, Ref):
            if self.ranks.rank(kind) is None:
                raise _Impossible
            kind, nested = follow(kind, self.typespace), nested + 1
        if isinstance(kind, Primitive):
            return self.leaf(kind)
        on, rest = (focus[0], focus[1:]) if focus else (None, None)
        if isinstance(kind, ProductType):
            parts = enumerate(kind.elements)
            return b"".join(self.write(one.algebraic_type, rest if at == on else None, nested) for at, one in parts)
        if isinstance(kind, ArrayType):
            if on is None and (nested > _NESTED or self.ranks.rank(kind.element) is None):
                return self.sized(bytes(4))
            return self.sized(b"\1\0\0\0") + self.write(kind.element, rest, nested)
        if not isinstance(kind, SumType):
            raise _Impossible
        tag = self.variant(kind) if on is None else on
        return self.sized(bytes([tag])) + self.write(kind.variants[tag].algebraic_type, rest, nested)

    def variant(self, kind: SumType) -> int:
        ranks = [(self.ranks.rank(one.algebraic_type), tag) for tag, one in enumerate(kind.variants)]
        found = min(((rank, tag) for rank, tag in ranks if rank is not None), default=None)
        if found is None:
            raise _Impossible
        return found[1]

    def sized(self, data: bytes) -> bytes:
        self.size += len(data)
        if self.size > MAX_BYTES:
            raise _Impossible
        return data

    def leaf(self, kind: Primitive) -> bytes:
        self.count += 1
        count = self.count
        if kind == STRING:
            text = chr(ord("a") + (count - 1) % 26).encode()
            return self.sized(struct.pack("<I", len(text)) + text)
        if kind == BOOL:
            return self.sized(b"\1")
        if kind in (F32, F64):
            number = count + 0.5 if self.style == "low" else -(count + 0.5)
            return self.sized(struct.pack("<f" if kind == F32 else "<d", number))
        width = INTEGERS[kind][0] // 8
        return self.sized(_INTEGERS[self.style](count, width))


class Demonstrator:
    """Compares what one side writes with what the other reads, and makes witnesses of the differences."""

    def __init__(self) -> None:
        self.wire = Wire()
        self._ranks: dict[int, _Ranks] = {}

    def ranks(self, typespace: Typespace) -> _Ranks:
        """The ranks of a typespace's entries."""
        found = self._ranks.get(id(typespace))
        if found is None or found.typespace is not typespace:
            found = self._ranks[id(typespace)] = _Ranks(typespace)
        return found

    def differences(self, written: Typed, read: Typed) -> tuple[Difference, ...]:
        """What differs for a value of `written` that is read as `read`; nothing where there is no such value."""
        found = self.wire.differences(written.type, written.typespace, read.type, read.typespace)
        if found and self.ranks(written.typespace).rank(written.type) is None:  # nobody writes what has no value
            return ()
        return found

    def witness(
        self,
        written_by: Literal["old", "new"],
        written: Typed,
        read: Typed,
        differences: Iterable[Difference],
        shows: str,
        *,
        reading: Reading = "value",
    ) -> Witness | None:
        """Bytes that show one of the differences, one that nobody notices if there is any; None if nothing small does."""
        tried = list(differences)[:MAX_TRIED]
        codecs = Codec[Any](written.type, written.typespace), Codec[Any](read.type, read.typespace)
        failed: Witness | None = None
        for difference in tried:
            for style in _INTEGERS:
                try:
                    writer = _Writer(written.typespace, self.ranks(written.typespace), style)
                    times = 2 if reading == "rows" else 1
                    rows = [codecs[0].decode(writer.write(written.type, difference.steps)) for _ in range(times)]
                except (_Impossible, BsatnError):
                    continue
                found = _read(written_by, written.text, codecs, rows, difference, shows)
                if found is not None and found.silent:
                    return found
                failed = failed or found
        return failed

    def same_key(self, row: Typed, columns: Sequence[int], shows: str) -> Witness | None:
        """Two rows that differ, though not in the columns."""
        kind = row.type
        assert isinstance(kind, ProductType)
        codec = Codec[Any](kind, row.typespace)
        try:
            writer = _Writer(row.typespace, self.ranks(row.typespace), "low")
            first = [writer.write(one.algebraic_type) for one in kind.elements]
            second = [first[at] if at in columns else writer.write(one.algebraic_type) for at, one in enumerate(kind.elements)]
            if first == second:
                return None
            data = b"".join(first + second)
            text = _texts(codec, codec.decode_many(data, count=2))
        except (_Impossible, BsatnError):
            return None
        return Witness(row.text, "new", text, data.hex(), text, shows, True)


def _texts(codec: Codec[Any], rows: Sequence[Any]) -> str:
    texts = [dumps(codec.shape, row, tuples="array") for row in rows]
    return texts[0] if len(texts) == 1 else f"[{','.join(texts)}]"


def _untyped(codec: Codec[Any], rows: Sequence[Any]) -> str:
    return ",".join(dumps_untyped(codec.shape, row) for row in rows)


#: Differences that show in names alone: values are read as they were written, and mean something else.
_IN_NAMES: Final = frozenset({Kind.FIELD_MOVED, Kind.VARIANT_MOVED, Kind.ALIASED, Kind.LONGER})


def _read(
    written_by: Literal["old", "new"],
    text: str,
    codecs: tuple[Codec[Any], Codec[Any]],
    values: Sequence[Any],
    difference: Difference,
    shows: str,
) -> Witness | None:
    """What the reader makes of the values; None if it makes the same of them."""
    data = codecs[0].encode_many(values)
    value = _texts(codecs[0], values)
    try:
        if len(values) == 1:
            read = [codecs[1].decode(data, trailing="allow")]
        else:
            read = _rows(codecs[1], data, len(values))
    except BsatnError as error:
        return Witness(text, written_by, value, data.hex(), str(error), shows, False)
    seen = _texts(codecs[1], read)
    texts = (value, seen)
    if difference.kind not in _IN_NAMES:
        texts = _untyped(codecs[0], values), _untyped(codecs[1], read)
    differs = texts[0] != texts[1]
    return Witness(text, written_by, value, data.hex(), seen, shows, True) if differs else None


def _rows(codec: Codec[Any], data: bytes, count: int) -> list[Any]:
    """Rows as a client reads them that takes their number from the message, and not where each begins."""
    rows, offset = [], 0
    for _ in range(count):
        row, offset = codec.decode_from(data, offset)
        rows.append(row)
    return rows
