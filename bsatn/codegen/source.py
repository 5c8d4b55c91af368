"""Writing Python source: lines at an indentation, fresh names, and the objects the source refers to."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["Source"]


class Source:
    """The text of some functions and the namespace they run in."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self.lines: list[str | list[str]] = []
        self.namespace = namespace
        self.indent = 0
        self._names = 0
        self._objects: dict[tuple[str, int | str], str] = {}

    def line(self, text: str) -> None:
        """Add a line at the current indentation."""
        self.lines.append("    " * self.indent + text)

    def hole(self) -> list[str]:
        """A place in the text to be filled in later, with lines already indented."""
        hole: list[str] = []
        self.lines.append(hole)
        return hole

    def text(self) -> str:
        """The source as written so far."""
        return "\n".join(part if isinstance(part, str) else "\n".join(part) for part in self.lines)

    @contextmanager
    def block(self, header: str) -> Iterator[None]:
        """A header line and what is added inside, one level deeper; an empty block gets a `pass`."""
        self.line(header)
        self.indent += 1
        before = len(self.lines)
        yield
        if len(self.lines) == before:
            self.line("pass")
        self.indent -= 1

    def name(self) -> str:
        """A fresh variable."""
        self._names += 1
        return f"v{self._names}"

    def object(self, value: Any, prefix: str) -> str:
        """A name for an object of the namespace; the same object gets the same name."""
        key = (prefix, id(value))
        if key not in self._objects:
            self._objects[key] = f"{prefix}{len(self._objects)}"
            self.namespace[self._objects[key]] = value
        return self._objects[key]

    def struct(self, layout: str, method: str) -> str:
        """A name for a method of the Struct of a little-endian layout, made once."""
        key = (method, layout)
        if key not in self._objects:
            self._objects[key] = f"{method}{len(self._objects)}"
            self.namespace[self._objects[key]] = getattr(struct.Struct("<" + layout), method)
        return self._objects[key]

    def compile(self, filename: str) -> dict[str, Any]:
        """Run the source; the namespace then holds its functions."""
        exec(compile(self.text(), filename, "exec"), self.namespace)  # noqa: S102 - names are ours
        return self.namespace
