"""The wire format, rule by rule: one Construct for each kind of shape, strict, with the place of every error.

This is the specification one can read and run. A node's `_parse` says what bytes a value is made of, its
`_build` what Python values are accepted for it, and no other module words a decode or encode error of the
format. Nodes refer to one another directly, so a recursive type is a cycle of nodes. (spec: wire 1, 3)

What `_build` accepts; everything else is an EncodeError, and so is a value out of range:

| shape | accepted |
|---|---|
| Int | whatever has `__index__`, `bool` included; in range, else OutOfRange |
| Float | `float`, `int`, what `struct.pack` takes for one; too large: OutOfRange; `F32NaN` keeps its bits |
| Bool | what equals and hashes like `True` or `False` |
| String | `str`; a lone surrogate is InvalidUtf8 |
| Bytes | `bytes`, `bytearray` |
| Array | `list`, `tuple` |
| Product | `list` or `tuple` of as many fields, else WrongLength; with a record class, an instance of it |
| Newtype | like its integer |
| Case | an instance of its class |
| Choice | what equals and hashes like one of its constants |
| Sum, VARIANT | a `tuple` or `list` `(tag, payload)` or `(name, payload)`; no such variant: UnknownVariant |
| Sum, OPTION | `None`, else the payload |
| Sum, NESTED_OPTION | `None`, or `Some(payload)` |
| Sum, UNION | an object of exactly a variant's class; else what equals a variant's constant |

How the nodes keep to one Python frame for each open array, product or sum, which is what lets `Limits.depth`
of them be open inside one another without a deeper stack: the stream is a `Reader` or `Writer`, which carries
the place, so that no frame has to catch and extend an error; a container calls its child's `_parse` itself;
and it looks through `Case` shapes, which stand for a Python class and for no bytes, by way of its `Part`s.
"""

from __future__ import annotations

import enum
import operator
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, NoReturn

from bsatn.errors import DecodeError, EncodeError, LimitExceeded
from bsatn.limits import Limits
from bsatn.shapes import (
    Array,
    Bool,
    Broken,
    Bytes,
    Case,
    Choice,
    Float,
    Int,
    Newtype,
    Product,
    Shape,
    String,
    Style,
    Sum,
    children,
    metered,
    min_widths,
    reachable,
)
from bsatn.values import Some, Variant, f32_from_bits, f32_to_bytes

if TYPE_CHECKING:

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

__all__ = [
    "Construct",
    "Node",
    "Read",
    "Reader",
    "Role",
    "StreamReader",
    "TracingReader",
    "Writer",
    "nodes_of",
]

MAX_LENGTH = 0xFFFF_FFFF  #: Lengths and counts are a u32: the one limit that encoding has upstream. (spec: wire 1)
MAX_TAG = 0xFF  #: A tag is a u8.


# -- Where decoding and encoding are -------------------------------------------------------------------------


class Role(enum.Enum):
    """What a read is for."""

    VALUE = "value"
    LENGTH = "length"  #: of a string or byte string, in bytes
    COUNT = "count"  #: of an array, in elements
    TAG = "tag"  #: of a sum


@dataclass(frozen=True, slots=True)
class Read:
    """One primitive read: the bytes, what for, at which shape, and how many containers were open."""

    offset: int
    data: bytes
    role: Role
    shape: Shape
    path: tuple[str | int, ...]
    depth: int


