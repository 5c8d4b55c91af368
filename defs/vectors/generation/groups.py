"""From areas to files: every group is made, its cases get their ids, both twins are written, then digests and ledger."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

from defs.vectors.areas import AREAS, FIELDS
from defs.vectors.files import DIGESTS, Case, VectorError, VectorFile, digests, generated, write
from defs.vectors.generation import definitions, logs, migrations, modules, names, queries, traces, types, values
from defs.vectors.generation.ledger import NAME, Ledger
from defs.vectors.generation.programs import Programs

__all__ = ["MAKERS", "check", "generate"]

Maker: TypeAlias = Callable[[Programs, Path], Iterator[VectorFile]]

#: What makes the groups of an area, from the programs and the directory of the vectors.
MAKERS: dict[str, Maker] = {
    "values": values.make,
    "types": types.make,
    "names": names.make,
    "definitions": definitions.make,
    "validation": modules.make_validation,
    "conversion": modules.make_conversion,
    "migrations": migrations.make,
    "logs": logs.make,
    "traces": traces.make,
    "subscriptions": queries.make_subscriptions,
    "queries": queries.make_queries,
}


def _named(file: VectorFile, ledger: Ledger) -> VectorFile:
    cases: list[Case] = []
    for case in file.cases:
        whole = {**case, "id": ledger.id_for(file.area, file.group, case)}
        cases.append({name: whole[name] for name in FIELDS if name in whole})
    return VectorFile(file.area, file.group, file.about, tuple(cases))


def generate(directory: Path, areas: Iterable[str] = AREAS, *, source: Path | None = None) -> list[VectorFile]:
    """Make the areas anew, in `directory`; inputs and programs are those of `source`, by default the same directory.

    Raises VectorError where the crates cannot be asked.
    """
    source = source or directory
    programs = Programs(source / "generator")
    ledger = Ledger.read(directory)
    made = []
    for area in areas:
        files = [_named(file, ledger) for file in MAKERS[area](programs, source)]
        for old in (directory / area).glob("*"):
            old.unlink()
        for file in files:
            write(directory, file)
        sys.stderr.write(f"bsatn: {area}: {sum(len(file.cases) for file in files)} cases in {len(files)} groups\n")
        made += files
    (directory / NAME).write_text(ledger.text(), "utf-8")
    (directory / DIGESTS).write_text(digests(directory), "utf-8")
    return made


def check(directory: Path, areas: Iterable[str] = AREAS) -> list[str]:
    """What generating anew would change: names of files. Nothing in `directory` is touched."""
    wanted = list(areas)
    with tempfile.TemporaryDirectory(prefix="bsatn-vectors-") as name:
        place = Path(name)
        for path in generated(directory):
            (place / path.relative_to(directory)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, place / path.relative_to(directory))
        before = {path.relative_to(place).as_posix(): path.read_bytes() for path in generated(place)}
        if not before:
            raise VectorError("NoVectors", f"no vectors under {directory}")
        generate(place, wanted, source=directory)
        after = {path.relative_to(place).as_posix(): path.read_bytes() for path in generated(place)}
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
