"""One child process, talked to in lines, and never waited for past a deadline.

Standard input, output and error are pipes that do not block, served by one loop, so that neither side can wait for the other
for ever: error output is read, and all but its end forgotten, while a line is awaited. The child leads a process group of its
own, which is killed as a whole; the child itself is always reaped.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

__all__ = ["Child", "Ended", "Late", "TooMuch"]

MAX_LINE = 64 << 20  #: bytes of a line
MAX_TAIL = 8 << 10  #: bytes of error output that are kept
_CHUNK = 1 << 18
_TICK = 0.1  #: seconds after which a quiet child is looked after
_LINGER = 0.5  #: seconds in which a child that closed its output may exit by itself


class Ended(Exception):
    """The child exited or closed its output; the text says how."""


class Late(Exception):
    """The deadline is past."""


class TooMuch(Exception):
    """A line is longer than `MAX_LINE`."""


class Child:
    """A running process; raises OSError where it cannot be started, ValueError for arguments that no process can have."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self.process = subprocess.Popen(
            arguments,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self._pipes = (self.process.stdin, self.process.stdout, self.process.stderr)
        self._in, self._out, self._err = (pipe.fileno() for pipe in self._pipes)
        self._buffer = bytearray()
        self._tail = bytearray()
        self._lock = threading.Lock()
        self._over = False
        self._selector = selectors.DefaultSelector()
        for number in (self._in, self._out, self._err):
            os.set_blocking(number, False)
        for number in (self._out, self._err):
            self._selector.register(number, selectors.EVENT_READ)

    # -- lines

    def exchange(self, request: bytes, deadline: float) -> bytes:
        """Writes the request and reads the next line, without its end. Raises Ended, Late or TooMuch; `deadline` is of
        `time.monotonic`."""
        self._send(memoryview(request), deadline)
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched > MAX_LINE:
                raise TooMuch
            self._serve_or_end(deadline)
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line

    def _send(self, data: memoryview, deadline: float) -> None:
        """All of the data, or what the child takes of it before it closes its input."""
        data = self._write(data)
        if not data:
            return
        self._selector.register(self._in, selectors.EVENT_WRITE)
        try:
            while data := self._write(data):
                if len(self._buffer) > MAX_LINE:
                    raise TooMuch
                self._serve_or_end(deadline)
        finally:
            self._selector.unregister(self._in)

    def _serve_or_end(self, deadline: float) -> None:
        if not self._serve(deadline):
            raise Ended(self._how_it_ended())

    def leftover(self) -> bytes:
        """The beginning of what the child has written by now that nothing has read."""
        self._read_some(self._out)
        return bytes(self._buffer[:MAX_TAIL])

    def tail(self) -> str:
        """The end of the error output."""
        with suppress(OSError, ValueError):
            for _ in range(64):
                if not self._keep_tail():
                    break
        return self._tail.decode("utf-8", "replace").strip()

    def _write(self, data: memoryview) -> memoryview:
        """What the pipe has no room for; nothing if nobody reads it any more."""
        try:
            while data:
                data = data[os.write(self._in, data) :]
        except BlockingIOError:
            return data
        except OSError:
            return memoryview(b"")
        return data

    def _serve(self, deadline: float) -> bool:
        """Waits until there is something to read or a tick has passed; False once no more output can come."""
        left = deadline - time.monotonic()
        if left <= 0:
            raise Late
        ready = [key.fd for key, _ in self._selector.select(min(left, _TICK))]
        if self._err in ready and not self._keep_tail():
            self._selector.unregister(self._err)
        if self._out in ready:
            return self._read_some(self._out)
        return bool(ready) or self._is_running() or self._read_some(self._out)

    def _read_some(self, number: int) -> bool:
        """False at the end of the output."""
        try:
            chunk = os.read(number, _CHUNK)
        except BlockingIOError:
            return self._is_running()
        except OSError:
            return False
        self._buffer += chunk
        return bool(chunk)

    def _keep_tail(self) -> bool:
        """False at the end of the error output, or if there is none by now."""
        try:
            chunk = os.read(self._err, _CHUNK)
        except OSError:
            return False
        self._tail += chunk
        del self._tail[:-MAX_TAIL]
        return bool(chunk)

    # -- the end

    def _is_running(self) -> bool:
        """Whether it has not exited; it is not reaped, so that its group can still be killed by its number."""
        with self._lock:
            if self._over:
                return False
            try:
                return os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
            except ChildProcessError:  # where somebody ignores SIGCHLD, the system reaps
                return False

    def _exits_by(self, deadline: float) -> bool:
        while self._is_running():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.002)
        return True

    def _how_it_ended(self) -> str:
        if not self._exits_by(time.monotonic() + _LINGER):
            return "it closed its standard output"
        self.kill()
        return self.outcome()

    def outcome(self) -> str:
        """How a process that is over ended, in words."""
        status = self.process.returncode
        if status is not None and status < 0:
            with suppress(ValueError):
                return f"it was ended by {signal.Signals(-status).name}"
        return f"it exited with status {status}"

    def end(self, grace: float) -> bool:
        """Closes its input and waits for it; whether it exited by itself in `grace` seconds. It is gone in any case."""
        deadline = time.monotonic() + grace
        self._in = -1
        with suppress(OSError):
            self._pipes[0].close()
        with suppress(Late, OSError, ValueError):
            while self._serve(deadline) and len(self._buffer) <= MAX_LINE:
                pass
        exited = self._exits_by(deadline)
        self.tail()
        self.kill()
        return exited

    def kill(self) -> None:
        """Ends the whole group at once and reaps the child; may be called from any thread, and more than once."""
        with self._lock:
            if self._over:
                return
            self._over = True
            with suppress(OSError):
                os.killpg(self.process.pid, signal.SIGKILL)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(5)

    def close(self) -> None:
        """Kills, and closes the pipes; only for the thread that talks to the child."""
        self.kill()
        self._in = self._out = self._err = -1
        self._selector.close()
        for pipe in self._pipes:
            with suppress(OSError):
                pipe.close()
