"""Where a source is, in the terms of tools that show findings beside files."""

from __future__ import annotations

import re
from pathlib import PurePath
from urllib.parse import quote

__all__ = ["file_of", "uri_of"]

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


def file_of(source: str) -> str | None:
    """The path of the file, with forward slashes; None when the source is none: an address, `<stdin>`."""
    if _URL.match(source) or (source.startswith("<") and source.endswith(">")):
        return None
    path = PurePath(source).as_posix()
    return path if path != "." else None


def uri_of(source: str) -> str:
    """The source as a URI reference; relative paths stay relative."""
    if _URL.match(source):
        return quote(source, safe="%:/?#[]@!$&'()*+,;=~", errors="surrogatepass")
    path = quote(file_of(source) or source.strip("<>"), safe="/~", errors="surrogatepass")
    return f"file://{path}" if path.startswith("/") else path or "unnamed"
