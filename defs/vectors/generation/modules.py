"""Definitions that are validated and converted: one module for each rule, and the reference's random ones.

`generator/inputs/rules.txt` holds the former, a definition's bytes and what it is about on each line. What a conversion
writes is put in normal form, since the reference leaves lists in the order of its hash maps.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from defs import raw
from defs.convert.normal import normal
from defs.vectors.files import Case, VectorFile
from defs.vectors.generation.definitions import references
from defs.vectors.generation.programs import Answer, Programs
from defs.vectors.generation.releases import NEWEST
from defs.vectors.generation.values import unique

__all__ = ["make_conversion", "make_validation"]

_LAYOUTS = ("8", "9e", "10i")  #: by the first byte
LONGEST = 700  #: bytes of a definition
RANDOM_VALIDATION, RANDOM_CONVERSION = 300, 190
_SPECS = {"8": "validation 3.2", "9e": "validation 3.1", "10i": "validation 2"}


def _rules(directory: Path) -> list[tuple[bytes, str]]:
    text = (directory / "generator" / "inputs" / "rules.txt").read_text("utf-8")
    lines = (line.partition(" # ") for line in text.splitlines())
    return [(bytes.fromhex(digits), note) for digits, _, note in lines]


def _drawn(directory: Path, seed: str) -> list[bytes]:
    found = [data for data in references(directory) if len(data) <= LONGEST]
    random.Random(seed).shuffle(found)
    return found


def _case(data: bytes, note: str, *flags: str) -> Case:
    layout = _LAYOUTS[data[0]]
    case: Case = {"layout": layout, "version": data[0] + 8, "bytes": data, "spec": _SPECS[layout], "flags": sorted(flags)}
    return {
        **case,
        "since": NEWEST,
        "until": NEWEST,
        "source": f"spacetimedb-schema {NEWEST}",
        **({"note": note} if note else {}),
    }


def _asked(programs: Programs, cases: list[Case]) -> list[tuple[Case, Answer]]:
    answers = programs.ask(None, [{"op": "module", "bytes": case["bytes"].hex()} for case in cases])
    return list(zip(cases, answers, strict=True))


def make_validation(programs: Programs, directory: Path) -> Iterator[VectorFile]:
    """The groups of the area."""
    rules = [_case(data, note) for data, note in _rules(directory)]
    drawn = [_case(data, "", "random") for data in _drawn(directory, "validation 1")[:RANDOM_VALIDATION]]
    for group, about, cases in (
        ("rules", "one rule each, kept or broken", rules),
        ("random", "random definitions, most with a fault", drawn),
    ):
        found = (_judged(case, answer) for case, answer in _asked(programs, unique(cases)))
        yield VectorFile("validation", group, about, tuple(found))


def _judged(case: Case, answer: Answer) -> Case:
    if "crashed" in answer:
        flags = sorted({*case["flags"], "reference-crashes"})
        return {**case, "flags": flags, "verdict": "reject", "error": "InvalidModule", "derived": ["verdict", "error"]}
    if answer["valid"]:
        return {**case, "verdict": "accept", "errors": [], "warnings": answer["warnings"]}
    return {**case, "verdict": "reject", "error": "InvalidModule", "errors": answer["errors"]}


def make_conversion(programs: Programs, directory: Path) -> Iterator[VectorFile]:
    """The groups of the area: of the definitions above, and of more random ones, those that are valid."""
    rules = [_case(data, note) for data, note in _rules(directory)]
    drawn = [_case(data, "", "random") for data in _drawn(directory, "conversion 1")[: 3 * RANDOM_CONVERSION]]
    for group, about, cases, most in (
        ("rules", "the valid ones of validation/rules", rules, len(rules)),
        ("random", "random valid definitions", drawn, RANDOM_CONVERSION),
    ):
        valid = [pair for pair in _asked(programs, unique(cases)) if pair[1].get("valid")]
        yield VectorFile("conversion", group, about, tuple(_converted(*pair) for pair in valid[:most]))


def _converted(case: Case, answer: Answer) -> Case:
    written = {name: raw.encode(normal(raw.decode(bytes.fromhex(answer[name])))) for name in ("v9", "v10")}
    return {**case, "spec": "validation 5", "verdict": "accept", **written, "derived": ["v10", "v9"]}
