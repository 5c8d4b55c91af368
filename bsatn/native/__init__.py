"""The native engine: a type becomes a program, which the extension `bsatn._native` interprets.

`program` writes it; `native/src` reads it. Like the Python engine it knows nothing of errors: whatever it raises means only
that the Construct engine must look. The extension is built where there is a Rust toolchain; without it, importing this
package is an ImportError, and `bsatn.engines` chooses another engine.
"""

from __future__ import annotations

from functools import cached_property
from types import SimpleNamespace
from typing import Any

from bsatn._native import Plan
from bsatn.codegen.runtime import GiveUp, Unsure
from bsatn.collector import LARGE, collector_paused
from bsatn.limits import Limits
from bsatn.native.program import write_program
from bsatn.shapes import Shape
from bsatn.values import F32NaN, Some, Variant

__all__ = ["NativeEngine"]

_KIT = SimpleNamespace(
    variant=Variant, some=Some, f32_nan=F32NaN, new_tuple=tuple.__new__, give_up=GiveUp, unsure=Unsure
)  #: what every plan may make or raise


class NativeEngine:
    """Reads and writes values of one shape. Methods raise any exception for input that is wrong, or that is unsure."""

    def __init__(self, shape: Shape, limits: Limits) -> None:
        self.shape = shape
        self.limits = limits

    @cached_property
    def plan(self) -> Plan:
        """Reads and writes values."""
        return Plan(write_program(self.shape, self.limits), _KIT)

    @cached_property
    def checker(self) -> Plan:
        """Steps over values."""
        return Plan(write_program(self.shape, self.limits, values=False), _KIT)

    def decode(self, data: bytes, offset: int) -> tuple[Any, int]:
        """The value at `offset` and the offset after it."""
        if len(data) < LARGE:
            return self.plan.decode(data, offset)
        with collector_paused():
            return self.plan.decode(data, offset)

    def decode_many(self, data: bytes, offset: int, end: int) -> tuple[list[Any], int]:
        """Values back to back from `offset` until `end`, and the offset after the last."""
        if end - offset < LARGE:
            return self.plan.decode_many(data, offset, end)
        with collector_paused():
            return self.plan.decode_many(data, offset, end)

    def check(self, data: bytes, offset: int, count: int) -> int:
        """The offset after `count` values that stand back to back from `offset`; none is made."""
        return self.checker.check(data, offset, count)

    def encode(self, value: Any) -> bytes:
        """The bytes of a value."""
        return self.plan.encode(value)

    def encode_many(self, values: list[Any]) -> bytes:
        """The bytes of values, back to back."""
        return self.plan.encode_many(values)
