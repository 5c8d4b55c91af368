"""What all nodes are: a Construct for one shape, and the way from a container's node to a child's.

Each `_parse` says what bytes a value is made of, and each `_build` what Python values are accepted for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from bsatn.constructs.streams import Reader, Writer
from bsatn.shapes import Case

if TYPE_CHECKING:
    from bsatn.constructs.graph import Graph

    class Construct:
        """What is used of `construct.Construct`; the package ships no types."""

        def parse(self, data: bytes, **contextkw: Any) -> Any: ...
        def parse_stream(self, stream: BinaryIO, **contextkw: Any) -> Any: ...
        def build(self, obj: Any, **contextkw: Any) -> bytes: ...
        def build_stream(self, obj: Any, stream: BinaryIO, **contextkw: Any) -> None: ...
        def sizeof(self, **contextkw: Any) -> int: ...
        def __rtruediv__(self, name: str) -> Any: ...
        def __getitem__(self, count: Any) -> Any: ...

    class SizeofError(Exception):
        def __init__(self, message: str = "", path: str | None = None) -> None: ...

else:
    from construct import Construct, SizeofError


@dataclass(frozen=True, slots=True)
class Part:
    """A container's way to one child, through the case classes between."""

    node: Node
    outer: tuple[str, ...]  #: path steps as far as the first case class
    cases: tuple[Case, ...]  #: case classes between, outermost first
    steps: tuple[str, ...]  #: path steps in full
    wraps: tuple[Callable[[Any], Any], ...]  #: what makes the container's value of the child's, first to last


class Node(Construct):
    """Base of the nodes: `_parse` reads from a Reader, `_build` writes to a Writer."""

    size: int | None = None  #: bytes of every value, where they are all alike

    def __init__(self, shape: Any) -> None:
        super().__init__()
        self.shape = shape

    def link(self, graph: Graph) -> None:
        """Look up what the node needs of others; all nodes are made by now."""

    def _parse(self, stream: Reader, context: Any, path: Any) -> Any:
        raise NotImplementedError

    def _build(self, obj: Any, stream: Writer, context: Any, path: Any) -> Any:
        raise NotImplementedError

    def _sizeof(self, context: Any, path: Any) -> int:
        if self.size is None:
            raise SizeofError("values of this type differ in size", path=path)
        return self.size

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.title()}>"

    def title(self) -> str:
        """The type in a word or two, on one line."""
        return type(self.shape).__name__
