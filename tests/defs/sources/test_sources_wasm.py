"""Modules that describe themselves: real ones, byte for byte, and hostile ones, written as text."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import threading
import time
import weakref
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from defs.sources import LogLine, SourceError, WasmLimits, describe_wasm, read
from defs.sources.hostcalls import HOST_CALLS

wasmtime = pytest.importorskip("wasmtime")

ROOT = Path(__file__).resolve().parents[3]
MODULES = ROOT / "vectors" / "modules"
EXPECTED: dict[str, dict[str, Any]] = json.loads((MODULES / "expected.json").read_text("utf-8"))["modules"]

QUICK = WasmLimits(fuel=20_000_000, run_seconds=5, memory_bytes=8 << 20)
"""Small limits, so that what runs into one does so at once."""

SINK_WRITE = '(import "spacetime_10.0" "bytes_sink_write" (func $write (param i32 i32 i32) (result i32)))'
LOG = '(import "spacetime_10.0" "console_log" (func $log (param i32 i32 i32 i32 i32 i32 i32 i32)))'
CALL_REDUCER = '(func (export "__call_reducer__") (param i32 i64 i64 i64 i64 i64 i64 i64 i32 i32) (result i32) (i32.const 0))'
MEMORY = '(memory (export "memory") 1)'
# Writes the 5 bytes at address 16; their number is at address 8.
ANSWER = r'(data (i32.const 8) "\05\00\00\00") (data (i32.const 16) "\02\00\00\00\00")'
WRITE = "(drop (call $write (local.get 0) (i32.const 16) (i32.const 8)))"
DEFINITION = bytes.fromhex("0200000000")


def describe(body: str = WRITE, name: str = "__describe_module__") -> str:
    return f'(func (export "{name}") (param i32) {body})'


def assemble(*parts: str, imports: str = SINK_WRITE, memory: str = MEMORY, reducer: str = CALL_REDUCER) -> bytes:
    text = f"(module {imports} {memory} {ANSWER} {reducer} {' '.join(parts)})"
    return bytes(wasmtime.wat2wasm(text))


def failure(wasm: bytes, limits: WasmLimits = QUICK) -> SourceError:
    with pytest.raises(SourceError) as caught:
        describe_wasm(wasm, limits=limits, origin="m.wasm")
    error = caught.value
    text = str(error)
    assert text.startswith("m.wasm: "), text
    assert text.isprintable(), text
    for words in ("Traceback", "backtrace", "python exception"):
        assert words not in text, text
    assert error.__cause__ is None
    return error


# The real modules.


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_real_module(name: str) -> None:
    answer = describe_wasm((MODULES / f"{name}.wasm").read_bytes())
    assert answer.definition == bytes.fromhex(EXPECTED[name]["bytes"])
    assert answer.export == EXPECTED[name]["export"]
    assert answer.abi == (10, 4)
    assert answer.log == ()
    assert answer.definition[0] == {9: 1, 10: 2}[EXPECTED[name]["version"]]


def test_every_real_module_has_an_expectation() -> None:
    assert {path.stem for path in MODULES.glob("*.wasm")} == set(EXPECTED)
    assert len(EXPECTED) == 6


def test_read_tells_export_and_abi() -> None:
    found = read(MODULES / "arena_classic.wasm")
    assert found.kind == "wasm"
    assert found.origin == str(MODULES / "arena_classic.wasm")
    assert found.data.hex() == EXPECTED["arena_classic"]["bytes"]
    assert found.notes == ("answered by export __describe_module__", "module ABI: 10.4")


@pytest.mark.parametrize("fraction", range(16))
def test_truncated_real_module(fraction: int) -> None:
    wasm = (MODULES / "arena_classic.wasm").read_bytes()
    error = failure(wasm[: len(wasm) * fraction // 16])
    assert error.kind == "WasmInvalid"


# What a module may do.


def test_smallest_module() -> None:
    answer = describe_wasm(assemble(describe()), limits=QUICK)
    assert (answer.definition, answer.export, answer.abi) == (DEFINITION, "__describe_module__", (10, 0))


def test_order_of_calls() -> None:
    """Start section, _initialize, preinits in byte order of the name, __setup__, describe."""

    def note(letter: str, export: str) -> str:
        code = ord(letter)
        if export == "start":
            return f"(func $start (call $note (i32.const {code}))) (start $start)"
        return f'(func (export "{export}") (call $note (i32.const {code})))'

    # each step appends a letter to the definition, which is kept at 32; its length is at 8
    append = (
        "(func $note (param i32)"
        " (i32.store8 (i32.add (i32.const 32) (i32.load (i32.const 4))) (local.get 0))"
        " (i32.store (i32.const 4) (i32.add (i32.const 1) (i32.load (i32.const 4)))))"
    )
    finish = (
        "(i32.store (i32.const 8) (i32.load (i32.const 4))) (drop (call $write (local.get 0) (i32.const 32) (i32.const 8)))"
    )
    setup = '(func (export "__setup__") (param i32) (result i32) (call $note (i32.const 115)) (i32.const 0))'
    names = [
        "__preinit__9",
        "__preinit__10",
        "__preinit__Z",
        "__preinit__a",
        "__preinit__\u00e9",
        "__preinit__",
    ]
    preinits = [note(chr(ord("A") + i), name) for i, name in enumerate(names)]
    wasm = assemble(append, describe(finish), setup, *preinits, note("i", "_initialize"), note("t", "start"))
    letters = describe_wasm(wasm, limits=QUICK).definition.decode()
    assert letters == "tiFBACDEs"  # "", "10", "9", "Z", "a", "é"


def test_second_export_is_asked_when_the_first_is_missing() -> None:
    v10 = describe(name="__describe_module_v10__")
    assert describe_wasm(assemble(v10), limits=QUICK).export == "__describe_module_v10__"
    both = assemble(describe(), describe("unreachable", "__describe_module_v10__"))
    assert describe_wasm(both, limits=QUICK).export == "__describe_module__"


def test_initialize_of_another_type_is_left_alone() -> None:
    wasm = assemble(describe(), '(func (export "_initialize") (param i32) unreachable)')
    assert describe_wasm(wasm, limits=QUICK).definition == DEFINITION


def test_start_export_is_never_called() -> None:
    wasm = assemble(describe(), '(func (export "_start") unreachable)')
    assert describe_wasm(wasm, limits=QUICK).definition == DEFINITION


def test_sink_takes_everything_and_stores_the_count_back() -> None:
    """Two writes; the second one's length is what the first stored back."""
    answer = describe_wasm(assemble(describe(WRITE + WRITE)), limits=QUICK)
    assert answer.definition == DEFINITION * 2


