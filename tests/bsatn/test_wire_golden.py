"""Every vector of the wire format's specification, in every engine. (spec: wire 1.2, 2.2, 3, 6.4)"""

from __future__ import annotations

import json
import math
import struct
from typing import Any

import pytest

from bsatn import annotations as a
from bsatn import satsjson
from bsatn import types as t
from bsatn.annotations import array, option, product, ref, result
from bsatn.codec import Codec
from bsatn.engines import Engine, available
from bsatn.errors import DecodeError
from bsatn.records import shape_of
from bsatn.values import ConnectionId, Identity, TimeDuration, Timestamp, Variant
from defs import raw
from defs.raw import v8, v9, v10

ENGINES = available()
each_engine = pytest.mark.parametrize("engine", ENGINES)

# -- values (spec: wire 1.2)

VALUES: list[tuple[str, Any, Any, str]] = [
    ("U16", a.U16, 0x1234, "3412"),
    ("I32", a.I32, -2, "feffffff"),
    ("I256", a.I256, -42, "d6" + "ff" * 31),
    ("U128", a.U128, 0x0102030405060708090A0B0C0D0E0F10, "100f0e0d0c0b0a090807060504030201"),
    ("F32", a.F32, 1.5, "0000c03f"),
    ("F64", a.F64, -0.0, "0000000000000080"),
    ("String", a.String, "hé", "0300000068c3a9"),
    ("array of U16", array(a.U16), [1, 2], "0200000001000200"),
    ("bytes", a.Bytes, b"\x01\x02", "020000000102"),
    ("array of unit", array(a.Unit), [(), (), ()], "03000000"),
    ("some", option(a.U8), 5, "0005"),
    ("none", option(a.U8), None, "01"),
    ("err", result(a.U8, a.String), Variant(1, "x"), "010100000078"),
    ("Identity", t.IDENTITY, Identity(1), "01" + "00" * 31),
    ("ConnectionId", t.CONNECTION_ID, ConnectionId(1), "01" + "00" * 15),
    ("Interval", a.ScheduleAt, TimeDuration(10), "000a00000000000000"),
    ("Time", a.ScheduleAt, Timestamp(10), "010a00000000000000"),
]
values = pytest.mark.parametrize(("kind", "value", "data"), [row[1:] for row in VALUES], ids=[row[0] for row in VALUES])


@each_engine
@values
def test_a_value_is_read(kind: Any, value: Any, data: str, engine: Engine) -> None:
    found = Codec[Any](kind, engine=engine).decode(bytes.fromhex(data))
    assert repr(found) == repr(value)  # repr tells -0.0 from 0.0, and the classes of equal numbers


@each_engine
@values
def test_a_value_is_written(kind: Any, value: Any, data: str, engine: Engine) -> None:
    assert Codec[Any](kind, engine=engine).encode(value).hex() == data


@each_engine
@pytest.mark.parametrize("data", ["000000000000f87f", "010000000000f8ff"])
def test_a_nan_keeps_its_bits(data: str, engine: Engine) -> None:
    codec = Codec[float](a.F64, engine=engine)
    value = codec.decode(bytes.fromhex(data))
    assert math.isnan(value)
    assert struct.pack("<d", value).hex() == data
    assert codec.encode(value).hex() == data


# -- types (spec: wire 2.1, 2.2)

TYPES: list[tuple[str, t.AlgebraicType, str]] = [
    ("U8", t.U8, "07"),
    ("F64", t.F64, "13"),
    ("Ref", ref(1), "0001000000"),
    ("bytes", t.BYTES, "0307"),
    ("unit", t.UNIT, "0200000000"),
    ("never", t.NEVER, "0100000000"),
    ("option", option(a.U8), "01020000000004000000736f6d650700040000006e6f6e650200000000"),
    ("result", result(a.U8, a.String), "010200000000020000006f6b07000300000065727204"),
    ("tuple", product(a.U8, a.Bool), "020200000001070105"),
    ("Identity", t.IDENTITY, "0201000000000c0000005f5f6964656e746974795f5f11"),
    *((kind.name, kind, f"{tag:02x}") for tag, kind in enumerate(t.PRIMITIVES, 4)),
]
types = pytest.mark.parametrize(("kind", "data"), [row[1:] for row in TYPES], ids=[row[0] for row in TYPES])


@each_engine
@types
def test_a_type_is_read(kind: t.AlgebraicType, data: str, engine: Engine) -> None:
    assert Codec(t.AlgebraicType, engine=engine).decode(bytes.fromhex(data)) == kind


