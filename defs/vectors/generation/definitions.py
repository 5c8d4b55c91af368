"""Definitions in every layout: the vectors of the specification, random ones, what a layout does not know, and broken bytes.

Inputs are reference cases written down in the layout (what it cannot hold left out), and hand-written ones. A release whose
layout it is reads them as its own types; its own type of RawModuleDef, asked of the newest release, gives the semantic form.
"""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from bsatn import types as t
from bsatn.codec import Codec
from bsatn.errors import BsatnError
from defs import raw
from defs.raw import layouts, v10
from defs.testee import answer as ours
from defs.vectors.files import Case, VectorError, VectorFile
from defs.vectors.generation.asking import verdict
from defs.vectors.generation.programs import Programs
from defs.vectors.generation.releases import LAYOUTS, Layout
from defs.vectors.generation.traits import shape_for, traits
from defs.vectors.generation.types import layout_types
from defs.vectors.generation.values import mutated, spell, unique

__all__ = ["make", "references"]

_ROOT = Codec(t.AlgebraicType).encode(t.Ref(0))
LONGEST_JSON = 2400  #: characters of SATS-JSON that a case carries
PER_LAYOUT = {8: (30, 14), 9: (18, 12), 10: (14, 9)}  #: random and mutated cases of a group

#: Vectors of the specification and other small ones, in the newest layout of their version. (spec: wire 6.4)
VECTORS = """
00 16*00 # empty, version 8
01 24*00 # empty, version 9
0200000000 # empty, version 10
01000000000000000001000000040000006e6f6f700000000001000000000000000000000000 # one reducer `noop`
0000000000010000000100000074010000000200000069640b010000000f0000006964785f745f69645f756e697175650100010000000000010000001800000063745f745f69645f7072696d6172795f6b65795f6175746f0f01000000000001000000080000007365715f745f6964000001000000000000000000000000000000010101000000000000000000000000000000000400000075736572060000007075626c69630100000000010000000100000072000000000100000000010000005400000000 # version 8: table t with index, constraint and sequence; reducer r; alias T
01010000000202000000000200000069640d0002000000617401020000000008000000496e74657276616c020100000000180000005f5f74696d655f6475726174696f6e5f6d6963726f735f5f0c000400000054696d65020100000000250000005f5f74696d657374616d705f6d6963726f735f73696e63655f756e69785f65706f63685f5f0c0100000001000000730000000000000000010000000101020000000000000000000000010100000066010000010000000001000000000000000100000073000000000102000000010100000070000000000702010000007600000000010100000000030000000000010000000100000051 # version 9: direct index, schedule, procedure, view, row-level security
02010000000a040000000001000000610100000062010100000061010000006202010000006101000000620301000000610100000062 # ExplicitNames, an entry of each tag
0202000000050100000001000000760300000001000000000001020000000004000000736f6d65000000000000040000006e6f6e6502000000000d01000000010000007601000000020000006964 # Views and ViewPrimaryKeys
0203000000060100000001010000007402000100000066090008010000000600000053454c454354 # Schedules, CaseConversionPolicy, RowLevelSecurity
02040000000e01000000020000006e73000000000b0100000001000000680c02000000010000006800010000002f010000006801090100000058010000002f04010000000100000070000000000701 # Submodules, HttpHandlers, HttpRoutes, Procedures
02010000000f0200000001000000410000010000004201010000007801 # Environment
02010000001001000000020000006f620200000072720100010000000200000200000063620707070707070707070707070707070707070707070707070707070707070707 # Outboxes
020100000002010000000100000074000000000000000000000000000000000000000001000000000000 # one table and nothing else
0202000000090009 01 # CaseConversionPolicy twice: the first one counts
0203000000 0200000000 0000000000 0200000000 # Tables before Typespace, and twice
02020000000301000000 01000000 61 00000000 01 0200000000 04 0301000000 01000000 62 00000000 01 0200000000 04 # Reducers twice
"""  # noqa: E501

