"""The inputs are the same bytes everywhere and always: else no two reports could be compared."""

from __future__ import annotations

import hashlib

from bench.workloads import workloads

EXPECTED: dict[str, str] = {
    "narrow": "710f888ab32a8352",
    "wide": "29de2702c03f8c56",
    "special": "fdadf0d18ae74111",
    "strings": "c1a8b04cd6da9ebd",
    "nested": "ff3a18e90da5a66d",
    "mixed": "44869546ea8d2463",
    "module-10": "0510c51b8d981747",
    "module-100": "bcc55a5ccebeaab4",
    "module-1000": "c01e5b6bb8d371bb",
}


def test_inputs_are_stable() -> None:
    found = {workload.name: hashlib.sha256(workload.type + workload.make()).hexdigest()[:16] for workload in workloads()}
    assert found == EXPECTED
