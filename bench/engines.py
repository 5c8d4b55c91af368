"""The engines: how each is started, and the conversation all have: JSON requests and answers, one a line."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT = Path(__file__).resolve().parent.parent
NATIVE, PYTHON, CONSTRUCT = "native", "python", "construct"
TYPESCRIPT, RUST = "typescript", "rust"
MARSHAL: Final = "marshal"  #: not of this format: what the same objects cost where CPython itself makes them, for rows
ENGINES = (NATIVE, PYTHON, CONSTRUCT, TYPESCRIPT, RUST, MARSHAL)


class EngineFailed(Exception):
    """An engine answered with an error, or went away."""


@dataclass(frozen=True, slots=True)
class Engine:
    name: str
    command: tuple[str, ...]
    folder: Path


def ours(name: str) -> Engine:
    return Engine(name, (sys.executable, "-m", "bench.worker", "--engine", name), ROOT)


class Peer:
    """A running engine with one workload loaded."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self.process = subprocess.Popen(
            engine.command,
            cwd=engine.folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
        )

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if kind is not None:
            self.process.kill()
        self.process.communicate()
        self.errors.close()

    def ask(self, request: Mapping[str, object]) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise EngineFailed(f"exited: {self.last_words()}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise EngineFailed(str(answer["error"]))
        return answer

    def last_words(self) -> str:
        self.process.wait()
        self.errors.seek(0)
        lines = self.errors.read().strip().splitlines()
        return lines[-1] if lines else f"code {self.process.returncode}"

    def load(self, request: Mapping[str, object]) -> None:
        if not self.ask(request)["identical"]:
            raise EngineFailed("what it decoded and encoded again isn't the same bytes")

    def run(self, direction: str, seconds: float) -> list[float]:
        samples: list[float] = self.ask({"op": "run", "direction": direction, "seconds": seconds})["ns"]
        return samples