class _Cursor:
    """What is open around the value in hand: the place, outermost step first, and the depth."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.place: list[str | int] = []
        self.depth = 0

    def where(self) -> int | None:
        """Offset for an error about a limit."""
        return None

    def open(self) -> None:
        """An array, product or sum begins."""
        self.depth += 1
        if self.depth > self.limits.depth:
            what = "the value is nested too deep"
            raise LimitExceeded("depth", self.limits.depth, what, offset=self.where(), path=tuple(self.place))

    def close(self) -> None:
        """It ends."""
        self.depth -= 1


class Reader(_Cursor):
    """The bytes still to be read, from `offset` on."""

    def __init__(self, data: bytes, offset: int, limits: Limits) -> None:
        super().__init__(limits)
        self.data = data
        self.offset = offset
        self.end = len(data)
        self.empty = 0

    def where(self) -> int | None:
        return self.offset

    def take(self, length: int, for_type: str, role: Role, shape: Shape) -> bytes:
        """The next `length` bytes; `for_type` is what the error calls them. (spec: wire 3)"""
        start = self.offset
        stop = start + length
        if stop > self.end:
            raise self.error("BufferLength", start, for_type=for_type, expected=length, given=self.end - start)
        self.offset = stop
        return self.data[start:stop]

    def length(self, role: Role, shape: Shape) -> int:
        """The u32 before a string, a byte string or an array. (spec: wire 1)"""
        return int.from_bytes(self.take(4, "u32", role, shape), "little")

    def spend(self, count: int, offset: int) -> None:
        """Pay for values that take no bytes, of which the input cannot run out. (spec: wire 1)"""
        self.empty += count
        if self.empty > self.limits.empty_elements:
            what = f"{self.empty} values that take no bytes"
            raise LimitExceeded("empty_elements", self.limits.empty_elements, what, offset=offset, path=tuple(self.place))

    def error(self, kind: str, offset: int, **fields: Any) -> DecodeError:
        """The error of what begins at `offset`, at the place in hand."""
        return DecodeError(kind, offset=offset, path=tuple(self.place), **fields)


class TracingReader(Reader):
    """A Reader that reports each read to `report` once its bytes are there."""

    def __init__(self, data: bytes, offset: int, limits: Limits, report: Callable[[Read], object]) -> None:
        super().__init__(data, offset, limits)
        self.report = report

    def take(self, length: int, for_type: str, role: Role, shape: Shape) -> bytes:
        start = self.offset
        data = super().take(length, for_type, role, shape)
        self.report(Read(start, bytes(data), role, shape, tuple(self.place), self.depth))
        return data


class StreamReader(Reader):
    """A Reader of a binary stream; takes no byte past the value. Offsets count as the stream does."""

    CHUNK: ClassVar[int] = 1 << 16  #: What is asked of the stream at once: a length read from it may be a lie.

    def __init__(self, stream: BinaryIO, limits: Limits) -> None:
        super().__init__(b"", _tell(stream), limits)
        self.stream = stream

    def take(self, length: int, for_type: str, role: Role, shape: Shape) -> bytes:
        chunks: list[bytes] = []
        missing = length
        while missing and (chunk := self.stream.read(min(missing, self.CHUNK))):
            chunks.append(chunk)
            missing -= len(chunk)
        if missing:
            raise self.error("BufferLength", self.offset, for_type=for_type, expected=length, given=length - missing)
        self.offset += length
        return b"".join(chunks)


def _tell(stream: BinaryIO) -> int:
    """The stream's position; 0 for one that has none, such as a socket's."""
    try:
        return stream.tell()
    except (AttributeError, OSError):
        return 0


class Writer(_Cursor):
    """The bytes written so far."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits)
        self.out = bytearray()

    def prefix(self, length: int) -> None:
        """The u32 before a string, a byte string or an array. (spec: wire 1)"""
        if length > MAX_LENGTH:
            raise self.error("TooLong", f"the length {length} is past {MAX_LENGTH}, the most a u32 can say")
        self.out += length.to_bytes(4, "little")

    def error(self, kind: str, message: str, **fields: Any) -> EncodeError:
        """The error of the value in hand."""
        return EncodeError(kind, message, path=tuple(self.place), **fields)

    def wrong(self, kind: str, expected: str, value: Any) -> EncodeError:
        """The error of a value that is not what was expected."""
        found = describe(value)
        return self.error(kind, f"expected {expected}, found {found}", expected=expected, found=found)

    def open_cases(self, cases: tuple[Case, ...], value: Any) -> Any:
        """The payload inside case classes, outermost first."""
        for case in cases:
            if not isinstance(value, case.cls):
                raise self.wrong("WrongType", f"a {case.cls.__name__}", value)
            value = getattr(value, case.attribute)
            self.place.append(case.attribute)
        return value


