"""A finding as a proposal for the golden vectors: a case as the files have it, without an id.

The case says what the side answered that the testee was compared with, and `source` names that side: a proposal is judged by a
person before it becomes a vector. It is checked by the schema of the files. Beside it stands what was asked and what both said.
Questions that no area holds (JSON that must be refused, the text of a description) are proposals without a case.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from bsatn.codec import Codec
from bsatn.errors import BsatnError
from bsatn.types import AlgebraicType, Typespace
from defs import raw
from defs.conformance.asking import Crashed, Reply
from defs.conformance.checks.common import same_json
from defs.conformance.fuzzing import Finding, Fuzz
from defs.conformance.process import Hello
from defs.conformance.questions.comparing import Outcome
from defs.conformance.questions.making import Question
from defs.convert.normal import normal
from defs.raw import layouts
from defs.testee import answer
from defs.vectors.areas import AREAS
from defs.vectors.files import VectorError, default_directory, plain
from defs.vectors.generation.traits import shape_for, text_for, traits
from defs.vectors.schema import faults, load_schema
from defs.vectors.semantic import to_semantic

__all__ = ["case_faults", "case_of", "propose", "write_proposals"]

Case: TypeAlias = dict[str, Any]
NEWEST = layouts.NEWEST_RELEASE


def propose(finding: Finding, done: Fuzz) -> dict[str, Any]:
    """The content of a proposal's file: `area` and `case` (or why there is none), and what was found, all as JSON."""
    name, case = _proposed(finding, done.against, done.testee)
    head: dict[str, Any] = {"area": name, "case": plain(case)} if case else {"area": None, "why": name}
    return {
        **head,
        "found": {
            "request": finding.question.request(),
            "differences": [
                {"what": one.what, "level": one.level, "expected": one.expected, "got": one.got} for one in finding.differences
            ],
            "expected": _said(finding.expected),
            "got": _said(finding.got),
            "testee": f"{done.testee.name} {done.testee.version}",
            "against": f"{done.against.name} {done.against.version}",
            "seed": done.options.seed,
            "number": finding.number,
            "count": finding.count,
        },
    }


def _said(outcome: Outcome) -> Any:
    if isinstance(outcome, Crashed):
        return {"crashed": outcome.how, "detail": outcome.detail}
    return {name: value for name, value in outcome.items() if name != "id"}


def write_proposals(directory: Path, done: Fuzz) -> list[Path]:
    """A file for each finding, named by its area and its question. Raises OSError."""
    directory.mkdir(parents=True, exist_ok=True)
    written = []
    for finding in done.findings:
        content = propose(finding, done)
        digest = hashlib.sha256(finding.question.key.encode()).hexdigest()[:10]
        path = directory / f"{content['area'] or finding.question.op.replace('.', '-')}-{digest}.json"
        path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")
        written.append(path)
    return written


# The case ---------------------------------------------------------------------------------------------------------------


def _proposed(finding: Finding, against: Hello, testee: Hello) -> tuple[str, Case | None]:
    """Area and case; or why there is none."""
    reply, by = (finding.got, testee) if isinstance(finding.expected, Crashed) else (finding.expected, against)
    if isinstance(reply, Crashed):
        return "both crash", None
    made = case_of(finding.question, reply, f"{by.name} {by.version}")
    if made is None:
        return "no area has a case for it", None
    area, case = made
    case["note"] = f"found by fuzzing {testee.name} {testee.version}: {finding.differences[0]}"
    wrong = case_faults(area, case)
    return (f"the schema refuses it: {wrong[0]}", None) if wrong else (area, case)


def case_of(question: Question, reply: Reply, source: str) -> tuple[str, Case] | None:
    """Area and case that say that `reply` is the answer to a question; None where no area has such a case."""
    try:
        made = _CASES[question.op](question.fields, reply)
    except (BsatnError, ValueError, LookupError):
        return None
    if made is None:
        return None
    area, spec, fields = made
    flags = sorted({*fields.pop("flags", ()), *_flags(fields)})
    return area, {"spec": spec, "since": NEWEST, "until": NEWEST, **fields, "flags": flags, "source": source}


