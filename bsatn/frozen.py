"""Frozen, slotted dataclasses that cost next to nothing to declare: a method is compiled when it is first wanted.

    @frozen
    class Position:
        x: float
        y: float = 0.0

makes what `@dataclass(frozen=True, slots=True)` makes. The standard library compiles half a dozen methods for each class, which
for the hundreds of classes of a command takes as long as all that the command then does, and most are never called. Here a
descriptor stands for each method until somebody looks it up, and is then replaced by the method.

Fields are those of `dataclasses`, so `fields`, `replace`, `asdict` and `field(...)` are as ever (`init=False` apart). A class
that derives from one of these is declared the same way.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field, fields
from itertools import pairwise
from reprlib import recursive_repr
from typing import Any, NoReturn, TypeAlias, TypeVar, dataclass_transform, overload

__all__ = ["frozen"]

_C = TypeVar("_C")
Fields: TypeAlias = tuple[Field[Any], ...]


@overload
def frozen(cls: type[_C], /) -> type[_C]: ...
@overload
def frozen(*, eq: bool = True, repr: bool = True) -> Callable[[type[_C]], type[_C]]: ...
@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: Any = None, /, *, eq: bool = True, repr: bool = True) -> Any:
    """Declare a frozen, slotted dataclass; without `eq` or `repr` it keeps the comparison or the text of its base.

    Raises TypeError, as `dataclass` does, for a field without default after one that has one.
    """
    names = ["__init__", *["__repr__"] * repr, *["__eq__", "__hash__"] * eq]

    def declare(cls: type[Any]) -> type[Any]:
        cls.__doc__ = cls.__doc__ or cls.__name__  # or dataclass makes one of the signature, and so the method
        made = dataclass(init=False, repr=False, eq=False, slots=True)(cls)
        _refuse_late_requirement(fields(made))
        methods = {name: _Unwritten(made, name) for name in names}
        for name, method in {**_SHARED, **methods}.items():
            if made.__dict__.get(name) is None:
                setattr(made, name, method)
        return made

    return declare if cls is None else declare(cls)


def _has_default(one: Field[Any]) -> bool:
    return one.default is not MISSING or one.default_factory is not MISSING


def _refuse_late_requirement(declared: Fields) -> None:
    for before, one in pairwise(one for one in declared if not one.kw_only):
        if _has_default(before) and not _has_default(one):
            raise TypeError(f"non-default argument {one.name!r} follows default argument")


# Methods that are the same for every class ------------------------------------------------------------------------


def _refuse_set(self: Any, name: str, value: object) -> NoReturn:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_delete(self: Any, name: str) -> NoReturn:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _get_state(self: Any) -> list[Any]:
    return [getattr(self, one.name) for one in fields(self)]


def _set_state(self: Any, state: list[Any]) -> None:
    for one, value in zip(fields(self), state, strict=True):
        object.__setattr__(self, one.name, value)


_SHARED: dict[str, Callable[..., Any]] = {
    "__setattr__": _refuse_set,
    "__delattr__": _refuse_delete,
    "__getstate__": _get_state,
    "__setstate__": _set_state,
}


# Methods that are written for one class ---------------------------------------------------------------------------


class _Factory:
    """Where a field has no value yet, as its factory makes one for each instance."""

    def __repr__(self) -> str:
        return "<factory>"


_FACTORY = _Factory()


class _Unwritten:
    """Stands for a method of a class until it is looked up."""

    __slots__ = ("cls", "name")

    def __init__(self, cls: type[Any], name: str) -> None:
        self.cls = cls
        self.name = name

    def __get__(self, instance: object, owner: type[Any] | None = None) -> Any:
        method = _WRITERS[self.name](self.cls)
        method.__qualname__ = f"{self.cls.__qualname__}.{self.name}"
        setattr(self.cls, self.name, method)
        return method.__get__(instance, owner)


def _compiled(cls: type[Any], header: str, lines: list[str], names: dict[str, Any]) -> Any:
    """The function of a header and lines, in the module of a class; `names` are more that it knows."""
    body = "\n  ".join(lines or ["pass"])
    found: dict[str, Any] = {}
    text = f"def make({', '.join(names)}):\n def {header}:\n  {body}\n return {header.partition('(')[0]}"
    exec(text, sys.modules[cls.__module__].__dict__, found)  # noqa: S102 - the names of fields are identifiers
    return found["make"](**names)


def _write_init(cls: type[Any]) -> Any:
    # no field of a class is called `__set`: within one Python would make another name of it
    names: dict[str, Any] = {"__set": object.__setattr__, "__unmade": _FACTORY}
    params: dict[bool, list[str]] = {False: [], True: []}  # the positional ones, those with keyword only
    lines: list[str] = []
    for one in fields(cls):
        name, default, factory = one.name, f"__default_{one.name}", f"__factory_{one.name}"
        params[one.kw_only is True].append(f"{name}={default}" if _has_default(one) else name)
        if one.default is not MISSING:
            names[default] = one.default
        elif one.default_factory is not MISSING:
            names |= {default: _FACTORY, factory: one.default_factory}
            lines.append(f"if {name} is __unmade: {name} = {factory}()")
        lines.append(f"__set(__self, {name!r}, {name})")
    if hasattr(cls, "__post_init__"):
        lines.append("__self.__post_init__()")
    star = ["*"] if params[True] else []
    method = _compiled(cls, f"__init__({', '.join(['__self', *params[False], *star, *params[True]])})", lines, names)
    method.__annotations__ = {**{one.name: one.type for one in fields(cls)}, "return": None}
    return method


def _write_repr(cls: type[Any]) -> Any:
    shown = ", ".join(f"{one.name}={{self.{one.name}!r}}" for one in fields(cls) if one.repr)
    return recursive_repr()(_compiled(cls, "__repr__(self)", [f"return f'{{self.__class__.__qualname__}}({shown})'"], {}))


def _write_eq(cls: type[Any]) -> Any:
    ours, theirs = (_tuple(owner, [one for one in fields(cls) if one.compare]) for owner in ("self", "other"))
    lines = [f"return {ours} == {theirs} if other.__class__ is self.__class__ else NotImplemented"]
    return _compiled(cls, "__eq__(self, other)", lines, {})


def _write_hash(cls: type[Any]) -> Any:
    hashed = [one for one in fields(cls) if (one.compare if one.hash is None else one.hash)]
    return _compiled(cls, "__hash__(self)", [f"return hash({_tuple('self', hashed)})"], {})


def _tuple(owner: str, of: list[Field[Any]]) -> str:
    return f"({''.join(f'{owner}.{one.name}, ' for one in of)})"


_WRITERS: dict[str, Callable[[type[Any]], Any]] = {
    "__init__": _write_init,
    "__repr__": _write_repr,
    "__eq__": _write_eq,
    "__hash__": _write_hash,
}