#: Bytes that read differently in neighbouring layouts, by what happens to each. (spec: wire 7.1)
AMBIGUOUS = """
020200000002010000000100000074000000000000000000000000000000000000000001000000000001010000000000000001000000740000000001 # written in 10a: a reader of 10b takes the tag of Types for is_event, and leaves 13 bytes
020200000002010000000100000074000000000000000000000000000000000000000001000000000000000001000000020000000000000001000000740000000001 # a table, then nothing a reader of 10a expects
02020000001001000000020000006f620200000072720100010000000200011c000000 28*61 0100000000 # an outbox: the hash is a text of 28 bytes (10h), or 32 bytes (10i)
02010000001001000000020000006f62020000007272010001000000020001 20000000 32*61 # written in 10h with a text of 32 bytes: in 10i four are left over
02010000001001000000020000006f62020000007272010001000000020001 32*00 # written in 10i with a hash of zeros: in 10h 28 are left over
02010000001001000000020000006f62020000007272010001000000020001 1c000000 28*ff # in 10h the text is no UTF-8
"""  # noqa: E501

#: What is wrong whatever the layout, by version.
ERRORS = {
    8: """
 # nothing
03 # an unknown version
00 # version 8 and no more
00 15*00
00 17*00 # a byte left over
00 00000000 01000000 01000000 74 00000000 00000000 01000000 01000000 63 10 00000000 # constraint flags past 15
00 00000000 01000000 01000000 74 00000000 00000000 00000000 00000000 01000000 78 # a table type that is none
00 00000000 01000000 01000000 74 00000000 00000000 00000000 00000000 04000000 75736572 01000000 78 # an access that is none
00 00000000 01000000 01000000 74 00000000 01000000 01000000 69 00 02 # an index type that is none
00 00000000 01000000 01000000 ff
00 00000000 00000000 00000000 01000000 01 # an export that is none
00 ffffffff
""",
    9: """
01 # version 9 and no more
01 23*00
01 25*00 # a byte left over
01 00000000 01000000 01000000 ff # a name that is not UTF-8
01 01000000 14 # a type that is none
01 00000000 ffffffff
01 00000000 00000000 01000000 01000000 72 00000000 00 03 # a lifecycle that is none
01 00000000 00000000 00000000 00000000 01000000 03 # an export that no release knows
01 00000000 00000000 00000000 01000000 00000000 01000000 54 00000000 02 # custom_ordering is neither 0 nor 1
01 00000000 01000000 01000000 74 00000000 00000000 01000000 0101 03 # an index algorithm that no release knows
""",
    10: """
02 # version 10 and no more
02010000 # half a count
02010000001100000000 # a section that no release knows
0201000000ff
0201000000 # a section short
0200000000 00 # a byte left over
02ffffffff # a count past what is there
020100000009 02 # a policy that is none
02010000000301000000 01000000 ff # a name that is not UTF-8
020100000003 01000000 01000000 61 00000000 02 # a visibility that is none
0201000000 02 01000000 01000000 74 00000000 00000000 00000000 00000000 00000000 02 # a table type that is none
02010000000c 01000000 01000000 68 02 # neither any method nor one
02010000000c 01000000 01000000 68 01 0a # a method that is none
0201000000 0f 01000000 01000000 41 03 # a type of environment variable that is none
0201000000 0a 01000000 04 # a kind of name that no release knows
0201000000 07 01000000 03
""",
}


def _lines(text: str) -> list[tuple[bytes, str]]:
    pairs = (line.partition("#") for line in text.strip("\n").split("\n"))
    return [(spell(digits), note.strip()) for digits, _, note in pairs]