def _flags(case: Case) -> set[str]:
    shape = shape_for(case["type"], case["typespace"]) if "type" in case else None
    return traits(case, shape)


def case_faults(area: str, case: Case) -> list[str]:
    """What the schema of the vectors' files finds wrong with a case that has no id."""
    head = {"format": 1, "area": area, "group": "proposed", "about": "", "count": 1}
    file = plain({**head, "cases": [{"id": f"{area}-0000", **case}]})
    try:
        return [str(one) for one in faults(load_schema(default_directory()), file)]
    except (OSError, VectorError) as error:
        return [str(error)]


_Made: TypeAlias = tuple[str, str, Case] | None


def _value_decode(fields: Mapping[str, Any], reply: Reply) -> _Made:
    case = _typed(fields)
    case["bytes"] = fields["bytes"]
    if (reply["ok"] and reply.get("unread")) or reply.get("error") == "TrailingBytes":
        return "values", "wire 1", {**case, **_left_over(case, reply)}
    return "values", "wire 1", {**case, **_verdict(reply), **(_accepted(case, case["bytes"], reply) if reply["ok"] else {})}


def _typed(fields: Mapping[str, Any]) -> Case:
    kind, space = fields["type"], fields.get("typespace", bytes(4))
    return {"type": kind, "typespace": space, "type_text": text_for(kind, space)}


def _verdict(reply: Reply) -> Case:
    if reply["ok"]:
        return {"verdict": "accept"}
    place = {"offset": reply["offset"]} if isinstance(reply.get("offset"), int) else {}
    return {"verdict": "reject", "error": reply.get("error", "Other"), **place}


def _accepted(case: Case, data: bytes, reply: Reply) -> Case:
    """Value, JSON and bytes of what was read."""
    again = bytes.fromhex(reply["bytes"])
    found: Case = {"canonical": again == data, **({} if again == data else {"reencoded": again})}
    codec = Codec[Any](Codec(AlgebraicType).decode(case["type"]), Codec(Typespace).decode(case["typespace"]))
    read = codec.attempt(data)
    if read is not None:
        found["value"] = to_semantic(codec.shape, read[0])
    return {**found, "json": reply["json"]} if "json" in reply else found


def _left_over(case: Case, reply: Reply) -> Case:
    """Bytes left over: to refuse them is right, and so is to ignore them."""
    unread = reply.get("unread") or len(case["bytes"]) - reply["offset"]
    end = len(case["bytes"]) - unread
    strict = {"choice": "strict", "verdict": "reject", "error": "TrailingBytes", "offset": end}
    read = _accepted(case, case["bytes"][:end], {"bytes": case["bytes"][:end].hex(), **reply})
    lax = {"choice": "lax", "verdict": "accept", "unread": unread, **read}
    return {"verdict": "implementation-defined", "choices": [strict, lax]}


def _value_encode(fields: Mapping[str, Any], reply: Reply) -> _Made:
    if not reply["ok"]:
        return None
    case = _typed(fields)
    case["bytes"] = bytes.fromhex(reply["bytes"])
    told = answer(Question("value.decode", {name: case[name] for name in ("type", "typespace", "bytes")}).request())
    if not same_json(told.get("json", ""), fields["json"]):  # it reads as that value, and is not how the value is written
        return None
    read = _accepted(case, case["bytes"], {"bytes": reply["bytes"], "json": fields["json"]})
    return "values", "wire 5", {**case, "verdict": "accept", **read}


def _name(fields: Mapping[str, Any], reply: Reply) -> _Made:
    told = reply["identifier"]
    verdict = {"verdict": "accept"} if told == "valid" else {"verdict": "reject", "error": told}
    spellings = {name: reply[name] for name in ("snake", "camel", "pascal")}
    flags = [
        flag for flag, holds in {"non-ascii": not fields["name"].isascii(), "nul": "\0" in fields["name"]}.items() if holds
    ]
    return (
        "names",
        "validation 2.2",
        {"name": fields["name"], **verdict, "identifier": told, "spellings": spellings, "flags": flags},
    )


