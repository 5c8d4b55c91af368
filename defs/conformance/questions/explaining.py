"""A question for people: its texts, and every byte of what is decoded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from bsatn.codec import Codec
from bsatn.errors import BsatnError
from bsatn.explanation import explain
from bsatn.types import AlgebraicType, Typespace
from defs import raw
from defs.conformance.questions.making import Question
from defs.vectors.generation.traits import text_for

__all__ = ["explained"]

MAX_ROWS = 40  #: of an explanation
_TEXTS = ("json", "name", "sql", "layout", "to", "caller", "protocol", "trailing")


def explained(question: Question) -> str:
    """The question for people: its texts, and every byte of what is decoded."""
    fields, lines = question.fields, []
    if isinstance(fields.get("type"), bytes):
        lines.append(f"type {_type_text(fields)}")
    lines += [f"{name} {fields[name]}" for name in _TEXTS if name in fields]
    for name in ("bytes", "module", "old", "new"):
        if name in fields:
            lines += ["", *([f"{name}:"] if name != "bytes" else []), _table(fields, fields[name])]
    return "\n".join(lines)


def _type_text(fields: Mapping[str, Any]) -> str:
    try:
        return text_for(fields["type"], fields.get("typespace", bytes(4)))
    except BsatnError as error:
        return f"{fields['type'].hex()}, which is none: {error}"


def _table(fields: Mapping[str, Any], data: bytes) -> str:
    """As `bsatn explain` shows the bytes."""
    try:
        if "type" not in fields:
            return explain(data, raw.RawModuleDef, max_rows=MAX_ROWS).to_text(width=120)
        kind, space = Codec(AlgebraicType).decode(fields["type"]), Codec(Typespace).decode(fields.get("typespace", bytes(4)))
        trailing: Literal["reject", "allow"] = "allow" if fields.get("trailing") == "allow" else "reject"
        return explain(data, kind, space, trailing=trailing, max_rows=MAX_ROWS).to_text(width=120)
    except BsatnError as error:
        return f"{data.hex()}\n{error}"
