"""The golden vectors: as generated, agreed with, and not to be changed unnoticed."""

from __future__ import annotations

import gzip
import itertools
import json
import random
import re
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bsatn import strategies
from bsatn.codec import Codec
from bsatn.satn import parse_type
from defs.cli import main
from defs.conformance.checks import CHECKS
from defs.vectors import AREAS, FLAGS, VectorError, VectorFile, files, lint, read_all, verify
from defs.vectors.areas import FIELDS
from defs.vectors.files import from_cbor, generated, to_cbor
from defs.vectors.generation import check
from defs.vectors.generation.groups import MAKERS
from defs.vectors.generation.ledger import Ledger, key_of
from defs.vectors.generation.programs import Programs
from defs.vectors.generation.releases import LAYOUTS, RELEASES
from defs.vectors.generation.values import mutated
from defs.vectors.schema import faults, load_schema
from defs.vectors.semantic import from_semantic, to_semantic
from defs.vectors.verify import differences

VECTORS = Path(__file__).parents[2] / "vectors"
FILES = {file.path: file for file in read_all(VECTORS)}
CASES = {case["id"]: case for file in FILES.values() for case in file.cases}


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The generated files, where they may be changed; whoever changes one puts it back."""
    place = tmp_path_factory.mktemp("vectors")
    for path in [*generated(VECTORS), VECTORS / "DIGESTS"]:
        target = place / path.relative_to(VECTORS)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    return place


@pytest.fixture
def some(tmp_path: Path) -> Path:
    """The names, the schema and the ledger, to be changed; a lint also finds that all else is missing."""
    for path in generated(VECTORS):
        if path.parent.name in ("names", "schema") or path.name == "LEDGER":
            (tmp_path / path.relative_to(VECTORS)).parent.mkdir(exist_ok=True)
            shutil.copy(path, tmp_path / path.relative_to(VECTORS))
    return tmp_path


def relinted(place: Path) -> list[str]:
    """What the lint finds where somebody has brought the digests in line."""
    (place / "DIGESTS").write_text(files.digests(place), "utf-8")
    return [fault for fault in lint(place) if not fault.endswith("no groups")]


# What is committed ------------------------------------------------------------------------------------------


def test_the_files_are_as_they_were_generated() -> None:
    assert lint(VECTORS) == []


def test_there_are_enough_in_all() -> None:
    assert len(CASES) >= 6500
    assert sum(path.stat().st_size for path in generated(VECTORS)) < 20 << 20


LONG = {"traces"}  #: a part of these is asked in every run, by test_wholes


@pytest.mark.parametrize("area", [pytest.param(area, marks=[pytest.mark.slow] if area in LONG else []) for area in AREAS])
def test_this_library_agrees(area: str) -> None:
    report = verify(VECTORS, [area])
    found = {failure.id: failure.differences for failure in report.failures}
    assert found == {}
    assert report.skipped[area] == 0
    assert report.agreed[area] > 200


@pytest.mark.parametrize(("area", "least"), [("values", 1500), ("types", 300), ("names", 500), ("definitions", 500),
                                             ("validation", 500), ("conversion", 200), ("migrations", 500),
                                             ("logs", 350), ("traces", 400), ("subscriptions", 850),
                                             ("queries", 250)])  # fmt: skip
def test_there_are_enough(area: str, least: int) -> None:
    assert sum(len(file.cases) for file in FILES.values() if file.area == area) >= least


def errors_of(case: dict[str, Any]) -> set[str]:
    return {one["error"] for one in (case, *case.get("choices", ())) if "error" in one}


def test_every_kind_of_decode_error_is_there() -> None:
    kinds = Counter(kind for path, file in FILES.items() if file.area in ("values", "definitions") for case in file.cases
                    for kind in errors_of(case))  # fmt: skip
    wanted = {"BufferLength", "InvalidTag", "InvalidUtf8", "InvalidBool", "Other", "TrailingBytes", "InvalidTypeRef",
              "RecursiveTypeRef", "LimitExceeded"}  # fmt: skip
    assert wanted <= kinds.keys()


NEVER = {"MissingTypeDef", "TableTypeNameMismatch", "InvalidRowLevelQuery", "OutboxTargetColumnAmbiguous", "DuplicateLifeCycle",
         "DuplicateSchedule", "MissingScheduleTable"}  # fmt: skip


def test_every_kind_of_validation_error_is_there() -> None:
    from defs.validate import errors

    raised = {error["kind"] for file in FILES.values() if file.area == "validation" for case in file.cases
              for error in case.get("errors", ())}  # fmt: skip
    upstream = {name for name in dir(errors) if isinstance(one := getattr(errors, name), type)
                and issubclass(one, errors.ValidationError) and one is not errors.ValidationError}  # fmt: skip
    assert upstream - raised - NEVER - {"ReferenceWouldCrash", "OutboxScheduledTable"} == set()


def test_every_layout_is_there() -> None:
    assert {file.group for file in FILES.values() if file.area == "definitions"} == {f"v{layout}" for layout in LAYOUTS}
    assert {case["layout"] for case in FILES["types/layouts"].cases} == set(LAYOUTS)
    for layout in LAYOUTS:
        verdicts = Counter(case["verdict"] for case in FILES[f"definitions/v{layout}"].cases)
        assert verdicts["accept"] >= 10, layout
        assert verdicts["reject"] >= 8, layout


def test_every_flag_is_used() -> None:
    assert {flag for case in CASES.values() for flag in case["flags"]} == set(FLAGS)


def test_the_layouts_are_asked_of_releases_that_have_them() -> None:
    from defs.raw import layouts
    from defs.releases import release_named

    assert list(LAYOUTS) == [layout.id for layout in layouts.LAYOUTS]
    for layout in LAYOUTS.values():
        since, asked, until = map(release_named, (layout.since, layout.release, layout.until))
        assert since <= asked <= until
    assert LAYOUTS["8"].since == RELEASES[0]  # version 8 is older than the first release that is asked


def test_the_schema_and_the_cddl_have_every_field() -> None:
    schema = load_schema(VECTORS)
    assert set(schema["$defs"]["case"]["properties"]) == set(FIELDS)
    cddl = (VECTORS / "schema" / "vectors.cddl").read_text("utf-8").partition("case = {")[2].partition("\n}\n")[0]
    assert set(FIELDS) <= set(re.findall(r"(\w+):", cddl))


def test_the_readme_lists_areas_fields_and_flags() -> None:
    page = (VECTORS / "README.md").read_text("utf-8")
    golden = page.partition("## Golden vectors")[2].partition("## reference/")[0]
    rows = dict(re.findall(r"^\| `([\w-]+)` \| (.*) \|$", golden, re.MULTILINE))
    for table in (FLAGS, FIELDS, {name: area.about for name, area in AREAS.items()}):
        assert {name: rows.get(name) for name in table} == table


def test_json_and_cbor_are_what_other_readers_read() -> None:
    for path, file in itertools.islice(FILES.items(), 5):
        twin = json.loads((VECTORS / f"{path}.json").read_text("utf-8"))
        assert twin["count"] == len(file.cases)
        binary = cbor2.loads((VECTORS / f"{path}.cbor").read_bytes())
        assert [case["id"] for case in twin["cases"]] == [case["id"] for case in binary["cases"]]


# What is noticed --------------------------------------------------------------------------------------------


def test_any_changed_byte_is_noticed(copied: Path) -> None:
    """By the digests in any case; and by what the file says where the digests are brought in line."""
    source = random.Random(7)
    everything = [*generated(copied), copied / "DIGESTS"]
    for path in source.sample(everything, k=50):
        whole = path.read_bytes()
        at, bit = source.randrange(len(whole)), 1 << source.randrange(8)
        path.write_bytes(whole[:at] + bytes([whole[at] ^ bit]) + whole[at + 1 :])
        assert next(iter_digest_faults(copied), None), (path, at, bit)
        path.write_bytes(whole)
    assert lint(copied) == []


def iter_digest_faults(place: Path) -> Any:
    from defs.vectors.lint import _digests

    return _digests(place)


@pytest.mark.parametrize("ending", ["json", "cbor"])
def test_a_hand_edit_is_noticed_even_with_new_digests(some: Path, ending: str) -> None:
    path = some / "names" / f"cases.{ending}"
    whole, source = path.read_bytes(), random.Random(11)
    assert relinted(some) == []
    for _ in range(12):
        at = source.randrange(len(whole))
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert relinted(some), at


def edited(path: str, **fields: Any) -> VectorFile:
    file = FILES[path]
    return VectorFile(file.area, file.group, file.about, ({**file.cases[0], **fields}, *file.cases[1:]))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"id": "names-0002"}, "the id names-0002"),
        ({"id": "names-9999"}, "another id"),
        ({"flags": ["sparkling"]}, "of those that are declared"),
        ({"flags": ["random", "nul"]}, "sorted"),
        ({"verdict": "maybe"}, "must be one of"),
        ({"verdict": "reject", "error": "not a kind"}, "must match"),
        ({"colour": "red"}, "no such field"),
        ({"since": "yesterday"}, "must match"),
        ({"name": "another"}, "another id"),
    ],
    ids=str,
)
def test_a_bad_case_is_noticed(some: Path, fields: dict[str, Any], words: str) -> None:
    files.write(some, edited("names/cases", **fields))
    assert any(words in fault for fault in relinted(some)), relinted(some)


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("values/integers", {"value": 77}),
    ("values/integers", {"json": "77"}),
    ("values/integers", {"verdict": "reject", "error": "BufferLength"}),
    ("values/integers", {"canonical": False, "reencoded": b"\7\7"}),
    ("names/cases", {"identifier": "Empty"}),
    ("names/cases", {"spellings": {"snake": "a", "camel": "b", "pascal": "c"}}),
    ("definitions/v10i", {"bytes": b"\2"}),
    ("definitions/v10i", {"value": [2, [[[9, [0, []]]]]]}),
    ("validation/rules", {"verdict": "reject", "errors": []}),
    ("validation/rules", {"warnings": ["beware"]}),
    ("conversion/rules", {"v9": b"\1"}),
    ("conversion/rules", {"v10": b"\2"}),
    ("types/vectors", {"json": '{"I8":[]}'}),
]


@pytest.mark.parametrize(("path", "fields"), WRONG, ids=str)
def test_a_wrong_answer_is_noticed(path: str, fields: dict[str, Any]) -> None:
    file = FILES[path]
    good = next(case for case in file.cases if case["verdict"] == "accept" and differences(file.area, case) == [])
    assert differences(file.area, {**good, **fields})


def test_an_error_of_another_kind_or_place_is_noticed() -> None:
    case = next(case for case in FILES["values/errors"].cases if case["verdict"] == "reject" and "offset" in case)
    assert differences("values", case) == []
    assert differences("values", {**case, "error": "Other"})
    assert differences("values", {**case, "offset": case["offset"] + 1})


# Tools ------------------------------------------------------------------------------------------------------


def test_ids_are_stable() -> None:
    """Those that are committed are what the ledger gives; new cases get new ids, gone ones keep theirs."""
    text = (VECTORS / "LEDGER").read_text("utf-8")
    ledger = Ledger(text)
    for file in FILES.values():
        for case in file.cases:
            assert ledger.id_for(file.area, file.group, case) == case["id"]
    assert ledger.text() == text
    first = FILES["names/cases"].cases[0]
    new = ledger.id_for("names", "cases", {**first, "name": "never seen"})
    assert new not in CASES
    assert ledger.id_for("names", "cases", {**first, "identifier": "Empty"}) == first["id"]  # answers do not count
    assert key_of("names", "cases", first) != key_of("names", "random", first)
    with pytest.raises(VectorError):
        Ledger(text + text)
    with pytest.raises(VectorError):
        Ledger("names-0001 a\nnames-0001 b\n")


TYPES = (
    "U8",
    "I256",
    "F32",
    "F64",
    "(a: String, b: Array<(x: F32 | y: Option<Option<U8>>)>)",
    "Bytes",
    "Array<()>",
    "ScheduleAt",
)


@pytest.mark.parametrize("text", TYPES)
@given(data=st.data())
def test_the_semantic_form_says_every_value(text: str, data: st.DataObject) -> None:
    codec: Codec[Any] = Codec(parse_type(text))
    value = data.draw(strategies.values(codec.shape))
    form = to_semantic(codec.shape, value)
    assert codec.encode(from_semantic(codec.shape, from_cbor(to_cbor(form)))) == codec.encode(value)


TEXTS = st.text(st.characters(codec="utf-8"))
LEAVES = st.one_of(st.booleans(), st.integers(-(2**63), 2**64 - 1), st.binary(), TEXTS)


@given(st.recursive(LEAVES, lambda inner: st.one_of(st.lists(inner), st.dictionaries(TEXTS, inner))))
def test_cbor_is_what_cbor2_reads(content: Any) -> None:
    assert cbor2.loads(to_cbor(content)) == content
    assert from_cbor(to_cbor(content)) == content


OTHER_CBOR = ("", "1801", "a2616200616100", "9fff", "f6", "fb0000000000000000", "81" * 5000, "0101", "a10101", "5f")


@pytest.mark.parametrize("data", [bytes.fromhex(digits) for digits in OTHER_CBOR], ids=lambda data: data[:8].hex())
def test_other_cbor_is_refused(data: bytes) -> None:
    with pytest.raises(VectorError):
        from_cbor(data)


def test_a_schema_keyword_that_is_not_known_is_an_error() -> None:
    with pytest.raises(VectorError, match="multipleOf"):
        list(faults({"multipleOf": 2}, 3))


def test_mutations_depend_on_the_seed_alone() -> None:
    first, second = ([mutated(bytes(20), random.Random(seed)) for seed in range(50)] for _ in range(2))
    assert first == second


def test_every_area_has_a_maker_and_a_check() -> None:
    assert AREAS.keys() == MAKERS.keys() == CHECKS.keys()


def test_inputs_are_committed() -> None:
    with gzip.open(VECTORS / "reference" / "values.jsonl.gz") as lines:
        assert lines.readline()
    assert (VECTORS / "generator" / "inputs" / "rules.txt").is_file()
    assert not list((VECTORS / "generator").rglob("Cargo.lock"))


def test_without_cargo_generating_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("BSATN_VECTORS_BUILD", str(tmp_path / "build"))
    assert main(["vectors", "generate", "--check", "--area", "names"]) == 1
    assert "install Rust" in capsys.readouterr().err
    with pytest.raises(VectorError, match="cargo"):
        Programs(VECTORS / "generator", tmp_path / "none").ask(None, [])


def test_list_show_and_lint(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["vectors", "list"]) == 0
    listed = capsys.readouterr().out
    assert listed.splitlines()[-1] == f"{len(CASES)} cases in {len(FILES)} groups"
    assert main(["vectors", "show", "values-0001"]) == 0
    assert "verdict    accept" in capsys.readouterr().out
    assert main(["vectors", "show", "values-987654"]) == 2
    assert main(["vectors", "show", "nothing"]) == 2
    assert main(["vectors", "lint"]) == 0
    assert main(["vectors", "lint", "--dir", str(tmp_path)]) == 1
    assert main(["vectors", "list", "--dir", str(tmp_path)]) == 1
    assert main(["vectors", "list", "--dir", str(tmp_path / "none")]) == 2


def test_every_case_can_be_shown(capsys: pytest.CaptureFixture[str]) -> None:
    for file in FILES.values():
        assert main(["vectors", "show", file.cases[-1]["id"]]) == 0
        assert capsys.readouterr().out.count("\n") > 5


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("cargo") is None, reason="needs cargo, to ask the published crates")
def test_generating_anew_changes_nothing() -> None:
    assert len(RELEASES) == 13
    assert check(VECTORS) == []
