"""What it is to ask an implementation: a function from an op and its fields to a reply, and the two ways not to get one.

A reply is the protocol's, with `ok` in it. That the implementation does not do something is `Skipped`; that it gave no reply,
a late one or nonsense is `Crashed`, which is never a right answer. (spec: testee)
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

__all__ = [
    "RECOMMENDED", "REQUIRED", "Ask", "Counting", "Crashed", "Difference", "How", "Level", "Reply", "Skipped", "hexed",
    "in_process", "shortened",
]  # fmt: skip

Reply: TypeAlias = dict[str, Any]
Ask: TypeAlias = Callable[[str, Mapping[str, Any]], Reply]  #: of op and fields; `bytes` in the fields are sent as hex
Level: TypeAlias = Literal["required", "recommended"]
How: TypeAlias = Literal["died", "late", "nonsense"]

REQUIRED: Level = "required"
RECOMMENDED: Level = "recommended"

_SHOWN = 160  #: characters of an answer that a difference shows


class Skipped(Exception):
    """The implementation does not do that; `why` is its own word for it."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Crashed(Exception):
    """There is no reply: the process `died`, was `late`, or what it wrote is `nonsense`; `detail` is a sentence."""

    def __init__(self, how: How, detail: str) -> None:
        super().__init__(f"{how}: {detail}")
        self.how = how
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Difference:
    """What an answer should be and is; `expected` and `got` are JSON, and whole."""

    what: str
    expected: Any
    got: Any
    level: Level = REQUIRED

    def __str__(self) -> str:
        return f"{self.what}: expected {shortened(self.expected)}, got {shortened(self.got)}"


def shortened(value: Any) -> str:
    """The beginning of a value, for people: a text of hex or words without quotes, anything else as JSON."""
    if value is None:
        return "nothing"
    try:
        text = value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return "something nested deeply"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}... ({len(text)} characters)"


def hexed(value: Any) -> Any:
    """The value with hex for the bytes in it, as requests have it."""
    match value:
        case bytes() | bytearray() | memoryview():
            return bytes(value).hex()
        case Mapping():
            return {name: hexed(one) for name, one in value.items()}
        case list() | tuple():
            return [hexed(one) for one in value]
    return value


def in_process() -> Ask:
    """Asks this library, without a process."""
    from defs.testee import answer

    def ask(op: str, fields: Mapping[str, Any]) -> Reply:
        reply = answer({**hexed(fields), "op": op})
        if "skipped" in reply:
            raise Skipped(reply["skipped"])
        return reply

    return ask


class Counting:
    """An Ask that counts what was `answered` and keeps why an op was `skipped`."""

    def __init__(self, ask: Ask) -> None:
        self.ask = ask
        self.answered = 0
        self.skipped: dict[str, str] = {}

    def __call__(self, op: str, fields: Mapping[str, Any]) -> Reply:
        try:
            reply = self.ask(op, fields)
        except Skipped as skipped:
            self.skipped.setdefault(op, skipped.why)
            raise
        self.answered += 1
        return reply
