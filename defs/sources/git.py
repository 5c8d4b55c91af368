"""A file as git has it: `git:REF:PATH`, with the path from the repository's top, or from here when it begins with `./`.

`git:main:module.wasm` is what a branch has, `git::module.wasm` what is staged. git is run as a process of its own, without a
shell; only when it refuses is it asked why, since the usual reason is a checkout that lacks the history.
"""

from __future__ import annotations

import difflib
import os
import shutil
import subprocess
from typing import Final

from .errors import SourceError, UnreadableKind, printable, size

__all__ = ["PREFIX", "read_git"]

PREFIX: Final = "git:"
_SECONDS: Final = 60.0  #: of each question; a partial clone may have to fetch
_POINTER: Final = b"version https://git-lfs."
_LISTED: Final = 10_000  #: paths among which one that is spelled nearly like it is looked for
_TRUST: Final = 'git config --global --add safe.directory "$PWD"'
_HISTORY: Final = "a checkout of a single commit has no other: fetch it (with actions/checkout, fetch-depth: 0)"


def read_git(source: str, limit: int) -> bytes:
    """The bytes of the file at a revision, at most `limit`.

    Raises `SourceError`: `GitSource` (it is not written REF:PATH, or is a directory), `GitMissing` (no git, no repository),
    `GitRevision`, `GitPath` (the revision is there and has no such file), `GitFailed`, `TooLarge`.
    """
    revision, colon, path = source.removeprefix(PREFIX).partition(":")
    if not colon or not path or revision.startswith("-") or "\0" in source:
        raise SourceError("GitSource", source, "expected git:REF:PATH, such as git:origin/main:server/module.wasm")
    git = shutil.which("git")
    if git is None:
        raise SourceError("GitMissing", source, "there is no git here to read it with; install git, or name a file")
    return _Asked(git, source, revision, path).read(limit)


class _Asked:
    """git, asked about one source."""

    def __init__(self, git: str, source: str, revision: str, path: str) -> None:
        self.git, self.source, self.revision, self.path = git, source, revision, path
        self.blob = f"{revision}:{path}"

    def read(self, limit: int) -> bytes:
        status, text = self.run("cat-file", "-s", self.blob)
        if status or not text.strip().isdigit():
            raise self.why()
        if int(text) > limit:
            message = f"it has {size(int(text))}, the limit is {size(limit)} (Limits.input_bytes)"
            raise SourceError("TooLarge", self.source, message)
        status, data = self.run("cat-file", "blob", self.blob)
        if status:  # a directory has a size too
            raise self.why()
        if data.startswith(_POINTER):
            raise self.error("GitFailed", "git has only a pointer here, the file itself is in LFS; lock the module instead")
        return data

    def why(self) -> SourceError:
        """The error for a file that git does not give."""
        status, _, complaint = self.asked("rev-parse", "--git-dir")
        if b"dubious ownership" in complaint:
            return self.error("GitFailed", f"git does not trust this directory, which belongs to somebody else: {_TRUST}")
        if status:
            return self.error("GitMissing", "this is no git repository; run it inside of one")
        shown = printable(self.revision, 100)
        if self.revision and self.run("rev-parse", "--verify", "--quiet", f"{self.revision}^{{tree}}")[0]:
            return self.error("GitRevision", f"there is no revision {shown!r} here; {_HISTORY}")
        where = f"revision {shown!r} has no" if self.revision else "there is no staged"
        kind = self.run("cat-file", "-t", self.blob)[1].strip()
        if kind == b"tree":
            return self.error("GitSource", "this is a directory; name the file in it")
        return self.error("GitPath", f"{where} file {printable(self.path, 100)!r}{self.near()}")

    def near(self) -> str:
        """The path that was probably meant."""
        listing = ("ls-tree", "-r", "-z", "--full-tree", "--name-only", self.revision) if self.revision else ("ls-files", "-z")
        paths = self.run(*listing)[1].split(b"\0")[:_LISTED]
        known = [os.fsdecode(path) for path in paths if path]
        same = [path for path in known if path.rpartition("/")[2] == self.path.rpartition("/")[2]]
        close = same or difflib.get_close_matches(self.path, known, n=1)
        return f"; did you mean {printable(close[0], 100)!r}?" if close else ""

    def run(self, *arguments: str) -> tuple[int, bytes]:
        """(status, output)."""
        return self.asked(*arguments)[:2]

    def asked(self, *arguments: str) -> tuple[int, bytes, bytes]:
        """(status, output, complaints). Nothing is asked of anybody, and messages are not translated."""
        environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}
        command = [self.git, "--no-pager", *arguments]
        try:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=_SECONDS, env=environment
            )
        except subprocess.TimeoutExpired:
            raise self.error("GitFailed", f"git gave no answer within {_SECONDS:g} seconds") from None
        except (OSError, ValueError) as error:
            raise self.error("GitFailed", f"git could not be run: {error}") from None
        return done.returncode, done.stdout, done.stderr

    def error(self, kind: UnreadableKind, message: str) -> SourceError:
        return SourceError(kind, self.source, message)
