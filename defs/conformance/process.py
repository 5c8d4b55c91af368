"""A testee: a command that answers the protocol's questions, started when it is asked and again after it has crashed.

Every question has a number, which the reply must repeat, so an answer is never taken for one to another question. A process
that dies, is late or writes nonsense is killed with all that it started; the next question starts another. (spec: testee)
"""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from bsatn.errors import BsatnError
from defs.conformance.asking import Crashed, How, Reply, Skipped, shortened
from defs.conformance.child import MAX_LINE, Child, Ended, Late, TooMuch

__all__ = ["PROTOCOL", "BadTestee", "Hello", "Testee"]

PROTOCOL = 1
GRACE = 5.0  #: seconds in which a testee has to exit once its input has ended
MAX_RESTARTS = 3  #: how often in a row a crashed testee may fail to start again before that is not tried any more


class BadTestee(BsatnError):
    """No testee: it cannot be started, or does not greet as the protocol says. Kinds: CannotStart, BadHello, WrongProtocol."""

    @property
    def unreadable(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Hello:
    """How a testee introduces itself."""

    name: str
    version: str
    protocol: int
    ops: tuple[str, ...]


class Testee:
    """Asks a command. Text is split as a shell does; there is no shell.

    `timeout` bounds a question and `startup` the greeting, both in seconds. `number` is that of the last question, from 1. Of
    what happened `crashes` counts the restarts it takes, `surplus` is what was written without being asked for and `surplus_of`
    the question that it came after; `farewell` says what was wrong with the end.
    """

    __test__ = False  # for pytest

    def __init__(self, command: str | Sequence[str], *, timeout: float = 10.0, startup: float = 60.0) -> None:
        self.command = command
        self.timeout = timeout
        self.startup = startup
        self.crashes = 0
        self.number = 0
        self.surplus = ""
        self.surplus_of = 0
        self.farewell = ""
        self._hello: Hello | None = None
        self._child: Child | None = None
        self._failed_starts = 0
        self._stopped = False

    def __enter__(self) -> Testee:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def hello(self) -> Hello:
        """The greeting, by the first process. Raises BadTestee."""
        if self._hello is None:
            self._hello = self._start()[1]
        return self._hello

    def ask(self, op: str, fields: Mapping[str, Any]) -> Reply:
        """The reply, with `ok` in it. Raises Skipped, Crashed; BadTestee if there was none to begin with."""
        if op not in self.hello().ops:
            raise Skipped(f"its hello does not list {op}")
        child = self._running()
        if extra := child.leftover():
            self._unasked(extra)
            child = self._running()
        reply = self._question(child, op, fields)
        if reply is None:  # what came was a second reply to another one
            reply = self._question(self._running(), op, fields)
        return _answer(reply)

    def stop(self) -> None:
        """Kills the process and starts no other; from any thread."""
        self._stopped = True
        if (child := self._child) is not None:
            child.kill()

    def close(self) -> None:
        """Ends the input, waits for the process to exit, kills it if it does not, and says in `farewell` what was wrong."""
        child, self._child = self._child, None
        if child is None:
            return
        try:
            if self._stopped:
                return
            if not child.end(GRACE):
                self.farewell = f"it had not exited {GRACE:g} s after the end of its input"
            elif child.process.returncode:
                self.farewell = f"at the end of its input {child.outcome()}, not 0{_stderr(child)}"
            if extra := child.leftover():
                self._unasked(extra)
        finally:
            child.close()

    # -- processes

    def _start(self) -> tuple[Child, Hello]:
        """A process that has greeted."""
        arguments = self._arguments()
        try:
            child = Child(arguments)
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise BadTestee("CannotStart", f"the testee cannot be started: {arguments[0]}: {why}") from None
        self._child = child
        try:
            line = child.exchange(b'{"op": "hello", "id": 0}\n', time.monotonic() + self.startup)
            return child, _read_hello(line)
        except Ended as ended:
            self._bad("CannotStart", f"the testee ended without a word: {ended}", child)
        except Late:
            self._bad("BadHello", f"the testee did not answer `hello` in {self.startup:g} s", child)
        except TooMuch:
            self._bad("BadHello", f"the testee's first line is longer than {MAX_LINE >> 20} MiB", child)
        except BadTestee as bad:
            self._bad(bad.kind, bad.message, child)

    def _arguments(self) -> list[str]:
        try:
            arguments = shlex.split(self.command) if isinstance(self.command, str) else list(self.command)
        except ValueError as error:
            raise BadTestee("CannotStart", f"the testee's command cannot be split into words: {error}") from None
        if not arguments:
            raise BadTestee("CannotStart", "the testee's command is empty")
        return arguments

    def _bad(self, kind: str, message: str, child: Child) -> NoReturn:
        self._child = None
        message += _stderr(child)
        child.close()
        raise BadTestee(kind, message)

    def _running(self) -> Child:
        """The process, or a new one in place of one that crashed."""
        if self._stopped:
            raise Crashed("died", "it was stopped")
        if self._child is not None:
            return self._child
        if self._failed_starts >= MAX_RESTARTS:
            raise Crashed("died", f"it did not start again {MAX_RESTARTS} times in a row, so that is not tried any more")
        try:
            child = self._start()[0]
        except BadTestee as bad:
            self._failed_starts += 1
            raise Crashed("died", f"after a crash it does not start again: {bad.message}") from None
        self._failed_starts = 0
        return child

    def _crash(self, child: Child, how: How, detail: str) -> Crashed:
        self._child = None
        self.crashes += 1
        detail += _stderr(child)
        child.close()
        return Crashed(how, detail)

    def _unasked(self, extra: bytes) -> None:
        """Notes what came without a question, or a second time for one; a process that does that is not asked again."""
        line = extra.partition(b"\n")[0]
        number = (_object(line) or {}).get("id")
        self.surplus = f"after its reply it wrote more, which nothing asked for: {_quoted(line)}"
        self.surplus_of = number if type(number) is int and 0 < number <= self.number else self.number
        if self._child is not None:
            self._crash(self._child, "nonsense", self.surplus)

    # -- questions

    def _question(self, child: Child, op: str, fields: Mapping[str, Any]) -> Reply | None:
        """The reply that repeats the question's number; None if it is to an earlier question."""
        self.number += 1
        request = json.dumps({"op": op, "id": self.number, **fields}, default=bytes.hex) + "\n"
        try:
            line = child.exchange(request.encode(), time.monotonic() + self.timeout)
        except Ended as ended:
            raise self._crash(child, "died", str(ended)) from None
        except Late:
            raise self._crash(child, "late", f"no reply in {self.timeout:g} s") from None
        except TooMuch:
            raise self._crash(child, "nonsense", f"a reply longer than {MAX_LINE >> 20} MiB") from None
        reply = _object(line)
        if reply is None:
            raise self._crash(child, "nonsense", f"the reply is no JSON object: {_quoted(line)}")
        number = reply.get("id")
        if type(number) is int and 0 < number < self.number:
            self._unasked(line)
            return None
        if type(number) is not int or number != self.number:
            raise self._crash(child, "nonsense", f"the reply's id is {shortened(number)}, the request's {self.number}")
        if (fault := _fault(reply)) is not None:
            raise self._crash(child, "nonsense", f"{fault}: {_quoted(line)}")
        return reply


def _fault(reply: Reply) -> str | None:
    """Why a reply is none of the protocol's three."""
    if "skipped" in reply:
        return None if isinstance(reply["skipped"], str) and "ok" not in reply else "`skipped` is a text, and stands alone"
    return None if isinstance(reply.get("ok"), bool) else "the reply has neither `ok`, true or false, nor `skipped`"


def _answer(reply: Reply | None) -> Reply:
    if reply is None:
        raise Crashed("nonsense", "it writes replies to earlier questions")
    if "skipped" in reply:
        raise Skipped(reply["skipped"])
    return reply


def _object(line: bytes) -> Reply | None:
    """The line's JSON object, if it is one."""
    try:
        made = json.loads(line.decode(), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None
    return made if isinstance(made, dict) else None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _read_hello(line: bytes) -> Hello:
    reply = _object(line)
    if reply is None:
        why = "standard output is for replies alone, and the first line must be the one to `hello`"
        raise BadTestee("BadHello", f"{why}; it is {_quoted(line)}")
    protocol = reply.get("protocol")
    if reply.get("ok") is not True or protocol is None:
        raise BadTestee("BadHello", f"the reply to `hello` lacks `ok`: true, or `protocol`: {_quoted(line)}")
    if type(protocol) is not int or protocol != PROTOCOL:
        raise BadTestee("WrongProtocol", f"the testee speaks version {shortened(protocol)} of the protocol, this is {PROTOCOL}")
    name, version, ops = (reply.get(field) for field in ("name", "version", "ops"))
    if type(reply.get("id")) is not int or reply["id"] != 0:
        raise BadTestee("BadHello", f"the reply to `hello` does not repeat the request's `id`, 0: {_quoted(line)}")
    if not isinstance(name, str) or not isinstance(version, str):
        raise BadTestee("BadHello", f"the reply to `hello` lacks `name` and `version`, both texts: {_quoted(line)}")
    if not isinstance(ops, list) or not all(isinstance(op, str) for op in ops):
        raise BadTestee("BadHello", f"the reply to `hello` lacks `ops`, a list of texts: {_quoted(line)}")
    return Hello(name, version, protocol, tuple(ops))


def _quoted(line: bytes) -> str:
    return shortened(line.decode("utf-8", "replace")) or "empty"


def _stderr(child: Child) -> str:
    tail = child.tail()
    return f"; on standard error: {tail[-2000:]}" if tail else ""
