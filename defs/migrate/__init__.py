"""May a new definition replace an old one? What the server's planner answers, release by release. (spec: compat)

`plan` raises MigrationErrors with every reason, or gives a plan: its `verdict`, `steps` and `prechecks`. `to_text` prints it as
the server does; `publishing_problems` tells what the planner does not see; `try_migrate` applies a policy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from defs.lazy import lazily

if TYPE_CHECKING:
    from defs.migrate.errors import MigrationError as MigrationError
    from defs.migrate.errors import MigrationErrors as MigrationErrors
    from defs.migrate.planner import MigrationPlan as MigrationPlan
    from defs.migrate.planner import Verdict as Verdict
    from defs.migrate.planner import plan as plan
    from defs.migrate.policy import BreakClients as BreakClients
    from defs.migrate.policy import Compatible as Compatible
    from defs.migrate.policy import MigrationPolicy as MigrationPolicy
    from defs.migrate.policy import MigrationPolicyError as MigrationPolicyError
    from defs.migrate.policy import migration_token as migration_token
    from defs.migrate.policy import try_migrate as try_migrate
    from defs.migrate.printing import CannotPrint as CannotPrint
    from defs.migrate.printing import to_text as to_text
    from defs.migrate.problems import Problem as Problem
    from defs.migrate.problems import publishing_problems as publishing_problems
    from defs.migrate.releases import UnknownRelease as UnknownRelease
    from defs.migrate.steps import STEPS as STEPS
    from defs.migrate.steps import Precheck as Precheck
    from defs.migrate.steps import Step as Step

_HOME = {
    "errors": "MigrationError MigrationErrors",
    "planner": "MigrationPlan Verdict plan",
    "policy": "BreakClients Compatible MigrationPolicy MigrationPolicyError migration_token try_migrate",
    "printing": "CannotPrint to_text",
    "problems": "Problem publishing_problems",
    "releases": "UnknownRelease",
    "steps": "STEPS Precheck Step",
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names.split()}

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

__getattr__, __dir__ = lazily(__name__, _MODULE_OF)