@pytest.mark.parametrize("handle", ["(i32.const 0)", "(i32.const -1)", "(i32.add (local.get 0) (i32.const 1))"])
def test_unknown_sink_is_an_errno(handle: str) -> None:
    body = f"(i32.store8 (i32.const 16) (call $write {handle} (i32.const 16) (i32.const 8)))" + WRITE
    assert describe_wasm(assemble(describe(body)), limits=QUICK).definition == b"\x08" + DEFINITION[1:]


def test_sink_of_setup_is_closed_before_describe() -> None:
    """Handles count from 1, and the one of __setup__ is gone when the module describes itself."""
    setup = '(func (export "__setup__") (param i32) (result i32) (i32.store (i32.const 0) (local.get 0)) (i32.const 0))'
    body = (
        "(i32.store8 (i32.const 16) (call $write (i32.load (i32.const 0)) (i32.const 16) (i32.const 8)))"
        " (i32.store8 (i32.const 17) (i32.load (i32.const 0))) (i32.store8 (i32.const 18) (local.get 0))" + WRITE
    )
    assert describe_wasm(assemble(setup, describe(body)), limits=QUICK).definition == bytes([8, 1, 2, 0, 0])


def test_harmless_host_functions() -> None:
    imports = SINK_WRITE + (
        '(import "spacetime_10.0" "identity" (func $identity (param i32)))'
        '(import "spacetime_10.0" "console_timer_start" (func $start (param i32 i32) (result i32)))'
        '(import "spacetime_10.0" "console_timer_end" (func $end (param i32) (result i32)))'
    )
    body = (
        "(memory.fill (i32.const 64) (i32.const 255) (i32.const 40)) (call $identity (i32.const 64))"
        " (i32.store8 (i32.const 17) (call $end (call $start (i32.const 16) (i32.const 1))))"
        " (i32.store8 (i32.const 18) (i32.load8_u (i32.const 95)))"
        " (i32.store8 (i32.const 19) (i32.load8_u (i32.const 96)))" + WRITE
    )
    assert describe_wasm(assemble(describe(body), imports=imports), limits=QUICK).definition.hex() == "020000ff00"


