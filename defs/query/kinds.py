"""Types of columns, as type arguments: `Column[T, int, kinds.U32]` is a column of Python ints that are U32 on the wire.

Two columns compare when they are of one kind, so that a U32 is never held against a U64 though both are ints in Python. Kinds
with a row in `TYPES` have literals in SQL; all others, among them every record and enum, stand for themselves and compare with
columns only. Nothing makes instances of these classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from bsatn import types as t
from bsatn.types import AlgebraicType

__all__ = [
    "F32", "F64", "I8", "I16", "I32", "I64", "I128", "I256", "INTEGERS", "TYPES", "U8", "U16", "U32", "U64", "U128", "U256",
    "Array", "Bool", "Bytes", "ConnectionId", "Identity", "Never", "Option", "Result", "ScheduleAt", "String", "TimeDuration",
    "Timestamp", "Unit", "Uuid", "kind_of_type", "name_of",
]  # fmt: skip

_K = TypeVar("_K")
_E = TypeVar("_E")


class Bool: ...


class I8: ...


class U8: ...


class I16: ...


class U16: ...


class I32: ...


class U32: ...


class I64: ...


class U64: ...


class I128: ...


class U128: ...


class I256: ...


class U256: ...


class F32: ...


class F64: ...


class String: ...


class Bytes: ...


class Identity: ...


class ConnectionId: ...


class Timestamp: ...


class Uuid: ...


class TimeDuration: ...


class ScheduleAt: ...


class Unit: ...


class Never: ...


class Array(Generic[_K]): ...


class Option(Generic[_K]): ...


class Result(Generic[_K, _E]): ...


#: The wire type of every kind that has literals.
TYPES: Mapping[type, AlgebraicType] = {
    Bool: t.BOOL, I8: t.I8, U8: t.U8, I16: t.I16, U16: t.U16, I32: t.I32, U32: t.U32, I64: t.I64, U64: t.U64, I128: t.I128,
    U128: t.U128, I256: t.I256, U256: t.U256, F32: t.F32, F64: t.F64, String: t.STRING, Bytes: t.BYTES, Identity: t.IDENTITY,
    ConnectionId: t.CONNECTION_ID, Timestamp: t.TIMESTAMP, Uuid: t.UUID,
}  # fmt: skip
#: Those of integers.
INTEGERS = tuple(cls for cls, kind in TYPES.items() if kind in t.INTEGERS)
_BY_TYPE: dict[AlgebraicType, type] = {kind: cls for cls, kind in TYPES.items()}


def kind_of_type(kind: AlgebraicType) -> Any:
    """The kind of a wire type: a class of this module where there are literals, else the type itself."""
    return _BY_TYPE.get(kind, kind)


def name_of(kind: Any) -> str:
    """A kind for a person."""
    if isinstance(kind, type) and not hasattr(kind, "__args__"):
        return kind.__name__
    return str(kind).replace(f"{__name__}.", "")
