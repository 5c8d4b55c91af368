"""What is installed: names that resolve, imports that stay light, files that are there."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import bsatn
import defs
from bsatn.engines import available
from defs.vectors.archive import members

REPOSITORY = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))
DEPENDENCIES = {re.match(r"[\w-]+", declared)[0] for declared in PROJECT["project"]["dependencies"]}  # type: ignore[index]
#: Modules that need the native engine.
NATIVE = ("bsatn._native", "bsatn.native", "defs.store.commitlog.framing", "defs.store.stepping")
HEAVY = DEPENDENCIES | {"hypothesis", "pyarrow"}


def imported_by(code: str, *arguments: str) -> set[str]:
    """The top-level modules that are there after the code has run in a process of its own."""
    script = f"import sys\n{code}\nprint('loaded:', *{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        capture_output=True, text=True, check=True, cwd=REPOSITORY, timeout=60,
    )  # fmt: skip
    return set(done.stdout.splitlines()[-1].split()[1:])


_HELP = """
from defs.cli import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
"""


@pytest.mark.parametrize(
    "code",
    [
        "import bsatn",
        "import defs",
        "import bsatn, defs; bsatn.Codec(bsatn.U8).decode(b'7')",
        "import defs; defs.decode(bytes.fromhex('0200000000'))",
        "import bsatn; bsatn.record, bsatn.product(x=bsatn.U8), bsatn.Limits()",
    ],
)
def test_an_import_loads_nothing_heavy(code: str) -> None:
    loaded = imported_by(code)
    assert loaded.intersection({"bsatn", "defs"})
    assert not loaded.intersection(HEAVY)


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["decode", "--help"], ["decode", "07", "--type", "U8"]], ids=" ".join
)
def test_a_command_loads_nothing_heavy(arguments: list[str]) -> None:
    loaded = imported_by(_HELP, *arguments)
    assert "defs" in loaded
    assert not loaded.intersection(HEAVY)


def test_an_import_alone_loads_no_engine() -> None:
    code = "import bsatn\nassert not [name for name in sys.modules if name.startswith('bsatn.')]"
    assert "bsatn" in imported_by(code)


@pytest.mark.parametrize("package", [bsatn, defs], ids=["bsatn", "defs"])
def test_every_name_offered_is_there(package: Any) -> None:
    assert len(package.__all__) == len(set(package.__all__))
    for name in package.__all__:
        assert getattr(package, name) is not None
    assert set(package.__all__) <= set(dir(package))


@pytest.mark.parametrize("package", [bsatn, defs], ids=["bsatn", "defs"])
def test_a_name_that_is_not_offered_is_an_attribute_error(package: Any) -> None:
    with pytest.raises(AttributeError, match="frobnicate"):
        _ = package.frobnicate


@pytest.mark.parametrize("package", ["bsatn", "defs"])
def test_every_module_offers_names_that_are_there(package: str) -> None:
    for path in sorted((REPOSITORY / package).rglob("*.py")):
        name = ".".join(path.relative_to(REPOSITORY).with_suffix("").parts).removesuffix(".__init__")
        if name.endswith("__main__") or (name.startswith(NATIVE) and "native" not in available()):
            continue
        module = importlib.import_module(name)
        missing = [offered for offered in getattr(module, "__all__", ()) if not hasattr(module, offered)]
        assert not missing, name


@pytest.mark.skipif("native" not in available(), reason="the native engine is not built here")
def test_the_native_library_needs_no_library_of_one_python() -> None:
    from bsatn import _native

    assert _native.__file__ is not None
    assert b"libpython" not in Path(_native.__file__).read_bytes()


def test_a_submodule_is_not_hidden_by_a_name_of_the_package() -> None:
    code = "import bsatn, types\nfrom bsatn import annotations\nassert isinstance(annotations, types.ModuleType)"
    assert "bsatn" in imported_by(code)


def test_a_name_offered_is_there_whatever_was_imported_before() -> None:
    code = (
        "import importlib, pkgutil, types, bsatn\n"
        "found = [module.name for module in pkgutil.walk_packages(bsatn.__path__, 'bsatn.', onerror=print)]\n"
        f"for name in found: name.startswith({NATIVE}) or importlib.import_module(name)\n"
        "assert not [name for name in bsatn.__all__ if isinstance(getattr(bsatn, name), types.ModuleType)]"
    )
    assert "bsatn" in imported_by(code)


@pytest.mark.parametrize("package", ["bsatn", "defs"])
def test_a_package_says_that_it_is_typed(package: str) -> None:
    assert (REPOSITORY / package / "py.typed").is_file()


@pytest.mark.parametrize("package", ["bsatn", "defs"])
def test_every_directory_of_code_is_a_package(package: str) -> None:
    directories = {path.parent for path in (REPOSITORY / package).rglob("*.py")}
    assert [str(directory) for directory in directories if not (directory / "__init__.py").is_file()] == []


def test_the_arrow_points_down() -> None:
    importing = [
        str(path.relative_to(REPOSITORY))
        for path in (REPOSITORY / "bsatn").rglob("*.py")
        if any(line.startswith(("import defs", "from defs")) for line in path.read_text("utf-8").splitlines())
    ]
    assert importing == []


# -- what the project says of itself


def test_the_command_is_declared_and_there() -> None:
    module, _, function = PROJECT["project"]["scripts"]["bsatn"].partition(":")
    assert callable(getattr(importlib.import_module(module), function))


def test_the_version_comes_from_the_package() -> None:
    assert "version" in PROJECT["project"]["dynamic"]
    assert PROJECT["tool"]["hatch"]["version"]["path"] == "bsatn/__init__.py"
    assert bsatn.__version__.count(".") == 2


def imports_of(path: Path) -> set[str]:
    """The top-level modules that a file imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def test_what_is_imported_is_depended_on() -> None:
    files = [path for package in ("bsatn", "defs") for path in (REPOSITORY / package).rglob("*.py")]
    imported = set().union(*map(imports_of, files)) - sys.stdlib_module_names - {"bsatn", "defs"}
    extras = {"hypothesis", "pyarrow"}  # the strategies are for those who test; columns without the native engine are an extra
    assert imported - extras <= DEPENDENCIES


