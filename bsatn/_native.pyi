"""The native engine's extension; `native/src` has what it does."""

from typing import Any, final

@final
class Commits:
    """Steps over the commits of a log whose rows are of tables it has learnt."""

    def __new__(cls) -> Commits: ...
    def learn(self, table_id: int, plan: Plan) -> None: ...
    def forget(self) -> None: ...
    def step(self, data: bytes, at: int, header_size: int, expected: int) -> Stepped: ...

@final
class Stepped:
    """What was stepped over, and where it ends."""

    end: int
    commits: int
    transactions: int
    rows: int
    last_tx_offset: int
    checksum: int
    wanted: int | None

@final
class Plan:
    """A type's program. Methods raise GiveUp or Unsure of `bsatn.codegen.runtime`, or what Python code raised."""

    def __new__(cls, program: object, kit: object) -> Plan: ...
    def decode(self, data: bytes, offset: int) -> tuple[Any, int]: ...
    def decode_many(self, data: bytes, offset: int, end: int) -> tuple[list[Any], int]: ...
    def encode(self, value: object) -> bytes: ...
    def encode_many(self, values: list[Any]) -> bytes: ...
    def check(self, data: bytes, offset: int, count: int) -> int: ...
