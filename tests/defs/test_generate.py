"""Uses and definitions for code generation: chains contract, cycles are told apart, nothing hangs or overflows."""

from __future__ import annotations

import copy
import pickle
import time
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bsatn import strategies as bst
from bsatn import types as t
from bsatn.annotations import array, option, product, ref, result, sum_
from bsatn.types import Typespace
from defs.schema.generate import (
    LEAVES,
    MAX_DEPTH,
    MAX_PARTS,
    ArrayUse,
    Definition,
    LeafUse,
    OptionUse,
    PlainEnumTypeDef,
    ProductTypeDef,
    RefUse,
    ResultUse,
    SumTypeDef,
    TypespaceForGenerate,
    Use,
    refs_of,
)
from defs.validate.generate import Builder
from defs.validate.reasons import (
    CodegenError,
    Empty,
    InvalidStart,
    InvalidTypeRef,
    NamelessTypeDefElement,
    NonDeclaredTypeDef,
    NonSpecialTypeNotAUse,
    NotValidForDefinition,
    NotValidIdentifier,
    RecursiveTypeRef,
    TypeRefError,
    UseTooLarge,
)


def recursive(index: int) -> TypeRefError:
    return TypeRefError(RecursiveTypeRef(index))


def missing(index: int) -> TypeRefError:
    return TypeRefError(InvalidTypeRef(index))


def built(*types: t.AlgebraicType, declared: range | list[int]) -> TypespaceForGenerate:
    builder = Builder(Typespace(types), declared)
    for index in declared:
        assert builder.define(index) == []
    return builder.finish()


# Uses -------------------------------------------------------------------------------------------------------

SPECIALS = {
    "Identity": t.IDENTITY, "ConnectionId": t.CONNECTION_ID, "Timestamp": t.TIMESTAMP, "TimeDuration": t.TIME_DURATION,
    "Uuid": t.UUID, "ScheduleAt": t.SCHEDULE_AT, "Unit": t.UNIT, "Never": t.NEVER, "String": t.STRING, "Bool": t.BOOL,
}  # fmt: skip


@pytest.mark.parametrize(("name", "kind"), [*SPECIALS.items(), *((kind.name, kind) for kind in t.INTEGERS)])
def test_leaves(name: str, kind: t.AlgebraicType) -> None:
    builder = Builder(Typespace((kind,)), [])
    assert builder.use(kind) == builder.use(ref(0)) == LEAVES[name] == LeafUse(name)


@pytest.mark.parametrize(
    "kind",
    [
        product(x=t.U8),
        product(t.U8),
        sum_(a=t.UNIT, b=t.UNIT),
        product(__identity__=t.U128),
        product(__identity__=t.U256, more=t.U8),
        product(("__identity__", t.UNIT)),
        sum_(Interval=t.TIME_DURATION, Time=t.TIME_DURATION),
        sum_(Time=t.TIMESTAMP, Interval=t.TIME_DURATION),
        sum_(some=t.U8, none=t.U8),
        sum_(none=t.UNIT, some=t.U8),
        sum_(Ok=t.U8, Err=t.U8),
        sum_(ok=t.U8),
    ],
)
def test_other_products_and_sums_are_no_uses(kind: t.AlgebraicType) -> None:
    builder = Builder(Typespace((kind, array(ref(0)))), [])
    error = NonSpecialTypeNotAUse(kind)
    assert [builder.use(k) for k in (kind, array(kind), ref(0), ref(1), option(ref(1)))] == [error] * 5
    assert builder.fault(kind) == error
    assert Builder(Typespace((kind,)), [0]).use(kind) == error, "a declared type is not a use where it stands inline"


def test_chains_of_aliases_contract_whichever_end_is_asked_first() -> None:
    types = Typespace(
        (product(a=t.U32), ref(0), array(ref(0)), option(ref(2)), ref(3), result(ref(4), ref(3)))
    )  # fmt: skip
    several = ArrayUse(RefUse(0))
    expected: list[Use] = [RefUse(0), RefUse(0), several, OptionUse(several), OptionUse(several)]
    expected.append(ResultUse(expected[4], expected[3]))
    forward, backward = Builder(types, [0]), Builder(types, [0])
    assert [forward.use(ref(index)) for index in range(6)] == expected
    assert [backward.use(ref(index)) for index in reversed(range(6))] == expected[::-1]


