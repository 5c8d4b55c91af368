"""The module that a log holds is described like any other; what is no module is told."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import defs
from defs.cli import main
from defs.system import rows as st

sys.path.insert(0, str(Path(__file__).parent))

from log_cases import ROOT, bootstrap, encoded, record, write_log

ARENA = Path(__file__).parents[3] / "vectors" / "modules" / "arena_v1.wasm"


def published(program: bytes, kind: int = 0) -> bytes:
    return record({st.ST_MODULE_ID: [encoded(st.StModuleRow(1, 2, kind, 3, program, "0.0.1"))]})


def test_the_module_that_was_published_last(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    replica = tmp_path / "replica"
    write_log(replica / "clog", [bootstrap(), published(b"an older one"), published(ARENA.read_bytes())])
    for directory in (replica, replica / "clog"):
        loaded = defs.load(directory)
        assert (loaded.raw, loaded.layout) == (defs.load(ARENA).raw, defs.load(ARENA).layout)
        assert loaded.origin == f"{directory} (module published by transaction 2)"
        assert "published by transaction 2" in loaded.notes
    assert main(["describe", str(replica)]) == 0
    described = capsysbinary.readouterr().out
    assert main(["describe", str(ARENA)]) == 0
    assert capsysbinary.readouterr().out == described


@pytest.mark.parametrize(
    ("records", "kind", "says"),
    [
        ([bootstrap()], "NoDefinition", "no module is published in this log"),
        (
            [bootstrap(), published(b"export {}", 1)],
            "Unsupported",
            "published by transaction 1): the module is JavaScript; it is not",
        ),
        ([bootstrap(), published(b"x", 9)], "Unsupported", "of the unknown kind 9"),
        ([bootstrap(), published(b"not wasm")], "WasmInvalid", "published by transaction 1)"),
        ([bootstrap(), published(b"")], "Empty", "published by transaction 1)"),
        ([bootstrap(), published(ARENA.read_bytes()), record({5000: [b"x"]})], "LogDamaged", "see bsatn log verify"),
    ],
)
def test_no_module(tmp_path: Path, records: list[bytes], kind: str, says: str) -> None:
    with pytest.raises(defs.SourceError) as caught:
        defs.load(write_log(tmp_path / "log", records))
    assert caught.value.kind == kind
    assert says in str(caught.value)
    assert str(tmp_path / "log") in str(caught.value)


def test_directories_that_are_no_log(tmp_path: Path) -> None:
    with pytest.raises(defs.SourceError, match=r"this is a directory; name the \.wasm file in it"):
        defs.load(tmp_path)
    with pytest.raises(defs.SourceError, match="this is a directory"):
        defs.load(ROOT / "plain", kind="wasm")
