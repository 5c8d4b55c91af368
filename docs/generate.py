"""Writes the generated parts of wire-format.md: run `python docs/generate.py` after a layout has changed.

A part stands between `<!-- generated: NAME -->` and `<!-- end -->`. The records of `defs.raw` are walked by their
shapes, from the whole definition down, each version in the order in which its bytes first need them.
"""

from __future__ import annotations

import dataclasses
import enum
import re
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Any

from bsatn import types
from bsatn.records import shape_of
from bsatn.shapes import Array, Bool, Bytes, Case, Choice, Float, Int, Product, Shape, String, Sum, children, is_option
from defs.cli.layouts import to_markdown
from defs.raw import RawModuleDefV8, RawModuleDefV9, RawModuleDefV10
from defs.raw.layouts import LAYOUTS
from defs.sources.hostcalls import HOST_CALLS

PAGE = Path(__file__).parent / "wire-format.md"

#: What an integer stands for, by the name that the records' annotations give it.
_MEANINGS = {"TypeRef": "index into the typespace", "ColId": "column position", "Cols": "column positions"}
_ELSEWHERE = {types.Typespace, types.ProductType, types.ProductTypeElement}  # section 2.1 has them


def name_of(shape: Shape) -> str | None:
    """What the page calls a record, a sum or a choice; None for what has no name of its own."""
    match shape:
        case Product(cls=type() as cls):
            return cls.__name__
        case Choice(values=values):
            return type(next(iter(values.values()))).__name__
        case Sum() if not is_option(shape):
            return shape.name
    return None


def type_text(shape: Shape) -> str:
    """The type as the page writes it."""
    match shape:
        case Int(bits=bits, signed=signed):
            return f"{'I' if signed else 'U'}{bits}"
        case Float(bits=bits):
            return f"F{bits}"
        case Bool():
            return "Bool"
        case String():
            return "String"
        case Bytes():
            return "Array<U8>"
        case Array(element=element):
            return f"Array<{type_text(element)}>"
        case Case(inner=inner):
            return type_text(inner)
        case Sum() if is_option(shape):
            return f"Option<{type_text(shape.payloads[0])}>"
    return name_of(shape) or "()"


def _sentence(cls: type[Any]) -> str:
    return re.sub(r" \(spec: .*\)", "", (cls.__doc__ or "").split("\n")[0])


def _since(release: str | None) -> str:
    return f"since {release}" if release else ""


def _fields(shape: Product) -> Iterable[tuple[str, str, str]]:
    cls: Any = shape.cls
    for name, part, field in zip(shape.names, shape.fields, dataclasses.fields(cls), strict=True):
        since, was = field.metadata.get("since"), field.metadata.get("was")
        history = _since(since) if was is None else f"before {since} {type_text(shape_of(was))}"
        remarks = (_MEANINGS.get(str(field.type), ""), history)
        yield str(name), type_text(part), ", ".join(filter(None, remarks))


def _variants(shape: Sum) -> Iterable[tuple[str, str, str]]:
    for tag, (name, payload, member) in enumerate(zip(shape.names, shape.payloads, shape.members, strict=True)):
        cls = member if isinstance(member, type) else type(member)
        declared = cls.__dict__.get("__bsatn__")  # members of an enum have none
        text = "" if declared is None or name_of(payload) == cls.__name__ else _sentence(cls)
        yield f"{tag} {name}", type_text(payload), f"{text} {_since(declared and declared.since)}".strip()


def _choices(shape: Choice) -> Iterable[tuple[str, str, str]]:
    if isinstance(shape.inner, Int):
        yield f"{min(shape.values)} to {max(shape.values)}", "", ""
    else:
        yield from ((f'"{value}"', "", "") for value in shape.values)


def entry(shape: Shape) -> str:
    """One record, sum or choice, with its parts under it."""
    match shape:
        case Product(cls=type() as cls):
            title, rows = _sentence(cls), list(_fields(shape))
        case Sum(members=(enum.Enum() as member, *_)):
            title, rows = f"One byte. {_sentence(type(member))}", list(_variants(shape))
        case Sum():
            title, rows = "", list(_variants(shape))
        case Choice(values=values):
            title, rows = f"{type_text(shape.inner)}. {_sentence(type(next(iter(values.values()))))}", list(_choices(shape))
        case _:
            raise TypeError(shape)
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    lines = [f"    {name:{widths[0]}}  {kind:{widths[1]}}  {remark}".rstrip() for name, kind, remark in rows]
    return "\n".join([f"{name_of(shape)}  {title}".rstrip(), *lines])


def named(root: Shape) -> dict[str, Shape]:
    """The shapes under `root` that get an entry, by name, in the order in which the bytes first need them."""
    found: dict[str, Shape] = {}

    def visit(shape: Shape) -> None:
        if shape in seen or name_of(shape) == "AlgebraicType" or getattr(shape, "cls", None) in _ELSEWHERE:
            return
        seen.add(shape)
        if name := name_of(shape):
            found[name] = shape
        for child in children(shape):
            visit(child)

    seen: set[Shape] = set()
    visit(root)
    return found


def parts() -> dict[str, str]:
    """The generated parts by name."""
    v8, v9, v10 = (named(shape_of(cls)) for cls in (RawModuleDefV8, RawModuleDefV9, RawModuleDefV10))
    lists = {
        "v8": list(v8.values()),
        "v9": [shape for name, shape in v9.items() if name not in v10],
        "shared": [shape for name, shape in v9.items() if name in v10],
        "v10": [shape for name, shape in v10.items() if name not in v9],
    }
    made = {part: "\n\n".join(map(entry, shapes)) for part, shapes in lists.items()}
    made["imports"] = "\n\n".join(
        "\n".join([module, *(f"    {c.name}({', '.join(c.params)}){' -> ' if c.results else ''}{c.results}" for c in calls)])
        for module, calls in groupby(HOST_CALLS, key=lambda call: call.module)
    )
    return {**{part: f"```text\n{text}\n```" for part, text in made.items()}, "layouts": to_markdown(LAYOUTS)}


def regenerated(page: str) -> str:
    """The page with its generated parts as they should be."""
    texts = parts()
    return re.sub(
        r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", lambda m: f"{m[1]}{texts[m[2]]}\n{m[3]}", page, flags=re.DOTALL
    )


if __name__ == "__main__":
    PAGE.write_text(regenerated(PAGE.read_text("utf-8")), "utf-8")
