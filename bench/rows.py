"""The row workloads: for each a row type, and a function that packs one row from a seeded random."""

from __future__ import annotations

import struct
from collections.abc import Callable
from random import Random

from bench import wire
from bench.wire import BOOL, F32, F64, I8, I16, I32, I64, STRING, U8, U16, U32, U64

SYLLABLES = ("ka", "ri", "mo", "ten", "sul", "vey", "dra", "qui", "lor", "ban", "esh")
BEYOND_ASCII = ("ío", "né", "zü")


def word(random: Random, syllables: int) -> str:
    """One word in ten leaves ASCII, as names do."""
    plain = "".join(random.choice(SYLLABLES) for _ in range(syllables))
    return plain + random.choice(BEYOND_ASCII) if random.random() < 0.1 else plain


def flag(random: Random) -> bytes:
    return b"\x01" if random.random() < 0.5 else b"\x00"


NARROW = wire.product_type(id=U32, x=F32, y=F32)


def narrow(random: Random) -> bytes:
    return struct.pack("<Iff", random.getrandbits(32), random.uniform(-1e3, 1e3), random.uniform(-1e3, 1e3))


WIDE = wire.product_type(
    id=U64, owner=U32, level=U8, flags=U16, health=I32, mana=I32, x=F32, y=F32, z=F32, vx=F32, vy=F32, vz=F32,
    yaw=F64, experience=U64, gold=I64, alive=BOOL, visible=BOOL, team=I8, zone=I16, seed=U32,
)  # fmt: skip


def wide(random: Random) -> bytes:
    bits, real = random.getrandbits, random.uniform
    place = (real(-1e3, 1e3) for _ in range(6))
    head = struct.pack("<QIBHii", bits(63), bits(32), bits(8), bits(16), bits(31) - bits(31), bits(31))
    body = struct.pack("<6fdQq", *place, real(-3.2, 3.2), bits(40), bits(50) - bits(50))
    flags = flag(random) + flag(random)
    return head + body + flags + struct.pack("<bhI", bits(7) - bits(7), bits(15) - bits(15), bits(32))


SPECIAL = wire.product_type(
    id=U64,
    owner=wire.IDENTITY,
    connection=wire.CONNECTION_ID,
    created=wire.TIMESTAMP,
    lifetime=wire.TIME_DURATION,
)


def special(random: Random) -> bytes:
    micros = 1_700_000_000_000_000 + random.getrandbits(44)
    return random.randbytes(8 + 32 + 16) + wire.i64(micros) + wire.i64(random.getrandbits(36))


STRINGS = wire.product_type(id=U64, name=STRING, email=STRING, tags=wire.array_type(STRING))


def strings(random: Random) -> bytes:
    name = word(random, random.randint(2, 5))
    email = f"{name}.{random.getrandbits(16)}@example.org"
    tags = (wire.text(word(random, random.randint(1, 3))) for _ in range(random.randint(0, 5)))
    return wire.u64(random.getrandbits(63)) + wire.text(name) + wire.text(email) + wire.items(tags)


# Both sides of the result have one type: the pinned TypeScript SDK writes an `err` with the `ok` serializer.
NESTED = wire.product_type(
    id=U32,
    parent=wire.option_type(U32),
    action=wire.sum_type(strike=wire.product_type(x=F32, y=F32, power=U16), wait=U32, idle=wire.UNIT),
    items=wire.array_type(wire.product_type(slot=U16, label=STRING, price=wire.option_type(I64))),
    outcome=wire.result_type(STRING, STRING),
)


def option(random: Random, value: bytes) -> bytes:
    return wire.some(value) if random.random() < 0.5 else wire.NONE


def nested(random: Random) -> bytes:
    bits = random.getrandbits
    actions = (struct.pack("<ffH", random.random(), random.random(), bits(16)), wire.u32(bits(32)), b"")
    tag = bits(8) % len(actions)
    bag = (
        wire.u16(bits(16)) + wire.text(word(random, 2)) + option(random, wire.i64(bits(40)))
        for _ in range(random.randint(0, 4))
    )
    head = wire.u32(bits(32)) + option(random, wire.u32(bits(32)))
    return head + bytes([tag]) + actions[tag] + wire.items(bag) + flag(random) + wire.text(word(random, 2))


MIXED = wire.product_type(a=U32, b=U64, c=I64, d=BOOL, e=STRING, f=wire.option_type(U32), g=wire.array_type(U16), h=F64)


def mixed(random: Random) -> bytes:
    bits = random.getrandbits
    fixed = struct.pack("<IQq", bits(32), bits(64), bits(62) - bits(62)) + flag(random)
    numbers = (wire.u16(bits(16)) for _ in range(random.randint(0, 8)))
    rest = option(random, wire.u32(bits(32))) + wire.items(numbers) + wire.f64(random.gauss(0, 1e6))
    return fixed + wire.text(word(random, random.randint(2, 5))) + rest


FIXED_WIDTH: dict[str, tuple[bytes, Callable[[Random], bytes]]] = {
    "narrow": (NARROW, narrow),
    "wide": (WIDE, wide),
    "special": (SPECIAL, special),
}
VARIABLE_WIDTH: dict[str, tuple[bytes, Callable[[Random], bytes]]] = {
    "strings": (STRINGS, strings),
    "nested": (NESTED, nested),
    "mixed": (MIXED, mixed),
}
