"""Records: layouts declared as classes, what they mean as types, and what the classes are good for in Python."""

from __future__ import annotations

import copy
import dataclasses
import enum
import pickle
from collections.abc import Callable
from typing import Annotated, Any, Optional, TypeAlias, Union

import pytest

from bsatn import types as t
from bsatn.annotations import (
    F32,
    I8,
    U8,
    U16,
    U32,
    U64,
    U128,
    Never,
    ScheduleAt,
    Unit,
    array,
    option,
    plain_enum,
    product,
    sum_,
)
from bsatn.codec import Codec
from bsatn.engines import Engine, available
from bsatn.errors import DecodeError, DefinitionError, EncodeError
from bsatn.records import case, field, record, type_of, variants
from bsatn.values import Identity, Some, TimeDuration, Timestamp

ENGINES = available()
each_engine = pytest.mark.parametrize("engine", ENGINES)


class Kind(enum.Enum):
    Melee = 0
    None_ = 1


@record
class Damage:
    """Used before the classes of its fields are declared."""

    target: U64
    kind: Kind
    effect: Effect
    by: Identity | None
    notes: list[str]
    spot: tuple[U8, I8]


@case
class Burn:
    seconds: U16


@case
class Stun:
    pass


@record
class Push:
    x: F32
    y: F32


@case(name="Nothing")
class NoEffect:
    """Has another name on the wire."""


Effect: TypeAlias = Annotated[Burn | Stun | Push | NoEffect, variants("Effect")]

MaybeEffect: TypeAlias = Effect | None
MaybeMaybe: TypeAlias = Annotated[U8 | None, "a note"] | None


@record
class Node:
    """Refers to itself."""

    value: U32
    next: Node | None


@record
class Tree:
    """Refers to itself by way of an array and a sum."""

    children: tuple[Branch, ...]


@case
class Leaf:
    value: U8


@case
class Inner:
    tree: Tree


Branch: TypeAlias = Annotated[Leaf | Inner, variants("Branch")]


@record
class Settings:
    volume: U8 = 7
    name: str = field(name="display-name", default="bob")
    extra: U16 = field(default=1, since="2.0.0")


@record
class Empty:
    """A unit with a class."""


DAMAGE = Damage(1, Kind.Melee, Burn(2), None, ["a"], (3, -4))


def there_and_back(annotation: Any, value: Any, engine: Engine) -> None:
    codec = Codec[Any](annotation, engine=engine)
    found = codec.decode(codec.encode(value))
    assert found == value
    assert type(found) is type(value)


# -- what annotations mean


@pytest.mark.parametrize(
    ("annotation", "kind"),
    [
        (U8, t.U8),
        (U128, t.U128),
        (F32, t.F32),
        (float, t.F64),
        (bool, t.BOOL),
        (str, t.STRING),
        (bytes, t.BYTES),
        (list[U8], t.BYTES),
        (tuple[U8, ...], t.BYTES),
        (list[U16], array(t.U16)),
        (tuple[U16, ...], array(t.U16)),
        (list[list[str]], array(array(t.STRING))),
        (tuple[U8, str], product(t.U8, t.STRING)),
        (tuple[()], t.UNIT),
        (None, t.UNIT),
        (type(None), t.UNIT),
        (Unit, t.UNIT),
        (Never, t.NEVER),
        (U8 | None, option(t.U8)),
        (None | U8, option(t.U8)),
        (Optional[U8], option(t.U8)),  # noqa: UP045
        (Union[U8, None], option(t.U8)),  # noqa: UP007
        (list[U8 | None], array(option(t.U8))),
        (MaybeMaybe, option(option(t.U8))),
        (Identity, t.IDENTITY),
        (Timestamp, t.TIMESTAMP),
        (TimeDuration, t.TIME_DURATION),
        (ScheduleAt, t.SCHEDULE_AT),
        (Annotated[int, t.I256], t.I256),
        (Annotated[object, product(a=t.U8)], product(a=t.U8)),
        (t.U8, t.U8),
        (Kind, plain_enum("Melee", "None")),
        (Push, product(x=t.F32, y=t.F32)),
        (Empty, t.UNIT),
        (Effect, sum_(Burn=t.U16, Stun=Unit, Push=product(x=F32, y=F32), Nothing=Unit)),
        (MaybeEffect, option(sum_(Burn=t.U16, Stun=Unit, Push=product(x=F32, y=F32), Nothing=Unit))),
        (Annotated[Stun | NoEffect, variants("Two", names=("a", "b"))], plain_enum("a", "b")),
        (Annotated[Burn, variants("One")], sum_(Burn=t.U16)),
        (Settings, product(("volume", t.U8), ("display-name", t.STRING), ("extra", t.U16))),
    ],
    ids=str,
)
def test_an_annotation_means_a_type(annotation: Any, kind: t.AlgebraicType) -> None:
    assert type_of(annotation) == kind


