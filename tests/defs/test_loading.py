"""Loading: the same definition from every kind of source, and the errors of what is none."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

import defs
from bsatn import satsjson
from bsatn.errors import DecodeError, LimitExceeded
from bsatn.limits import Limits
from bsatn.records import shape_of
from defs import raw
from defs.loading import load, read_json
from defs.raw import v8, v9, v10
from defs.sources import Kind, SourceError

MODULES_DIR = Path(__file__).parents[2] / "vectors" / "modules"
MODULES: dict[str, Any] = json.loads((MODULES_DIR / "expected.json").read_text("utf-8"))["modules"]
ARENA = bytes.fromhex(MODULES["arena_v1"]["bytes"])
ARENA_JSON: str = MODULES["arena_v1"]["json"]
V9 = raw.encode(v9.RawModuleDefV9(raw.shared.Typespace(), (), (), (), (), (raw.shared.RawRowLevelSecurityDefV9("Q"),)))
V8 = raw.encode(v8.RawModuleDefV8(raw.shared.Typespace(), (), (v8.ReducerDef("r", ()),), ()))


def tagged(data: bytes) -> str:
    return satsjson.dumps(shape_of(raw.RawModuleDef), raw.decode(data))


def bare(data: bytes) -> str:
    """As a server's schema route gives it: without the outer tag."""
    (document,) = json.loads(tagged(data)).values()
    return json.dumps(document)


# -- from everywhere


@pytest.mark.parametrize("name", MODULES)
def test_a_wasm_module_says_its_definition(name: str) -> None:
    loaded = load(MODULES_DIR / f"{name}.wasm")
    assert raw.encode(loaded.raw) == bytes.fromhex(MODULES[name]["bytes"])
    assert loaded.version == MODULES[name]["version"]
    assert loaded.kind == "wasm"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (ARENA, "bsatn"),
        (ARENA.hex().encode(), "hex"),
        (b"0x" + ARENA.hex().upper().encode() + b"\n", "hex"),
        (ARENA_JSON.encode(), "json"),
        (b"\xef\xbb\xbf\n " + ARENA_JSON.encode(), "json"),
        (bare(ARENA).encode(), "json"),
        (json.dumps(json.loads(ARENA_JSON), indent=2).encode(), "json"),
    ],
    ids=["bsatn", "hex", "hex with prefix", "json", "json with mark", "bare json", "indented json"],
)
def test_a_definition_is_found_by_its_content(content: bytes, kind: Kind, tmp_path: Path) -> None:
    path = tmp_path / "definition"
    path.write_bytes(content)
    for source in (path, str(path), content, bytearray(content), memoryview(content)):
        loaded = load(source)
        assert raw.encode(loaded.raw) == ARENA
        assert (loaded.kind, loaded.version, loaded.layout) == (kind, 10, "10i")


def test_a_definition_comes_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(ARENA)))
    loaded = load("-")
    assert (raw.encode(loaded.raw), loaded.origin) == (ARENA, "<stdin>")


def test_where_a_definition_came_from_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.bsatn"
    path.write_bytes(ARENA)
    assert load(path).origin == str(path)
    assert load(ARENA).origin == "<bytes>"
    assert any("__describe_module__" in note for note in load(MODULES_DIR / "arena_v1.wasm").notes)


@pytest.mark.parametrize(("data", "version", "layout"), [(V8, 8, "8"), (V9, 9, "9e"), (ARENA, 10, "10i")])
def test_every_version_is_loaded(data: bytes, version: int, layout: str) -> None:
    for source in (data, data.hex().encode(), tagged(data).encode()):
        loaded = load(source)
        assert (loaded.version, loaded.layout, raw.encode(loaded.raw)) == (version, layout, data)


def test_the_package_offers_it() -> None:
    assert defs.load is load
    assert defs.load(ARENA).raw == defs.decode(ARENA)


# -- JSON, with and without the tag


@pytest.mark.parametrize("data", [V9, ARENA], ids=["V9", "V10"])
def test_json_without_tag_is_told_by_its_first_key(data: bytes) -> None:
    assert raw.encode(read_json(bare(data)).raw) == data


def test_json_without_tag_may_begin_with_any_key() -> None:
    document = json.loads(bare(V9))
    for first in document:
        turned = {first: document[first], **document}
        assert raw.encode(read_json(json.dumps(turned)).raw) == V9


