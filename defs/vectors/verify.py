"""Does this library agree with the vectors? Every case is asked of `defs.testee.answer`, as of any implementation.

`CHECKS` has a row an area: a function that yields what differs, each as a sentence. Beyond the testee's answer, the semantic
form is compared both ways, because a codec wrong in both directions alike would pass without it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from bsatn.codec import Codec
from bsatn.errors import BsatnError
from bsatn.types import AlgebraicType, Typespace
from defs.testee import answer
from defs.vectors.areas import AREAS
from defs.vectors.files import Case, default_directory, read, read_all
from defs.vectors.semantic import from_semantic, to_semantic

__all__ = ["CHECKS", "Failure", "Report", "differences", "verify"]

_SHOWN = 160  #: characters of an answer that a failure shows


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


class _Skipped(Exception):
    """The library does not do that."""


def _reply(op: str, **fields: Any) -> dict[str, Any]:
    hexed = {name: value.hex() if isinstance(value, bytes) else value for name, value in fields.items()}
    reply = answer({"op": op, **hexed})
    if "skipped" in reply:
        raise _Skipped(reply["skipped"])
    return reply


def _differs(what: str, expected: Any, got: Any) -> Iterator[str]:
    if expected != got:
        yield f"{what}: expected {_short(expected)}, got {_short(got)}"


def _short(value: Any) -> str:
    text = value.hex() if isinstance(value, bytes) else json.dumps(value, default=bytes.hex, ensure_ascii=False)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."


@lru_cache(maxsize=512)
def _codec(kind: bytes, typespace: bytes) -> Codec[Any]:
    return Codec(Codec(AlgebraicType).decode(kind), Codec(Typespace).decode(typespace))


# -- bytes that are decoded


def _decoded(case: Case, op: str, fields: dict[str, Any]) -> Iterator[str]:
    reply = _reply(op, bytes=case["bytes"], **fields)
    if case["verdict"] != "implementation-defined":
        yield from _one(case, case, reply)
        return
    tried = [list(_one(case, choice, reply)) for choice in case["choices"]]
    if all(tried):
        yield from (f"{choice['choice']}: {found[0]}" for choice, found in zip(case["choices"], tried, strict=True))


def _one(case: Case, expected: Case, reply: dict[str, Any]) -> Iterator[str]:
    """What differs from one verdict."""
    yield from _differs("verdict", expected["verdict"], "accept" if reply["ok"] else "reject")
    if expected["verdict"] == "reject":
        yield from _differs("error", expected["error"], reply.get("error"))
        if "offset" in expected:
            yield from _differs("offset", expected["offset"], reply.get("offset"))
    elif reply["ok"]:
        again = expected.get("reencoded", case["bytes"][: len(case["bytes"]) - expected.get("unread", 0)])
        yield from _differs("re-encoded", again.hex(), reply["bytes"])
        if "json" in expected:
            yield from _differs("json", json.loads(expected["json"]), json.loads(reply["json"]))


def _semantically(case: Case, kind: bytes, typespace: bytes) -> Iterator[str]:
    """Decoding gives the semantic form, and encoding that gives the canonical bytes."""
    if "value" not in case:
        return
    codec = _codec(kind, typespace)
    try:
        yield from _differs("value", case["value"], to_semantic(codec.shape, codec.decode(case["bytes"])))
        again = codec.encode(from_semantic(codec.shape, case["value"]))
        yield from _differs("encoded", case.get("reencoded", case["bytes"]), again)
    except BsatnError as error:
        yield f"value: {error}"


def _from_json(case: Case, op: str, fields: dict[str, Any]) -> Iterator[str]:
    """Encoding the JSON gives the canonical bytes."""
    if case["verdict"] == "accept" and "json" in case:
        reply = _reply(op, json=case["json"], **fields)
        again: bytes = case["reencoded" if "reencoded" in case else "bytes"]
        yield from _differs("from json", again.hex(), reply.get("bytes", reply.get("message")))


def _value(case: Case, _: Path) -> Iterator[str]:
    typed = {name: case[name] for name in ("type", "typespace")}
    yield from _decoded(case, "value.decode", typed)
    yield from _semantically(case, case["type"], case["typespace"])
    yield from _from_json(case, "value.encode", typed)


def _type(case: Case, _: Path) -> Iterator[str]:
    """The type of types writes no JSON as the reference's types do (its variants without payload differ): no `json` here."""
    plain = {name: value for name, value in case.items() if name != "json"}
    yield from _decoded(plain, "value.decode", {name: case[name] for name in ("type", "typespace")})
    yield from _semantically(case, case["type"], case["typespace"])
    if "predicates" in case:
        yield from _typed(case)


