"""Does this library agree with the vectors? Every case is asked as of any implementation, by `defs.conformance.checks`.

Beyond that the semantic form is compared both ways, because a codec wrong in both directions alike would pass without it, and
types as the JSON that the reference writes of them: `OURS` has a row for each area that has more to compare.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import defs.conformance.checks as checks
from bsatn.codec import Codec
from bsatn.errors import BsatnError
from bsatn.types import AlgebraicType, Typespace
from defs.conformance.asking import Ask, Counting, Difference, Skipped, in_process
from defs.conformance.checks.common import differs
from defs.vectors.areas import AREAS
from defs.vectors.files import Case, default_directory, read, read_all
from defs.vectors.semantic import from_semantic, to_semantic
from defs.vectors.tracing import trace_differences

__all__ = ["OURS", "Failure", "Report", "differences", "verify"]


@dataclass(frozen=True, slots=True)
class Failure:
    """A case that this library answers otherwise."""

    id: str
    differences: tuple[str, ...]


@dataclass(slots=True)
class Report:
    """`agreed` and `skipped` count cases by area."""

    agreed: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)


@lru_cache(maxsize=512)
def _codec(kind: bytes, typespace: bytes) -> Codec[Any]:
    return Codec(Codec(AlgebraicType).decode(kind), Codec(Typespace).decode(typespace))


def _semantically(case: Case, kind: bytes, typespace: bytes) -> Iterator[Difference]:
    """Decoding gives the semantic form, and encoding that gives the canonical bytes."""
    if "value" not in case:
        return
    codec = _codec(kind, typespace)
    try:
        yield from differs("value", case["value"], to_semantic(codec.shape, codec.decode(case["bytes"])))
        again = codec.encode(from_semantic(codec.shape, case["value"]))
        yield from differs("encoded", case.get("reencoded", case["bytes"]), again)
    except BsatnError as error:
        yield Difference("value", case["value"], str(error))


def _value(case: Case, _: Path) -> Iterator[Difference]:
    yield from _semantically(case, case["type"], case["typespace"])


def _type(case: Case, _: Path) -> Iterator[Difference]:
    """The type of types writes no JSON as the reference's types do, so that is compared with the type that was decoded."""
    from bsatn import satsjson
    from bsatn.wiretypes import ALGEBRAIC_TYPE_SHAPE

    yield from _semantically(case, case["type"], case["typespace"])
    if "predicates" in case:
        codec = Codec(AlgebraicType)
        kind = codec.decode(case["bytes"])
        yield from differs("json", json.loads(case["json"]), json.loads(satsjson.dumps(ALGEBRAIC_TYPE_SHAPE, kind)))
        yield from differs("from json", case["bytes"], codec.encode(satsjson.loads(ALGEBRAIC_TYPE_SHAPE, case["json"])))


def _definition(case: Case, place: Path) -> Iterator[Difference]:
    """By the type of the layout, as the file types/layouts beside the case has it."""
    yield from _semantically(case, bytes(5), _layout_types(place)[case["layout"]])


@lru_cache(maxsize=8)
def _layout_types(directory: Path) -> dict[str, bytes]:
    return {case["layout"]: case["bytes"] for case in read(directory / "types" / "layouts.cbor").cases}


#: What else to compare, by area, of a case and the directory that it comes from.
OURS: dict[str, Callable[[Case, Path], Iterator[Difference]]] = {
    "values": _value,
    "types": _type,
    "definitions": _definition,
    "traces": trace_differences,
}


def differences(area: str, case: Case, directory: Path | None = None, ask: Ask | None = None) -> list[str] | None:
    """What this library answers otherwise; None where it does not do that. `directory` is where the case comes from."""
    place, counted = directory or default_directory(), Counting(ask or in_process())
    try:
        found = checks.ask_case(area, case, place, counted)
        return [str(one) for one in (*found, *(OURS[area](case, place) if area in OURS else ()))]
    except Skipped:
        return None
    except (LookupError, TypeError, ValueError, AttributeError, BsatnError) as error:
        return [f"the case cannot be asked: {type(error).__name__}: {error}"]


def verify(directory: Path | None = None, areas: Iterable[str] = AREAS) -> Report:
    """Ask every case of the areas. Raises VectorError for files that are none, as `lint` would tell."""
    report, ask = Report(), in_process()
    place = directory or default_directory()
    _layout_types.cache_clear()
    for file in read_all(place, areas):
        for case in file.cases:
            found = differences(file.area, case, place, ask)
            if found is None:
                report.skipped[file.area] += 1
            elif found:
                report.failures.append(Failure(case["id"], tuple(found)))
            else:
                report.agreed[file.area] += 1
    return report
