"""Shapes that hold no others: numbers, texts and bytes, and what Python makes of them. (spec: wire 1)"""

from __future__ import annotations

import operator
import struct
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from bsatn.constructs.node import Node
from bsatn.constructs.streams import Reader, Role, Writer
from bsatn.shapes import Broken, Choice, Float, Int, Newtype, String
from bsatn.values import f32_from_bits, f32_to_bytes

if TYPE_CHECKING:
    from bsatn.constructs.graph import Graph


class IntNode(Node):
    """Two's complement, little-endian."""

    shape: Int

    def __init__(self, shape: Int) -> None:
        super().__init__(shape)
        self.width, self.signed, self.label = shape.bits // 8, shape.signed, shape.label

    def _parse(self, stream: Reader, context: Any, path: Any) -> int:
        return int.from_bytes(stream.take(self.width, self.label, Role.VALUE, self.shape), "little", signed=self.signed)

    def _build(self, obj: Any, stream: Writer, context: Any, path: Any) -> Any:
        write_int(self.shape, obj, stream)
        return obj

    def title(self) -> str:
        return self.label.upper()


def write_int(shape: Int, value: Any, writer: Writer) -> None:
    """Anything with `__index__`, in range."""
    try:
        number = operator.index(value)
    except TypeError:
        raise writer.wrong("WrongType", f"an integer ({shape.label.upper()})", value) from None
    try:
        writer.out += number.to_bytes(shape.bits // 8, "little", signed=shape.signed)
    except OverflowError:
        low = -(1 << shape.bits - 1) if shape.signed else 0
        expected = f"{low} to {low + (1 << shape.bits) - 1} ({shape.label.upper()})"
        raise writer.wrong("OutOfRange", expected, number) from None


class FloatNode(Node):
    """Raw IEEE-754 bits, every NaN as it is; errors call them the integer of that width. (spec: wire 3)"""

    shape: Float

    def _parse(self, stream: Reader, context: Any, path: Any) -> float:
        if self.shape.bits == 32:
            return f32_from_bits(int.from_bytes(stream.take(4, "u32", Role.VALUE, self.shape), "little"))
        value: float = struct.unpack("<d", stream.take(8, "u64", Role.VALUE, self.shape))[0]
        return value

    def _build(self, obj: Any, stream: Writer, context: Any, path: Any) -> Any:
        try:
            stream.out += f32_to_bytes(obj) if self.shape.bits == 32 else struct.pack("<d", obj)
        except (struct.error, TypeError, OverflowError) as error:
            # struct says OverflowError past the largest F32; an int past the largest F64 is no float to it
            if isinstance(error, OverflowError) or hasattr(type(obj), "__index__"):
                raise stream.wrong("OutOfRange", f"a number that {self.title()} can hold", obj) from None
            raise stream.wrong("WrongType", f"a float ({self.title()})", obj) from None
        return obj

    def title(self) -> str:
        return f"F{self.shape.bits}"


class BoolNode(Node):
    """One byte, 0 or 1, read as a u8."""

    _BYTES: ClassVar[dict[Any, int]] = {False: 0, True: 1}

    def _parse(self, stream: Reader, context: Any, path: Any) -> bool:
        byte = stream.take(1, "u8", Role.VALUE, self.shape)[0]
        if byte > 1:
            raise stream.error("InvalidBool", stream.offset - 1, byte=byte)
        return byte == 1

    def _build(self, obj: Any, stream: Writer, context: Any, path: Any) -> Any:
        try:
            stream.out.append(self._BYTES[obj])
        except (KeyError, TypeError):
            raise stream.wrong("WrongType", "a bool", obj) from None
        return obj


class StringNode(Node):
    """u32 byte length, then strict UTF-8: no surrogates, no overlong forms."""

    def _parse(self, stream: Reader, context: Any, path: Any) -> str:
        length = stream.length(Role.LENGTH, self.shape)
        start = stream.offset
        body = stream.take(length, "[u8]", Role.VALUE, self.shape)
        try:
            return str(body, "utf-8")
        except UnicodeDecodeError:
            raise stream.error("InvalidUtf8", start) from None

    def _build(self, obj: Any, stream: Writer, context: Any, path: Any) -> Any:
        if not isinstance(obj, str):
            raise stream.wrong("WrongType", "a str", obj)
        try:
            body = obj.encode("utf-8")
        except UnicodeEncodeError as error:
            what = f"the str has a lone surrogate, U+{ord(obj[error.start]):04X}, at index {error.start}"
            raise stream.error("InvalidUtf8", what) from None
        stream.prefix(len(body))
        stream.out += body
        return obj


class BytesNode(Node):
    """u32 length, then the bytes, as one read: an array of U8."""

    def _parse(self, stream: Reader, context: Any, path: Any) -> bytes:
        return bytes(stream.take(stream.length(Role.LENGTH, self.shape), "[u8]", Role.VALUE, self.shape))

    def _build(self, obj: Any, stream: Writer, context: Any, path: Any) -> Any:
        if not isinstance(obj, (bytes, bytearray)):
            raise stream.wrong("WrongType", "bytes", obj)
        stream.prefix(len(obj))
        stream.out += obj
        return obj


class NewtypeNode(Node):
    """The integer inside, under its class's name. (spec: wire 1.1)"""

    shape: Newtype

    def _parse(self, stream: Reader, context: Any, path: Any) -> int:
        inner = self.shape.inner
        data = stream.take(inner.bits // 8, inner.label, Role.VALUE, self.shape)
        return self.shape.cls(int.from_bytes(data, "little", signed=inner.signed))

    def _build(self, obj: Any, stream: Writer, context: Any, path: Any) -> Any:
        write_int(self.shape.inner, obj, stream)
        return obj

    def title(self) -> str:
        return self.shape.cls.__name__


class ChoiceNode(Node):
    """A string or integer, only some of them allowed; upstream words the refusal. (spec: wire 3)"""

    shape: Choice
    inner: Node

    def link(self, graph: Graph) -> None:
        self.inner = graph.nodes[self.shape.inner]
        self.wire_values = {constant: value for value, constant in self.shape.values.items()}

    def _parse(self, stream: Reader, context: Any, path: Any) -> Any:
        start = stream.offset
        found = self.inner._parse(stream, context, path)
        if found not in self.shape.values:
            body = start + (4 if isinstance(self.shape.inner, String) else 0)
            raise stream.error("Other", body, text=self.shape.refusal.format(found=found))
        return self.shape.values[found]

    def _build(self, obj: Any, stream: Writer, context: Any, path: Any) -> Any:
        try:
            value = self.wire_values[obj]
        except (KeyError, TypeError):
            accepted = ", ".join(repr(constant) for constant in self.wire_values)
            raise stream.wrong("WrongType", f"one of {accepted}", obj) from None
        self.inner._build(value, stream, context, path)
        return obj

    def title(self) -> str:
        return self.inner.title()


class BrokenNode(Node):
    """A reference to nothing: no bytes, no value, and an error for whoever gets here. (spec: wire 2.4)"""

    shape: Broken

    def _parse(self, stream: Reader, context: Any, path: Any) -> NoReturn:
        raise stream.error(self.shape.kind, stream.offset, ref=self.shape.ref)

    def _build(self, obj: Any, stream: Writer, context: Any, path: Any) -> NoReturn:
        raise stream.error(self.shape.kind, "", ref=self.shape.ref)

    def title(self) -> str:
        return f"&{self.shape.ref}"