@each_engine
@types
def test_a_type_is_written(kind: t.AlgebraicType, data: str, engine: Engine) -> None:
    assert Codec(t.AlgebraicType, engine=engine).encode(kind).hex() == data


# -- errors (spec: wire 3)


def short(for_type: str, expected: int, given: int) -> dict[str, Any]:
    return {"for_type": for_type, "expected": expected, "given": given}


TABLE = v8.RawTableDefV8("t", (), (), (), (), v8.StTableType.User, v8.StAccess.Public, None)
BAD_ACCESS = Codec(v8.RawTableDefV8).encode(TABLE).replace(b"\x06\0\0\0public", b"\x01\0\0\0x").hex()

ERRORS: list[tuple[str, Any, str, str, dict[str, Any], int]] = [
    ("Bool 2", a.Bool, "02", "InvalidBool", {"byte": 2}, 0),
    ("no Bool", a.Bool, "", "BufferLength", short("u8", 1, 0), 0),
    ("half a U32", a.U32, "0102", "BufferLength", short("u32", 4, 2), 0),
    ("I256 of 5 bytes", a.I256, "0102030405", "BufferLength", short("i256", 32, 5), 0),
    ("F64 of 2 bytes", a.F64, "0102", "BufferLength", short("u64", 8, 2), 0),
    ("F32 of 3 bytes", a.F32, "010203", "BufferLength", short("u32", 4, 3), 0),
    ("half a String", a.String, "0500000061", "BufferLength", short("[u8]", 5, 1), 4),
    ("half of bytes", a.Bytes, "0500000061", "BufferLength", short("[u8]", 5, 1), 4),
    ("no length", a.String, "0500", "BufferLength", short("u32", 4, 2), 0),
    ("no UTF-8", a.String, "01000000ff", "InvalidUtf8", {}, 4),
    ("half an array", array(a.U16), "020000000100", "BufferLength", short("u16", 2, 0), 6),
    ("a false count", array(a.U64), "ffffffff", "BufferLength", short("u64", 8, 0), 4),
    ("no tag", option(a.U8), "", "BufferLength", short("u8", 1, 0), 0),
    ("option by type", option(a.U8), "02", "InvalidTag", {"tag": 2, "sum_name": None}, 0),
    ("option by class", a.U8 | None, "02", "InvalidTag", {"tag": 2, "sum_name": "option"}, 0),
    ("never", a.Never, "00", "InvalidTag", {"tag": 0, "sum_name": None}, 0),
    ("type", t.AlgebraicType, "14", "InvalidTag", {"tag": 20, "sum_name": "AlgebraicType"}, 0),
    ("version", raw.RawModuleDef, "03", "InvalidTag", {"tag": 3, "sum_name": "RawModuleDef"}, 0),
    ("section", raw.RawModuleDef, "020100000011", "InvalidTag", {"tag": 17, "sum_name": "RawModuleDefV10Section"}, 5),
    (
        "V8 access", v8.RawTableDefV8, BAD_ACCESS, "Other",
        {"text": "DecodeError for StAccess: `x`. Expected `public` | 'private'"}, 33,
    ),
    ("V8 constraint", v8.RawConstraintDefV8, "000000001000000000", "Other", {"text": "invalid bitflags for `Constraints`"}, 4),
]  # fmt: skip
errors = pytest.mark.parametrize(
    ("kind", "data", "name", "fields", "offset"), [row[1:] for row in ERRORS], ids=[row[0] for row in ERRORS]
)


@each_engine
@errors
def test_bad_bytes_get_the_error_of_the_table(
    kind: Any, data: str, name: str, fields: dict[str, Any], offset: int, engine: Engine
) -> None:
    with pytest.raises(DecodeError) as caught:
        Codec[Any](kind, engine=engine).decode(bytes.fromhex(data))
    assert (caught.value.kind, caught.value.fields, caught.value.offset) == (name, fields, offset)


@pytest.mark.parametrize(
    ("kind", "data", "message"),
    [
        (a.U32, "0102", "data too short for u32: Expected 4, given 2"),
        (array(a.U64), "ffffffff", "data too short for u64: Expected 8, given 0"),
        (a.String, "0500000061", "data too short for [u8]: Expected 5, given 1"),
        (option(a.U8), "ff", "unknown tag 0xff for sum type <unknown>"),
        (raw.RawModuleDef, "03", "unknown tag 0x3 for sum type RawModuleDef"),
        (a.String, "01000000ff", "invalid utf8"),
        (a.Bool, "02", "byte 2 not valid as `bool` (must be 0 or 1)"),
        (v8.RawConstraintDefV8, "000000001000000000", "invalid bitflags for `Constraints`"),
    ],
)
def test_an_error_has_the_words_of_the_reference(kind: Any, data: str, message: str) -> None:
    with pytest.raises(DecodeError) as caught:
        Codec[Any](kind).decode(bytes.fromhex(data))
    assert caught.value.message == message


