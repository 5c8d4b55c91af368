"""The environment of a module: a class whose annotations are the variables it reads. (spec: validation 2.14)

`str` is any text, `Literal["dev", "live"]` one of these, and `| None` says that the variable may be missing.
"""

from __future__ import annotations

import types as pytypes
import typing
from collections.abc import Iterator
from typing import Any, Literal, Union

from defs.bindings.errors import DeclarationError
from defs.bindings.types import Scope
from defs.raw.v10 import EnvString, EnvStringLiteral, EnvUnion, RawEnvironmentDeclarationV10, RawEnvVarTypeV10

__all__ = ["declarations"]


def declarations(cls: type[Any], scope: Scope) -> Iterator[RawEnvironmentDeclarationV10]:
    """The variables of an environment class. Raises DeclarationError for one that is no text."""
    try:
        hints = typing.get_type_hints(cls, localns=dict(scope))
    except NameError as error:
        raise DeclarationError("UnknownName", f"an annotation names what is not there: {error}", path=(cls.__name__,)) from None
    for name, annotation in hints.items():
        kind, optional = _unwrapped(annotation)
        if kind is None:
            message = f"a variable is a str or a Literal of texts, `| None` if it may be missing; not {annotation!r}"
            raise DeclarationError("InvalidEnvironment", message, path=(cls.__name__, name))
        yield RawEnvironmentDeclarationV10(name, kind, optional)


def _unwrapped(annotation: Any) -> tuple[RawEnvVarTypeV10 | None, bool]:
    """What an annotation allows, and whether the variable may be missing; literals joined by `|` are one union."""
    if typing.get_origin(annotation) not in (Union, pytypes.UnionType):
        return _text(annotation), False
    arguments = typing.get_args(annotation)
    kept = [one for one in arguments if one is not pytypes.NoneType]
    return _text(kept[0]) if len(kept) == 1 else None, len(kept) < len(arguments)


def _text(annotation: Any) -> RawEnvVarTypeV10 | None:
    if annotation is str:
        return EnvString()
    values = typing.get_args(annotation) if typing.get_origin(annotation) is Literal else ()
    if not values or not all(isinstance(value, str) for value in values):
        return None
    return EnvStringLiteral(values[0]) if len(values) == 1 else EnvUnion(values)
