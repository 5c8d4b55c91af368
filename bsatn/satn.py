"""SATN, the text form of types and values. (spec: wire 5.4)

`format_type` and `format_value` print what the reference prints; `parse_type` reads the types people type:

| text | type |
|---|---|
| `U8`, `string`, `F64`, ... | the primitives, in any case |
| `&0` | Ref |
| `Array<T>`, `Bytes`, `Option<T>`, `Result<T, E>` | in any case too |
| `Identity`, `ConnectionId`, `Timestamp`, `TimeDuration`, `Uuid`, `ScheduleAt` | the special types |
| `()`, `(|)` | unit, never |
| `(a: U8, b: Bool)`, `(U8, Bool)`, `(0: U8, 1: Bool)` | product; its own position as label: no name |
| `(a: U8 | b: ())`, `(U8 | ())` | sum; a variant without a label has no name |
| `(a: U8)`, `(a: U8,)`, `(U8,)` | product of one |
| `(a: U8 |)`, `(| a: U8)`, `(U8)` | sum of one |

A separator may lead (`|`) or trail (`|`, `,`). Names that are no identifiers stand in quotes, as in JSON. The
reference prints a sum of one named variant and a product of one field alike, `(a: U8)`: that reads as the
product; and it prints a field *named* `0` in first place like one without a name. `format_type(t,
exact=True)` prints what reads back as `t`, always: `(a: U8 |)`, `("0": U8)`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any, TypeAlias

from bsatn import types as t
from bsatn.errors import TypeTextError
from bsatn.limits import DEFAULT_LIMITS, Limits
from bsatn.rendering import Form, Visit, plain_decimal, render, shortest_decimal, walk
from bsatn.shapes import (
    Bool,
    Bytes,
    Float,
    Int,
    Shape,
    String,
)

__all__ = ["format_type", "format_value", "parse_type"]


def _float_text(shape: Float, value: float) -> str:
    """As Rust displays a float: never an exponent."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    sign, digits, power = shortest_decimal(value, shape.bits)
    return sign + plain_decimal(digits, power)


def _product_text(_: Shape, names: tuple[str | None, ...], __: bool) -> tuple[list[str], str]:
    labels = [f"{i if name is None else name} = " for i, name in enumerate(names)]
    return [("(", ", ")[i > 0] + label for i, label in enumerate(labels)], ")" if names else "()"


_SATN: Form[str] = Form(
    leaves={
        Int: lambda _, value: str(value),
        Float: _float_text,
        Bool: lambda _, value: "true" if value else "false",
        String: lambda _, value: f'"{value}"',
        Bytes: lambda _, value: f"0x{value.hex()}",
    },
    array=lambda _: ("[", ", ", "]"),
    product=_product_text,
    variant=lambda shape, tag, _: (f"({shape.names[tag] or ''} = ", ")"),
)


def format_value(shape: Shape, value: Any, *, limits: Limits = DEFAULT_LIMITS) -> str:
    """The value as the reference prints it. Strings are not escaped, so not every text can be told apart."""
    return "".join(render(_SATN, shape, value, limits))


# Types printed ----------------------------------------------------------------------------------------------

_Pieces: TypeAlias = "list[t.AlgebraicType | str]"


def format_type(kind: t.AlgebraicType, *, exact: bool = False) -> str:
    """The type as the reference prints it; `exact`: as `parse_type` reads it back, whatever the names are."""
    text: list[str] = []
    todo: list[t.AlgebraicType | str] = [kind]
    while todo:
        piece = todo.pop()
        if isinstance(piece, str):
            text.append(piece)
        else:
            todo.extend(reversed(_PIECES[type(piece)](piece, exact)))
    return "".join(text)


def _label(name: str, exact: bool) -> str:
    return f"{json.dumps(name) if exact and not _IDENTIFIER.fullmatch(name) else name}: "


def _product_pieces(kind: t.ProductType, exact: bool) -> _Pieces:
    pieces: _Pieces = ["("]
    for position, element in enumerate(kind.elements):
        label = f"{position}: " if element.name is None else _label(element.name, exact)
        pieces += [", " if position else "", label, element.algebraic_type]
    return [*pieces, ")"]


def _sum_pieces(kind: t.SumType, exact: bool) -> _Pieces:
    pieces: _Pieces = ["("]
    for tag, variant in enumerate(kind.variants):
        label = "" if variant.name is None else _label(variant.name, exact)
        pieces += [" | " if tag else "", label, variant.algebraic_type]
    if not kind.variants:
        pieces.append("|")
    elif exact and len(kind.variants) == 1:
        pieces.append(" |")
    return [*pieces, ")"]


_PIECES: dict[type[Any], Callable[[Any, bool], _Pieces]] = {
    t.Ref: lambda kind, _: [f"&{kind.index}"],
    t.Primitive: lambda kind, _: [kind.name],
    t.ArrayType: lambda kind, _: ["Array<", kind.element, ">"],
    t.ProductType: _product_pieces,
    t.SumType: _sum_pieces,
}

# Types read -------------------------------------------------------------------------------------------------

