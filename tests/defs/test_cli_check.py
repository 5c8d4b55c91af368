"""`bsatn check`, `lock`, `fingerprint`, `rules` and `explain RULE`: real modules, git, settings, sides that are wrong."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from defs import raw
from defs.cli import common, main
from defs.loading import Loaded, load
from defs.migrate.checking import all_rules
from defs.migrate.reports import PRINTERS
from defs.migrate.rules import RULES
from defs.raw import v10
from defs.sources import SourceError
from defs.sources.git import read_git
from defs.sources.lock import FORMAT

ROOT = Path(__file__).parents[2]
MODULES = ROOT / "vectors" / "modules"
V1, V2, V3, CLASSIC = (str(MODULES / f"arena_{name}.wasm") for name in ("v1", "v2", "v3", "classic"))
DEFINITIONS = json.loads((MODULES / "expected.json").read_text("utf-8"))["modules"]
COMPATIBLE, FINDINGS, USAGE, NOT_COMPARED = 0, 1, 2, 3


class Result(NamedTuple):
    status: object
    out: str
    err: str


Run = Callable[..., Result]


@cache
def of_this_repository(source: str, **options: Any) -> Loaded:
    return load(source, **options)


def loaded_once(source: str, **options: Any) -> Loaded:
    """What `defs.load` gives; modules of this repository are run once."""
    return of_this_repository(source, **options) if source.startswith(str(MODULES)) else load(source, **options)


@pytest.fixture
def run(capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run `bsatn` in this process, in an empty directory, where no configuration is above it."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(common, "load", loaded_once)

    def command(*arguments: object, stdin: bytes = b"") -> Result:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        status: object
        try:
            status = main([*map(str, arguments)])
        except SystemExit as exit_:
            status = exit_.code
        out, err = capsysbinary.readouterr()
        return Result(status, out.decode(), err.decode())

    return command


def rules_in(result: Result) -> list[tuple[str, str]]:
    document = json.loads(result.out)
    return [(one["rule"], one["element"]) for comparison in document["comparisons"] for one in comparison["findings"]]


# Real modules -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", [V1, V2, V3, CLASSIC], ids=lambda path: Path(path).stem)
def test_an_unchanged_module_is_compatible(run: Run, module: str) -> None:
    result = run("check", "--against", module, module)
    assert (result.status, result.err) == (COMPATIBLE, "")
    assert result.out.startswith(f"{module} against {module}: compatible: nothing changes\n")


def test_a_refused_upgrade(run: Run) -> None:
    result = run("check", "--against", V1, V3)
    assert result.status == FINDINGS
    assert "error unnoticed REDUCER_SAME_PARAMS" in result.out
    assert "server   manual: a server of release 2.14.0 refuses it" in result.out
    found = rules_in(run("check", "--against", V1, V3, "-f", "json"))
    assert ("PUBLISH_NOT_REFUSED", "table fighter / column team") in found
    assert ("REDUCER_SAME_PARAMS", "reducer rename") in found


def test_an_upgrade_that_breaks_clients(run: Run) -> None:
    document = json.loads(run("check", "--against", V1, V2, "-f", "json").out)
    [comparison] = document["comparisons"]
    assert comparison["server"]["verdict"] == "breaks-clients"
    assert [step["kind"] for step in comparison["server"]["steps"]][-1] == "DisconnectAllUsers"
    assert any(one["witness"] for one in comparison["findings"])


def test_several_older_definitions(run: Run) -> None:
    result = run("check", "-a", V3, "-a", V3, V3)
    assert result.status == COMPATIBLE
    result = run("check", "-a", V3, "-a", V1, V3)
    assert result.status == FINDINGS
    assert "against 2 definitions: 1 compatible, 1 not compatible" in result.out


@pytest.mark.parametrize("form", PRINTERS)
def test_every_format_to_a_file(run: Run, tmp_path: Path, form: str) -> None:
    result = run("check", "-a", V1, "-a", tmp_path / "gone", V3, "-f", form, "-o", tmp_path / "report")
    assert (result.status, result.out) == (NOT_COMPARED, "")
    assert "NotFound" in (tmp_path / "report").read_text("utf-8")
    assert f"bsatn: error: {tmp_path / 'gone'}: NotFound: there is no such file" in result.err


def test_releases_of_the_server(run: Run) -> None:
    def steps(*more: str) -> set[str]:
        document = json.loads(run("check", "-a", V1, V2, "-f", "json", *more).out)
        return {step["kind"] for step in document["comparisons"][0]["server"]["steps"]}

    assert steps() - steps("--server", "2.4") == {"ReschemaEventTable"}
    assert steps("--server", "2.4") - steps() == {"ChangeColumns"}
    assert run("check", "-a", V1, V1, "--server", "3.0").status == USAGE


def test_thresholds(run: Run) -> None:
    assert run("check", "-a", V1, V3, "--fail-on", "never").status == COMPATIBLE
    assert "not compatible" in run("check", "-a", V1, V3, "--fail-on", "never").out
    assert run("check", "-a", V1, V2, "--fail-on", "server").status == COMPATIBLE
    assert run("check", "-a", V1, V2, "--fail-on", "warning").status == FINDINGS


def test_the_plan_of_the_server(run: Run) -> None:
    assert "▸ Created user table: " in run("check", "-a", V1, V2, "-f", "spacetime").out
    assert "\x1b[1m" in run("check", "-a", V1, V2, "-f", "spacetime", "--color", "always").out
    assert run("check", "-a", V1, V3, "-f", "spacetime").out.startswith("Errors occurred:\nReordering table fighter")


# What is wrong ----------------------------------------------------------------------------------------------


def invalid(tmp_path: Path) -> Path:
    definition = raw.decode(bytes.fromhex(DEFINITIONS["arena_v1"]["bytes"]))
    assert isinstance(definition, raw.RawModuleDefV10)
    sections = [
        v10.TablesSection((*one.tables, one.tables[0])) if isinstance(one, v10.TablesSection) else one
        for one in definition.sections
    ]
    path = tmp_path / "invalid.bsatn"
    path.write_bytes(raw.encode(raw.RawModuleDefV10(tuple(sections))))
    return path


def bad_lock(path: Path, change: Callable[[dict[str, Any]], Any]) -> Path:
    assert main(["lock", V1, "-o", str(path)]) == 0
    document = json.loads(path.read_text("utf-8"))
    change(document)
    path.write_text(json.dumps(document))
    return path


def wrong_lock(key: str, value: object) -> Callable[[Path], Path]:
    return lambda folder: bad_lock(folder / "a.lock", lambda lock: lock.update({key: value}))


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda folder: folder / "gone.wasm", "NotFound"),
    "a directory": (lambda folder: folder, "Unreadable"),
    "empty": (lambda folder: written(folder, b""), "Empty"),
    "junk": (lambda folder: written(folder, b"hello there"), "UnknownContent"),
    "cut short": (lambda folder: written(folder, b"\x02\x01\x00\x00\x00\x00\x07"), "BufferLength"),
    "an unknown layout": (lambda folder: written(folder, b"\x02\x01\x00\x00\x00\x7f"), "could not be compared"),
    "invalid": (invalid, "InvalidDefinition: it is no valid definition: DuplicateName"),
    "no repository's revision": (lambda _: "git:nowhere:module.wasm", "Git"),
    "no path in git": (lambda _: "git:nowhere", "GitSource: expected git:REF:PATH"),
    "an option for git": (lambda _: "git:--help:x", "GitSource"),
    "a lock from the future": (
        lambda folder: bad_lock(folder / "a.lock", lambda lock: lock.update({"bsatn-lock": FORMAT + 1})),
        f"LockFromFuture: a lock file of format {FORMAT + 1}",
    ),
    "a damaged lock": (
        lambda folder: bad_lock(folder / "a.lock", lambda lock: lock["definition"].reverse()),
        "LockDamaged: a damaged lock file: ",
    ),
    "a lock without a layout": (
        lambda folder: bad_lock(folder / "a.lock", lambda lock: lock.pop("layout")), '"layout" is missing',
    ),
    "a lock with more": (lambda folder: bad_lock(folder / "a.lock", lambda lock: lock.update(x=1)), "unknown key 'x'"),
    **{
        f"a lock whose {key} is {value!r}": (
            wrong_lock(key, value),
            f"LockDamaged: a damaged lock file: {message}",
        )
        for key, value, message in (
            ("bsatn-lock", 0, 'expected "bsatn-lock": 1'), ("bsatn-lock", "1", 'expected "bsatn-lock": 1'),
            ("bsatn-lock", True, 'expected "bsatn-lock": 1'), ("layout", 10, '"layout" is missing or no text'),
            ("version", "10", '"version" is missing or no number'), ("version", True, '"version" is missing or no number'),
            ("definition", "AAAA", '"definition" is missing or no list'), ("definition", [1], '"definition" is no base64'),
            ("definition", ["A B="], '"definition" is no base64'), ("sha256", "00", "the definition does not have the digest"),
        )
    },
    "a lock of a layout nobody knows": (
        lambda folder: bad_lock(folder / "a.lock", lambda lock: lock.update(layout="99z")), "UnknownLayout",
    ),
    "a lock with conflicts": (
        lambda folder: written(folder, b'{\n  "bsatn-lock": 1,\n<<<<<<< HEAD\n'), "a merge left conflict marks in it",
    ),
}  # fmt: skip


def written(folder: Path, data: bytes) -> Path:
    path = folder / "bad"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("new", [False, True], ids=["old", "new"])
def test_what_cannot_be_read_is_never_compatible(run: Run, tmp_path: Path, name: str, new: bool) -> None:
    make, message = BAD[name]
    bad = make(tmp_path)
    sides = [V1, bad] if new else [bad, V1]
    for threshold in ("error", "never"):
        result = run("check", "--against", *sides, "--fail-on", threshold)
        assert result.status == NOT_COMPARED
        assert message in result.out
        assert "could not be compared" in result.out
        assert "Traceback" not in result.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([V1], "compared with what?"),
        (["-a", V1], "the following arguments are required: NEW"),
        (["-a", V1, V1, "--fail-on", "sometimes"], "invalid choice"),
        (["-a", V1, V1, "-f", "xml"], "invalid choice"),
        (["-a", V1, V1, "--server", "old"], "'old' is no release"),
        (["-a", V1, V1, "--layout", "9.9.9"], "newer than this version of bsatn knows"),
        (["-a", V1, V1, "--against-layout", "x"], "'x' is no layout"),
        (["-a", "-", "-"], "can be read only once"),
        (["-a", V1, V1, "--config", "gone.toml"], "gone.toml: No such file"),
        (["-a", V1, V1, "--config", "x", "--no-config"], "exclude each other"),
    ],
)
def test_wrong_usage(run: Run, arguments: list[str], message: str) -> None:
    result = run("check", *arguments)
    assert result.status == USAGE
    assert message in result.err
    assert result.out == ""


def test_standard_input(run: Run) -> None:
    assert run("check", "-a", "-", V1, stdin=Path(V1).read_bytes()).status == COMPATIBLE


@pytest.mark.skipif(os.name == "nt", reason="pipes close otherwise there")
def test_a_reader_that_goes_away_changes_no_status() -> None:
    command = f'"{sys.executable}" -m defs.cli check --no-config -a "{V1}" "{V3}" -f json; echo $? >&2'
    done = subprocess.run(
        ["sh", "-c", f"({command}) | true"], capture_output=True, text=True, cwd=ROOT, timeout=60, check=False
    )
    assert done.stderr.split()[-1] == "1"
    assert "Traceback" not in done.stderr


# git --------------------------------------------------------------------------------------------------------


def put(name: str, path: Path) -> Path:
    """The definition of a module in place of the module, which takes longer to read."""
    path.write_bytes(bytes.fromhex(DEFINITIONS[f"arena_{name}"]["bytes"]))
    return path


@pytest.fixture
def repository(tmp_path: Path, run: Run) -> Callable[..., None]:
    if shutil.which("git") is None:
        pytest.skip("there is no git")
    (tmp_path / ".git").rmdir()

    def git(*arguments: str) -> None:
        who = ["-c", "user.name=t", "-c", "user.email=t@example.invalid", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *who, *arguments], cwd=tmp_path, check=True, capture_output=True)

    git("init", "-q", "-b", "main")
    (tmp_path / "server").mkdir()
    put("v1", tmp_path / "server" / "module.wasm")
    git("add", ".")
    git("commit", "-q", "-m", "one")
    return git


def test_what_git_has(run: Run, repository: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = "server/module.wasm"
    assert run("check", "-a", f"git:main:{module}", module).status == COMPATIBLE
    put("v3", tmp_path / module)
    result = run("check", "-a", f"git:HEAD:{module}", module, "-f", "github")
    assert result.status == FINDINGS
    assert f"::error title=PUBLISH_NOT_REFUSED,file={module}::" in result.out
    repository("add", ".")
    assert run("check", "-a", f"git::{module}", module).status == COMPATIBLE
    assert run("check", "-a", f"git:HEAD:{module}", f"git::{module}").status == FINDINGS
    run("lock", V1)
    repository("add", ".")
    assert run("check", "-a", "git::bsatn.lock", V1, "--kind", "wasm").status == COMPATIBLE
    monkeypatch.chdir(tmp_path / "server")
    assert run("check", "-a", "git:HEAD:./module.wasm", V1).status == COMPATIBLE


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("git:nowhere:server/module.wasm", "GitRevision: there is no revision 'nowhere' here; a checkout of a single commit"),
        (
            "git:main:sever/module.wasm",
            "GitPath: revision 'main' has no file 'sever/module.wasm'; did you mean 'server/module.wasm'?",
        ),
        ("git:main:a/b/c/d/e/f/module.wasm", "'a/b/c/d/e/f/module.wasm'; did you mean 'server/module.wasm'?"),
        ("git:main:server", "GitSource: this is a directory"),
        ("git::other.wasm", "GitPath: there is no staged file 'other.wasm'"),
    ],
)
def test_what_git_has_not(run: Run, repository: Callable[..., None], source: str, message: str) -> None:
    result = run("check", "-a", source, V1)
    assert result.status == NOT_COMPARED
    assert message in result.out


@pytest.mark.parametrize("form", PRINTERS)
def test_what_git_does_not_have_yet(run: Run, repository: Callable[..., None], tmp_path: Path, form: str) -> None:
    """Accepted when that is asked for, on the command line or in the settings; and shown."""
    arguments = ("check", "-a", "git:main:new.wasm", V1, "-f", form)
    assert run(*arguments).status == NOT_COMPARED
    result = run(*arguments, "--allow-missing")
    assert result.status == COMPATIBLE
    (tmp_path / "bsatn.toml").write_text("[check]\nallow-missing = true\n")
    again = run(*arguments)
    assert (again.status, again.err) == (result.status, result.err)
    assert run(*arguments, "--fail-on", "note").status == FINDINGS
    if form not in ("spacetime", "gitlab"):
        assert "OLD_DEFINITION_EXISTS" in result.out
    if form == "text":
        assert "against git:main:new.wasm: nothing to compare with: 1 note\n" in result.out
        assert "revision 'main' has no file 'new.wasm'\n" in result.out
    if form == "json":
        [comparison] = json.loads(result.out)["comparisons"]
        assert (comparison["outcome"], comparison["server"], comparison["failures"]) == ("absent", None, [])
    assert run("check", "-a", "git:main:server", V1, "--allow-missing").status == NOT_COMPARED
    assert run(*arguments[:-3], tmp_path / "gone.wasm").status == NOT_COMPARED


def test_a_checkout_that_git_does_not_trust(run: Run, repository: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    result = run("check", "-a", "git:main:server/module.wasm", V1)
    assert result.status == NOT_COMPARED
    assert "GitFailed: git does not trust this directory, which belongs to somebody else: git config --global" in result.out


def test_a_file_that_is_too_large(repository: Callable[..., None]) -> None:
    source = "git:main:server/module.wasm"
    assert len(read_git(source, 1 << 20)) > 1000
    with pytest.raises(SourceError, match="the limit is") as raised:
        read_git(source, 1000)
    assert raised.value.kind == "TooLarge"


def test_a_file_that_is_kept_elsewhere(run: Run, repository: Callable[..., None], tmp_path: Path) -> None:
    (tmp_path / "large.wasm").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n")
    repository("add", ".")
    assert "has only a pointer here, the file itself is in LFS" in run("check", "-a", "git::large.wasm", V1).out


def test_no_git(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "GitMissing: there is no git here" in run("check", "-a", "git:main:a", V1).out


# Settings ---------------------------------------------------------------------------------------------------

IGNORE = '[[check.ignore]]\nrule = "{}"\nelement = "{}"\nreason = "we know"\n'


def test_settings_are_found_and_the_command_line_wins(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bsatn.toml").write_text(f'[check]\nagainst = ["{V1}"]\nfail-on = "never"\nserver = "2.4"\n')
    document = json.loads(run("check", V3, "-f", "json").out)
    assert (document["status"], document["fail_on"], document["server"]) == (0, "never", "2.4")
    assert document["config"] == str(tmp_path / "bsatn.toml")
    assert run("check", V3, "--fail-on", "error").status == FINDINGS
    assert run("check", V3, "-a", V3, "--fail-on", "note").status == COMPATIBLE
    assert run("check", V3, "--no-config").status == USAGE


def test_ignores(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "bsatn.toml"
    unique = {rule: IGNORE.format(rule, "*") for rule, _ in rules_in(run("check", "-a", V1, V3, "-f", "json", "--no-config"))}
    path.write_text("".join(unique.values()))
    result = run("check", "-a", V1, V3)
    assert result.status == COMPATIBLE
    assert "ignored REDUCER_SAME_PARAMS on reducer rename: we know" in result.out
    stale = run("check", "-a", V1, V1)
    assert (stale.status, stale.out.count("warning IGNORE_MATCHES")) == (COMPATIBLE, len(unique))
    path.write_text(unique["REDUCER_SAME_PARAMS"] + "expires = 2001-01-01\n")
    assert "warning IGNORE_NOT_EXPIRED: it expired on 2001-01-01" in run("check", "-a", V1, V3).out


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("[check]\nagainst = [1]\n", "against must be a text, not 1"),
        ("[check]\nfail_on = 'error'\n", "there is no key fail_on; did you mean fail-on?"),
        ("[check]\nfail-on = 'errors'\n", "fail-on must be one of error, warning, note, server, never, not 'errors'"),
        ("[check]\nserver = '3.0'\n", "'3.0' is no release"),
        ("[check]\nserver = ' '\n", "server must be a text, not ' '"),
        (
            "[check]\nserver = [" + "1," * 100 + "]\n",
            "server must be a text, not [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,...\n",
        ),
        ("[check]\nx = " + "[" * 50_000 + "\n", "it is no TOML: "),
        ("[check]\n" + "#" * (1 << 20) + "\n", "it is larger than 1 MiB"),
        (IGNORE.format("RLS_SAME", "*") + "expires = 2027-01-31T00:00:00\n", "expires must be a day such as 2027-01-31, not "),
        ("[check]\nignore = [1]\n", "ignore must be a list of tables, not [1]"),
        ("check = 1\n", "the settings of checks must be a table, not 1"),
        ("[check]\nallow-missing = 'yes'\n", "allow-missing must be true or false, not 'yes'"),
        ("[check.severity]\nTABLE_NO_REMOVED = 'off'\n", "there is no rule 'TABLE_NO_REMOVED'; did you mean TABLE_NO_REMOVE?"),
        ("[check.severity]\nTABLE_NO_REMOVE = 'of'\n", "severity.TABLE_NO_REMOVE must be one of error, warning, note, off"),
        ("[[check.ignore]]\nrule = 'RLS_SAME'\nelement = '*'\n", "ignore[0] has no reason"),
        (IGNORE.format("RLS_SAME", "*") + "expire = 2030-01-01\n", "no key ignore[0].expire; did you mean expires?"),
        (IGNORE.format("RLS_SAME", "*") + "expires = 'soon'\n", "ignore[0].expires must be a day such as 2027-01-31"),
        ("[check]\n[check]\n", "it is no TOML: "),
        ("[checks]\n", "it has no table [check]"),
    ],
)
def test_settings_with_typos_are_wrong_usage(run: Run, tmp_path: Path, settings: str, message: str) -> None:
    """Nothing is compared, so nothing is said to be compatible."""
    (tmp_path / "bsatn.toml").write_text(settings)
    result = run("check", "-a", V1, V1, "--config", "bsatn.toml")
    assert (result.status, result.out) == (USAGE, "")
    assert message in result.err
    assert "bsatn.toml" in result.err or "3.0" in message


def test_an_element_with_a_typo_hides_nothing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bsatn.toml").write_text(IGNORE.format("REDUCER_SAME_PARAMS", "reducer renam"))
    result = run("check", "-a", V1, V3)
    assert result.status == FINDINGS
    assert "REDUCER_SAME_PARAMS: takes" in result.out
    assert "warning IGNORE_MATCHES: it matches no finding\n" in result.out


def test_a_typo_in_a_rule_is_wrong_usage(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bsatn.toml").write_text(IGNORE.format("REDUCER_SAME_PARAM", "*"))
    result = run("check", "-a", V1, V1)
    assert result.status == USAGE
    assert "there is no rule 'REDUCER_SAME_PARAM'; did you mean REDUCER_SAME_PARAMS?" in result.err


# Locks, fingerprints, rules ---------------------------------------------------------------------------------


def test_a_lock(run: Run, tmp_path: Path) -> None:
    assert run("lock", V1).err.startswith("bsatn.lock: fingerprint ")
    text = (tmp_path / "bsatn.lock").read_text("utf-8")
    assert list(json.loads(text)) == ["bsatn-lock", "tool", "version", "layout", "fingerprint", "sha256", "definition"]
    assert run("lock", V1, "-o", "-").out == text
    assert max(map(len, text.splitlines())) <= 128
    assert run("check", "-a", "bsatn.lock", V1).status == COMPATIBLE
    assert run("check", "-a", "bsatn.lock", V3).status == FINDINGS
    assert run("describe", "bsatn.lock").out == run("describe", V1).out


@pytest.mark.parametrize("module", [V1, V2, V3, CLASSIC], ids=lambda path: Path(path).stem)
def test_a_lock_of_every_module_is_compatible_with_it(run: Run, module: str) -> None:
    run("lock", module)
    assert "nothing changes" in run("check", "-a", "bsatn.lock", module).out


def test_a_lock_is_compared_with_the_module(run: Run, tmp_path: Path) -> None:
    run("lock", V1)
    assert run("lock", V1, "--check").status == 0
    changed = run("lock", V3, "--check")
    assert changed.status == 1
    assert "clients can see the difference; write it with `bsatn lock`" in changed.err
    assert run("lock", V1, "--check", "-o", "-").status == USAGE
    assert run("lock", V1, "--check", "-o", "gone").status == NOT_COMPARED
    assert run("lock", invalid(tmp_path)).status == 1


def test_fingerprints(run: Run, tmp_path: Path) -> None:
    prints = {module: run("fingerprint", module).out for module in (V1, V2, V3)}
    assert all(re.fullmatch(r"[0-9a-f]{64}\n", one) for one in prints.values())
    assert len(set(prints.values())) == len(prints)
    assert json.loads(run("fingerprint", V1, "--surface").out)
    assert run("fingerprint", invalid(tmp_path)).status == 1


def test_rules(run: Run) -> None:
    assert [line.split()[0] for line in run("rules").out.splitlines()] == list(all_rules())
    assert [one["id"] for one in json.loads(run("rules", "-f", "json").out)] == list(all_rules())
    assert run("rules", "-f", "markdown").out.count("\n| `") == len(all_rules())
    assert "PUBLISH_KEEPS_CLIENTS" not in run("rules", "--server", "1.3").out
    assert run("rules", "--server", "new").status == USAGE


@pytest.mark.parametrize("rule", ["PUBLISH_NOT_REFUSED", "IGNORE_MATCHES", next(iter(RULES))])
def test_a_rule_is_explained(run: Run, rule: str) -> None:
    result = run("explain", rule)
    assert result.status == 0
    assert result.out.startswith(f"{rule}: {all_rules()[rule].title}\n")
    assert all_rules()[rule].fix in result.out
    assert json.loads(run("explain", rule, "-f", "json").out)["id"] == rule


def test_a_rule_that_is_none(run: Run) -> None:
    result = run("explain", "PUBLISH_NOT_REFUSD")
    assert (result.status, "did you mean PUBLISH_NOT_REFUSED?" in result.err) == (USAGE, True)


def test_bytes_are_explained_as_before(run: Run) -> None:
    assert run("explain", "0007000000", "--type", "(some: U32 | none: ())").status == 0
    assert run("explain", "DEADBEEF", "--type", "U32").status == 0


# CI files ---------------------------------------------------------------------------------------------------


def test_the_hooks_name_commands_that_are_there() -> None:
    hooks = re.findall(r"^  entry: bsatn (\w+)(.*)$", (ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"), re.MULTILINE)
    assert hooks == [("check", ""), ("lock", " --check")]


ACTION = (ROOT / "action.yml").read_text("utf-8")


def inputs_of_the_action() -> dict[str, str | None]:
    """The inputs with their defaults; None for what has to be given."""
    section = ACTION[ACTION.index("\ninputs:\n") : ACTION.index("\noutputs:\n")]
    declared = re.split(r"^  ([a-z-]+):\n", section, flags=re.MULTILINE)[1:]
    defaults = (
        (name, re.search(r'^    default: "(.*)"$', text, re.MULTILINE))
        for name, text in zip(*[iter(declared)] * 2, strict=True)
    )
    return {name: default and default[1] for name, default in defaults}


def last_step(name: str) -> tuple[dict[str, str], str]:
    """The environment that a step of the action asks for, and its script, as a runner reads them."""
    step = ACTION[ACTION.index(f"    - name: {name}\n") :].partition("\n    - ")[0]
    wanted = dict(re.findall(r"^        ([A-Z_]+): \$\{\{ inputs\.([a-z-]+) \}\}$", step, re.MULTILINE))
    return wanted, textwrap.dedent(step[step.index("      run: |\n") :].partition("\n")[2])


@pytest.fixture
def action(tmp_path: Path) -> Callable[..., Result]:
    """Run the action's check as a runner does, in a directory, given what a workflow says after `with`."""
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("there is no bash")
    runner = tmp_path / "runner"
    program = runner / "bsatn" / "bin" / "bsatn"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m defs.cli "$@"\n')
    program.chmod(0o755)
    wanted, script = last_step("Check")

    def run_it(folder: Path, **given: str) -> Result:
        inputs = {**inputs_of_the_action(), **{name.replace("_", "-"): value for name, value in given.items()}}
        unset = [name for name, value in inputs.items() if value is None]
        assert not unset, unset
        environment = {variable: inputs[name] or "" for variable, name in wanted.items()}
        files = {"RUNNER_TEMP": runner, "GITHUB_OUTPUT": runner / "output", "GITHUB_STEP_SUMMARY": runner / "summary"}
        done = subprocess.run(
            [bash, "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script],
            cwd=folder / (inputs["working-directory"] or "."),
            env={**os.environ, **environment, **{name: str(path) for name, path in files.items()}},
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        return Result(done.returncode, done.stdout, done.stderr)

    return run_it


def test_the_action_asks_for_every_input() -> None:
    used = {*last_step("Check")[0].values(), *last_step("Install")[0].values(), "working-directory"}
    assert used == set(inputs_of_the_action())
    assert [name for name, default in inputs_of_the_action().items() if default is None] == ["module"]
    assert set(re.findall(r"\$\{\{ inputs\.([a-z-]+) \}\}", ACTION)) == used
    page = PAGE[PAGE.index("## GitHub") : PAGE.index("## GitLab")]
    assert [name for name in used if f"`{name}`" not in page] == []


def test_the_action_passes_what_it_was_given(action: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "strict.toml").write_text('[check]\nfail-on = "never"\n')
    (tmp_path / "there").mkdir()
    old, new = (str(put(name, tmp_path / name)) for name in ("v1", "v3"))
    more = {"server": "2.14", "config": "../strict.toml", "working_directory": "there", "summary": "false", "html": "out.html"}
    result = action(tmp_path, module=new, against=f"{new}\n  {old}  \n", **more)
    assert result.status == COMPATIBLE, result.err
    assert "::error title=REDUCER_SAME_PARAMS" in result.out
    assert (tmp_path / "there" / "out.html").read_text("utf-8").startswith("<!doctype html>")
    assert not (tmp_path / "runner" / "summary").exists()
    result = action(tmp_path, module=new, against=old, fail_on="never", server="3.0")
    assert (result.status, "'3.0' is no release" in result.err) == (USAGE, True)
    assert (tmp_path / "runner" / "output").read_text() == "status=0\nstatus=2\n"
    assert action(tmp_path, module=new, against=old, fail_on="never", summary="").status == COMPATIBLE


def test_the_action_in_a_repository(action: Callable[..., Result], repository: Callable[..., None], tmp_path: Path) -> None:
    """A committed module, then a change that nobody notices, then one that breaks callers: as CI runs it on a pull request."""
    module = "server/module.wasm"
    given = {"module": module, "against": f"git:main:{module}", "sarif": "check.sarif"}
    shutil.copy(V1, tmp_path / module)
    repository("commit", "-q", "-a", "-m", "the module")
    repository("checkout", "-q", "-b", "good")
    shutil.copy(MODULES / "arena_2_8.wasm", tmp_path / module)
    repository("commit", "-q", "-a", "-m", "built with newer bindings")
    good = action(tmp_path, **given)
    assert (good.status, "::error" in good.out) == (COMPATIBLE, False)
    [run_of] = json.loads((tmp_path / "check.sarif").read_text("utf-8"))["runs"]
    assert (run_of["results"], run_of["invocations"][0]["executionSuccessful"]) == ([], True)

    repository("checkout", "-q", "-b", "bad", "main")
    shutil.copy(V3, tmp_path / module)
    repository("commit", "-q", "-a", "-m", "parameters swapped")
    bad = action(tmp_path, **given)
    assert bad.status == FINDINGS
    annotations = [line for line in bad.out.splitlines() if line.startswith("::error ")]
    assert f"::error title=REDUCER_SAME_PARAMS,file={module}::" in annotations[0]
    document = json.loads((tmp_path / "check.sarif").read_text("utf-8"))
    assert document["version"] == "2.1.0"
    [run_of] = document["runs"]
    assert len(run_of["results"]) == len(annotations) == 8
    places = {one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for one in run_of["results"]}
    assert places == {module}
    assert (tmp_path / "runner" / "output").read_text() == "status=0\nstatus=1\n"
    summary = (tmp_path / "runner" / "summary").read_text("utf-8")
    assert [line for line in summary.splitlines() if line.startswith("### ")] == [
        "### ✅ Compatible: nothing changes",
        "### ❌ Not compatible: 8 errors",
    ]


def test_the_action_where_the_module_is_new(
    action: Callable[..., Result], repository: Callable[..., None], tmp_path: Path
) -> None:
    """The base has no module yet, which is an error unless it is allowed; a base that is not there stays one."""
    given = {"module": str(put("v1", tmp_path / "new")), "against": "git:main:new/module.wasm", "summary": "false"}
    refused = action(tmp_path, **given)
    assert refused.status == NOT_COMPARED
    assert "--allow-missing accepts that" in refused.out
    allowed = action(tmp_path, **given, allow_missing="true")
    assert allowed.status == COMPATIBLE, allowed.err
    assert "::notice title=OLD_DEFINITION_EXISTS" in allowed.out
    assert "has no file 'new/module.wasm'; did you mean 'server/module.wasm'?" in allowed.out
    gone = action(tmp_path, **{**given, "against": "git:nowhere:new/module.wasm"}, allow_missing="true")
    assert gone.status == NOT_COMPARED
    broken = action(tmp_path, **{**given, "module": str(tmp_path / "gone.wasm")}, allow_missing="true")
    assert broken.status == NOT_COMPARED


# The page ---------------------------------------------------------------------------------------------------

PAGE = (ROOT / "docs" / "checking.md").read_text("utf-8")


def fenced(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def test_command_lines_for_ci_work(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every line of the page's shell and YAML examples that calls bsatn."""
    (tmp_path / "server").mkdir()
    shutil.copy(V1, tmp_path / "server" / "module.wasm")
    assert run("lock", "server/module.wasm").status == 0
    lines = [line for block in (*fenced("sh"), *fenced("yaml")) for line in re.findall(r"\bbsatn ((?:check|lock) .*)", block)]
    assert len(lines) == 5
    for line in lines:
        words = line.partition(" >> ")[0].split()
        assert run(*words).status == COMPATIBLE


def test_the_settings_of_the_page_can_be(run: Run, tmp_path: Path) -> None:
    [settings] = fenced("toml")
    (tmp_path / "bsatn.toml").write_text(settings)
    result = run("check", "-a", V1, V1, "-f", "json")
    assert result.status == FINDINGS  # the ignore matches nothing, and warnings fail
    assert [one["rule"] for one in json.loads(result.out)["settings"]] in (["IGNORE_MATCHES"], ["IGNORE_NOT_EXPIRED"])


def test_the_page_names_what_there_is() -> None:
    named = set(re.findall(r"\b[A-Z]{3,}_[A-Z_]{3,}\b", PAGE)) - {"GITHUB_STEP_SUMMARY", "GIT_DEPTH"}
    assert named <= set(all_rules())
    assert [form for form in PRINTERS if f"`{form}`" not in PAGE and f"--format {form}" not in PAGE and form != "text"] == []
