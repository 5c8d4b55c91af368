"""The library's engines as a bench peer: a JSON request a line on stdin, a JSON answer a line on stdout.

The garbage collector stays on, and what was decoded is dropped within the time, as in a program that uses the
library. Passes are timed in batches, so that small jobs aren't all clock.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bench.footprint import footprint

SAMPLE = 20_000_000  #: Nanoseconds a batch takes at least.

EngineName = Literal["generated", "construct"]
Functions = tuple[Callable[[bytes], Any], Callable[[Any], bytes]]


@dataclass(slots=True)
class Job:
    decode: Callable[[bytes], Any]
    encode: Callable[[Any], bytes]
    data: bytes
    value: Any
    units: int
    validate: Callable[[Any], Any] | None = None

    def samples(self, direction: str, budget: float) -> list[float]:
        functions = {"decode": self.decode, "encode": self.encode, "validate": self.validate}
        function: Callable[[Any], Any] | None = functions[direction]
        if function is None:
            raise ValueError(f"nothing to {direction}")
        argument = self.data if direction == "decode" else self.value
        end = time.perf_counter_ns() + budget * 1e9
        result = []
        while True:
            passes, start, spent = 0, time.perf_counter_ns(), 0
            while spent < SAMPLE:
                function(argument)
                passes += 1
                spent = time.perf_counter_ns() - start
            result.append(spent / passes / self.units)
            if time.perf_counter_ns() >= end:
                return result


def row_functions(type_file: Path, engine: EngineName) -> Functions:
    import bsatn
    import bsatn.wiretypes  # gives types themselves a layout

    kind = bsatn.Codec(bsatn.AlgebraicType).decode(type_file.read_bytes())
    codec: bsatn.Codec[Any] = bsatn.Codec(kind, engine=engine)
    return codec.decode_many, codec.encode_many


def module_functions(engine: EngineName) -> Functions:
    import bsatn
    from defs.raw import RawModuleDef

    codec: bsatn.Codec[Any] = bsatn.Codec(RawModuleDef, engine=engine)
    return codec.decode, codec.encode


def load(request: dict[str, Any], engine: EngineName) -> Job:
    data = Path(request["data_file"]).read_bytes()
    rows = request["kind"] == "rows"
    decode, encode = row_functions(Path(request["type_file"]), engine) if rows else module_functions(engine)
    job = Job(decode, encode, data, decode(data), request["units"])
    if request["kind"] == "validation":
        from defs.validate import validate

        job.validate = validate
        validate(job.value)  # makes what is made once, and says so if the definition is not valid
    return job


def serve(engine: EngineName) -> None:
    job: Job | None = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request["op"] == "load":
                job = load(request, engine)
                answer: dict[str, object] = {"identical": job.encode(job.value) == job.data}
                gc.collect()
            elif job is None:
                answer = {"error": "nothing loaded"}
            elif request["op"] == "memory":
                answer = footprint(job.decode, job.data)
            else:
                answer = {"ns": job.samples(request["direction"], request["seconds"])}
        except Exception as error:  # noqa: BLE001 - whatever it is, the bench reports it and goes on
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", choices=("generated", "construct"), required=True)
    serve(parser.parse_args().engine)


if __name__ == "__main__":
    main()