_IDENTIFIER = re.compile(r"[^\W\d]\w*")
_TOKEN = re.compile(r'\s*(?:([^\W\d]\w*)|([0-9]+)|("(?:[^"\\\x00-\x1f]++|\\.)*+")|([&()<>|,:])|($))')
_NAMED: dict[str, t.AlgebraicType] = {
    **{kind.name.lower(): kind for kind in t.PRIMITIVES},
    "identity": t.IDENTITY, "connectionid": t.CONNECTION_ID, "timestamp": t.TIMESTAMP,
    "timeduration": t.TIME_DURATION, "uuid": t.UUID, "scheduleat": t.SCHEDULE_AT, "bytes": t.BYTES,
}  # fmt: skip
_GENERIC: dict[str, tuple[int, Callable[..., t.AlgebraicType]]] = {
    "array": (1, t.ArrayType), "option": (1, t.option_type), "result": (2, t.result_type),
}  # fmt: skip


def parse_type(text: str, *, limits: Limits = DEFAULT_LIMITS) -> t.AlgebraicType:
    """The type that a text says, see the table above. Raises TypeTextError, or LimitExceeded for depth."""
    parser = _TypeParser(text)
    kind: t.AlgebraicType = walk(lambda _: parser.type_(), None, limits)
    parser.take("", "the end of the text")
    return kind


class _TypeParser:
    """One token of look-ahead: `token`, which begins at `at`, ends at `end`, and has the text `word`."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.end = 0
        self.advance()

    def advance(self) -> None:
        match = _TOKEN.match(self.text, self.end)
        if match is None:
            self.at = self.end + len(self.text[self.end :]) - len(self.text[self.end :].lstrip())
            self.word = self.text[self.at]
            raise self.error("a type")
        self.kind = match.lastindex or 0
        self.word = match.group(self.kind)
        self.at, self.end = match.span(self.kind)

    def error(self, expected: str, *, kind: str = "Syntax", found: str = "") -> TypeTextError:
        found = found or (f"found `{self.word[:40]}`" if self.word else "the text ends")
        start = max(0, self.at - 50)
        line = "".join(" " if c.isspace() else c for c in self.text[start : self.at + 30])
        caret = " " * (self.at - start) + "^"
        return TypeTextError(kind, f"{found}, expected {expected}\n  {line}\n  {caret}", position=self.at)

    def take(self, word: str, expected: str) -> None:
        if self.word != word:
            raise self.error(expected)
        if word:
            self.advance()

    def skip(self, word: str) -> bool:
        found = self.word == word
        if found:
            self.advance()
        return found

    def type_(self) -> t.AlgebraicType | Visit:
        if self.word == "(":
            return self.members()
        if self.skip("&"):
            return self.ref()
        name = self.word.lower()
        if self.kind == 1 and name in _NAMED:
            self.advance()
            return _NAMED[name]
        if self.kind == 1 and name in _GENERIC:
            return self.generic(*_GENERIC[name])
        if self.kind == 1:
            hint = "a type (a variant without payload is written `Name: ()`, a type of the typespace `&0`)"
            raise self.error(hint, kind="UnknownType", found=f"`{self.word[:40]}` is no type")
        raise self.error("a type")

    def ref(self) -> t.AlgebraicType:
        if self.kind != 2 or len(self.word) > 10 or int(self.word) > 0xFFFF_FFFF:
            raise self.error("the index of a type, below 2^32")
        index = int(self.word)
        self.advance()
        return t.Ref(index)

    def generic(self, count: int, build: Callable[..., t.AlgebraicType]) -> Visit:
        name = self.word
        self.advance()
        self.take("<", f"`<` after {name}")
        parts = []
        for index in range(count):
            if index:
                self.take(",", f"`,`: {name} has {count} parameters")
            parts.append((yield None, None))
        self.take(">", "`>`")
        return build(*parts)

    def members(self) -> Visit:
        self.advance()
        separator = "|" if self.skip("|") else ""
        parts: list[tuple[str | None, t.AlgebraicType]] = []
        while not self.skip(")"):
            label = self.label()
            parts.append((label, (yield None, None)))
            if self.word == ")":
                continue
            if self.word not in ([separator] if separator else [",", "|"]):
                raise self.error(f"`{separator}` or `)`" if separator else "`,`, `|` or `)`")
            separator = self.word
            self.advance()
        labels = [label for label, _ in parts]
        if separator == "|" or (labels == [None] and not separator):
            return t.SumType(tuple(t.SumTypeVariant(self.name(label), kind) for label, kind in parts))
        fields = enumerate(parts)
        return t.ProductType(
            tuple(t.ProductTypeElement(self.name(label, position), kind) for position, (label, kind) in fields)
        )

    def label(self) -> str | None:
        """The token before a colon, if that is what comes next."""
        match = _TOKEN.match(self.text, self.end)
        if self.kind not in (1, 2, 3) or match is None or match.group(match.lastindex or 0) != ":":
            return None
        word = self.word
        if word.startswith('"'):
            try:
                json.loads(word)
            except ValueError:
                raise self.error("a name in quotes with the escapes of JSON") from None
        self.advance()
        self.advance()
        return word

    @staticmethod
    def name(label: str | None, position: int = -1) -> str | None:
        if label is None or label == str(position):
            return None
        return str(json.loads(label)) if label.startswith('"') else label
