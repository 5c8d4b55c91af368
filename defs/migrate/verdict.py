"""The server's side of a check: its plan, or why there is none, as findings. (spec: compat 2, 6.5)

`SERVER_RULES` declares a rule for each way in which publishing can go; the planner's errors and what it does not see are
findings of these. Where stored rows decide, the finding has a question that an operator can put to the database.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from defs.migrate.errors import MigrationErrors
from defs.migrate.planner import MigrationPlan, plan
from defs.migrate.problems import Outcome, Problem, publishing_problems
from defs.migrate.reports.model import DataCheck, Entry, ServerVerdict, Verdict
from defs.migrate.rules.model import Path, Rule
from defs.schema.model import ModuleDef

__all__ = ["SERVER_RULES", "element_of", "server_verdict"]

SERVER_RULES: Final[dict[str, Rule]] = {
    rule.id: rule
    for rule in (
        Rule(
            "PUBLISH_NOT_REFUSED",
            "The server publishes the new definition over the old one",
            "server",
            "error",
            "The planner refuses the change whatever is stored: publishing ends with this message and the old module goes on.",
            "Keep what is there and add beside it: columns at the end with a default, new tables, new variants at the end. "
            "Or publish with --delete-data, which drops every row.",
            "either",
            spec="compat 3",
        ),
        Rule(
            "PUBLISH_NOT_FAILING",
            "What the server plans it can also carry out",
            "server",
            "error",
            "The server shows a plan, begins, fails and rolls everything back: what it shows before publishing looks fine.",
            "Leave this part of the change out, or add a new table with it beside the old one.",
            "either",
            spec="compat 2.2",
        ),
        Rule(
            "PUBLISH_ROWS_ALLOW",
            "The change does not depend on what is stored",
            "server",
            "warning",
            "Publishing goes through or is rolled back depending on what the database holds at that time: its rows, or the "
            "values of its environment variables.",
            "Put the question to the database before publishing, and clear or correct the rows that it shows.",
            "either",
            spec="compat 2.2",
        ),
        Rule(
            "PUBLISH_KEEPS_CLIENTS",
            "Clients stay connected while the new definition is published",
            "server",
            "warning",
            "The server disconnects every client, and publishes only when told that it may. Nothing keeps clients of the old "
            "definition from coming back.",
            "Publish with --break-clients at a time that suits, with new clients ready.",
            "either",
            since="1.4.0",
            spec="compat 2.1",
        ),
        Rule(
            "PUBLISH_AS_EXPECTED",
            "Publishing goes the way it always went",
            "server",
            "note",
            "The server or its command line does something here that may come as a surprise.",
            "Read the message, and publish with it in mind.",
            "either",
            spec="compat 6.4",
        ),
        Rule(
            "PUBLISH_PLAN_SHOWN",
            "The server can show its plan",
            "server",
            "warning",
            "The server fails to print this plan, and with it every publish that asks for the plan first, as the command does.",
            "Leave this part of the change out, or publish it by the HTTP route itself.",
            "either",
            spec="compat 2.2",
        ),
    )
}

_WORDS: Final = {
    "tables": "table",
    "views": "view",
    "reducers": "reducer",
    "procedures": "procedure",
    "columns": "column",
    "indexes": "index",
    "constraints": "unique constraint",
    "sequences": "sequence",
    "schedules": "schedule",
    "params": "parameter",
    "types": "type",
    "environment": "environment variable",
}


def element_of(path: tuple[str | int, ...]) -> str:
    """The path for people: `("auth", "tables", "user", "columns", "name")` is `table auth.user / column name`."""
    parts: list[str] = []
    namespace: list[str] = []
    steps = iter(map(str, path))
    for step in steps:
        name = next(steps, None) if step in _WORDS else None
        if name is None:
            namespace.append(step)
        else:
            parts.append(f"{_WORDS[step]} {'.'.join((*namespace, name))}")
            namespace = []
    return " / ".join([*parts, *namespace]) or "the definition"


def server_verdict(old: ModuleDef, new: ModuleDef, *, release: str) -> tuple[ServerVerdict, tuple[Entry, ...]]:
    """What the server makes of it, and the findings. Raises UnknownRelease; LimitExceeded."""
    try:
        planned = plan(old, new, release=release)
    except MigrationErrors as errors:
        refused = [*_refused(errors), *map(_met, publishing_problems(old, new, errors))]
        return ServerVerdict("manual", errors=errors), tuple(dict.fromkeys(refused))
    entries = tuple(dict.fromkeys(_planned(old, new, planned)))
    rules = {entry.rule.id for entry in entries}
    met: list[Verdict] = [verdict for rule, verdict in _VERDICTS.items() if rule in rules]
    return ServerVerdict(met[0] if met else "auto", planned), entries


#: What a rule's finding makes of a plan: the first that is found decides.
_VERDICTS: Final[dict[str, Verdict]] = {
    "PUBLISH_NOT_FAILING": "fails-at-execution",
    "PUBLISH_ROWS_ALLOW": "needs-data-check",
    "PUBLISH_KEEPS_CLIENTS": "breaks-clients",
}


def _refused(errors: MigrationErrors) -> Iterator[Entry]:
    for error in errors.errors:
        path, kind = tuple(map(str, error.path)), error.kind
        help_ = next((text for start, text in _HELP.items() if kind.startswith(start)), None)
        yield _entry("PUBLISH_NOT_REFUSED", path, error.message, kind=kind, help=help_)


_BESIDE: Final = "keep the old table as it is and declare a new one beside it, which a reducer fills from the old one"
#: What helps against a refusal, by how the error's name begins.
_HELP: Final = {
    "AddColumn": "give the new column a default value, and put it at the end",
    "RemoveColumn": "keep the column and stop using it",
    "ReorderTable": "keep the old columns in their order, and put new ones at the end",
    "ChangeColumnTypeFewerVariants": "keep the variant and stop using it",
    "ChangeWithinColumnTypeFewerVariants": "keep the variant and stop using it",
    "ChangeColumnTypeRenamedVariant": "keep the old variants' names and order, and put new ones at the end",
    "ChangeWithinColumnTypeRenamedVariant": "keep the old variants' names and order, and put new ones at the end",
    "ChangeColumnType": "keep the type and add a column of the new type at the end, with a default",
    "ChangeWithinColumnType": "keep the type and add a column of the new type at the end, with a default",
    "ChangeTable": _BESIDE,
    "ChangeOutbox": _BESIDE,
    "AddOutbox": _BESIDE,
    "RemoveOutbox": _BESIDE,
    "ChangeIndexAccessor": "give the index its old accessor name, or another name of its own as well",
    "ServerWouldCrash": "take the type that contains itself out of the definition",
}


def _planned(old: ModuleDef, new: ModuleDef, planned: MigrationPlan) -> Iterator[Entry]:
    yield from map(_met, publishing_problems(old, new, planned))
    if planned.breaks_client:
        yield _entry("PUBLISH_KEEPS_CLIENTS", (), "all clients are disconnected, since what they were generated from changes")


#: The rule that a problem of each outcome is a finding of.
_RULES: Final[dict[Outcome, str]] = {
    "refused": "PUBLISH_NOT_FAILING",
    "crash": "PUBLISH_NOT_FAILING",
    "lost": "PUBLISH_NOT_FAILING",
    "data": "PUBLISH_ROWS_ALLOW",
    "unshown": "PUBLISH_PLAN_SHOWN",
    "notice": "PUBLISH_AS_EXPECTED",
}


def _met(problem: Problem) -> Entry:
    question = _QUESTIONS.get(problem.kind)
    path = () if problem.path == ("module",) else problem.path
    asked = question(problem, path) if question else None
    return _entry(_RULES[problem.outcome], path, problem.why, kind=problem.kind, help=problem.workaround, data_check=asked)


def _entry(rule: str, path: Path, message: str, **more: Any) -> Entry:
    declared = SERVER_RULES[rule]
    return Entry(declared, declared.severity, element_of(path), message, path or None, path or None, **more)


# Questions to the database ----------------------------------------------------------------------------------


def _is_empty(_: Problem, path: Path) -> DataCheck:
    return DataCheck(f"SELECT COUNT(*) AS n FROM {_table(path)}", "n is 0")


def _none_generated(_: Problem, path: Path) -> DataCheck:
    return DataCheck(f"SELECT COUNT(*) AS n FROM {_table(path)} WHERE {_name(path[-1])} >= 1", "n is 0")


def _all_distinct(problem: Problem, path: Path) -> DataCheck:
    columns = re.search(r"\((.*?)\)", problem.why)
    chosen = ", ".join(map(_name, columns[1].split(", "))) if columns else "*"
    return DataCheck(f"SELECT {chosen} FROM {_table(path)}", "no two rows are alike")


_QUESTIONS: Final[dict[str, Callable[[Problem, Path], DataCheck]]] = {
    "TableNotEmpty": _is_empty,
    "SequenceRange": _none_generated,
    "SequenceOnNewColumn": _is_empty,
    "DuplicateRows": _all_distinct,
}


def _table(path: Path) -> str:
    at = path.index("tables")
    return _name(".".join((*path[:at], path[at + 1])))


def _name(name: str) -> str:
    """An identifier of SQL, quoted where it has to be."""
    return name if re.fullmatch(r"[a-z_][a-z0-9_]*", name) and name not in _RESERVED else '"' + name.replace('"', '""') + '"'


_RESERVED: Final = frozenset({
    "all", "and", "as", "by", "case", "delete", "from", "group", "having", "in", "insert", "into", "is", "join", "limit", "not",
    "null", "on", "or", "order", "select", "set", "table", "true", "false", "union", "update", "user", "values", "when",
    "where", "with",
})  # fmt: skip
