"""The library's engines as a bench peer: a JSON request a line on stdin, a JSON answer a line on stdout.

The garbage collector stays on, and what was decoded is dropped within the time, as in a program that uses the
library. Passes are timed in batches, so that small jobs aren't all clock.

The engine `marshal` is CPython's own reader and writer of its own format, with the collector off: what objects like those of
the rows cost it.
"""

from __future__ import annotations

import argparse
import gc
import json
import marshal
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from bench.engines import MARSHAL
from bench.footprint import column_footprint, footprint, fresh, held

SAMPLE = 20_000_000  #: Nanoseconds a batch takes at least.

EngineName = Literal["native", "python", "construct"]
MARSHAL_VERSION = 2  #: strings as UTF-8, floats as bytes, nothing shared
Functions = tuple[Callable[[bytes], Any], Callable[[Any], bytes], Callable[[bytes], Any] | None]


@dataclass(slots=True)
class Job:
    decode: Callable[[bytes], Any]
    encode: Callable[[Any], bytes]
    data: bytes
    value: Any
    units: int
    validate: Callable[[Any], Any] | None = None
    columns: Callable[[bytes], Any] | None = None

    def is_identical(self) -> bool:
        return bool(self.encode(self.value) == self.data)

    def samples(self, direction: str, budget: float) -> list[float]:
        functions = {"decode": self.decode, "encode": self.encode, "validate": self.validate, "columns": self.columns}
        function: Callable[[Any], Any] | None = functions[direction]
        if function is None:
            raise ValueError(f"nothing to {direction}")
        argument = self.data if direction in ("decode", "columns") else self.value
        return timed(partial(function, argument), self.units, budget)

    def memory(self) -> dict[str, object]:
        return footprint(self.decode, self.data)


@dataclass(slots=True)
class LogJob:
    """Reading a commit log in three ways: commits with their checksums, records with their rows, the state they leave."""

    directory: Path
    transactions: int
    units: int

    def is_identical(self) -> bool:
        return self.walk() == self.verify() == self.replay() == self.transactions

    def samples(self, direction: str, budget: float) -> list[float]:
        return timed({"walk": self.walk, "verify": self.verify, "replay": self.replay}[direction], self.units, budget)

    def walk(self) -> int:
        from defs.store.commitlog import Commit, read_commits

        return sum(commit.n for commit in read_commits(self.directory) if isinstance(commit, Commit))

    def verify(self) -> int:
        from defs.store.verifying import verify

        found = verify(self.directory)
        return 0 if found.faults else found.transactions

    def replay(self) -> int:
        from defs.store.replay import replay

        return replay(self.directory).next_tx_offset

    def memory(self) -> dict[str, object]:
        """The most that this process has held: to be asked before it has done anything else."""
        self.verify()
        return {"peak": held() // 1024}


@dataclass(slots=True)
class ColumnJob:
    """Many rows to be read into columns, once, to see how much memory that takes."""

    columns: Callable[[bytes], Any]
    data: bytes

    def is_identical(self) -> bool:
        return True

    def samples(self, direction: str, budget: float) -> list[float]:
        raise ValueError(f"columns are only weighed, there is nothing to {direction}")

    def memory(self) -> dict[str, object]:
        return column_footprint(self.columns, self.data)


def timed(function: Callable[[], object], units: int, budget: float) -> list[float]:
    """Nanoseconds per unit, of batches of passes, for so many seconds."""
    end = time.perf_counter_ns() + budget * 1e9
    result = []
    while True:
        passes, start, spent = 0, time.perf_counter_ns(), 0
        while spent < SAMPLE:
            function()
            passes += 1
            spent = time.perf_counter_ns() - start
        result.append(spent / passes / units)
        if time.perf_counter_ns() >= end:
            return result


def row_functions(type_file: Path, engine: EngineName) -> Functions:
    import bsatn
    import bsatn.wiretypes  # gives types themselves a layout

    kind = bsatn.Codec(bsatn.AlgebraicType).decode(type_file.read_bytes())
    codec: bsatn.Codec[Any] = bsatn.Codec(kind, engine=engine)
    return codec.decode_many, codec.encode_many, codec.decode_columns


def marshal_job(type_file: Path, data: bytes, units: int) -> Job:
    """The rows as plain objects, and the bytes of these."""
    decode = row_functions(type_file, "python")[0]

    def encode(rows: Any) -> bytes:
        return marshal.dumps(rows, MARSHAL_VERSION)

    rows = fresh(decode(data))
    gc.disable()
    return Job(marshal.loads, encode, encode(rows), rows, units)


def module_functions(engine: EngineName) -> Functions:
    import bsatn
    from defs.raw import RawModuleDef

    codec: bsatn.Codec[Any] = bsatn.Codec(RawModuleDef, engine=engine)
    return codec.decode, codec.encode, None


def load(request: dict[str, Any], engine: EngineName | None) -> Job | LogJob | ColumnJob:
    if request["kind"] == "log":
        return LogJob(Path(request["data_file"]), request["transactions"], request["units"])
    data = Path(request["data_file"]).read_bytes()
    if engine is None:
        return marshal_job(Path(request["type_file"]), data, request["units"])
    if request.get("repeat"):
        columns = row_functions(Path(request["type_file"]), engine)[2]
        assert columns is not None
        return ColumnJob(columns, data * request["repeat"])
    rows = request["kind"] == "rows"
    decode, encode, columns = row_functions(Path(request["type_file"]), engine) if rows else module_functions(engine)
    job = Job(decode, encode, data, decode(data), request["units"], columns=columns)
    if request["kind"] == "validation":
        from defs.validate import validate

        job.validate = validate
        validate(job.value)  # makes what is made once, and says so if the definition is not valid
    return job


def serve(engine: EngineName | None) -> None:
    """Without an engine of ours, marshal."""
    job: Job | LogJob | ColumnJob | None = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request["op"] == "load":
                job = load(request, engine)
                answer: dict[str, object] = {"identical": bool(request.get("unchecked")) or job.is_identical()}
                gc.collect()
            elif job is None:
                answer = {"error": "nothing loaded"}
            elif request["op"] == "memory":
                answer = job.memory()
            else:
                answer = {"ns": job.samples(request["direction"], request["seconds"])}
        except Exception as error:  # noqa: BLE001 - whatever it is, the bench reports it and goes on
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", choices=("native", "python", "construct", MARSHAL), required=True)
    engine: EngineName | Literal["marshal"] = parser.parse_args().engine
    if engine == MARSHAL:
        serve(None)
    else:
        os.environ["BSATN_ENGINE"] = engine  # for the codecs within the library
        serve(engine)


if __name__ == "__main__":
    main()