def _placed(fields: Mapping[str, Any], data: bytes) -> Case:
    """Layout and bytes of a case about a definition, and the last release that writes the layout."""
    release = fields.get("layout", NEWEST)
    layout = layouts.layout_of(release, data[0] + 8 if data[:1] in (b"\0", b"\1", b"\2") else 10)
    return {"layout": layout.id, "bytes": data, "since": layout.first, "until": layout.last, "version": layout.version}


def _module_decode(fields: Mapping[str, Any], reply: Reply) -> _Made:
    case = _placed(fields, fields["bytes"])
    version = case.pop("version")
    if not reply["ok"]:
        return "definitions", "wire 6", {**case, **_verdict(reply)}
    again = bytes.fromhex(reply["bytes"])
    read = {"version": version, "json": reply["json"], "canonical": again == case["bytes"]}
    return "definitions", "wire 6", {**case, **_verdict(reply), **read, **({} if read["canonical"] else {"reencoded": again})}


def _module_encode(fields: Mapping[str, Any], reply: Reply) -> _Made:
    if not reply["ok"]:
        return None
    case = _placed(fields, bytes.fromhex(reply["bytes"]))
    return "definitions", "wire 6", {**case, "verdict": "accept", "json": fields["json"], "canonical": True}


def _module_validate(fields: Mapping[str, Any], reply: Reply) -> _Made:
    case = _placed(fields, fields["bytes"])
    if not reply["ok"]:
        return "definitions", "wire 6", {**{name: case[name] for name in case if name != "version"}, **_verdict(reply)}
    if reply["valid"]:
        return "validation", "validation 2", {**case, "verdict": "accept", "errors": [], "warnings": reply.get("warnings", [])}
    told = {"errors": reply["errors"]} if reply.get("errors") else {}
    return "validation", "validation 2", {**case, "verdict": "reject", "error": "InvalidModule", **told}


def _module_convert(fields: Mapping[str, Any], reply: Reply) -> _Made:
    if not reply["ok"]:
        return (
            _module_validate(fields, {"ok": True, "valid": False, "errors": reply.get("errors")}) if "errors" in reply else None
        )
    other = "v10" if fields["to"] == "v9" else "v9"
    own = answer(Question("module.convert", {**fields, "to": other}).request())
    written = {
        name: raw.encode(normal(raw.decode(bytes.fromhex(said["bytes"]))))
        for name, said in ((fields["to"], reply), (other, own))
    }
    return (
        "conversion",
        "validation 5",
        {**_placed(fields, fields["bytes"]), "verdict": "accept", **written, "derived": [other]},
    )


def _migrate(fields: Mapping[str, Any], reply: Reply) -> _Made:
    pair = {"old": fields["old"], "new": fields["new"]}
    if not reply["ok"]:
        return ("migrations", "compat 2", {**pair, **_verdict(reply)}) if reply.get("error") == "InvalidModule" else None
    verdict: Case = {"verdict": "reject", "error": "ManualMigration"} if reply["verdict"] == "manual" else {"verdict": "accept"}
    told: Case = {name: reply[name] for name in ("prechecks", "steps", "errors", "text") if name in reply}
    return "migrations", "compat 2", {**pair, **verdict, "migration": reply["verdict"], **told}


def _sql_check(fields: Mapping[str, Any], reply: Reply) -> _Made:
    if not reply["ok"]:
        return None
    asked = {name: fields[name] for name in ("module", "sql", "caller", "protocol")}
    verdict: Case = {"verdict": "accept"} if reply["verdict"] == "ok" else {"verdict": "reject", "error": "InvalidQuery"}
    told = {**reply, "reason": reply.get("message")}
    found = {name: told[name] for name in AREAS["subscriptions"].answers if told.get(name) is not None}
    return "subscriptions", "event-tables 1.9", {**asked, **verdict, **found}


_CASES: dict[str, Callable[[Mapping[str, Any], Reply], _Made]] = {
    "value.decode": _value_decode,
    "value.encode": _value_encode,
    "name": _name,
    "module.decode": _module_decode,
    "module.encode": _module_encode,
    "module.validate": _module_validate,
    "module.convert": _module_convert,
    "module.describe": lambda fields, reply: None,
    "migrate": _migrate,
    "sql.check": _sql_check,
}
