"""Names and functions that load on first use, so that importing what offers them costs next to nothing.

`bsatn` does the same by itself: importing it loads no module at all.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

__all__ = ["deferred", "lazily"]


def lazily(package: str, home: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` of a package.

    `home` has the module in it that each name comes from (with a leading dot: one beside it).
    """

    def load(name: str) -> Any:
        if name not in home:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(f".{home[name]}", package), name)
        sys.modules[package].__dict__[name] = value  # found once
        return value

    return load, lambda: sorted(sys.modules[package].__dict__["__all__"])


def deferred(place: str) -> Callable[..., Any]:
    """A function that calls the one at `place`, such as `package.module:function`, whose module loads then."""
    module, _, name = place.partition(":")

    def call(*arguments: Any) -> Any:
        return getattr(import_module(module), name)(*arguments)

    return call
