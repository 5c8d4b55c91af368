"""Values that print, compare and sort as the reference's enums do, from their declaration alone.

An error is a class whose annotations name what its fields are in the reference: `ColId` and `TypeRef` are both `int` here
but print differently, `Pretty` is a type shown as SATN, and so on. From that come

- `message`: the template given to `@variant`, where `{name}` is a field as the reference displays it, `{name!r}` its Debug;
- `debug`: the Debug text;
- `sort_key`: the position of the variant, then its fields in order, strings by their UTF-8 bytes. Values are equal when
  their keys are, and the key of a type is flat, so that no depth of nesting overflows the stack. (spec: validation 4.1)
"""

from __future__ import annotations

import dataclasses
import enum
import keyword
import typing
import unicodedata
from collections.abc import Callable, Iterable
from typing import Annotated, Any, TypeAlias, TypeVar, dataclass_transform

from bsatn import types as t
from bsatn.frozen import frozen
from defs.raw.v9 import RawScopedTypeNameV9
from defs.raw.v10 import RawScopedTypeNameV10
from defs.schema.model import ScopedTypeName

__all__ = [
    "Char", "ColId", "ColList", "ColSet", "Count", "Family", "Field", "Name", "Names", "OptionalName", "Pretty", "Product",
    "RawTypeName", "Rust", "SumName", "TypeKey", "TypeKeys", "TypeName", "TypeRef", "debug_str", "debug_type", "fields_of",
    "type_key", "variant",
]  # fmt: skip

_C = TypeVar("_C", bound="type[Family]")

# Texts ------------------------------------------------------------------------------------------------------

_ESCAPES = {"\0": "\\0", "\t": "\\t", "\r": "\\r", "\n": "\\n", "\\": "\\\\"}
#: Characters that extend the one before them though their category does not say so (Other_Grapheme_Extend). Those
#: that are not printable are escaped anyway, and not listed.
_EXTENDING = frozenset(
    "\u09be\u09d7\u0b3e\u0b57\u0bbe\u0bd7\u0cc0\u0cc2\u0cc7\u0cc8\u0cca\u0ccb\u0cd5\u0cd6\u0d3e\u0d57\u0dcf\u0ddf\u1715"
    "\u1734\u1b35\u1b3b\u1b3d\u1b43\u1b44\u1baa\u1bf2\u1bf3\u302e\u302f\ua953\ua9c0\uff9e\uff9f\U000111c0\U00011235\U0001133e"
    "\U0001134d\U00011357\U000114b0\U000114bd\U000115af\U000116b6\U00011930\U0001193d\U00016ff0\U00016ff1\U0001d165\U0001d166"
    "\U0001d16d\U0001d16e\U0001d16f\U0001d170\U0001d171\U0001d172"
)


def _escaped(char: str, quote: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    if char == quote:
        return "\\" + char
    if not char.isprintable() or char in _EXTENDING or unicodedata.category(char) in ("Mn", "Me"):
        return f"\\u{{{ord(char):x}}}"
    return char


def _quoted(quote: str) -> Callable[[str], str]:
    def debug(text: str) -> str:
        plain = text.isascii() and text.isprintable() and quote not in text and "\\" not in text
        return quote + (text if plain else "".join(_escaped(char, quote) for char in text)) + quote

    return debug


debug_str = _quoted('"')
_debug_char = _quoted("'")


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


# Types ------------------------------------------------------------------------------------------------------


class TypeKey:
    """What types sort by; one type shared by many errors is compared and hashed once."""

    __slots__ = ("_flat", "_hash")

    def __init__(self, flat: tuple[Any, ...]) -> None:
        self._flat = flat
        self._hash = hash(flat)

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, TypeKey) and self._hash == other._hash and self._flat == other._flat)

    def __lt__(self, other: TypeKey) -> bool:
        return self._flat < other._flat

    def __hash__(self) -> int:
        return self._hash


TypeKeys: TypeAlias = dict[int, TypeKey]  #: keys made before, by the identity of types that are still alive

_TAGS: dict[t.AlgebraicType, int] = {primitive: 4 + position for position, primitive in enumerate(t.PRIMITIVES)}


def _members(kind: t.ProductType | t.SumType) -> Iterable[t.ProductTypeElement | t.SumTypeVariant]:
    return kind.elements if isinstance(kind, t.ProductType) else kind.variants


def _key_pieces(kind: t.AlgebraicType) -> tuple[tuple[Any, ...], list[Any], tuple[Any, ...]]:
    """What begins the key of a type, the names and types of its parts, and what ends it."""
    if isinstance(kind, t.Ref):
        return (0, kind.index), [], ()
    if isinstance(kind, t.ArrayType):
        return (3,), [kind.element], ()
    if not isinstance(kind, (t.ProductType, t.SumType)):
        return (_TAGS[kind],), [], ()
    parts: list[Any] = []
    for member in _members(kind):
        # a list goes on with 1 and ends with 0; a name is there, 1, or not, 0
        parts += [(1, 0) if member.name is None else (1, 1, _utf8(member.name)), member.algebraic_type]
    return (1 if isinstance(kind, t.SumType) else 2,), parts, (0,)


