"""Which engine is used: the fastest that is built, unless someone says otherwise."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import bsatn
from bsatn import engines
from bsatn.codec import Codec
from bsatn.engines import available
from bsatn.errors import BsatnError

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def unset(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.delenv("BSATN_ENGINE", raising=False)
    return monkeypatch


def test_the_fastest_engine_is_used(unset: pytest.MonkeyPatch) -> None:
    assert bsatn.engine() == available()[0] == Codec(bsatn.U8).engine
    assert bsatn.engine() != "construct"


@pytest.mark.parametrize("name", ["python", "construct"])
def test_the_variable_forces_an_engine(unset: pytest.MonkeyPatch, name: str) -> None:
    unset.setenv("BSATN_ENGINE", name)
    assert bsatn.engine() == name
    assert Codec(bsatn.U8).engine == name
    assert Codec[int](bsatn.U8).decode(b"\7") == 7


def test_a_codec_has_the_last_word(unset: pytest.MonkeyPatch) -> None:
    unset.setenv("BSATN_ENGINE", "construct")
    assert Codec(bsatn.U8, engine="python").engine == "python"


def test_a_variable_that_is_empty_forces_nothing(unset: pytest.MonkeyPatch) -> None:
    unset.setenv("BSATN_ENGINE", "")
    assert bsatn.engine() == available()[0]


def test_a_word_that_is_no_engine_is_refused(unset: pytest.MonkeyPatch) -> None:
    unset.setenv("BSATN_ENGINE", "turbo")
    with pytest.raises(BsatnError, match="BSATN_ENGINE is 'turbo'; there are native, python, construct"):
        bsatn.engine()
    with pytest.raises(BsatnError, match="no engine is called 'turbo'"):
        Codec[Any](bsatn.U8, engine="turbo")  # type: ignore[call-overload]


def test_without_the_extension_the_native_engine_is_refused_and_another_used(unset: pytest.MonkeyPatch) -> None:
    unset.setattr(engines, "_native", lambda: None)
    assert bsatn.engine() == "python"
    assert available() == ("python", "construct")
    with pytest.raises(BsatnError, match="not built"):
        Codec(bsatn.U8, engine="native")
    unset.setenv("BSATN_ENGINE", "native")
    with pytest.raises(BsatnError, match="not built"):
        Codec(bsatn.U8)


@pytest.mark.parametrize("word", ["python", "construct", "turbo"])
def test_the_command_says_which_engine(unset: pytest.MonkeyPatch, word: str) -> None:
    unset.setenv("BSATN_ENGINE", word)
    command = [sys.executable, "-m", "defs.cli", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, check=False, timeout=60)
    if word == "turbo":
        assert (done.returncode, done.stdout) == (2, "")
        assert "BSATN_ENGINE is 'turbo'" in done.stderr
        assert "Traceback" not in done.stderr
    else:
        assert f"; {word} engine)" in done.stdout
