"""What holds for all tests."""

from __future__ import annotations

from hypothesis import settings

# How long an example takes depends on the machine and on what else it does, so it decides nothing.
settings.register_profile("without deadlines", deadline=None)
settings.load_profile("without deadlines")
