"""Making the vectors: inputs from declarations and seeds, answers from the published crates, files from both.

`programs` builds and asks the Rust programs under `vectors/generator`; a module an area makes inputs and turns answers into
cases; `groups` gathers them, `ledger` names them. Nothing here answers a question that the crates do answer.
"""

from __future__ import annotations

from defs.vectors.generation.groups import check, generate

__all__ = ["check", "generate"]
