"""Testees that misbehave: each is reported as what it is, in time, and leaves no process behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from defs.conformance import BadTestee, Crashed, Skipped, Testee
from defs.conformance.child import MAX_TAIL

DECODE: dict[str, Any] = {"type": bytes([7]), "bytes": bytes([1])}
MARKED: dict[str, Any] = {"type": bytes([7]), "bytes": bytes([0x7F])}

Start = Callable[..., Testee]


@pytest.fixture
def start(broken: Callable[[str], list[str]]) -> Start:
    """Makes a testee of a mode."""
    return lambda mode, **options: Testee(broken(mode), **{"timeout": 30.0, **options})


def crash(testee: Testee, fields: dict[str, Any] = MARKED) -> Crashed:
    with pytest.raises(Crashed) as caught:
        testee.ask("value.decode", fields)
    return caught.value


def test_a_testee_that_is_right(start: Start) -> None:
    with start("normal") as testee:
        hello = testee.hello()
        assert (hello.name, hello.protocol) == ("broken", 1)
        assert testee.ask("value.decode", DECODE)["json"] == "1"
        assert testee.ask("value.decode", {"type": "07", "bytes": ""})["ok"] is False
        with pytest.raises(Skipped, match="does not list nothing"):
            testee.ask("nothing", {})
    assert (testee.crashes, testee.surplus, testee.farewell) == (0, "", "")


CRASHES = [
    ("die", "died", "it exited with status 9; on standard error: no such luck"),
    ("die_always", "died", "it exited with status 3"),
    ("segfault", "died", "it was ended by SIGSEGV"),
    ("half_a_line", "died", "it exited with status 0"),
    ("close_output", "died", "it closed its standard output"),
    ("nonsense", "nonsense", "the reply is no JSON object: what?"),
    ("empty_line", "nonsense", "the reply is no JSON object"),
    ("no_object", "nonsense", "the reply is no JSON object: [1]"),
    ("nan", "nonsense", "the reply is no JSON object"),
    ("deep", "nonsense", "the reply is no JSON object"),
    ("not_utf8", "nonsense", "the reply is no JSON object"),
    ("neither", "nonsense", "neither `ok`"),
    ("both", "nonsense", "`skipped` is a text, and stands alone"),
    ("no_id", "nonsense", "the reply's id is nothing, the request's 1"),
    ("wrong_id", "nonsense", "the reply's id is 101, the request's 1"),
    ("true_id", "nonsense", "the reply's id is true, the request's 1"),
]


@pytest.mark.parametrize(("mode", "how", "detail"), CRASHES)
def test_a_crash_is_told_and_another_process_takes_over(start: Start, mode: str, how: str, detail: str) -> None:
    with start(mode) as testee:
        first = crash(testee)
        assert (first.how, testee.crashes) == (how, 1)
        assert detail in first.detail
        if mode in ("die", "close_output"):
            assert testee.ask("value.decode", DECODE)["ok"] is True
        else:
            assert crash(testee).how == how
            assert testee.crashes == 2


@pytest.mark.parametrize("mode", ["hang", "wrong_order"])
def test_a_late_reply_is_waited_for_so_long_and_no_longer(start: Start, mode: str) -> None:
    with start(mode, timeout=0.3) as testee:
        testee.hello()
        before = time.monotonic()
        late = crash(testee)
        assert late.how == "late"
        assert "0.3 s" in late.detail
        assert 0.29 < time.monotonic() - before < 10
        if mode == "hang":
            testee.timeout = 30
            assert testee.ask("value.decode", DECODE)["ok"] is True


def test_a_line_without_end_is_not_read_for_ever(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("defs.conformance.child.MAX_LINE", 3_000_000)
    with start("endless_line") as testee:
        assert crash(testee).detail.startswith("a reply longer than")


def test_endless_noise_is_read_and_forgotten(start: Start) -> None:
    with start("noisy") as testee:
        for _ in range(50):
            assert testee.ask("value.decode", DECODE)["ok"] is True
        assert testee._child is not None
        assert 0 < len(testee._child.tail()) <= MAX_TAIL
    assert testee.farewell == ""


def test_a_reply_too_many_is_not_taken_for_the_next_one(start: Start) -> None:
    for mode in ("twice_for_one", "late_second", "word_after", "again_before_next"):
        with start(mode) as testee:
            assert testee.ask("value.decode", MARKED)["json"] == "127"
            if mode == "late_second":
                time.sleep(0.3)
            assert testee.ask("value.decode", DECODE)["json"] == "1"
            assert "nothing asked for" in testee.surplus
            assert (testee.crashes, testee.surplus_of) == (1, 1)


def test_what_is_written_at_the_end_is_told(start: Start) -> None:
    with start("last_word") as testee:
        testee.ask("value.decode", DECODE)
    assert "nothing asked for: bye" in testee.surplus


def test_a_request_that_nobody_reads_is_given_up(start: Start) -> None:
    with start("close_input", timeout=30) as testee:
        assert testee.ask("value.decode", DECODE)["ok"] is True
        testee.timeout = 0.3
        assert crash(testee, {"type": "07", "bytes": bytes(2_000_000)}).how == "late"


def test_a_large_request_and_reply_pass(start: Start) -> None:
    data = (3_000_000).to_bytes(4, "little") + bytes(3_000_000)
    with start("normal", timeout=60) as testee:
        assert testee.ask("value.decode", {"type": "0307", "bytes": data})["bytes"] == data.hex()


@pytest.mark.parametrize("mode", ["spawn", "leave_child"])
def test_what_the_testee_started_ends_with_it(start: Start, mode: str) -> None:
    with start(mode) as testee:
        testee.hello()
        if mode == "spawn":
            assert crash(testee).how == "died"


def test_the_end_is_looked_at(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    for mode, words in {"exit_7": "exited with status 7", "stay": "had not exited", "normal": ""}.items():
        monkeypatch.setattr("defs.conformance.process.GRACE", 0.3 if mode == "stay" else 30)
        with start(mode) as testee:
            testee.ask("value.decode", DECODE)
        assert words in testee.farewell
        assert bool(words) == bool(testee.farewell)


def test_a_testee_that_does_not_start_again_is_given_up(start: Start) -> None:
    with start("die_always_once") as testee:
        assert crash(testee).detail == "it exited with status 3"
        for _ in range(3):
            assert "does not start again" in crash(testee).detail
        assert "not tried any more" in crash(testee).detail


def test_stopping_ends_a_question(start: Start) -> None:
    with start("hang_always", timeout=60) as testee:
        testee.hello()
        threading.Timer(0.2, testee.stop).start()
        before = time.monotonic()
        assert crash(testee).how == "died"
        assert time.monotonic() - before < 5
        assert "stopped" in crash(testee).detail


HELLOS = [
    ("ends_at_once", "CannotStart", "status 3; on standard error: cannot find libfoo"),
    ("banner", "BadHello", "standard output is for replies alone"),
    ("mute", "BadHello", "did not answer `hello` in 0.5 s"),
    ("protocol_2", "WrongProtocol", "speaks version 2 of the protocol, this is 1"),
    ("true_protocol", "WrongProtocol", "version true"),
    ("no_protocol", "BadHello", "lacks `ok`: true, or `protocol`"),
    ("no_ops", "BadHello", "lacks `ops`"),
    ("odd_ops", "BadHello", "lacks `ops`"),
    ("no_name", "BadHello", "lacks `name`"),
    ("hello_no_id", "BadHello", "does not repeat"),
]


@pytest.mark.parametrize(("mode", "kind", "words"), HELLOS)
def test_a_greeting_that_is_none(start: Start, mode: str, kind: str, words: str) -> None:
    with start(mode, startup=0.5 if mode == "mute" else 30) as testee, pytest.raises(BadTestee) as caught:
        testee.ask("value.decode", DECODE)
    assert caught.value.kind == kind
    assert words in caught.value.message


@pytest.mark.parametrize("command", ["", "   ", [], "/nowhere/at/all", "'open", ["a\0b"], str(Path(__file__).parent)], ids=str)
def test_a_command_that_cannot_be_run(command: Any) -> None:
    with Testee(command) as testee, pytest.raises(BadTestee) as caught:
        testee.hello()
    assert caught.value.kind == "CannotStart"