# -- module definitions (spec: wire 6, 6.4)

EMPTY_V8, EMPTY_V9, EMPTY_V10 = "00" + "00" * 16, "01" + "00" * 24, "0200000000"
NOOP = "01000000000000000001000000040000006e6f6f700000000001000000000000000000000000"
V8 = (
    "0000000000010000000100000074010000000200000069640b010000000f0000006964785f745f69645f756e6971756501000100"
    "00000000010000001800000063745f745f69645f7072696d6172795f6b65795f6175746f0f010000000000010000000800000073"
    "65715f745f6964000001000000000000000000000000000000010101000000000000000000000000000000000400000075736572"
    "060000007075626c69630100000000010000000100000072000000000100000000010000005400000000"
)
V9 = (
    "01010000000202000000000200000069640d0002000000617401020000000008000000496e74657276616c020100000000180000"
    "005f5f74696d655f6475726174696f6e5f6d6963726f735f5f0c000400000054696d65020100000000250000005f5f74696d6573"
    "74616d705f6d6963726f735f73696e63655f756e69785f65706f63685f5f0c010000000100000073000000000000000001000000"
    "01010200000000000000000000000101000000660100000100000000010000000000000001000000730000000001020000000101"
    "00000070000000000702010000007600000000010100000000030000000000010000000100000051"
)
EXPLICIT_NAMES = "02010000000a040000000001000000610100000062010100000061010000006202010000006101000000620301000000610100000062"
VIEWS = (
    "0202000000050100000001000000760300000001000000000001020000000004000000736f6d65000000000000040000006e6f6e"
    "6502000000000d01000000010000007601000000020000006964"
)
SCHEDULES = "0203000000060100000001010000007402000100000066090008010000000600000053454c454354"
ROUTES = (
    "02040000000e01000000020000006e73000000000b0100000001000000680c02000000010000006800010000002f010000006801"
    "090100000058010000002f04010000000100000070000000000701"
)
ENVIRONMENT = "02010000000f0200000001000000410000010000004201010000007801"
OUTBOXES = (
    "02010000001001000000020000006f62020000007272010001000000020000020000006362070707070707070707070707070707"
    "0707070707070707070707070707070707"
)
TYPESCRIPT = (
    "020f00000000030000000202000000000200000069640b00040000006e616d6504020100000000040000006e616d650402000000"
    "0001030000000000000006000000506572736f6e0000000001000000000300000041646401000000010000000004000000496e69"
    "740200000001020100000006000000706572736f6e00000000010000000000010000000013000000706572736f6e5f69645f6964"
    "785f6274726565000200000069640001000000000001000000010001000000000001000000010000010101010000000000000000"
    "00000000000000010000000000000302000000030000006164640100000000040000006e616d6504010200000000040400000069"
    "6e69740000000001020000000004040000000005000000000d00000000060000000007010000000004000000696e69740b000000"
    "000c0000000008000000000a010000000006000000706572736f6e06000000706572736f6e09010e00000000"
)
TABLE_V10 = "020100000002010000000100000074000000000000000000000000000000000000000001000000000000"

NO_PARAMS = t.ProductType()
MAPPING = v10.NameMapping("a", "b")

