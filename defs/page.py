"""The frame of the HTML pages: one file that needs nothing else, for a phone too.

No request leaves a page: its content policy allows its own style sheet and script, by their hashes, and nothing besides.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from html import escape

__all__ = ["framed"]


def framed(title: str, style: str, body: Iterable[str], script: str = "") -> str:
    """A whole page: the title is plain text, lines of the body are HTML; a script runs when all of the body is there."""
    scripts = (f"script-src {_hash(script)}", [f"<script>{script}</script>"]) if script else ("", [])
    sources = ("default-src 'none'", f"style-src {_hash(style)}", scripts[0], "base-uri 'none'", "form-action 'none'")
    head = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{"; ".join(filter(None, sources))}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}</title>",
        f"<style>{style}</style></head><body>",
    )
    return "\n".join([*head, *body, *scripts[1], "</body></html>", ""])


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
