"""`bsatn sql check`: what the server would say to a subscription."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from typing import Any

from defs.cli.common import UsageError, add_output, add_source, load_source, printable, read_input, write_output
from defs.query.sql import CALLERS, PROTOCOLS, Catalog, SqlError, check
from defs.query.sql.lexer import tokenize
from defs.query.sql.report import accepted, accepted_to_json, refused, refused_to_json

_SHOWN = 200  #: characters of a query shown above its verdict, where there are several


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "action", choices=("check",), metavar="check", help="say whether the server takes a subscription, and why not"
    )
    add_source(parser, "module")
    parser.add_argument(
        "queries",
        nargs="+",
        metavar="QUERY",
        help="SQL; '-' for standard input: queries that end in ';', or without any ';' one a line",
    )
    parser.add_argument("--protocol", choices=PROTOCOLS, default="v2", help="how the query is sent (default: v2)")
    parser.add_argument("--caller", choices=CALLERS, default="client", help="who asks; owners see private tables")
    parser.add_argument("--explain", action="store_true", help="draw how the server finds the rows")
    parser.add_argument(
        "-f", "--format", choices=("text", "json"), default="text", help="words (the default), or JSON, one line a query"
    )
    add_output(parser)
    parser.epilog = (
        'Example:\n  bsatn sql check module.wasm "SELECT * FROM player WHERE online = TRUE"\n\n'
        "Exit status: 0 all queries are accepted, 1 some are refused."
    )


def run(args: argparse.Namespace) -> int:
    """Check the queries; status 1 when one is refused."""
    if "-" in args.queries and args.module == "-":
        raise UsageError("only one of MODULE and QUERY can be standard input")
    loaded = load_source(args, args.module)
    catalog = Catalog(loaded.validate())
    queries = [query for given in args.queries for query in _queries(given)]
    if not queries:
        raise UsageError("standard input has no query")
    results = [_check(query, catalog, args) for query in queries]
    if args.format == "json":
        write_output(
            args, "\n".join(json.dumps({"sql": sql, **reply}) for sql, (_, reply) in zip(queries, results, strict=True))
        )
    elif len(queries) == 1:
        write_output(args, results[0][0])
    else:
        write_output(args, "\n\n".join(f"{_shown(sql)}\n{text}" for sql, (text, _) in zip(queries, results, strict=True)))
    return 1 if any(reply["verdict"] == "error" for _, reply in results) else 0


def _check(sql: str, catalog: Catalog, args: argparse.Namespace) -> tuple[str, dict[str, Any]]:
    """The verdict in words and as JSON."""
    try:
        found = check(sql, catalog, caller=args.caller, protocol=args.protocol)
    except SqlError as error:
        return refused(error, sql), refused_to_json(error)
    return accepted(found, explain=args.explain), accepted_to_json(found, explain=args.explain)


def _shown(sql: str) -> str:
    text = printable(" ".join(sql.split()))
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _queries(given: str) -> Iterator[str]:
    """The queries that an argument stands for."""
    if given != "-":
        yield given
        return
    try:
        text = read_input("-").decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"standard input is not UTF-8: byte {error.start}") from None
    yield from _split(text)


def _split(text: str) -> Iterator[str]:
    """Queries that end in `;`, where there is one outside quotes; lines otherwise."""
    try:
        ends = [token.start for token in tokenize(text) if token.kind == "op" and token.text == ";"]
    except SqlError:
        ends = []
    starts = [0, *(end + 1 for end in ends)]
    parts = [text[start:end] for start, end in zip(starts, [*ends, len(text)], strict=True)] if ends else text.split("\n")
    yield from (part.strip() for part in parts if part.strip())
