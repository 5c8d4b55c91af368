"""Getting the peers: sources copied to a cache outside the tree, installed and built there, once.

A peer that can't be had says why, and the bench goes on without it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from bench.engines import RUST, TYPESCRIPT, Engine

Progress = Callable[[str], None]

PEERS = Path(__file__).parent / "peers"
TYPESCRIPT_SOURCES = ("package.json", "peer.mjs", "raw.entry.mjs")
RUST_SOURCES = ("Cargo.toml", "src/main.rs")


class Unavailable(Exception):
    """A peer can't be run here."""


def cache_folder() -> Path:
    return Path(os.environ.get("BSATN_BENCH_CACHE") or "~/.cache/bsatn-bench").expanduser()


def typescript(cache: Path, progress: Progress) -> Engine:
    node, npm = tool("node"), tool("npm")
    folder = cache / "ts"
    installed = folder / "raw.bundle.mjs"
    if copy(PEERS / "ts", folder, TYPESCRIPT_SOURCES) or not installed.exists():
        progress("installing the TypeScript SDK")
        installed.unlink(missing_ok=True)
        run([npm, "install", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund"], folder)
        run([npm, "run", "--silent", "bundle"], folder)
    return Engine(TYPESCRIPT, (node, "peer.mjs"), folder)


def rust(cache: Path, progress: Progress) -> Engine:
    cargo = tool("cargo")
    folder = cache / "rust"
    copy(PEERS / "rust", folder, RUST_SOURCES)
    target = folder / "target"
    binary = target / "release" / "bsatn-bench-peer"
    if not binary.exists():
        progress("building the Rust peer (minutes, the first time)")
    run([cargo, "build", "--release", "--ignore-rust-version", "--target-dir", str(target)], folder)
    return Engine(RUST, (str(binary),), folder)


INSTALLERS: dict[str, Callable[[Path, Progress], Engine]] = {TYPESCRIPT: typescript, RUST: rust}


def tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise Unavailable(f"no {name} on the path")
    return found


def copy(source: Path, target: Path, names: tuple[str, ...]) -> bool:
    """Copies what differs, so that a build sees only real changes; whether anything did."""
    changed = False
    for name in names:
        content, file = (source / name).read_bytes(), target / name
        if not file.exists() or file.read_bytes() != content:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
            changed = True
    return changed


def run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        said = next((line for line in lines if "error" in line.lower()), lines[-1] if lines else "no message")
        raise Unavailable(f"`{Path(command[0]).name} {command[1]}` failed: {said}")
