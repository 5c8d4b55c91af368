"""Values: hand-written ones, those at the edges of every width, and random ones, mutated too.

A declaration is a type as SATN text, and inputs as hex digits in which `31*ff` repeats a byte; a note may follow an input
after `#`. What they mean is asked of every release.
"""

from __future__ import annotations

import gzip
import json
import random
import re
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

from bsatn import types as t
from bsatn.codec import Codec
from bsatn.satn import parse_type
from defs.vectors.files import Case, VectorFile
from defs.vectors.generation.asking import from_hex, own, verdict
from defs.vectors.generation.programs import Programs
from defs.vectors.generation.releases import NEWEST, RELEASES
from defs.vectors.generation.traits import finite, shape_for, text_for, traits

__all__ = ["decided", "declared", "make", "mutated", "spell"]

_KINDS = Codec(t.AlgebraicType)
_SPACES = Codec(t.Typespace)
EMPTY = bytes(4)


def spell(text: str) -> bytes:
    """The bytes of `d6 31*ff`: hex digits, and `count*digits` for repeats."""
    pieces = re.findall(r"(?:(\d+)\*)?([0-9a-f]+)", text)
    return b"".join(bytes.fromhex(digits) * int(count or 1) for count, digits in pieces)


def declared(
    kind: str, inputs: str | Iterable[str], spec: str, space: Iterable[str] = (), flags: Iterable[str] = ()
) -> Iterator[Case]:
    """Cases from a declaration: inputs on lines or in a list, each with a note after `#`."""
    typespace = _SPACES.encode(t.Typespace(tuple(map(parse_type, space))))
    encoded = _KINDS.encode(parse_type(kind))
    for line in inputs.strip().splitlines() if isinstance(inputs, str) else inputs:
        digits, _, note = line.partition("#")
        case = case_of(encoded, typespace, spell(digits), spec, flags)
        yield {**case, "note": note.strip()} if note.strip() else case


def case_of(kind: bytes, typespace: bytes, data: bytes, spec: str, flags: Iterable[str] = ()) -> Case:
    return {"type": kind, "typespace": typespace, "type_text": text_for(kind, typespace), "bytes": data, "spec": spec,
            "flags": sorted(flags)}  # fmt: skip


# What is declared -------------------------------------------------------------------------------------------------------

