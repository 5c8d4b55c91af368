"""Words from a definition for formats that people read: nothing invisible, and no more than anybody reads."""

from __future__ import annotations

from defs.describe.words import clip
from defs.describe.words import visible as all_visible

__all__ = ["MAX_SHOWN", "visible"]

MAX_SHOWN = 4096  #: characters of a message, which may quote a whole type; JSON alone has all of it


def visible(text: str, keep: str = "") -> str:
    """The text or its beginning, with every character escaped that shows nothing or moves what is shown."""
    return all_visible(clip(text, MAX_SHOWN), keep)
