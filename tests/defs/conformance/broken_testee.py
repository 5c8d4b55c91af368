"""A testee that is right but for one thing, which its argument names. Its pid goes into the file that `PIDS` names."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

MARKS = ("7f", "fe")  #: inputs of the cases that some modes are about
U8 = "07"
OPS = ["hello", "value.decode", "value.encode", "name", "module.decode", "module.encode", "module.validate", "module.convert"]
SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]


def say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def note_pid(pid: int) -> None:
    with Path(os.environ["PIDS"]).open("a", encoding="utf-8") as file:
        file.write(f"{pid}\n")


def sleep() -> NoReturn:
    while True:
        time.sleep(600)


def swapped(text: str) -> str:
    """JSON with true for false, and the other way round."""
    return text.replace("true", "t_").replace("false", "true").replace("t_", "false")


def right(request: dict[str, Any]) -> str:
    """The line to answer; for a byte without the library, which takes its time to load."""
    if request.get("type") == U8:
        return json.dumps({"id": request["id"], **byte(request)} if "id" in request else byte(request)) + "\n"
    from defs.testee import answer

    return json.dumps(answer(request)) + "\n"


def byte(request: dict[str, Any]) -> dict[str, Any]:
    if request["op"] == "value.encode":
        return {"ok": True, "bytes": f"{int(request['json']):02x}"}
    data = bytes.fromhex(request["bytes"])
    if len(data) == 1:
        return {"ok": True, "json": str(data[0]), "bytes": data.hex(), "unread": 0}
    return {"ok": False, "error": "TrailingBytes" if data else "BufferLength", "message": "", "offset": min(len(data), 1)}


def is_marked(request: dict[str, Any]) -> bool:
    return request.get("bytes") in MARKS


def hang(request: dict[str, Any]) -> None:
    say(right(request)) if not is_marked(request) else sleep()


def hang_always(_: dict[str, Any]) -> None:
    sleep()


def die(request: dict[str, Any]) -> None:
    if is_marked(request):
        sys.stderr.write("no such luck\n")
        sys.stderr.flush()
        os._exit(9)
    say(right(request))


def die_always(_: dict[str, Any]) -> None:
    os._exit(3)


def segfault(_: dict[str, Any]) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def nonsense(_: dict[str, Any]) -> None:
    say("what?\n")


def empty_line(request: dict[str, Any]) -> None:
    say("\n" + right(request))


def no_object(_: dict[str, Any]) -> None:
    say("[1]\n")


def nan(request: dict[str, Any]) -> None:
    say(f'{{"id": {request["id"]}, "ok": true, "json": NaN}}\n')


def deep(request: dict[str, Any]) -> None:
    say(f'{{"id": {request["id"]}, "ok": true, "json": {"[" * 100_000}{"]" * 100_000}}}\n')


def not_utf8(_: dict[str, Any]) -> None:
    sys.stdout.buffer.write(b'{"ok": "\xff"}\n')
    sys.stdout.flush()


def neither(request: dict[str, Any]) -> None:
    say(json.dumps({"id": request["id"], "ok": "yes"}) + "\n")


def both(request: dict[str, Any]) -> None:
    say(json.dumps({"id": request["id"], "ok": True, "skipped": "no"}) + "\n")


def twice(request: dict[str, Any]) -> None:
    reply = right(request)
    say(reply + reply)


def twice_for_one(request: dict[str, Any]) -> None:
    reply = right(request)
    say(reply + (reply if is_marked(request) else ""))


def word_after(request: dict[str, Any]) -> None:
    say(right(request) + ("bye\n" if is_marked(request) else ""))


def again_before_next(request: dict[str, Any]) -> None:
    """The second line comes in place of the next reply, which follows it."""
    say((KEPT.pop() if KEPT else "") + right(request))
    if is_marked(request):
        KEPT.append(right(request))


def late_second(request: dict[str, Any]) -> None:
    """The second line comes while the next question is asked."""
    reply = right(request)
    say(reply)
    if is_marked(request):
        threading.Timer(0.05, say, [reply]).start()


def no_id(request: dict[str, Any]) -> None:
    say(right({name: value for name, value in request.items() if name != "id"}))


def wrong_id(request: dict[str, Any]) -> None:
    say(right({**request, "id": request["id"] + 100}))


def true_id(request: dict[str, Any]) -> None:
    say(right({**request, "id": True}))


KEPT: list[str] = []


def wrong_order(request: dict[str, Any]) -> None:
    """Replies in pairs, the second first."""
    KEPT.append(right(request))
    if len(KEPT) == 2:
        say(KEPT.pop() + KEPT.pop())


def swap_booleans(request: dict[str, Any]) -> None:
    if "json" in request:
        request["json"] = swapped(request["json"])
    reply = json.loads(right(request))
    if "json" in reply:
        reply["json"] = swapped(reply["json"])
    say(json.dumps(reply) + "\n")


def boolean_as_number(request: dict[str, Any]) -> None:
    reply = json.loads(right(request))
    if "json" in reply:
        reply["json"] = reply["json"].replace("true", "1").replace("false", "0")
    say(json.dumps(reply) + "\n")


def close_output(request: dict[str, Any]) -> None:
    if is_marked(request):
        os.close(1)
        sleep()
    say(right(request))


def close_input(request: dict[str, Any]) -> None:
    say(right(request))
    os.close(0)
    sleep()


def endless_line(_: dict[str, Any]) -> None:
    while True:
        sys.stdout.write("x" * 1_000_000)


def half_a_line(request: dict[str, Any]) -> None:
    say(right(request)[:10])
    os._exit(0)


def partial(request: dict[str, Any]) -> None:
    if request["op"] == "value.encode":
        say(json.dumps({"id": request["id"], "skipped": "cannot encode"}) + "\n")
    else:
        say(right(request))


def skip_all(request: dict[str, Any]) -> None:
    say(json.dumps({"id": request["id"], "skipped": "not today"}) + "\n")


def refuse_all(request: dict[str, Any]) -> None:
    say(json.dumps({"id": request["id"], "ok": False, "error": "Other", "message": "no"}) + "\n")


def accept_all(request: dict[str, Any]) -> None:
    say(json.dumps({"id": request["id"], "ok": True}) + "\n")


def odd_fields(request: dict[str, Any]) -> None:
    odd = {"json": 7, "bytes": [1], "unread": "x", "error": {}, "offset": [], "identifier": 3, "errors": 1, "warnings": {}}
    say(json.dumps({"id": request["id"], "ok": True, **odd}) + "\n")


def odd_json(request: dict[str, Any]) -> None:
    text = ("[" * 50_000, "9" * 50_000, "1e999", "NaN", '"\\ud800"', "{")[request["id"] % 6]
    say(json.dumps({"id": request["id"], "ok": True, "json": text, "bytes": "zz"}) + "\n")


def normal(request: dict[str, Any]) -> None:
    say(right(request))


def spawn(request: dict[str, Any]) -> None:
    """Leaves a process behind that holds the pipes."""
    if is_marked(request):
        note_pid(subprocess.Popen(SLEEPER).pid)
        os._exit(1)
    say(right(request))


def flood() -> None:
    while True:
        try:
            os.write(2, b"noise " * 1000 + b"\n")
        except OSError:
            return


def main(mode: str) -> None:
    note_pid(os.getpid())
    before: Callable[[], None] | None = BEFORE.get(mode)
    if before is not None:
        before()
    for line in sys.stdin:
        request = json.loads(line)
        if request["op"] == "hello":
            greet(mode, request)
        else:
            globals().get(mode, normal)(request)
    after: Callable[[], None] | None = AFTER.get(mode)
    if after is not None:
        after()


def greet(mode: str, request: dict[str, Any]) -> None:
    reply = {"id": request["id"], "ok": True, "name": "broken", "version": "1", "protocol": 1, "ops": OPS}
    reply.update(HELLOS.get(mode, {}))
    say(json.dumps({name: value for name, value in reply.items() if value is not None}) + "\n")


def print_banner() -> None:
    say("Welcome to my testee!\n")


def ends_at_once() -> None:
    sys.stderr.write("cannot find libfoo\n")
    sys.exit(3)


def make_noise() -> None:
    threading.Thread(target=flood, daemon=True).start()


def fail_second() -> None:
    """Starts once only."""
    if len(Path(os.environ["PIDS"]).read_text(encoding="utf-8").split()) > 1:
        sys.exit(5)


def spawn_at_start() -> None:
    note_pid(subprocess.Popen(SLEEPER).pid)


BEFORE: dict[str, Callable[[], None]] = {
    "banner": print_banner, "ends_at_once": ends_at_once, "noisy": make_noise, "mute": sleep, "die_always_once": fail_second,
    "leave_child": spawn_at_start,
}  # fmt: skip
AFTER: dict[str, Callable[[], None]] = {"stay": sleep, "exit_7": lambda: sys.exit(7), "last_word": lambda: say("bye\n")}
HELLOS: dict[str, dict[str, Any]] = {
    "protocol_2": {"protocol": 2}, "no_protocol": {"protocol": None}, "no_ops": {"ops": None}, "odd_ops": {"ops": [1]},
    "no_name": {"name": None}, "hello_no_id": {"id": None}, "values_only": {"ops": ["hello", "value.decode"]},
    "nothing_at_all": {"ops": []}, "true_protocol": {"protocol": True},
}  # fmt: skip
die_always_once = die_always

if __name__ == "__main__":
    main(sys.argv[1])