#: (type, inputs, what they are about)
VECTORS: tuple[tuple[str, str], ...] = (
    ("U16", "3412 # 0x1234"),
    ("I32", "feffffff # -2"),
    ("I256", "d6 31*ff # -42"),
    ("U128", "100f0e0d0c0b0a090807060504030201"),
    ("F32", "0000c03f # 1.5"),
    ("F64", "0000000000000080 # -0.0\n000000000000f87f # NaN\n010000000000f8ff # a NaN whose sign and payload survive"),
    ("String", "03000000 68c3a9 # hé"),
    ("Array<U16>", "02000000 0100 0200"),
    ("Bytes", "02000000 0102"),
    ("Array<()>", "03000000 # three units take no bytes"),
    ("Option<U8>", "0005 # some\n01 # none"),
    ("Result<U8, String>", "01 01000000 78 # err\n0007 # ok"),
    ("Identity", "01 31*00"),
    ("ConnectionId", "01 15*00"),
    ("ScheduleAt", "000a00000000000000 # Interval\n010a00000000000000 # Time"),
)
SHAPES: tuple[tuple[str, str], ...] = (
    ("()", "\n # nothing at all"),
    ("(a: U8, b: Bool)", "0701"),
    ("(U8, Bool)", "0701"),
    ("(a: U8, Bool)", "0700 # half the fields are named"),
    ("(a: U8, a: U16)", "070800 # two fields of one name"),
    ("(x: F32, y: F32, z: F32)", "0000803f 00000040 00004040"),
    ("(a: (b: (c: (d: U8))))", "2a"),
    ("(U8, (U16, (U32, (U64, ()))))", "01 0200 03000000 0400000000000000"),
    ("(A: () | B: () | C: ())", "00\n01\n02"),
    ("(| A: U8)", "0005 # a sum of one"),
    ("(U8 | String)", "0005\n01 00000000"),
    ("(1: U8 | 0: U16)", "0005 # names that look like tags\n01 0500"),
    ("(a: U8 | a: U16)", "0005 # two variants of one name\n01 0500"),
    ("Option<Option<U8>>", "01 # none\n0001 # some(none)\n000005 # some(some(5))"),
    ("Option<Option<Option<()>>>", "01\n0001\n000001\n000000"),
    ("Option<()>", "00\n01"),
    ("(Some: U8 | None: ())", "0005 # capitals: no option"),
    ("(none: () | some: U8)", "00 # the other order: no option\n0105"),
    ("(some: U8 | none: U8)", "0005\n0106 # none is not unit: no option"),
    ("Result<Option<U8>, Result<(), String>>", "0001\n000005\n0100\n0101 02000000 6869"),
    ("(ok: U8 | err: U8 | other: U8)", "0207 # three variants: no result"),
    (
        "Identity",
        "32*00\n32*ff\n0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20\n31*00 c2 # reverse of its hex text",
    ),
    ("ConnectionId", "16*00\n16*ff\n0102030405060708090a0b0c0d0e0f10"),
    ("Uuid", "16*00\n16*ff\n000000000000008000700000ffffff01"),
    ("Timestamp", "8*00\n8*ff # a microsecond before 1970\nffffffffffffff7f\n7*00 80\n0080c6a47e8d0300"),
    ("TimeDuration", "8*00\n8*ff\n40420f0000000000 # a second\n7*00 80"),
    ("ScheduleAt", "00 8*ff\n01 ffffffffffffff7f"),
    ("(Time: Timestamp | Interval: TimeDuration)", "00 8*00 # the other order: no ScheduleAt"),
    ("(__identity__: U128)", "16*01 # another width: no Identity"),
    ("(__identity__: U256, x: U8)", "32*02 09 # a field more: no Identity"),
    ("Array<Identity>", "00000000\n01000000 32*07"),
    ("Array<Option<U8>>", "03000000 0001 01 0002"),
    ("Array<Array<U8>>", "02000000 01000000 aa 00000000"),
    ("Array<Array<()>>", "02000000 03000000 00000000"),
    ("Array<String>", "02000000 00000000 01000000 61"),
    ("Array<Bool>", "02000000 0001"),
    ("Array<I8>", "03000000 80ff7f # not a byte string"),
    ("Array<F32>", "02000000 0000c07f 00000080"),
    ("Array<U256>", "01000000 32*ab"),
    ("Array<(U8, U8)>", "02000000 01020304"),
    ("Array<((), ())>", "ff000000 # 255 elements of no bytes"),
    ("Array<(A: () | B: ())>", "04000000 00010100"),
    ("(a: Array<()>, b: U8)", "0a000000 07"),
)
ERRORS: tuple[tuple[str, str], ...] = (
    ("Bool", "02\nff\n\n7f"),
    ("(a: U8, b: Bool)", "0702\n07\n\n070100"),
    ("Array<Bool>", "03000000 000102\n02000000 00\n00"),
    ("U8", " # nothing"),
    ("I8", ""),
    ("U16", "01"),
    ("I16", "01"),
    ("U32", "0102\n010203"),
    ("I32", "01"),
    ("U64", "7*01"),
    ("I64", "7*01"),
    ("U128", "15*01"),
    ("I128", "\n01"),
    ("U256", "31*01"),
    ("I256", "5*01"),
    ("F32", "3*00"),
    ("F64", "2*00"),
    (
        "String",
        "05000000 61 # shorter than its length\n000000 # half a length\n01000000 ff\nffffffff 61 # 4 GiB\n01000000 # no body",
    ),
    ("String", "02000000 c3 # cut in a character, by the end\n01000000 c3 # cut in a character, by the length"),
    (
        "String",
        "02000000 c080 # overlong NUL\n03000000 e08080 # overlong\n"
        "03000000 eda080 # a surrogate\n06000000 eda0bdedb880 # a pair of them",
    ),
    (
        "String",
        "04000000 f4908080 # past U+10FFFF\n01000000 80 # a lone continuation\n05000000 f888808080 # five bytes\n02000000 fffe",
    ),
    ("String", "04000000 6162c328 # wrong after two good characters"),
    ("Bytes", "05000000 61\n0000\nffffffff\n01000000"),
    ("Array<U16>", "02000000 0100\n02000000 0100 02\n000000"),
    ("Array<U64>", "ffffffff # a count of 2^32-1\nffffff7f 8*00"),
    ("Array<String>", "02000000 01000000 61\n01000000 01000000 ff\n01000000 ffffffff"),
    ("Option<U8>", "02 # an unknown tag\nff\n00 # no payload\n"),
    ("Option<Option<U8>>", "0002\n0000\n03"),
    ("Result<U8, String>", "02\n01 01000000 ff\n00"),
    ("ScheduleAt", "02 8*00\n00 7*00"),
    ("(A: () | B: ())", "02\n"),
    ("(|)", "00 # never has no value\nff\n"),
    ("Array<(|)>", "00000000 # no value of it is needed\n01000000 00"),
    ("Option<(|)>", "01\n0000"),
    ("Identity", "31*00\n"),
    ("ConnectionId", "15*00"),
    ("Timestamp", "7*00"),
    ("Uuid", "15*00"),
    ("TimeDuration", "00"),
    ("(a: (b: Array<(c: Bool)>))", "03000000 000103"),
    ("(U8, String, U16)", "01 02000000 6162 03"),
    ("U8", "0100 # a byte left over\n01 16*00"),
    ("()", "00 # a byte where none belongs"),
    ("String", "00000000 00"),
    ("Array<U8>", "00000000 01"),
    ("Option<U8>", "0100"),
    ("Array<()>", "05000000 05000000"),
    ("Bool", "0101"),
    ("Identity", "33*00"),
    ("(a: U8, b: U8)", "010203"),
)
#: (type, entries of the typespace, inputs)
REFERENCES: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("&0", ("U8",), "07"),
    ("&1", ("U8", "&0"), "07 # an alias of an alias"),
    ("(a: &0, b: &0)", ("(x: U16)",), "0100 0200"),
    ("Array<&0>", ("U8",), "02000000 0102 # an array of a reference to U8"),
    ("Option<&0>", ("(id: U64)",), "01\n00 8*01"),
    ("&0", ("(value: U8, next: Option<&0>)",), "0101 # a list of one\n010002000301 # of three\n0100 # cut\n010002"),
    ("&0", ("(Leaf: I32 | Node: (l: &0, r: &0))",), "00 01000000\n01 00 01000000 00 02000000\n"
     "01 01 00 01000000 00 02000000 00 03000000\n02"),
    ("&0", ("Array<&0>",), "00000000\n01000000 00000000\n02000000 00000000 01000000 00000000"),
    ("&0", ("(a: Array<&1>)", "(b: Option<&0>)"), "00000000\n01000000 01\n01000000 00 00000000"),
    ("&3", ("U8",), "07 # no such entry"),
    ("Array<&3>", ("U8",), "00000000 # no such entry, and none needed\n01000000 07"),
    ("(a: U8, b: &9)", (), "0708"),
    ("Option<&7>", ("U8",), "01\n0001"),
)  # fmt: skip

