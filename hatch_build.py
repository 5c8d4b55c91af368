"""Builds the native engine into the wheel, where that can be done; otherwise the wheel is pure Python and just slower.

Needs cargo on the path and CPython with its GIL. BSATN_BUILD_NATIVE=0 leaves the engine out; with BSATN_BUILD_NATIVE=1 it is an
error if it cannot be built. An editable install gets the library into the source tree, where git ignores it.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

VARIABLE = "BSATN_BUILD_NATIVE"
#: what cargo makes, and what Python loads; the latter is the same for every CPython from 3.11 on
LIBRARIES = {
    "win32": ("_native.dll", "_native.pyd"),
    "darwin": ("lib_native.dylib", "_native.abi3.so"),
}
OTHERWISE = ("lib_native.so", "_native.abi3.so")


class NotBuilt(Exception):
    """Why there is no native engine."""


class NativeEngineHook(BuildHookInterface[Any]):
    """Called by hatchling before it makes a wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        wanted = os.environ.get(VARIABLE, "")
        try:
            if wanted == "0":
                raise NotBuilt(f"{VARIABLE} is 0")
            made, loaded = self.library(Path(self.root))
        except NotBuilt as reason:
            if wanted == "1":
                raise RuntimeError(f"the native engine was not built: {reason}") from None
            self.app.display_warning(f"bsatn is built without its native engine: {reason}")
            return
        if version == "editable":
            shutil.copyfile(made, Path(self.root, "bsatn", loaded))
        else:
            build_data["force_include"][str(made)] = f"bsatn/{loaded}"
        build_data["pure_python"] = False
        build_data["tag"] = f"cp311-abi3-{wheel_platform()}"

    def library(self, root: Path) -> tuple[Path, str]:
        """The library, and the name it is installed by. Raises NotBuilt."""
        if sys.implementation.name != "cpython" or sysconfig.get_config_var("Py_GIL_DISABLED"):
            raise NotBuilt("it needs CPython with its GIL")
        cargo = shutil.which("cargo")
        if cargo is None:
            raise NotBuilt("no cargo on the path")
        made, loaded = LIBRARIES.get(sys.platform, OTHERWISE)
        target = Path(os.environ.get("CARGO_TARGET_DIR") or root / "native" / "target").absolute()
        command = [cargo, "build", "--release", "--target-dir", str(target)]
        # without the second, the library asks for the libpython of the Python that built it
        environment = {**os.environ, "PYO3_PYTHON": sys.executable, "PYO3_BUILD_EXTENSION_MODULE": "1"}
        try:
            done = subprocess.run(command, cwd=root / "native", env=environment, stdout=sys.stderr, check=False)
        except OSError as error:
            raise NotBuilt(f"cargo: {error.strerror}") from None
        library = target / "release" / made
        if done.returncode or not library.is_file():
            raise NotBuilt(f"cargo build failed (exit status {done.returncode})")
        return library, loaded


def wheel_platform() -> str:
    """This platform as a wheel's name has it. The library is of one architecture, even where Python is of two."""
    found = sysconfig.get_platform()
    if found.endswith("universal2"):
        found = f"macosx-11.0-{platform.machine()}"
    return found.replace("-", "_").replace(".", "_")