def test_every_host_function_can_be_imported() -> None:
    types = {"i": "i32", "l": "i64"}

    def declare(call: Any) -> str:
        if call.name == "bytes_sink_write":
            return SINK_WRITE
        params = "".join(f" {types[letter]}" for letter in call.params)
        result = f"(result {types[call.results]})" if call.results else ""
        return f'(import "{call.module}" "{call.name}" (func (param{params}) {result}))'

    wasm = assemble(describe(), imports=" ".join(map(declare, HOST_CALLS)))
    answer = describe_wasm(wasm, limits=QUICK)
    assert (answer.abi, answer.definition) == ((10, 6), DEFINITION)
    assert len(HOST_CALLS) == 31
    assert len({call.full_name for call in HOST_CALLS}) == len(HOST_CALLS)


def test_log_is_collected() -> None:
    texts = r'(data (i32.const 100) "target") (data (i32.const 110) "lib.rs") (data (i32.const 120) "hi \ff\1b")'
    names = "(i32.const 100) (i32.const 6) (i32.const 110) (i32.const 6)"
    line = names + " (i32.const {}) (i32.const 120) (i32.const {})"
    bare = "(i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const -1) (i32.const 120) (i32.const 2)"
    body = f"(call $log (i32.const 2) {line.format(7, 5)}) (call $log (i32.const 77) {bare})" + WRITE
    wasm = assemble(texts, describe(body), imports=SINK_WRITE + LOG)
    first = LogLine("info", "target", "lib.rs", 7, "hi \N{REPLACEMENT CHARACTER}\x1b")
    assert describe_wasm(wasm, limits=QUICK).log == (first, LogLine("77", None, None, None, "hi"))
    notes = read(wasm).notes
    assert notes[2] == "the module logged info: hi \N{REPLACEMENT CHARACTER}\\x1b (lib.rs:7)"
    assert notes[3] == "the module logged 77: hi"


def test_log_flood_is_bounded() -> None:
    bare = "(i32.const 0) " * 4 + "(i32.const -1) (i32.const 16) (i32.const 60000)"
    count = (
        f"(local $n i32) (loop $l (call $log (i32.const 3) {bare})"
        " (br_if $l (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 500))))" + WRITE
    )
    wasm = assemble(describe(count), imports=SINK_WRITE + LOG)
    answer = describe_wasm(wasm, limits=QUICK)
    assert len(answer.log) == QUICK.log_lines
    assert answer.dropped_lines == 500 - QUICK.log_lines
    assert all(len(line.message) == QUICK.log_text_bytes + 3 for line in answer.log)
    assert read(wasm).notes[-1] == "300 more log lines were dropped"


# What a module may not do.


@dataclass(frozen=True)
class Hostile:
    kind: str
    says: tuple[str, ...]
    wasm: Any  # bytes, or WebAssembly text of a whole module
    limits: WasmLimits = QUICK

    def bytes(self) -> bytes:
        return self.wasm if isinstance(self.wasm, bytes) else bytes(wasmtime.wat2wasm(self.wasm))


