"""The functions a module may import, and the little of them that describing needs.

`HOST_CALLS` is the one declaration: module, name, signature (spec: wire 8.2). A row with an action does
something; every other one stops the module with a message that names the function. `Host` is the state one
run shares with them.

A host function never raises into the engine (whose last-exception slot is shared by all threads): it records
the failure, takes away the fuel, and returns. The module then stops at its next check, or returns; the caller
looks at `Host.failure` before anything else.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from bsatn.frozen import frozen

from .errors import ErrorKind, printable, size
from .limits import WasmLimits

if TYPE_CHECKING:
    from wasmtime import Caller, Store

ABI_MAJOR: Final = 10
ABI_NEWEST_MINOR: Final = 6
"""The newest ABI known here; a module may ask for this minor or an older one."""

_U32 = 0xFFFF_FFFF
_NO_LINE = _U32
_OK, _NO_SUCH_BYTES = 0, 8
_LEVELS = {0: "error", 1: "warn", 2: "info", 3: "debug", 4: "trace", 101: "panic"}


@frozen
class LogLine:
    """One line a module printed. `level` is error, warn, info, debug, trace, panic, or a number no one
    knows."""

    level: str
    target: str | None
    filename: str | None
    line: int | None
    message: str

    @property
    def place(self) -> str:
        """`src/lib.rs:12`, or what is known of it."""
        number = "" if self.line is None else f":{self.line}"
        return f"{self.filename}{number}" if self.filename else ""


class HostFailure(Exception):
    """A host function was used wrongly; the module must stop. Never leaves this package."""

    def __init__(self, kind: ErrorKind, message: str) -> None:
        super().__init__(kind, message)
        self.kind: ErrorKind = kind
        self.message = message


class Memory:
    """The linear memory of the calling module, every access checked. NULL and out of bounds stop the
    module."""

    __slots__ = ("_caller", "_function", "_memory")

    def __init__(self, caller: Caller, function: str) -> None:
        self._caller, self._function = caller, function
        self._memory: Any = caller.get("memory")

    def read(self, pointer: int, length: int, most: int | None = None) -> bytes:
        """`length` bytes (all of them checked to exist), of which at most the first `most` are copied."""
        self._check(pointer, length)
        end = pointer + (length if most is None else min(length, most))
        return bytes(self._memory.read(self._caller, pointer, end))

    def write(self, pointer: int, data: bytes) -> None:
        self._check(pointer, len(data))
        self._memory.write(self._caller, data, pointer)

    def _check(self, pointer: int, length: int) -> None:
        if pointer == 0:
            raise HostFailure("WasmTrap", f"it passed a null pointer to {self._function}")
        available = self._memory.data_len(self._caller)
        if pointer + length > available:
            where = f"{size(length)} at address {pointer}, its memory ends at {available}"
            raise HostFailure("WasmTrap", f"it passed a pointer outside its memory to {self._function}: {where}")


class Host:
    """What the host keeps for one run of one module: sinks, log, and the first failure."""

    def __init__(self, store: Store, limits: WasmLimits) -> None:
        self._store, self._limits = store, limits
        self._sinks: dict[int, bytearray] = {}
        self._next_sink = 1  # 0 is never a valid handle
        self._timers = 0
        self.failure: HostFailure | None = None
        self.log: list[LogLine] = []
        self.dropped_lines = 0
        self.last_panic: LogLine | None = None

    def open_sink(self) -> int:
        """A new handle that the module can write bytes to."""
        handle = self._next_sink
        self._next_sink += 1
        self._sinks[handle] = bytearray()
        return handle

    def take_sink(self, handle: int) -> bytes:
        """What was written to the handle, which is no longer valid afterwards."""
        return bytes(self._sinks.pop(handle))

    def stop(self, failure: HostFailure) -> None:
        """Record the first failure and make the module stop at its next check."""
        if self.failure is None:
            self.failure = failure
        self._store.set_fuel(0)

    def function(self, call: HostCall) -> Callable[..., int | None]:
        """What the engine calls for `call`."""
        action, name = call.action, call.name
        otherwise = None if not call.results else 0

        def run(caller: Caller, *arguments: int) -> int | None:
            if self.failure is not None:
                return otherwise
            try:
                if action is not None:
                    return action(self, Memory(caller, name), *(value & _U32 for value in arguments))
                message = f"it called {call.full_name}, which does nothing outside a server: {_OUTSIDE}"
                self.stop(HostFailure("WasmTrap", message))
            except HostFailure as failure:
                self.stop(failure)
            except BaseException as error:  # noqa: BLE001  # must not pass through native frames
                message = f"{call.full_name} failed here with {type(error).__name__}: {printable(str(error))}"
                self.stop(HostFailure("WasmTrap", message))
            return otherwise

        return run

    # Actions. Arguments are unsigned.

    def bytes_sink_write(self, memory: Memory, sink: int, pointer: int, length_pointer: int) -> int:
        """Take everything in one call; C++ bindings call only once (spec: wire 8.2)."""
        target = self._sinks.get(sink)
        if target is None:
            return _NO_SUCH_BYTES
        length = int.from_bytes(memory.read(length_pointer, 4), "little")
        if len(target) + length > self._limits.sink_bytes:
            most = size(self._limits.sink_bytes)
            message = f"it wrote more than {most} of definition; raise WasmLimits.sink_bytes if that is right"
            raise HostFailure("WasmSink", message)
        target += memory.read(pointer, length)
        memory.write(length_pointer, length.to_bytes(4, "little"))
        return _OK

    def console_log(self, memory: Memory, *arguments: int) -> None:
        level, target, target_len, filename, filename_len, line, message, message_len = arguments
        most = self._limits.log_text_bytes

        def text(pointer: int, length: int) -> str:
            kept = memory.read(pointer, length, most).decode("utf-8", "replace")
            return kept if length <= most else kept + "..."

        entry = LogLine(
            level=_LEVELS.get(level, str(level)),
            target=text(target, target_len) if target else None,
            filename=text(filename, filename_len) if filename else None,
            line=None if line == _NO_LINE else line,
            message=text(message, message_len),
        )
        if entry.level == "panic":
            self.last_panic = entry
        if len(self.log) < self._limits.log_lines:
            self.log.append(entry)
        else:
            self.dropped_lines += 1

    def console_timer_start(self, memory: Memory, name: int, length: int) -> int:
        self._timers = (self._timers + 1) & 0x7FFF_FFFF
        return self._timers

    def console_timer_end(self, memory: Memory, timer: int) -> int:
        return _OK

    def identity(self, memory: Memory, pointer: int) -> None:
        """The identity of a database that is not there: zero."""
        memory.write(pointer, bytes(32))


_OUTSIDE = "a module may not use the database while it starts or describes itself"

Action = Callable[..., "int | None"]


@frozen
class HostCall:
    """One import: where from, what it is called, and its type (`i` = i32, `l` = i64)."""

    module: str
    name: str
    params: str
    results: str
    action: Action | None = None

    @property
    def full_name(self) -> str:
        return f"{self.module}.{self.name}"


def _declare(abi: str, *rows: str, **actions: Action) -> tuple[HostCall, ...]:
    """Rows are `name(params)results`."""
    calls = []
    for row in rows:
        name, params, results = re.fullmatch(r"(\w+)\(([il]*)\)([il]?)", row).groups()  # type: ignore[union-attr]
        calls.append(HostCall(f"spacetime_{abi}", name, params, results, actions.pop(name, None)))
    assert not actions, actions
    return tuple(calls)


HOST_CALLS: tuple[HostCall, ...] = (
    *_declare(
        "10.0",
        "table_id_from_name(iii)i",
        "index_id_from_name(iii)i",
        "datastore_table_row_count(ii)i",
        "datastore_table_scan_bsatn(ii)i",
        "row_iter_bsatn_advance(iii)i",
        "row_iter_bsatn_close(i)i",
        "datastore_insert_bsatn(iii)i",
        "datastore_update_bsatn(iiii)i",
        "datastore_delete_all_by_eq_bsatn(iiii)i",
        "datastore_index_scan_range_bsatn(iiiiiiiii)i",
        "datastore_btree_scan_bsatn(iiiiiiiii)i",  # an older name of the one before
        "datastore_delete_by_index_scan_range_bsatn(iiiiiiiii)i",
        "datastore_delete_by_btree_scan_bsatn(iiiiiiiii)i",  # an older name of the one before
        "bytes_source_read(iii)i",
        "bytes_sink_write(iii)i",
        "console_log(iiiiiiii)",
        "console_timer_start(ii)i",
        "console_timer_end(i)i",
        "identity(i)",
        "volatile_nonatomic_schedule_immediate(iiii)",
        bytes_sink_write=Host.bytes_sink_write,
        console_log=Host.console_log,
        console_timer_start=Host.console_timer_start,
        console_timer_end=Host.console_timer_end,
        identity=Host.identity,
    ),
    *_declare("10.1", "bytes_source_remaining_length(ii)i"),
    *_declare("10.2", "get_jwt(ii)i"),
    *_declare(
        "10.3",
        "procedure_sleep_until(l)l",
        "procedure_start_mut_tx(i)i",
        "procedure_commit_mut_tx()i",
        "procedure_abort_mut_tx()i",
        "procedure_http_request(iiiii)i",
    ),
    *_declare(
        "10.4",
        "datastore_index_scan_point_bsatn(iiii)i",
        "datastore_delete_by_index_scan_point_bsatn(iiii)i",
    ),
    *_declare("10.5", "datastore_clear(ii)i"),
    *_declare("10.6", "env_get(iii)i"),
)
"""Every function a server supplies to a module."""