def test_a_declared_empty_product_is_a_definition_not_unit() -> None:
    assert Builder(Typespace((t.UNIT,)), []).use(ref(0)) == LEAVES["Unit"]
    assert Builder(Typespace((t.UNIT,)), [0]).use(ref(0)) == RefUse(0)
    # nobody looks whether a declared entry is there, or fit, before it is defined
    assert Builder(Typespace((t.U8,)), [0, 7]).use(ref(7)) == RefUse(7)


def test_aliases_to_nowhere() -> None:
    types = Typespace((ref(9), array(ref(0)), result(ref(1), ref(8)), result(ref(8), ref(1)), result(t.U8, ref(1))))
    builder = Builder(types, [])
    for _ in range(2):
        assert [builder.use(ref(index)) for index in range(5)] == [missing(9), missing(9), missing(9), missing(8), missing(9)]


@pytest.mark.parametrize("asked", [(0, 1, 2, 3, 4), (4, 3, 2, 1, 0), (3, 0, 4, 2, 1)])
def test_in_a_cycle_of_aliases_each_blames_the_first_it_meets_again(asked: tuple[int, ...]) -> None:
    # 3 leads into the cycle 0, 1, 2 at 1; 4 leads to 3
    builder = Builder(Typespace((ref(1), array(ref(2)), option(ref(0)), result(t.U8, ref(1)), ref(3))), [])
    expected = [recursive(0), recursive(1), recursive(2), recursive(1), recursive(1)]
    assert [builder.use(ref(index)) for index in asked] == [expected[index] for index in asked]
    assert builder.use(array(ref(4))) == recursive(1)


def test_an_alias_of_itself() -> None:
    assert Builder(Typespace((ref(0),)), []).use(ref(0)) == recursive(0)
    assert Builder(Typespace((array(ref(0)),)), []).use(ref(0)) == recursive(0)


# Definitions ------------------------------------------------------------------------------------------------


def test_products_sums_and_plain_enums() -> None:
    made = built(
        product(b=t.U32, a=ref(4)),
        sum_(x=t.U32, y=ref(1)),
        sum_(x=t.UNIT, y=ref(3)),
        t.UNIT,
        t.UNIT,
        sum_(x=t.UNIT, y=ref(4)),
        t.NEVER,
        t.IDENTITY,
        declared=[6, 7, 0, 1, 2, 4, 5],
    )
    unit = LEAVES["Unit"]
    assert dict(made.definitions) == {
        0: ProductTypeDef((("b", LEAVES["U32"]), ("a", RefUse(4)))),
        1: SumTypeDef((("x", LEAVES["U32"]), ("y", RefUse(1))), recursive=True),
        2: PlainEnumTypeDef(("x", "y")),  # 3 is not declared, so it is unit
        4: ProductTypeDef(()),
        5: SumTypeDef((("x", unit), ("y", RefUse(4)))),  # 4 is a struct that happens to be empty
        6: PlainEnumTypeDef(()),
        7: ProductTypeDef((("__identity__", LEAVES["U256"]),)),
    }
    assert list(made) == sorted(made.definitions)
    assert len(made) == 7
    assert made[2].recursive is False


def test_a_definition_says_everything_that_is_wrong_with_it() -> None:
    inner = product(z=t.U8)
    kind = product(("", inner), (None, ref(1)), ("1x", t.U8), ("ok", t.U8))
    builder = Builder(Typespace((kind, ref(9), t.U8)), [0, 2, 7])
    assert builder.define(0) == [
        NotValidIdentifier(kind, Empty()),
        NonSpecialTypeNotAUse(inner),
        NamelessTypeDefElement(kind),
        missing(9),
        NotValidIdentifier(kind, InvalidStart("1x", "1")),
    ]
    assert builder.define(2) == [NotValidForDefinition(t.U8)]
    assert builder.define(7) == [missing(7)]
    assert builder.define(1) == [NonDeclaredTypeDef(1)]
    assert len(builder.finish()) == 0


