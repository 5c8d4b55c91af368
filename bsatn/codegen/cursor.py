"""Where generated code reads: the fields it waits for, and the offset, both kept symbolic as long as possible.

Fixed-width fields gather in a run that one `struct.unpack_from` reads. The offset is a variable and a constant, `o + 25`, so
that moving on costs nothing. After a sum the branches stay open: each is a `Tail`, a hole at the end of the branch, and the
fields that follow the sum join the run of every branch, so that a sum costs no read of its own. A flush fills the holes and
leaves the offset in `o`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bsatn.codegen.source import Source

__all__ = ["Cursor"]

_MAX_TAILS = 6  #: more open branches than this would repeat too much code


@dataclass(slots=True)
class _Run:
    """Fields waiting to be read: struct codes, variables, and which of them are F32 at what place."""

    codes: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    floats: list[tuple[str, int]] = field(default_factory=list)
    size: int = 0

    def append(self, code: str, name: str, size: int) -> None:
        """Let a field wait."""
        self.codes.append(code)
        self.names.append(name)
        if code == "f":
            self.floats.append((name, self.size))
        self.size += size

    def rename(self, old: str, new: str) -> None:
        """Have a waiting field read into another variable."""
        self.names = [new if name == old else name for name in self.names]
        self.floats = [(new if name == old else name, place) for name, place in self.floats]

    def __add__(self, other: _Run) -> _Run:
        moved = [(name, place + self.size) for name, place in other.floats]
        return _Run(self.codes + other.codes, self.names + other.names, self.floats + moved, self.size + other.size)


@dataclass(slots=True)
class _Tail:
    """The open end of a branch: a hole in the source, where it reads, what it still has to read, and lines for after."""

    hole: list[str]
    indent: int
    base: str
    shift: int
    run: _Run
    after: list[str] = field(default_factory=list)


class Cursor:
    """The reading position while one function is written."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.restart()

    def restart(self) -> None:
        """Begin at `o`."""
        self.base, self.shift = "o", 0
        self.run = _Run()
        self.tails: list[_Tail] = []

    # -- fields

    def field(self, code: str, size: int) -> str:
        """A variable that the next flush reads."""
        name = self.source.name()
        self.run.append(code, name, size)
        return name

    def flush(self) -> None:
        """Read what waits; expressions over the fields are valid from here on."""
        run, self.run = self.run, _Run()
        tails, self.tails = self.tails, []
        if not tails:
            for line in self._reads(run, self.base, self.shift):
                self.source.line(line)
            self.shift += run.size
            return
        for tail in tails:
            whole = tail.run + run
            lines = self._reads(whole, tail.base, tail.shift) + tail.after
            end = _at(tail.base, tail.shift + whole.size)
            lines += [f"o = {end}"] if end != "o" else []
            tail.hole += ["    " * tail.indent + line for line in lines or ["pass"]]
        self.base, self.shift = "o", 0

    def _reads(self, run: _Run, base: str, shift: int) -> list[str]:
        if not run.codes:
            return []
        if run.codes == ["B"]:
            return [f"{run.names[0]} = b[{_at(base, shift)}]"]
        unpack = self.source.struct("".join(run.codes), "unpack_from")
        lines = [f"{', '.join(run.names)}, = {unpack}(b, {_at(base, shift)})"]
        return lines + [f"if {name} != {name}: {name} = nan32(b, {_at(base, shift + p)})" for name, p in run.floats]

    # -- the offset

    def position(self) -> str:
        """The offset as an expression, everything before it read."""
        self.flush()
        return _at(self.base, self.shift)

    def settle(self) -> None:
        """Have the offset in `o` itself."""
        position = self.position()
        if position != "o":
            self.source.line(f"o = {position}")
        self.moved("o")

    def moved(self, variable: str) -> None:
        """The offset now is what `variable` holds."""
        self.base, self.shift = variable, 0

    # -- branches

    def mark(self) -> tuple[str, int]:
        """Where the branches of a sum begin; everything before is read."""
        self.flush()
        return self.base, self.shift

    def begin_branch(self, mark: tuple[str, int]) -> None:
        """A branch reads from the mark."""
        self.base, self.shift = mark
        self.run = _Run()

    def end_branch(self, value: str, expression: str) -> list[_Tail]:
        """Leave the branch open: `value` gets the expression once the branch's fields are read."""
        after = [] if expression == value else [f"{value} = {expression}"]
        if not self.tails and expression in self.run.names:  # read the field into the variable at once
            self.run.rename(expression, value)
            after = []
        tails = self.tails or [_Tail(self.source.hole(), self.source.indent, self.base, self.shift, _Run())]
        for tail in tails:
            tail.run += self.run
            tail.after += after
        self.run, self.tails = _Run(), []
        return tails

    def join(self, tails: list[_Tail]) -> None:
        """Go on after the sum, in all its branches."""
        self.run, self.tails = _Run(), tails
        if len(tails) > _MAX_TAILS:
            self.flush()


def _at(base: str, shift: int) -> str:
    return f"{base} + {shift}" if shift else base
