"""Types for definitions to be made of: named ones, aliases, rows; and the small draws that all of it takes.

Names are words of `WORDS`, numbered where one comes again: whatever a policy makes of them they stay different, and a
generated name, words joined, tells which words it was made of.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from hypothesis import strategies as st

from bsatn import types as t
from defs.raw import v10
from defs.validate.names import camel, snake
from defs.validate.typedefs import is_default_order

__all__ = ["DIRECT", "WORDS", "Column", "Drawing", "Names"]

_T = TypeVar("_T")

#: No two share a word, so that names joined by underscores can be told apart; none is a name that means something.
WORDS = (
    "key", "owner", "Level", "userName", "chat_message", "HTTPServer", "東京", "_hidden", "Москва", "x1y", "straße", "ﬁeld",
    "BIG", "trailing_", "two__lines",
)  # fmt: skip
_LEAVES = (*t.PRIMITIVES, *t.SPECIAL_PRODUCTS.values(), t.SCHEDULE_AT, t.UNIT)
DIRECT = (t.U8, t.U16, t.U32, t.U64)


class Names:
    """Words that have not been used before."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.uses: dict[str, int] = {}

    def fresh(self, words: Sequence[str] = WORDS) -> str:
        """A word, numbered from its second use on."""
        word = self.draw(st.sampled_from(words))
        self.uses[word] = count = self.uses.get(word, 0) + 1
        return word if count == 1 else f"{word}{count}"


@dataclass(frozen=True, slots=True)
class Column:
    """A column to be: `finite` says that its type has values, all of them finite."""

    name: str
    ty: t.AlgebraicType
    finite: bool = True


class Drawing:
    """The types of one module while it is drawn, and its names; `version` says what may stand in it."""

    def __init__(self, draw: st.DrawFn, version: int) -> None:
        self.draw, self.version = draw, version
        self.names = Names(draw)
        plain = version < 10 or draw(st.booleans())
        self.policy = v10.CaseConversionPolicy.None_ if plain else v10.CaseConversionPolicy.SnakeCase
        self.convert: Callable[[str], str] = str if plain else snake
        self.entries: list[t.AlgebraicType] = []
        self.types: list[v10.RawTypeDefV10] = []
        self.finite: list[int] = []  #: entries, named or not, whose values are finite
        self.anywhere: list[int] = []  #: entries that may stand where a value is used
        self.enums: list[int] = []
        self.rows: list[tuple[int, list[Column]]] = []  #: named row types
        self.pinned: dict[tuple[type[Any], str], str] = {}

    # Small draws

    def chance(self) -> bool:
        return self.draw(st.booleans())

    def times(self, most: int) -> range:
        return range(self.draw(st.integers(0, most)))

    def one_of(self, choices: Sequence[_T]) -> _T:
        return self.draw(st.sampled_from(choices))

    def some_of(self, choices: Sequence[_T]) -> tuple[_T, ...]:
        """One or more of the choices, in any order."""
        return tuple(self.draw(st.permutations(choices))[: self.draw(st.integers(1, len(choices)))])

    def pin(self, kind: type[Any], source: str) -> str:
        """The canonical name: sometimes given outright, else what the policy makes of the source's."""
        if self.version == 10 and (kind, source) not in self.pinned and self.chance():
            self.pinned[kind, source] = self.names.fresh(("Pinned", "FB", "given_outright"))
        return self.pinned.get((kind, source), self.convert(source))

    def function(self) -> str:
        source = self.names.fresh()
        self.pin(v10.FunctionName, source)
        return source

    # Types

    def use(self, refs: Sequence[int], leaves: Sequence[t.AlgebraicType] = _LEAVES) -> t.AlgebraicType:
        """What a field or parameter may hold; references go to `refs`."""
        kind = self.draw(st.integers(0, 9))
        if kind == 6:
            return t.ArrayType(self.use(refs))
        if kind == 7:
            return t.option_type(self.use(refs))
        if kind == 8:
            return t.result_type(self.use(refs), self.use(refs))
        return t.Ref(self.one_of(refs)) if refs and kind > 3 else self.one_of(leaves)

    def product(self, refs: Sequence[int], most: int = 4) -> t.ProductType:
        names = Names(self.draw)
        return t.ProductType(tuple(t.ProductTypeElement(names.fresh(), self.use(refs)) for _ in self.times(most)))

    def sum_(self, refs: Sequence[int]) -> t.SumType:
        names = Names(self.draw)
        payloads = [self.use(refs, (t.UNIT, *_LEAVES)) for _ in range(self.draw(st.integers(1, 4)))]
        return t.SumType(tuple(t.SumTypeVariant(names.fresh(), payload) for payload in payloads))

    def enum(self) -> t.SumType:
        names = Names(self.draw)
        return t.SumType(tuple(t.SumTypeVariant(names.fresh(), t.UNIT) for _ in range(self.draw(st.integers(1, 4)))))

    def in_order(self, kind: t.AlgebraicType) -> bool:
        """Whether the parts stand in the default order, by the names they will have."""
        if isinstance(kind, t.ProductType):
            return is_default_order(
                t.ProductType(tuple(replace(part, name=self.convert(part.name or "")) for part in kind.elements))
            )
        assert isinstance(kind, t.SumType)
        convert = str if self.convert is str else camel
        return is_default_order(t.SumType(tuple(replace(part, name=convert(part.name or "")) for part in kind.variants)))

    def name_type(self, ref: int) -> None:
        """Give an entry a name."""
        kind = self.entries[ref]
        scope = tuple(self.one_of(WORDS) for _ in self.times(2))
        custom = not self.in_order(kind) or self.chance()
        name = v10.RawScopedTypeNameV10(scope, self.names.fresh(("Kind", "named", "OfThings")))
        self.types.append(v10.RawTypeDefV10(name, ref, custom))

    def draw_types(self) -> None:
        """Named types, each of those before it; aliases of them; and some that contain themselves and each other."""
        for _ in self.times(3):
            enum = self.chance()
            self.entries.append(self.enum() if enum else self.product(self.finite) if self.chance() else self.sum_(self.finite))
            ref = len(self.entries) - 1
            self.name_type(ref)
            self.finite.append(ref)
            if enum:
                self.enums.append(ref)
        for _ in self.times(2):
            self.entries.append(self.use(self.finite))
            self.finite.append(len(self.entries) - 1)
        self.anywhere = list(self.finite)
        knot = [len(self.entries) + place for place in self.times(2)]
        self.anywhere += knot
        for _ in knot:
            self.entries.append(self.product(self.anywhere) if self.chance() else self.sum_(self.anywhere))
        for ref in knot:
            self.name_type(ref)

    def draw_row(self, wanted: Sequence[t.AlgebraicType], named: bool) -> tuple[int, list[Column]]:
        """A row type with the wanted columns among others."""
        ref, names = len(self.entries), Names(self.draw)
        columns = [Column(names.fresh(), kind) for kind in wanted]
        for _ in self.times(3):
            finite = self.version == 8 or self.chance()
            refs = self.finite if finite else [*self.anywhere, *([ref] if named else [])]
            leaves = (*DIRECT, *(t.Ref(enum) for enum in self.enums), *_LEAVES, *(() if finite else (t.NEVER,)))
            columns.append(Column(names.fresh(), self.use(refs, leaves), finite))
        columns = list(self.draw(st.permutations(columns)))
        self.entries.append(t.ProductType(tuple(t.ProductTypeElement(one.name, one.ty) for one in columns)))
        if named:
            self.name_type(ref)
            self.anywhere.append(ref)
            self.rows.append((ref, columns))
        return ref, columns