def test_a_records_fields_are_in_the_order_they_are_written() -> None:
    assert [element.name for element in type_of(Damage)] == ["target", "kind", "effect", "by", "notes", "spot"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("annotation", [Node, Tree, Branch])
def test_a_recursive_record_has_no_type_of_its_own(annotation: Any) -> None:
    with pytest.raises(DefinitionError) as caught:
        type_of(annotation)
    assert caught.value.kind == "RecursiveType"


# -- values


@each_engine
@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (Damage, DAMAGE),
        (Damage, Damage(2**64 - 1, Kind.None_, Push(0.5, -1.0), Identity(7), [], (0, 0))),
        (Effect, Burn(7)),
        (Effect, Stun()),
        (Effect, NoEffect()),
        (Kind, Kind.None_),
        (Node, Node(1, Node(2, None))),
        (Tree, Tree((Leaf(1), Inner(Tree(())), Inner(Tree((Leaf(2),)))))),
        (Empty, Empty()),
        (list[Empty], [Empty(), Empty()]),
        (Settings, Settings()),
        (tuple[U16, ...], (1, 2, 3)),
        (list[U16], [1, 2, 3]),
        (tuple[U8, ...], b"\1\2"),
        (tuple[Push, ...], (Push(0.0, 1.0),)),
        (MaybeEffect, None),
        (MaybeEffect, Stun()),
        (MaybeMaybe, Some(None)),
        (MaybeMaybe, Some(7)),
        (MaybeMaybe, None),
        (ScheduleAt, Timestamp(1)),
        (ScheduleAt, TimeDuration(1)),
    ],
    ids=str,
)
def test_a_value_goes_there_and_back(annotation: Any, value: Any, engine: Engine) -> None:
    there_and_back(annotation, value, engine)


@each_engine
def test_a_variant_without_fields_is_read_as_an_instance(engine: Engine) -> None:
    assert isinstance(Codec[Any](Effect, engine=engine).decode(b"\1"), Stun)


@each_engine
def test_an_error_names_attributes(engine: Engine) -> None:
    codec = Codec(Damage, engine=engine)
    data = codec.encode(DAMAGE)
    with pytest.raises(DecodeError) as caught:
        codec.decode(data[:10])
    assert caught.value.where == "effect.seconds"


@each_engine
def test_an_error_names_the_attribute_that_cannot_be_written(engine: Engine) -> None:
    with pytest.raises(EncodeError) as caught:
        Codec(Damage, engine=engine).encode(dataclasses.replace(DAMAGE, effect=Burn(2**16)))
    assert (caught.value.kind, caught.value.where) == ("OutOfRange", "effect.seconds")


@each_engine
@pytest.mark.parametrize("value", [None, Kind.Melee, Leaf(1), 7, (0, 1)])
def test_an_object_of_no_variant_is_refused(value: Any, engine: Engine) -> None:
    with pytest.raises(EncodeError) as caught:
        Codec[Any](Effect, engine=engine).encode(value)
    assert caught.value.kind == "WrongType"


@each_engine
def test_an_object_of_another_class_with_the_same_fields_is_refused(engine: Engine) -> None:
    @record
    class Shove:
        x: F32
        y: F32

    with pytest.raises(EncodeError):
        Codec(Push, engine=engine).encode(Shove(1.0, 2.0))  # type: ignore[arg-type]


@each_engine
def test_records_may_be_declared_in_a_function(engine: Engine) -> None:
    @record
    class Inside:
        value: U8

    @record
    class Outside:
        inside: Inside
        more: Outside | None

    there_and_back(Outside, Outside(Inside(1), Outside(Inside(2), None)), engine)


@each_engine
def test_a_field_with_a_name_of_its_own_is_still_the_attribute(engine: Engine) -> None:
    codec = Codec(Settings, engine=engine)
    assert codec.decode(b"\1\1\0\0\0x\2\0") == Settings(1, "x", 2)
    with pytest.raises(DecodeError) as caught:
        codec.decode(b"\1\1\0\0\0\xff\2\0")
    assert caught.value.where == "name"


def test_since_is_noted_and_changes_nothing() -> None:
    (extra,) = [f for f in dataclasses.fields(Settings) if f.name == "extra"]
    assert extra.metadata["since"] == "2.0.0"
    assert Codec(Settings).encode(Settings()).endswith(b"\1\0")


# -- classes


VALUES: list[Any] = [DAMAGE, Stun(), Burn(3), Node(1, Node(2, None)), Tree((Leaf(1),)), Settings(), Empty(), Kind.None_]
values = pytest.mark.parametrize("value", VALUES, ids=repr)
ways: list[Callable[[Any], Any]] = [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))]


@values
@pytest.mark.parametrize("way", ways, ids=["copy", "deepcopy", "pickle"])
def test_a_copy_is_equal(value: Any, way: Callable[[Any], Any]) -> None:
    again = way(value)
    assert again == value
    assert type(again) is type(value)


