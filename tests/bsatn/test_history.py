"""Earlier forms of types: what is left out, what had another type or name, and which values fit."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bsatn import satsjson
from bsatn import types as t
from bsatn.annotations import U8, U32
from bsatn.codec import Codec
from bsatn.engines import Engine, available
from bsatn.errors import DecodeError, DefinitionError
from bsatn.history import Knows, Misfit, fit, shape_at
from bsatn.records import case, field, record, shape_of, spelled_before, variants


def at(year: int) -> Knows:
    return lambda since: int(since) <= year


@spelled_before("3", Calm="Quiet")
class Mood(enum.Enum):
    Calm = 0
    Wild = 1


@case
class Walk:
    speed: U8


@case(since="2")
class Fly:
    height: U32


Gait = Annotated[Walk | Fly, variants("Gait")]


@record
class Beast:
    gait: Gait
    mood: Mood
    tag: Annotated[int | str, t.U32] = field(default=0, since="3", was=str)
    young: tuple[Beast, ...] = field(default=(), since="4")


ENGINES = available()
OLD = Beast(Walk(3), Mood.Calm, "x")


def codec(year: int, engine: Engine = "python") -> Codec[Any]:
    return Codec(Annotated[Any, shape_at(shape_of(Beast), at(year))], engine=engine)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_release_leaves_out_what_it_does_not_know(engine: Engine) -> None:
    assert codec(1, engine).encode(OLD) == bytes.fromhex("00 03 00 01000000 78")
    assert codec(1, engine).decode(bytes.fromhex("00 03 00 01000000 78")) == OLD
    assert codec(2, engine).encode(Beast(Fly(1), Mood.Wild, "")) == bytes.fromhex("01 01000000 01 00000000")
    assert codec(3, engine).encode(Beast(Walk(3), Mood.Calm, 7)) == bytes.fromhex("00 03 00 07000000")
    assert codec(4, engine).encode(Beast(Walk(3), Mood.Calm, 7)) == bytes.fromhex("00 03 00 07000000 00000000")


@pytest.mark.parametrize("engine", ENGINES)
def test_a_tag_of_a_later_release_is_unknown(engine: Engine) -> None:
    with pytest.raises(DecodeError, match="unknown tag 0x1 for sum type Gait"):
        codec(1, engine).decode(bytes.fromhex("01 01000000 00 00000000"))


def test_names_of_the_time_are_in_the_json() -> None:
    assert satsjson.dumps(shape_at(shape_of(Beast), at(2)), OLD) == '{"gait":{"Walk":3},"mood":{"Quiet":[]},"tag":"x"}'
    assert '"Calm"' in satsjson.dumps(shape_at(shape_of(Beast), at(3)), Beast(Walk(3), Mood.Calm, 7))


def test_what_did_not_change_is_shared() -> None:
    newest = shape_of(Beast)
    assert shape_at(newest, at(4)) is newest
    assert shape_at(shape_of(Walk), at(1)) is shape_of(Walk)


BIG = Beast(Walk(1), Mood.Calm, 7, (Beast(Fly(2), Mood.Wild, 8), Beast(Walk(3), Mood.Calm, 9)))


@pytest.mark.parametrize(
    ("year", "value", "fitted", "misfits"),
    [
        (4, BIG, BIG, []),
        (3, BIG, Beast(Walk(1), Mood.Calm, 7), [("young",)]),
        (2, BIG, None, [("tag",), ("young",)]),
        (2, OLD, OLD, []),
        (3, OLD, None, [("tag",)]),
        (1, Beast(Fly(2), Mood.Calm, "x"), None, [("gait",)]),
    ],
)
def test_what_a_release_cannot_hold(year: int, value: Beast, fitted: Beast | None, misfits: list[tuple[str, ...]]) -> None:
    found, faults = fit(shape_of(Beast), value, at(year))
    assert found == fitted
    assert [one.path for one in faults] == misfits


def test_the_smallest_element_or_option_goes() -> None:
    @record
    class Herd:
        gaits: tuple[Gait, ...]
        spare: Gait | None
        pairs: tuple[tuple[U8, Gait], ...]

    herd = Herd((Walk(1), Fly(2), Walk(3)), Fly(4), ((5, Fly(6)), (7, Walk(8))))
    fitted, misfits = fit(shape_of(Herd), herd, at(1))
    assert fitted == Herd((Walk(1), Walk(3)), None, ((7, Walk(8)),))
    assert misfits[0] == Misfit(("gaits", 1), "the Gait Fly", "2")
    assert [one.path for one in misfits] == [("gaits", 1), ("spare",), ("pairs", 0, "1")]


def test_a_retyped_value_says_so() -> None:
    (fault,) = fit(shape_of(Beast), OLD, at(4))[1]
    assert fault == Misfit(("tag",), "`tag` = 'x'", "3", retyped=True)


def _inserted() -> type[Any]:
    @record
    class Inserted:
        new: U8 = field(default=0, since="2")
        old: U8 = 0

    return Inserted


def _without_default() -> type[Any]:
    @record
    class WithoutDefault:
        old: U8
        new: U8 = field(since="2")

    return WithoutDefault


@pytest.mark.parametrize("make", [_inserted, _without_default])
def test_a_declaration_that_did_not_append_is_refused(make: Callable[[], type[Any]]) -> None:
    with pytest.raises(DefinitionError) as caught:
        shape_at(shape_of(make()), at(1))
    assert caught.value.kind == "NotAppended"


gaits = st.one_of(st.builds(Walk, st.integers(0, 255)), st.builds(Fly, st.integers(0, 9)))
beasts: st.SearchStrategy[Beast] = st.recursive(
    st.builds(Beast, gaits, st.sampled_from(Mood), st.integers(0, 9)),
    lambda young: st.builds(Beast, gaits, st.sampled_from(Mood), st.integers(0, 9), st.lists(young, max_size=3).map(tuple)),
    max_leaves=8,
)


@given(beasts, st.integers(3, 4))
def test_what_fits_is_what_the_codec_writes_and_reads(beast: Beast, year: int) -> None:
    fitted, misfits = fit(shape_of(Beast), beast, at(year))
    assert codec(year).decode(codec(year).encode(fitted)) == fitted
    assert (fitted == beast) == (not misfits)
    assert fit(shape_of(Beast), fitted, at(year)) == (fitted, [])


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("data", "found"), [("07", (7,)), ("", None), ("0708", None)])
def test_an_attempt_says_only_whether(data: str, found: Any, engine: Engine) -> None:
    assert Codec(U8, engine=engine).attempt(bytes.fromhex(data)) == found
