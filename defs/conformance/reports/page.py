"""What the HTML pages of runs and boards have besides what all reports have (see `defs.findings.page`): colours, tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from defs.findings.page import Hue, report, styled

__all__ = ["page", "table"]

_HUES: Final[dict[str, Hue]] = {  # of statuses and outcomes
    "pass": "good",
    "passed": "good",
    "fail": "error",
    "failed": "error",
    "crashed": "error",
    "interrupted": "error",
    "weak": "warning",
    "known": "note",
    "skipped": "soft",
}

STYLE = styled(_HUES, """
main{max-width:64rem}
.scroll{overflow-x:auto;background:var(--paper);border:1px solid var(--rule);border-radius:.4rem}
table{border-collapse:collapse;width:100%;font-size:.875rem;font-variant-numeric:tabular-nums}
th,td{padding:.35rem .7rem;text-align:right;white-space:nowrap;border-top:1px solid var(--rule)}
thead th{border-top:0;color:var(--soft);font-weight:500;white-space:normal;vertical-align:bottom}
th:first-child,td:first-child{text-align:left;position:sticky;left:0;background:var(--paper)}
tbody th{font-weight:500}tr.total>*{font-weight:650;border-top-width:2px}
.none{color:var(--soft);opacity:.55}
@media (max-width:34rem){th,td{padding:.3rem .5rem}}
""")  # fmt: skip


def page(title: str, body: Iterable[str]) -> str:
    """A whole page; the body is HTML."""
    return report(title, STYLE, body)


def table(head: Iterable[str], rows: Iterable[tuple[str, Iterable[str], str]]) -> str:
    """A table that scrolls by itself: of each row its name, cells and class, all of them HTML."""
    made = [f"<tr{f' class={chr(34)}{style}{chr(34)}' if style else ''}><th scope=\"row\">{name}</th>"
            + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>" for name, cells, style in rows]  # fmt: skip
    heads = "".join(f'<th scope="col">{one}</th>' for one in head)
    body = f"<thead><tr>{heads}</tr></thead><tbody>{''.join(made)}</tbody>"
    return f'<div class="scroll" tabindex="0"><table>{body}</table></div>'
