"""Writes the program of a type: how its bytes follow one another, for the native engine to interpret.

The instructions are those of `native/src/ops.rs`. One program reads values and writes them; written without values, it only
steps over bytes, and so that what any bytes are is stepped over at once. A shape becomes a function of its own when it closes a
cycle, when it is metered (see shapes.metered), or when several places share it and it is not small; so programs are as long
as their types, and no longer. Shapes are worked off a list, none is too deep.

Depth is counted as the Python engine counts it: a function that might go past the limit is not entered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from bsatn.codegen.plan import post_order
from bsatn.limits import Limits
from bsatn.native.tables import MAX_TAG, RecordTable, SumTable, choice_table, constant_of, record_table, sum_table
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
)

__all__ = ["Program", "write_program"]

MAX_DEPTH = 900  #: containers open; Python's stack bounds the Construct engine, which decides beyond, to about as many
_SMALL = 8  #: nodes of a shared shape that is written in line each time
_U32_MAX = (1 << 32) - 1
_UNSIGNED: tuple[Any, Any] = int.from_bytes, int.to_bytes  #: what reads and writes integers too wide for Rust

Op = tuple[str, int, int]


@dataclass(slots=True)
class Program:
    """What the extension's Plan is made of. `functions`: where each begins, and how many containers it opens at most."""

    depth: int
    empty_elements: int
    ops: list[Op] = field(default_factory=list)
    functions: list[tuple[int, int]] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)
    records: list[RecordTable] = field(default_factory=list)
    sums: list[SumTable] = field(default_factory=list)
    choices: list[list[tuple[bytes, Any]]] = field(default_factory=list)
    callables: list[Any] = field(default_factory=list)


def write_program(root: Shape, limits: Limits, *, values: bool = True) -> Program:
    """The program of a shape; without `values`, one that only checks."""
    return _Writer(root, limits, values).write()


