"""Every error of the reference cases is rebuilt from its Debug text: message, Debug text and order must be upstream's."""

from __future__ import annotations

import enum
import gzip
import json
import pickle
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from bsatn import types as t
from bsatn.errors import BsatnError, DecodeError
from defs.raw import v10
from defs.raw.shared import Lifecycle
from defs.raw.v9 import RawScopedTypeNameV9
from defs.schema.model import ScopedTypeName
from defs.validate import errors as e
from defs.validate import reasons as r
from defs.validate import rustlike
from defs.validate.rustlike import Family, debug_str, fields_of

REFERENCE = Path(__file__).parents[3] / "vectors" / "reference"
FILES = ("modules.jsonl.gz", "modules_v8.jsonl.gz")


@cache
def lists() -> list[list[dict[str, str]]]:
    """The `errors` list of every invalid case of the reference."""
    found = []
    for name in FILES:
        with gzip.open(REFERENCE / name, "rt") as lines:
            found += [case["errors"] for case in map(json.loads, lines) if case.get("errors")]
    return found


# Debug text read back ---------------------------------------------------------------------------------------

STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
CHAR = re.compile(r"'((?:[^'\\]|\\.[^']*))'")
WORD = re.compile(r"(\w+)")
AGGREGATE = re.compile(r"(\w+)Type ")
LABEL = re.compile(r"([^(){}|<>&]*?): ")
PLAIN_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0"}
PRIMITIVES = {kind.name: kind for kind in t.PRIMITIVES}


def unescaped(text: str) -> str:
    return re.sub(
        r"\\(?:u\{([0-9a-f]+)\}|(.))", lambda m: chr(int(m[1], 16)) if m[1] else PLAIN_ESCAPES.get(m[2], m[2]), text
    )