LOOP = "(loop $l (br $l))"
PANIC = (
    r'(data (i32.const 200) "index out of bounds") (data (i32.const 230) "src/lib.rs")'
    "(func $panic (call $log (i32.const 101) (i32.const 0) (i32.const 0) (i32.const 230) (i32.const 10)"
    " (i32.const 42) (i32.const 200) (i32.const 19)) unreachable)"
)


def foreign(import_: str) -> bytes:
    return assemble(describe(), imports=SINK_WRITE + import_)


def calling(name: str, params: str, body: str) -> bytes:
    import_ = f'(import "spacetime_10.0" "{name}" (func $f {params}))'
    return assemble(describe(body), imports=SINK_WRITE + import_)


def section(number: int, content: bytes) -> bytes:
    """A section, with its length as a LEB128 of five bytes."""
    length = bytes((len(content) >> 7 * i & 0x7F) | (0x80 if i < 4 else 0) for i in range(5))
    return bytes([number]) + length + content


HEADER = b"\0asm\x01\0\0\0"

HOSTILE: dict[str, Hostile] = {
    # It stops by itself.
    "trap": Hostile("WasmTrap", ("unreachable", "in __describe_module__"), assemble(describe("unreachable"))),
    "trap in a preinit": Hostile(
        "WasmTrap",
        ("__preinit__20_x",),
        assemble(describe(), '(func (export "__preinit__20_x") unreachable)'),
    ),
    "trap in the start section": Hostile(
        "WasmTrap", ("instantiated",), assemble(describe(), "(func $s unreachable) (start $s)")
    ),
    "panic is quoted": Hostile(
        "WasmTrap",
        ("panicked: index out of bounds (src/lib.rs:42)", "unreachable"),
        assemble(PANIC, describe("(call $panic)"), imports=SINK_WRITE + LOG),
    ),
    "division by zero": Hostile(
        "WasmTrap",
        ("division by zero",),
        assemble(describe("(drop (i32.div_u (local.get 0) (i32.const 0)))")),
    ),
    "load out of bounds": Hostile(
        "WasmTrap", ("memory access out of bounds",), assemble(describe("(drop (i32.load (i32.const -1)))"))
    ),
    "uncaught exception": Hostile("WasmTrap", ("__describe_module__",), assemble("(tag $e)", describe("(throw $e)"))),
    # It does not stop.
    "endless loop": Hostile("WasmFuel", ("fuel", "__describe_module__"), assemble(describe(LOOP))),
    "endless loop in the start section": Hostile(
        "WasmFuel", ("instantiated",), assemble(describe(), f"(func $s {LOOP}) (start $s)")
    ),
    "endless loop, no fuel limit": Hostile(
        "WasmTimeout",
        ("run_seconds",),
        assemble(describe(LOOP)),
        replace(QUICK, fuel=1 << 62, run_seconds=0.3),
    ),
    "start section, no fuel limit": Hostile(
        "WasmTimeout",
        ("instantiated",),
        assemble(describe(), f"(func $s {LOOP}) (start $s)"),
        replace(QUICK, fuel=1 << 62, run_seconds=0.3),
    ),
    "endless writing of nothing": Hostile(
        "WasmTimeout",
        ("run_seconds",),
        assemble(describe(f"(i32.store (i32.const 8) (i32.const 0)) (loop $l {WRITE} (br $l))")),
        replace(QUICK, fuel=1 << 62, run_seconds=0.3),
    ),
    "endless logging": Hostile(
        "WasmTimeout",
        ("run_seconds",),
        assemble(
            describe(
                "(loop $l (call $log (i32.const 2) (i32.const 1) (i32.const 9) (i32.const 1) (i32.const 9)"
                " (i32.const 1) (i32.const 1) (i32.const 65000)) (br $l))"
            ),
            imports=SINK_WRITE + LOG,
        ),
        replace(QUICK, fuel=1 << 62, run_seconds=0.3),
    ),
    "endless filling of memory": Hostile(
        "WasmTimeout",
        ("run_seconds",),
        assemble(describe("(loop $l (memory.fill (i32.const 0) (i32.const 1) (i32.const 65536)) (br $l))")),
        replace(QUICK, fuel=1 << 62, run_seconds=0.3),
    ),
    "endless recursion": Hostile(
        "WasmStack",
        ("recursion",),
        assemble(
            "(func $r (param i32) (call $r (local.get 0)) (call $r (local.get 0)))",
            describe("(call $r (local.get 0))"),
        ),
    ),
    # It wants too much.
    "memory.grow until it fails, then a trap": Hostile(
        "WasmTrap",
        ("unreachable",),
        assemble(describe("(loop $l (br_if $l (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) unreachable")),
    ),
    "huge initial memory": Hostile(
        "WasmMemory", ("4 GiB", "8 MiB"), assemble(describe(), memory='(memory (export "memory") 65536)')
    ),
    "memory beside the exported one": Hostile("WasmMemory", ("memory",), assemble(describe(), "(memory 1)")),
    "huge table": Hostile("WasmMemory", ("table",), assemble(describe(), "(table 100000000 funcref)")),
    "many tables": Hostile("WasmMemory", ("table",), assemble(describe(), "(table 1 funcref) " * 17)),
    "garbage-collected heap": Hostile(
        "WasmMemory",
        ("heap",),
        assemble(
            "(type $a (array i8)) (type $n (struct (field (ref null $n)) (field (ref $a))))",
            describe(
                "(local $x (ref null $n)) (loop $l (local.set $x (struct.new $n (local.get $x)"
                " (array.new_default $a (i32.const 100000)))) (br $l))"
            ),
        ),
    ),
    "definition without end": Hostile(
        "WasmSink",
        ("sink_bytes",),
        assemble(describe(f"(i32.store (i32.const 8) (i32.const 60000)) (loop $l {WRITE} (br $l))")),
        replace(QUICK, sink_bytes=1 << 20),
    ),
    "too many functions": Hostile(
        "WasmTooComplex",
        ("functions", "400000"),
        HEADER + section(1, b"\x01\x60\0\0") + section(3, b"\x80\xb5\x18" + bytes(400_000)),
    ),
    "too many exports": Hostile(
        "WasmTooComplex",
        ("exports",),
        assemble(describe(), *(f'(func (export "e{i}"))' for i in range(20))),
        replace(QUICK, exports=10),
    ),
    "too many imports": Hostile(
        "WasmTooComplex", ("imports",), foreign('(import "a" "b" (func))' * 20), replace(QUICK, imports=10)
    ),
    "too many sections": Hostile("WasmTooComplex", ("sections",), HEADER + b"\0\x02\x01x" * 20_000),
    "too large a function": Hostile(
        "WasmTooComplex",
        ("function_bytes",),
        assemble(describe(WRITE * 100)),
        replace(QUICK, function_bytes=200),
    ),
    "too large": Hostile("TooLarge", ("wasm_bytes",), assemble(describe()), replace(QUICK, wasm_bytes=50)),
    # Pointers.
    "write from null": Hostile(
        "WasmTrap",
        ("null pointer", "bytes_sink_write"),
        assemble(describe("(drop (call $write (local.get 0) (i32.const 0) (i32.const 8)))")),
    ),
    "length at null": Hostile(
        "WasmTrap",
        ("null pointer",),
        assemble(describe("(drop (call $write (local.get 0) (i32.const 16) (i32.const 0)))")),
    ),
    "write from beyond the memory": Hostile(
        "WasmTrap",
        ("outside its memory", "bytes_sink_write"),
        assemble(describe("(drop (call $write (local.get 0) (i32.const 65532) (i32.const 8)))")),
    ),
    "negative pointer": Hostile(
        "WasmTrap",
        ("outside its memory", "4294967295"),
        assemble(describe("(drop (call $write (local.get 0) (i32.const -1) (i32.const 8)))")),
    ),
    "length at the last byte": Hostile(
        "WasmTrap",
        ("outside its memory", "65535"),
        assemble(describe("(drop (call $write (local.get 0) (i32.const 16) (i32.const 65535)))")),
    ),
    "4 GiB write": Hostile(
        "WasmTrap",
        ("outside its memory",),
        assemble(describe(f"(i32.store (i32.const 8) (i32.const -1)) {WRITE}")),
        replace(QUICK, sink_bytes=1 << 40),
    ),
    "identity at the end of memory": Hostile(
        "WasmTrap", ("outside its memory",), calling("identity", "(param i32)", "(call $f (i32.const 65520))")
    ),
    "log message at null": Hostile(
        "WasmTrap",
        ("null pointer", "console_log"),
        assemble(describe(f"(call $log {'(i32.const 0) ' * 8})"), imports=SINK_WRITE + LOG),
    ),
    "bad pointer, no check follows": Hostile(
        # straight-line code after the bad call: the failure still counts
        "WasmTrap",
        ("null pointer",),
        assemble(describe("(drop (call $write (local.get 0) (i32.const 0) (i32.const 8)))" + WRITE)),
    ),
    # Exports.
    "no describe": Hostile("WasmMissingExport", ("__describe_module__",), assemble()),
    "no memory": Hostile("WasmMissingExport", ("memory",), "(module)"),
    "no call_reducer": Hostile("WasmMissingExport", ("__call_reducer__",), assemble(describe(), reducer="")),
    "describe of the wrong type": Hostile(
        "WasmMissingExport",
        ("() -> i64", "(i32) -> ()"),
        assemble('(func (export "__describe_module__") (result i64) (i64.const 1))'),
    ),
    "describe is a global": Hostile(
        "WasmMissingExport",
        ("the global",),
        assemble('(global (export "__describe_module__") i32 (i32.const 1))'),
    ),
    "call_reducer of the wrong type": Hostile(
        "WasmMissingExport",
        ("__call_reducer__", "(f32, f64) -> ()"),
        assemble(describe(), reducer='(func (export "__call_reducer__") (param f32 f64))'),
    ),
    "preinit of the wrong type": Hostile(
        "WasmMissingExport",
        ("__preinit__1",),
        assemble(describe(), '(func (export "__preinit__1") (param i32))'),
    ),
    "setup of the wrong type": Hostile(
        "WasmMissingExport", ("__setup__",), assemble(describe(), '(func (export "__setup__"))')
    ),
    "memory is a function": Hostile("WasmMissingExport", ("the function",), '(module (func (export "memory")))'),
    "64-bit memory": Hostile("WasmMissingExport", ("64-bit",), '(module (memory (export "memory") i64 1))'),
    "control characters in a name": Hostile(
        "WasmMissingExport",
        (r"__preinit__\x1b[2J",),
        assemble(describe(), r'(func (export "__preinit__\1b[2J") (param i32))'),
    ),
    "setup fails": Hostile(
        "WasmSetup",
        ("status 1", "no good"),
        assemble(
            r'(data (i32.const 300) "no good\0a") (data (i32.const 296) "\08\00\00\00")',
            '(func (export "__setup__") (param i32) (result i32)'
            " (drop (call $write (local.get 0) (i32.const 300) (i32.const 296))) (i32.const 1))",
            describe(),
        ),
    ),
    "no definition": Hostile("NoDefinition", ("__describe_module__",), assemble(describe(""))),
    # Imports.
    "unknown function": Hostile(
        "WasmUnknownImport",
        ("spacetime_10.0.frobnicate",),
        foreign('(import "spacetime_10.0" "frobnicate" (func))'),
    ),
    "known function of another version": Hostile(
        "WasmUnknownImport",
        ("spacetime_10.4.console_log",),
        foreign('(import "spacetime_10.4" "console_log" (func (param i32 i32 i32 i32 i32 i32 i32 i32)))'),
    ),
    "known function of another type": Hostile(
        "WasmUnknownImport",
        ("(i64) -> ()", "(i32) -> ()"),
        foreign('(import "spacetime_10.0" "identity" (func (param i64)))'),
    ),
    "WASI": Hostile(
        "WasmUnknownImport",
        ("wasm32-unknown-unknown",),
        foreign('(import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))'),
    ),
    "wasm-bindgen": Hostile("WasmUnknownImport", ("browser",), foreign('(import "__wbindgen_placeholder__" "x" (func))')),
    "imported memory": Hostile("WasmUnknownImport", ("the memory env.memory",), '(module (import "env" "memory" (memory 1)))'),
    "imported global": Hostile(
        "WasmUnknownImport", ("the global",), foreign('(import "spacetime_10.0" "identity" (global i32))')
    ),
    "imported table": Hostile("WasmUnknownImport", ("the table",), foreign('(import "env" "t" (table 1 funcref))')),
    "database used": Hostile(
        "WasmTrap",
        ("spacetime_10.0.datastore_table_row_count", "server"),
        calling(
            "datastore_table_row_count",
            "(param i32 i32) (result i32)",
            "(drop (call $f (i32.const 1) (i32.const 8)))",
        ),
    ),
    "database used without a result": Hostile(
        "WasmTrap",
        ("volatile_nonatomic_schedule_immediate",),
        calling(
            "volatile_nonatomic_schedule_immediate",
            "(param i32 i32 i32 i32)",
            "(call $f (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 8)) " + WRITE,
        ),
    ),
    # ABI.
    "newer minor": Hostile("AbiVersion", ("10.7", "upgrade"), foreign('(import "spacetime_10.7" "x" (func))')),
    "newer major": Hostile("AbiVersion", ("11.0",), '(module (import "spacetime_11.0" "x" (func)))'),
    "older major": Hostile("AbiVersion", ("9.9", "rebuild"), '(module (import "spacetime_9.9" "x" (func)))'),
    "two majors": Hostile("AbiVersion", ("10, 11",), foreign('(import "spacetime_11.0" "x" (func))')),
    "no version": Hostile("AbiVersion", ("spacetime_abc",), foreign('(import "spacetime_abc" "x" (func))')),
    "version in other digits": Hostile(
        "AbiVersion", ("MAJOR.MINOR",), foreign('(import "spacetime_\u0661\u0660.0" "x" (func))')
    ),
    # Not a module.
    "empty": Hostile("WasmInvalid", ("empty",), b""),
    "text": Hostile("WasmInvalid", ("WebAssembly text",), b"(module)"),
    "something else": Hostile("WasmInvalid", ("02 00",), b"\x02\x00"),
    "only the magic": Hostile("WasmInvalid", ("cut short",), b"\0asm"),
    "component": Hostile("WasmInvalid", ("component",), b"\0asm\x0d\0\x01\0"),
    "version 2": Hostile("WasmInvalid", ("version 2",), b"\0asm\x02\0\0\0"),
    "section cut short": Hostile("WasmInvalid", ("cut short",), HEADER + b"\x01\x7f\x00"),
    "length without end": Hostile("WasmInvalid", ("cut short",), HEADER + b"\x01\x80"),
    "length too long": Hostile("WasmInvalid", ("too long",), HEADER + b"\x01" + b"\x80" * 9),
    "no exports": Hostile("WasmMissingExport", ("memory",), HEADER),
    "nonsense in a section": Hostile("WasmInvalid", ("not a valid WebAssembly module",), HEADER + section(1, b"\x01\x99")),
    "body of the wrong type": Hostile(
        "WasmInvalid",
        ("type mismatch",),
        HEADER + section(1, b"\x01\x60\x00\x01\x7f") + section(3, b"\x01\x00") + section(10, b"\x01\x02\x00\x0b"),
    ),
    "shared memory": Hostile(
        "WasmInvalid",
        ("shared memory",),
        assemble(describe(), memory='(memory (export "memory") 1 1 shared)'),
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile(name: str) -> None:
    case = HOSTILE[name]
    began = time.monotonic()
    error = failure(case.bytes(), case.limits)
    assert time.monotonic() - began < 4
    assert error.kind == case.kind, str(error)
    for words in case.says:
        assert words in error.message, str(error)
    assert error.unreadable == (case.kind == "TooLarge")
    assert len(str(error)) < 1500


def test_memory_may_grow_up_to_the_limit() -> None:
    """Growing stops at the limit, and a module that lives with that is fine."""
    grow = "(loop $l (br_if $l (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))"
    body = f"{grow} (i32.store8 (i32.const 16) (memory.size)) {WRITE}"
    answer = describe_wasm(assemble(describe(body)), limits=replace(QUICK, memory_bytes=100 << 16))
    assert answer.definition[0] == 100


def test_every_byte_flipped() -> None:
    """A small module with one byte changed yields an answer or a SourceError, nothing else."""
    wasm = assemble(describe(), '(func (export "__preinit__x"))')
    outcomes = set()
    for at in range(len(wasm)):
        broken = bytearray(wasm)
        broken[at] ^= 0x41
        try:
            describe_wasm(bytes(broken), limits=replace(QUICK, fuel=100_000, run_seconds=1))
            outcomes.add("answer")
        except SourceError as error:
            outcomes.add(error.kind)
    assert {"answer", "WasmInvalid", "WasmMissingExport", "WasmUnknownImport"} <= outcomes


def test_compile_time_is_bounded_for_the_caller() -> None:
    body = "(local.set 0 (i32.mul (local.get 0) (i32.add (local.get 0) (i32.const 77)))) " * 20_000
    wasm = assemble(describe(body), *(f"(func (param i32) {body})" for _ in range(3)))
    began = time.monotonic()
    error = failure(wasm, replace(QUICK, compile_seconds=0.02))
    assert time.monotonic() - began < 1
    assert (error.kind, "compile_seconds" in error.message) == ("WasmTimeout", True)


def test_threads_do_not_see_each_others_failures() -> None:
    cases = [
        (
            "null pointer",
            assemble(describe("(drop (call $write (local.get 0) (i32.const 0) (i32.const 8)))")),
        ),
        ("unreachable", assemble(describe("unreachable"))),
    ]
    wrong: list[str] = []

    def work(words: str, wasm: bytes) -> None:
        for _ in range(25):
            try:
                describe_wasm(wasm, limits=QUICK)
                wrong.append("no error")
            except SourceError as error:
                if words not in error.message:
                    wrong.append(str(error))
            except BaseException as error:  # noqa: BLE001
                wrong.append(repr(error))

    threads = [threading.Thread(target=work, args=case) for case in cases * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_no_memory_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The store of each run is freed, also after a failure: host functions do not keep it alive."""
    stores: list[weakref.ref[Any]] = []

    class Store(wasmtime.Store):  # type: ignore[misc,name-defined]
        def __init__(self, engine: Any) -> None:
            super().__init__(engine)
            stores.append(weakref.ref(self))

    monkeypatch.setattr(wasmtime, "Store", Store)
    describe_wasm(assemble(describe()), limits=QUICK)
    failure(assemble(describe("unreachable")))
    gc.collect()
    assert [store() for store in stores] == [None, None]


def test_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wasmtime", None)
    error = failure(assemble(describe()))
    assert (error.kind, error.unreadable) == ("WasmHostMissing", True)
    assert "pip install bsatn" in error.message


def test_heavy_packages_are_imported_on_first_use() -> None:
    code = (
        "import sys, defs.sources as s\n"
        "s.read(b'02 00 00 00 00')\n"
        "print([m for m in ('wasmtime', 'urllib.request', 'http.client', 'ssl') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
