"""Files, standard input, bytes: what is found, and what is refused by name."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import sys
import zipfile
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from defs.sources import KINDS, Found, Kind, Limits, SourceError, read
from defs.sources.errors import BadInputKind, UnreadableKind, printable, size

DEFINITION = bytes.fromhex("0200000000")


def failure(source: object, *, kind: Kind | None = None, limits: Limits | None = None) -> SourceError:
    with pytest.raises(SourceError) as caught:
        read(source, kind=kind, limits=limits or Limits())  # type: ignore[arg-type]
    assert str(caught.value).isprintable()
    return caught.value


# What is accepted.


@pytest.mark.parametrize(
    ("content", "kind", "data"),
    [
        (DEFINITION, "bsatn", DEFINITION),
        (b"\x00" + bytes(8), "bsatn", b"\x00" + bytes(8)),
        (b"\x01rest", "bsatn", b"\x01rest"),
        (b"\x02{}", "bsatn", b"\x02{}"),
        (b"\x0302", "bsatn", b"\x0302"),  # for the decoder to refuse
        (b"\x00as", "bsatn", b"\x00as"),
        (b"0200000000", "hex", DEFINITION),
        (b"02", "hex", b"\x02"),
        (b"0x0200000000\n", "hex", DEFINITION),
        (b"0XaBcD", "hex", b"\xab\xcd"),
        (b"\xef\xbb\xbf 02 00\r\n\t0000 0\v0\f", "hex", DEFINITION),
        (b"  \n0x02 00 00 00 00", "hex", DEFINITION),
        (b"0 2 0 0", "hex", b"\x02\x00"),
        (b'{"V10":{}}', "json", b'{"V10":{}}'),
        (b'\xef\xbb\xbf {"sections":[]}\n', "json", b' {"sections":[]}\n'),
        (b'\r\n\t {"a":"\xc3\xa9"}', "json", b'\r\n\t {"a":"\xc3\xa9"}'),
        (b"[2,{}]", "json", b"[2,{}]"),
    ],
)
def test_kind_by_content(content: bytes, kind: Kind, data: bytes, tmp_path: Path) -> None:
    assert read(content) == Found(kind, "<bytes>", data)
    assert read(bytearray(content)) == read(memoryview(content)) == read(content)
    path = tmp_path / "definition"
    path.write_bytes(content)
    assert read(path) == read(str(path)) == Found(kind, str(path), data)
    assert read(content, kind=kind).data == data


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=64), st.sampled_from([b"\x00", b"\x01", b"\x02"]))
@example(b"\n2", b"\x02")
def test_binary_and_hex_never_collide(rest: bytes, tag: bytes) -> None:
    data = tag + rest
    if not data.startswith(b"\0asm"):
        assert read(data) == Found("bsatn", "<bytes>", data)
    assert read(data.hex().encode()) == Found("hex", "<bytes>", data)
    assert read(b"0x" + data.hex(" ", 3).upper().encode()) == Found("hex", "<bytes>", data)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200), st.sampled_from([None, *KINDS]))
@example(b"\xef\xbb\xbf", None)
@example(b"0x", None)
@example(b"\x00asm", "hex")
@example(b"{\xff", None)
@example(b"0x0x", None)
def test_any_bytes_are_found_or_refused(data: bytes, kind: Kind | None) -> None:
    found: Found | None
    error: SourceError | None
    try:
        found = read(data, kind=kind)
    except SourceError as caught:
        found, error = None, caught
    else:
        error = None
    assert (found is None) != (error is None)
    assert found is None or found.kind in KINDS
    assert error is None or (not error.unreadable and str(error).isprintable())


def test_kind_can_be_forced() -> None:
    assert read(b"\x09\x00", kind="bsatn").data == b"\x09\x00"  # white space first, as in a bare V9
    assert read(b"{}", kind="bsatn").data == b"{}"
    assert read(b"0200", kind="bsatn").data == b"0200"
    assert failure(DEFINITION, kind="wasm").kind == "WasmInvalid"
    assert failure(DEFINITION, kind="hex").kind == "BadHex"
    assert failure(DEFINITION, kind="json").kind == "BadJson"
    assert failure(b"[2", kind="hex").kind == "BadHex"
    with pytest.raises(ValueError, match="kind must be one of"):
        read(b"", kind="yaml")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="not int"):
        read(7)  # type: ignore[arg-type]


def test_strided_memoryview() -> None:
    assert read(memoryview(b"\x02\xff\x00\xff\x00\xff\x00\xff\x00")[::2]).data == DEFINITION


def test_result_is_frozen() -> None:
    with pytest.raises(AttributeError):
        read(b"02").kind = "json"  # type: ignore[misc]


# What is refused, by name.


def a_zip() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a", "b")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "kind", "says"),
    [
        (b"", "Empty", "empty"),
        (b" \n\t", "Empty", "white space"),
        (b"\xef\xbb\xbf", "Empty", "white space"),
        (b"0x", "Empty", "no hex digits"),
        (gzip.compress(DEFINITION, mtime=0), "UnknownContent", "gzip"),
        (a_zip(), "UnknownContent", "zip"),
        (b"\x28\xb5\x2f\xfdxx", "UnknownContent", "zstd"),
        (b"\x7fELF\x02\x01", "UnknownContent", "ELF"),
        (b"MZ\x90\0\3", "UnknownContent", ".NET"),
        (b"(ds)^2\x01\0\0", "UnknownContent", "commit log"),
        ('{"a":1}'.encode("utf-16"), "UnknownContent", "UTF-16"),
        (b"\0asm\x0d\0\x01\0", "WasmInvalid", "component"),
        (b"(module)", "UnknownContent", "WebAssembly text"),
        (b";; hello\n(module)", "UnknownContent", "WebAssembly text"),
        (b"import { schema } from 'spacetimedb/server';", "UnknownContent", "JavaScript"),
        (b'import{moduleHooks as e}from"spacetime:sys@2.0";', "UnknownContent", "JavaScript"),
        (b"// bundle\nvar a=1", "UnknownContent", "JavaScript"),
        (b"\xef\xbb\xbf/* x */ const b = 2;", "UnknownContent", "JavaScript"),
        (b'"use strict";var x', "UnknownContent", "JavaScript"),
        (b"(()=>{})()", "UnknownContent", "JavaScript"),
        (b"Symbol.dispose??=1;import*as a from'spacetime:sys@2.0'", "UnknownContent", "JavaScript"),
        (b"<!DOCTYPE html><html>", "UnknownContent", "HTML"),
        (b"use spacetimedb::{table, reducer};", "UnknownContent", "Rust"),
        (b"#[spacetimedb::table]", "UnknownContent", "Rust"),
        (b"using SpacetimeDB;", "UnknownContent", "C#"),
        (b"hello world", "UnknownContent", "'hello world'"),
        (b"caf\xc3\xa9 \x1b[31m", "UnknownContent", "caf\u00e9"),
        (b"\x89PNG\r\n\x1a\n\0\0", "UnknownContent", "0x89"),
        (b"\xff\xfe\xfd\xfc", "UnknownContent", "UTF-16"),
        (b"020", "BadHex", "even number of hex digits, found 3"),
        (b"0200 0000\n00zz", "BadHex", "found 'z' at line 2, column 3"),
        (b"0x0200 0000x0", "BadHex", "found 'x' at line 1, column 12"),
        (b'{"a":"\xff"}', "BadJson", "byte 0xff at offset 6"),
        (b'\xef\xbb\xbf{"a":"\xff"}', "BadJson", "byte 0xff at offset 9"),
    ],
)
def test_refused_by_name(content: bytes, kind: str, says: str) -> None:
    error = failure(content)
    assert (error.kind, error.unreadable, error.origin) == (kind, False, "<bytes>")
    assert says in error.message, error.message


def test_error_of_json_that_is_none() -> None:
    assert "found 'hello" in failure(b" hello", kind="json").message
    assert failure(b" \n", kind="json").kind == "Empty"


# Files.


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    missing = failure(tmp_path / "missing.wasm")
    assert (missing.kind, missing.unreadable) == ("NotFound", True)
    assert str(missing) == f"{tmp_path / 'missing.wasm'}: there is no such file"
    directory = failure(tmp_path)
    assert (directory.kind, directory.unreadable) == ("Unreadable", True)
    assert "directory" in directory.message
    below = tmp_path / "file"
    below.write_bytes(b"")
    assert failure(str(below / "x")).kind in ("Unreadable", "NotFound")
    assert failure(below).kind == "Empty"
    assert failure("a\0b").kind == "Unreadable"
    assert failure("x" * 5000).kind == "Unreadable"
    assert failure("").kind == "NotFound"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_no_permission(tmp_path: Path) -> None:
    path = tmp_path / "locked"
    path.write_bytes(b"02")
    path.chmod(0)
    assert (failure(path).kind, "ermission" in failure(path).message) == ("Unreadable", True)


def test_no_permission_as_anyone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> object:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    error = failure(str(tmp_path / "x"))
    assert (error.kind, error.message) == ("Unreadable", "cannot read it: Permission denied")


@pytest.mark.parametrize(
    ("text", "says"), [("0x0200000000000000", "pass hex as bytes"), ('{"sections":[]}', "pass JSON as bytes")]
)
def test_content_given_as_path(text: str, says: str) -> None:
    assert says in failure(text).message


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://example.org/x", "FILE://x", "ws://h/x", "data://x"])
def test_other_schemes(url: str) -> None:
    error = failure(url)
    assert (error.kind, error.unreadable) == ("Unsupported", True)
    assert ("path itself" in error.message) == url.lower().startswith("file")


def test_size_limit(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"\x02" * 100)
    limits = Limits(input_bytes=100)
    assert len(read(path, limits=limits).data) == len(read(path.read_bytes(), limits=limits).data) == 100
    path.write_bytes(b"\x02" * 101)
    assert "it has 101 bytes, the limit is 100 bytes" in failure(path, limits=limits).message
    for source in (path, path.read_bytes(), memoryview(path.read_bytes())):
        error = failure(source, limits=limits)
        assert (error.kind, error.unreadable) == ("TooLarge", True)
        assert "input_bytes" in error.message


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no /dev/zero")
def test_endless_file() -> None:
    assert failure("/dev/zero", limits=Limits(input_bytes=3 << 20)).kind == "TooLarge"


# Standard input.


class Stdin:
    def __init__(self, data: bytes) -> None:
        self.buffer = io.BytesIO(data)


def test_stdin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "stdin", Stdin(DEFINITION))
    assert read("-") == Found("bsatn", "<stdin>", DEFINITION)
    assert failure("-").kind == "Empty"
    monkeypatch.setattr(sys, "stdin", Stdin(bytes(101)))
    assert failure("-", limits=Limits(input_bytes=100)).kind == "TooLarge"
    monkeypatch.setattr(sys, "stdin", io.StringIO("02 00"))
    assert read("-") == Found("hex", "<stdin>", b"\x02\x00")
    monkeypatch.setattr(sys, "stdin", io.StringIO("02" * 100))
    assert failure("-", limits=Limits(input_bytes=100)).kind == "TooLarge"
    monkeypatch.setattr(sys, "stdin", None)
    error = failure("-")
    assert (error.kind, error.unreadable) == ("Unreadable", True)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "-").write_bytes(b"02")
    assert read(Path("-")).kind == "hex"


def test_endless_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    class Endless(io.RawIOBase):
        given = 0

        def read(self, size: int = -1, /) -> bytes:
            assert size >= 0, "unbounded read"
            self.given += size
            return b"\x02" * size

    endless = Endless()
    stdin = Stdin(b"")
    stdin.buffer = endless  # type: ignore[assignment]
    monkeypatch.setattr(sys, "stdin", stdin)
    assert failure("-", limits=Limits(input_bytes=5_000_000)).kind == "TooLarge"
    assert endless.given == 5_000_001


# Errors.


def test_every_error_kind_has_one_fault() -> None:
    unreadable, bad = set(get_args(UnreadableKind)), set(get_args(BadInputKind))
    assert not unreadable & bad
    for kind in unreadable | bad:
        assert SourceError(kind, "o", "m").unreadable == (kind in unreadable)


def test_errors_can_be_pickled() -> None:
    error = pickle.loads(pickle.dumps(SourceError("NotFound", "a\nb", "gone")))
    assert (error.kind, error.origin, error.message, str(error)) == (
        "NotFound",
        "a\nb",
        "gone",
        "a\\nb: gone",
    )


@settings(max_examples=60, deadline=None)
@given(st.text(), st.integers(10, 50))
@example("\ud800\x1b[31m\u202e\x00" * 5, 10)
@example("\x1b" * 9, 10)
def test_printable(text: str, limit: int) -> None:
    shown = printable(text, limit)
    assert shown.isprintable()
    assert len(shown) <= limit
    if text.isprintable() and len(text) <= limit:
        assert shown == text


def test_sizes() -> None:
    assert [size(n) for n in (0, 1, 1023, 1536, 64 << 20, 4 << 30)] == [
        "0 bytes", "1 byte", "1023 bytes", "1.5 KiB", "64 MiB", "4 GiB",
    ]  # fmt: skip