def recursive_entries(made: TypespaceForGenerate) -> set[int]:
    return {index for index in made if made[index].recursive}


def test_a_cycle_through_a_definition_is_allowed_and_marked() -> None:
    assert recursive_entries(built(ref(1), product(field=ref(0)), declared=[1])) == {1}
    assert recursive_entries(built(product(field=option(array(ref(0)))), declared=[0])) == {0}


def test_members_of_a_cycle_are_marked_and_what_leads_there_is_not() -> None:
    ring = [product(field=ref((index + 1) % 4)) for index in range(4)]
    assert recursive_entries(built(*ring, product(field=ref(0)), declared=range(5))) == {0, 1, 2, 3}


def test_branching_cycles() -> None:
    made = built(
        product(field=ref(1)),
        product(cyclic_1=ref(2), cyclic_2=ref(3), acyclic=ref(5)),
        product(field=ref(0)),
        product(field=ref(0)),
        product(field=ref(2)),
        product(field=t.U32),
        declared=range(6),
    )
    assert recursive_entries(made) == {0, 1, 2, 3}


def test_a_cycle_that_leads_to_what_was_settled_before() -> None:
    made = built(product(a=t.U8), product(x=ref(0), y=ref(2)), product(x=ref(1)), product(x=ref(2)), declared=range(4))
    assert recursive_entries(made) == {1, 2}


def test_uses_print_compare_copy_and_pickle() -> None:
    use = Builder(Typespace((product(a=t.U32),)), [0]).use(result(option(ref(0)), array(t.STRING)))
    assert repr(use) == "Result<Option<&0>, Array<String>>"
    assert pickle.loads(pickle.dumps(use)) == copy.deepcopy(use) == use
    assert not isinstance(use, CodegenError)
    assert list(refs_of(use)) == [0]


# Hostile typespaces -----------------------------------------------------------------------------------------

LONG = 100_000
WIDE = 20_000


def quickly(work: Callable[[], object], seconds: float = 5) -> None:
    start = time.perf_counter()
    work()
    assert time.perf_counter() - start < seconds


def test_long_chains_of_aliases() -> None:
    builder = Builder(Typespace((*(ref(index + 1) for index in range(LONG)), t.U8)), [])
    quickly(lambda: [builder.use(ref(index)) for index in range(LONG)])
    assert builder.use(ref(0)) == LEAVES["U8"]


@pytest.mark.parametrize(
    ("end", "error"), [(ref(LONG + 1), missing(LONG + 1)), (ref(0), recursive(0)), (ref(LONG), recursive(LONG))]
)
def test_long_chains_that_fail_are_walked_once(end: t.AlgebraicType, error: CodegenError) -> None:
    builder = Builder(Typespace((*(ref(index + 1) for index in range(LONG)), end)), [])
    assert builder.use(ref(0)) == error
    quickly(lambda: [builder.use(ref(index)) for index in range(LONG)])
    assert builder.use(ref(LONG)) == (recursive(LONG) if isinstance(error.error, RecursiveTypeRef) else error)  # type: ignore[attr-defined]


def test_nesting_through_aliases_is_bounded() -> None:
    builder = Builder(Typespace((*(array(ref(index + 1)) for index in range(LONG)), t.U8)), [])
    quickly(lambda: builder.use(ref(0)))
    assert builder.use(ref(0)) == UseTooLarge("levels", MAX_DEPTH)
    deep = builder.use(ref(LONG - MAX_DEPTH + 1))
    assert repr(deep) == "Array<" * (MAX_DEPTH - 1) + "U8" + ">" * (MAX_DEPTH - 1)
    assert isinstance(hash(deep), int)


def test_sharing_does_not_multiply() -> None:
    builder = Builder(Typespace((*(result(ref(index + 1), ref(index + 1)) for index in range(300)), t.U8)), [])
    quickly(lambda: builder.use(ref(0)))
    assert builder.use(ref(0)) == UseTooLarge("parts", MAX_PARTS)
    assert isinstance(builder.use(ref(290)), ResultUse)


