"""Hypothesis strategies for module definitions, for tests of whatever reads, validates or converts them.

    from hypothesis import given
    from defs import testing

    @given(testing.valid_definitions(version=10))
    def test_my_tool(definition):
        ...

`valid_definitions` makes definitions that validate, without trying: each draws its parts so that all rules hold. Those of
version 10 use every section. `nearly_valid_definitions` breaks a few things in one, each as a row of `FAULTS` says.

Needs the package hypothesis, which is not installed with bsatn.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from hypothesis import strategies as st

from defs.raw import RawModuleDef
from defs.testing.faults import FAULTS, Fault, break_once
from defs.testing.older import to_v8, to_v9
from defs.testing.valid import definitions_v10

__all__ = ["FAULTS", "Fault", "nearly_valid_definitions", "valid_definitions"]

Version: TypeAlias = Literal[8, 9, 10]

_MAKERS: dict[Version, st.SearchStrategy[RawModuleDef]] = {
    10: definitions_v10(10),
    9: definitions_v10(9).flatmap(to_v9),
    8: definitions_v10(8).flatmap(to_v8),
}


def valid_definitions(version: Version | None = 10) -> st.SearchStrategy[RawModuleDef]:
    """Definitions of a version that validate; of any version when it is None."""
    return st.one_of(*_MAKERS.values()) if version is None else _MAKERS[version]


@st.composite
def nearly_valid_definitions(draw: st.DrawFn, version: Version | None = 10, max_faults: int = 3) -> RawModuleDef:
    """Valid definitions with one to `max_faults` faults in them; most do not validate, some still do."""
    definition = draw(valid_definitions(version))
    for _ in range(draw(st.integers(1, max_faults))):
        definition = break_once(draw, definition)
    return definition
