"""May a plan be carried out: the policy of whoever publishes, and the token that shows they saw the plan. (spec: compat 5.1)"""

from __future__ import annotations

import hmac
from typing import TypeAlias

from bsatn.errors import BsatnError
from bsatn.frozen import frozen
from defs.keccak import keccak_256
from defs.migrate.errors import MigrationErrors
from defs.migrate.planner import MigrationPlan, plan
from defs.migrate.releases import NEWEST
from defs.schema.model import ModuleDef

__all__ = ["BreakClients", "Compatible", "MigrationPolicy", "MigrationPolicyError", "migration_token", "try_migrate"]

_MESSAGES = {
    "AutoMigrateFailure": "Automatic migration planning failed",
    "InvalidToken": "Token provided is invalid or does not match expected hash",
    "ClientBreakingChangeDisallowed": (
        "Migration plan contains a client-breaking change which is disallowed under current policy"
    ),
}


class MigrationPolicyError(BsatnError):
    """The publish is refused.

    Kinds: `AutoMigrateFailure` (then `errors` says why), `InvalidToken`, `ClientBreakingChangeDisallowed`.
    """

    def __init__(self, kind: str, errors: MigrationErrors | None = None) -> None:
        self.errors = errors
        super().__init__(kind, _MESSAGES[kind])


@frozen
class Compatible:
    """Clients must go on working: a plan that disconnects them is refused."""


@frozen
class BreakClients:
    """Clients may break, for whoever has the token of this very update: 32 bytes."""

    token: bytes


MigrationPolicy: TypeAlias = Compatible | BreakClients


def migration_token(database_identity: bytes, old_program_hash: bytes, new_program_hash: bytes) -> bytes:
    """The token of an update, 32 bytes.

    All three are 32 bytes: the identity big-endian, as it is displayed; Keccak-256 hashes of the programs. Raises ValueError
    for another length.
    """
    parts = (database_identity, old_program_hash, new_program_hash)
    if any(len(part) != 32 for part in parts):
        raise ValueError(f"an identity and two hashes of 32 bytes each, not {', '.join(str(len(part)) for part in parts)}")
    return keccak_256("".join(part.hex() for part in parts).encode("ascii"))


def try_migrate(
    database_identity: bytes,
    old_program_hash: bytes,
    old: ModuleDef,
    new_program_hash: bytes,
    new: ModuleDef,
    policy: MigrationPolicy,
    *,
    release: str = NEWEST,
) -> MigrationPlan:
    """The plan, when the policy allows it. Raises MigrationPolicyError.

    Planning comes first, and a token is looked at even when the plan breaks nothing.
    """
    try:
        planned = plan(old, new, release=release)
    except MigrationErrors as errors:
        raise MigrationPolicyError("AutoMigrateFailure", errors) from None
    if isinstance(policy, Compatible):
        if planned.breaks_client:
            raise MigrationPolicyError("ClientBreakingChangeDisallowed")
    elif not hmac.compare_digest(policy.token, migration_token(database_identity, old_program_hash, new_program_hash)):
        raise MigrationPolicyError("InvalidToken")
    return planned
