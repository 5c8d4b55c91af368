"""Ten thousand random pairs, planned by this library and by the published crate: verdict, steps, errors and text are the same.

Where they are not, the difference is one of `DISAGREEMENTS`, which docs/compatibility.md explains. The crate is asked through
its testee in vectors/testees/rust, which Cargo builds on first use.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from defs.conformance.asking import Crashed, Reply
from defs.conformance.process import Testee
from defs.testee import planned

sys.path.insert(0, str(Path(__file__).parent))

import migrate_pairs
from migrate_pairs import Definition

RUST = Path(__file__).parents[3] / "vectors" / "testees" / "rust"
SEEDS, EACH = (1, 2, 3, 4), 2500  #: 10,000 pairs
PANIC = "panicked at"

Answer: TypeAlias = dict[str, Any]


@pytest.fixture(scope="module")
def crate() -> Iterator[Testee]:
    if shutil.which("cargo") is None:
        pytest.skip("cargo is not there, which builds the published crates: https://rustup.rs")
    subprocess.run([RUST / "build"], check=True)
    with Testee([str(RUST / "run")], timeout=60) as testee:
        yield testee


def asked(crate: Testee, old: Definition, new: Definition) -> Answer:
    """The crate's answer; where it panics, that."""
    try:
        reply: Reply = crate.ask("migrate", {"old": old.data, "new": new.data})
    except Crashed as crash:
        return {"verdict": crash.how, "detail": crash.detail}
    return {name: value for name, value in reply.items() if name not in ("id", "ok")}


def comparable(answer: Answer) -> Answer:
    """With errors as a multiset: their order means nothing."""
    errors = Counter((one["kind"], one["message"]) for one in answer.get("errors", ()))
    return {**answer, "errors": errors}


def recursive(ours: Answer, theirs: Answer) -> bool:
    """A type contains itself: the planner panics, which is an error here."""
    return theirs["verdict"] == "died" and PANIC in theirs["detail"] and kinds(ours) == {"ServerWouldCrash"}


#: Where the two may differ, by the names of docs/compatibility.md.
DISAGREEMENTS: dict[str, Callable[[Answer, Answer], bool]] = {"panic": recursive}


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_plans_are_the_same(crate: Testee, seed: int) -> None:
    seen: Counter[str] = Counter()
    for old, new in migrate_pairs.pairs(seed, EACH):
        ours, theirs = planned(old.module, new.module), asked(crate, old, new)
        same = comparable(ours) == comparable(theirs)
        names = ["same"] if same else [name for name, known in DISAGREEMENTS.items() if known(ours, theirs)]
        assert names, f"old {old.data.hex()}\nnew {new.data.hex()}\nours {ours}\ntheirs {theirs}"
        seen.update((names[0], ours["verdict"], *kinds(ours)))
    assert seen["same"] > EACH * 3 // 4
    assert min(seen["auto"], seen["breaks-clients"], seen["manual"]) > EACH // 10
    assert len(seen) > 40, f"pairs are about too little: {seen}"


def kinds(answer: Answer) -> set[str]:
    """The kinds of steps and errors in an answer."""
    return {one["kind"] for name in ("steps", "prechecks", "errors") for one in answer.get(name, ())}
