"""What a project says about its own checks: `[tool.bsatn.check]` of `pyproject.toml`, or `[check]` of `bsatn.toml`.

    [tool.bsatn.check]
    against = ["git:origin/main:module.wasm", "locks/1.0.lock"]
    server = "2.4"
    fail-on = "warning"

    [tool.bsatn.check.severity]
    TABLE_NO_REMOVE = "warning"

    [[tool.bsatn.check.ignore]]
    rule = "REDUCER_SAME_PARAMS"
    element = "reducer rename"
    reason = "no client calls it"
    expires = 2027-01-31

`KEYS` declares what each key holds. Anything else is refused with the nearest key: a typo must not switch a check off.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import field
from datetime import date, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

from bsatn.errors import BsatnError
from bsatn.frozen import frozen

__all__ = ["LEVELS", "THRESHOLDS", "BadConfig", "Ignore", "Settings", "check_rules", "find", "nearest", "read"]

LEVELS: Final = ("error", "warning", "note", "off")  #: what a severity may be set to
THRESHOLDS: Final = ("error", "warning", "note", "server", "never")
_FILES: Final[dict[str, tuple[str, ...]]] = {"bsatn.toml": ("check",), "pyproject.toml": ("tool", "bsatn", "check")}
_MAX_BYTES: Final = 1 << 20


class BadConfig(BsatnError):
    """The configuration cannot be: the kind is `BadConfig`, the message says where and what was expected."""

    def __init__(self, where: str, message: str) -> None:
        super().__init__("BadConfig", f"{where}: {message}")


@frozen
class Ignore:
    """Findings that are known and accepted: of a rule, on elements that match a pattern with `*` and `?`."""

    rule: str
    element: str
    reason: str
    expires: date | None = None  #: the last day on which it holds

    def matches(self, rule: str, element: str) -> bool:
        """Whether a finding is meant."""
        return rule == self.rule and (element == self.element or fnmatchcase(element, self.element))

    def has_expired(self, today: date) -> bool:
        """Whether it no longer holds."""
        return self.expires is not None and today > self.expires


@frozen
class Settings:
    """All that can be configured; what was not is None or empty."""

    against: tuple[str, ...] = ()
    server: str | None = None
    fail_on: str | None = None
    severity: Mapping[str, str] = field(default_factory=dict)
    ignore: tuple[Ignore, ...] = ()
    origin: str | None = None  #: the file that said so
    allow_missing: bool | None = None


def find(start: Path) -> Path | None:
    """The nearest file that configures checks: in `start` or above it, no further than the top of the repository.

    Raises BadConfig for a file that cannot be read.
    """
    start = start.resolve()
    for folder in (start, *start.parents):
        for name in _FILES:
            if (folder / name).is_file() and _table(folder / name) is not None:
                return folder / name
        if (folder / ".git").exists():
            break
    return None


def read(path: Path) -> Settings:
    """The settings in a file. Raises BadConfig; rule ids are looked at by `check_rules`."""
    found = _table(path)
    if found is None:
        expected = " or ".join(f"[{'.'.join(keys)}]" for keys in dict.fromkeys(_keys_of(path)))
        raise BadConfig(str(path), f"it has no table {expected}")
    values = _checked(found, KEYS, str(path), "")
    return Settings(**{key.replace("-", "_"): value for key, value in values.items()}, origin=str(path))


def check_rules(settings: Settings, known: Collection[str]) -> None:
    """Raises BadConfig for a rule id that is none, with the nearest one."""
    for rule in (*settings.severity, *(one.rule for one in settings.ignore)):
        if rule not in known:
            raise BadConfig(settings.origin or "configuration", f"there is no rule {rule!r}{nearest(rule, known)}")


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean X?`, or nothing."""
    choices = {one.upper(): one for one in known}
    close = difflib.get_close_matches(word.upper(), choices, n=1, cutoff=0.5)
    return f"; did you mean {choices[close[0]]}?" if close else ""


