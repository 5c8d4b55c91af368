"""Code for clients of a module, written from its definition.

    text = to_python(module)

The same module gives the same text, whatever made it. (spec: validation 7)
"""

from __future__ import annotations

from defs.generate.python import to_python

__all__ = ["LANGUAGES", "to_python"]

#: What writes each language.
LANGUAGES = {"python": to_python}
