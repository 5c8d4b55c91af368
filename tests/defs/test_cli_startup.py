"""What commands load: no more than they use, since loading is most of the time that a short command takes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OLD, NEW = (f"vectors/modules/arena_v{version}.wasm" for version in (1, 2))

_SCRIPT = """
import sys
from defs.cli import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
print("loaded:", *sys.modules)
"""

#: What runs modules, fetches definitions or explains why bytes are wrong.
HEAVY = {"construct", "wasmtime", "subprocess", "ssl", "urllib.request", "xml.etree.ElementTree", "html", "hypothesis"}
PRINTERS = {f"defs.findings.{name}" for name in ("github", "jsonform", "junit", "sarif", "text")}
REPORTS = {
    f"defs.migrate.reports.{name}" for name in ("asreading", "gitlab", "html", "jsonform", "markdown", "spacetime", "text")
}
RENDERERS = {f"defs.describe.{name}" for name in ("html", "jsonform", "markdown", "mermaid", "text")}
SOURCES = {f"defs.sources.{name}" for name in ("git", "hostcalls", "http", "sections", "wasm")}
OTHER_VERSIONS = {"defs.validate.v8", "defs.validate.v9"}
UNUSED = {"bsatn.constructs", "bsatn.codegen.writer", "defs.cli.types", "defs.describe.model"}
OTHERS = HEAVY | SOURCES | OTHER_VERSIONS | UNUSED


def loaded(*arguments: str) -> set[str]:
    """The modules that are there once a command has run in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, *arguments], capture_output=True, text=True, check=True, cwd=ROOT, timeout=60
    )
    assert "Traceback" not in done.stderr
    return set(done.stdout.splitlines()[-1].split()[1:])


@pytest.fixture(scope="module")
def definitions(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Two definitions as BSATN, an older one and a newer one."""
    import defs

    folder = tmp_path_factory.mktemp("definitions")
    for name, source in (("old", OLD), ("new", NEW)):
        (folder / f"{name}.bsatn").write_bytes(defs.encode(defs.load(ROOT / source).raw))
    return str(folder / "old.bsatn"), str(folder / "new.bsatn")


@pytest.mark.parametrize("chosen", ["text", "json", "markdown"])
def test_a_check_loads_one_printer_and_nothing_of_other_sources(definitions: tuple[str, str], chosen: str) -> None:
    old, _ = definitions
    found = loaded("check", "--no-config", "--format", chosen, "--against", old, old)
    kept = "defs.migrate.reports." + {"json": "jsonform"}.get(chosen, chosen)
    assert kept in found
    assert sorted(found & (OTHERS | PRINTERS | REPORTS - {kept})) == []


def test_a_check_that_finds_something_loads_no_more_printers(definitions: tuple[str, str]) -> None:
    found = loaded("check", "--no-config", "--against", *definitions)
    assert "defs.migrate.reports.text" in found
    assert sorted(found & (SOURCES | OTHER_VERSIONS | PRINTERS | REPORTS - {"defs.migrate.reports.text"})) == []


def test_validate_loads_one_printer_and_nothing_of_other_sources(definitions: tuple[str, str]) -> None:
    found = loaded("validate", definitions[0])
    assert "defs.findings.text" in found
    assert sorted(found & (OTHERS | PRINTERS - {"defs.findings.text"} | REPORTS | {"defs.migrate"})) == []


def test_describe_loads_one_renderer_and_nothing_of_other_sources(definitions: tuple[str, str]) -> None:
    found = loaded("describe", definitions[0])
    assert "defs.describe.text" in found
    unwanted = OTHERS - {"defs.describe.model"} | RENDERERS - {"defs.describe.text"} | PRINTERS | {"defs.migrate"}
    assert sorted(found & unwanted) == []


def test_the_version_loads_no_more_than_the_engine_it_names() -> None:
    assert sorted(loaded("--version") & (OTHERS | {"defs.raw", "defs.schema", "defs.migrate"})) == []


@pytest.mark.parametrize("arguments", [(), ("--help",)])
def test_help_loads_nothing_but_itself(arguments: tuple[str, ...]) -> None:
    found = loaded(*arguments)
    ours = {name for name in found if name.partition(".")[0] in ("bsatn", "defs")}
    assert ours <= {"bsatn", "defs", "defs.cli", "defs.lazy"}
    assert sorted(found & {"dataclasses", "inspect", "json", *HEAVY}) == []
