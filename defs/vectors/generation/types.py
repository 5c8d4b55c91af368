"""Types as values: those of the specification, random ones, broken ones, and the type of each layout of definitions."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from pathlib import Path

from bsatn import types as t
from bsatn.codec import Codec
from bsatn.satn import format_type, parse_type
from defs.vectors.files import Case, VectorError, VectorFile
from defs.vectors.generation.programs import Programs
from defs.vectors.generation.releases import LAYOUTS, NEWEST
from defs.vectors.generation.values import REFERENCES, SHAPES, decided, mutated, spell, unique

__all__ = ["layout_types", "make"]

_KINDS = Codec(t.AlgebraicType)
_ROOT = _KINDS.encode(t.Ref(0))

VECTORS = (
    "U8", "F64", "&1", "Bytes", "()", "(|)", "Option<U8>", "Result<U8, String>", "(U8, Bool)", "Identity", "ConnectionId",
    "Timestamp", "TimeDuration", "Uuid", "ScheduleAt", "Array<Array<String>>", "Bool", "String", "I8", "I16", "U16",
    "I32", "U32", "I64", "U64", "I128", "U128", "I256", "U256", "F32", "&0", "&4294967295", "Array<&0>",
    "Option<Option<&2>>", '("": U8)', '("a b": U8 | "é": ())', '(a: U8, a: U8)', "(a: ())", "(A: () | B: ())",
    "(| A: ())", "Result<Identity, ScheduleAt>", '("0": U8)', '("\\u0000": Bool)', "Array<(|)>",
    "Array<Option<Identity>>", "(__identity__: U128)", "(__query__: &0)",
)  # fmt: skip

#: Bytes that are no type, and what is wrong with them.
ERRORS = """
 # nothing
14 # the first tag that is none
ff
00010000 # half a reference
03 # an array of what?
0314
02 # a product without a count
0201000000 # an element short
020100000002 # neither some nor none
020100000000 05000000 61 # a name shorter than its length
020100000000 01000000 ff 07 # a name that is not UTF-8
0201000000 01 14
0101000000 01 # a variant without its type
02ffffffff
01ffffffff 01 07
0707 # a byte left over
0200000000 00
"""


def layout_types(programs: Programs) -> dict[str, bytes]:
    """The type of RawModuleDef in each layout, as BSATN of a typespace whose entry 0 it is."""
    found = {}
    for layout, about in LAYOUTS.items():
        (answer,) = programs.ask(about.release, [{"op": "type-of", "of": "RawModuleDef"}])
        if answer["type"] != _ROOT.hex():
            raise VectorError("Layout", f"RawModuleDef is not entry 0 of its types in {about.release}")
        found[layout] = bytes.fromhex(answer["typespace"])
    return found


def _types_of(kind: t.AlgebraicType) -> Iterator[t.AlgebraicType]:
    yield kind
    for part in getattr(kind, "elements", ()) or getattr(kind, "variants", ()):
        yield from _types_of(part.algebraic_type)
    if isinstance(kind, t.ArrayType):
        yield from _types_of(kind.element)


def _random(drawn: Iterable[Case]) -> list[bytes]:
    seen: dict[t.AlgebraicType, None] = {}
    for case in drawn:
        for kind in (_KINDS.decode(case["type"]), *Codec(t.Typespace).decode(case["typespace"]).types):
            seen.update(dict.fromkeys(_types_of(kind)))
    found = [_KINDS.encode(kind) for kind in seen if isinstance(kind, (t.ProductType, t.SumType))]
    return [data for data in found if len(data) < 200]


def make(programs: Programs, directory: Path) -> Iterator[VectorFile]:
    """The groups of the area."""
    from defs.vectors.generation.values import _random as values

    (meta,) = programs.ask(NEWEST, [{"op": "type-of", "of": "AlgebraicType"}])
    space = bytes.fromhex(meta["typespace"])

    def of(data: bytes, spec: str, note: str = "", *flags: str) -> Case:
        case: Case = {"type": bytes.fromhex(meta["type"]), "typespace": space, "type_text": "AlgebraicType", "bytes": data}
        return {**case, "spec": spec, "flags": sorted(flags), **({"note": note} if note else {})}

    drawn = _random(values(directory))
    source = random.Random("types 1")
    source.shuffle(drawn)
    shapes = {*(row[0] for row in SHAPES), *(row[0] for row in REFERENCES)} - set(VECTORS)
    broken = [
        of(spell(line.partition("#")[0]), "wire 2.1", line.partition("#")[2].strip()) for line in ERRORS.strip("\n").split("\n")
    ]
    deep = [of(b"\3" * depth + b"\4", "wire 1", "arrays of arrays, as many as bytes") for depth in (50, 120, 100_000)]
    groups = {
        "vectors": ("the type vectors of the specification, and what validity for clients depends on",
                    [of(_KINDS.encode(parse_type(text)), "wire 2.2", text) for text in VECTORS]),
        "shapes": ("the types of values/shapes and values/references",
                   [of(_KINDS.encode(parse_type(text)), "wire 2.1", text) for text in sorted(shapes)]),
        "errors": ("bytes that are no type, and types nested deep", broken + deep),
        "random": ("random types", [of(data, "wire 2.1", "", "random") for data in drawn[:110]]),
        "mutated": ("random types with a fault or two in their bytes",
                    [of(mutated(data, source), "wire 2.1", "", "random") for data in drawn[110:190]]),
    }  # fmt: skip
    for group, (about, cases) in groups.items():
        yield VectorFile("types", group, about, tuple(_predicates(programs, decided(programs, unique(cases)))))
    yield VectorFile("types", "layouts", "the types of RawModuleDef in each layout: entry 0 of a Typespace",
                     tuple(_layouts(programs, space)))  # fmt: skip


def _predicates(programs: Programs, cases: list[Case]) -> Iterator[Case]:
    """With what the typed reading says; it and the reading by the type of types must agree."""
    answers = programs.ask(None, [{"op": "type", "bytes": case["bytes"].hex()} for case in cases])
    for case, answer in zip(cases, answers, strict=True):
        if case["verdict"] != "implementation-defined" and ("error" in answer) != (case["verdict"] == "reject"):
            raise VectorError("Disagreement", f"two readings of the type {case['bytes'].hex()} differ")
        if case["verdict"] == "accept":
            case = {
                **case,
                "json": answer["json"],
                "predicates": {name: answer[name] for name in ("use", "definition", "special")},
            }
        yield case


def _layouts(programs: Programs, space: bytes) -> Iterator[Case]:
    types = Codec(t.Typespace).decode(space).types
    whole = t.Typespace((*types, t.ProductType((t.ProductTypeElement("types", t.ArrayType(t.Ref(0))),))))
    for layout, data in layout_types(programs).items():
        case: Case = {
            "note": f"layout {layout}: {format_type(t.Ref(0))} is RawModuleDef",
            "layout": layout,
            "type": _KINDS.encode(t.Ref(len(types))),
            "typespace": Codec(t.Typespace).encode(whole),
            "type_text": "Typespace",
            "bytes": data,
            "spec": "wire 7",
            "flags": [],
        }
        (made,) = decided(programs, [case])
        about = LAYOUTS[layout]
        yield {**made, "source": f"spacetimedb-lib {about.release}", "since": about.since, "until": about.until}
