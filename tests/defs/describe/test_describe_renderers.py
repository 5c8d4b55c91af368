"""The renderers for pages and programs: well formed whatever the names are, and saying what there is."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bsatn import types as t
from defs.describe import RENDERERS, Description, describe, jsonform
from defs.describe.layout import Box, lay_out
from defs.describe.markdown import code, to_markdown
from defs.describe.mermaid import MAX_BOXES, to_mermaid
from defs.describe.words import clip, visible

sys.path.insert(0, str(Path(__file__).parent))

from describe_cases import NASTY, decode, module, nasty_module, product, real_modules, table, valid_cases


def arena() -> Description:
    return describe(decode(real_modules()["arena_v1"]))


def every_shape() -> list[Description]:
    """An ordinary module, an empty one, an evil one, and some of the reference's."""
    some = [describe(decode(case)) for case in valid_cases(10)[::40]]
    return [arena(), describe(module()), describe(nasty_module()), *some]


def test_a_renderer_loads_only_what_it_needs() -> None:
    script = (
        "import sys, defs.describe as d; d.RENDERERS['json'](d.Description(10));"
        "print([n for n in sys.modules if n.startswith('defs.') or n == 'construct'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3]
    )
    loaded = set(eval(done.stdout))
    assert loaded == {"defs.describe", "defs.describe.model", "defs.describe.jsonform", "defs.lazy"}


# JSON ---------------------------------------------------------------------------------------------------------------


def test_json_says_what_there_is() -> None:
    found = json.loads(RENDERERS["json"](arena()))
    fighter = next(each for each in found["tables"] if each["name"] == "fighter")
    assert fighter["access"] == "public"
    assert fighter["columns"][5] == {
        "name": "health", "type": "I32", "primary_key": False, "unique": False, "auto_increment": False, "default": "100",
    }  # fmt: skip
    assert fighter["indexes"][-1] == {
        "name": "fighter_team_level_idx_btree", "algorithm": "btree", "columns": ["team", "level"],
    }  # fmt: skip
    timer = next(each for each in found["tables"] if each["name"] == "respawn_timer")
    assert timer["schedule"] == {"function": "respawn", "function_kind": "reducer", "column": "scheduled_at"}
    assert [each["name"] for each in found["tables"] if each["event"]] == ["audit_event", "damage_event"]
    assert found["environment"] is None
    assert found["types"][2]["members"][0] == {"name": "Melee", "type": None}


def test_every_json_key_is_documented() -> None:
    def keys(value: object) -> set[str]:
        if isinstance(value, dict):
            return set(value) | {key for part in value.values() for key in keys(part)}
        return {key for part in value for key in keys(part)} if isinstance(value, list) else set()

    documented = set(re.findall(r"`(\w+)`", jsonform.__doc__ or ""))
    assert keys(jsonform.to_json(describe(nasty_module()))) <= documented


def test_json_keeps_names_exact() -> None:
    names = [each["name"] for each in json.loads(RENDERERS["json"](describe(nasty_module())))["reducers"]]
    assert names == sorted([clip(name) for name in NASTY])


# Markdown -----------------------------------------------------------------------------------------------------------


def test_markdown_of_a_real_module() -> None:
    page = to_markdown(arena())
    assert "### `fighter`\n\n*public table*\n\n| Column | Type | Key | Default |\n| --- | --- | --- | --- |\n" in page
    assert "| `id` | `U64` | primary key, auto-increment |  |\n" in page
    assert "| `health` | `I32` |  | `100` |\n" in page
    assert "Rows call reducer `respawn` at `scheduled_at`." in page
    assert "- `top_fighters() -> Array<Fighter>` (public, anonymous)\n" in page


@pytest.mark.parametrize("name", NASTY)
def test_inline_code_can_be_left_by_no_name(name: str) -> None:
    written = code(name)
    if written.startswith("`"):
        assert written[1:-1] == visible(name)
        assert not set("`|\\") & set(written[1:-1])
    elif written:
        inner = written.removeprefix("<code>").removesuffix("</code>")
        plain = re.sub(r"&#(\d+);", lambda match: chr(int(match[1])), inner)
        assert plain == visible(name)
        assert not set("`|\\<*_[]!") & set(inner)
    else:
        assert name == ""


def test_markdown_tables_keep_their_shape() -> None:
    rows = [line for line in to_markdown(describe(nasty_module())).splitlines() if line.startswith("|")]
    widths = {row.count("|") for row in rows}
    assert widths == {4, 5}  # three columns, four columns


# Mermaid ------------------------------------------------------------------------------------------------------------

WORD = r"[A-Za-z][A-Za-z0-9_]*"
QUOTED = r'"(?:[^"#;%`<>&{}\\\x00-\x1f]|#\d+;)*"'
GRAMMAR = re.compile(
    rf"erDiagram|    [tyrp]\d+\[{QUOTED}\] {{|        {WORD} {WORD}(?: [PU]K)?(?: {QUOTED})?|    }}"
    rf"|    [tyrp]\d+ (?:}}o--\|\||\|\|\.\.\|\|) [tyrp]\d+ : {QUOTED}|    %% \d+ more tables and types are not drawn"
)


