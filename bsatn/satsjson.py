"""SATS-JSON, both ways: what the reference's `serde` layer writes, and what it reads. (spec: wire 5.1, 5.2)

Writing is a `Form` for the walk in `bsatn.rendering`. Reading goes through the text once, led by the shape:
`_Reader` holds one token of look-ahead, a leaf takes one token, and an array, product or sum is a generator
that asks for its parts. So nothing is built that the shape does not want, duplicate keys and the spelling of
numbers are seen as they stand, and the text's nesting costs no stack.

Where the reference writes a value of a class unlike one of an AlgebraicType, a value is `derived` by the
nearest record or named sum around it: `{"none":[]}` and `[]` for unit there, `{"none":{}}` and `{}`
otherwise. (spec: wire 5.1)
"""

from __future__ import annotations

import functools
import json
import math
import re
import struct
from collections.abc import Callable
from typing import Any, Literal, NoReturn

from bsatn.errors import DecodeError, EncodeError
from bsatn.limits import DEFAULT_LIMITS, Limits
from bsatn.rendering import (
    Form,
    Visit,
    build_product,
    build_variant,
    fits,
    is_flat,
    payload_of,
    plain_decimal,
    render,
    shortest_decimal,
    walk,
)
from bsatn.shapes import (
    Array,
    Bool,
    Broken,
    Bytes,
    Case,
    Choice,
    Float,
    Int,
    Newtype,
    Product,
    Shape,
    String,
    Sum,
    is_option,
)

__all__ = ["dumps", "dumps_untyped", "loads"]

# Writing ----------------------------------------------------------------------------------------------------


def _int_text(shape: Int, value: int) -> str:
    return f'"{value:#x}"' if shape.bits == 256 else str(value)


#: Powers of ten from and below which a float is written without exponent.
_PLAIN_POWERS = {32: (-6, 13), 64: (-5, 16)}


def _float_text(shape: Float, value: float) -> str:
    """The shortest digits, with a fraction or exponent always; what JSON cannot say is null."""
    if not math.isfinite(value):
        return "null"
    sign, digits, power = shortest_decimal(value, shape.bits)
    low, high = _PLAIN_POWERS[shape.bits]
    if low <= power < high:
        plain = plain_decimal(digits, power)
        return sign + (plain if "." in plain else plain + ".0")
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{fraction}e{power:+d}" if power > 0 else f"{sign}{digits[0]}{fraction}e{power}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


_LEAVES: dict[type[Shape], Callable[[Any, Any], str]] = {
    Int: _int_text,
    Float: _float_text,
    Bool: lambda _, value: "true" if value else "false",
    String: lambda _, value: _quoted(value),
    Bytes: lambda _, value: f'"{value.hex()}"',
}


def _brackets(_: int) -> tuple[str, str, str]:
    return "[", ",", "]"


def _tuple(_: Shape, names: tuple[str | None, ...], __: bool = True) -> tuple[list[str], str]:
    return ["[", *[","] * (len(names) - 1)] if names else [], "]" if names else "[]"


def _typed_form(none: str, tuples: str) -> Form[str]:
    """The form for typed values: objects. (spec: wire 5.1)"""
    units = {
        "auto": {True: "[]", False: "{}"},
        "array": {True: "[]", False: "[]"},
        "object": {True: "{}", False: "{}"},
    }

    def product(shape: Shape, names: tuple[str | None, ...], derived: bool) -> tuple[list[str], str]:
        if not names:
            return [], "{}" if isinstance(shape, Product) and shape.cls else units[none][derived]
        if None in names:
            if not derived and tuples == "error":
                raise EncodeError("Other", text="tuple element has no name")
            return _tuple(shape, names)
        return [("," if i else "{") + f"{_quoted(name or '')}:" for i, name in enumerate(names)], "}"

    def variant(shape: Sum, tag: int, _: bool) -> tuple[str, str]:
        name = shape.names[tag]
        return (f"[{tag},", "]") if name is None else (f"{{{_quoted(name)}:", "}")

    return Form(_LEAVES, _brackets, product, variant)


_UNTYPED: Form[str] = Form(_LEAVES, _brackets, _tuple, lambda _, tag, __: (f"[{tag},", "]"))


