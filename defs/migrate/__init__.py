"""May a new definition replace an old one? What the server's planner answers, release by release. (spec: compat)

`plan` raises MigrationErrors with every reason, or gives a plan: its `verdict`, `steps` and `prechecks`. `to_text` prints it as
the server does; `publishing_problems` tells what the planner does not see; `try_migrate` applies a policy.
"""

from __future__ import annotations

from defs.migrate.errors import MigrationError, MigrationErrors
from defs.migrate.planner import MigrationPlan, Verdict, plan
from defs.migrate.policy import (
    BreakClients,
    Compatible,
    MigrationPolicy,
    MigrationPolicyError,
    migration_token,
    try_migrate,
)
from defs.migrate.printing import CannotPrint, to_text
from defs.migrate.problems import Problem, publishing_problems
from defs.migrate.releases import UnknownRelease
from defs.migrate.steps import STEPS, Precheck, Step

__all__ = [
    "STEPS",
    "BreakClients",
    "CannotPrint",
    "Compatible",
    "MigrationError",
    "MigrationErrors",
    "MigrationPlan",
    "MigrationPolicy",
    "MigrationPolicyError",
    "Precheck",
    "Problem",
    "Step",
    "UnknownRelease",
    "Verdict",
    "migration_token",
    "plan",
    "publishing_problems",
    "to_text",
    "try_migrate",
]
