"""Sums: a tag and a payload on the wire, and what Python values they are in each style.

An arm leads to a variant's payload and from it to the sum's value. A chooser says which variant a value is.
(spec: wire 1)
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from bsatn.constructs.node import Node, Part
from bsatn.constructs.streams import Reader, Role, Writer, describe
from bsatn.shapes import Shape, Style, Sum
from bsatn.values import Some, Variant

if TYPE_CHECKING:
    from bsatn.constructs.graph import Graph

MAX_TAG = 0xFF  #: A tag is a u8.


class SumNode(Node):
    """u8 tag, which is the variant's position, then its payload."""

    shape: Sum
    parts: tuple[Part, ...]

    def link(self, graph: Graph) -> None:
        arm = _ARMS[self.shape.style]
        self.parts = tuple(arm(graph, self.shape, tag, payload) for tag, payload in enumerate(self.shape.payloads))
        self.choose = _CHOOSERS[self.shape.style](self.shape)

    def _parse(self, stream: Reader, context: Any, path: Any) -> Any:
        stream.open()
        tag = stream.take(1, "u8", Role.TAG, self.shape)[0]
        if tag >= len(self.parts):
            raise stream.error("InvalidTag", stream.offset - 1, tag=tag, sum_name=self.shape.name)
        part, mark = self.parts[tag], len(stream.place)
        stream.place += part.steps
        value = part.node._parse(stream, context, path)
        for wrap in part.wraps:
            value = wrap(value)
        del stream.place[mark:]
        stream.close()
        return value

    def _build(self, obj: Any, stream: Writer, context: Any, path: Any) -> Any:
        stream.open()
        tag, payload = self.choose(obj, stream)
        if tag > MAX_TAG:
            raise stream.error("UnknownVariant", f"variant {tag} has no tag byte: tags end at {MAX_TAG}")
        stream.out.append(tag)
        part, mark = self.parts[tag], len(stream.place)
        stream.place += part.outer
        if part.cases:
            payload = stream.open_cases(part.cases, payload)
        part.node._build(payload, stream, context, path)
        del stream.place[mark:]
        stream.close()
        return obj

    def title(self) -> str:
        return self.shape.name or repr(list(self.shape.names))


# -- Arms ----------------------------------------------------------------------------------------------------


def _variant_arm(graph: Graph, shape: Sum, tag: int, payload: Shape) -> Part:
    return graph.part(payload, shape.step(tag), wraps=(lambda value: Variant(tag, value),))


def _option_arm(graph: Graph, shape: Sum, tag: int, payload: Shape) -> Part:
    return graph.part(payload, "some") if tag == 0 else graph.part(payload, wraps=(lambda _: None,))


def _nested_option_arm(graph: Graph, shape: Sum, tag: int, payload: Shape) -> Part:
    return graph.part(payload, "some", wraps=(Some,)) if tag == 0 else graph.part(payload, wraps=(lambda _: None,))


def _union_arm(graph: Graph, shape: Sum, tag: int, payload: Shape) -> Part:
    constant = shape.members[tag]
    return graph.part(payload, wraps=(lambda _: constant,) if shape.is_constant(tag) else ())


_ARMS: dict[Style, Callable[[Graph, Sum, int, Shape], Part]] = {
    Style.VARIANT: _variant_arm,
    Style.OPTION: _option_arm,
    Style.NESTED_OPTION: _nested_option_arm,
    Style.UNION: _union_arm,
}


# -- Choosers ------------------------------------------------------------------------------------------------

_Chooser = Callable[[Any, Writer], tuple[int, Any]]


def _variant_chooser(shape: Sum) -> _Chooser:
    tags: dict[str, list[int]] = {}
    for tag, name in enumerate(shape.names):
        if name is not None:
            tags.setdefault(name, []).append(tag)

    def choose(obj: Any, stream: Writer) -> tuple[int, Any]:
        if not isinstance(obj, (tuple, list)) or len(obj) != 2:
            raise stream.wrong("WrongType", "a pair (tag or name, payload)", obj)
        chosen, payload = obj
        if isinstance(chosen, str):
            found = tags.get(chosen, [])
            if len(found) != 1:
                why = "are named" if found else "is named"
                which = f"variants {', '.join(map(str, found))}" if found else "no variant"
                raise stream.error("UnknownVariant", f"{which} {why} {chosen[:80]!r}; there is {_listed(shape)}")
            return found[0], payload
        try:
            tag = operator.index(chosen)
        except TypeError:
            raise stream.wrong("WrongType", "a tag or variant name", chosen) from None
        if not 0 <= tag < len(shape.payloads):
            raise stream.error("UnknownVariant", f"no variant has the tag {describe(tag)}; there is {_listed(shape)}")
        return tag, payload

    return choose


def _listed(shape: Sum, most: int = 8) -> str:
    """The variants for an error, the first few of them."""
    shown = [f"{tag} {name!r}" if name is not None else str(tag) for tag, name in enumerate(shape.names[:most])]
    return ", ".join(shown + ["…"] * (len(shape.names) > most)) or "none at all"


def _option_chooser(shape: Sum) -> _Chooser:
    return lambda obj, stream: (1, ()) if obj is None else (0, obj)


def _nested_option_chooser(shape: Sum) -> _Chooser:
    def choose(obj: Any, stream: Writer) -> tuple[int, Any]:
        if obj is None:
            return 1, ()
        if not isinstance(obj, Some):
            raise stream.wrong("WrongType", "None or Some(...)", obj)
        return 0, obj[0]

    return choose


def _union_chooser(shape: Sum) -> _Chooser:
    by_class, by_constant = shape.tags_by_class(), shape.tags_by_constant()

    def choose(obj: Any, stream: Writer) -> tuple[int, Any]:
        tag = by_class.get(type(obj))
        if tag is not None:
            return tag, obj
        try:
            return by_constant[obj], ()
        except (KeyError, TypeError):
            accepted = [cls.__name__ for cls in by_class] + [repr(constant) for constant in by_constant]
            shown = ", ".join(accepted[:24] + ["…"] * (len(accepted) > 24))
            raise stream.wrong("WrongType", f"one of {shown}" if shown else "nothing: no variant", obj) from None

    return choose


_CHOOSERS: dict[Style, Callable[[Sum], _Chooser]] = {
    Style.VARIANT: _variant_chooser,
    Style.OPTION: _option_chooser,
    Style.NESTED_OPTION: _nested_option_chooser,
    Style.UNION: _union_chooser,
}
