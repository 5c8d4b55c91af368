"""What a number depends on besides the code: the machine, the day, the versions."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from bench.install import PEERS


def describe() -> dict[str, str]:
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "cpu": f"{cpu_model()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start",
        "system": platform.platform(terse=True),
        "python": f"{platform.python_version()}, construct {package('construct')}",
        "node": f"{first_line('node', '--version')}, spacetimedb {npm_pin('spacetimedb')}",
        "rust": f"{first_line('rustc', '--version')}, spacetimedb-sats {crate_pin('spacetimedb-sats')}",
    }


def cpu_model() -> str:
    try:
        found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found[1] if found else platform.processor() or "unknown processor"


def package(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def first_line(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0]
    except (OSError, subprocess.CalledProcessError, IndexError):
        return "not installed"


def npm_pin(name: str) -> str:
    return str(json.loads((PEERS / "ts" / "package.json").read_text())["dependencies"][name])


def crate_pin(name: str) -> str:
    found = re.search(rf'^{name} = "=(.*)"$', (PEERS / "rust" / "Cargo.toml").read_text(), re.MULTILINE)
    return found[1] if found else "unknown"
