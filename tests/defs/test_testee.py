"""The testee against the reference's answers, and as a process that nothing brings down."""

from __future__ import annotations

import contextlib
import functools
import gzip
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from bsatn import types as t
from bsatn.codec import Codec
from defs import testee
from defs.testee import answer, answer_line

REFERENCE = Path(__file__).parents[2] / "vectors" / "reference"
REPOSITORY = Path(__file__).parents[2]

Case: TypeAlias = dict[str, Any]


def cases(name: str) -> list[Case]:
    with gzip.open(REFERENCE / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


VALUES = cases("values")
READ = [case for case in VALUES if case["ok"]]
REFUSED = [case for case in VALUES if not case["ok"]]
NAMED = [case for case in READ if isinstance(case["typed_json"], str)]  # others hold a tuple, which it cannot name
MODULES = cases("modules")
MODULES_V8 = cases("modules_v8")


def wrong(cases: list[Case], expected: Callable[[Case], object], found: Callable[[Case], object]) -> list[Any]:
    """The first few cases whose answer is not the reference's: id, expected, found."""
    every = ((case["id"], expected(case), found(case)) for case in cases)
    return [(name, want, got) for name, want, got in every if want != got][:5]


def ask(op: str, case: Case, **fields: Any) -> Case:
    """The answer to a question about the value of a case."""
    return answer({"op": op, "type": case["type"], "typespace": case["typespace"], "bytes": case["bytes"], **fields})


@functools.cache
def readings(trailing: str) -> dict[str, Case]:
    """What value.decode answers for each case, by id."""
    return {case["id"]: ask("value.decode", case, trailing=trailing) for case in VALUES}


@functools.cache
def definitions() -> dict[str, Case]:
    """What module.decode answers for each case, by id."""
    return {case["id"]: answer({"op": "module.decode", "bytes": case["bytes"]}) for case in (*MODULES, *MODULES_V8)}


def used(case: Case) -> str:
    """The bytes of the value, without what is left over."""
    return str(case["bytes"][: len(case["bytes"]) - 2 * case["unread"]])


def test_the_cases_are_all_there() -> None:
    assert (len(READ), len(REFUSED), len(NAMED)) == (1223, 277, 1190)
    assert (len(MODULES), len(MODULES_V8)) == (1200, 300)


# -- value.decode and value.encode against the reference


def test_values_are_read_where_the_reference_reads_them() -> None:
    assert not wrong(READ, lambda _: True, lambda case: readings("allow")[case["id"]].get("ok"))


def test_values_leave_the_bytes_unread_that_the_reference_leaves() -> None:
    assert any(case["unread"] for case in READ)
    assert not wrong(READ, lambda case: case["unread"], lambda case: readings("allow")[case["id"]]["unread"])


def test_bytes_left_over_are_an_error_unless_allowed() -> None:
    assert not wrong(
        READ,
        lambda case: ("TrailingBytes", len(used(case)) // 2) if case["unread"] else (None, None),
        lambda case: tuple(readings("reject")[case["id"]].get(key) for key in ("error", "offset")),
    )


def test_values_are_written_again_to_the_same_bytes() -> None:
    assert not wrong(READ, used, lambda case: readings("allow")[case["id"]]["bytes"])


def test_values_have_the_json_text_of_the_reference() -> None:
    assert not wrong(
        NAMED,
        lambda case: case["typed_json"],
        lambda case: readings("allow")[case["id"]]["json"],
    )


def test_json_becomes_the_bytes_again() -> None:
    told = [case for case in NAMED if "null" not in case["typed_json"]]  # what is no finite float is null
    assert len(told) == 1119
    assert not wrong(told, used, lambda case: ask("value.encode", case, json=case["typed_json"]).get("bytes"))


def test_bad_values_get_the_kind_and_the_message_of_the_reference() -> None:
    assert not wrong(
        REFUSED,
        lambda case: (re.match(r"\w+", case["error"])[0], case["message"]),  # type: ignore[index]
        lambda case: tuple(readings("reject")[case["id"]].get(key) for key in ("error", "message")),
    )


def test_bad_values_are_refused_where_trailing_bytes_are_allowed_too() -> None:
    assert not wrong(REFUSED, lambda _: False, lambda case: readings("allow")[case["id"]].get("ok"))


def test_every_refusal_says_where() -> None:
    def within(case: Case) -> bool:
        offset: int = readings("reject")[case["id"]]["offset"]
        return 0 <= offset <= len(case["bytes"]) // 2

    assert not wrong(REFUSED, lambda _: True, within)


# -- module.decode and module.encode against the reference


@pytest.mark.parametrize("corpus", [MODULES, MODULES_V8], ids=["v9-v10", "v8"])
def test_definitions_are_read_and_written_again_to_the_same_bytes(corpus: list[Case]) -> None:
    def read(case: Case) -> object:
        reply = definitions()[case["id"]]
        return reply.get("version"), reply.get("layout"), reply.get("bytes")

    layouts = {8: "8", 9: "9e", 10: "10i"}
    assert not wrong(corpus, lambda case: (case["version"], layouts[case["version"]], case["bytes"]), read)


@pytest.mark.parametrize(("corpus", "without"), [(MODULES, ["module-101-929"]), (MODULES_V8, [])], ids=["v9-v10", "v8"])
def test_definitions_have_the_json_text_of_the_reference(corpus: list[Case], without: list[str]) -> None:
    told = [case for case in corpus if "json" in case]
    assert [case["id"] for case in corpus if "json" not in case] == without  # the reference died of it
    assert not wrong(
        told,
        lambda case: case["json"],
        lambda case: definitions()[case["id"]].get("json"),
    )


@pytest.mark.parametrize("corpus", [MODULES, MODULES_V8], ids=["v9-v10", "v8"])
def test_definitions_json_becomes_the_bytes_again(corpus: list[Case]) -> None:
    told = [case for case in corpus if "json" in case]
    assert not wrong(
        told,
        lambda case: case["bytes"],
        lambda case: answer({"op": "module.encode", "json": case["json"]}).get("bytes"),
    )


# -- requests that are none


def nested_arrays(depth: int) -> str:
    return "03" * depth + "04"


@pytest.mark.parametrize(
    "fields",
    [
        {"op": "value.decode"},
        {"op": "value.decode", "type": "07"},
        {"op": "value.decode", "type": 7, "bytes": "00"},
        {"op": "value.decode", "type": "07", "bytes": 0},
        {"op": "value.decode", "type": "07", "bytes": None},
        {"op": "value.decode", "type": "07", "bytes": ["00"]},
        {"op": "value.decode", "type": "07", "bytes": "0"},
        {"op": "value.decode", "type": "07", "bytes": "zz"},
        {"op": "value.decode", "type": "07", "bytes": "é"},
        {"op": "value.decode", "type": "14", "bytes": "00"},
        {"op": "value.decode", "type": "0707", "bytes": "00"},
        {"op": "value.decode", "type": "", "bytes": "00"},
        {"op": "value.decode", "type": "07", "typespace": None, "bytes": "00"},
        {"op": "value.decode", "type": "07", "typespace": "ff", "bytes": "00"},
        {"op": "value.decode", "type": "07", "bytes": "00", "trailing": "maybe"},
        {"op": "value.decode", "type": "07", "bytes": "00", "trailing": {}},
        {"op": "value.encode", "type": "07"},
        {"op": "value.encode", "type": "07", "json": 7},
        {"op": "module.decode"},
        {"op": "module.decode", "bytes": {}},
        {"op": "module.encode"},
        {"op": "module.encode", "json": {"V10": {"sections": []}}},
    ],
    ids=str,
)
def test_a_field_missing_or_of_another_form_is_a_bad_request(fields: Case) -> None:
    reply = answer({"id": "x", **fields})
    assert (reply["id"], reply["ok"], reply["error"]) == ("x", False, "BadRequest")


@pytest.mark.parametrize("op", ["", "value", "VALUE.DECODE", None, 7, [], {}, "nope", "\ud800"])
def test_an_unknown_op_is_skipped(op: object) -> None:
    reply = answer({"id": 1, "op": op})
    assert reply["id"] == 1
    assert isinstance(reply["skipped"], str)
    assert "ok" not in reply


def test_a_request_without_op_is_skipped() -> None:
    assert "skipped" in answer({})


@pytest.mark.parametrize("layout", ["0.9.0", "9a", "2.15.0", "11a", ""])
def test_a_layout_that_is_not_known_is_skipped(layout: str) -> None:
    assert "skipped" in answer({"op": "module.decode", "bytes": "0200000000", "layout": layout})


@pytest.mark.parametrize("layout", [10, ["auto"], {}, None])
def test_a_layout_is_a_string(layout: object) -> None:
    assert answer({"op": "module.decode", "bytes": "0200000000", "layout": layout})["error"] == "BadRequest"


@pytest.mark.parametrize(("layout", "found"), [("auto", "10i"), ("2.14.0", "10i"), ("10a", "10a"), ("2.4.0", "10c")])
def test_the_layout_used_is_told(layout: str, found: str) -> None:
    assert answer({"op": "module.decode", "bytes": "0200000000", "layout": layout})["layout"] == found


@pytest.mark.parametrize(
    "fields",
    [
        {"op": "value.decode", "type": nested_arrays(10_000), "bytes": "00000000"},
        {"op": "value.decode", "type": "030200000000", "bytes": "ffffffff"},
        {"op": "value.decode", "type": "0000000000", "typespace": "01000000" + "030000000000", "bytes": "01000000" * 9999},
        {"op": "module.decode", "bytes": "010100000003" + nested_arrays(10_000)},
        {"op": "value.encode", "type": "0000000000", "typespace": "01000000" + "030000000000", "json": "[" * 9999},
    ],
    ids=["type", "units", "value", "typespace", "json"],
)  # fmt: skip
def test_what_is_past_a_limit_is_called_so(fields: Case) -> None:
    assert answer(fields)["error"] == "LimitExceeded"


def test_an_error_says_its_path() -> None:
    reply = answer({"op": "module.decode", "bytes": "02010000000201000000" + "01000000ff"})
    assert (reply["error"], reply["path"], reply["offset"]) == ("InvalidUtf8", "sections[0].tables[0].source_name", 14)


def test_hello_tells_the_ops_that_are_answered() -> None:
    hello = answer({"op": "hello"})
    assert (hello["ok"], hello["name"], hello["protocol"]) == (True, "bsatn", 1)
    assert hello["ops"] == list(testee.OPS)
    for op in hello["ops"]:
        assert "skipped" not in answer({"op": op})


@pytest.mark.parametrize("id_", [0, 2**80, 1.5, "x", "", None, True, [1, {"a": []}], {"b": None}, "\ud800\n"])
def test_whatever_the_id_is_it_comes_back(id_: object) -> None:
    reply = json.loads(answer_line(json.dumps({"id": id_, "op": "hello"})))
    assert reply["id"] == id_
    assert next(iter(reply)) == "id"


def test_no_id_none_back() -> None:
    assert "id" not in json.loads(answer_line('{"op": "hello"}'))


LINES: list[tuple[str, bytes]] = [
    ("empty object", b"{}"),
    ("text", b"hello"),
    ("half an object", b'{"op": "hello"'),
    ("two objects", b"{} {}"),
    ("array", b"[]"),
    ("string", b'"hello"'),
    ("number", b"7"),
    ("null", b"null"),
    ("NaN", b'{"id": NaN, "op": "hello"}'),
    ("infinity", b'{"id": -Infinity, "op": "hello"}'),
    ("bad UTF-8", b'{"op": "\xff\xfe"}'),
    ("UTF-16", '{"op": "hello"}'.encode("utf-16")),
    ("NUL", b"\0\0\0\0"),
    ("escape", b"\x1b[2J"),
    ("huge integer", b'{"id": ' + b"9" * 10_000 + b', "op": "hello"}'),
    ("deep array", b"[" * 100_000),
    ("deep object", b'{"a":' * 100_000),
    ("deep id", b'{"id": ' + b"[" * 990 + b"]" * 990 + b', "op": "hello"}'),
    ("deep type", b'{"op": "value.decode", "bytes": "", "type": "' + b"03" * 100_000 + b'04"}'),
    ("deep json", b'{"op": "module.encode", "json": "' + b"[" * 100_000 + b'"}'),
    ("long op", b'{"op": "' + b"x" * 1_000_000 + b'"}'),
    ("long bytes", b'{"op": "value.decode", "type": "0307", "bytes": "' + b"00" * 4_000_000 + b'"}'),
    ("line ends within", b'{"op": "hello", "id": "a\\r\\nb\\u2028"}'),
    ("duplicate keys", b'{"op": "hello", "op": "hello"}'),
]


@pytest.mark.parametrize("line", [line for _, line in LINES], ids=[name for name, _ in LINES])
def test_any_line_gets_one_line_of_json_back(line: bytes) -> None:
    text = answer_line(line)
    assert text.isascii()
    assert "\n" not in text
    reply = json.loads(text, parse_constant=pytest.fail)
    assert [key for key in ("ok", "skipped") if key in reply]
    assert reply.get("error") != "Internal"


def test_a_fault_of_the_testee_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(testee.OPS, "hello", lambda request: {"ok": request["missing"]})
    reply = json.loads(answer_line('{"id": 4, "op": "hello"}'))
    assert (reply["id"], reply["ok"], reply["error"]) == (4, False, "Internal")


# -- as a process


Line: TypeAlias = Callable[[bytes], Case]


@contextlib.contextmanager
def process(patience: float = 60) -> Iterator[Line]:
    """A running testee: send it a line, get its reply. It must end by itself, with status 0, once its input does."""
    command = [sys.executable, "-m", "defs.cli", "testee"]
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=REPOSITORY, env=buffered
    ) as child:
        assert child.stdin
        assert child.stdout
        assert child.stderr
        stdin, stdout = child.stdin, child.stdout
        watch = threading.Timer(patience, child.kill)
        watch.start()

        def line(request: bytes) -> Case:
            stdin.write(request + b"\n")
            stdin.flush()
            reply = json.loads(stdout.readline())
            assert isinstance(reply, dict)
            return reply

        try:
            yield line
            stdin.close()
            assert stdout.read() == b""
            assert child.stderr.read() == b""
            assert child.wait() == 0
        finally:
            watch.cancel()
            child.kill()


def test_a_process_answers_each_line_before_the_next_is_sent() -> None:
    with process() as line:
        for number, case in enumerate(VALUES[:200]):
            fields = {key: case[key] for key in ("type", "typespace", "bytes")}
            reply = line(json.dumps({"id": number, "op": "value.decode", **fields, "trailing": "allow"}).encode())
            assert reply["id"] == number
            assert reply["ok"] == case["ok"]


def test_a_process_outlives_whatever_is_sent() -> None:
    with process() as line:
        for name, sent in LINES:
            reply = line(sent.replace(b"\n", b" "))
            assert "ok" in reply or "skipped" in reply, name
            assert line(b'{"id": "still there", "op": "hello"}')["id"] == "still there", name


def test_a_process_passes_over_blank_lines() -> None:
    with process() as line:
        assert line(b'\n  \n\r\n{"id": 1, "op": "hello"}')["id"] == 1


def test_a_process_ends_when_its_input_is_empty() -> None:
    with process():
        pass


def test_a_last_line_without_end_is_answered() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "defs.cli", "testee"],
        input=b'{"id": 1, "op": "hello"}', capture_output=True, check=True, cwd=REPOSITORY, timeout=60,
    )  # fmt: skip
    assert json.loads(done.stdout)["id"] == 1


def test_the_protocols_own_example() -> None:
    kind = Codec(t.AlgebraicType).encode(t.U32).hex()
    reply = answer({"op": "value.decode", "type": kind, "bytes": "07000000"})
    assert reply == {"ok": True, "json": "7", "bytes": "07000000", "unread": 0}
