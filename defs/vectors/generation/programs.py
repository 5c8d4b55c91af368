"""The Rust programs: built once a release, outside the tree, and asked over JSON lines.

A program that dies of a question (the reference overflows its stack on some) or takes too long is started again, and the
answer is `{"crashed": ...}`; answers keep the order of the questions.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from defs.vectors.files import VectorError
from defs.vectors.generation.releases import NEWEST, RELEASES

__all__ = ["ENGINE", "Answer", "Programs"]

Answer: TypeAlias = dict[str, Any]
TIMEOUT = 5.0  #: seconds for one answer
ENGINE = "engine"  #: the program over the datastore and the commit log
_NEWEST_ONLY = {None: "answers", ENGINE: ENGINE}
_PLACEHOLDER = f'"={NEWEST}"'


def _say(text: str) -> None:
    sys.stderr.write(f"bsatn: {text}\n")
    sys.stderr.flush()


class Programs:
    """Asks the crates. `source` is vectors/generator; `build` a directory to build in, kept from one run to the next."""

    def __init__(self, source: Path, build: Path | None = None) -> None:
        self.source = source
        self.build = build or Path(os.environ.get("BSATN_VECTORS_BUILD") or Path(tempfile.gettempdir()) / "bsatn-vectors-build")
        self._built: dict[str, Path] = {}

    def ask(self, release: str | None, questions: Iterable[Answer]) -> list[Answer]:
        """Answers of a release of spacetimedb-lib to its layouts, or for None of everything in the newest; of ENGINE, about
        logs and transactions."""
        program = self._program(release)
        lines = [json.dumps(question) for question in questions]
        answers: list[Answer] = []
        while len(answers) < len(lines):
            answers += _run(program, lines[len(answers) :])
            if len(answers) < len(lines):
                answers.append({"crashed": "the process ended"})
        return answers

    def build_all(self) -> None:
        """Build every program, the longest first."""
        for release in (None, ENGINE, *RELEASES):
            self._program(release)

    def _program(self, release: str | None) -> Path:
        name = _NEWEST_ONLY.get(release, f"layouts-{release}")
        if name not in self._built:
            self._built[name] = self._compile(name, None if release in _NEWEST_ONLY else release)
        return self._built[name]

    def _compile(self, name: str, release: str | None) -> Path:
        cargo = shutil.which("cargo")
        if cargo is None:
            raise VectorError("NoCargo", "`cargo` is not there: install Rust (rustup.rs) to ask the published crates")
        if not (self.source / "common.rs").is_file():
            raise VectorError("NoGenerator", f"the programs are not under {self.source}")
        package = name.partition("-")[0]
        place = self.build / name
        program, stamp = place / "program", place / "stamp"
        if program.is_file() and stamp.is_file() and stamp.read_text("utf-8") == self._digest(package):
            return program
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(self.source / package, place / package, ignore=shutil.ignore_patterns("target", "Cargo.lock"))
        shutil.copy(self.source / "common.rs", place)
        manifest = place / package / "Cargo.toml"
        pinned = manifest.read_text("utf-8").replace(_PLACEHOLDER, f'"={release or NEWEST}"')
        manifest.write_text(pinned, "utf-8")
        number = f"{len(self._built) + 1} of {len(RELEASES) + 2}"
        _say(f"building {name} ({number} at most; the first ones take minutes)")
        target = self.build / "target"
        done = subprocess.run(
            [cargo, "build", "--ignore-rust-version", "--quiet"],
            cwd=place / package,
            env={**os.environ, "CARGO_TARGET_DIR": str(target)},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            reasons = [line for line in done.stderr.splitlines() if line.strip()]
            raise VectorError("BuildFailed", f"cargo could not build {name}: " + "; ".join(reasons[-5:]))
        shutil.copy(target / "debug" / (package + (".exe" if os.name == "nt" else "")), program)
        stamp.write_text(self._digest(package), "utf-8")
        return program

    def _digest(self, package: str) -> str:
        """Of the sources: a program is built again when they change."""
        files = [
            self.source / "common.rs",
            *sorted((self.source / package).rglob("*.rs")),
            self.source / package / "Cargo.toml",
        ]
        return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def _run(program: Path, lines: Sequence[str]) -> list[Answer]:
    """The answers up to the one that the program dies of."""
    process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                               encoding="utf-8")  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    watch: threading.Timer | None = None
    answers: list[Answer] = []
    try:
        for line in lines:
            watch = threading.Timer(TIMEOUT, process.kill)
            watch.start()
            try:
                process.stdin.write(line + "\n")
                process.stdin.flush()
                reply = process.stdout.readline()
            except BrokenPipeError:
                break
            watch.cancel()
            if not reply.endswith("\n"):
                break
            answers.append(json.loads(reply))
    finally:
        if watch is not None:
            watch.cancel()
        process.kill()
        process.stdout.close()
        process.wait()
    return answers
