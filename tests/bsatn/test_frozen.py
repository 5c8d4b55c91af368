"""`@frozen` makes what the standard library's decorator makes, but writes methods when they are wanted."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, dataclass, field
from typing import Any

import pytest

from bsatn.frozen import frozen

Decorator = Callable[[type[Any]], type[Any]]
OURS: Decorator = frozen
THEIRS: Decorator = dataclass(frozen=True, slots=True)


def plain(decorate: Decorator) -> type[Any]:
    @decorate
    class Plain:
        """Has fields of every kind."""

        x: int
        y: str = "a"
        many: list[int] = field(default_factory=list)
        note: str = field(default="", compare=False, repr=False)
        hashed: int = field(default=0, hash=False)
        only: int = field(default=7, kw_only=True)

    return Plain


def empty(decorate: Decorator) -> type[Any]:
    @decorate
    class Empty:
        pass

    return Empty


def derived(decorate: Decorator) -> type[Any]:
    base = plain(decorate)

    @decorate
    class Derived(base):  # type: ignore[valid-type, misc]
        z: float = 0.5
        y: str = "b"

    return Derived


def with_methods(decorate: Decorator) -> type[Any]:
    @decorate
    class Own:
        x: int

        def __post_init__(self) -> None:
            object.__setattr__(self, "x", (self.x, 1))

        def __repr__(self) -> str:
            return "own"

        def __eq__(self, other: object) -> bool:
            return True

    return Own


def names_in_the_way(decorate: Decorator) -> type[Any]:
    @decorate
    class Names:
        set: int
        other: int
        missing: int
        make: int
        cls: int = 3

    return Names


CLASSES = (plain, empty, derived, with_methods, names_in_the_way)
ARGUMENTS: tuple[tuple[tuple[Any, ...], dict[str, Any]], ...] = (
    ((), {}),
    ((1,), {}),
    ((1, "b"), {}),
    ((1, "b", [3], "n", 4), {}),
    ((1, "b", [3], "n", 4, 5), {}),
    ((1,), {"only": 8, "note": "m"}),
    ((1,), {"x": 1}),
    ((1,), {"w": 1}),
    ((), {"y": "c"}),
    ((float("nan"),), {}),
    ((1, 2, 3, 4), {}),
    ((1, 2, 3, 4), {"cls": 5}),
)


def outcome(work: Callable[[], Any]) -> Any:
    """What it gives, or how it fails; without the names of variables, which differ."""
    try:
        return work()
    except (TypeError, AttributeError) as error:
        return type(error), str(error)


def parts(value: Any) -> tuple[Any, ...]:
    return tuple(getattr(value, part.name) for part in dataclasses.fields(value))


@pytest.mark.parametrize("make", CLASSES)
def test_a_class_looks_as_the_standard_library_makes_it(make: Callable[[Decorator], type[Any]]) -> None:
    ours, theirs = make(OURS), make(THEIRS)
    assert str(inspect.signature(ours)) == str(inspect.signature(theirs))
    assert ours.__slots__ == theirs.__slots__
    assert ours.__match_args__ == theirs.__match_args__
    assert ours.__qualname__ == theirs.__qualname__
    assert ours.__init__.__qualname__ == theirs.__init__.__qualname__
    assert [repr(one) for one in dataclasses.fields(ours)] == [repr(one) for one in dataclasses.fields(theirs)]


@pytest.mark.parametrize("make", CLASSES)
@pytest.mark.parametrize(("given", "named"), ARGUMENTS)
def test_values_behave_as_those_of_the_standard_library(
    make: Callable[[Decorator], type[Any]], given: tuple[Any, ...], named: dict[str, Any]
) -> None:
    ours, theirs = make(OURS), make(THEIRS)
    one, other = outcome(lambda: ours(*given, **named)), outcome(lambda: theirs(*given, **named))
    if isinstance(other, tuple):
        assert one == other
        return
    assert repr(one) == repr(other)
    assert outcome(lambda: hash(one)) == outcome(lambda: hash(other))
    assert parts(one) == parts(other)
    twin = ours(*given, **named)
    assert (one == twin) == (parts(one) == parts(twin))  # as of 3.12: newer ones find a NaN unequal to itself
    assert (one == other) == (other == one)  # of two classes
    assert copy.copy(one) == one
    assert repr(copy.deepcopy(one)) == repr(one)
    assert repr(dataclasses.replace(one)) == repr(dataclasses.replace(other))


@pytest.mark.parametrize("decorate", [OURS, THEIRS])
def test_what_takes_no_part_in_comparisons_does_not(decorate: Decorator) -> None:
    cls = plain(decorate)
    assert cls(1, note="a") == cls(1, note="b")
    assert cls(1, hashed=1) != cls(1, hashed=2)
    assert cls(1, only=1) != cls(1, only=2)


def test_a_value_cannot_be_changed() -> None:
    value = plain(OURS)(1)
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'x'"):
        value.x = 2
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'new'"):
        value.new = 2
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'x'"):
        del value.x
    assert not hasattr(value, "__dict__")


@frozen
class Point:
    """At the top of a module, as pickle needs it."""

    x: int
    near: Point | None = None


def test_a_value_is_pickled() -> None:
    value = Point(1, Point(2))
    assert pickle.loads(pickle.dumps(value)) == value


def test_what_compares_by_its_base_keeps_that() -> None:
    class Base:
        __slots__ = ()

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Base)

        def __hash__(self) -> int:
            return 5

        def __repr__(self) -> str:
            return "base"

    @frozen(eq=False, repr=False)
    class Kept(Base):
        x: int

    assert Kept(1) == Kept(2)
    assert hash(Kept(1)) == 5
    assert repr(Kept(1)) == "base"


def test_a_default_before_what_is_required_is_refused_at_once() -> None:
    class Late:
        x: int = 1
        y: str

    for decorate in (OURS, THEIRS):
        with pytest.raises(TypeError, match="non-default argument 'y' follows default argument"):
            decorate(Late)


def test_a_method_is_written_when_it_is_wanted_and_once() -> None:
    cls = plain(OURS)
    names = ("__init__", "__repr__", "__eq__", "__hash__")
    assert [inspect.isfunction(cls.__dict__[name]) for name in names] == [False] * 4
    made = cls(1)
    assert [inspect.isfunction(cls.__dict__[name]) for name in names] == [True, False, False, False]
    written = cls.__dict__["__init__"]
    assert made == cls(1)
    assert [inspect.isfunction(cls.__dict__[name]) for name in names] == [True, False, True, False]
    assert cls.__dict__["__init__"] is written


def test_a_plain_subclass_does_not_write_into_itself() -> None:
    base = plain(OURS)

    class Sub(base):  # type: ignore[valid-type, misc]
        pass

    assert Sub(1) == Sub(1)
    assert "__init__" not in Sub.__dict__
    assert repr(Sub(1)).endswith("Sub(x=1, y='a', many=[], hashed=0, only=7)")
