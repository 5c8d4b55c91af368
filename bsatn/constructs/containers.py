"""Shapes that hold others: arrays, products, and the case classes between them and a sum. (spec: wire 1)

One frame each: no helper stands between a container's `_parse` or `_build` and its child's. SumNode does the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bsatn.constructs.node import Node, Part
from bsatn.constructs.streams import Reader, Role, Writer
from bsatn.shapes import Array, Case, Product

if TYPE_CHECKING:
    from bsatn.constructs.graph import Graph


class ArrayNode(Node):
    """u32 count, then the elements. A count is checked only of elements without bytes: others run out."""

    shape: Array
    element: Part
    metered: bool

    def link(self, graph: Graph) -> None:
        self.element = graph.part(self.shape.element)
        self.metered = graph.min_widths[self.shape.element] == 0

    def _parse(self, stream: Reader, context: Any, path: Any) -> Any:
        start = stream.offset
        stream.open()
        count = stream.length(Role.COUNT, self.shape)
        if self.metered:
            stream.spend(count, start)
        place, mark, element = stream.place, len(stream.place), self.element
        items: list[Any] = []
        for index in range(count):
            place[mark:] = (index, *element.steps)
            item = element.node._parse(stream, context, path)
            for wrap in element.wraps:
                item = wrap(item)
            items.append(item)
        del place[mark:]
        stream.close()
        return items if self.shape.container is list else self.shape.container(items)

    def _build(self, obj: Any, stream: Writer, context: Any, path: Any) -> Any:
        stream.open()
        if not isinstance(obj, (list, tuple)):
            raise stream.wrong("WrongType", "a list or tuple", obj)
        stream.prefix(len(obj))
        place, mark, element = stream.place, len(stream.place), self.element
        for index, item in enumerate(obj):
            place[mark:] = (index,)
            if element.cases:
                item = stream.open_cases(element.cases, item)
            element.node._build(item, stream, context, path)
        del place[mark:]
        stream.close()
        return obj


class ProductNode(Node):
    """The fields in order and nothing else; unit is no bytes at all."""

    shape: Product
    parts: tuple[Part, ...]
    metered: bool

    def link(self, graph: Graph) -> None:
        self.parts = tuple(graph.part(part, step) for step, part in self.shape.steps())
        self.metered = self.shape in graph.metered

    def _parse(self, stream: Reader, context: Any, path: Any) -> Any:
        stream.open()
        if self.metered:
            stream.spend(1, stream.offset)
        place, mark = stream.place, len(stream.place)
        values: list[Any] = []
        for part in self.parts:
            place[mark:] = part.steps
            value = part.node._parse(stream, context, path)
            for wrap in part.wraps:
                value = wrap(value)
            values.append(value)
        del place[mark:]
        stream.close()
        return tuple(values) if self.shape.cls is None else self.shape.cls(*values)

    def _build(self, obj: Any, stream: Writer, context: Any, path: Any) -> Any:
        stream.open()
        values = self.fields_of(obj, stream)
        place, mark = stream.place, len(stream.place)
        for part, value in zip(self.parts, values, strict=True):
            place[mark:] = part.outer
            if part.cases:
                value = stream.open_cases(part.cases, value)
            part.node._build(value, stream, context, path)
        del place[mark:]
        stream.close()
        return obj

    def fields_of(self, obj: Any, stream: Writer) -> Any:
        """The fields of a record, or of a plain tuple that has as many."""
        cls, size = self.shape.cls, len(self.parts)
        if cls is not None:
            if not isinstance(obj, cls):
                raise stream.wrong("WrongType", f"a {cls.__name__}", obj)
            return [getattr(obj, attribute) for attribute in self.shape.attributes]
        if not isinstance(obj, (list, tuple)):
            raise stream.wrong("WrongType", f"a tuple or list of {size} fields", obj)
        if len(obj) != size:
            raise stream.wrong("WrongLength", f"{size} fields", obj)
        return obj

    def title(self) -> str:
        names = [str(position) if name is None else name for position, name in enumerate(self.shape.names)]
        return self.shape.cls.__name__ if self.shape.cls else repr(names)


class CaseNode(Node):
    """A variant's payload in its class's one attribute: no bytes of its own. Containers look through it."""

    shape: Case
    part: Part

    def link(self, graph: Graph) -> None:
        self.part = graph.part(self.shape)

    def _parse(self, stream: Reader, context: Any, path: Any) -> Any:
        if self.part.node is self:
            raise stream.error("RecursiveTypeRef", stream.offset, ref=self.title())
        mark = len(stream.place)
        stream.place += self.part.steps
        value = self.part.node._parse(stream, context, path)
        for wrap in self.part.wraps:
            value = wrap(value)
        del stream.place[mark:]
        return value

    def _build(self, obj: Any, stream: Writer, context: Any, path: Any) -> Any:
        if self.part.node is self:
            raise stream.error("RecursiveTypeRef", "", ref=self.title())
        mark = len(stream.place)
        self.part.node._build(stream.open_cases(self.part.cases, obj), stream, context, path)
        del stream.place[mark:]
        return obj

    def title(self) -> str:
        return self.shape.cls.__name__
