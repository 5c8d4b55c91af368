"""Names for types in annotations: what a record's field is in Python and on the wire, in one word.

`U32` here is `Annotated[int, types.U32]`: a type checker reads `int`, `bsatn` reads the width. Wherever this package takes
a type it takes these too, so `product(x=F32)` and `x: F32` say the same.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from bsatn import types as t
from bsatn.records import type_of

__all__ = [
    "F32",
    "F64",
    "I8",
    "I16",
    "I32",
    "I64",
    "I128",
    "I256",
    "U8",
    "U16",
    "U32",
    "U64",
    "U128",
    "U256",
    "Bool",
    "Bytes",
    "Never",
    "ScheduleAt",
    "String",
    "Unit",
    "array",
    "option",
    "plain_enum",
    "product",
    "ref",
    "result",
    "sum_",
]  # fmt: skip

from bsatn.values import TimeDuration, Timestamp

Bool: TypeAlias = bool
String: TypeAlias = str
Bytes: TypeAlias = bytes
I8: TypeAlias = Annotated[int, t.I8]
U8: TypeAlias = Annotated[int, t.U8]
I16: TypeAlias = Annotated[int, t.I16]
U16: TypeAlias = Annotated[int, t.U16]
I32: TypeAlias = Annotated[int, t.I32]
U32: TypeAlias = Annotated[int, t.U32]
I64: TypeAlias = Annotated[int, t.I64]
U64: TypeAlias = Annotated[int, t.U64]
I128: TypeAlias = Annotated[int, t.I128]
U128: TypeAlias = Annotated[int, t.U128]
I256: TypeAlias = Annotated[int, t.I256]
U256: TypeAlias = Annotated[int, t.U256]
F32: TypeAlias = Annotated[float, t.F32]
F64: TypeAlias = Annotated[float, t.F64]
Unit: TypeAlias = Annotated[tuple[()], t.UNIT]
Never: TypeAlias = Annotated[Any, t.NEVER]
ScheduleAt: TypeAlias = Annotated[TimeDuration | Timestamp, t.SCHEDULE_AT]


def _parts(unnamed: tuple[Any, ...], named: dict[str, Any]) -> list[tuple[str | None, t.AlgebraicType]]:
    given = [part if isinstance(part, tuple) else (None, part) for part in unnamed] + list(named.items())
    return [(name, type_of(part)) for name, part in given]


def product(*unnamed: Any, **named: Any) -> t.ProductType:
    """A product: `product(x=F32, y=F32)`. Positional types are unnamed fields; a `(name, type)` pair takes any name."""
    return t.ProductType(tuple(t.ProductTypeElement(*part) for part in _parts(unnamed, named)))


def sum_(*unnamed: Any, **named: Any) -> t.SumType:
    """A sum: `sum_(melee=Unit, ranged=U32)`; variants are given as for `product`."""
    return t.SumType(tuple(t.SumTypeVariant(*part) for part in _parts(unnamed, named)))


def plain_enum(*names: str) -> t.SumType:
    """A sum of variants without payload: `plain_enum("red", "green")`."""
    return t.SumType(tuple(t.SumTypeVariant(name, t.UNIT) for name in names))


def array(element: Any) -> t.ArrayType:
    """An array of any number of `element`."""
    return t.ArrayType(type_of(element))


def option(payload: Any) -> t.SumType:
    """`Option<payload>`."""
    return t.option_type(type_of(payload))


def result(ok: Any, err: Any) -> t.SumType:
    """`Result<ok, err>`."""
    return t.result_type(type_of(ok), type_of(err))


def ref(index: int) -> t.Ref:
    """A reference to entry `index` of the Typespace."""
    return t.Ref(index)