def type_key(kind: t.AlgebraicType, keys: TypeKeys) -> TypeKey:
    """What a type sorts by, in the reference's order of types."""
    if id(kind) not in keys:
        keys[id(kind)] = TypeKey(_flat_key(kind))
    return keys[id(kind)]


def _flat_key(kind: t.AlgebraicType) -> tuple[Any, ...]:
    key: list[Any] = []
    todo: list[Any] = [kind]
    while todo:
        piece = todo.pop()
        if isinstance(piece, tuple):
            key.extend(piece)
            continue
        before, parts, after = _key_pieces(piece)
        key.extend(before)
        todo.append(after)
        todo.extend(reversed(parts))
    return tuple(key)


def debug_type(kind: t.AlgebraicType) -> str:
    """The Debug text of a type: `Product(ProductType {"x": U8})`."""
    text: list[str] = []
    todo: list[t.AlgebraicType | str] = [kind]
    while todo:
        piece = todo.pop()
        if isinstance(piece, str):
            text.append(piece)
        elif isinstance(piece, t.Ref):
            text.append(f"Ref(AlgebraicTypeRef({piece.index}))")
        elif isinstance(piece, t.ArrayType):
            todo += [" })", piece.element, "Array(ArrayType { elem_ty: "]
        elif isinstance(piece, (t.ProductType, t.SumType)):
            word = "Product" if isinstance(piece, t.ProductType) else "Sum"
            parts: list[t.AlgebraicType | str] = [f"{word}({word}Type {{"]
            for position, member in enumerate(_members(piece)):
                name = "None" if member.name is None else debug_str(member.name)
                parts += [f"{', ' if position else ''}{name}: ", member.algebraic_type]
            todo += reversed([*parts, "})"])
        else:
            text.append(str(piece))
    return "".join(text)


def _debug_product(kind: t.ProductType) -> str:
    return debug_type(kind)[len("Product(") : -1]


# Kinds of field ---------------------------------------------------------------------------------------------


@frozen
class Rust:
    """How one kind of field is shown, and what it sorts by; written beside the Python type with `Annotated`."""

    debug: Callable[[Any], str]
    display: Callable[[Any], str] = str
    key: Callable[[Any, TypeKeys], Any] = lambda value, _: value


_ScopedName: TypeAlias = ScopedTypeName | RawScopedTypeNameV9 | RawScopedTypeNameV10


def _segments(value: _ScopedName) -> tuple[str, ...]:
    return *value.scope, value.source_name if isinstance(value, RawScopedTypeNameV10) else value.name


def _scoped_key(value: _ScopedName, _: object) -> tuple[tuple[bytes, ...], bytes]:
    *scope, name = map(_utf8, _segments(value))
    return tuple(scope), name


def _scoped_text(value: _ScopedName) -> str:
    return "::".join(_segments(value))


def _debug_columns(columns: Iterable[int]) -> str:
    return ", ".join(f"ColId({column})" for column in columns)


def _optional(absent: str) -> Rust:
    return Rust(
        lambda value: "None" if value is None else f"Some({debug_str(value)})",
        lambda value: absent if value is None else str(value),
        lambda value, _: () if value is None else (_utf8(value),),
    )


_TEXT = Rust(debug_str, key=lambda value, _: _utf8(value))
_FAMILY = Rust(lambda value: value.debug, lambda value: value.message, lambda value, keys: value.keyed(keys))

Name: TypeAlias = Annotated[str, _TEXT]
Char: TypeAlias = Annotated[str, Rust(_debug_char, key=lambda value, _: ord(value))]
OptionalName: TypeAlias = Annotated[str | None, _optional("")]
SumName: TypeAlias = Annotated[str | None, _optional("<unknown>")]
Names: TypeAlias = Annotated[
    tuple[str, ...],
    Rust(lambda value: f"[{', '.join(map(debug_str, value))}]", key=lambda value, _: tuple(map(_utf8, value))),
]
Count: TypeAlias = Annotated[int, Rust(str)]
ColId: TypeAlias = Annotated[int, Rust("ColId({})".format)]
ColList: TypeAlias = Annotated[
    tuple[int, ...], Rust(lambda value: f"[{_debug_columns(value)}]", key=lambda value, _: tuple(value))
]
ColSet: TypeAlias = Annotated[  # any collection of columns; shown sorted, without repeats
    tuple[int, ...] | frozenset[int],
    Rust(lambda value: f"{{{_debug_columns(sorted(set(value)))}}}", key=lambda value, _: tuple(sorted(set(value)))),
]
TypeRef: TypeAlias = Annotated[int, Rust("AlgebraicTypeRef({})".format, "&{}".format)]
Pretty: TypeAlias = Annotated[t.AlgebraicType, Rust(str, key=type_key)]
Product: TypeAlias = Annotated[t.ProductType, Rust(_debug_product, _debug_product, key=type_key)]
TypeName: TypeAlias = Annotated[_ScopedName, Rust(lambda value: f'"{_scoped_text(value)}"', _scoped_text, _scoped_key)]
RawTypeName: TypeAlias = Annotated[
    _ScopedName, Rust(lambda value: "::".join(map(debug_str, _segments(value))), _scoped_text, _scoped_key)
]
_ENUM = Rust(lambda value: value.name, lambda value: value.name, lambda value, _: value.value)

