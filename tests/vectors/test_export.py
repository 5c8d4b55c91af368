"""The archive of the vectors: what is in it, and that the same files give the same bytes."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import tarfile
from pathlib import Path

import pytest

from defs.cli import main
from defs.vectors import AREAS, VectorError, lint
from defs.vectors.archive import archive, members
from defs.vectors.files import generated

VECTORS = Path(__file__).parents[2] / "vectors"


@pytest.fixture(scope="module")
def packed() -> bytes:
    return archive(VECTORS)


@pytest.fixture
def few(tmp_path: Path) -> Path:
    """A directory of vectors with little in it."""
    place = tmp_path / "few"
    for name in ("DIGESTS", "README.md", "names/cases.json", "schema/vectors.cddl"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(VECTORS / name, place / name)
    (place / "testees" / "c" / "src").mkdir(parents=True)
    (place / "testees" / "c" / "run").write_text("#!/bin/sh\nexit 0\n")
    (place / "testees" / "c" / "src" / "main.c").write_text("int main;\n")
    return place


def test_all_that_another_project_needs_is_in_it(packed: bytes, tmp_path: Path) -> None:
    """The lint is content with what comes out."""
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        names = set(tar.getnames())
        tar.extractall(tmp_path, filter="data")
    assert {f"vectors/{path.relative_to(VECTORS).as_posix()}" for path in generated(VECTORS)} <= names
    assert {"vectors/README.md", "vectors/DIGESTS", "vectors/LEDGER"} <= names
    assert {name.split("/")[1] for name in names} >= {*AREAS, "schema", "testees"}
    assert {"rust", "typescript"} <= {name.split("/")[2] for name in names if name.startswith("vectors/testees/")}
    assert lint(tmp_path / "vectors") == []


def test_it_is_not_large(packed: bytes) -> None:
    assert len(packed) < 3 << 20


def test_nothing_tells_who_packed_it_or_when(few: Path) -> None:
    first = archive(few)
    for path in few.rglob("*"):
        os.utime(path, (7, 7))
    (few / "names" / "cases.json").chmod(0o600)
    assert archive(few) == first
    with tarfile.open(fileobj=io.BytesIO(first)) as tar:
        told = tar.getmembers()
    assert [one.name for one in told] == sorted(one.name for one in told)
    assert {(one.mtime, one.uid, one.gid, one.uname, one.gname) for one in told} == {(0, 0, 0, "", "")}
    assert {one.name: one.mode for one in told if one.mode != 0o644} == {"vectors/testees/c/run": 0o755}
    assert gzip.decompress(first[:4] + b"\1\2\3\4" + first[8:]) == gzip.decompress(first)
    assert first[4:8] == bytes(4)


def test_another_file_gives_another_archive(few: Path) -> None:
    before = archive(few)
    (few / "README.md").write_text("changed\n")
    assert archive(few) != before


def test_what_builds_and_editors_leave_behind_is_not_in_it(few: Path) -> None:
    before = members(few)
    for name in ("target/debug/x", "node_modules/y/z", ".hidden", "src/.main.c.swp", "Cargo.lock", "__pycache__/a.pyc"):
        path = few / "testees" / "c" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    (few / "testees" / "c" / "away").symlink_to("/etc/hostname")
    (few / "names" / "cases.json~").write_text("x")
    assert members(few) == before


def test_no_vectors_no_archive(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(VectorError):
        archive(tmp_path)
    assert main(["vectors", "export", "--dir", str(tmp_path), "-o", str(tmp_path / "x.tar.gz")]) == 1
    assert "no vectors" in capsys.readouterr().err
    assert not (tmp_path / "x.tar.gz").exists()


def test_the_command(few: Path, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    target = tmp_path / "out.tar.gz"
    assert main(["vectors", "export", "--dir", str(few), "-o", str(target)]) == 0
    assert capsysbinary.readouterr().out == b""
    assert main(["vectors", "export", "--dir", str(few), "-o", "-"]) == 0
    assert capsysbinary.readouterr().out == target.read_bytes() == archive(few)
    assert main(["vectors", "export", "--dir", str(few), "-o", str(tmp_path / "none" / "x")]) == 3
