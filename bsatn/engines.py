"""Which engine a codec uses.

`native` where its extension is built, else `python`. The variable BSATN_ENGINE forces one, for all codecs that do not
name one themselves.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from typing import Any, Literal, Protocol, TypeAlias, get_args

from bsatn.codegen import GeneratedEngine
from bsatn.errors import BsatnError
from bsatn.limits import Limits
from bsatn.shapes import Shape

__all__ = ["VARIABLE", "Engine", "FastEngine", "available", "engine", "fast_engine"]

Engine: TypeAlias = Literal["native", "python", "construct"]

VARIABLE = "BSATN_ENGINE"
_NAMES: tuple[Engine, ...] = get_args(Engine)


class FastEngine(Protocol):
    """Reads and writes values of one shape. Methods raise any exception for input that is wrong, or that is unsure."""

    def decode(self, data: bytes, offset: int) -> tuple[Any, int]: ...
    def decode_many(self, data: bytes, offset: int, end: int) -> tuple[list[Any], int]: ...
    def check(self, data: bytes, offset: int, count: int) -> int: ...
    def encode(self, value: Any) -> bytes: ...
    def encode_many(self, values: list[Any]) -> bytes: ...


def engine() -> Engine:
    """The engine that codecs use unless told otherwise. Raises BsatnError where BSATN_ENGINE asks for one there is not."""
    word = os.environ.get(VARIABLE)
    if not word:
        return available()[0]
    for name in _NAMES:
        if name == word:
            return _there(name)
    raise BsatnError("UnknownEngine", f"{VARIABLE} is {word[:40]!r}; there are {', '.join(_NAMES)}")


def available() -> tuple[Engine, ...]:
    """The engines that can be used here, the fastest first."""
    return _NAMES if _native() else _NAMES[1:]


def fast_engine(name: Engine, shape: Shape, limits: Limits) -> FastEngine | None:
    """The engine of that name for values of a shape; None for the Construct engine, which codecs have anyway.

    Raises BsatnError for the native engine where it is not built.
    """
    if name == "construct":
        return None
    make = _native() if _there(name) == "native" else None
    return (make or GeneratedEngine)(shape, limits)


def _there(name: Engine) -> Engine:
    if name not in available():
        if name not in _NAMES:
            raise BsatnError("UnknownEngine", f"no engine is called {name!r}; there are {', '.join(available())}")
        raise BsatnError("EngineNotBuilt", "the native engine is not built; reinstall bsatn with a Rust toolchain (cargo)")
    return name


@cache
def _native() -> Callable[[Shape, Limits], FastEngine] | None:
    """The native engine, if its extension is there and loads."""
    try:
        from bsatn.native import NativeEngine
    except ImportError:
        return None
    return NativeEngine
