"""The wire format as an executable specification: one Construct for each kind of shape, strict.

This is the specification one can read and run, and the engine that words every decode and encode error of the
format; no other module does. `ConstructEngine` is for `Codec`. `construct_of` is for those who use the
`construct` package themselves: what it returns stands in a Struct, an Array or anything else of theirs, reads
one value from the stream and leaves the rest. (spec: wire 1, 3)

    frame = Struct("kind" / Int8ul, "row" / construct_of(point), "rest" / GreedyBytes)

The rules stand in `leaves`, `containers` and `sums`; `graph` ties the nodes to one another; `streams` is what
they read from and write to.

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

from collections.abc import Callable
from typing import Any, BinaryIO

from bsatn.constructs.graph import nodes_of
from bsatn.constructs.node import Construct, Node
from bsatn.constructs.streams import Read, Reader, Role, StreamReader, TracingReader, Writer
from bsatn.errors import BsatnError, DefinitionError
from bsatn.limits import DEFAULT_LIMITS, Limits
from bsatn.records import shape_of
from bsatn.shapes import Shape
from bsatn.types import AlgebraicType, Typespace
from bsatn.typeshapes import shape_of_type

__all__ = ["BsatnValue", "ConstructEngine", "Read", "Role", "construct_of", "shape_for"]


def construct_of(annotation: Any, typespace: Typespace | None = None, *, limits: Limits = DEFAULT_LIMITS) -> BsatnValue:
    """A Construct that parses and builds one value of the type, anywhere in a stream.

    `annotation` is an AlgebraicType, whose references resolve in `typespace`, or what else names a type.
    Errors are DecodeError and EncodeError, with a note that says where in your own constructs they arose.
    """
    return BsatnValue(ConstructEngine(shape_for(annotation, typespace, limits), limits))


def shape_for(annotation: Any, typespace: Typespace | None = None, limits: Limits = DEFAULT_LIMITS) -> Shape:
    """The shape of an AlgebraicType with its Typespace, or of anything else that names a type."""
    if isinstance(annotation, AlgebraicType):
        return shape_of_type(annotation, typespace, limits=limits)
    if typespace is not None:
        raise DefinitionError("NotAType", f"only an AlgebraicType is read with a Typespace, not {annotation!r}")
    return shape_of(annotation)


class ConstructEngine:
    """The nodes of one shape, ready to decode and encode. Safe to share between threads.

    Needs one Python frame for each array, product and sum open in the value (`limits.depth`), and a few more.
    A caller deep in a stack of its own may see RecursionError, and can make the same call on a fresh thread.
    """

    def __init__(self, shape: Shape, limits: Limits = DEFAULT_LIMITS) -> None:
        self.limits = limits
        self.root: Node = nodes_of(shape)[shape]

    def decode(self, data: bytes, offset: int = 0, *, trace: Callable[[Read], object] | None = None) -> tuple[Any, int]:
        """The value that begins at `offset`, and where it ends. Raises DecodeError.

        `trace` is called with each read in order, prefixes and tags included, as far as decoding gets.
        """
        if not 0 <= offset <= len(data):
            raise ValueError(f"offset {offset} is outside the {len(data)} bytes of data")
        reader = Reader(data, offset, self.limits) if trace is None else TracingReader(data, offset, self.limits, trace)
        return self.root._parse(reader, None, ""), reader.offset

    def decode_stream(self, stream: BinaryIO) -> Any:
        """The value that a binary stream continues with; not a byte after it is read. Raises DecodeError."""
        return self.root._parse(StreamReader(stream, self.limits), None, "")

    def encode(self, value: Any) -> bytes:
        """The bytes of a value. Raises EncodeError."""
        writer = Writer(self.limits)
        self.root._build(value, writer, None, "")
        return bytes(writer.out)

    def __repr__(self) -> str:
        return f"<ConstructEngine {self.root.title()}>"


class BsatnValue(Construct):
    """One BSATN value among other constructs: the way from construct's streams to the nodes of an engine."""

    def __init__(self, engine: ConstructEngine) -> None:
        super().__init__()
        self.engine = engine

    def _parse(self, stream: BinaryIO, context: Any, path: str) -> Any:
        try:
            return self.engine.decode_stream(stream)
        except BsatnError as error:
            error.add_note(f"construct: {path}")
            raise

    def _build(self, obj: Any, stream: BinaryIO, context: Any, path: str) -> Any:
        try:
            stream.write(self.engine.encode(obj))
        except BsatnError as error:
            error.add_note(f"construct: {path}")
            raise
        return obj

    def _sizeof(self, context: Any, path: str) -> int:
        return self.engine.root._sizeof(context, path)

    def __repr__(self) -> str:
        return f"<BsatnValue {self.engine.root.title()}>"