class Reader:
    """Reads Debug text of errors; what a field is, its declaration says."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def take(self, word: str) -> None:
        assert self.text.startswith(word, self.at), f"{word!r} expected at {self.text[self.at :][:80]!r}"
        self.at += len(word)

    def skip(self, word: str) -> bool:
        found = self.text.startswith(word, self.at)
        self.at += len(word) if found else 0
        return found

    def match(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        assert found, f"{pattern.pattern} expected at {self.text[self.at :][:80]!r}"
        self.at = found.end()
        return found[1]

    def number(self) -> int:
        return int(self.match(re.compile(r"(-?\d+)")))

    def wrapped(self, name: str) -> int:
        self.take(f"{name}(")
        value = self.number()
        self.take(")")
        return value

    def string(self) -> str:
        return unescaped(self.match(STRING))

    def char(self) -> str:
        return unescaped(self.match(CHAR))

    def optional(self) -> str | None:
        if self.skip("None"):
            return None
        self.take("Some(")
        value = self.string()
        self.take(")")
        return value

    def listed(self, item: Callable[[], Any], start: str = "[", end: str = "]") -> tuple[Any, ...]:
        self.take(start)
        items = []
        while not self.skip(end):
            items.append(item())
            self.skip(", ")
        return tuple(items)

    def columns(self) -> tuple[int, ...]:
        col = lambda: self.wrapped("ColId")  # noqa: E731
        return self.listed(col, "{", "}") if self.text.startswith("{", self.at) else self.listed(col)

    def method(self) -> v10.MethodOrAny:
        if self.skip("Any"):
            return v10.AnyMethod()
        self.take("Method(")
        name = self.match(WORD)
        made = getattr(v10, name)
        if name == "Extension":
            self.take("(")
            method = made(self.string())
            self.take(")")
        else:
            method = made()
        self.take(")")
        return v10.Method(method)

    def type_name(self) -> ScopedTypeName:
        *scope, name = self.string().split("::")
        return ScopedTypeName(tuple(scope), name)

    def raw_type_name(self) -> RawScopedTypeNameV9:
        names = [self.string()]
        while self.skip("::"):
            names.append(self.string())
        return RawScopedTypeNameV9(tuple(names[:-1]), names[-1])

    def structural(self) -> t.AlgebraicType:
        """A type as its derived Debug prints it."""
        word = self.match(WORD)
        if word in PRIMITIVES:
            return PRIMITIVES[word]
        self.take("(")
        kind: t.AlgebraicType
        if word == "Ref":
            kind = t.Ref(self.wrapped("AlgebraicTypeRef"))
        elif word == "Array":
            self.take("ArrayType { elem_ty: ")
            kind = t.ArrayType(self.structural())
            self.take(" }")
        else:
            kind = self.aggregate(word)
        self.take(")")
        return kind

    def aggregate(self, word: str) -> t.ProductType | t.SumType:
        self.skip(f"{word}Type ")
        parts = self.listed(self.entry, "{", "}")
        if word == "Product":
            return t.ProductType(tuple(t.ProductTypeElement(name, kind) for name, kind in parts))
        return t.SumType(tuple(t.SumTypeVariant(name, kind) for name, kind in parts))

    def entry(self) -> tuple[str | None, t.AlgebraicType]:
        name = None if self.skip("None") else self.string()
        self.take(": ")
        return name, self.structural()

    def pretty(self) -> t.AlgebraicType:
        """A type as SATN, whatever its names are. A sum of one reads as a product: the text says no more."""
        if self.skip("(|)"):
            return t.NEVER
        if self.skip("&"):
            return t.Ref(self.number())
        if self.skip("Array<"):
            kind: t.AlgebraicType = t.ArrayType(self.pretty())
            self.take(">")
            return kind
        if not self.skip("("):
            return PRIMITIVES[self.match(WORD)]
        parts: list[tuple[str | None, t.AlgebraicType]] = []
        separator = ""
        while not self.skip(")"):
            label = self.match(LABEL) if LABEL.match(self.text, self.at) else None
            parts.append((label, self.pretty()))
            separator = " | " if self.skip(" | ") else ", " if self.skip(", ") else separator
        if separator == " | " or any(label is None for label, _ in parts):
            return t.SumType(tuple(t.SumTypeVariant(name, kind) for name, kind in parts))
        fields = enumerate(parts)
        return t.ProductType(tuple(t.ProductTypeElement(None if n == str(i) else n, kind) for i, (n, kind) in fields))

    def family(self, family: type[Family]) -> Any:
        """A variant of a family; its class says what follows."""
        name = self.match(WORD)
        made: Any = next(cls for cls in family.variants if cls.kind == name)
        fields = fields_of(made)
        if not fields:
            return made()
        self.take("(" if made.tuple_like else " { ")
        values = {}
        for position, field in enumerate(fields):
            self.take(", " if position else "")
            self.take("" if made.tuple_like else f"{field.name}: ")
            values[field.attribute] = self.field(field)
        self.take(")" if made.tuple_like else " }")
        return made(**values)

    def field(self, field: rustlike.Field) -> Any:
        if isinstance(field.hint, type) and issubclass(field.hint, Family):
            return self.family(field.hint)
        if isinstance(field.hint, type) and issubclass(field.hint, enum.Enum):
            return field.hint[self.match(WORD)]
        return READERS[id(field.how)](self)


def how(alias: Any) -> int:
    return id(alias.__metadata__[-1])


#: How to read a field, by the alias it is declared with.
READERS: dict[int, Callable[[Reader], Any]] = {
    how(rustlike.Name): Reader.string,
    how(rustlike.Char): Reader.char,
    how(rustlike.OptionalName): Reader.optional,
    how(rustlike.SumName): Reader.optional,
    how(rustlike.Names): lambda reader: reader.listed(reader.string),
    how(rustlike.Count): Reader.number,
    how(rustlike.ColId): lambda reader: reader.wrapped("ColId"),
    how(rustlike.ColList): Reader.columns,
    how(rustlike.ColSet): Reader.columns,
    how(rustlike.TypeRef): lambda reader: reader.wrapped("AlgebraicTypeRef"),
    how(rustlike.Pretty): Reader.pretty,
    how(rustlike.Product): lambda reader: reader.aggregate(reader.match(AGGREGATE)),
    how(rustlike.TypeName): Reader.type_name,
    how(rustlike.RawTypeName): Reader.raw_type_name,
    how(r.Method): Reader.method,
    how(r.Kind): lambda reader: r.FunctionKind[reader.match(WORD)],
}


def rebuilt(debug: str) -> e.ValidationError:
    reader = Reader(debug)
    error = reader.family(e.ValidationError)
    assert reader.at == len(debug), debug
    return error  # type: ignore[no-any-return]


# The reference ----------------------------------------------------------------------------------------------

#: The files sort each list by Debug text. This is upstream's order of those with two errors or more, in file order: which
#: error of the list comes first, second, ...
UPSTREAM_ORDER = (
    "0123 201 01 01 01 01 0123 01 0312 10 01 10 01 10 10 01 10 01 10 01234 10 01 102 01234 10 01 01 01 201 10 0123 "
    "10 10 01234 10 10 10 201 01 10 10 01 01 01 10 01 2310 01 01 2301 01 10 2103 10 0123 01 01 10 01 012 0123 10 10 "
    "10 120 0123 01 0123 0123 01 01 01 10 10 01 10 01 2301 102 10 10 01 10 10 012 10 10 01 210 01 012 01234 10 01 "
    "10 01 0123 10 01 0123 01 0123 012 012 41230 10 12340 10 10 01 10 10 0123 01 10 0123 10 3012 10 01 201 01 10 "
    "0123 10 021 01 120 0123 10 10 01 10 210 120 120 0123 01 0123 10 10 "
).split()


def test_every_error_of_the_reference_says_what_upstream_says() -> None:
    seen = Counter[str]()
    for listed in lists():
        for expected in listed:
            error = rebuilt(expected["debug"])
            assert (error.kind, error.debug, error.message) == (expected["kind"], expected["debug"], expected["message"])
            assert rebuilt(error.debug) == error
            seen[error.kind] += 1
    assert sum(seen.values()) >= 802
    assert len(seen) >= 31


def test_every_list_of_the_reference_comes_into_upstreams_order_without_repeats() -> None:
    generator = random.Random(5)
    several = [listed for listed in lists() if len(listed) > 1]
    for listed, order in zip(several, UPSTREAM_ORDER, strict=True):
        errors = [rebuilt(listed[int(position)]["debug"]) for position in order]
        shuffled = [*errors, *(rebuilt(error.debug) for error in errors)]
        generator.shuffle(shuffled)
        assert list(e.combine(shuffled)) == errors
        assert sorted(errors) == errors
