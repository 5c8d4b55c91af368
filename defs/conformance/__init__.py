"""Conformance: any implementation, in any language, asked the golden vectors by the testee protocol.

    from defs.conformance import Testee

    with Testee("node testee.js") as testee:
        print(testee.hello().name)
        testee.ask("value.decode", {"type": bytes([11]), "bytes": bytes(4)})

`asking` is what a question is, `process` asks a program, `checks` says what the answers to a case must be, `running` judges
all cases, `expected` knows which failures are known, `reports` prints, `board` compares runs; `fuzzing` asks what no vector
asks, and `shrinking` makes a question small. Names load on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from defs.lazy import lazily

if TYPE_CHECKING:
    from defs.conformance.asking import Ask as Ask
    from defs.conformance.asking import Crashed as Crashed
    from defs.conformance.asking import Difference as Difference
    from defs.conformance.asking import Skipped as Skipped
    from defs.conformance.asking import in_process as in_process
    from defs.conformance.fuzzing import Fuzz as Fuzz
    from defs.conformance.fuzzing import Options as Options
    from defs.conformance.fuzzing import fuzz as fuzz
    from defs.conformance.process import BadTestee as BadTestee
    from defs.conformance.process import Hello as Hello
    from defs.conformance.process import Testee as Testee
    from defs.conformance.proposals import propose as propose
    from defs.conformance.running import Result as Result
    from defs.conformance.running import Run as Run
    from defs.conformance.running import judge as judge
    from defs.conformance.running import run as run
    from defs.conformance.shrinking import Budget as Budget
    from defs.conformance.shrinking import shrink as shrink

_HOME = {
    "Ask": "asking",
    "BadTestee": "process",
    "Budget": "shrinking",
    "Crashed": "asking",
    "Difference": "asking",
    "Fuzz": "fuzzing",
    "Hello": "process",
    "Options": "fuzzing",
    "Result": "running",
    "Run": "running",
    "Skipped": "asking",
    "Testee": "process",
    "fuzz": "fuzzing",
    "in_process": "asking",
    "judge": "running",
    "propose": "proposals",
    "run": "running",
    "shrink": "shrinking",
}
__all__ = [*_HOME]

__getattr__, __dir__ = lazily(__name__, _HOME)
