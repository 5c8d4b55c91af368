"""Replaying a log with every engine, to compare what comes of it; and random logs to replay."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
from log_cases import bootstrap, column, encoded, record, user_table

import bsatn
from bsatn import types as t
from bsatn.engines import available
from bsatn.errors import BsatnError
from defs.store.commitlog import Commit, Damage, read_commits
from defs.store.commitlog.layout import crc32c, pack_commit_header, pack_segment_header
from defs.store.commitlog.txdata import Inputs
from defs.store.replay import ReplayError, replay
from defs.store.state import CommittedState, codec_of_rows
from defs.system import rows as st

ENGINES = [name for name in available() if name != "construct"]
THING = bsatn.product(id=t.U8, ok=t.BOOL)
NOTE = bsatn.product(id=t.U8, text=t.STRING, maybe=t.option_type(t.U16))
WIDER = bsatn.product(id=t.U8, ok=t.BOOL, more=t.U8)
PLAIN, NOTES, EVENT, LATER = 4096, 4097, 4098, 4099


def outcome(directory: Path, engine: str, **options: Any) -> tuple[Any, ...]:
    """All that a replay tells, be it an error."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BSATN_ENGINE", engine)
        try:
            state = replay(directory, **options)
        except BsatnError as error:
            fault = error.fault if isinstance(error, ReplayError) else None
            return type(error), error.kind, str(error), getattr(error, "tx_offset", None), fault
    return told(state)


def told(state: CommittedState) -> tuple[Any, ...]:
    """All there is in a state, rows in their order."""
    tables = {table_id: (found.schema, list(found.rows.items())) for table_id, found in state.tables.items()}
    return CommittedState, state.next_tx_offset, state.faults, list(tables), tables


def alike(directory: Path, **options: Any) -> tuple[Any, ...]:
    """What all engines tell of a log."""
    *others, found = [outcome(directory, engine, **options) for engine in ENGINES]
    assert all(other == found for other in others)
    return found


def read_alike(directory: Path, **options: Any) -> list[Commit | Damage]:
    """What all engines read of a log, commit by commit."""
    ways = []
    for engine in ENGINES:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("BSATN_ENGINE", engine)
            ways.append(list(read_commits(directory, **options)))
    *others, found = ways
    assert all(list(map(typed, other)) == list(map(typed, found)) for other in others)
    return found


def typed(item: Commit | Damage) -> tuple[Any, ...]:
    """An item with the types of its parts."""
    return type(item), item, *map(type, item if isinstance(item, tuple) else ())


def commit(first: int, records: Sequence[bytes]) -> bytes:
    """A commit of these records, checksum right."""
    content = b"".join(records)
    data = pack_commit_header(first, first % 5, len(records), len(content)) + content
    return data + struct.pack("<I", crc32c()(data))


def write_commits(directory: Path, commits: Sequence[bytes], first: int = 0) -> Path:
    """A log of one segment with these commits."""
    directory.mkdir(parents=True, exist_ok=True)
    segment = directory / f"{first:020}.stdb.log"
    segment.write_bytes(pack_segment_header() + b"".join(commits))
    return segment


class RandomLog:
    """Records at random, most of which make sense after those before. `rows` are those that plain tables have."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.kinds = {PLAIN: THING, NOTES: NOTE, EVENT: NOTE}
        self.rows: dict[int, list[bytes]] = {PLAIN: [], NOTES: []}
        self.wild = chance.random() < 0.3  #: whether the log contradicts itself now and then
        self.groups = [("thing", PLAIN, THING, False), ("note", NOTES, NOTE, False), ("said", EVENT, NOTE, True)]

    def records(self, count: int) -> list[bytes]:
        """A new database with three tables, and so many transactions more."""
        chosen = {self.plain: 12, self.widen: 1, self.created: 1, self.dropped: 1, self.client: 1, self.sequence: 1}
        more = self.chance.choices(list(chosen), list(chosen.values()), k=count)
        return [bootstrap(), *(self.described(*group) for group in self.groups), *(make() for make in more)]

    def commits(self, records: Sequence[bytes]) -> list[bytes]:
        """Some records a commit."""
        found, first = [], 0
        while first < len(records):
            some = records[first : first + self.chance.choice((1, 1, 1, 2, 3, 5))]
            found.append(commit(first, some))
            first += len(some)
        return found

    def described(self, name: str, table_id: int, kind: t.ProductType, is_event: bool) -> bytes:
        return record(user_table(table_id, name, kind, event=is_event))

    def row(self, table_id: int) -> bytes:
        chance, number = self.chance, self.chance.randrange(40)
        values: dict[int, tuple[Any, ...]] = {
            2: (number, chance.random() < 0.5),
            3: (number, "ü" * chance.randrange(4), chance.choice((None, 7))),
        }
        kind = self.kinds[table_id]
        return codec_of_rows(kind).encode((number, True, 5) if kind == WIDER else values[len(kind.elements)])

    def plain(self) -> bytes:
        """Rows come and go; in a wild log also such as cannot."""
        chance = self.chance
        inserts: dict[int, list[bytes]] = {}
        deletes: dict[int, list[bytes]] = {}
        truncates = []
        for table_id, rows in self.rows.items():
            wild = self.wild and chance.random() < 0.03
            drawn = dict.fromkeys(self.row(table_id) for _ in range(chance.randrange(4)))
            some = chance.sample(rows, min(chance.randrange(3), len(rows)))
            inserts[table_id] = [one for one in drawn if wild or one not in rows]
            deletes[table_id] = [self.row(table_id)] if wild else some
            rows[:] = [one for one in [*rows, *inserts[table_id]] if one not in some]
            if chance.random() < 0.1:
                truncates.append(table_id)
                rows.clear()
        if EVENT in self.kinds:
            inserts[EVENT] = [self.row(EVENT) for _ in range(chance.randrange(3))]
        new, gone = ({key: rows for key, rows in group.items() if rows} for group in (inserts, deletes))
        return record(new, gone, truncates, Inputs("move", bytes(56)) if chance.random() < 0.5 else None)

    def widen(self) -> bytes:
        """A column more for a table that has no rows, or (an error) for one that has."""
        if self.kinds[PLAIN] == WIDER or (self.rows[PLAIN] and (not self.wild or self.chance.random() < 0.8)):
            return self.plain()
        self.kinds[PLAIN] = WIDER
        return record({st.ST_COLUMN_ID: [column(PLAIN, 2, "more", t.U8)]})

    def created(self) -> bytes:
        if LATER in self.kinds:
            return self.plain()
        self.kinds[LATER], self.rows[LATER] = NOTE, []
        return self.described("later", LATER, NOTE, is_event=False)

    def dropped(self) -> bytes:
        if LATER not in self.kinds:
            return self.plain()
        rows = self.rows.pop(LATER)
        del self.kinds[LATER]
        return record(None, {**user_table(LATER, "later", NOTE), **({LATER: rows} if rows else {})})

    def client(self) -> bytes:
        return record({st.ST_CLIENT_ID: [bytes(self.chance.randrange(256) for _ in range(48))]})

    def sequence(self) -> bytes:
        number = self.chance.randrange(5000, 5003)
        return record({st.ST_SEQUENCE_ID: [encoded(st.StSequenceRow(number, "s", PLAIN, 0, 1, 1, 1, 9, 0))]})