def dumps(
    shape: Shape,
    value: Any,
    *,
    indent: int | None = None,
    none: Literal["auto", "array", "object"] = "auto",
    tuples: Literal["error", "array"] = "error",
    limits: Limits = DEFAULT_LIMITS,
) -> str:
    """The value as SATS-JSON with names, compact unless `indent` is given.

    `none` is what an empty payload looks like: as the reference has it, or always `[]`, or always `{}`. A
    typed tuple is an error, as in the reference, unless `tuples` is "array".
    """
    text = "".join(render(_typed_form(none, tuples), shape, value, limits))
    return text if indent is None else _indented(text, indent)


def dumps_untyped(shape: Shape, value: Any, *, limits: Limits = DEFAULT_LIMITS) -> str:
    """The value as the reference writes it without its type: products as arrays, sums as `[tag, payload]`."""
    return "".join(render(_UNTYPED, shape, value, limits))


def _indented(text: str, indent: int) -> str:
    """Compact JSON spread over lines; empty brackets stay together."""
    out: list[str] = []
    level = 0
    for token in re.findall(r'"(?:[^"\\]++|\\.)*+"|\{\}|\[\]|[\[{\]},:]|[^\[{\]},:"]+', text):
        opens, closes = token in ("{", "["), token in ("}", "]")
        level += opens - closes
        line = "\n" + " " * (indent * level)
        out += (
            [line, token] if closes else [token, line] if opens or token == "," else [token, " "] if token == ":" else [token]
        )
    return "".join(out)


# Reading ----------------------------------------------------------------------------------------------------

_TOKEN = re.compile(
    r"[ \t\n\r]*+(?:([{}\[\]:,])"  # 1: punctuation
    r'|("(?:[^"\\\x00-\x1f]++|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*+")'  # 2: string
    r"|(-?+(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][+-]?+[0-9]++)?+)"  # 3: number
    r"|(true|false|null)"  # 4: word
    r"|(\Z))"  # 5: the end
)
_PUNCTUATION, _STRING, _NUMBER, _WORD, _END = range(1, 6)
_TAG = re.compile(r"\+?[0-9]+")  # what Rust reads as a u8, if it is in range
_HEX_256 = re.compile(r"([+-]?)0x([0-9a-fA-F]+)")
_LONGEST_INT = 400  #: Digits beyond which an integer is out of range for every type, so that its value does not matter.


def loads(shape: Shape, text: str | bytes, *, limits: Limits = DEFAULT_LIMITS) -> Any:
    """The value that SATS-JSON text says; raises DecodeError.

    Kinds: `JsonSyntax`, `JsonShape` (JSON of another kind than the type wants), `OutOfRange`, `UnknownField`,
    `MissingField`, `DuplicateField`, `UnknownVariant`, `InvalidUtf8`, `LimitExceeded`. `offset` counts
    characters.
    """
    if isinstance(text, bytes):
        try:
            text = text.decode()
        except UnicodeDecodeError as error:
            raise DecodeError("InvalidUtf8", offset=error.start) from None
    try:
        reader = _Reader(text)
        value = walk(reader.enter, shape, limits)
        if reader.kind != _END:
            raise DecodeError("JsonSyntax", f"{reader.found()} after the end of the value", offset=reader.at)
    except DecodeError as error:
        error.unit = "character"
        raise
    return value


