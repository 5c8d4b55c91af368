"""The promises that a new definition has to keep to clients and to stored rows. (spec: compat 7)

from defs.migrate.rules import client_findings, explain

for finding in client_findings(old, new):
    print(finding.rule.severity, finding.rule.id, finding.hit.element, finding.hit.message)
    if finding.hit.witness:
        print(finding.hit.witness.bytes, "is read as", finding.hit.witness.read_as)
print(explain("REDUCER_SAME_PARAMS"))
"""

from __future__ import annotations

from importlib import import_module
from typing import Final

from defs.migrate.rules.model import RULES, Hit, Rule, RuleFinding, Witness
from defs.migrate.rules.running import UnknownRule, client_findings, explain

__all__ = ["RULES", "Hit", "Rule", "RuleFinding", "UnknownRule", "Witness", "client_findings", "explain"]

#: Modules that declare rules, in the order of `RULES`.
_DECLARING: Final = ("functions", "relations", "rows", "stored", "enums", "names", "rest")

for _name in _DECLARING:
    import_module(f"defs.migrate.rules.{_name}")