def describe(value: Any) -> str:
    """A value in a few words for an error: plain ones as written, others, which may be vast, by type."""
    kind = type(value)
    if value is None:
        return "None"
    if kind is int and value.bit_length() > 512:
        return f"an int of {value.bit_length()} bits"
    if kind in (bool, int, float):
        return f"{kind.__name__} {value!r}"
    if kind in (str, bytes):
        return f"{kind.__name__} {value[:40]!r}{'…' if len(value) > 40 else ''}"
    if kind in (list, tuple, dict, set):
        return f"a {kind.__name__} of length {len(value)}"
    return f"a {kind.__qualname__}"


# -- The graph -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Part:
    """A container's way to one child, through the case classes between."""

    node: Node
    outer: tuple[str, ...]  #: path steps as far as the first case class
    cases: tuple[Case, ...]  #: case classes between, outermost first
    steps: tuple[str, ...]  #: path steps in full
    wraps: tuple[Callable[[Any], Any], ...]  #: what makes the container's value of the child's, first to last


@dataclass(frozen=True, slots=True)
class Graph:
    """All that the nodes need to know of one another."""

    nodes: dict[Shape, Node]
    min_widths: dict[Shape, int]
    metered: set[Shape]

    def part(self, shape: Shape, *outer: str, wraps: tuple[Callable[[Any], Any], ...] = ()) -> Part:
        """The way to a child: through however many cases to the first shape that stands for bytes."""
        cases: list[Case] = []
        while isinstance(shape, Case) and shape not in cases:  # a case that holds but itself has no bytes: see CaseNode
            cases.append(shape)
            shape = shape.inner
        steps = (*outer, *(case.attribute for case in cases))
        return Part(self.nodes[shape], outer, tuple(cases), steps, (*(case.cls for case in reversed(cases)), *wraps))


def nodes_of(root: Shape) -> dict[Shape, Node]:
    """A node for every shape reachable from `root`, tied to one another. No shape is too deep for it."""
    shapes = reachable(root)
    widths = min_widths(shapes)
    graph = Graph({shape: _NODES[type(shape)](shape) for shape in shapes}, widths, metered(widths))
    sizes = _fixed_sizes(shapes)
    for shape, node in graph.nodes.items():
        node.size = sizes.get(shape)
        node.link(graph)
    return graph.nodes


def _fixed_sizes(shapes: list[Shape]) -> dict[Shape, int]:
    """The size of each shape whose values all take the same number of bytes, children before parents."""
    parents: dict[Shape, list[Shape]] = {shape: [] for shape in shapes}
    missing = {shape: len(children(shape)) for shape in shapes}
    for shape in shapes:
        for child in children(shape):
            parents[child].append(shape)
    sizes: dict[Shape, int] = {}
    todo = [shape for shape in shapes if not missing[shape]]
    while todo:
        shape = todo.pop()
        size = _fixed_size(shape, sizes)
        if size is None:
            continue
        sizes[shape] = size
        for parent in parents[shape]:
            missing[parent] -= 1
            if not missing[parent]:
                todo.append(parent)
    return sizes


def _fixed_size(shape: Shape, sizes: dict[Shape, int]) -> int | None:
    match shape:
        case Int(bits=bits) | Float(bits=bits):
            return bits // 8
        case Bool():
            return 1
        case String() | Bytes() | Array() | Broken():
            return None
        case Sum():
            payloads = {sizes[payload] for payload in shape.payloads}
            return 1 + payloads.pop() if len(payloads) == 1 else None
    return sum(sizes[child] for child in children(shape))


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


# -- Leaves (spec: wire 1) -----------------------------------------------------------------------------------


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


# -- Containers (spec: wire 1) -------------------------------------------------------------------------------
# One frame each: no helper stands between a container's `_parse` or `_build` and its child's.


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


# -- What the values of a sum are, by its style --------------------------------------------------------------
# An arm leads to a variant's payload and from it to the sum's value. A chooser says which variant a value is.

_Chooser = Callable[[Any, Writer], tuple[int, Any]]


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

_NODES: dict[type[Shape], Callable[[Any], Node]] = {
    Int: IntNode,
    Float: FloatNode,
    Bool: BoolNode,
    String: StringNode,
    Bytes: BytesNode,
    Array: ArrayNode,
    Product: ProductNode,
    Newtype: NewtypeNode,
    Case: CaseNode,
    Choice: ChoiceNode,
    Sum: SumNode,
    Broken: BrokenNode,
}
