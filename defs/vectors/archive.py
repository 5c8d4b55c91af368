"""The vectors as one archive for other projects: the same files give the same bytes, whoever packs them, and when.

Sorted names, no owner, no times; compressed without a name or a time in the head. Not among the files are the programs and
inputs that made the vectors, nor what a build or an editor left behind.
"""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from defs.vectors.areas import AREAS
from defs.vectors.files import DIGESTS, VectorError
from defs.vectors.generation.ledger import NAME as LEDGER

__all__ = ["ROOT", "archive", "members"]

ROOT = PurePosixPath("vectors")  #: directory in the archive
_TOP = ("README.md", DIGESTS, LEDGER)
_DIRECTORIES = ("schema", "testees")
_LEFT_BEHIND = ("target", "node_modules", "__pycache__", "dist", "build.log")
_LOCKS = ("Cargo.lock", "package-lock.json")


def members(directory: Path) -> list[Path]:
    """The files that belong in it, sorted by name. Raises VectorError where there are no vectors, OSError."""
    if not (directory / DIGESTS).is_file():
        raise VectorError("NoVectors", f"no vectors under {directory}")
    found = [path for name in _TOP if (path := directory / name).is_file()]
    found += [path for area in AREAS for path in (directory / area).glob("*") if path.suffix in (".cbor", ".json")]
    found += [path for name in _DIRECTORIES for path in _sources(directory / name)]
    return sorted(found, key=lambda path: path.relative_to(directory).as_posix())


def _sources(directory: Path) -> Iterator[Path]:
    for path in directory.rglob("*"):
        inside = path.relative_to(directory).parts
        kept = not any(part.startswith(".") or part in _LEFT_BEHIND for part in inside) and path.name not in _LOCKS
        if kept and path.is_file() and not path.is_symlink():
            yield path


def archive(directory: Path) -> bytes:
    """A tar.gz of the files under `vectors/`. Raises VectorError, OSError."""
    packed = io.BytesIO()
    with (
        gzip.GzipFile(filename="", fileobj=packed, mode="wb", compresslevel=9, mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.USTAR_FORMAT) as tar,
    ):
        for path in members(directory):
            data = path.read_bytes()
            told = tarfile.TarInfo(str(ROOT / path.relative_to(directory).as_posix()))
            told.size = len(data)
            told.mode = 0o755 if _is_program(path) else 0o644
            tar.addfile(told, io.BytesIO(data))
    return packed.getvalue()


def _is_program(path: Path) -> bool:
    """Whether it is to be run, by what the file says, as modes do not survive packages and every file system."""
    with path.open("rb") as file:
        return file.read(2) == b"#!"
