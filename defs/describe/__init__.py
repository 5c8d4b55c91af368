"""What a module is, for people: one picture of a definition, and the renderers that write it down.

    definition, raw or validated --describe--> Description --RENDERERS[format]--> text, JSON, Markdown, Mermaid, HTML

`Description` (see `model`) knows nothing of versions or of how it will be shown; a renderer knows nothing of
where a description comes from. Adding an origin touches no renderer, adding a renderer is one row of the
table below.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from defs.lazy import deferred, lazily

if TYPE_CHECKING:
    from defs.describe.model import Description as Description
    from defs.raw import RawModuleDef
    from defs.schema import ModuleDef

__all__ = ["RENDERERS", "Description", "describe"]

__getattr__, __dir__ = lazily(__name__, {"Description": "model"})


def describe(definition: RawModuleDef | ModuleDef) -> Description:
    """The picture of a definition: a raw one with names as it writes them, a validated one with canonical names.

    Total: whatever decodes can be described.
    """
    from defs.describe.gather import describe as gather

    return gather(definition)


#: Renderer by the name of its format.
RENDERERS: dict[str, Callable[[Description], str]] = {
    "text": deferred("defs.describe.text:to_text"),
    "json": deferred("defs.describe.jsonform:to_json_text"),
    "markdown": deferred("defs.describe.markdown:to_markdown"),
    "mermaid": deferred("defs.describe.mermaid:to_mermaid"),
    "html": deferred("defs.describe.html:to_html"),
}
