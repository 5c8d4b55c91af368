"""Raw definitions: sections and look-ups, versions, and what each release's rules say of the bytes."""

from __future__ import annotations

import dataclasses
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from bsatn import types as t
from bsatn.annotations import product
from bsatn.codec import Codec
from bsatn.errors import DecodeError, LimitExceeded
from bsatn.limits import Limits
from bsatn.records import shape_of, type_of
from bsatn.shapes import Case, Product, Sum
from defs import raw
from defs.raw import layouts, shared, v8, v9, v10

MODULES_DIR = Path(__file__).parents[2] / "vectors" / "modules"
MODULES = json.loads((MODULES_DIR / "expected.json").read_text("utf-8"))["modules"]

V8 = v8.RawModuleDefV8(t.Typespace(), (), (), ())
V9 = v9.RawModuleDefV9(t.Typespace(), (), (), (), (), ())
V10 = v10.RawModuleDefV10()


def table(name: str) -> v10.RawTableDefV10:
    return v10.RawTableDefV10(name, 0, (), (), (), (), shared.TableType.User, shared.TableAccess.Public, ())


# -- versions


@pytest.mark.parametrize(("definition", "version", "tag", "layout"), [(V8, 8, 0, "8"), (V9, 9, 1, "9e"), (V10, 10, 2, "10i")])
def test_a_version_has_its_tag_and_layout(definition: raw.RawModuleDef, version: int, tag: int, layout: str) -> None:
    assert raw.version_of(definition) == version
    assert raw.encode(definition)[0] == tag
    assert layouts.NEWEST[version].id == layout
    assert raw.decode(raw.encode(definition)) == definition


@pytest.mark.parametrize("name", MODULES)
def test_a_real_module_goes_there_and_back(name: str) -> None:
    data = bytes.fromhex(MODULES[name]["bytes"])
    definition = raw.decode(data)
    assert raw.version_of(definition) == MODULES[name]["version"]
    assert raw.encode(definition) == data


def test_bytes_left_over_are_refused_unless_allowed() -> None:
    data = raw.encode(V10) + b"\0"
    with pytest.raises(DecodeError) as caught:
        raw.decode(data)
    assert caught.value.kind == "TrailingBytes"
    assert raw.decode(data, trailing="allow") == V10


def test_limits_may_be_narrowed() -> None:
    data = raw.encode(v10.RawModuleDefV10((v10.TypespaceSection(t.Typespace((product(a=t.U8),))),)))
    with pytest.raises(LimitExceeded):
        raw.decode(data, limits=Limits(depth=3))


# -- sections

LOOKUPS: list[tuple[type[Any], str, Any]] = [
    (v10.TypespaceSection, "typespace", t.Typespace()),
    (v10.TypesSection, "types", ()),
    (v10.TablesSection, "tables", ()),
    (v10.ReducersSection, "reducers", ()),
    (v10.ProceduresSection, "procedures", ()),
    (v10.ViewsSection, "views", ()),
    (v10.SchedulesSection, "schedules", ()),
    (v10.LifeCycleReducersSection, "lifecycle_reducers", ()),
    (v10.RowLevelSecuritySection, "row_level_security", ()),
    (v10.CaseConversionPolicySection, "case_conversion_policy", v10.CaseConversionPolicy.SnakeCase),
    (v10.ExplicitNamesSection, "explicit_names", ()),
    (v10.HttpHandlersSection, "http_handlers", ()),
    (v10.HttpRoutesSection, "http_routes", ()),
    (v10.ViewPrimaryKeysSection, "view_primary_keys", ()),
    (v10.SubmodulesSection, "submodules", ()),
    (v10.EnvironmentSection, "environment", None),
    (v10.OutboxesSection, "outboxes", ()),
]


