"""What there is: areas, flags and the fields of a case, each declared once. The schema, the lint and the README follow these.

A new area is one row of `AREAS`, a check in `defs.conformance.checks`, and a maker in `generation`.
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
    "migrations": Area(
        "a valid definition that replaces another: whether it may, in which steps, and what is printed",
        ("old", "new"),
        ("migration", "prechecks", "steps", "errors", "text", "ansi"),
    ),
    "logs": Area(
        "a commit log, given as files: its commits and transactions, what is damaged, the state it leaves",
        ("files",),
        ("segments", "commits", "transactions", "damage", "state"),
    ),
    "traces": Area(
        "a transaction over tables of events and ordinary ones: what it comes to, in the log, and for subscribers",
        ("module", "caller_identity", "setup", "operations", "subscribed"),
        ("results", "changes", "record", "state", "deliveries"),
    ),
    "subscriptions": Area(
        "the SQL text of a subscription, for a module, a caller and a protocol: whether it is taken",
        ("module", "sql", "caller", "protocol"),
        ("returns", "is_event", "lookup", "lookup_side", "stage", "reason"),
    ),
    "queries": Area("a query as data: the text that the query builder renders", ("description",), ("sql",)),
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
    "compressed": "segments in the compressed form",
    "duplicate": "a commit that is there twice: a reader may skip the copy",
    "forked": "two commits of the same offset that differ",
    "reference-defect": "the reference is wrong: both answers are among the choices, or its own is `ERR` and words",
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
    "old": "BSATN of the RawModuleDef that is replaced",
    "new": "BSATN of the one that replaces it",
    "files": "the files of a log's directory: `name` and `bytes` of each",
    "module": "BSATN of the RawModuleDef that is published",
    "caller": "`owner` or `client`: only owners see private tables",
    "caller_identity": "what `:sender` means: 64 hex digits, most significant first",
    "protocol": "`v1` (SubscribeMulti), `v1_single` (SubscribeSingle), `v2` (Subscribe) or `oneoff` (a query asked once)",
    "setup": "rows committed before in one transaction: `table` and `rows` of each",
    "operations": "what the transaction does, in order: `op` (`insert` or `delete`), `table`, `row`",
    "subscribed": "SQL texts that clients subscribed to before the transaction, over V2, none of them the owner",
    "description": "a query as data, as under query_builder.jsonl.gz",
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
    "errors": "all that is wrong, `kind` and `message` of each: in the reference's order, but of a migration in no order",
    "warnings": "of a valid definition: what it is warned of",
    "v9": "the definition as version 9, in normal form",
    "v10": "the definition as version 10, in normal form",
    "migration": "`auto`, `breaks-clients` (every client is disconnected) or `manual` (refused)",
    "prechecks": "what is checked before the first step, in order, in the form of steps",
    "steps": "what is done, in order: `kind`, then `namespace` and `name`, perhaps `column`; or `sql`",
    "text": "the plan as the server prints it; `ERR` and words where it cannot",
    "ansi": "the same with colours",
    "segments": "the segment files as their names and headers say, in order",
    "commits": "the commits before anything that is wrong, in order, and where each lies",
    "transactions": "their transactions, in order: rows inserted and deleted by table id, tables emptied; the call that it was",
    "damage": "what is wrong, and where, in order",
    "results": "of each operation: `ok` of an insert, with the `row` if it has generated values; how many are `deleted`",
    "changes": "by table what the commit recorded: `inserts`, `deletes`, and whether it was emptied (`truncated`)",
    "record": "the record of the transaction in the log, for one without a reducer; missing if nothing is logged",
    "state": "the tables of modules after replaying the log, rows sorted; those of events are empty",
    "deliveries": "of each query its rows before (`initial`; `initial_sent`: not where a table is empty), then what is sent",
    "sql": "the text of a query",
    "returns": "the table whose rows are sent; of `SELECT * FROM *` the sorted list",
    "is_event": "whether that is a table of events",
    "lookup": "the table that a join looks up; missing without a join",
    "lookup_side": "the side of JOIN that it is on: `left` or `right`",
    "stage": "of a refused query: `parse`, `resolve`, `type`, `index`, `event-lookup`, `event-v1` or `plan`",
    "reason": "of a refused query: the server's words; those that begin `sql parser error` are another's",
    "source": "who answered",
    "derived": "fields of this case that are from another source: this project, because the crates do not say",
}
