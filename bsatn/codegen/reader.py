"""Writes the Python functions that read values of a shape.

`cursor` keeps the fields that wait to be read and the offset; here it is decided what is read. What a field becomes (a bool,
a record, ...) is an expression over the waiting variables and is written where it is used. Slices may run past the end
unnoticed: the offset then is past the end too, which the next struct read or the caller's last check finds. The functions
carry no path and raise anything; on failure the caller lets the Construct engine read the bytes again.

A function is `f(b, o) -> (value, offset)`, with `d` (containers open around it) and `z` (budget of empty elements, a list
of one int) added where the plan counts them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from bsatn.codegen import runtime
from bsatn.codegen.cursor import Cursor
from bsatn.codegen.plan import MAX_NEST, Plan, is_plain_enum
from bsatn.codegen.source import Source
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
    is_unit,
)
from bsatn.values import Some, Variant

__all__ = ["CODES", "number_code", "write_readers"]

#: struct codes of the integers that have one, by (bits, signed)
CODES = {
    (8, False): "B", (8, True): "b", (16, False): "H", (16, True): "h",
    (32, False): "I", (32, True): "i", (64, False): "Q", (64, True): "q",
}  # fmt: skip


def write_readers(plan: Plan) -> dict[str, Any]:
    """The namespace with `read0`, which reads the root, and `read_many`, which reads rows back to back."""
    return _Readers(plan).write()


class _Readers:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.extra = (", d" if plan.counts_depth else "") + (", z" if plan.counts_empty else "")
        self.source = Source(
            {
                "B_": (False, True),
                "GiveUp": runtime.GiveUp,
                "Unsure": runtime.Unsure,
                "big": int.from_bytes,
                "nan32": runtime.nan32,
                "has_nan": runtime.has_nan,
                "unpack_many": runtime.unpack_many,
                "unpack_floats": runtime.unpack_floats,
                "variant": tuple.__new__,
                "Variant": Variant,
                "Some": Some,
            }
        )
        self.tables: dict[Shape, tuple[Any, ...]] = {}  #: fixed values of each sum's variants
        self.cursor = Cursor(self.source)
        self.height = 0  #: most containers open inside the function being written
        self.dispatch: dict[type[Shape], Callable[[Any, int], str]] = {
            Int: self.read_int,
            Float: self.read_float,
            Bool: self.read_bool,
            String: self.read_string,
            Bytes: self.read_bytes,
            Array: self.read_array,
            Product: self.read_product,
            Newtype: self.read_newtype,
            Case: self.read_case,
            Choice: self.read_choice,
            Sum: self.read_sum,
            Broken: self.read_broken,
        }

    # -- functions

    def write(self) -> dict[str, Any]:
        self.write_many()
        for shape, number in self.plan.each_function():
            self.write_function(shape, number)
        return self.source.compile("<bsatn reader>")

    def write_function(self, shape: Shape, number: int) -> None:
        source = self.source
        with source.block(f"def read{number}(b, o{self.extra}):"):
            self.cursor.restart()
            self.height = 0
            guard = source.hole()
            if shape in self.plan.metered:
                source.line("z[0] -= 1")
                source.line("if z[0] < 0: raise Unsure")
            value = self.body(shape, 0)
            end = self.cursor.position()
            source.line(f"return {value}, {end}")
            if self.plan.counts_depth:
                guard.append(f"    if d > {self.plan.limits.depth - self.height}: raise Unsure")

    def write_many(self) -> None:
        """`read_many(b, o, e)`: rows back to back from o until e; the rows and the offset after them."""
        source, root, cursor = self.source, self.plan.root, self.cursor
        with source.block("def read_many(b, o, e):"):
            cursor.restart()
            if size := self.plan.fixed.get(root):
                source.line(f"n = (e - o) // {size}")
                rows = self.rows(root, 0, size)
                source.line(f"return {rows}, o")
                return
            source.line("r = []")
            source.line("add = r.append")
            if self.plan.counts_empty:
                source.line(f"z = [{self.plan.limits.empty_elements}]")
            with source.block("while o < e:"):
                if self.extra:
                    depth = ", 0" if self.plan.counts_depth else ""
                    source.line(f"x, o = read0(b, o{depth}{', z' if self.plan.counts_empty else ''})")
                    source.line("add(x)")
                else:
                    value = self.body(root, 0)
                    cursor.settle()
                    source.line(f"add({value})")
            source.line("return r, o")

    # -- values: each method returns an expression, valid once the run is flushed

    def read(self, shape: Shape, nest: int) -> str:
        if shape in self.plan.functions or (nest > MAX_NEST and shape not in self.plan.fixed):
            return self.call(shape, nest)
        return self.body(shape, nest)

    def call(self, shape: Shape, nest: int) -> str:
        """Leave a shape to its function; a variant that carries nothing is read here, without the call."""
        start, name = self.cursor.position(), self.source.name()
        depth = f", d + {nest}" if self.plan.counts_depth else ""
        empty = ", z" if self.plan.counts_empty else ""
        line = f"{name}, o = read{self.plan.function(shape)}(b, {start}{depth}{empty})"
        if isinstance(shape, Sum) and any(value is not None for value in self.constants_of(shape)):
            self.height = max(self.height, nest + 2)  # the sum and the unit in it
            self.source.line(f"{name} = {self.constants(shape)}[b[{start}]]")
            self.source.line(f"if {name} is None: {line}")
            self.source.line(f"else: o = {start} + 1")
        else:
            self.height = max(self.height, nest)
            self.source.line(line)
        self.cursor.moved("o")
        return name

    def body(self, shape: Shape, nest: int) -> str:
        if isinstance(shape, (Array, Product, Sum)):
            nest += 1
            # a unit inside is open too, though nothing is written for it
            self.height = max(self.height, nest + (not isinstance(shape, Product)))
        return self.dispatch[type(shape)](shape, nest)

    def read_int(self, shape: Int, nest: int) -> str:
        if code := CODES.get((shape.bits, shape.signed)):
            return self.cursor.field(code, shape.bits // 8)
        if shape.bits == 128:
            low, high = self.cursor.field("Q", 8), self.cursor.field("q" if shape.signed else "Q", 8)
            return f"({low} | {high} << 64)"
        signed = ", signed=True" if shape.signed else ""
        return f"big({self.cursor.field('32s', 32)}, 'little'{signed})"

    def read_float(self, shape: Float, nest: int) -> str:
        if shape.bits == 64:
            return self.cursor.field("d", 8)
        return self.cursor.field("f", 4)

    def read_bool(self, shape: Bool, nest: int) -> str:
        return f"B_[{self.cursor.field('B', 1)}]"

    def read_bytes(self, shape: Bytes | String, nest: int, method: str = "") -> str:
        length, value = self.cursor.field("I", 4), self.source.name()
        self.cursor.settle()
        self.source.line(f"p = o + {length}")
        self.source.line(f"{value} = b[o:p]{method}")
        self.cursor.moved("p")
        return value

    def read_string(self, shape: String, nest: int) -> str:
        return self.read_bytes(shape, nest, ".decode()")

    def read_newtype(self, shape: Newtype, nest: int) -> str:
        return f"{self.source.object(shape.cls, 'C')}({self.read(shape.inner, nest)})"

    def read_case(self, shape: Case, nest: int) -> str:
        inner = self.read(shape.inner, nest)
        return f"{self.source.object(_maker(self.source, shape.cls, (shape.attribute,)), 'M')}({inner})"

    def read_choice(self, shape: Choice, nest: int) -> str:
        return f"{self.source.object(shape.values, 'D')}[{self.read(shape.inner, nest)}]"

    def read_product(self, shape: Product, nest: int) -> str:
        parts = ", ".join([self.read(part, nest) for part in shape.fields])
        if shape.cls is not None:
            return f"{self.source.object(_maker(self.source, shape.cls, shape.attributes), 'M')}({parts})"
        return f"({parts},)" if parts else "()"

    def read_broken(self, shape: Broken, nest: int) -> str:
        self.source.line("raise GiveUp")
        return "()"

    # -- sums

    def read_sum(self, shape: Sum, nest: int) -> str:
        if is_plain_enum(shape):
            return f"{self.constants(shape)}[{self.cursor.field('B', 1)}]"
        tag, value = self.cursor.field("B", 1), self.source.name()
        start = self.cursor.mark()
        if shape.style in (Style.OPTION, Style.NESTED_OPTION):
            with self.source.block(f"if {tag} == 0:"):
                tails = self.variant(start, value, shape, 0, nest)
            with self.source.block(f"elif {tag} == 1:"):
                self.cursor.begin_branch(start)
                tails += self.cursor.end_branch(value, "None")
            self.source.line("else: raise GiveUp")
            self.cursor.join(tails)
            return value
        tags = [tag for tag in range(min(256, len(shape.payloads))) if not _is_constant(shape, tag)]
        if len(tags) == len(shape.payloads):
            tails = self.branch(start, tag, value, shape, tags, nest)
        else:
            self.source.line(f"{value} = {self.constants(shape)}[{tag}]")
            with self.source.block(f"if {value} is None:"):
                tails = self.branch(start, tag, value, shape, tags, nest)
            with self.source.block("else:"):
                self.cursor.begin_branch(start)
                tails += self.cursor.end_branch(value, value)
        self.cursor.join(tails)
        return value

    def constants(self, shape: Sum) -> str:
        """A name for the tuple of the variants' fixed values; None where a variant carries something."""
        return self.source.object(self.constants_of(shape), "K")

    def constants_of(self, shape: Sum) -> tuple[Any, ...]:
        if shape not in self.tables:
            options = (Style.OPTION, Style.NESTED_OPTION)  # whose None is a value
            tags = () if shape.style in options else range(min(256, len(shape.payloads)))
            values = shape.members if shape.style is Style.UNION else [Variant(tag) for tag in tags]
            self.tables[shape] = tuple(values[tag] if _is_constant(shape, tag) else None for tag in tags)
        return self.tables[shape]

    def branch(self, start: tuple[str, int], tag: str, value: str, shape: Sum, tags: Sequence[int], nest: int) -> list[Any]:
        """Code that picks a variant among `tags`, halving while there are many; the branches' open ends."""
        tails: list[Any] = []
        if len(tags) > 4:
            middle = len(tags) // 2
            with self.source.block(f"if {tag} < {tags[middle]}:"):
                tails += self.branch(start, tag, value, shape, tags[:middle], nest)
            with self.source.block("else:"):
                tails += self.branch(start, tag, value, shape, tags[middle:], nest)
            return tails
        for position, one in enumerate(tags):
            with self.source.block(f"{'elif' if position else 'if'} {tag} == {one}:"):
                tails += self.variant(start, value, shape, one, nest)
        self.source.line("else: raise GiveUp" if tags else "raise GiveUp")
        return tails

    def variant(self, start: tuple[str, int], value: str, shape: Sum, tag: int, nest: int) -> list[Any]:
        """The branch of one variant: its payload becomes the sum's value."""
        self.cursor.begin_branch(start)
        payload = self.read(shape.payloads[tag], nest)
        wrap = {
            Style.VARIANT: f"variant(Variant, ({tag}, {payload}))",
            Style.NESTED_OPTION: f"variant(Some, ({payload},))",
        }.get(shape.style, payload)
        return self.cursor.end_branch(value, wrap)

    # -- arrays

    def read_array(self, shape: Array, nest: int) -> str:
        count = self.cursor.field("I", 4)
        self.cursor.settle()
        element = shape.element
        if self.plan.widths[element] == 0:
            value = self.empty_elements(count, element, nest)
        elif code := number_code(element):
            value = self.numbers(count, code, self.plan.fixed[element])
        elif size := self.plan.fixed.get(element):
            self.source.line(f"n = {count}")
            value = self.rows(element, nest, size)
        else:
            value = self.loop(count, element, nest)
        return f"tuple({value})" if shape.container is tuple else value

    def numbers(self, count: str, code: str, width: int) -> str:
        """A list of plain numbers: by a struct made once when few, in one go when many."""
        value = self.source.name()
        if code == "f":
            self.source.line(f"{value} = unpack_floats(b, o, {count})")
        else:
            few = f"list({self.source.object(runtime.short_unpackers(code), 'N')}[{count}](b, o))"
            many = f"unpack_many(b, o, {count}, '{code}', {width})"
            self.source.line(f"{value} = {few} if {count} < {runtime.SHORT} else {many}")
        self.source.line(f"o += {count} * {width}")
        return value

    def loop(self, count: str, element: Shape, nest: int) -> str:
        value, add = self.source.name(), self.source.name()
        self.source.line(f"{value} = []")
        self.source.line(f"{add} = {value}.append")
        with self.source.block(f"for _ in range({count}):"):
            item = self.read(element, nest)
            self.cursor.settle()
            self.source.line(f"{add}({item})")
        return value

    def empty_elements(self, count: str, element: Shape, nest: int) -> str:
        """Elements without bytes are paid for before they are made, and are all the same value."""
        self.source.line(f"z[0] -= {count}")
        self.source.line("if z[0] < 0: raise Unsure")
        if not is_unit(element):
            return self.loop(count, element, nest)
        value = self.source.name()
        self.source.line(f"{value} = [()] * {count}")
        return value

    def rows(self, element: Shape, nest: int, size: int) -> str:
        """`n` elements of one width from the offset, by one iter_unpack; the offset moves past them."""
        item = self.body(element, nest)
        run = self.cursor.run  # the fields of one row; nothing is read for them
        self.cursor.restart()
        value, chunk = self.source.name(), self.source.name()
        unpack = self.source.struct("".join(run.codes), "iter_unpack")
        names = ", ".join(run.names) + ","
        whole = item == f"({names})"
        self.source.line(f"{chunk} = b[o : o + n * {size}]")
        self.source.line(f"if len({chunk}) != n * {size}: raise GiveUp")
        plain = f"{value} = " + (f"list({unpack}({chunk}))" if whole else f"[{item} for {names} in {unpack}({chunk})]")
        if run.floats:
            test = " or ".join(f"has_nan({chunk}, {position + 3}, {size})" for _, position in run.floats)
            with self.source.block(f"if {test}:"):
                self.source.line(f"{value} = []")
                with self.source.block(f"for {names} in {unpack}({chunk}):"):
                    for name, position in run.floats:
                        self.source.line(f"if {name} != {name}: {name} = nan32(b, o + {position})")
                    self.source.line(f"{value}.append({item})")
                    self.source.line(f"o += {size}")
            with self.source.block("else:"):
                self.source.line(plain)
                self.source.line(f"o += n * {size}")
        else:
            self.source.line(plain)
            self.source.line(f"o += n * {size}")
        return value


def number_code(shape: Shape) -> str | None:
    """The struct code of a plain number; None for another shape, and for integers too wide for struct."""
    if isinstance(shape, Float):
        return {32: "f", 64: "d"}[shape.bits]
    return CODES.get((shape.bits, shape.signed)) if isinstance(shape, Int) else None


def _is_constant(shape: Sum, tag: int) -> bool:
    """Whether a variant carries nothing, so that its value can be made once."""
    return shape.is_constant(tag) if shape.style is Style.UNION else is_unit(shape.payloads[tag])


_MAKERS: dict[tuple[type[Any], tuple[str, ...]], Callable[..., Any]] = {}


def _maker(source: Source, cls: type[Any], attributes: tuple[str, ...]) -> Callable[..., Any]:
    key = (cls, attributes)
    if key not in _MAKERS:
        _MAKERS[key] = runtime.maker(cls, attributes)
    return _MAKERS[key]