def test_deep_types_do_not_overflow_the_stack() -> None:
    kind: t.AlgebraicType = t.U8
    for _ in range(20_000):
        kind = product(__identity__=kind)
    assert isinstance(Builder(Typespace((kind,)), []).use(ref(0)), NonSpecialTypeNotAUse)
    for _ in range(20_000):
        kind = array(kind)
    assert isinstance(Builder(Typespace((kind,)), [0]).define(0)[0], NotValidForDefinition)
    assert isinstance(Builder(Typespace((kind,)), []).use(ref(0)), NonSpecialTypeNotAUse)


def test_long_rings_and_wide_products_of_definitions() -> None:
    ring = [product(a=ref((index + 1) % WIDE)) for index in range(WIDE)]
    wide = product(*((f"f{index}", ref(WIDE // 2)) for index in range(WIDE)))

    def work() -> None:
        made = built(*ring, wide, declared=range(WIDE + 1))
        assert recursive_entries(made) == set(range(WIDE))

    quickly(work, 20)


# Any typespace ----------------------------------------------------------------------------------------------


def naive(types: Typespace, declared: set[int], kind: t.AlgebraicType, touching: tuple[int, ...] = ()) -> Use | CodegenError:
    """A use by the rules, one question at a time. (spec: validation 7)"""

    def of(make: Callable[..., Use], *parts: t.AlgebraicType) -> Use | CodegenError:
        uses = []
        for part in parts:
            use = naive(types, declared, part, touching)
            if isinstance(use, CodegenError):
                return use
            uses.append(use)
        return make(*uses)

    for name, special in SPECIALS.items():
        if kind == special:
            return LeafUse(name)
    if isinstance(kind, t.Primitive):
        return LeafUse(kind.name)
    if (payload := t.option_payload(kind)) is not None:
        return of(OptionUse, payload)
    if (payloads := t.result_payloads(kind)) is not None:
        return of(ResultUse, *payloads)
    if isinstance(kind, t.ArrayType):
        return of(ArrayUse, kind.element)
    if not isinstance(kind, t.Ref):
        return NonSpecialTypeNotAUse(kind)
    if kind.index in declared:
        return RefUse(kind.index)
    if kind.index >= len(types):
        return missing(kind.index)
    if kind.index in touching:
        return recursive(kind.index)
    return naive(types, declared, types[kind.index], (*touching, kind.index))


def reaches(definitions: dict[int, Definition], start: int) -> set[int]:
    seen: set[int] = set()
    todo = [start]
    while todo:
        made = definitions[todo.pop()]
        members = (
            () if isinstance(made, PlainEnumTypeDef) else made.elements if isinstance(made, ProductTypeDef) else made.variants
        )
        for index in (index for _, use in members for index in refs_of(use)):
            if index in definitions and index not in seen:
                seen.add(index)
                todo.append(index)
    return seen


_ALIASES = st.recursive(
    st.integers(0, 7).map(t.Ref) | st.sampled_from([t.U8, t.UNIT]),
    lambda inner: st.builds(array, inner) | st.builds(option, inner) | st.builds(result, inner, inner),
    max_leaves=3,
)
_DEFINITIONS = st.lists(_ALIASES, max_size=3).map(lambda kinds: product(**{f"f{i}": kind for i, kind in enumerate(kinds)}))
_TYPESPACES = st.lists(_ALIASES | _DEFINITIONS, max_size=7).map(lambda kinds: Typespace(tuple(kinds))) | bst.typespaces(6)


@given(_TYPESPACES, st.sets(st.integers(0, 7)), st.permutations(range(8)))
@example(Typespace((result(ref(1), ref(2)), ref(2), ref(0))), set(), list(range(8)))
@settings(max_examples=150, deadline=None)
def test_any_typespace_is_answered_as_the_rules_say(types: Typespace, declared: set[int], order: list[int]) -> None:
    builder = Builder(types, declared)
    for index in order:
        assert builder.use(ref(index)) == naive(types, declared, ref(index))
    sound = {index for index in declared if not builder.define(index)}
    made = builder.finish()
    assert set(made) == sound
    if sound == declared:
        definitions = dict(made.definitions)
        assert recursive_entries(made) == {index for index in sound if index in reaches(definitions, index)}
