"""Ask a wasm module for its definition, the way a server does (spec: wire 8.2), and trust it with nothing.

Outline, compile, check imports and exports, then run: start section, `_initialize`, `__preinit__*` in byte
order of the name, `__setup__`, and the describe export, which writes to a sink. Whatever the module does ends
in an answer or in a `SourceError`: fuel, wall-clock time, memory, tables, stack, sink and log are all bounded
(`WasmLimits`), and there is no function it can call that reaches anything outside.

The engine compiles without optimising: the module runs for a millisecond, compiling it is what costs. It is
imported on first use.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from bsatn.frozen import frozen

from .deadline import Overrun, within
from .errors import ErrorKind, SourceError, printable, size
from .hostcalls import ABI_MAJOR, ABI_NEWEST_MINOR, HOST_CALLS, Host, HostCall, HostFailure, LogLine
from .limits import WasmLimits
from .sections import check_outline

if TYPE_CHECKING:
    import wasmtime

__all__ = ["LogLine", "WasmAnswer", "WasmLimits", "describe_wasm"]

_DEFAULT_LIMITS = WasmLimits()
_PAGE_BYTES = 1 << 16
_PARALLEL_BYTES = 1 << 16  # larger functions are compiled one at a time: each may take a lot of memory
_GRACE_SECONDS = 2.0  # for the module to notice that its time is up
_ABI_PREFIX = "spacetime_"
_PREINIT_PREFIX = "__preinit__"
_SETUP_OK = 0


@frozen
class WasmAnswer:
    """What a module says of itself."""

    definition: bytes
    """BSATN of a RawModuleDef, as the module wrote it. Not decoded."""
    export: str
    """The export that answered."""
    abi: tuple[int, int] | None
    """The (major, minor) the module needs; None if it imports nothing from a server."""
    log: tuple[LogLine, ...]
    dropped_lines: int = 0
    """Log lines beyond `WasmLimits.log_lines`."""


@frozen
class _Export:
    name: str
    params: str
    results: str
    required: bool = False


_CALL_REDUCER = _Export("__call_reducer__", "illlllllii", "i", required=True)
_INITIALIZE = _Export("_initialize", "", "")
_SETUP = _Export("__setup__", "i", "i")
# In order of preference. No published bindings export the second; a server looked for it (spec: wire 8.1).
_DESCRIBE = (_Export("__describe_module__", "i", ""), _Export("__describe_module_v10__", "i", ""))

_FOREIGN_IMPORTS: tuple[tuple[str, str], ...] = (
    ("wasi", "it was built for WASI; build it for wasm32-unknown-unknown"),
    ("__wbindgen", "a dependency expects a browser (wasm-bindgen); turn that feature of it off"),
    ("wbg", "a dependency expects a browser (wasm-bindgen); turn that feature of it off"),
    ("env", "a C function was not linked in, or the module was linked to import its memory"),
    (_ABI_PREFIX, f"no server up to ABI {ABI_MAJOR}.{ABI_NEWEST_MINOR} has it under this name"),
)

# Trap code -> kind, what happened.
_TRAPS: dict[str, tuple[ErrorKind, str]] = {
    "STACK_OVERFLOW": (
        "WasmStack",
        "ran out of stack: endless recursion, or WasmLimits.stack_bytes is too small",
    ),
    "OUT_OF_FUEL": ("WasmFuel", "ran too long: it used up its fuel (WasmLimits.fuel)"),
    "INTERRUPT": ("WasmTimeout", "ran too long: its time was up (WasmLimits.run_seconds)"),
    "ALLOCATION_TOO_LARGE": ("WasmMemory", "tried an allocation that is too large"),
    "UNREACHABLE": ("WasmTrap", "trapped: it reached code it declares unreachable (a panic or an abort)"),
    "MEMORY_OUT_OF_BOUNDS": ("WasmTrap", "trapped: memory access out of bounds"),
    "TABLE_OUT_OF_BOUNDS": ("WasmTrap", "trapped: table access out of bounds"),
    "INDIRECT_CALL_TO_NULL": ("WasmTrap", "trapped: indirect call to a function that is not there"),
    "BAD_SIGNATURE": ("WasmTrap", "trapped: indirect call with the wrong type"),
    "INTEGER_OVERFLOW": ("WasmTrap", "trapped: integer overflow"),
    "INTEGER_DIVISION_BY_ZERO": ("WasmTrap", "trapped: integer division by zero"),
    "BAD_CONVERSION_TO_INTEGER": ("WasmTrap", "trapped: a float that no integer can hold"),
}

# Text of the engine's own errors -> kind. All of them arise while the module is set up.
_ENGINE_ERRORS: tuple[tuple[str, ErrorKind], ...] = (
    ("shared memory", "WasmInvalid"),
    ("exceeds memory limits", "WasmMemory"),
    ("exceeds table limits", "WasmMemory"),
    ("resource limit exceeded", "WasmMemory"),
    ("heap out of memory", "WasmMemory"),
    ("mmap", "WasmMemory"),
    ("allocate", "WasmMemory"),
)


def describe_wasm(wasm: bytes, *, limits: WasmLimits = _DEFAULT_LIMITS, origin: str = "<bytes>") -> WasmAnswer:
    """Run a module just far enough to learn its definition.

    `wasm` is the binary; `origin` names it in errors. Thread-safe; Ctrl-C is answered at once.

    Raises `SourceError`: `WasmHostMissing`, `TooLarge`, `WasmInvalid`, `WasmTooComplex`, `WasmUnknownImport`,
    `WasmMissingExport`, `AbiVersion`, `WasmTrap`, `WasmSetup`, `WasmTimeout`, `WasmFuel`, `WasmMemory`,
    `WasmStack`, `WasmSink`, `NoDefinition`.

    spec: wire 8.1, 8.2
    """
    largest = check_outline(wasm, limits, origin)
    return _Run(_engine_package(origin), wasm, limits, origin, largest <= _PARALLEL_BYTES).answer()


def _engine_package(origin: str) -> Any:
    try:
        import wasmtime
    except ImportError:
        message = "a .wasm module needs the package wasmtime, which is not installed; run: pip install bsatn"
        raise SourceError("WasmHostMissing", origin, message) from None
    except OSError as error:  # the native library does not load
        message = f"the package wasmtime does not load on this machine: {printable(str(error))}"
        raise SourceError("WasmHostMissing", origin, message) from None
    return wasmtime


class _Run:
    """One module, from bytes to answer."""

    def __init__(self, package: Any, wasm: bytes, limits: WasmLimits, origin: str, parallel: bool) -> None:
        self._wt = package
        self._wasm, self._limits, self._origin = wasm, limits, origin
        self._engine: wasmtime.Engine = package.Engine(self._config(parallel))

    def answer(self) -> WasmAnswer:
        limits = self._limits
        try:
            module = within(limits.compile_seconds, self._compile)
        except Overrun:
            seconds = f"{limits.compile_seconds:g} s (WasmLimits.compile_seconds)"
            message = f"compiling the module took more than {seconds}"
            raise self._error("WasmTimeout", message) from None
        abi = self._check_imports(module)
        exports = self._check_exports(module)
        try:
            return within(
                limits.run_seconds,
                lambda: self._execute(module, exports, abi),
                interrupt=self._engine.increment_epoch,
                grace=_GRACE_SECONDS,
            )
        except Overrun:
            message = f"the module did not end within {limits.run_seconds:g} s (WasmLimits.run_seconds)"
            raise self._error("WasmTimeout", message) from None

    def _config(self, parallel: bool) -> wasmtime.Config:
        config: wasmtime.Config = self._wt.Config()
        config.consume_fuel = True
        config.epoch_interruption = True
        config.cranelift_opt_level = "none"
        config.parallel_compilation = parallel
        config.max_wasm_stack = self._limits.stack_bytes
        return config

    def _compile(self) -> wasmtime.Module:
        try:
            module: wasmtime.Module = self._wt.Module(self._engine, self._wasm)
            return module
        except self._wt.WasmtimeError as error:
            message = f"not a valid WebAssembly module: {_reason(error)}"
            raise self._error("WasmInvalid", message) from None

    # What the module declares.

    def _check_imports(self, module: wasmtime.Module) -> tuple[int, int] | None:
        imports = [(entry.module, entry.name or "", entry.type) for entry in module.imports]
        functions = [row for row in imports if isinstance(row[2], self._wt.FuncType)]
        abi = self._abi_version({row[0] for row in functions if row[0].startswith(_ABI_PREFIX)})
        for module_name, name, type_ in imports:
            call = _CALLS.get((module_name, name))
            full_name = printable(f"{module_name}.{name}")
            if call is None or not isinstance(type_, self._wt.FuncType):
                what = _type_words(type_)
                advice = next((text for prefix, text in _FOREIGN_IMPORTS if module_name.startswith(prefix)), "")
                message = f"it imports {what} {full_name}, which no server supplies" + (f"; {advice}" if advice else "")
                raise self._error("WasmUnknownImport", message)
            found, expected = _signature(type_), (call.params, call.results)
            if found != expected:
                message = f"it imports {full_name} as {_arrow(*found)}, a server supplies {_arrow(*expected)}"
                raise self._error("WasmUnknownImport", message)
        return abi

    def _abi_version(self, modules: set[str]) -> tuple[int, int] | None:
        versions: list[tuple[int, int]] = []
        for name in sorted(modules):
            match = re.fullmatch(r"([0-9]{1,5})\.([0-9]{1,5})", name.removeprefix(_ABI_PREFIX))
            if match is None:
                message = f"it imports from {printable(name)}, expected {_ABI_PREFIX}MAJOR.MINOR"
                raise self._error("AbiVersion", message)
            versions.append((int(match[1]), int(match[2])))
        if not versions:
            return None
        highest = max(versions)
        majors = sorted({major for major, _ in versions})
        known = f"ABI {ABI_MAJOR}.0 to {ABI_MAJOR}.{ABI_NEWEST_MINOR} are known here"
        if len(majors) > 1:
            listed = ", ".join(map(str, majors))
            raise self._error("AbiVersion", f"it mixes major versions of the ABI ({listed}); {known}")
        if highest[0] != ABI_MAJOR or highest[1] > ABI_NEWEST_MINOR:
            newer = highest > (ABI_MAJOR, ABI_NEWEST_MINOR)
            advice = "upgrade bsatn" if newer else "rebuild it with bindings 1.0.0 or later"
            raise self._error("AbiVersion", f"it needs ABI {highest[0]}.{highest[1]}; {known}; {advice}")
        return highest

    def _check_exports(self, module: wasmtime.Module) -> _Exports:
        types: dict[str, Any] = {entry.name or "": entry.type for entry in module.exports}
        self._check_memory(types.get("memory"))
        describe = next((row for row in _DESCRIBE if row.name in types), None)
        if describe is None:
            message = f"it has no export {_DESCRIBE[0].name}: it is not a SpacetimeDB module, or the bindings are not linked in"
            raise self._error("WasmMissingExport", message)
        preinits = sorted((name for name in types if name.startswith(_PREINIT_PREFIX)), key=str.encode)
        rows = (describe, _CALL_REDUCER, _SETUP, *(_Export(name, "", "") for name in preinits))
        for row in rows:
            self._check_function(row, types.get(row.name))
        # a server calls _initialize only where it has this type
        initialize = types.get(_INITIALIZE.name)
        is_initializer = isinstance(initialize, self._wt.FuncType) and _signature(initialize) == ("", "")
        before = ([_INITIALIZE.name] if is_initializer else []) + preinits
        return _Exports(tuple(before), _SETUP.name if _SETUP.name in types else None, describe.name)

    def _check_memory(self, type_: Any) -> None:
        if type_ is None:
            raise self._error("WasmMissingExport", "it has no export memory; it is not a SpacetimeDB module")
        if not isinstance(type_, self._wt.MemoryType):
            raise self._error("WasmMissingExport", f"its export memory is {_type_words(type_)}, expected a memory")
        if type_.is_64:
            raise self._error("WasmMissingExport", "its memory has 64-bit addresses, expected 32-bit")
        initial, most = type_.limits.min * _PAGE_BYTES, self._limits.memory_bytes
        if initial > most:
            message = f"it wants {size(initial)} of memory to start with, the limit is {size(most)}"
            raise self._error("WasmMemory", message + " (WasmLimits.memory_bytes)")

    def _check_function(self, row: _Export, type_: Any) -> None:
        name = printable(row.name)
        if type_ is None:
            if row.required:
                message = f"it has no export {name}; a server refuses a module without it"
                raise self._error("WasmMissingExport", message)
            return
        if not isinstance(type_, self._wt.FuncType):
            raise self._error("WasmMissingExport", f"its export {name} is {_type_words(type_)}, expected a function")
        found, expected = _signature(type_), (row.params, row.results)
        if found != expected:
            message = f"its export {name} has type {_arrow(*found)}, expected {_arrow(*expected)}"
            raise self._error("WasmMissingExport", message)

    # What the module does.

    def _execute(self, module: wasmtime.Module, exports: _Exports, abi: tuple[int, int] | None) -> WasmAnswer:
        store: wasmtime.Store = self._wt.Store(self._engine)
        try:
            return self._converse(store, module, exports, abi)
        finally:
            store.close()  # frees the memory now; breaks the cycle through the host functions

    def _converse(
        self, store: wasmtime.Store, module: wasmtime.Module, exports: _Exports, abi: tuple[int, int] | None
    ) -> WasmAnswer:
        limits = self._limits
        store.set_limits(
            memory_size=limits.memory_bytes,
            table_elements=limits.table_elements,
            instances=1,
            tables=limits.tables,
            memories=1,
        )
        store.set_fuel(limits.fuel)
        store.set_epoch_deadline(1)
        host = Host(store, limits)
        calls = [_CALLS[entry.module, entry.name or ""] for entry in module.imports]
        functions = [self._function(store, host, call) for call in calls]
        instance: wasmtime.Instance = self._guard(
            host, "while it was instantiated", lambda: self._wt.Instance(store, module, functions)
        )
        found = instance.exports(store)

        def call(name: str, *arguments: int) -> Any:
            function: Any = found[name]
            return self._guard(host, f"in {printable(name)}", lambda: function(store, *arguments))

        for name in exports.before:
            call(name)
        if exports.setup is not None:
            sink = host.open_sink()
            status = call(exports.setup, sink)
            text = printable(host.take_sink(sink).decode("utf-8", "replace"), 500)
            if status != _SETUP_OK:
                message = f"its {exports.setup} failed with status {status}: {text or 'no message'}"
                raise self._error("WasmSetup", message + _panic_words(host))
        sink = host.open_sink()
        call(exports.describe, sink)
        definition = host.take_sink(sink)
        if not definition:
            message = f"its {exports.describe} wrote no definition; expected BSATN of a RawModuleDef"
            raise self._error("NoDefinition", message + _panic_words(host))
        return WasmAnswer(definition, exports.describe, abi, tuple(host.log), host.dropped_lines)

    def _function(self, store: wasmtime.Store, host: Host, call: HostCall) -> wasmtime.Func:
        value_types = {"i": self._wt.ValType.i32, "l": self._wt.ValType.i64}
        params = [value_types[letter]() for letter in call.params]
        results = [value_types[letter]() for letter in call.results]
        type_ = self._wt.FuncType(params, results)
        function: wasmtime.Func = self._wt.Func(store, type_, host.function(call), access_caller=True)
        return function

    def _guard(self, host: Host, stage: str, work: Callable[[], Any]) -> Any:
        """What `work()` returns. A failure of the host comes first, then whatever the engine reports."""
        error: Exception | None = None
        value = None
        try:
            value = work()
        except (self._wt.Trap, self._wt.WasmtimeError) as caught:
            error = caught
        if host.failure is not None:
            raise self._stopped(host, host.failure, stage) from None
        if error is not None:
            raise self._trapped(host, error, stage) from None
        return value

    def _stopped(self, host: Host, failure: HostFailure, stage: str) -> SourceError:
        message = f"the module was stopped {stage}: {failure.message}"
        return self._error(failure.kind, message + _panic_words(host))

    def _trapped(self, host: Host, error: Any, stage: str) -> SourceError:
        code = _trap_code(error)
        if code is None:
            reason = _reason(error)
            matching: list[ErrorKind] = [kind for text, kind in _ENGINE_ERRORS if text in reason]
            return self._error(
                matching[0] if matching else "WasmTrap",
                f"the module failed {stage}: {reason}" + _panic_words(host),
            )
        kind, words = _TRAPS.get(code, ("WasmTrap", f"trapped: {_reason(error)}"))
        return self._error(kind, f"the module {words}, {stage}{_innermost(error)}" + _panic_words(host))

    def _error(self, kind: ErrorKind, message: str) -> SourceError:
        return SourceError(kind, self._origin, message)


@frozen
class _Exports:
    """What to call, in order."""

    before: tuple[str, ...]
    setup: str | None
    describe: str


_CALLS: dict[tuple[str, str], HostCall] = {(call.module, call.name): call for call in HOST_CALLS}

_LETTERS = {"i32": "i", "i64": "l"}
_WORDS = {"i": "i32", "l": "i64"}


def _signature(type_: Any) -> tuple[str, str]:
    """(params, results) in letters; types other than i32 and i64 are spelled out, so they never match."""
    params = "".join(_LETTERS.get(str(value), f"<{value}>") for value in type_.params)
    results = "".join(_LETTERS.get(str(value), f"<{value}>") for value in type_.results)
    return params, results


def _arrow(params: str, results: str) -> str:
    """`iil`, `i` -> `(i32, i32, i64) -> i32`."""

    def words(letters: str) -> str:
        parts: list[str] = re.findall(r"<[^>]*>|.", letters)
        return ", ".join(_WORDS.get(part, part.strip("<>")) for part in parts)

    return printable(f"({words(params)}) -> {words(results) or '()'}")


_ITEMS = {
    "FuncType": "the function",
    "MemoryType": "the memory",
    "TableType": "the table",
    "GlobalType": "the global",
}


def _type_words(type_: Any) -> str:
    return _ITEMS.get(type(type_).__name__, "the item")


def _trap_code(error: Any) -> str | None:
    """The name of the trap's code; None if it has none, or one that the package does not know."""
    try:
        code = error.trap_code
    except (AttributeError, ValueError):
        return None
    return None if code is None else str(code.name)


def _innermost(error: Any) -> str:
    """` (function foo)`, where names are in the binary."""
    try:
        name = error.frames[0].func_name
    except (AttributeError, IndexError, ValueError):
        return ""
    return f" (function {printable(name, 120)})" if name else ""


def _reason(error: object) -> str:
    """The cause in an engine's message, on one line, without its back trace."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if "Caused by:" in lines:
        lines = lines[lines.index("Caused by:") + 1 :] or lines
        return printable(re.sub(r"^\d+: ", "", lines[-1]), 300)
    return printable(lines[0] if lines else "no reason given", 300)


def _panic_words(host: Host) -> str:
    line = host.last_panic or next((entry for entry in reversed(host.log) if entry.level == "error"), None)
    if line is None:
        return ""
    what = "panicked" if line is host.last_panic else "logged an error"
    place = f" ({printable(line.place, 120)})" if line.place else ""
    return f"; it {what}: {printable(line.message, 500)}{place}"