DEFINITIONS: list[tuple[str, str, raw.RawModuleDef]] = [
    ("empty V8", EMPTY_V8, v8.RawModuleDefV8(t.Typespace(), (), (), ())),
    ("empty V9", EMPTY_V9, v9.RawModuleDefV9(t.Typespace(), (), (), (), (), ())),
    ("empty V10", EMPTY_V10, v10.RawModuleDefV10()),
    (
        "V9 reducer",
        NOOP,
        v9.RawModuleDefV9(t.Typespace(), (), (v9.RawReducerDefV9("noop", NO_PARAMS, None),), (), (), ()),
    ),
    (
        "V8",
        V8,
        v8.RawModuleDefV8(
            typespace=t.Typespace(),
            tables=(
                v8.TableDesc(
                    schema=v8.RawTableDefV8(
                        table_name="t",
                        columns=(v8.RawColumnDefV8("id", t.U32),),
                        indexes=(v8.RawIndexDefV8("idx_t_id_unique", True, v8.IndexType.BTree, (0,)),),
                        constraints=(v8.RawConstraintDefV8("ct_t_id_primary_key_auto", v8.Constraints.PRIMARY_KEY_AUTO, (0,)),),
                        sequences=(v8.RawSequenceDefV8("seq_t_id", 0, 1, None, None, None, 0),),
                        table_type=v8.StTableType.User,
                        table_access=v8.StAccess.Public,
                        scheduled=None,
                    ),
                    data=0,
                ),
            ),
            reducers=(v8.ReducerDef("r", ()),),
            misc_exports=(v8.TypeAlias8("T", 0),),
        ),
    ),
    (
        "V9",
        V9,
        v9.RawModuleDefV9(
            typespace=t.Typespace((product(id=t.U64, at=t.SCHEDULE_AT),)),
            tables=(
                v9.RawTableDefV9(
                    name="s",
                    product_type_ref=0,
                    primary_key=(),
                    indexes=(v9.RawIndexDefV9(None, None, raw.shared.Direct(0)),),
                    constraints=(),
                    sequences=(),
                    schedule=v9.RawScheduleDefV9(None, "f", 1),
                    table_type=raw.shared.TableType.System,
                    table_access=raw.shared.TableAccess.Private,
                ),
            ),
            reducers=(),
            types=(v9.RawTypeDefV9(v9.RawScopedTypeNameV9((), "s"), 0, True),),
            misc_exports=(
                v9.RawProcedureDefV9("p", NO_PARAMS, t.U8),
                v9.RawViewDefV9("v", 0, True, True, NO_PARAMS, array(ref(0))),
            ),
            row_level_security=(raw.shared.RawRowLevelSecurityDefV9("Q"),),
        ),
    ),
    (
        "V10 explicit names",
        EXPLICIT_NAMES,
        v10.RawModuleDefV10(
            (
                v10.ExplicitNamesSection(
                    v10.ExplicitNames(
                        (
                            v10.TableName(MAPPING),
                            v10.FunctionName(MAPPING),
                            v10.IndexName(MAPPING),
                            v10.NamespaceName(MAPPING),
                        )
                    )
                ),
            )
        ),
    ),
    (
        "V10 views",
        VIEWS,
        v10.RawModuleDefV10(
            (
                v10.ViewsSection((v10.RawViewDefV10("v", 3, True, False, NO_PARAMS, option(ref(0))),)),
                v10.ViewPrimaryKeysSection((v10.RawViewPrimaryKeyDefV10("v", ("id",)),)),
            )
        ),
    ),
    (
        "V10 schedules",
        SCHEDULES,
        v10.RawModuleDefV10(
            (
                v10.SchedulesSection((v10.RawScheduleDefV10(None, "t", 2, "f"),)),
                v10.CaseConversionPolicySection(v10.CaseConversionPolicy.None_),
                v10.RowLevelSecuritySection((raw.shared.RawRowLevelSecurityDefV9("SELECT"),)),
            )
        ),
    ),
    (
        "V10 routes",
        ROUTES,
        v10.RawModuleDefV10(
            (
                v10.SubmodulesSection((v10.RawSubmoduleV10("ns", v10.RawModuleDefV10()),)),
                v10.HttpHandlersSection((v10.RawHttpHandlerDefV10("h"),)),
                v10.HttpRoutesSection(
                    (
                        v10.RawHttpRouteDefV10("h", v10.AnyMethod(), "/"),
                        v10.RawHttpRouteDefV10("h", v10.Method(v10.Extension("X")), "/"),
                    )
                ),
                v10.ProceduresSection((v10.RawProcedureDefV10("p", NO_PARAMS, t.U8, v10.FunctionVisibility.ClientCallable),)),
            )
        ),
    ),
    (
        "V10 environment",
        ENVIRONMENT,
        v10.RawModuleDefV10(
            (
                v10.EnvironmentSection(
                    (
                        v10.RawEnvironmentDeclarationV10("A", v10.EnvString(), False),
                        v10.RawEnvironmentDeclarationV10("B", v10.EnvStringLiteral("x"), True),
                    )
                ),
            )
        ),
    ),
    (
        "V10 outboxes",
        OUTBOXES,
        v10.RawModuleDefV10((v10.OutboxesSection((v10.RawOutboxDefV10("ob", "rr", 1, (2,), "cb", int("07" * 32, 16)),)),)),
    ),
    (
        "V10 table",
        TABLE_V10,
        v10.RawModuleDefV10(
            (
                v10.TablesSection(
                    (
                        v10.RawTableDefV10(
                            source_name="t",
                            product_type_ref=0,
                            primary_key=(),
                            indexes=(),
                            constraints=(),
                            sequences=(),
                            table_type=raw.shared.TableType.User,
                            table_access=raw.shared.TableAccess.Public,
                            default_values=(),
                            is_event=False,
                        ),
                    )
                ),
            )
        ),
    ),
]
definitions = pytest.mark.parametrize(
    ("data", "definition"), [row[1:] for row in DEFINITIONS], ids=[row[0] for row in DEFINITIONS]
)


