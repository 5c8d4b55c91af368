"""Migrations: what the server's planner says to one definition replacing another. Every answer is asked of the crates anew.

Pairs that are declared with one change each, definitions written as both versions, the reference's random pairs, of these the
small ones that together have everything, and the compiled modules.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from defs.vectors.files import Case, VectorFile
from defs.vectors.generation.pairs import pairs
from defs.vectors.generation.programs import Answer, Programs
from defs.vectors.generation.releases import NEWEST
from defs.vectors.generation.selecting import recorded, spread

__all__ = ["make"]

RANDOM, VERSIONS = 190, 60


def make(programs: Programs, directory: Path) -> Iterator[VectorFile]:
    """The groups of the area."""
    drawn = spread(recorded(directory, "migrations"), RANDOM, features=_features, size=_size)
    written = [
        row for row in recorded(directory, "modules") if row["valid"] and row["version"] == 10 and len(row["v10"]) < 1500
    ]
    groups: dict[str, tuple[str, Iterable[Case]]] = {
        "changes": ("one change each, made and taken back", (_case(old, new, note) for note, old, new in pairs())),
        "versions": ("a definition replaced by the same one, written as another version", _versions(written)),
        "random": ("random changes of random definitions", (_case(*_sides(row), flags=["random"]) for row in drawn)),
        "modules": ("compiled modules", _modules(directory)),
    }
    for group, (about, cases) in groups.items():
        unique = list({(case["old"], case["new"]): case for case in cases}.values())
        asked = [{"op": "migrate", "old": case["old"].hex(), "new": case["new"].hex()} for case in unique]
        found = (_judged(*one, group) for one in zip(unique, programs.ask(None, asked), strict=True))
        yield VectorFile("migrations", group, about, tuple(found))


def _sides(row: Any) -> tuple[bytes, bytes]:
    return bytes.fromhex(row["old"]), bytes.fromhex(row["new"])


def _versions(rows: Iterable[Any]) -> Iterator[Case]:
    for row in sorted(rows, key=lambda row: (len(row["v10"]), row["id"]))[: VERSIONS // 2]:
        old, new = (bytes.fromhex(row[name]) for name in ("v9", "v10"))
        yield _case(old, new, "version 9 replaced by version 10")
        yield _case(new, old, "version 10 replaced by version 9")


def _modules(directory: Path) -> Iterator[Case]:
    known = json.loads((directory / "modules" / "expected.json").read_text("utf-8"))
    for pair in known["pairs"]:
        old, new = (bytes.fromhex(known["modules"][pair[side]]["bytes"]) for side in ("old", "new"))
        yield _case(old, new, f"{pair['old']} replaced by {pair['new']}")


def _case(old: bytes, new: bytes, note: str = "", flags: Iterable[str] = ()) -> Case:
    noted = {"note": note} if note else {}
    return {**noted, "spec": "compat 2", "since": NEWEST, "until": NEWEST, "flags": sorted(flags), "old": old, "new": new,
            "source": f"spacetimedb-schema {NEWEST}"}  # fmt: skip


def _judged(case: Case, answer: Answer, group: str) -> Case:
    if "crashed" in answer:
        flags = sorted({*case["flags"], "reference-crashes"})
        return {**case, "flags": flags, "verdict": "reject", "error": "ServerWouldCrash", "derived": ["error", "verdict"]}
    if not answer["valid"]:
        return {**case, "verdict": "reject", "error": "InvalidModule"}
    if answer["migration"] == "manual":
        errors = sorted(answer["errors"], key=lambda one: (one["kind"], one["message"]))
        return {**case, "verdict": "reject", "error": "ManualMigration", "migration": "manual", "errors": errors}
    told = ["migration", "prechecks", "steps", "text", *(["ansi"] if group != "random" else [])]
    flags = sorted({*case["flags"], *(["reference-defect"] if answer["text"].startswith("ERR ") else [])})
    return {**case, "flags": flags, "verdict": "accept", **{name: answer[name] for name in told}}


def _features(row: Any) -> set[str]:
    """What makes a pair worth having: the kinds of what is said of it, and that it cannot be printed."""
    kinds = [one["kind"] for name in ("steps", "prechecks", "errors") for one in row.get(name, ())]
    where = {f"{one['kind']} within" for one in row.get("steps", ()) if one.get("namespace")}
    unprintable = {row["id"]} if row.get("text", "").startswith("ERR ") else set()
    return {*kinds, *where, row["verdict"], *unprintable}


def _size(row: Any) -> int:
    return len(row["old"]) + len(row["new"]) + len(row.get("text", ""))
