"""Findings of clients that stay the same whatever the rules say, so that what is tested here is what is made of them."""

from __future__ import annotations

import hashlib
from importlib import import_module
from pathlib import Path

import pytest

from defs.migrate import checking
from defs.migrate.rules.model import Hit, Rule, RuleFinding, Witness
from defs.schema.model import ModuleDef

LOUD = Rule("TABLE_NO_SHRINK", "A table stays as it is", "client", "warning", "Clients read it.", "Leave it.", "server")
SILENT = Rule("REDUCER_SAME_ARGS", "A reducer takes what it took", "client", "error", "It is called.", "Rename it.", "clients")
WITNESS = Witness("U32", "old", "7", "07000000", '"\\u0007"', "an argument, as the new module reads it", True)
RULES = {rule.id: rule for rule in (LOUD, SILENT)}


def params(module: ModuleDef, reducer: str) -> list[str | None]:
    return [param.name for param in module.reducers[reducer].params.elements]


def fake_findings(old: ModuleDef, new: ModuleDef, *, release: str) -> tuple[RuleFinding, ...]:
    """A loud one for each table with more columns, a silent one for each reducer that takes something else."""
    del release
    both = [(name, old.tables[name], table) for name, table in new.tables.items() if name in old.tables]
    grown = [name for name, before, after in both if len(after.columns) > len(before.columns)]
    other = [name for name in new.reducers if name in old.reducers and params(new, name) != params(old, name)]
    return (
        *(RuleFinding(LOUD, Hit(("tables", n), ("tables", n), f"table {n}", f"`{n}` has more <columns>")) for n in grown),
        *(RuleFinding(SILENT, Hit(("reducers", n), ("reducers", n), f"reducer {n}", f"`{n}` differs", WITNESS)) for n in other),
    )


def fake_fingerprint(module: ModuleDef) -> str:
    """Of the names of tables and their columns."""
    names = [(name, [column.name for column in table.columns]) for name, table in module.tables.items()]
    return hashlib.sha256(repr(names).encode()).hexdigest()


@pytest.fixture(autouse=True)
def _fixed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parents[4])
    monkeypatch.setattr(checking, "client_findings", fake_findings)
    monkeypatch.setattr(import_module("defs.migrate.fingerprint"), "fingerprint", fake_fingerprint)
    monkeypatch.setattr(checking, "RULES", RULES)
