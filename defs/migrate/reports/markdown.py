"""For a comment on a pull request: a verdict that is read at a glance, findings to unfold. No word of a definition is markup.

GitHub takes 65536 characters: findings for which there is no room are counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from defs.findings.model import counted
from defs.findings.words import visible
from defs.migrate.reports.model import Check, Comparison, Entry
from defs.migrate.reports.words import UPGRADES, headline, question, server_line, witness_lines

__all__ = ["print_markdown"]

ROOM = 60_000  #: characters
_MARKS = {"compatible": "✅", "incompatible": "❌", "absent": "ℹ️", "not-compared": "⚠️"}
_LEVELS = {"error": "❌", "warning": "⚠️", "note": "ℹ️"}
_MARKUP = re.compile(r"[\\`*_{}\[\]()#+!|~$-]")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;", ":": "&#58;"})


def print_markdown(check: Check) -> str:
    """The comment."""
    lines = [f"## Module compatibility of {_code(check.new.source)}", ""]
    room = ROOM
    for comparison in check.comparisons:
        for block in _comparison(check, comparison):
            room -= len(block) + 1
            if room < 0:
                break
            lines.append(block)
    if room < 0:
        lines += ["", "… and more than fits a comment; see the log of the check."]
    if check.settings:
        lines += ["", f"**{_code(check.config or 'configuration')}**", ""]
        lines += [
            f"- {_LEVELS[entry.level]} `{entry.rule.id}` {_text(entry.element)}: {_text(entry.message)}"
            for entry in check.settings
        ]
    return "\n".join(lines) + "\n"


def _comparison(check: Check, comparison: Comparison) -> Iterator[str]:
    mark = _MARKS[check.outcome(comparison)]
    yield f"### {mark} {headline(check, comparison)[0].upper()}{headline(check, comparison)[1:]}\n"
    yield f"Against {_code(comparison.old.source)}.\n"
    for source, failure in comparison.failures:
        yield f"- {_code(source)}: {_text(failure.kind)}: {_text(failure.message)}\n"
    if comparison.server is not None:
        yield f"- **Server**: {_text(server_line(check, comparison))}"
    if any(entry.rule.axis == "client" for entry in comparison.entries):
        yield f"- **Upgrade**: {UPGRADES[comparison.upgrade_first]}"
    yield ""
    for entry in comparison.entries:
        yield "\n".join(_entry(entry))
    if comparison.ignored:
        shown = "\n".join(
            f"- `{one.entry.rules}` {_text(one.entry.element)}: {_text(one.reason)}" for one in comparison.ignored
        )
        yield f"<details><summary>{counted(len(comparison.ignored), 'ignored finding')}</summary>\n\n{shown}\n\n</details>\n"


def _entry(entry: Entry) -> Iterator[str]:
    silent = " <b>unnoticed</b>" if entry.silent else ""
    opened = " open" if entry.level == "error" else ""
    element = _entities(entry.element)
    yield f"<details{opened}><summary>{_LEVELS[entry.level]}{silent} <code>{element}</code> {entry.rules}</summary>\n"
    yield f"{_text(entry.message)}\n"
    if entry.witness:
        yield "| | |\n|---|---|"
        yield from (f"| {label} | {_code(text, table=True)} |" for label, text in witness_lines(entry, 400)[:-1])
        yield f"\n{_text(entry.witness.shows)}\n"
    if entry.data_check:
        yield f"Ask the database: {_code(question(entry))}\n"
    yield f"*Why*: {_text(entry.rule.why)}  "
    yield f"*Fix*: {_text(entry.fix)}  "
    yield f"*Upgrade*: {UPGRADES[entry.rule.upgrade_first]}\n" if entry.rule.axis != "server" else ""
    yield "</details>\n"


def _text(text: str) -> str:
    """Words that stay words: no markup, no mention of anybody, no link."""
    return _MARKUP.sub(r"\\\g<0>", visible(text)).translate(_ENTITIES)


def _entities(text: str) -> str:
    """Words within HTML, with whatever could be markup written as entities."""
    return "".join(f"&#{ord(char)};" if _MARKUP.match(char) else char.translate(_ENTITIES) for char in visible(text))


def _code(text: str, *, table: bool = False) -> str:
    """A code span, whose fence is longer than any run of backticks in it."""
    shown = visible(text)
    if table:
        shown = shown.replace("|", "\\|")
    fence = "`" * (max((len(run) for run in re.findall("`+", shown)), default=0) + 1)
    pad = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{fence}{pad}{shown}{pad}{fence}"
