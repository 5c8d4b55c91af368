"""Every bound of this package, with its unit. All of them can be raised by the caller."""

from __future__ import annotations

from dataclasses import field

from bsatn.frozen import frozen

_MIB = 1 << 20


@frozen
class WasmLimits:
    """Bounds on compiling and running one module (spec: wire 8.2).

    Compiling cannot be interrupted: after `compile_seconds` the caller gets its error, while the compiler
    finishes, or dies with the process, in the background. Its memory is bounded only by what it is given:
    about 1 KiB a byte of the largest function at worst, and 6 KiB a function, however small.
    """

    wasm_bytes: int = 32 * _MIB
    """Size of the binary, in bytes."""
    functions: int = 100_000
    function_bytes: int = _MIB
    """Size of the body of one function, in bytes."""
    imports: int = 2_000
    exports: int = 20_000
    sections: int = 10_000
    compile_seconds: float = 60.0
    run_seconds: float = 20.0
    """Wall-clock time of everything the module does, start section included."""
    fuel: int = 4_000_000_000
    """About one unit a wasm instruction, one a byte for bulk memory operations."""
    memory_bytes: int = 256 * _MIB
    """Size the linear memory may reach."""
    table_elements: int = 1_000_000
    """Elements of each table."""
    tables: int = 16
    stack_bytes: int = 2 * _MIB
    sink_bytes: int = 64 * _MIB
    """Bytes the module may write into one sink: the definition."""
    log_lines: int = 200
    """Lines kept; later ones are counted and dropped. The last panic is always kept."""
    log_text_bytes: int = 4096
    """Bytes kept of each string in a log line."""


@frozen
class Limits:
    """Bounds on reading one source."""

    input_bytes: int = 64 * _MIB
    """Bytes read from a file, standard input or a server."""
    http_seconds: float = 30.0
    """Wall-clock time of one request, redirects included."""
    http_redirects: int = 5
    wasm: WasmLimits = field(default_factory=WasmLimits)
