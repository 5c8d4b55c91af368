"""A workload: bytes, the type they are read at, how many rows or tables they hold. The same in every run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Literal

from bench import definitions, logs, rows

Family = Literal["fixed", "variable", "module", "validation", "log"]

SEED = 20_250_101
ROWS, QUICK_ROWS = 10_000, 1_000
TABLES = (10, 100, 1_000)
QUICK_TABLES = (10, 100)
FEW_TABLES, MANY_TABLES, QUICK_MANY_TABLES = 100, 10_000, 1_000
LOG_SIZE, QUICK_LOG_SIZE = 10_000_000, 1_000_000
MANY_LOG_BYTES, QUICK_MANY_LOG_BYTES = 100_000_000, 4_000_000
VALIDATED_TABLES, QUICK_VALIDATED_TABLES = (100, 1_000), (10, 100)


@dataclass(frozen=True, slots=True)
class Workload:
    name: str
    family: Family
    unit: Literal["row", "table", "byte"]
    units: int
    type: bytes
    make: Callable[[], bytes]

    def write(self, folder: Path) -> dict[str, object]:
        """The request that has an engine load this workload; its bytes are written where it can read them."""
        type_file, data_file = folder / f"{self.name}.type", folder / f"{self.name}.bsatn"
        type_file.write_bytes(self.type)
        data_file.write_bytes(self.make())
        kind = self.family if self.family in ("module", "validation") else "rows"
        files = {"type_file": str(type_file), "data_file": str(data_file)}
        return {"op": "load", "kind": kind, "units": self.units, **files}


def workloads(*, quick: bool = False, row_count: int | None = None) -> Iterator[Workload]:
    count = row_count or (QUICK_ROWS if quick else ROWS)
    for name, (kind, row) in rows.FIXED_WIDTH.items():
        yield Workload(name, "fixed", "row", count, kind, row_buffer(name, row, count))
    for name, (kind, row) in rows.VARIABLE_WIDTH.items():
        yield Workload(name, "variable", "row", count, kind, row_buffer(name, row, count))
    for tables in QUICK_TABLES if quick else TABLES:
        yield module(tables)


def row_buffer(name: str, row: Callable[[Random], bytes], count: int) -> Callable[[], bytes]:
    def make() -> bytes:
        random = Random(f"{SEED} {name}")
        return b"".join(row(random) for _ in range(count))

    return make


def module(tables: int) -> Workload:
    return Workload(f"module-{tables}", "module", "table", tables, b"", lambda: definitions.definition(tables))


def validation(tables: int) -> Workload:
    """The same definition, to be validated; each engine decodes it when it is loaded."""
    return Workload(f"validate-{tables}", "validation", "table", tables, b"", lambda: definitions.definition(tables))


@dataclass(frozen=True, slots=True)
class LogWorkload(Workload):
    """A commit log, which stays in the cache and is read where it is."""

    log: logs.Log

    def write(self, folder: Path) -> dict[str, object]:
        found = {"data_file": str(self.log.directory), "transactions": self.log.transactions, "types": logs.types(folder)}
        return {"op": "load", "kind": self.family, "units": self.units, **found}


def log(cache: Path, kind: str, size: int) -> LogWorkload:
    """A log of at least `size` bytes; its unit is the byte."""
    found = logs.made(cache, kind, size)
    return LogWorkload(f"log-{kind}", "log", "byte", found.bytes, b"", bytes, found)
