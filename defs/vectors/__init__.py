"""Golden vectors: what the published crates answer, as files for the authors of an implementation in any language.

The files are under `vectors/`; `areas` declares what there is, `files` is the format, `lint` says whether files are as they
were generated, `verify` whether this library agrees with them, and `generation` makes them. `bsatn vectors` is the command.
"""

from __future__ import annotations

from defs.vectors.areas import AREAS, FLAGS, Area
from defs.vectors.files import Case, VectorError, VectorFile, default_directory, read_all
from defs.vectors.lint import lint
from defs.vectors.verify import Report, verify

__all__ = [
    "AREAS", "FLAGS", "Area", "Case", "Report", "VectorError", "VectorFile", "default_directory", "lint", "read_all", "verify",
]  # fmt: skip
