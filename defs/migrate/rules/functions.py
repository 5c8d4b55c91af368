"""Promises to callers of reducers and procedures; the server looks at none of them. (spec: compat 4.5, 7.1)

A caller sends a name and the arguments' bytes one after another. Nothing in them says which parameter they are of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from defs.migrate.rules.comparison import Comparison, Function, Pair, Paired, is_callable
from defs.migrate.rules.model import Hit, rule
from defs.migrate.rules.texts import listed
from defs.migrate.rules.uses import Use
from defs.migrate.rules.wire import BREAKING, ENUM
from defs.schema.model import ReducerDef

__all__: list[str] = []

_CALL = "A caller that was generated before calls it by name, and gets an error."
_KEEP = "Keep it, and let it do nothing; or add the new one beside it and remove this one when no client calls it any more."
_BYTES = (
    "Arguments are sent as bytes, one after another, without names or types. The server does not compare parameters when it "
    "publishes, so a caller that was generated before goes on sending the old ones: too few bytes are an error; bytes left "
    "over are ignored by Rust and TypeScript modules, and an error in C# ones; the rest is taken for what it is not."
)
_NEW_NAME = "Give the changed function a new name, and keep the old one until no client calls it."
_NAMES = (
    "Calls in BSATN are by position and do not notice. Calls in JSON that name their arguments are refused: unknown and "
    "missing names are errors. Generated code changes."
)


def _gone(functions: Paired[Any]) -> Iterator[Hit]:
    for one in functions.removed():
        if is_callable(one.item):
            yield Hit(one.path(), None, one.element, f"{one.noun} `{one.item.name}` is gone")


def _private(functions: Paired[Any]) -> Iterator[Hit]:
    for pair in functions.both:
        old, new = pair.items
        if is_callable(old) and not is_callable(new):
            lifecycle = isinstance(new, ReducerDef) and new.lifecycle is not None
            reason = "is called by the server only" if lifecycle else "is private"
            yield Hit(*pair.paths(), pair.element, f"clients could call `{old.name}`, which {reason} now")


def called(functions: Paired[Any]) -> Iterator[Pair[Function]]:
    """Functions that clients call before and after."""
    return (pair for pair in functions.both if all(map(is_callable, pair.items)))


def _params(both: Comparison, functions: Paired[Any]) -> Iterator[Hit]:
    for pair in called(functions):
        use = Use.of_params(pair)
        found = [one for one in use.differences(both) if one.kind in BREAKING - ENUM]
        if found:
            message = f"takes {use.read.text} where it took {use.written.text}"
            yield use.hit(both, found, message, "the arguments of an old caller, as the new module reads them")


def _param_names(both: Comparison, functions: Paired[Any]) -> Iterator[Hit]:
    for pair in called(functions):
        if any(one.kind in BREAKING for one in Use.of_params(pair).differences(both)):
            continue
        old, new = pair.items
        accepted = [{one.name for one in part} for part in zip(new.params, new.source_params, strict=True)]
        lost = [f"`{one.name}`" for one, names in zip(old.params, accepted, strict=False) if one.name not in names]
        if lost and len(old.params.elements) == len(new.params.elements):
            yield Hit(*pair.paths(), pair.element, f"no parameter is called {listed(lost)} any more")


Parts = dict[str, Callable[[Comparison], Paired[Any]]]
_OF: Final[Parts] = {"REDUCER": lambda both: both.reducers, "PROCEDURE": lambda both: both.procedures}


def _declare(prefix: str) -> None:
    """The rules of one kind of function: reducers and procedures promise the same."""
    functions, noun = _OF[prefix], prefix.lower()
    common: dict[str, Any] = {"axis": "client"}

    rule(
        f"{prefix}_NO_REMOVE",
        f"A {noun} that clients call stays",
        severity="error",
        why=_CALL,
        fix=_KEEP,
        upgrade_first="clients",
        **common,
    )(lambda both: _gone(functions(both)))
    rule(
        f"{prefix}_STAYS_CALLABLE",
        f"A {noun} that clients call stays open to them",
        severity="error",
        why=f"Clients get the answer that there is no such {noun}, unless they are the owner's. {_KEEP_PRIVATE}",
        fix="Make it callable again, and move what must be private into another function.",
        upgrade_first="clients",
        **common,
    )(lambda both: _private(functions(both)))
    rule(
        f"{prefix}_SAME_PARAMS",
        f"A {noun}'s parameters keep their number, order and types",
        severity="error",
        why=_BYTES,
        fix=_NEW_NAME,
        upgrade_first="lock-step",
        **common,
    )(lambda both: _params(both, functions(both)))
    rule(
        f"{prefix}_PARAM_NAMES_SAME",
        f"A {noun}'s parameters keep their names",
        severity="warning",
        why=_NAMES,
        fix="Keep the names, or call by position.",
        upgrade_first="either",
        **common,
    )(lambda both: _param_names(both, functions(both)))


_KEEP_PRIVATE = "A function that the server calls itself, at the start, on connections or by a schedule, is private."

for _prefix in _OF:
    _declare(_prefix)


@rule(
    "PROCEDURE_SAME_RETURN",
    "A procedure's result keeps its type",
    axis="client",
    severity="error",
    why="The caller reads the result's bytes as the type that it was generated with. The server does not compare results.",
    fix=_NEW_NAME,
    upgrade_first="lock-step",
)
def results(both: Comparison) -> Iterator[Hit]:
    """Procedures that return something else; what a reducer returns is always the same."""
    for pair in called(both.procedures):
        use = Use.of_result(pair)
        found = [one for one in use.differences(both) if one.kind in BREAKING - ENUM]
        if found:
            message = f"returns {use.written.text} where it returned {use.read.text}"
            yield use.hit(both, found, message, "a result of the new module, as an old caller reads it")