@pytest.mark.parametrize("text", ['{"V10": {"sections": []}}', '{"sections": []}', '{"2": {"sections": []}}', "[2, [[]]]"])
def test_an_empty_definition_has_many_dresses(text: str) -> None:
    assert read_json(text).raw == v10.RawModuleDefV10()


def test_a_key_may_be_spelt_with_escapes() -> None:
    assert read_json('{"V\\u0031\\u0030": {"sections": []}}').raw == v10.RawModuleDefV10()


def test_keys_of_a_bare_document_within_a_tagged_one_do_no_harm() -> None:
    assert raw.encode(read_json(tagged(V9).encode()).raw) == V9


@pytest.mark.parametrize(
    ("text", "kind", "where"),
    [
        ("", "JsonSyntax", ""),
        ("{", "JsonSyntax", ""),
        ("[", "JsonSyntax", ""),
        ("null", "JsonShape", ""),
        ("{}", "JsonShape", ""),
        ("[]", "JsonShape", ""),
        ('{"sections": [', "JsonSyntax", "sections[0]"),
        ('{"sections": 3}', "JsonShape", "sections"),
        ('{"sections": [], "tables": []}', "UnknownField", ""),
        ('{"sections": [{"Nope": []}]}', "UnknownVariant", "sections[0]"),
        ('{"tables": []}', "MissingField", ""),
        ('{"typespace": {"types": [{"U9": []}]}}', "UnknownVariant", "typespace.types[0]"),
        ('{"V11": {}}', "UnknownVariant", ""),
        ('{"nope": {}}', "UnknownVariant", ""),
        ('{"V10": {"sections": []}} x', "JsonSyntax", ""),
        (b'{"V10": \xff}', "InvalidUtf8", ""),
    ],
)
def test_json_that_is_no_definition_is_refused(text: str | bytes, kind: str, where: str) -> None:
    with pytest.raises(DecodeError) as caught:
        read_json(text)
    assert (caught.value.kind, caught.value.where) == (kind, where)


def test_deep_json_is_refused() -> None:
    with pytest.raises(LimitExceeded):
        read_json('{"sections": [{"Typespace": {"types": [' + '{"Array": ' * 100_000)


# -- what is none


@pytest.mark.parametrize(
    ("source", "kind", "unreadable"),
    [
        ("/nowhere/x.wasm", "NotFound", True),
        ("/", "Unreadable", True),
        ("ftp://x", "Unsupported", True),
        (b"", "Empty", False),
        (b"hello", "UnknownContent", False),
        (b"\x1f\x8b\x08", "UnknownContent", False),
        (b"0200000000z", "BadHex", False),
        (b"\0asm\1\0\0\0", "WasmMissingExport", False),
    ],
)
def test_what_holds_no_definition_is_a_source_error(source: str | bytes, kind: str, unreadable: bool) -> None:
    with pytest.raises(SourceError) as caught:
        load(source)
    assert (caught.value.kind, caught.value.unreadable) == (kind, unreadable)


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        (b"\3", "InvalidTag"),
        (ARENA[:-1], "BufferLength"),
        (ARENA + b"\0", "TrailingBytes"),
        (ARENA.hex().encode() + b"00", "TrailingBytes"),
        (b"\2\xff\xff\xff\xff", "BufferLength"),
        (b'{"sections": 3}', "JsonShape"),
    ],
)
def test_a_definition_that_does_not_decode_is_a_decode_error(source: bytes, kind: str) -> None:
    with pytest.raises(DecodeError) as caught:
        load(source)
    assert caught.value.kind == kind


def test_bytes_left_over_may_be_allowed() -> None:
    assert raw.encode(load(ARENA + b"\0", trailing="allow").raw) == ARENA


def test_a_kind_may_be_forced() -> None:
    with pytest.raises(SourceError):
        load(ARENA, kind="hex")
    with pytest.raises(ValueError, match="kind must be one of"):
        load(ARENA, kind="nope")  # type: ignore[arg-type]


def test_limits_of_the_codec_hold_for_bytes_and_json() -> None:
    for source in (ARENA, ARENA_JSON.encode()):
        with pytest.raises(LimitExceeded):
            load(source, codec_limits=Limits(depth=4))


def test_what_is_no_source_is_a_type_error() -> None:
    with pytest.raises(TypeError):
        load(7)  # type: ignore[arg-type]
