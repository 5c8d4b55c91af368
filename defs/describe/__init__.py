"""What a module is, for people: one picture of a definition, and the renderers that write it down.

    raw definition --describe_raw--> Description --RENDERERS[format]--> text, JSON, Markdown, Mermaid, HTML

`Description` (see `model`) knows nothing of versions or of how it will be shown; a renderer knows nothing of
where a description comes from. Adding an origin touches no renderer, adding a renderer is one row of the
table below.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

from defs.describe.model import Description

if TYPE_CHECKING:
    from defs.raw import RawModuleDef

__all__ = ["RENDERERS", "Description", "describe_raw"]


def describe_raw(definition: RawModuleDef) -> Description:
    """The picture of a raw definition, with names as it writes them. Total: whatever decodes can be described."""
    from defs.describe.from_raw import describe_raw as describe

    return describe(definition)


def _lazy(module: str, function: str) -> Callable[[Description], str]:
    """A renderer that loads its module on first use."""

    def render(description: Description) -> str:
        text: str = getattr(import_module(f"defs.describe.{module}"), function)(description)
        return text

    render.__name__ = function
    render.__doc__ = f"See `defs.describe.{module}`."
    return render


#: Renderer by the name of its format.
RENDERERS: dict[str, Callable[[Description], str]] = {
    "text": _lazy("text", "to_text"),
    "json": _lazy("jsonform", "to_json_text"),
    "markdown": _lazy("markdown", "to_markdown"),
    "mermaid": _lazy("mermaid", "to_mermaid"),
    "html": _lazy("html", "to_html"),
}
