"""What holds for all tests."""

from __future__ import annotations

import signal

from hypothesis import settings

# How long an example takes depends on the machine and on what else it does, so it decides nothing.
settings.register_profile("without deadlines", deadline=None)
settings.load_profile("without deadlines")

# A shell that starts the tests in the background has them ignore Ctrl-C, and all that they start; some tests press it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