class _Writer:
    def __init__(self, root: Shape, limits: Limits, values: bool) -> None:
        order, heads = post_order(root)
        self.values = values
        self.widths = min_widths(order)
        self.metered = metered(self.widths)
        self.functions = _functions(root, order, heads | self.metered)
        self.plain = _plain(order, self.functions)
        self.program = Program(min(limits.depth, MAX_DEPTH), min(limits.empty_elements, _U32_MAX))
        self.ops = self.program.ops
        self.todo: list[Callable[[], None]] = []
        self.height = 0
        self.label = 0  #: the last instruction that is jumped to
        self.known: dict[tuple[str, Shape], int] = {}
        self.dispatch: dict[type[Shape], Callable[[Any, int], object]] = {
            Int: self.put_int,
            Float: lambda shape, nest: self.leaf(f"F{shape.bits}", shape.bits // 8),
            Bool: lambda shape, nest: self.emit("Bool"),
            String: lambda shape, nest: self.emit("Str"),
            Bytes: lambda shape, nest: self.emit("Bytes", 1),
            Array: self.put_array,
            Product: self.put_product,
            Newtype: self.put_newtype,
            Case: self.put_case,
            Choice: self.put_choice,
            Sum: self.put_sum,
            Broken: lambda shape, nest: self.emit("Broken"),
        }

    def write(self) -> Program:
        for shape in self.functions:
            start, self.height = self.mark(), 0
            if shape in self.metered:
                self.emit("Spend")
            self.body(shape, 0)
            while self.todo:
                self.todo.pop()()
            self.emit("Return")
            self.program.functions.append((start, self.height))
        return self.program

    # -- instructions

    def emit(self, name: str, a: int = 0, b: int = 0) -> int:
        """One more instruction; its number."""
        self.ops.append((name, a, b))
        return len(self.ops) - 1

    def mark(self) -> int:
        """The number of the next instruction, which something jumps to."""
        self.label = len(self.ops)
        return self.label

    def leaf(self, name: str, width: int, b: int = 0) -> None:
        """A value of which any bytes are right."""
        if self.values:
            self.emit(name, width, b)
        elif len(self.ops) > self.label and self.ops[-1][0] == "Skip":
            self.ops[-1] = ("Skip", self.ops[-1][1] + width, 0)
        elif width:
            self.emit("Skip", width)

    def then(self, *steps: Callable[[], object]) -> None:
        """Steps to be done in this order, before all that wait."""
        self.todo += reversed(steps)  # type: ignore[arg-type]

    def opened(self, nest: int) -> int:
        """One more container is open."""
        self.height = max(self.height, nest + 1)
        return nest + 1

    def made(self, name: str, a: int = 0, b: int = 0) -> None:
        """An instruction about values rather than bytes."""
        if self.values:
            self.emit(name, a, b)

    def number_of(self, table: list[Any], shape: Shape, make: Callable[[], Any], role: str = "") -> int:
        """The number of a shape's entry in a table; made when first asked for."""
        key = role, shape
        if key not in self.known:
            self.known[key] = len(table)
            table.append(make())
        return self.known[key]

    # -- shapes

    def put(self, shape: Shape, nest: int) -> None:
        if shape in self.functions:
            self.height = max(self.height, nest)
            self.emit("Call", self.functions[shape], nest)
        else:
            self.body(shape, nest)

    def body(self, shape: Shape, nest: int) -> None:
        self.dispatch[type(shape)](shape, nest)

    def put_int(self, shape: Int, nest: int) -> None:
        name, width = shape.label.upper(), shape.bits // 8
        if shape.bits <= 128:
            self.leaf(name, width)
            return
        read, write = (partial(int.from_bytes, signed=True), partial(int.to_bytes, signed=True)) if shape.signed else _UNSIGNED
        number = self.number_of(self.program.callables, shape, lambda: read, "read")
        self.number_of(self.program.callables, shape, lambda: write, "write")
        self.leaf("Wide", width, number)

    def put_newtype(self, shape: Newtype, nest: int) -> None:
        self.put_int(shape.inner, nest)
        self.made("Newtype", self.number_of(self.program.callables, shape, lambda: shape.cls))

    def record(self, shape: Shape, cls: type[Any], attributes: tuple[str, ...]) -> int:
        return self.number_of(self.program.records, shape, partial(record_table, cls, attributes))

    def put_case(self, shape: Case, nest: int) -> None:
        number = self.record(shape, shape.cls, (shape.attribute,))
        self.made("OpenRecord", 1, number)
        self.then(partial(self.put, shape.inner, nest), partial(self.made, "Record", 1, number))

    def put_product(self, shape: Product, nest: int) -> None:
        nest, size = self.opened(nest), len(shape.fields)
        fields = [partial(self.put, part, nest) for part in shape.fields]
        if shape.cls is None:
            self.made("Open", size)
            self.then(*fields, partial(self.made, "Tuple", size))
        else:
            number = self.record(shape, shape.cls, shape.attributes)
            self.made("OpenRecord", size, number)
            self.then(*fields, partial(self.made, "Record", size, number))

    def put_choice(self, shape: Choice, nest: int) -> None:
        self.emit("Choice", self.number_of(self.program.choices, shape, partial(choice_table, shape)))

    def put_array(self, shape: Array, nest: int) -> None:
        nest, element, as_tuple = self.opened(nest), shape.element, int(shape.container is tuple)
        name = _number(element)
        if not self.values and element in self.plain:
            width, height = self.plain[element]
            self.height = max(self.height, nest + height)
            if width:
                self.emit("Bytes", width)
                return
        if self.values and name is not None:
            numbers = self.program.numbers
            if name not in numbers:
                numbers.append(name)
            self.emit("Numbers", numbers.index(name), as_tuple)
            return
        begin = self.emit("Array")
        start = self.mark()

        def end() -> None:
            self.ops[begin] = ("Array", self.mark(), min(self.widths[element], _U32_MAX))
            self.emit("Next", start, as_tuple)
            self.mark()

        self.then(partial(self.put, element, nest), end)

    def put_sum(self, shape: Sum, nest: int) -> None:
        nest = self.opened(nest)
        table = sum_table(shape)
        self.program.sums.append(table)
        self.emit("Sum", len(self.program.sums) - 1)
        jumps: list[int] = []

        def begin(tag: int) -> None:
            constant = constant_of(shape, tag)
            if constant:
                self.opened(nest)  # the unit
            table.arms.append((self.mark(), constant))

        def end(tag: int) -> None:
            if shape.style is Style.VARIANT:
                self.made("Variant", tag)
            elif shape.style is Style.NESTED_OPTION:
                self.made("Some")
            jumps.append(self.emit("Jump"))

        def join() -> None:
            after = self.mark()
            for jump in jumps:
                self.ops[jump] = ("Jump", after, 0)
            table.arms[:] = [(after if constant else target, constant) for target, constant in table.arms]

        steps: list[Callable[[], None]] = []
        for tag, payload in enumerate(shape.payloads[: MAX_TAG + 1]):
            steps.append(partial(begin, tag))
            if not constant_of(shape, tag):
                steps += [partial(self.put, payload, nest), partial(end, tag)]
        self.then(*steps, join)


def _functions(root: Shape, order: list[Shape], needed: set[Shape]) -> dict[Shape, int]:
    """The shapes that are functions, numbered; the root is 0."""
    uses = dict.fromkeys(order, 0)
    for shape in order:
        for child in children(shape):
            uses[child] += 1
    functions, sizes = {root: 0}, dict[Shape, int]()
    for shape in order:
        sizes[shape] = 1 + sum(1 if part in functions else sizes.get(part, 1) for part in children(shape))
        if shape in needed or (uses[shape] > 1 and sizes[shape] > _SMALL):
            functions.setdefault(shape, len(functions))
    return functions


def _plain(order: list[Shape], functions: dict[Shape, int]) -> dict[Shape, tuple[int, int]]:
    """Width and height of the shapes of which any bytes are a value."""
    plain: dict[Shape, tuple[int, int]] = {}
    for shape in order:
        parts = children(shape)
        if shape in functions or any(part not in plain for part in parts):
            continue
        match shape:
            case Int(bits=bits) | Float(bits=bits):
                plain[shape] = bits // 8, 0
            case Newtype() | Case() | Product():
                height = max((plain[part][1] for part in parts), default=0) + isinstance(shape, Product)
                plain[shape] = sum(plain[part][0] for part in parts), height
    return plain


def _number(shape: Shape) -> str | None:
    """The instruction of a plain number."""
    if isinstance(shape, Float):
        return f"F{shape.bits}"
    return shape.label.upper() if isinstance(shape, Int) and shape.bits <= 64 else None
