"""Layouts: each release's bytes read and written as that release does, and never guessed where two readings differ."""

from __future__ import annotations

import gzip
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bsatn import satsjson
from bsatn import types as t
from bsatn.codec import Codec
from bsatn.errors import DecodeError, EncodeError, LimitExceeded
from bsatn.limits import Limits
from bsatn.records import shape_of
from bsatn.shapes import Product, Sum, reachable
from defs import raw
from defs.cli import main
from defs.loading import load, read_json
from defs.raw import layouts, shared, v9, v10
from defs.raw.layouts import LAYOUTS, NEWEST_RELEASE, AmbiguousLayout, DoesNotFit, UnknownLayout
from defs.testee import answer
from defs.testing import valid_definitions

VECTORS = Path(__file__).parents[2] / "vectors"
RELEASES = ("1.0.0", "1.7.0", "1.11.0", "1.12.0", "2.0.0", "2.4.0", "2.8.0", "2.11.0", "2.12.0", "2.14.0")


@cache
def cases() -> list[dict[str, Any]]:
    with gzip.open(VECTORS / "reference" / "layouts.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def table(name: str = "t", **more: Any) -> v10.RawTableDefV10:
    return v10.RawTableDefV10(name, 0, (), (), (), (), shared.TableType.User, shared.TableAccess.Public, (), **more)


def outbox(signature: int | str) -> v10.RawOutboxDefV10:
    return v10.RawOutboxDefV10("ob", "rr", 1, (2,), None, signature)


def v10_of(*sections: Any) -> v10.RawModuleDefV10:
    return v10.RawModuleDefV10(sections)


# -- the reference


@pytest.mark.parametrize("release", RELEASES)
def test_a_release_reads_and_writes_as_the_reference(release: str) -> None:
    own = [case for case in cases() if case["written_by"] == release]
    assert own
    for case in own:
        data = bytes.fromhex(case["bytes"])
        read = layouts.decode(data, layout=release)
        assert read.layout == layouts.layout_of(release, raw.version_of(read.raw))
        assert satsjson.dumps(layouts.shape(release), read.raw) == case["json"]
        assert layouts.encode(read.raw, layout=release) == data
        assert layouts.encode(read_json(case["json"], layout=release).raw, layout=release) == data


def _reading(data: bytes, release: str) -> dict[str, Any]:
    try:
        value, end = layouts.codec(release).decode_from(data)
    except DecodeError as error:
        details = (error.fields.get("tag"), error.fields.get("sum_name"), error.fields.get("expected"))
        return {"error": error.kind, "details": [str(one) for one in details if one is not None]}
    return {"json": satsjson.dumps(layouts.shape(release), value), "unread": len(data) - end}


@pytest.mark.parametrize("release", RELEASES)
def test_a_release_reads_the_others_bytes_as_the_reference(release: str) -> None:
    """Accepted with the same meaning or another one, left over, or refused."""
    seen = 0
    for case in cases():
        told = case["read_by"].get(release)
        if told is None:
            continue
        seen += 1
        found = _reading(bytes.fromhex(case["bytes"]), release)
        if "error" in told:
            assert re.match(r"\w+", told["error"])[0] == found.get("error"), (case["id"], told, found)  # type: ignore[index]
            assert all(detail in told["error"] for detail in found["details"]), (case["id"], told, found)
            continue
        assert found.get("unread") == told.get("unread", 0), case["id"]
        if "json" in told:
            assert found["json"] == (case["json"] if told["json"] == "same" else told["json"]), case["id"]
    assert seen > 400


def test_auto_reads_every_release() -> None:
    """The layout is not in the bytes, so 10i reads what means the same there."""
    found = set()
    for case in cases():
        data, release = bytes.fromhex(case["bytes"]), case["written_by"]
        read = layouts.decode(data)
        assert read.raw == layouts.decode(data, layout=release).raw
        assert layouts.encode(read.raw, layout=read.layout.id) == data
        found.add((release, read.layout.id))
    assert {("1.12.0", "10a"), ("1.12.0", "10i")} <= found
    assert {layout for _, layout in found} == {"9e", "10a", "10i"}


# -- the table


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.id)
def test_the_table_tells_the_truth(layout: layouts.Layout) -> None:
    """A release before `first` writes another layout; `appends` is what the records' history says."""
    assert layouts.layout_of(layout.first, layout.version) is layout
    assert layouts.layout_of(layout.last, layout.version) is layout
    assert layouts.layout_of(layout.id, layout.version) is layout
    before = [one for one in LAYOUTS if one.version == layout.version][: [one.id for one in LAYOUTS].index(layout.id)]
    before = before[: before.index(layout)] if layout in before else before
    if before:
        assert layouts.layout_of(before[-1].last, layout.version) is before[-1]
        kept = _forms(before[-1].first) <= _forms(layout.first) or before[-1].id == "9b"
        assert layout.appends == kept