@each_engine
def test_a_record_that_was_read_is_copied_too(engine: Engine) -> None:
    codec = Codec(Damage, engine=engine)
    value = codec.decode(codec.encode(DAMAGE))
    for way in ways:
        assert way(value) == DAMAGE
    assert dataclasses.replace(value, target=9).target == 9
    assert dataclasses.asdict(codec.decode(codec.encode(DAMAGE)))["target"] == 1


@each_engine
def test_a_record_cannot_be_changed(engine: Engine) -> None:
    codec = Codec(Push, engine=engine)
    for value in (Push(1.0, 2.0), codec.decode(codec.encode(Push(1.0, 2.0)))):
        with pytest.raises(dataclasses.FrozenInstanceError):
            value.x = 3.0  # type: ignore[misc]
        with pytest.raises(dataclasses.FrozenInstanceError):
            del value.x  # pyright: ignore[reportAttributeAccessIssue]
        with pytest.raises((AttributeError, TypeError)):
            value.z = 3.0  # type: ignore[attr-defined]


def test_equal_records_have_equal_hashes() -> None:
    assert hash(Push(1.0, 2.0)) == hash(Push(1.0, 2.0))
    assert len({Push(1.0, 2.0), Push(1.0, 2.0), Push(2.0, 1.0), Stun()}) == 3


def test_records_of_two_classes_are_never_equal() -> None:
    values: list[object] = [Burn(1), Leaf(1), Stun(), Empty(), NoEffect()]
    assert all(one is other or one != other for one in values for other in values)


def test_a_record_has_defaults_and_keywords() -> None:
    assert Settings() == Settings(7, "bob", extra=1)


def test_a_record_shows_its_fields() -> None:
    assert repr(Node(1, None)) == "Node(value=1, next=None)"


@pytest.mark.parametrize(
    ("effect", "said"), [(Burn(3), "burns 3"), (Stun(), "stuns"), (Push(1.0, 2.0), "pushes 1.0"), (NoEffect(), "nothing")]
)
def test_variants_are_matched_by_class(effect: Effect, said: str) -> None:
    match effect:
        case Burn(seconds):
            found = f"burns {seconds}"
        case Stun():
            found = "stuns"
        case Push(x=x):
            found = f"pushes {x}"
        case NoEffect():
            found = "nothing"
    assert found == said


# -- what is no declaration


class Plain:
    """Is no record."""


@pytest.mark.parametrize(
    ("annotation", "says"),
    [
        (int, "say its width, one of I8, U8"),
        (list[int], "say its width"),
        (tuple[U8, int], "say its width"),
        (int | None, "say its width"),
        (Plain, "Plain has no BSATN layout"),
        (object, "object has no BSATN layout"),
        (complex, "complex has no BSATN layout"),
        (list, "list has no BSATN layout"),
        (tuple, "tuple has no BSATN layout"),
        (dict[str, U8], "has no BSATN layout"),
        (set[U8], "has no BSATN layout"),
        ("U8", "'U8' has no BSATN layout"),
        (7, "7 has no BSATN layout"),
        (Any, "has no BSATN layout"),
        (Burn | Stun, "mark a union of classes with variants(...)"),
        (Burn | Stun | None, "mark a union of classes with variants(...)"),
        (Annotated[Burn | Plain, variants("X")], "every class of the sum X must be a record or case"),
        (Annotated[Plain, variants("X")], "every class of the sum X must be a record or case"),
    ],
    ids=str,
)
def test_what_has_no_layout_is_told(annotation: Any, says: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        type_of(annotation)
    assert caught.value.kind == "NotAType"
    assert says in str(caught.value)


def test_the_field_without_layout_is_named() -> None:
    @record
    class Inside:
        amount: int

    @record
    class Outside:
        inside: list[Inside]

    with pytest.raises(DefinitionError) as caught:
        type_of(Outside)
    assert "int has no BSATN layout" in str(caught.value)
    assert caught.value.where == "inside.amount"


def test_a_class_that_could_not_be_read_is_still_refused_the_second_time() -> None:
    @record
    class Wrong:
        fine: U8
        amount: int

    for _ in range(2):
        with pytest.raises(DefinitionError, match="int has no BSATN layout"):
            type_of(Wrong)


def test_a_case_has_one_field_at_most() -> None:
    with pytest.raises(DefinitionError, match="declare it a record") as caught:

        @case
        class Two:
            a: U8
            b: U8

    assert caught.value.kind == "TooManyFields"


def test_a_name_that_means_nothing_is_told() -> None:
    @record
    class Lost:
        place: Nowhere  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(DefinitionError, match="Nowhere") as caught:
        type_of(Lost)
    assert caught.value.kind == "UnknownName"


def test_a_case_that_holds_only_itself_is_refused() -> None:
    @case
    class Endless:
        inside: Endless

    with pytest.raises(DefinitionError) as caught:
        type_of(Endless)
    assert caught.value.kind == "RecursiveType"


def test_a_subclass_of_a_record_is_no_record() -> None:
    class Derived(Push):
        pass

    with pytest.raises(DefinitionError):
        type_of(Derived)
