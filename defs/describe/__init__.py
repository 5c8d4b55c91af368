"""What a module is, for people: one picture of a definition, and the renderers that write it down.

    definition, raw or validated --describe--> Description --RENDERERS[format]--> text, JSON, Markdown, Mermaid, HTML

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
    from defs.schema import ModuleDef

__all__ = ["RENDERERS", "Description", "describe"]


def describe(definition: RawModuleDef | ModuleDef) -> Description:
    """The picture of a definition: a raw one with names as it writes them, a validated one with canonical names.

    Total: whatever decodes can be described.
    """
    from defs.describe.gather import describe as gather

    return gather(definition)


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