def _forms(release: str) -> set[tuple[str, int, str]]:
    """What must not change for bytes to keep their meaning: the fields of products, the variants of sums."""
    found: set[tuple[str, int, str]] = set()
    for shape in reachable(layouts.shape(release)):
        if isinstance(shape, Product) and shape.cls is not None:
            found.add((shape.cls.__name__, len(shape.fields), ",".join(type(part).__name__ for part in shape.fields)))
        elif isinstance(shape, Sum) and shape.name not in (None, "option"):
            found |= {(str(shape.name), tag, type(part).__name__) for tag, part in enumerate(shape.payloads)}
    return found


@pytest.mark.parametrize("text", ["", "10z", "2", "2.x", "two", "0.12.0", "2.15.0", "3.0", "٢.٠.٠"])
def test_what_is_no_layout(text: str) -> None:
    with pytest.raises(UnknownLayout, match=r"newer than this version|no layout|older than any"):
        layouts.codec(text)


@pytest.mark.parametrize(
    ("text", "version", "layout"),
    [
        ("2.4", 10, "10c"),
        ("v2.4.0", 10, "10c"),
        ("1.0.0-rc3.1", 9, "9b"),
        ("2.0.0-rc1", 10, "10b"),
        ("10e", 9, "9e"),
        ("2.7.0-hotfix2", 10, "10d"),
    ],
)
def test_releases_have_several_spellings(text: str, version: int, layout: str) -> None:
    assert layouts.layout_of(text, version).id == layout


def test_a_release_before_a_version_does_not_know_it() -> None:
    with pytest.raises(UnknownLayout, match=r"no layout of release 1\.8\.0 for definitions of version 10"):
        layouts.layout_of("9e", 10)
    with pytest.raises(UnknownLayout, match=r"no layout of release 1\.0\.0-rc1 for definitions of version 9"):
        layouts.decode(bytes.fromhex("01" + "00" * 24), layout="1.0.0-rc1")
    with pytest.raises(DecodeError, match=r"RawModuleDef 2 is V10, which is newer than release 1\.8\.0"):
        layouts.decode(raw.encode(v10_of()), layout="9e")


# -- bytes with two meanings

#: 10a: a table, and a name for a type. (spec: wire 7.1)
OLD_TABLE = bytes.fromhex(
    "020200000002010000000100000074000000000000000000000000000000000000000001000000000001010000000000000001000000740000000001"
)


def test_a_definition_of_1_12_is_read_as_such() -> None:
    read = layouts.decode(OLD_TABLE)
    assert read.layout.id == "10a"
    assert read.raw == v10_of(
        v10.TablesSection((table(),)),
        v10.TypesSection((v10.RawTypeDefV10(v10.RawScopedTypeNameV10((), "t"), 0, True),)),
    )


def test_bytes_left_over_are_as_the_server_takes_them_when_allowed() -> None:
    read = layouts.decode(OLD_TABLE, trailing="allow")
    assert read.layout.id == "10i"
    assert isinstance(read.raw, raw.RawModuleDefV10)
    assert read.raw.tables[0].is_event


def test_a_table_that_both_read_strictly_is_ambiguous() -> None:
    """The byte of `is_event` moves into the section after the table: 256 types there, one here."""
    types = (t.Ref(0x0102), t.Ref(0x10000), t.Ref(0x64636261), *[t.STRING] * 252, t.U8)
    older = v10_of(v10.TablesSection((table(),)), v10.TypespaceSection(t.Typespace(types)))
    data = layouts.encode(older, layout="10a")
    assert layouts.decode(data, layout="10a").raw == older
    assert layouts.decode(data, layout="10i").raw != older
    with pytest.raises(AmbiguousLayout, match=r"in two ways: in layout 10i .* in layout 10a") as caught:
        layouts.decode(data)
    assert [one.layout.id for one in caught.value.readings] == ["10i", "10a"]


