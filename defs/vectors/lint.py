"""Are the files as they were generated? Schema, twins, counts, ids and digests; nothing is decoded or asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bsatn.errors import BsatnError
from defs.vectors import files
from defs.vectors.areas import AREAS, FLAGS
from defs.vectors.files import DIGESTS, VectorError, VectorFile, default_directory
from defs.vectors.generation.ledger import Ledger, key_of
from defs.vectors.schema import faults, load_schema

__all__ = ["lint"]


def lint(directory: Path | None = None) -> list[str]:
    """What is wrong with the files, each as a sentence that begins with the file; empty when all is well."""
    place = directory or default_directory()
    return list(_lint(place))


def _lint(place: Path) -> Iterator[str]:
    yield from _digests(place)
    try:
        ledger = Ledger.read(place)
        schema = load_schema(place)
    except (OSError, ValueError, BsatnError) as error:
        yield f"{place}: {error}"
        return
    seen: dict[str, str] = {}
    for area in AREAS:
        names = {path.stem for path in (place / area).glob("*") if path.suffix in (".cbor", ".json")}
        if not names:
            yield f"{area}: no groups"
        for name in sorted(names):
            yield from (f"{area}/{name}{fault}" for fault in _group(place / area / name, ledger, schema, seen))


def _digests(place: Path) -> Iterator[str]:
    try:
        said = (place / DIGESTS).read_bytes()
    except OSError:
        yield f"{DIGESTS}: there is none"
        return
    wanted = files.digests(place).encode()
    if said == wanted:
        return
    ours, theirs = ({line[66:]: line[:64] for line in data.decode("utf-8", "replace").split("\n")} for data in (wanted, said))
    changed = sorted(name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name))
    yield from (f"{name}: not what {DIGESTS} says: generate it, do not edit it" for name in changed if name)
    if not any(changed):
        yield f"{DIGESTS}: not as it was written"


def _group(stem: Path, ledger: Ledger, schema: dict[str, object], seen: dict[str, str]) -> Iterator[str]:
    try:
        file = files.read(stem.with_suffix(".cbor"))
        text = stem.with_suffix(".json").read_bytes()
    except (OSError, BsatnError) as error:
        yield f": {error}"
        return
    content = files.from_cbor(stem.with_suffix(".cbor").read_bytes())
    if content != file.content():
        yield ".cbor: the count is wrong, or the head has more than it should"
    if files.to_json(content).encode() != text:
        yield ".json: it does not say what the CBOR file says, or not in the one form"
    if (file.area, file.group) != (stem.parent.name, stem.name):
        yield f": it says it is {file.path}"
        return
    yield from (f".json: {fault}" for fault in faults(schema, files.plain(content)))
    yield from _cases(file, ledger, seen)


def _cases(file: VectorFile, ledger: Ledger, seen: dict[str, str]) -> Iterator[str]:
    for case in file.cases:
        name = case["id"]
        if name in seen:
            yield f": the id {name} is also in {seen[name]}"
        seen[name] = file.path
        flags = case.get("flags", [])
        if flags != sorted(set(flags)) or not set(flags) <= FLAGS.keys():
            yield f": {name}: flags must be sorted, and of those that are declared"
        try:
            if ledger.ids.get(key_of(file.area, file.group, case)) != name:
                yield f": {name}: the ledger gives this case another id"
        except VectorError as error:
            yield f": {name}: {error}"