def test_both_packages_and_the_vectors_are_in_the_wheel() -> None:
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["packages"] == ["bsatn", "defs"]
    for source, target in wheel["force-include"].items():
        assert (REPOSITORY / source).exists()
        assert target.startswith("bsatn/")


def test_files_the_project_names_are_there() -> None:
    project = PROJECT["project"]
    assert [name for name in (project["readme"], *project["license-files"]) if not (REPOSITORY / name).is_file()] == []


needs_hatchling = pytest.mark.skipif(importlib.util.find_spec("hatchling") is None, reason="hatchling is not installed")


def wheel_built(folder: Path, **environment: str) -> tuple[Path, str]:
    """A wheel of this tree, and what its building said."""
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-v",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(folder),
        str(REPOSITORY),
    ]
    done = subprocess.run(build, check=True, capture_output=True, text=True, timeout=600, env={**os.environ, **environment})
    (wheel,) = folder.glob("bsatn-*.whl")
    return wheel, done.stdout + done.stderr


@pytest.mark.slow
@needs_hatchling
def test_a_wheel_holds_the_code_and_the_vectors(tmp_path: Path) -> None:
    wheel, _ = wheel_built(tmp_path, BSATN_BUILD_NATIVE="0")
    names = set(zipfile.ZipFile(wheel).namelist())
    code = {str(path.relative_to(REPOSITORY)) for package in ("bsatn", "defs") for path in (REPOSITORY / package).rglob("*.py")}
    assert code <= names
    assert {"bsatn/py.typed", "defs/py.typed"} <= names
    vectors = {path.relative_to(REPOSITORY / "vectors").as_posix() for path in members(REPOSITORY / "vectors")}
    assert {f"bsatn/vectors/{name}" for name in vectors} <= names
    assert wheel.stat().st_size < 12 << 20
    assert not any(name.startswith(("tests/", "bench/", "native/")) for name in names)


# -- the native engine


def without_cargo(folder: Path) -> str:
    """A path with all that a build may need but cargo: nothing."""
    (folder / "empty").mkdir()
    return str(folder / "empty")


def broken_cargo(folder: Path) -> str:
    """A path with a cargo that fails."""
    (folder / "cargo").write_text("#!/bin/sh\nexit 101\n")
    (folder / "cargo").chmod(0o755)
    return str(folder)


@pytest.mark.slow
@needs_hatchling
@pytest.mark.skipif(sys.platform == "win32", reason="the broken cargo is a shell script")
@pytest.mark.parametrize(
    ("path", "why"), [(without_cargo, "no cargo on the path"), (broken_cargo, "cargo build failed (exit status 101)")]
)
def test_without_a_toolchain_the_wheel_is_pure(tmp_path: Path, path: Callable[[Path], str], why: str) -> None:
    wheel, said = wheel_built(tmp_path, PATH=path(tmp_path), BSATN_BUILD_NATIVE="")
    assert wheel.name.endswith("-py3-none-any.whl")
    assert not any("_native." in name and not name.endswith(".pyi") for name in zipfile.ZipFile(wheel).namelist())
    assert [line.strip() for line in said.splitlines() if "native engine" in line] == [
        f"bsatn is built without its native engine: {why}"
    ]


@pytest.mark.slow
@needs_hatchling
@pytest.mark.skipif(sys.platform == "win32", reason="the broken cargo is a shell script")
def test_a_native_engine_that_must_be_built_and_cannot_be_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as caught:
        wheel_built(tmp_path, PATH=broken_cargo(tmp_path), BSATN_BUILD_NATIVE="1")
    assert "the native engine was not built: cargo build failed" in caught.value.stdout + caught.value.stderr


@pytest.mark.slow
@needs_hatchling
@pytest.mark.skipif(shutil.which("cargo") is None, reason="there is no cargo")
def test_a_wheel_with_the_native_engine_says_what_it_is_for(tmp_path: Path) -> None:
    wheel, _ = wheel_built(tmp_path, BSATN_BUILD_NATIVE="1")
    assert re.search(r"-cp311-abi3-\w+\.whl$", wheel.name)
    archive = zipfile.ZipFile(wheel)
    assert sum(name.startswith("bsatn/_native.") and not name.endswith(".pyi") for name in archive.namelist()) == 1
    (metadata,) = (name for name in archive.namelist() if name.endswith("/WHEEL"))
    assert b"Root-Is-Purelib: false" in archive.read(metadata)


def test_dependencies_of_the_native_engine_are_pinned_and_not_locked() -> None:
    crate = tomllib.loads((REPOSITORY / "native" / "Cargo.toml").read_text("utf-8"))
    declared = [*crate["dependencies"].values(), *crate["build-dependencies"].values()]
    versions = [one if isinstance(one, str) else one["version"] for one in declared]
    assert all(version.startswith("=") for version in versions)
    assert crate["lints"]["rust"]["unsafe_code"] == "forbid"
    assert "/native/Cargo.lock" in (REPOSITORY / ".gitignore").read_text("utf-8").splitlines()
