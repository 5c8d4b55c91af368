"""What the planner of each release could do, as data: everything is declared with the release that added it. (spec: compat 0)

Steps and errors carry `since` themselves (see `defs.migrate.steps`, `defs.migrate.errors`); the comparisons that have neither
are the `RULES` here. What a release does not know it does not compare, unless an error stood in its place: see `BEFORE` in
`defs.migrate.planner`.
"""

from __future__ import annotations

from typing import Any, Final

from bsatn.errors import BsatnError
from bsatn.frozen import frozen
from defs.releases import Release, release_named

__all__ = ["NEWEST", "RULES", "Profile", "Rule", "UnknownRelease", "version_of"]

NEWEST: Final = "2.14.0"
OLDEST: Final = "1.0.0"


class UnknownRelease(BsatnError):
    """It is no release whose planner is known here: the kind is `UnknownRelease`."""

    def __init__(self, release: str) -> None:
        message = f"{release!r} is no release between {OLDEST} and {NEWEST}, such as 2.8.2 or 2.7.0-hotfix2"
        super().__init__("UnknownRelease", message, release=release)


@frozen
class Rule:
    """A comparison that is neither a step nor an error of its own."""

    since: str
    about: str


@frozen
class Rules:
    """The rules by name."""

    RLS_DISCONNECTS: Rule = Rule("1.8.0", "a different set of row-level security rules disconnects clients")
    VIEW_KEYS: Rule = Rule("2.5.0", "a view whose primary key differs is another view")
    ACCESSOR_PATHS: Rule = Rule("2.12.0", "a submodule mounted under another accessor name changes the names of what is in it")


RULES: Final = Rules()


def version_of(release: str) -> Release:
    """The numbers of a release. Raises UnknownRelease for anything else, candidates among it: nobody asked their planners."""
    try:
        found = release_named(release)
    except ValueError:
        raise UnknownRelease(release) from None
    if found.is_candidate:
        raise UnknownRelease(release)
    return found


class Profile:
    """What one release's planner knows. Raises UnknownRelease for one before 1.0.0 or after the newest."""

    def __init__(self, release: str = NEWEST) -> None:
        self.release = release
        self._version = version_of(release)
        if not version_of(OLDEST) <= self._version <= version_of(NEWEST):
            raise UnknownRelease(release)

    def has(self, thing: Any) -> bool:
        """Whether the release has a step, an error or a rule: anything with `since`, the first release that has it."""
        return version_of(thing.since) <= self._version
