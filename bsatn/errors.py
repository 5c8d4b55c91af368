"""Errors, split by who is at fault: the bytes, the value, or nobody but a limit.

`DecodeError` says the bytes are wrong, `EncodeError` says the value you passed is wrong. `LimitExceeded` is a
`DecodeError` or `EncodeError` in which the input went past a bound of ours rather than broke a rule of the format.
Kinds carry upstream's names, so a program can branch on `error.kind`; the table `MESSAGES` holds upstream's wording
of each. (spec: wire 3)
"""

from __future__ import annotations

from typing import Any

from bsatn.paths import Path, format_path

__all__ = ["BsatnError", "DecodeError", "DefinitionError", "EncodeError", "LimitExceeded", "TypeTextError"]

#: Upstream's wording by kind; the fields are the keyword arguments of the error. (spec: wire 3)
MESSAGES: dict[str, str] = {
    "BufferLength": "data too short for {for_type}: Expected {expected}, given {given}",
    "InvalidTag": "unknown tag {tag:#x} for sum type {sum_name}",
    "InvalidUtf8": "invalid utf8",
    "InvalidBool": "byte {byte} not valid as `bool` (must be 0 or 1)",
    "InvalidTypeRef": "Type reference &{ref} out of bounds",
    "RecursiveTypeRef": "Found recursive type reference &{ref}",
    "TrailingBytes": "{unread} bytes left over after the value",
    "Other": "{text}",
}


class BsatnError(Exception):
    """Base of every error this package raises on purpose.

    `kind` is a short CamelCase word, upstream's where upstream has one; `message` is the sentence without the place;
    `path` names the place inside the value as a sequence of field names and indexes; `fields` holds the details; `hint`
    is what to do about it, where there is something to say.
    """

    hint = ""

    def __init__(self, kind: str, message: str = "", *, path: Path = (), **fields: Any) -> None:
        self.kind = kind
        self.fields = fields
        self.path = tuple(path)
        self.message = message or self._wording(kind, fields)
        super().__init__(self.message)

    @staticmethod
    def _wording(kind: str, fields: dict[str, Any]) -> str:
        shown = {**fields, "sum_name": fields.get("sum_name") or "<unknown>"}
        return MESSAGES[kind].format(**shown) if kind in MESSAGES else kind

    @property
    def unreadable(self) -> bool:
        """Whether the input could not be had at all, rather than is bad."""
        return False

    @property
    def where(self) -> str:
        """The place in words, `sections[1].tables[0].source_name`; empty at the top of the value."""
        return format_path(self.path)

    def __str__(self) -> str:
        return self._with_hint(f"{self.message} (at {self.where})" if self.path else self.message)

    def _with_hint(self, text: str) -> str:
        return f"{text}; {self.hint}" if self.hint else text

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.__dict__)


def _rebuild(cls: type[BsatnError], state: dict[str, Any]) -> BsatnError:
    error = cls.__new__(cls)
    Exception.__init__(error, state["message"])
    error.__dict__.update(state)
    return error


class DecodeError(BsatnError):
    """The bytes do not say what the type needs them to say.

    Kinds: `BufferLength`, `InvalidTag`, `InvalidUtf8`, `InvalidBool`, `Other` as upstream; `TrailingBytes`,
    `InvalidTypeRef`, `RecursiveTypeRef` for what upstream ignores, or dies of; `LimitExceeded`. `offset` counts bytes
    from the start of the input to where the offending item begins; of a text, characters, as `unit` says. (spec: wire 3)
    """

    unit = "byte"

    def __init__(self, kind: str, message: str = "", *, offset: int | None = None, path: Path = (), **fields: Any) -> None:
        self.offset = offset
        super().__init__(kind, message, path=path, **fields)

    def __str__(self) -> str:
        places = [f"{self.unit} {self.offset}"] if self.offset is not None else []
        places += [self.where] if self.path else []
        return self._with_hint(f"{self.message} (at {', '.join(places)})" if places else self.message)


class EncodeError(BsatnError):
    """The value you passed cannot be written at the type.

    Kinds: `WrongType` (not a value of this type), `OutOfRange` (an integer that does not fit), `WrongLength` (a product
    with other than its number of fields), `UnknownVariant`, `InvalidUtf8` (a string with a lone surrogate), `TooLong` (a
    length past 2^32-1), `InvalidTypeRef`, `RecursiveTypeRef`, `LimitExceeded`.
    """


class LimitExceeded(DecodeError, EncodeError):
    """The input goes past a bound of ours: `limit` names it, `bound` is its value, and the message says how to raise it."""

    def __init__(
        self, limit: str, bound: int, what: str, *, offset: int | None = None, path: Path = (), advice: str = ""
    ) -> None:
        self.limit = limit
        self.bound = bound
        advice = advice or f"raise it with Limits({limit}=...)"
        super().__init__("LimitExceeded", f"{what}: the limit `{limit}` is {bound}; {advice}", offset=offset, path=path)


class DefinitionError(BsatnError):
    """A record, case or type was declared in a way that has no BSATN layout. Raised while declaring, never by bytes."""


class TypeTextError(BsatnError):
    """A type given as text (SATN or SATS-JSON) is not one; `fields["position"]` counts characters."""