def test_a_hash_that_both_read_strictly_is_ambiguous() -> None:
    older = v10_of(v10.OutboxesSection((outbox("a" * 28),)))
    data = layouts.encode(older, layout="2.12.0")
    with pytest.raises(AmbiguousLayout, match=r"sections\[0\]\.outboxes\[0\]\.signature_hash .* 2\.14\.0 or 2\.12\.0"):
        layouts.decode(data)
    assert layouts.decode(data, layout="2.13.0").raw == older
    inner = v10_of(v10.SubmodulesSection((v10.RawSubmoduleV10("ns", older),)))
    with pytest.raises(AmbiguousLayout):
        layouts.decode(layouts.encode(inner, layout="10h"))


def test_a_hash_of_another_length_is_read_in_its_layout() -> None:
    older = v10_of(v10.OutboxesSection((outbox("ab"),)))
    read = layouts.decode(layouts.encode(older, layout="10h"))
    assert (read.raw, read.layout.id) == (older, "10h")
    newer = v10_of(v10.OutboxesSection((outbox(1 << 200),)))
    assert layouts.decode(layouts.encode(newer)) == layouts.Read(newer, layouts.NEWEST[10])


@settings(max_examples=60)
@given(valid_definitions())
def test_what_any_layout_holds_is_read_back_by_auto(definition: raw.RawModuleDef) -> None:
    for layout in LAYOUTS:
        if layout.version == raw.version_of(definition) and not layouts.misfits(definition, layout.id):
            data = layouts.encode(definition, layout=layout.id)
            assert layouts.decode(data, layout=layout.id).raw == definition
            assert layouts.decode(data).raw == definition


# -- what does not fit

FULL = v10_of(
    v10.TablesSection((table("log", is_event=True), table("kept"))),
    v10.ExplicitNamesSection(
        v10.ExplicitNames((v10.TableName(v10.NameMapping("a", "b")), v10.NamespaceName(v10.NameMapping("n", "m"))))
    ),
    v10.SubmodulesSection((v10.RawSubmoduleV10("n", v10_of(v10.EnvironmentSection(()))),)),
    v10.OutboxesSection((outbox(7),)),
)


@pytest.mark.parametrize(
    ("layout", "places"),
    [
        ("2.14.0", []),
        ("2.12.0", ["sections[3].outboxes[0].signature_hash"]),
        ("2.11.0", ["sections[3]"]),
        ("2.10.2", ["sections[2].submodules[0].module.sections[0]", "sections[3]"]),
        ("2.8.0", ["sections[1].explicit_names.entries[1]", "sections[2].submodules[0].module.sections[0]", "sections[3]"]),
        ("2.0.0", ["sections[1].explicit_names.entries[1]", "sections[2]", "sections[3]"]),
        ("1.12.0", ["sections[0].tables[0].is_event", "sections[1]", "sections[2]", "sections[3]"]),
        ("1.11.0", [""]),
    ],
)
def test_what_does_not_fit_is_named(layout: str, places: list[str]) -> None:
    from bsatn.paths import format_path

    misfits = layouts.misfits(FULL, layout)
    assert [format_path(one.path) for one in misfits] == places
    if not places:
        assert layouts.decode(layouts.encode(FULL, layout=layout)).raw == FULL
        return
    with pytest.raises(DoesNotFit) as caught:
        layouts.encode(FULL, layout=layout)
    assert caught.value.misfits == misfits
    assert isinstance(caught.value, EncodeError)
    assert all(place in str(caught.value) for place in places)


@pytest.mark.parametrize("layout", ["2.12.0", "2.11.0", "2.10.2", "2.8.0", "2.0.0", "1.12.0"])
def test_what_does_not_fit_is_dropped_when_told_to(layout: str) -> None:
    kept = layouts.decode(layouts.encode(FULL, layout=layout, drop=True), layout=layout).raw
    assert isinstance(kept, raw.RawModuleDefV10)
    assert [one.source_name for one in kept.tables] == ["log", "kept"]
    assert not layouts.misfits(kept, layout)
    assert kept.outboxes == ()