def test_mermaid_is_valid_whatever_the_names() -> None:
    for description in every_shape():
        lines = to_mermaid(description).splitlines()
        assert [line for line in lines if not GRAMMAR.fullmatch(line)] == []
        words = [line.split()[:2] for line in lines if re.match(r"        \w", line)]
        assert not {word.upper() for pair in words for word in pair} & {"PK", "FK", "UK"}
        boxes = re.findall(r"^    (\w+)\[", "\n".join(lines), re.MULTILINE)
        assert len(boxes) == len(set(boxes))


def test_mermaid_of_a_real_module() -> None:
    source = to_mermaid(arena())
    assert '    t1["damage_event (public, event)"] {\n        U64 target\n' in source
    assert '        U64 id PK "auto-increment"\n        Identity owner UK\n' in source
    assert '        Option_ConnectionId session "session: Option#60;ConnectionId#62;"\n' in source
    assert '    t4 ||..|| r5 : "scheduled_at"\n' in source
    assert '    t1 }o--|| y2 : "kind"\n' in source


def test_mermaid_stops_where_pictures_do() -> None:
    types = tuple(product(("a", t.U8)) for _ in range(MAX_BOXES + 7))
    source = to_mermaid(describe(module(types, {}, tuple(table(f"t{i}", i) for i in range(len(types))))))
    assert source.count("] {\n") == MAX_BOXES
    assert source.endswith("    %% 7 more tables and types are not drawn\n")


# HTML ---------------------------------------------------------------------------------------------------------------


class Page(HTMLParser):
    """Checks that what opens closes, and keeps what the tests ask for."""

    VOID = ("meta", "input", "br")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.hrefs: list[str] = []
        self.attributes: set[str] = set()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.hrefs += [value or "" for name, value in attrs if name in ("href", "src", "action")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_html_is_well_formed_whatever_the_names() -> None:
    for description in every_shape():
        page = Page(RENDERERS["html"](description))
        assert page.tags.count("script") == page.tags.count("style") == 1
        assert len(page.ids) == len(set(page.ids))
        assert {href[1:] for href in page.hrefs} <= set(page.ids)
        assert all(href.startswith("#") for href in page.hrefs)
        assert not {name for name in page.attributes if name.startswith("on") or name == "style"}


def test_html_shows_every_name() -> None:
    page = Page(RENDERERS["html"](describe(nasty_module())))
    said = "".join(page.texts)
    assert [name for name in NASTY if visible(clip(name)) not in said] == []


def test_html_asks_for_nothing_and_allows_nothing_else() -> None:
    text = RENDERERS["html"](arena())
    assert re.findall(r"https?://[^\"' ]+", text) == ["http://www.w3.org/2000/svg"]
    assert "@import" not in text
    assert "url(#arrow)" in text
    for tag, directive in (("style", "style-src"), ("script", "script-src")):
        match = re.search(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        assert match
        digest = base64.b64encode(hashlib.sha256(match[1].encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in text
    assert "default-src 'none'" in text


def test_html_of_a_real_module() -> None:
    text = RENDERERS["html"](arena())
    assert text.count('class="line calls"') == 1
    assert text.count('class="line"') == 4
    assert '<td>kind</td><td><a href="#types-2">DamageKind</a></td>' in text
    assert "<td>scheduled_at</td><td>ScheduleAt</td>" in text  # what the row calls is not its type
    assert "Option&lt;ConnectionId&gt;" in text
    assert "5 tables (2 of them for events), 2 views, 6 reducers, 1 procedure" in text


# Layout -------------------------------------------------------------------------------------------------------------


def placed(lines: list[tuple[int, int]], count: int) -> dict[int, Box[int]]:
    return lay_out([Box(key, 100.0 + key, 50.0 + key % 7) for key in range(count)], lines).boxes


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [(0, 1), (1, 2), (0, 2)],
        [(0, 1), (1, 0), (2, 2)],
        [(i, 40) for i in range(40)] + [(i, 41) for i in range(0, 40, 3)],
        [(i, i + 1) for i in range(45)],
        [(i, j) for i in range(12) for j in range(12, 24)],
    ],
)
def test_boxes_never_overlap(lines: list[tuple[int, int]]) -> None:
    boxes = list(placed(lines, 50).values())
    for i, a in enumerate(boxes):
        for b in boxes[i + 1 :]:
            apart = a.x + a.width <= b.x or b.x + b.width <= a.x or a.y + a.height <= b.y or b.y + b.height <= a.y
            assert apart, (a, b)


def test_what_refers_stands_to_the_left() -> None:
    boxes = placed([(0, 1), (1, 2), (0, 2), (3, 2)], 4)
    assert boxes[0].x + boxes[0].width < boxes[1].x
    assert boxes[1].x + boxes[1].width < boxes[2].x
    assert boxes[3].x < boxes[2].x


def test_a_line_past_a_layer_runs_between_its_boxes() -> None:
    layout = lay_out([Box(key, 100.0, 50.0) for key in range(3)], [(0, 1), (1, 2), (0, 2)])
    (place,) = layout.ways[0, 2]
    between = layout.boxes[1]
    assert place.x == between.x
    assert place.y >= between.y + between.height or place.y + place.height <= between.y
