"""What generated records of a function's arguments derive from."""

from __future__ import annotations

from typing import Any, ClassVar, Generic, Self, TypeVar

from bsatn.codec import Codec

__all__ = ["ProcedureCall", "ReducerCall"]

_R = TypeVar("_R")
_CODECS: dict[Any, Codec[Any]] = {}


def _codec(kind: Any) -> Codec[Any]:
    if kind not in _CODECS:
        _CODECS[kind] = Codec(kind)
    return _CODECS[kind]


class _Call:
    """Arguments of a function that is called `NAME` on the wire."""

    __slots__ = ()
    NAME: ClassVar[str]

    def encode(self) -> bytes:
        """The arguments as BSATN, as CallReducer and CallProcedure carry them. Raises EncodeError."""
        return _codec(type(self)).encode(self)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The arguments that bytes are. Raises DecodeError."""
        made: Self = _codec(cls).decode(data)
        return made


class ReducerCall(_Call):
    """Arguments of a reducer."""

    __slots__ = ()


class ProcedureCall(_Call, Generic[_R]):
    """Arguments of a procedure, which returns `_R`, of the type `RETURNS`."""

    __slots__ = ()
    RETURNS: ClassVar[Any]

    @classmethod
    def decode_result(cls, data: bytes) -> _R:
        """What the procedure returned. Raises DecodeError."""
        made: _R = _codec(cls.RETURNS).decode(data)
        return made