def test_a_version_that_the_release_does_not_know_cannot_be_dropped() -> None:
    with pytest.raises(
        DoesNotFit, match=r"release 1\.11\.0 cannot hold the RawModuleDef V10 .*: convert it to version 9 first"
    ):
        layouts.encode(v10_of(), layout="1.11.0", drop=True)


def test_a_text_hash_does_not_fit_the_newest_layout() -> None:
    with pytest.raises(DoesNotFit, match=r"signature_hash` = 'ab' at .*which has another type since 2\.14\.0"):
        layouts.encode(v10_of(v10.OutboxesSection((outbox("ab"),))))


def test_an_index_goes_when_its_algorithm_is_not_known() -> None:
    indexes = tuple(v9.RawIndexDefV9(None, None, one) for one in (shared.BTree((0,)), shared.Direct(0)))
    one = v9.RawTableDefV9("t", 0, (), indexes, (), (), None, shared.TableType.User, shared.TableAccess.Public)
    definition = v9.RawModuleDefV9(t.Typespace(), (one,), (), (), (), ())
    with pytest.raises(
        DoesNotFit, match=r"RawIndexAlgorithm Direct at tables\[0\]\.indexes\[1\]\.algorithm \(new in 1\.0\.0\)"
    ):
        layouts.encode(definition, layout="9b")
    kept = layouts.decode(layouts.encode(definition, layout="9b", drop=True), layout="9b").raw
    assert isinstance(kept, v9.RawModuleDefV9)
    assert kept.tables[0].indexes == indexes[:1]


def test_many_misfits_are_counted() -> None:
    many = v10_of(*[v10.OutboxesSection(())] * 20)
    with pytest.raises(DoesNotFit, match=r"12 more"):
        layouts.encode(many, layout="2.0.0")


@pytest.mark.parametrize(
    ("definition", "layout"),
    [
        (v10_of(), "10a"),
        (v10_of(v10.TablesSection((table(is_event=True),))), "10b"),
        (v10_of(v10.HttpRoutesSection(())), "10c"),
        (FULL, "10i"),
    ],
)
def test_the_oldest_layout_that_holds_a_definition(definition: raw.RawModuleDef, layout: str) -> None:
    assert layouts.oldest(definition).id == layout


# -- tags that are not known


@pytest.mark.parametrize(
    "data",
    ["03", "02010000001100000000", "0201000000090200000000", "02010000000a0100000004", "0201000000070100000003"],
)
def test_a_tag_that_is_not_known_says_what_to_do(data: str) -> None:
    with pytest.raises(DecodeError, match=rf"InvalidTag|unknown tag .*; {re.escape(NEWEST_RELEASE)} is the newest .* upgrade"):
        layouts.decode(bytes.fromhex(data))


def test_a_tag_of_a_type_has_nothing_to_do_with_releases() -> None:
    with pytest.raises(DecodeError) as caught:
        layouts.decode(bytes.fromhex("0201000000000100000014"))
    assert (caught.value.kind, caught.value.hint) == ("InvalidTag", "")


def test_the_newest_layouts_error_is_the_one_reported() -> None:
    data = raw.encode(v10_of(v10.TablesSection((table(),))))[:-1]
    with pytest.raises(DecodeError) as caught:
        layouts.decode(data + b"\x02")
    assert caught.value.kind == "InvalidBool"
    with pytest.raises(DecodeError) as caught:
        layouts.decode(b"")
    assert caught.value.kind == "BufferLength"


def test_the_sum_of_the_versions_counts_in_the_depth() -> None:
    nested: t.AlgebraicType = t.U8
    for _ in range(20):
        nested = t.ArrayType(nested)
    data = raw.encode(v10_of(v10.TypespaceSection(t.Typespace((nested,)))))

    def reads(depth: int) -> tuple[bool, bool]:
        limits = Limits(depth=depth)
        found = []
        for work in (lambda: raw.decode(data, limits=limits), lambda: layouts.decode(data, limits=limits)):
            try:
                found.append(bool(work()))
            except LimitExceeded:
                found.append(False)
        return found[0], found[1]

    assert {reads(depth) for depth in range(1, 64)} == {(False, False), (True, True)}