def _keys_of(path: Path) -> Iterable[tuple[str, ...]]:
    return [_FILES[path.name]] if path.name in _FILES else _FILES.values()


def _table(path: Path) -> Any:
    """The table that is about checks, or None."""
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise BadConfig(str(path), error.strerror or str(error)) from None
    if len(data) > _MAX_BYTES:
        raise BadConfig(str(path), f"it is larger than {_MAX_BYTES >> 20} MiB")
    try:
        document = tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise BadConfig(str(path), f"it is no TOML: {error}") from None
    for keys in _keys_of(path):
        found: Any = document
        for key in keys:
            found = found.get(key) if isinstance(found, dict) else None
        if found is not None:
            return found
    return None


# -- what each key holds

_Reader = Callable[[Any, str, str], Any]  #: (value, file, key) to what is kept


def _text(value: Any, file: str, key: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise BadConfig(file, f"{key} must be a text, not {_said(value)}")
    return value


def _texts(value: Any, file: str, key: str) -> tuple[str, ...]:
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list):
        raise BadConfig(file, f"{key} must be a list of texts, not {_said(value)}")
    return tuple(_text(one, file, key) for one in values)


def _one_of(choices: tuple[str, ...]) -> _Reader:
    def chosen(value: Any, file: str, key: str) -> str:
        if value not in choices:
            close = nearest(value, choices) if isinstance(value, str) else ""
            raise BadConfig(file, f"{key} must be one of {', '.join(choices)}, not {_said(value)}{close}")
        return str(value)

    return chosen


def _severities(value: Any, file: str, key: str) -> dict[str, str]:
    if not isinstance(value, dict):
        raise BadConfig(file, f"{key} must be a table of rules, not {_said(value)}")
    return {rule: _one_of(LEVELS)(level, file, f"{key}.{rule}") for rule, level in value.items()}


def _day(value: Any, file: str, key: str) -> date:
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value)
        except ValueError:
            raise BadConfig(file, f"{key} must be a day such as 2027-01-31, not {_said(value)}") from None
    if isinstance(value, datetime) or not isinstance(value, date):
        raise BadConfig(file, f"{key} must be a day such as 2027-01-31, not {_said(value)}")
    return value


def _ignores(value: Any, file: str, key: str) -> tuple[Ignore, ...]:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise BadConfig(file, f"{key} must be a list of tables, not {_said(value)}")
    made = []
    for number, one in enumerate(value):
        where = f"{key}[{number}]"
        values = _checked(one, IGNORE_KEYS, file, where + ".")
        missing = [name for name in ("rule", "element", "reason") if name not in values]
        if missing:
            raise BadConfig(file, f"{where} has no {missing[0]}; it needs a rule, an element ('*' for all) and a reason")
        made.append(Ignore(**values))
    return tuple(made)


def _flag(value: Any, file: str, key: str) -> bool:
    if not isinstance(value, bool):
        raise BadConfig(file, f"{key} must be true or false, not {_said(value)}")
    return value


KEYS: Final[dict[str, _Reader]] = {
    "against": _texts,
    "server": _text,
    "fail-on": _one_of(THRESHOLDS),
    "allow-missing": _flag,
    "severity": _severities,
    "ignore": _ignores,
}
IGNORE_KEYS: Final[dict[str, _Reader]] = {"rule": _text, "element": _text, "reason": _text, "expires": _day}


def _checked(table: Any, keys: Mapping[str, _Reader], file: str, prefix: str) -> dict[str, Any]:
    if not isinstance(table, dict):
        raise BadConfig(file, f"the settings of checks must be a table, not {_said(table)}")
    for key in table:
        if key not in keys:
            raise BadConfig(file, f"there is no key {prefix}{key}{nearest(key, keys)}")
    return {key: keys[key](value, file, f"{prefix}{key}") for key, value in table.items()}


def _said(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