def test_every_section_has_a_look_up_and_its_tag() -> None:
    shape = shape_of(v10.RawModuleDefV10Section)
    assert isinstance(shape, Sum)
    assert list(shape.members) == [section for section, _, _ in LOOKUPS]
    assert list(shape.names) == [
        "Typespace", "Types", "Tables", "Reducers", "Procedures", "Views", "Schedules", "LifeCycleReducers",
        "RowLevelSecurity", "CaseConversionPolicy", "ExplicitNames", "HttpHandlers", "HttpRoutes", "ViewPrimaryKeys",
        "Submodules", "Environment", "Outboxes",
    ]  # fmt: skip


@pytest.mark.parametrize(("section", "name", "absent"), LOOKUPS, ids=[name for _, name, _ in LOOKUPS])
def test_a_section_that_is_absent_means_something(section: type[Any], name: str, absent: Any) -> None:
    assert getattr(V10, name) == absent
    assert V10.first(section) is None
    assert [field.name for field in dataclasses.fields(section)] == [name]


def test_the_first_section_of_a_kind_counts_and_all_are_kept() -> None:
    definition = v10.RawModuleDefV10(
        (v10.TablesSection((table("a"),)), v10.TypesSection(()), v10.TablesSection((table("b"), table("c"))))
    )
    assert [one.source_name for one in definition.tables] == ["a"]
    assert raw.decode(raw.encode(definition)) == definition


def test_an_empty_environment_differs_from_none() -> None:
    definition = v10.RawModuleDefV10((v10.EnvironmentSection(()),))
    assert definition.environment == ()
    again = raw.decode(raw.encode(definition))
    assert isinstance(again, v10.RawModuleDefV10)
    assert again.environment == ()


def test_explicit_names_are_the_entries() -> None:
    entries = (v10.TableName(v10.NameMapping("a", "b")),)
    assert v10.RawModuleDefV10((v10.ExplicitNamesSection(v10.ExplicitNames(entries)),)).explicit_names == entries


def test_submodules_hold_definitions_without_tag() -> None:
    inner = v10.RawModuleDefV10((v10.TablesSection((table("t"),)),))
    outer = v10.RawModuleDefV10((v10.SubmodulesSection((v10.RawSubmoduleV10("ns", inner),)),))
    data = raw.encode(outer)
    assert data == b"\2\1\0\0\0\x0e\1\0\0\0\2\0\0\0ns" + raw.encode(inner)[1:]
    assert raw.decode(data) == outer


def test_a_table_is_an_event_table_only_if_it_says_so() -> None:
    assert table("t").is_event is False
    assert dataclasses.replace(table("t"), is_event=True).is_event is True


# -- tags and fields, by the book (spec: wire 6)


@pytest.mark.parametrize(
    ("annotation", "names"),
    [
        (raw.RawModuleDef, "V8BackCompat V9 V10"),
        (shared.TableType, "System User"),
        (shared.TableAccess, "Public Private"),
        (shared.Lifecycle, "Init OnConnect OnDisconnect"),
        (shared.RawIndexAlgorithm, "BTree Hash Direct"),
        (shared.RawConstraintDataV9, "Unique"),
        (v8.IndexType, "BTree Hash"),
        (v8.MiscModuleExport, "TypeAlias"),
        (v9.RawMiscModuleExportV9, "ColumnDefaultValue Procedure View"),
        (v10.FunctionVisibility, "Private ClientCallable"),
        (v10.CaseConversionPolicy, "None SnakeCase"),
        (v10.ExplicitNameEntry, "Table Function Index Namespace"),
        (v10.MethodOrAny, "Any Method"),
        (v10.HttpMethod, "Get Head Post Put Delete Connect Options Trace Patch Extension"),
        (v10.RawEnvVarTypeV10, "String StringLiteral Union"),
    ],
)
def test_variants_stand_in_the_order_of_their_tags(annotation: Any, names: str) -> None:
    shape = shape_of(annotation)
    assert isinstance(shape, Sum)
    assert list(shape.names) == names.split()


