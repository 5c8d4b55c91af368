"""Names of SpacetimeDB's releases, as numbers that compare: `2.4`, `v2.12.0`, `2.0.0-rc1`, `2.7.0-hotfix2`."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

__all__ = ["Release", "release_named"]

_FORM = re.compile(r"v?(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4})(?:-(rc|hotfix)(\d{1,4})(?:\.(\d{1,4}))?)?)?", re.ASCII)
_STAGES = {"rc": -1, None: 0, "hotfix": 1}


class Release(NamedTuple):
    """A release; candidates stand before what they are for, hotfixes after it."""

    major: int
    minor: int
    patch: int
    stage: int  #: -1 a candidate, 0 the release, 1 a hotfix
    number: int  #: of the candidate or the hotfix
    fix: int

    @property
    def is_candidate(self) -> bool:
        """Whether the release was still to come."""
        return self.stage < 0


@lru_cache(1024)
def release_named(text: str) -> Release:
    """The release that a text names. Raises ValueError for what is not written like one."""
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError(text)
    major, minor, patch, stage, number, fix = found.groups()
    return Release(int(major), int(minor), int(patch or 0), _STAGES[stage], int(number or 0), int(fix or 0))