def _typed(case: Case) -> Iterator[str]:
    from bsatn import satsjson
    from bsatn.wiretypes import ALGEBRAIC_TYPE_SHAPE

    codec = Codec(AlgebraicType)
    kind = codec.decode(case["bytes"])
    yield from _differs("json", json.loads(case["json"]), json.loads(satsjson.dumps(ALGEBRAIC_TYPE_SHAPE, kind)))
    yield from _differs("from json", case["bytes"], codec.encode(satsjson.loads(ALGEBRAIC_TYPE_SHAPE, case["json"])))


def _definition(case: Case, place: Path) -> Iterator[str]:
    """The testee is told a release, which the protocol knows, not the layout's id."""
    layout = {"layout": case["until"]}
    yield from _decoded(case, "module.decode", layout)
    yield from _semantically(case, *_layout_type(case["layout"], place))
    yield from _from_json(case, "module.encode", layout)


def _layout_type(layout: str, place: Path) -> tuple[bytes, bytes]:
    """Type and typespace of the definitions of a layout, as the file types/layouts beside them has it."""
    return bytes(5), _layout_types(place)[layout]


@lru_cache(maxsize=8)
def _layout_types(directory: Path) -> dict[str, bytes]:
    return {case["layout"]: case["bytes"] for case in read(directory / "types" / "layouts.cbor").cases}


# -- the rest


def _name(case: Case, _: Path) -> Iterator[str]:
    reply = _reply("name", name=case["name"])
    yield from _differs("identifier", case["identifier"], reply["identifier"])
    yield from _differs("spellings", case["spellings"], {name: reply[name] for name in ("snake", "camel", "pascal")})


def _validation(case: Case, _: Path) -> Iterator[str]:
    reply = _reply("module.validate", bytes=case["bytes"], layout=case["until"])
    yield from _differs("ok", True, reply["ok"])
    yield from _differs("valid", case["verdict"] == "accept", reply.get("valid"))
    if "errors" in case:
        yield from _differs("errors", case["errors"], reply.get("errors"))
    if "warnings" in case:
        yield from _differs("warnings", case["warnings"], reply.get("warnings"))


def _conversion(case: Case, _: Path) -> Iterator[str]:
    for version in ("v9", "v10"):
        reply = _reply("module.convert", bytes=case["bytes"], layout=case["until"], to=version)
        yield from _differs(version, case[version].hex(), reply.get("bytes", reply.get("message")))


#: What to compare, by area, of a case and the directory that it comes from.
CHECKS: dict[str, Callable[[Case, Path], Iterator[str]]] = {
    "values": _value,
    "types": _type,
    "names": _name,
    "definitions": _definition,
    "validation": _validation,
    "conversion": _conversion,
}


def differences(area: str, case: Case, directory: Path | None = None) -> list[str] | None:
    """What this library answers otherwise; None where it does not do that. `directory` is where the case comes from."""
    try:
        return list(CHECKS[area](case, directory or default_directory()))
    except _Skipped:
        return None
    except (LookupError, TypeError, ValueError, AttributeError, BsatnError) as error:
        return [f"the case cannot be asked: {type(error).__name__}: {error}"]


def verify(directory: Path | None = None, areas: Iterable[str] = AREAS) -> Report:
    """Ask every case of the areas. Raises VectorError for files that are none, as `lint` would tell."""
    report = Report()
    place = directory or default_directory()
    _layout_types.cache_clear()
    for file in read_all(place, areas):
        for case in file.cases:
            found = differences(file.area, case, place)
            if found is None:
                report.skipped[file.area] += 1
            elif found:
                report.failures.append(Failure(case["id"], tuple(found)))
            else:
                report.agreed[file.area] += 1
    return report