def test_limits_hold_in_every_layout() -> None:
    deep = v10_of()
    for _ in range(40):
        deep = v10_of(v10.SubmodulesSection((v10.RawSubmoduleV10("n", deep),)))
    data = raw.encode(deep)
    for layout in ("auto", "2.14.0", "2.8.0"):
        with pytest.raises(LimitExceeded):
            layouts.decode(data, layout=layout, limits=Limits(depth=50))
    assert layouts.decode(data, layout="2.8.0").raw == deep


@given(st.sampled_from(cases()), st.data())
def test_damaged_bytes_are_read_or_refused(case: dict[str, Any], data: st.DataObject) -> None:
    damaged = bytearray.fromhex(case["bytes"])
    damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        read = layouts.decode(bytes(damaged))
    except DecodeError:
        return
    assert layouts.encode(read.raw, layout=read.layout.id) == damaged


# -- JSON, commands, the testee


def test_json_is_read_in_the_layout_that_it_is_in() -> None:
    older = v10_of(v10.OutboxesSection((outbox("ab"),)))
    text = satsjson.dumps(layouts.shape("10h"), older)
    read = read_json(text)
    assert (read.raw, read.layout.id) == (older, "10h")
    with pytest.raises(DecodeError):
        read_json(text, layout="2.14.0")
    bare = satsjson.dumps(shape_of(raw.RawModuleDef), v10_of()).removeprefix('{"V10":').removesuffix("}")
    assert read_json(bare, layout="2.4.0").layout.id == "10c"


def test_loading_says_which_layout() -> None:
    assert load(OLD_TABLE, kind="bsatn").layout == "10a"
    assert load(layouts.encode(v10_of()), kind="bsatn", layout="2.4").layout == "10c"


def test_commands_take_a_layout(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    source, target = tmp_path / "old.bsatn", tmp_path / "same.bsatn"
    source.write_bytes(layouts.encode(v10_of(v10.OutboxesSection((outbox("a" * 28),))), layout="10h"))
    assert main(["describe", str(source)]) == 1
    assert "AmbiguousLayout" in capfd.readouterr().err
    assert main(["extract", str(source), "--layout", "2.12.0", "-o", str(target)]) == 0
    assert "layout 10h" in capfd.readouterr().err
    assert target.read_bytes() == source.read_bytes()
    assert main(["describe", str(source), "--layout", "2.12.0", "--format", "raw-json"]) == 0
    assert '"aaaaaaaaaaaaaaaaaaaaaaaaaaaa"' in capfd.readouterr().out
    assert main(["describe", str(source), "--layout", "9.9"]) == 1
    assert "newer than this version of bsatn knows" in capfd.readouterr().err


@pytest.mark.parametrize("form", ["text", "markdown", "json"])
def test_the_command_prints_the_table(form: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["layouts", "--format", form]) == 0
    printed = capfd.readouterr().out
    assert all(layout.id in printed and layout.first in printed for layout in LAYOUTS)
    assert main(["layouts", "2.4.1", "--format", form]) == 0
    printed = capfd.readouterr().out
    assert "10d" in printed
    assert "10c" not in printed


def test_the_testee_reads_and_writes_layouts() -> None:
    case = next(case for case in cases() if case["written_by"] == "1.12.0" and '"Internal"' in case["json"])
    reply = answer({"op": "module.decode", "bytes": case["bytes"], "layout": "1.12.0"})
    assert reply == {"ok": True, "version": 10, "layout": "10a", "json": case["json"], "bytes": case["bytes"]}
    assert answer({"op": "module.encode", "json": case["json"], "layout": "10a"}) == {"ok": True, "bytes": case["bytes"]}
    assert answer({"op": "module.decode", "bytes": case["bytes"], "layout": "auto"})["layout"] == "10a"
    assert answer({"op": "module.decode", "bytes": case["bytes"]})["ok"] is False
    assert "skipped" in answer({"op": "module.decode", "bytes": case["bytes"], "layout": "3.0.0"})
    text = answer({"op": "module.decode", "bytes": raw.encode(FULL).hex()})["json"]
    assert answer({"op": "module.encode", "json": text, "layout": "2.0.0"})["ok"] is False


def test_types_are_the_same_in_every_layout() -> None:
    """So that a codec of a type is needed once only."""
    assert Codec(t.Typespace).shape in reachable(layouts.shape("9b"))
    assert Codec(t.Typespace).shape in reachable(layouts.shape("10a"))