# Families ---------------------------------------------------------------------------------------------------


class Family:
    """Base of the enums: a class declared with `family=True` is an enum; the classes under it are its variants, in order."""

    __slots__ = ()
    kind: typing.ClassVar[str] = ""
    rank: typing.ClassVar[int] = -1
    template: typing.ClassVar[str] = ""
    tuple_like: typing.ClassVar[bool] = False
    variants: typing.ClassVar[list[type[Family]]]  # of an enum

    def __init_subclass__(cls, *, family: bool = False) -> None:
        super().__init_subclass__()
        if family:
            cls.variants = []

    @property
    def message(self) -> str:
        """The reference's sentence."""
        return self.template.format_map({f.name: _Shown(getattr(self, f.attribute), f.how) for f in fields_of(type(self))})

    @property
    def debug(self) -> str:
        """The reference's Debug text."""
        values = [(f.name, f.how.debug(getattr(self, f.attribute))) for f in fields_of(type(self))]
        if not values:
            return self.kind
        if self.tuple_like:
            return f"{self.kind}({', '.join(text for _, text in values)})"
        return f"{self.kind} {{ {', '.join(f'{name}: {text}' for name, text in values)} }}"

    @property
    def sort_key(self) -> tuple[Any, ...]:
        """What the reference sorts by; two errors are equal when their keys are."""
        return self.keyed({})

    def keyed(self, keys: TypeKeys) -> tuple[Any, ...]:
        """The sort key, with keys of types taken from `keys` or left there."""
        return (self.rank, *(f.how.key(getattr(self, f.attribute), keys) for f in fields_of(type(self))))

    def __str__(self) -> str:
        return self.message

    def __repr__(self) -> str:
        return self.debug

    def __eq__(self, other: object) -> bool:
        return self.sort_key == other.sort_key if type(other) is type(self) else NotImplemented

    def __hash__(self) -> int:
        return hash((type(self), self.sort_key))

    def __lt__(self, other: Family) -> bool:
        return self.sort_key < other.sort_key


class _Shown:
    """A field in a template: `{name}` displays it, `{name!r}` debugs it, `{name.part}` reaches into it."""

    def __init__(self, value: Any, how: Rust) -> None:
        self._value, self._how = value, how

    def __str__(self) -> str:
        return self._how.display(self._value)

    def __format__(self, spec: str) -> str:
        return format(self._value, spec) if spec else str(self)

    def __repr__(self) -> str:
        return self._how.debug(self._value)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._value, name)


@dataclass_transform(frozen_default=True, eq_default=False)
def variant(template: str, *, tuple_like: bool = False) -> Callable[[_C], _C]:
    """Declare the next variant of a family: a frozen, slotted dataclass.

    `tuple_like` says that its Debug form is `Kind(value)`.
    """

    def declare(cls: _C) -> _C:
        made: Any = frozen(eq=False, repr=False)(cls)
        made.kind, made.template, made.tuple_like, made.rank = cls.__name__, template, tuple_like, len(made.variants)
        made.variants.append(made)
        return typing.cast("_C", made)

    return declare


@frozen
class Field:
    """One of the reference's fields: its name there, the attribute here, what it holds, and how it is shown."""

    name: str
    attribute: str
    hint: Any
    how: Rust


_FIELDS: dict[Any, tuple[Field, ...]] = {}


def fields_of(cls: type[Family]) -> tuple[Field, ...]:
    """The fields of a variant that are the reference's, in order."""
    if cls not in _FIELDS:
        hints = typing.get_type_hints(cls, include_extras=True)
        names = [field.name for field in dataclasses.fields(cls) if not field.kw_only]  # type: ignore[arg-type]
        _FIELDS[cls] = tuple(Field(_wire_name(name), name, hints[name], _how(hints[name])) for name in names)
    return _FIELDS[cls]


def _wire_name(name: str) -> str:
    """Names that Python or a Family needs for itself have an underscore here: `def_`, `kind_`."""
    bare = name.removesuffix("_")
    return bare if keyword.iskeyword(bare) or hasattr(Family, bare) or bare == "path" else name


def _how(hint: Any) -> Rust:
    for mark in getattr(hint, "__metadata__", ()):
        if isinstance(mark, Rust):
            return mark
    return _ENUM if isinstance(hint, type) and issubclass(hint, enum.Enum) else _FAMILY