@pytest.mark.parametrize(
    ("record", "fields"),
    [
        (v8.RawTableDefV8, "table_name columns indexes constraints sequences table_type table_access scheduled"),
        (v8.RawSequenceDefV8, "sequence_name col_pos increment start min_value max_value allocated"),
        (v8.RawModuleDefV8, "typespace tables reducers misc_exports"),
        (
            v9.RawTableDefV9,
            "name product_type_ref primary_key indexes constraints sequences schedule table_type table_access",
        ),
        (v9.RawSequenceDefV9, "name column start min_value max_value increment"),
        (v9.RawViewDefV9, "name index is_public is_anonymous params return_type"),
        (v9.RawModuleDefV9, "typespace tables reducers types misc_exports row_level_security"),
        (
            v10.RawTableDefV10,
            "source_name product_type_ref primary_key indexes constraints sequences table_type table_access "
            "default_values is_event",
        ),
        (v10.RawSequenceDefV10, "source_name column start min_value max_value increment"),
        (v10.RawReducerDefV10, "source_name params visibility ok_return_type err_return_type"),
        (v10.RawProcedureDefV10, "source_name params return_type visibility"),
        (v10.RawViewDefV10, "source_name index is_public is_anonymous params return_type"),
        (v10.RawScheduleDefV10, "source_name table_name schedule_at_col function_name"),
        (v10.RawOutboxDefV10, "table_name remote_reducer target_column arg_columns on_result_reducer signature_hash"),
        (v10.RawEnvironmentDeclarationV10, "name ty optional"),
    ],
    ids=lambda part: part.__name__ if isinstance(part, type) else "",
)
def test_fields_stand_in_wire_order(record: type[Any], fields: str) -> None:
    shape = shape_of(record)
    assert isinstance(shape, Product)
    assert list(shape.names) == fields.split()


def test_a_hash_is_256_bits() -> None:
    assert [e.algebraic_type for e in type_of(v10.RawOutboxDefV10)][-1] == t.U256  # type: ignore[attr-defined]


def test_column_lists_keep_order_and_duplicates() -> None:
    index = shared.BTree((3, 1, 3))
    codec = Codec[shared.BTree](shared.RawIndexAlgorithm)
    assert codec.decode(codec.encode(index)) == index


@pytest.mark.parametrize("flags", range(16))
def test_any_flags_below_16_are_constraints(flags: int) -> None:
    codec = Codec(v8.RawConstraintDefV8)
    data = bytes(4) + bytes([flags]) + bytes(4)
    value = codec.decode(data)
    assert value.constraints == flags
    assert isinstance(value.constraints, v8.Constraints)
    assert codec.encode(value) == data


@pytest.mark.parametrize("flags", [16, 31, 128, 255])
def test_flags_from_16_are_no_constraints(flags: int) -> None:
    with pytest.raises(DecodeError) as caught:
        Codec(v8.RawConstraintDefV8).decode(bytes(4) + bytes([flags]) + bytes(4))
    assert (caught.value.kind, caught.value.message) == ("Other", "invalid bitflags for `Constraints`")


def test_sections_are_cases_so_that_each_is_its_content() -> None:
    shape = shape_of(v10.RawModuleDefV10Section)
    assert isinstance(shape, Sum)
    assert all(isinstance(payload, Case) for payload in shape.payloads)


# -- the corpus of definitions


@pytest.mark.parametrize("corpus", ["modules", "modules_v8"])
def test_definitions_of_the_corpus_keep_their_meaning_when_copied(corpus: str) -> None:
    path = MODULES_DIR.parent / "reference" / f"{corpus}.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for case in [json.loads(line) for line in lines][::40]:
            definition = raw.decode(bytes.fromhex(case["bytes"]))
            assert dataclasses.replace(definition) == definition
            assert hash(definition) == hash(raw.decode(bytes.fromhex(case["bytes"])))
