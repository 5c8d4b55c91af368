"""Writes rules.md from the rules' declarations: run `python docs/generate_rules.py` after one has changed."""

from __future__ import annotations

from pathlib import Path

from defs.migrate.checking import all_rules
from defs.migrate.rules import Rule
from defs.migrate.rules.running import explanation

PAGE = Path(__file__).parent / "rules.md"

_HEAD = """# What a new definition must keep

A server looks at tables, views and keys when a module is published again. It does not look at what clients sent and read
before: most of the promises below can be broken without a word. Each rule finds the places where one definition breaks them
against an older one, and where bytes are concerned shows a value that is written by one side and what the other reads. The
rules that begin with `PUBLISH_` tell what the server itself does; where it refuses what a rule about stored rows forbids, it is
told once, with both names.

Generated from the declarations in `defs/migrate`, which `bsatn rules` lists and `bsatn explain RULE` prints.

| rule | promise | severity |
|---|---|---|
"""
_AXES = {
    "client": "Noticed by clients",
    "data": "Noticed by stored rows",
    "server": "Noticed by whoever publishes",
}


def _row(rule: Rule) -> str:
    return f"| [{rule.id}](#{rule.id.lower()}) | {rule.title} | {rule.severity} |"


def _entry(rule: Rule) -> str:
    lines = "\n".join(f"- **{head}**: {text}" for head, text in explanation(rule))
    return f"### {rule.id}\n\n{rule.title}.\n\n{lines}\n"


def page() -> str:
    """The whole page."""
    rules = all_rules().values()
    table = "\n".join(map(_row, rules))
    parts = [
        "\n".join([f"## {title}\n", *(_entry(rule) for rule in rules if rule.axis == axis)]) for axis, title in _AXES.items()
    ]
    return "\n".join([_HEAD + table, "", *parts])


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