@lru_cache(maxsize=1)
def references(directory: Path) -> tuple[bytes, ...]:
    """The reference cases' definitions, which were made at random; the shorter first."""
    found = []
    for name in ("modules", "modules_v8"):
        with gzip.open(directory / "reference" / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            found += [bytes.fromhex(json.loads(line)["bytes"]) for line in lines]
    return tuple(sorted(dict.fromkeys(found), key=lambda data: (len(data), data)))


def _written(definition: raw.RawModuleDef, layout: str) -> bytes | None:
    try:
        return layouts.encode(definition, layout=layout, drop=True)
    except BsatnError:
        return None


def _inputs(layout: str, about: Layout, directory: Path) -> Iterator[tuple[bytes, str, tuple[str, ...]]]:
    """Bytes to read in a layout, each with a note and flags."""
    tag = about.version - 8
    small = [data for data in references(directory) if data[0] == tag and 60 < len(data) < 420]
    for data, note in _lines(VECTORS):
        if data[0] == tag:
            yield data, note, _repeats(data)
    yield from ((data, note, ("layout-ambiguous",)) for data, note in _lines(AMBIGUOUS) if about.version == 10)
    yield from ((data, note, ()) for data, note in _lines(ERRORS[about.version]))
    source = random.Random(f"definitions {layout} 1")
    source.shuffle(small)
    plain, broken = PER_LAYOUT[about.version]
    drawn = [data for data in (_written(raw.decode(data), layout) for data in small) if data is not None]
    yield from ((data, "", ("random",)) for data in drawn[:plain])
    yield from ((mutated(data, source), "", ("random",)) for data in drawn[plain : plain + broken])


def _repeats(data: bytes) -> tuple[str, ...]:
    definition = raw.decode(data)
    if not isinstance(definition, raw.RawModuleDefV10):
        return ()
    kinds = [type(section) for section in definition.sections]
    repeated = ("duplicate-section",) if len(set(kinds)) < len(kinds) else ()
    tables_first = v10.TablesSection in kinds and v10.TypespaceSection in kinds
    early = tables_first and kinds.index(v10.TablesSection) < kinds.index(v10.TypespaceSection)
    return (*repeated, "section-order") if early else repeated


def make(programs: Programs, directory: Path) -> Iterator[VectorFile]:
    """A group a layout."""
    spaces = layout_types(programs)
    for layout, about in LAYOUTS.items():
        cases = unique(
            {"layout": layout, "bytes": data, "flags": sorted(flags), "since": about.since, "until": about.until,
             "spec": "wire 7" if "layout-ambiguous" in flags else "wire 6", **({"note": note} if note else {})}
            for data, note, flags in _inputs(layout, about, directory)
        )  # fmt: skip
        words = (
            f"layout {layout}, of releases {about.since} to {about.until}"
            if about.since != about.until
            else f"layout {layout}, of release {about.since}"
        )
        made = tuple(_decided(programs, cases, about, spaces[layout]))
        yield VectorFile("definitions", f"v{layout}", f"definitions in {words}", made)


def _decided(programs: Programs, cases: list[Case], about: Layout, space: bytes) -> Iterator[Case]:
    typed = programs.ask(about.release, [{"op": "read", "bytes": case["bytes"].hex()} for case in cases])
    generic = {"op": "value", "type": _ROOT.hex(), "typespace": space.hex()}
    by_type = programs.ask(None, [{**generic, "bytes": case["bytes"].hex()} for case in cases])
    for case, answer, other in zip(cases, typed, by_type, strict=True):
        if answer.get("ok"):
            if other.get("reencoded") != answer["reencoded"]:
                raise VectorError("Disagreement", f"layout {case['layout']}: {case['bytes'].hex()} has two readings")
            answer = {**answer, "value": other["value"]}
            if len(answer["json"]) > LONGEST_JSON:
                answer.pop("json")
        reply = ours({"op": "module.decode", "bytes": case["bytes"].hex(), "layout": about.release})
        found = verdict(case, answer, reply)
        shape = shape_for(_ROOT, space)
        wanted = {"huge-count", "truncated", "trailing", "non-ascii", "nul"}
        found["flags"] = sorted({*found["flags"], *(traits(found, shape) & wanted)})
        if found["verdict"] == "accept":
            found["version"] = about.version
        yield {**found, "source": f"spacetimedb-lib {about.release}"}
