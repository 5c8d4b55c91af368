"""Names: edges of what an identifier is, words and how they are told apart, and random ones."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

from defs.vectors.files import Case, VectorFile
from defs.vectors.generation.programs import Programs
from defs.vectors.generation.releases import NEWEST

__all__ = ["make"]

IDENTIFIERS = (
    "", "_", "__", "a", "_a", "a_", "9", "9a", "a9", "_9", "a b", " a", "a ", "a.b", "a-b", "-a", "a\0", "\0", "a\n", "é",
    "e\u0301", "Å", "A\u030a", "Ω", "\u2126", "ﬁ", "ß", "ẞ", "İ", "ı", "日本", "日 本", "Москва", "🍌", "a🍌", "\u200b",
    "a\u200b", "a\u200d", "a\u200c", "\ufeff", "\ufeffa", "a\u0301", "\u0301a", "·", "a·b", "℘", "℮", "ª", "²", "a²", "Ⅷ",
    "_日本_", "st_table", "select", "class", "type", "None", "self", "\U0001d49c", "\U00020000", "\u1100", "가",
    "\u1100\u1161", "क्षि", "ا", "א", "\u0660", "a\u0660", "x" * 64, "x" * 300, "$a", "a$", "@a", "#", "a'", "a\"b",
    "a\\b",
)  # fmt: skip
CASES = (
    "fooBar", "FooBar", "foo_bar", "FOO_BAR", "foo-bar", "foo bar", "foo.bar", "HTTPServer", "httpServer", "HTTP",
    "XMLHttpRequest", "aB", "AB", "ABc", "aBC", "a1", "a1b", "A1B", "A1b", "1a", "user2FA", "vec3D", "Vec3d", "x1y2z3",
    "id2", "ID2", "i18n", "utf8String", "UTF8", "utf8_string", "two__lines", "_lead", "trail_", "__dunder__", "_A", "A_",
    "aA", "Aa", "AAA", "aaa", "a_b_c", "A_B_C", "aBcDe", "ABCdEF", "straßeName", "STRASSE", "ﬁeldName", "ÉcoleNormale",
    "éCOLE", "ДомИСад", "домИСад", "ǅabc", "ǆABC", "ßA", "İstanbul", "ıI", "ὈΔΥΣΣΕΎΣ", "Σ", "ΑΣ", "ΑΣΑ", "日本Go", "Go日本",
    "a日B", "🍌B", "A🍌b", "e\u0301A", "E\u0301a", "0", "007", "A0", "0A", "a0A", "A0a", "9Lives", "nineLives9", "a\tB",
    "a\u00a0B",
)  # fmt: skip


def make(programs: Programs, directory: Path) -> Iterator[VectorFile]:
    """The groups of the area."""
    with gzip.open(directory / "reference" / "names.jsonl.gz", "rt", encoding="utf-8") as lines:
        drawn = [json.loads(line)["name"] for line in lines]
    taken = {*IDENTIFIERS, *CASES}
    drawn = [name for name in dict.fromkeys(drawn) if name not in taken]
    groups = {
        "identifiers": ("what an identifier is", IDENTIFIERS, "validation 2.1"),
        "cases": ("where words begin, and what letters become", CASES, "validation 2.2"),
        "random": ("random names", tuple(drawn[:390]), "validation 2.2"),
    }
    for group, (about, names, spec) in groups.items():
        answers = programs.ask(None, [{"op": "name", "name": name} for name in names])
        yield VectorFile("names", group, about, tuple(_case(*pair, spec, group) for pair in zip(names, answers, strict=True)))


def _case(name: str, answer: dict[str, str], spec: str, group: str) -> Case:
    flags = {"non-ascii": not name.isascii(), "nul": "\0" in name, "random": group == "random"}
    return {
        "spec": spec,
        "since": NEWEST,
        "until": NEWEST,
        "flags": sorted(flag for flag, holds in flags.items() if holds),
        "name": name,
        "verdict": "accept" if answer["identifier"] == "valid" else "reject",
        **({} if answer["identifier"] == "valid" else {"error": answer["identifier"]}),
        "identifier": answer["identifier"],
        "spellings": {case: answer[case] for case in ("snake", "camel", "pascal")},
        "source": f"spacetimedb-schema {NEWEST}, convert_case 0.6",
    }