#: References that lead nowhere: the reference follows them for ever, so it is not asked.
ENDLESS: tuple[tuple[str, tuple[str, ...]], ...] = (("&0", ("&0",)), ("&0", ("&1", "&0")), ("Array<&1>", ("U8", "&1")))


def _widths() -> Iterator[tuple[str, list[str]]]:
    """The edges of every integer, and powers of two where doubles and signs trip."""
    for bits in (8, 16, 32, 64, 128, 256):
        size = bits // 8
        unsigned = {0, 1, 2, 127, 128, 255, (1 << bits) - 1, (1 << bits) - 2, (1 << bits - 1) - 1, 1 << bits - 1}
        unsigned |= {
            (1 << power) + off for power in (8, 16, 31, 32, 53, 63, 64, 127, 128) if power < bits for off in (-1, 0, 1)
        }
        yield f"U{bits}", [number.to_bytes(size, "little").hex() for number in sorted(unsigned)]
        signed = {0, 1, -1, 2, -2, 42, -42, (1 << bits - 1) - 1, -(1 << bits - 1), -(1 << bits - 1) + 1}
        signed |= {sign * (1 << power) for power in (7, 15, 31, 53, 63, 64, 127) if power < bits - 1 for sign in (1, -1)}
        yield f"I{bits}", [number.to_bytes(size, "little", signed=True).hex() for number in sorted(signed)]


