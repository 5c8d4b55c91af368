"""Writes the Python functions that write values of a shape.

The mirror of the reader: fixed-width fields wait in a run and are packed by one `struct.pack` with the length or tag that
follows. A function is `f(v, w)`: it hands the pieces of `v` to `w`, the append of a list that the caller joins, with `d`
(containers open around it) added where the plan counts depth. Checks that struct and slicing would not make (a string where
a list belongs, any object where a bool does) are written out; whatever is refused here, the Construct engine says why.
(What a value may be: bsatn.constructs.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import starmap
from typing import Any

from bsatn.codegen import runtime
from bsatn.codegen.plan import MAX_NEST, Plan, is_plain_enum
from bsatn.codegen.reader import CODES, number_code
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
)
from bsatn.values import F32NaN, Some

__all__ = ["write_writers"]


def write_writers(plan: Plan) -> dict[str, Any]:
    """The namespace with `write0(v, w)`, which writes the root, and `write_many(rows, w)`."""
    return _Writers(plan).write()


class _Writers:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.source = Source(
            {
                "T_": {True: 1, False: 0},
                "M_": (1 << 64) - 1,
                "SEQUENCE": (tuple, list),
                "BYTES": (bytes, bytearray),
                "GiveUp": runtime.GiveUp,
                "F32NaN": F32NaN,
                "Some": Some,
                "pack_many": runtime.pack_many,
                "has_nan": runtime.has_nan,
                "starmap": starmap,
                "tag_of": tag_of,
            }
        )
        self.run: list[tuple[str, str]] = []  #: struct codes and expressions waiting to be packed
        self.height = 0
        self.dispatch: dict[type[Shape], Callable[[Any, str, int], None]] = {
            Int: self.write_int,
            Float: self.write_float,
            Bool: self.write_bool,
            String: self.write_string,
            Bytes: self.write_bytes,
            Array: self.write_array,
            Product: self.write_product,
            Newtype: lambda shape, value, nest: self.put(shape.inner, value, nest),
            Case: self.write_case,
            Choice: self.write_choice,
            Sum: self.write_sum,
            Broken: lambda shape, value, nest: self.source.line("raise GiveUp"),
        }

    # -- functions

    def write(self) -> dict[str, Any]:
        source, depth = self.source, ", 0" if self.plan.counts_depth else ""
        with source.block("def write_many(rows, w):"):
            self.write_plain_rows()
            with source.block("for v in rows:"):
                if self.plan.counts_depth:
                    source.line(f"write0(v, w{depth})")
                else:
                    self.body(self.plan.root, "v", 0)
                    self.flush()
        for shape, number in self.plan.each_function():
            self.write_function(shape, number)
        return source.compile("<bsatn writer>")

    def write_plain_rows(self) -> None:
        """Tuples of plain numbers are packed without a line of Python a row; a NaN is left to the loop that follows."""
        root, codes, size = self.plan.root, "", 0
        nans: list[int] = []
        if not isinstance(root, Product) or root.cls is not None or not root.fields:
            return
        for part in root.fields:
            code = number_code(part)
            if code is None:
                return
            codes, size = codes + code, size + self.plan.fixed[part]
            nans += [size - 1] if code == "f" else []
        pack = self.source.struct(codes, "pack")
        with self.source.block("if set(map(type, rows)) == {tuple}:"):
            self.source.line(f"data = b''.join(starmap({pack}, rows))")
            tests = [f"not has_nan(data, {top}, {size})" for top in nans]
            with self.source.block(f"if {' and '.join(tests) or 'True'}:"):
                self.source.line("return w(data)")

    def write_function(self, shape: Shape, number: int) -> None:
        source = self.source
        with source.block(f"def write{number}(v, w{', d' if self.plan.counts_depth else ''}):"):
            self.run, self.height = [], 0
            guard = len(source.lines)
            self.body(shape, "v", 0)
            self.flush()
            if self.plan.counts_depth:
                source.lines.insert(guard, f"    if d > {self.plan.limits.depth - self.height}: raise GiveUp")

    # -- runs

    def field(self, code: str, value: str) -> None:
        self.run.append((code, value))

    def flush(self) -> None:
        """Write the waiting run."""
        run, self.run = self.run, []
        if run:
            pack = self.source.struct("".join(code for code, _ in run), "pack")
            self.source.line(f"w({pack}({', '.join(value for _, value in run)}))")

    # -- values: each method writes the value that the variable `value` holds

    def put(self, shape: Shape, value: str, nest: int) -> None:
        if shape in self.plan.functions or (nest > MAX_NEST and shape not in self.plan.fixed):
            self.flush()
            self.height = max(self.height, nest)
            depth = f", d + {nest}" if self.plan.counts_depth else ""
            self.source.line(f"write{self.plan.function(shape)}({value}, w{depth})")
            return
        self.body(shape, value, nest)

    def body(self, shape: Shape, value: str, nest: int) -> None:
        if isinstance(shape, (Array, Product, Sum)):
            nest += 1
            # a unit inside is open too, though nothing is written for it
            self.height = max(self.height, nest + (not isinstance(shape, Product)))
        self.dispatch[type(shape)](shape, value, nest)

    def write_int(self, shape: Int, value: str, nest: int) -> None:
        if code := CODES.get((shape.bits, shape.signed)):
            self.field(code, value)
        elif shape.bits == 128:
            self.field("Q", f"{value} & M_")
            self.field("q" if shape.signed else "Q", f"{value} >> 64")
        else:
            self.field("32s", f"{value}.to_bytes(32, 'little'{', signed=True' if shape.signed else ''})")

    def write_float(self, shape: Float, value: str, nest: int) -> None:
        if shape.bits == 32:
            self.source.line(f"if {value}.__class__ is F32NaN: raise GiveUp")
        self.field({32: "f", 64: "d"}[shape.bits], value)

    def write_bool(self, shape: Bool, value: str, nest: int) -> None:
        self.field("B", f"T_[{value}]")

    def write_string(self, shape: String, value: str, nest: int) -> None:
        text = self.source.name()
        self.source.line(f"{text} = {value}.encode()")
        self.field("I", f"len({text})")
        self.flush()
        self.source.line(f"w({text})")

    def write_bytes(self, shape: Bytes, value: str, nest: int) -> None:
        self.source.line(f"if {value}.__class__ is not bytes and not isinstance({value}, BYTES): raise GiveUp")
        self.field("I", f"len({value})")
        self.flush()
        self.source.line(f"w({value})")

    def write_case(self, shape: Case, value: str, nest: int) -> None:
        self.require(value, self.source.object(shape.cls, "C"))
        self.put(shape.inner, self.bind(f"{value}.{shape.attribute}"), nest)

    def write_choice(self, shape: Choice, value: str, nest: int) -> None:
        wire = {constant: found for found, constant in shape.values.items()}
        self.put(shape.inner, self.bind(f"{self.source.object(wire, 'D')}[{value}]"), nest)

    def write_product(self, shape: Product, value: str, nest: int) -> None:
        if shape.cls is not None:
            self.require(value, self.source.object(shape.cls, "C"))
            for attribute, part in zip(shape.attributes, shape.fields, strict=True):
                self.put(part, self.bind(f"{value}.{attribute}"), nest)
            return
        self.require_sequence(value)
        if not shape.fields:
            self.source.line(f"if {value}: raise GiveUp")
            return
        names = [self.source.name() for _ in shape.fields]
        self.source.line(f"{', '.join(names)}, = {value}")
        for name, part in zip(names, shape.fields, strict=True):
            self.put(part, name, nest)

    # -- sums

    def write_sum(self, shape: Sum, value: str, nest: int) -> None:
        if shape.style in (Style.OPTION, Style.NESTED_OPTION):
            self.write_option(shape, value, nest)
        elif shape.style is Style.UNION:
            self.write_union(shape, value, nest)
        else:
            self.write_variant(shape, value, nest)

    def write_option(self, shape: Sum, value: str, nest: int) -> None:
        self.flush()
        with self.source.block(f"if {value} is None:"):
            self.source.line("w(b'\\1')")
        with self.source.block("else:"):
            self.field("B", "0")
            if shape.style is Style.NESTED_OPTION:
                self.source.line(f"if {value}.__class__ is not Some: raise GiveUp")
                value = self.bind(f"{value}[0]")
            self.put(shape.payloads[0], value, nest)
            self.flush()

    def write_union(self, shape: Sum, value: str, nest: int) -> None:
        constants = {key: tag for key, tag in shape.tags_by_constant().items() if tag < 256}
        if is_plain_enum(shape):
            self.field("B", f"{self.source.object(constants, 'K')}[{value}]")
            return
        self.flush()
        classes = {key: tag for key, tag in shape.tags_by_class().items() if tag < 256}
        tag = self.bind(f"{self.source.object(classes, 'K')}.get({value}.__class__, -1)")
        with self.source.block(f"if {tag} < 0:"):
            written = {key: bytes([one]) for key, one in constants.items()}
            self.source.line(f"w({self.source.object(written, 'K')}[{value}])")
        with self.source.block("else:"):
            self.branch(tag, value, shape, sorted(classes.values()), nest)

    def write_variant(self, shape: Sum, value: str, nest: int) -> None:
        self.require_sequence(value)
        tag, payload = self.source.name(), self.source.name()
        self.source.line(f"{tag}, {payload} = {value}")
        names = self.source.object(_tags_by_name(shape), "K")
        self.source.line(f"if {tag}.__class__ is not int: {tag} = tag_of({tag}, {names})")
        self.flush()
        self.branch(tag, payload, shape, range(min(256, len(shape.payloads))), nest)

    def branch(self, tag: str, value: str, shape: Sum, tags: Sequence[int], nest: int) -> None:
        """Code that picks a variant among `tags`, halving while there are many."""
        if len(tags) > 4:
            middle = len(tags) // 2
            with self.source.block(f"if {tag} < {tags[middle]}:"):
                self.branch(tag, value, shape, tags[:middle], nest)
            with self.source.block("else:"):
                self.branch(tag, value, shape, tags[middle:], nest)
            return
        for position, one in enumerate(tags):
            with self.source.block(f"{'elif' if position else 'if'} {tag} == {one}:"):
                self.field("B", str(one))
                self.put(shape.payloads[one], value, nest)
                self.flush()
        self.source.line("else: raise GiveUp" if tags else "raise GiveUp")

    # -- arrays

    def write_array(self, shape: Array, value: str, nest: int) -> None:
        self.require_sequence(value)
        self.field("I", f"len({value})")
        self.flush()
        element = shape.element
        if code := number_code(element):
            many = f"pack_many('{code}', {value})"
            few = f"{self.source.object(runtime.short_packers(code), 'N')}[len({value})](*{value})"
            short = code != "f"  # an F32 may be a NaN whose bits pack_many looks after
            self.source.line(f"w({few} if len({value}) < {runtime.SHORT} else {many})" if short else f"w({many})")
            return
        item = self.source.name()
        with self.source.block(f"for {item} in {value}:"):
            self.put(element, item, nest)
            self.flush()

    # -- checks

    def bind(self, expression: str) -> str:
        """A variable holding the value of an expression."""
        name = self.source.name()
        self.source.line(f"{name} = {expression}")
        return name

    def require(self, value: str, cls: str) -> None:
        self.source.line(f"if {value}.__class__ is not {cls} and not isinstance({value}, {cls}): raise GiveUp")

    def require_sequence(self, value: str) -> None:
        self.source.line(f"if {value}.__class__ is not tuple and not isinstance({value}, SEQUENCE): raise GiveUp")


def tag_of(tag: Any, names: dict[str, int]) -> int:
    """A variant's tag from its name, or from an integer of another class; raises for anything else."""
    return names[tag] if isinstance(tag, str) else int(tag.__index__())


def _tags_by_name(shape: Sum) -> dict[str, int]:
    """Tags by variant name, names that stand twice left out."""
    names = [name for name in shape.names if name is not None]
    return {name: tag for tag, name in enumerate(shape.names) if name is not None and names.count(name) == 1}