@each_engine
@definitions
def test_a_definition_is_read(data: str, definition: raw.RawModuleDef, engine: Engine) -> None:
    assert Codec[Any](raw.RawModuleDef, engine=engine).decode(bytes.fromhex(data)) == definition


@each_engine
@definitions
def test_a_definition_is_written(data: str, definition: raw.RawModuleDef, engine: Engine) -> None:
    assert Codec[Any](raw.RawModuleDef, engine=engine).encode(definition).hex() == data


@pytest.mark.parametrize("data", [*(row[1] for row in DEFINITIONS), TYPESCRIPT], ids=lambda data: data[:24])
def test_a_definition_goes_through_json(data: str) -> None:
    shape = shape_of(raw.RawModuleDef)
    text = satsjson.dumps(shape, raw.decode(bytes.fromhex(data)))
    assert raw.encode(satsjson.loads(shape, text)).hex() == data


def test_the_json_of_a_table_is_as_the_schema_route_gives_it() -> None:
    text = satsjson.dumps(shape_of(raw.RawModuleDef), raw.decode(bytes.fromhex(V9)))
    assert json.loads(text)["V9"]["tables"] == [
        {
            "name": "s",
            "product_type_ref": 0,
            "primary_key": [],
            "indexes": [{"name": {"none": []}, "accessor_name": {"none": []}, "algorithm": {"Direct": 0}}],
            "constraints": [],
            "sequences": [],
            "schedule": {"some": {"name": {"none": []}, "reducer_name": "f", "scheduled_at_column": 1}},
            "table_type": {"System": []},
            "table_access": {"Private": []},
        }
    ]


@each_engine
def test_a_definition_of_the_typescript_sdk_keeps_its_fifteen_sections(engine: Engine) -> None:
    codec = Codec[v10.RawModuleDefV10](raw.RawModuleDef, engine=engine)
    definition = codec.decode(bytes.fromhex(TYPESCRIPT))
    assert [type(section).__name__.removesuffix("Section") for section in definition.sections] == [
        "Typespace", "Types", "Tables", "Reducers", "Procedures", "Views", "ViewPrimaryKeys", "Schedules",
        "LifeCycleReducers", "HttpHandlers", "HttpRoutes", "RowLevelSecurity", "ExplicitNames", "CaseConversionPolicy",
        "Submodules",
    ]  # fmt: skip
    assert codec.encode(definition).hex() == TYPESCRIPT


def test_a_definition_of_the_typescript_sdk_says_what_the_module_says() -> None:
    definition = raw.decode(bytes.fromhex(TYPESCRIPT))
    assert isinstance(definition, v10.RawModuleDefV10)
    (table,) = definition.tables
    assert (table.source_name, table.primary_key, table.is_event) == ("person", (0,), False)
    assert definition.typespace[table.product_type_ref] == product(id=t.U32, name=t.STRING)
    assert table.indexes[0].algorithm == raw.shared.BTree((0,))
    assert table.sequences[0].increment == 1
    assert [reducer.source_name for reducer in definition.reducers] == ["add", "init"]
    assert definition.reducers[0].params == product(name=t.STRING)
    assert definition.lifecycle_reducers[0].lifecycle_spec is raw.shared.Lifecycle.Init
    assert definition.case_conversion_policy is v10.CaseConversionPolicy.SnakeCase
    assert definition.explicit_names == (v10.TableName(v10.NameMapping("person", "person")),)


def test_the_last_byte_of_a_table_says_whether_it_is_an_event_table() -> None:
    definition = raw.decode(bytes.fromhex(TABLE_V10[:-2] + "01"))
    assert isinstance(definition, v10.RawModuleDefV10)
    assert definition.tables[0].is_event