_FLOATS = {
    32: (0, 1, 0x007FFFFF, 0x00800000, 0x3DCCCCCD, 0x3F7FFFFF, 0x3F800000, 0x3F800001, 0x4B800000, 0x7F7FFFFF, 0x7F800000,
         0x7F800001, 0x7FBFFFFF, 0x7FC00000, 0x7FC00001, 0x7FFFFFFF, 0x501502F9, 0x33D6BF95, 0x41200000),
    64: (0, 1, 0x000FFFFFFFFFFFFF, 0x0010000000000000, 0x3FB999999999999A, 0x3FEFFFFFFFFFFFFF, 0x3FF0000000000000,
         0x4340000000000000, 0x7FEFFFFFFFFFFFFF, 0x7FF0000000000000, 0x7FF0000000000001, 0x7FF7FFFFFFFFFFFF,
         0x7FF8000000000000, 0x7FF8000000000001, 0x7FFFFFFFFFFFFFFF, 0x444B1AE4D6E2EF50, 0x3EB0C6F7A0B5ED8D,
         0x400921FB54442D18),
}  # fmt: skip


def _floats() -> Iterator[tuple[str, list[str]]]:
    for bits, patterns in _FLOATS.items():
        both = [pattern | sign << bits - 1 for pattern in patterns for sign in (0, 1)]
        yield f"F{bits}", [pattern.to_bytes(bits // 8, "little").hex() for pattern in both]


_TEXTS = (
    "", "a", "\0", "a\0b", "\x7f", "\u0080", "é", "e\u0301", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\ufeff", "\ufeffa",
    "\ufffd", "\uffff", "\U00010000", "\U0010ffff", "🍌", "👩‍👩‍👧", "日本語", "Привет", "\u202eabc", "\u2028", "\r\n\t",
    '"\\/', "ﬁ", "straße", "a" * 255, "é" * 128,
)  # fmt: skip


def _strings() -> Iterator[tuple[str, list[str]]]:
    yield "String", [struct.pack("<I", len(data)).hex() + data.hex() for data in (text.encode() for text in _TEXTS)]
    yield "Bytes", [struct.pack("<I", size).hex() + bytes(range(256))[:size].hex() for size in (0, 1, 2, 127, 128, 255, 256)]


def _limits() -> Iterator[Case]:
    for depth in (10, 100, 150):
        kind = "Array<" * depth + "U8" + ">" * depth
        data = bytes.fromhex("01000000") * (depth - 1) + bytes.fromhex("020000000102")
        yield case_of(_KINDS.encode(parse_type(kind)), EMPTY, data, "wire 1")
    space = _SPACES.encode(t.Typespace((parse_type("(some: &0 | none: ())"),)))
    for depth in (50, 140, 600):
        note = "" if depth < 500 else "as deep as its bytes are many"
        case = case_of(_KINDS.encode(t.Ref(0)), space, bytes(depth) + b"\1", "wire 2.4", ["recursive"])
        yield {**case, "note": note} if note else case
    for count in (1, 1000, 300_000):
        data = struct.pack("<I", count)
        yield from declared(
            "Array<()>", [data.hex() + " # many elements of no bytes"], "wire 1", flags=["huge-count"] if count > 999 else []
        )
    for kind in ("Array<U8>", "Array<U16>", "String", "Array<Array<U8>>", "Array<Identity>", "Array<Option<U8>>"):
        yield from declared(kind, ["ffffffff", "00000080 00", "ffffff7f 00000000"], "wire 1", flags=["huge-count"])


def _random(directory: Path) -> list[Case]:
    """Inputs of the reference cases, which were made at random, and the same with a fault or two."""
    with gzip.open(directory / "reference" / "values.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    small = [row for row in rows if len(row["type"]) + len(row["typespace"]) + len(row["bytes"]) < 900]
    inputs = ([bytes.fromhex(row[name]) for name in ("type", "typespace", "bytes")] for row in small)
    return [case_of(kind, space, data, "wire 1", ["random"]) for kind, space, data in inputs]


def mutated(data: bytes, source: random.Random) -> bytes:
    """The bytes with one or two faults: a bit flipped, a byte replaced, inserted or dropped, the end cut or grown."""
    edited = bytearray(data)
    for _ in range(source.choice((1, 1, 2))):
        at = source.randrange(len(edited) + 1)
        match source.randrange(6):
            case 0 if at < len(edited):
                edited[at] ^= 1 << source.randrange(8)
            case 1 if at < len(edited):
                edited[at] = source.choice((0, 1, 2, 0x7F, 0x80, 0xFF))
            case 2:
                edited.insert(at, source.randrange(256))
            case 3 if at < len(edited):
                del edited[at]
            case 4:
                del edited[at:]
            case _:
                edited += source.randbytes(source.randrange(1, 4))
    return bytes(edited)


# Groups -----------------------------------------------------------------------------------------------------------------


def _of(table: Iterable[tuple[str, str | list[str]]], spec: str) -> list[Case]:
    return [
        case for kind, inputs in table for case in declared(kind, inputs if isinstance(inputs, list) else _lines(inputs), spec)
    ]


def _lines(text: str) -> list[str]:
    return text.split("\n")


def make(programs: Programs, directory: Path) -> Iterator[VectorFile]:
    """The groups of the area."""
    drawn = _random(directory)
    source = random.Random("values 1")
    faulty = [{**case, "bytes": mutated(case["bytes"], source)} for case in drawn[:520]]
    tried = {"vectors": _of(VECTORS, "wire 1.2"), "shapes": _of(SHAPES, "wire 1.1"), "errors": _of(ERRORS, "wire 3")}
    groups: dict[str, tuple[str, list[Case]]] = {
        "vectors": ("the value vectors of the specification", tried["vectors"]),
        "integers": ("the edges of every integer", _of(_widths(), "wire 1")),
        "floats": ("floats, by their bits", _of(_floats(), "wire 1")),
        "strings": ("strings and byte strings", _of(_strings(), "wire 1")),
        "shapes": ("products, sums, options, results and the special types, and what is nearly one", tried["shapes"]),
        "references": (
            "type references, recursive types, and references that lead nowhere",
            [case for kind, space, inputs in REFERENCES for case in declared(kind, _lines(inputs), "wire 2.4", space)],
        ),
        "errors": ("what does not decode: every kind of error", tried["errors"]),
        "limits": ("deep, long and empty: where a bound is wise", list(_limits())),
        "random": ("random values of random types", drawn[:860]),
        "mutated": ("random values with a fault or two in their bytes", faulty),
    }
    for group, (about, cases) in groups.items():
        yield VectorFile("values", group, about, tuple(decided(programs, unique(cases))))
    endless = [case for kind, space in ENDLESS for case in declared(kind, ["01000000 07"], "wire 2.4", space)]
    about = "references that lead to themselves and to no type"
    yield VectorFile("values", "endless", about, tuple(map(_unasked, endless)))


def unique(cases: Iterable[Case]) -> list[Case]:
    """Without those that ask the same as one before."""
    return list(
        {tuple(case.get(name) for name in ("type", "typespace", "layout", "name", "bytes")): case for case in cases}.values()
    )


def decided(programs: Programs, cases: list[Case]) -> list[Case]:
    """The cases with the crates' answers, and the releases that give the same."""
    asked = [{"op": "value", **{name: case[name].hex() for name in ("type", "typespace", "bytes")}} for case in cases]
    newest = programs.ask(None, asked)
    others = {release: programs.ask(release, asked) for release in RELEASES}
    made = []
    for index, (case, answer) in enumerate(zip(cases, newest, strict=True)):
        shape = shape_for(case["type"], case["typespace"])
        reply = own(case)
        if answer.get("ok") and reply["ok"] and not finite(shape, from_hex(answer["value"])):
            answer = {**answer, "json": None}
        found = verdict(case, answer, reply)
        agreeing = [release for release in reversed(RELEASES) if alike(others[release][index], answer)]
        run = next((at for at, release in enumerate(reversed(RELEASES)) if release not in agreeing), len(RELEASES))
        found["since"], found["until"] = RELEASES[len(RELEASES) - max(run, 1)], NEWEST
        found["flags"] = sorted({*found["flags"], *traits(found, shape)})
        found["source"] = f"spacetimedb-sats {NEWEST}"
        made.append(found)
    return made


def _unasked(case: Case) -> Case:
    found = verdict(case, {"crashed": "it would never answer"}, own(case))
    since = {"since": NEWEST, "until": NEWEST, "source": "the specification"}
    return {**found, **since, "flags": sorted({*found["flags"], "reference"})}


def alike(one: dict[str, object], other: dict[str, object]) -> bool:
    """Whether two releases say the same of bytes."""
    return all(one.get(name) == other.get(name) for name in ("ok", "unread", "reencoded", "error")) and ("crashed" in one) == (
        "crashed" in other
    )