class _Reader:
    """The token in hand: its `kind`, its text `word`, where it begins, `at`, and where it ends, `end`."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.end = 0
        self.advance()

    def advance(self) -> None:
        match = _TOKEN.match(self.text, self.end)
        if match is None:
            at = len(self.text) - len(self.text[self.end :].lstrip(" \t\n\r"))
            what = "a string without end or with bad contents" if self.text[at] == '"' else f"found {self.text[at]!r}"
            raise DecodeError("JsonSyntax", f"this is not JSON: {what}", offset=at)
        self.kind = match.lastindex or 0
        self.word: str = match[self.kind]
        self.at, self.end = match.span(self.kind)

    def found(self) -> str:
        return f"found {self.word[:40]}" if self.word else "the text ends"

    def fail(self, expected: str) -> NoReturn:
        is_value = self.kind in (_STRING, _NUMBER, _WORD) or self.word in ("{", "[")
        raise DecodeError("JsonShape" if is_value else "JsonSyntax", f"{self.found()}, expected {expected}", offset=self.at)

    def refuse(self, kind: str, message: str = "", **fields: Any) -> NoReturn:
        raise DecodeError(kind, message, offset=self.at, **fields)

    def take(self, word: str, expected: str) -> None:
        if self.kind != _PUNCTUATION or self.word != word:
            self.fail(expected)
        self.advance()

    def more(self, closing: str, index: int) -> bool:
        """Whether another item follows in the brackets; takes the comma before it, or the closing one."""
        if self.word == closing and self.kind == _PUNCTUATION:
            self.advance()
            return False
        if index:
            self.take(",", f"`,` or `{closing}`")
        return True

    def string(self, expected: str) -> str:
        """The string in hand, which stays there, for a complaint about it."""
        if self.kind != _STRING:
            self.fail(expected)
        text = self.word[1:-1]
        if "\\" in text:
            text = json.loads(self.word)
        if not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text):
            self.refuse("JsonSyntax", "the string holds a lone surrogate")
        return text

    # Leaves: one token each, or none.

    def enter(self, shape: Shape) -> Any:
        visit = _VISITS.get(type(shape))
        if visit:
            made = visit(self, shape)
            return walk(lambda node: self.enter(node) if node else made, None, _ONE) if is_flat(shape) else made
        value = _READS[type(shape)](self, shape)
        self.advance()
        return value

    def bool_(self, _: Bool) -> bool:
        if self.word not in ("true", "false") or self.kind != _WORD:
            self.fail("true or false")
        return self.word == "true"

    def string_(self, _: String) -> str:
        return self.string("a string")

    def float_(self, shape: Float) -> float:
        if self.kind != _NUMBER:
            self.fail("a number")
        value = float(self.word)
        try:
            value = struct.unpack("<f", struct.pack("<f", value))[0] if shape.bits == 32 else value
        except OverflowError:
            value = math.inf
        if math.isinf(value):
            self.refuse("OutOfRange", f"{self.word[:40]} does not fit f{shape.bits}")
        return value

    def int_(self, shape: Int) -> int:
        if shape.bits == 256:
            return self.hex_int(shape)
        # `-0` is a float to the reference, except where it scans the digits itself
        if self.kind != _NUMBER or not self.word.lstrip("-").isdigit() or (self.word == "-0" and shape.label != "i128"):
            self.fail(f"an integer ({shape.label})")
        return self.in_range(shape, int(self.word) if len(self.word) <= _LONGEST_INT else None)

    def hex_int(self, shape: Int) -> int:
        expected = f'"0x" and hex digits ({shape.label})'
        match = _HEX_256.fullmatch(self.string(expected))
        if not match or (match[1] == "-" and not shape.signed):
            self.fail(expected)
        return self.in_range(shape, int(match[1] + match[2], 16))

    def in_range(self, shape: Int, number: int | None) -> int:
        if number is None or not fits(shape, number):
            self.refuse(
                "OutOfRange",
                f"{self.word[:80]} does not fit {shape.label}",
                bits=shape.bits,
                signed=shape.signed,
            )
        return number

    def choice(self, shape: Choice) -> Any:
        found = _READS[type(shape.inner)](self, shape.inner)
        if found not in shape.values:
            self.refuse("Other", text=shape.refusal.format(found=found))
        return shape.values[found]

    def broken(self, shape: Broken) -> NoReturn:
        raise DecodeError(shape.kind, offset=self.at, ref=shape.ref)

    # What has parts.

    def bytes_(self, _: Bytes) -> Any:
        if self.word == "[":
            return self.array(_BYTE_ARRAY)
        digits = self.string("hex digits or an array of bytes")
        if len(digits) % 2 or not re.fullmatch("[0-9a-fA-F]*", digits):
            self.fail("an even number of hex digits without prefix")
        self.advance()
        return bytes.fromhex(digits)

    def array(self, shape: Array) -> Visit:
        self.take("[", "an array")
        items: list[Any] = []
        while self.more("]", len(items)):
            items.append((yield len(items), shape.element))
        return shape.container(items)

    def newtype(self, shape: Newtype) -> Visit:
        (number,) = yield from self.fields(_as_product(shape))
        return shape.cls(number)

    def case(self, shape: Case) -> Visit:
        return shape.cls((yield shape.attribute, shape.inner))

    def product(self, shape: Product) -> Visit:
        return build_product(shape, (yield from self.fields(shape)))

    def fields(self, shape: Product) -> Visit:
        return self.fields_in_order(shape) if self.word == "[" else self.fields_by_name(shape)

    def fields_in_order(self, shape: Product) -> Visit:
        self.advance()
        values: list[Any] = []
        for step, part in shape.steps():
            if not self.more("]", len(values)):
                self.refuse(
                    "MissingField",
                    f"the array ends after {len(values)} of {len(shape.fields)} fields",
                    name=step,
                )
            values.append((yield step, part))
        if self.more("]", len(values)):
            self.fail(f"`]`: the product has {len(values)} fields")
        return values

    def fields_by_name(self, shape: Product) -> Visit:
        count = len(shape.fields)
        self.take("{", f"an object, or an array of {count}")
        positions, steps = _fields_of_names(shape)
        values: dict[int, Any] = {}
        while self.more("}", len(values)):
            name = self.string("a field name")
            if name not in positions:
                self.refuse("UnknownField", f"no field {name!r}", name=name)
            if positions[name] in values:
                self.refuse("DuplicateField", f"the field {name!r} comes twice", name=name)
            self.advance()
            self.take(":", "`:`")
            values[positions[name]] = yield steps[positions[name]]
        for position, (missing, _) in enumerate(steps):
            if position not in values:
                label = shape.names[position]
                self.refuse(
                    "MissingField",
                    f"the field {missing if label is None else label!r} is missing",
                    name=label,
                )
        return [values[position] for position in range(count)]

    def sum(self, shape: Sum) -> Visit:
        if self.word == "null" and is_option(shape):
            self.advance()
            return None
        closing = {"{": "}", "[": "]"}.get(self.word) or self.fail("an object with one key, or `[tag, payload]`")
        self.advance()
        if self.word == closing:
            self.refuse("JsonShape", "found empty brackets, expected a variant in them")
        tag = self.tag(shape, closing)
        self.take(":" if closing == "}" else ",", "the variant's payload")
        step, payload, case = payload_of(shape, tag)
        content = yield step, payload
        if self.word == ",":
            self.refuse("JsonShape", "found more in the brackets, expected one variant and its payload")
        self.take(closing, f"`{closing}`")
        return build_variant(shape, tag, case.cls(content) if case else content)

    def tag(self, shape: Sum, closing: str) -> int:
        """The variant by name, or by tag as a number or as text: a name like a number is out of reach."""
        if self.kind == _NUMBER and closing == "]":
            word = self.word
        else:
            word = self.string("a variant's name" if closing == "}" else "a variant's tag or name")
        if _TAG.fullmatch(word) and len(word) < _LONGEST_INT and int(word) < 256:
            tag = int(word)
        elif self.kind == _STRING and word in shape.names:
            tag = shape.names.index(word)
        else:
            tag = 256
        if tag >= min(len(shape.payloads), 256):
            self.refuse("UnknownVariant", f"no variant {word[:40]!r}", name=word)
        self.advance()
        return tag


@functools.lru_cache(maxsize=1024)
def _fields_of_names(shape: Product) -> tuple[dict[str, int], list[tuple[str, Shape]]]:
    """Position of the first field of each name, and all fields as steps of the walk."""
    return {name: i for i, name in reversed([*enumerate(shape.names)]) if name is not None}, list(shape.steps())


@functools.lru_cache(maxsize=64)
def _as_product(shape: Newtype) -> Product:
    return Product((shape.name,), (shape.inner,))


_ONE = Limits(depth=1)
_BYTE_ARRAY = Array(Int(8, False), bytes)  # type: ignore[arg-type]
_READS: dict[type[Shape], Callable[[_Reader, Any], Any]] = {
    Int: _Reader.int_,
    Float: _Reader.float_,
    Bool: _Reader.bool_,
    String: _Reader.string_,
    Choice: _Reader.choice,
    Broken: _Reader.broken,
}
_VISITS: dict[type[Shape], Callable[[_Reader, Any], Any]] = {
    Bytes: _Reader.bytes_,
    Array: _Reader.array,
    Product: _Reader.product,
    Newtype: _Reader.newtype,
    Case: _Reader.case,
    Sum: _Reader.sum,
}
