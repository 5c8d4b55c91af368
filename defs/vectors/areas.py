"""What there is: areas, flags and the fields of a case, each declared once. The schema, the lint and the README follow these.

A new area is one row of `AREAS`, a check in `verify`, and a maker in `generation`.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["AREAS", "FIELDS", "FLAGS", "Area"]


@dataclass(frozen=True, slots=True)
class Area:
    """`about` says what its cases ask; `answers` are the fields, beside those that every case has, that may hold answers."""

    about: str
    inputs: tuple[str, ...]
    answers: tuple[str, ...]


AREAS: dict[str, Area] = {
    "values": Area(
        "one value of a type, given with the case",
        ("type", "typespace", "type_text", "bytes"),
        ("value", "json", "canonical", "reencoded"),
    ),
    "types": Area(
        "types as values: `type` is the type of types; and the type of each layout of definitions",
        ("layout", "type", "typespace", "type_text", "bytes"),
        ("value", "json", "canonical", "reencoded", "predicates"),
    ),
    "names": Area("a name: whether it is an identifier, and its other spellings", ("name",), ("identifier", "spellings")),
    "definitions": Area(
        "a RawModuleDef in one of its layouts; the type of each layout is a case of types/layouts",
        ("layout", "bytes"),
        ("version", "value", "json", "canonical", "reencoded"),
    ),
    "validation": Area(
        "a definition that decodes: whether it is valid, and all that is wrong with it",
        ("layout", "bytes"),
        ("version", "errors", "warnings"),
    ),
    "conversion": Area(
        "a valid definition, validated and written as version 9 and as version 10",
        ("layout", "bytes"),
        ("version", "v9", "v10"),
    ),
}

FLAGS: dict[str, str] = {
    "nan-payload": "a NaN other than the usual one: sign and payload must survive",
    "negative-zero": "a float that equals zero and is not the same bytes",
    "wide-integer": "an integer of 128 or 256 bits",
    "big-integer": "a 64-bit integer past 2^53, which a double does not hold",
    "empty-array": "an array or byte string of no elements",
    "empty-element": "an array whose elements take no bytes",
    "deep": "nested past 100 levels",
    "recursive": "the type refers to itself",
    "reference": "a type reference has to be followed",
    "special": "one of the shapes that have a name: Identity, Option, ...",
    "unnamed": "a product or sum with unnamed parts",
    "non-ascii": "text beyond ASCII",
    "nul": "text with a NUL in it",
    "trailing": "bytes are left over",
    "truncated": "the bytes end too early",
    "huge-count": "a count far past what is there",
    "duplicate-section": "a section of a kind occurs twice; the first one counts",
    "section-order": "sections in an order that no bindings write",
    "layout-ambiguous": "the bytes read differently in another layout",
    "reference-crashes": "the reference panics, overflows its stack or never ends: refuse with an error of your own",
    "random": "made at random, from a seed",
}

#: Every field a case may have, in the order in which JSON writes them, with what it holds.
FIELDS: dict[str, str] = {
    "id": "names the case; never given to another one",
    "note": "what it is about, for people",
    "spec": "the part of the format that it is about, such as `wire 1.2`",
    "since": "first release that was asked and answers so",
    "until": "last release that was asked and answers so",
    "flags": "what is peculiar about it: from the list below, sorted",
    "layout": "the layout of the definition, such as `10i`",
    "type": "BSATN of an AlgebraicType",
    "typespace": "BSATN of the Typespace that its references resolve in",
    "type_text": "the type for people to read",
    "name": "the name that is asked about",
    "bytes": "the input",
    "verdict": "`accept`, `reject` or `implementation-defined`",
    "error": "of a rejected input: the kind of error",
    "offset": "where the offending item starts, in bytes",
    "choices": "of an implementation-defined one: the answers that are right, each with `choice`, its name",
    "unread": "of an answer that ignores bytes left over: how many",
    "version": "8, 9 or 10",
    "value": "the value in semantic form",
    "json": "the value as SATS-JSON text; missing where the reference writes none that it reads back (NaN, unnamed fields)",
    "canonical": "whether encoding the value gives the input back",
    "reencoded": "if not: what it gives",
    "predicates": "of a type: `use` and `definition` (valid for client code as such), `special`",
    "identifier": "`valid`, or the kind of error",
    "spellings": "the name as `snake`, `camel` and `pascal`",
    "errors": "all that is wrong, in the reference's order: `kind` and `message`",
    "warnings": "of a valid definition: what it is warned of",
    "v9": "the definition as version 9, in normal form",
    "v10": "the definition as version 10, in normal form",
    "source": "who answered",
    "derived": "fields of this case that are from another source: this project, because the crates do not say",
}
