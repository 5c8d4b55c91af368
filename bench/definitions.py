"""Module definitions of N tables as RawModuleDef V10 bytes, packed by hand, always the same.

Each table brings a row type of nine columns, a key with index, constraint and sequence, a second index and a
reducer; some are event tables, have default values, a view, an explicit name. Only sections and fields that
every layout from 2.0 on shares are used. (spec: wire 6.3)
"""

from __future__ import annotations

from collections.abc import Callable

from bench import wire

COLUMNS: dict[str, bytes] = {
    "id": wire.U64,
    "owner": wire.IDENTITY,
    "name": wire.STRING,
    "level": wire.U32,
    "position_x": wire.F32,
    "position_y": wire.F32,
    "parent": wire.option_type(wire.U64),
    "created_at": wire.TIMESTAMP,
}
BTREE, UNIQUE, USER, PUBLIC, CLIENT_CALLABLE = b"\x00", b"\x00", b"\x01", b"\x00", b"\x01"
NOTHING = wire.items(())
SNAKE_CASE = b"\x01"
ON_INIT = b"\x00"


def definition(tables: int) -> bytes:
    def each(one: Callable[[int], bytes], step: int = 1) -> bytes:
        return wire.items(one(index) for index in range(0, tables, step))

    sections = (
        each(row_type),
        each(type_name),
        each(table),
        wire.items([*(reducer(index) for index in range(tables)), init_reducer()]),
        each(view, 10),
        wire.items([ON_INIT + wire.text("init")]),
        SNAKE_CASE,
        each(explicit_name, 8),
    )
    tags = (0, 1, 2, 3, 5, 7, 9, 10)
    return b"\x02" + wire.items(bytes([tag]) + body for tag, body in zip(tags, sections, strict=True))


def name_of(index: int) -> str:
    return f"entity_{index}"


def row_type(index: int) -> bytes:
    return wire.product_type(**COLUMNS, **{f"score_{index % 7}": wire.array_type(wire.U16)})


def type_name(index: int) -> bytes:
    return NOTHING + wire.text(f"Entity{index}") + wire.u32(index) + b"\x01"


def columns(*positions: int) -> bytes:
    return wire.items(wire.u16(position) for position in positions)


def table(index: int) -> bytes:
    name = name_of(index)
    indexes = (index_on(name, column, position) for column, position in (("id", 0), ("owner", 1)))
    unique = wire.NONE + UNIQUE + columns(0)
    sequence = wire.NONE + wire.u16(0) + wire.NONE * 3 + wire.i128(1)
    default = wire.u16(3) + wire.items(bytes([byte]) for byte in wire.u32(index))
    defaults = wire.items([default] if index % 4 == 0 else [])
    is_event = bytes([index % 6 == 0])
    head = wire.text(name) + wire.u32(index) + columns(0)
    parts = wire.items(indexes) + wire.items([unique]) + wire.items([sequence])
    return head + parts + USER + PUBLIC + defaults + is_event


def index_on(table_name: str, column: str, position: int) -> bytes:
    name = wire.some(wire.text(f"{table_name}_{column}_idx_btree"))
    return name + wire.some(wire.text(column)) + BTREE + columns(position)


def reducer_of(name: str, params: dict[str, bytes]) -> bytes:
    return wire.text(name) + wire.members(params) + CLIENT_CALLABLE + wire.UNIT + wire.STRING


def reducer(index: int) -> bytes:
    params = {"id": wire.U64, "name": wire.STRING, "target": wire.option_type(wire.U64)}
    return reducer_of(f"update_entity_{index}", params)


def init_reducer() -> bytes:
    return wire.text("init") + NOTHING + b"\x00" + wire.UNIT + wire.STRING


def view(index: int) -> bytes:
    answer = wire.array_type(wire.ref_type(index))
    return wire.text(f"my_entity_{index}") + wire.u32(index // 10) + b"\x01\x00" + NOTHING + answer


def explicit_name(index: int) -> bytes:
    return b"\x00" + wire.text(name_of(index)) + wire.text(f"thing_{index}")
