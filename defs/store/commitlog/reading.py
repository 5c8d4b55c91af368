"""Commits of a whole log, in order, with what is wrong told where it is. (spec: event-tables 3.5)

Two walks share their parts. The sound one, strict or salvaging, is here; the server's own is in `upstream`. The sound walk
keeps one number, the offset the next commit must have. Three things can be wrong with what comes: its bytes, its offset, or
the header of its segment. A reader that is strict stops there. One that salvages finds the next intact commit, tells the
stretch between as one `Damage`, and goes on. Bytes behind the last good commit of a segment are no damage to a strict reader
if the next segment goes on where they stand, for that is how the server recovers from a crash; unless there are intact
commits among them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, TypeAlias, cast

from bsatn.engines import engine
from defs.store.commitlog import told
from defs.store.commitlog.files import LogFiles, find_files
from defs.store.commitlog.index import best_entry
from defs.store.commitlog.layout import SEGMENT_HEADER, Framing
from defs.store.commitlog.model import Commit, Damage, Run, Within
from defs.store.commitlog.searching import Search, SearchLimit, zero_until
from defs.store.commitlog.segments import HeaderFault, check_header, likely_framings
from defs.store.commitlog.sources import Source, open_source
from defs.store.commitlog.told import StrayRun
from defs.store.commitlog.walking import Stop, Walker, commit_at

__all__ = ["Mode", "Step", "read_commits", "read_runs"]

Mode: TypeAlias = Literal["strict", "salvage", "upstream"]
Step: TypeAlias = Callable[[bytes, int, Within, int, int], Run | None]
"""As `walking.Step`; the last argument is the first transaction that the commits must have."""


def read_commits(directory: str | os.PathLike[str], *, start: int = 0, mode: Mode = "strict") -> Iterator[Commit | Damage]:
    """The commits of a log that hold the transaction `start` or later ones, and `Damage` among them.

    The first commit may begin before `start`. A log may begin at any offset; what is damaged before `start` is told only if the
    way there leads through it. Raises LogError, here: `NotFound`, `NotALog`; while iterating: `Unreadable`.
    """
    return cast("Iterator[Commit | Damage]", read_runs(directory, start=start, mode=mode))


def read_runs(
    directory: str | os.PathLike[str], *, start: int = 0, mode: Mode = "strict", step: Step | None = None
) -> Iterator[Commit | Run | Damage]:
    """As `read_commits`, but the commits that `step` stands for are one Run, unless it has them itself. Upstream's way of
    reading has no use for it. Where there is none, the native engine's is taken."""
    if start < 0:
        raise ValueError(f"start is a transaction offset, so not {start}")
    files = find_files(directory)
    if mode == "upstream":
        from defs.store.commitlog.upstream import iterate

        return iterate(files, start)
    if mode not in ("strict", "salvage"):
        raise ValueError(f"mode is 'strict', 'salvage' or 'upstream', not {mode!r}")
    return _SoundReader(files, start, mode == "salvage", step or _native_step()).items()


def _native_step() -> Step | None:
    """What reads commits natively, if the native engine is in use."""
    if engine() != "native":
        return None
    from defs.store.commitlog.framing import framed

    return framed


class _SoundReader:
    """One pass over a log."""

    def __init__(self, files: LogFiles, start: int, salvage: bool, step: Step | None) -> None:
        before = [offset for offset in files.offsets if offset <= start]
        self._files = files
        self._offsets = files.offsets[max(len(before) - 1, 0) :]
        self._start = start
        self._salvage = salvage
        self._step = step
        self._expected = self._offsets[0] if self._offsets else start
        self._last: tuple[int, int] | None = None  #: offset and checksum of the last commit in order
        self._over = False  #: a strict reader has told its damage

    def items(self) -> Iterator[Commit | Run | Damage]:
        for name in self._files.misnamed:
            yield self._tell(Damage(name, 0, "FileName", "not the offset of a transaction in 20 digits, so not read"))
            if self._over:
                return
        for index, offset in enumerate(self._offsets):
            if self._over:
                return
            limit = self._offsets[index + 1] if index + 1 < len(self._offsets) else None
            with open_source(self._files.segment(offset)) as source:
                yield from self._segment(source, offset, limit)

    def _tell(self, damage: Damage) -> Damage:
        self._over = not self._salvage
        return damage

    def _segment(self, source: Source, offset: int, limit: int | None) -> Iterator[Commit | Run | Damage]:
        """What is in one segment; the next one begins with transaction `limit`."""
        name = source.path.name
        if offset > self._expected:
            yield self._tell(told.gap(name, 0, self._expected, offset))
            self._expected = offset
        found = check_header(source)
        if isinstance(found, HeaderFault) and not self._over:
            if limit == self._expected and not self._salvage:
                return  # nothing had been written to it when the next one was begun
            yield self._tell(Damage(name, found.byte_offset, found.kind, found.message, self._expected, SEGMENT_HEADER.size))
        if not self._over:
            yield from self._commits(source, found, limit)

    def _commits(self, source: Source, found: Framing | HeaderFault, limit: int | None) -> Iterator[Commit | Run | Damage]:
        likely: Sequence[Framing] = likely_framings(source) if self._salvage or isinstance(found, HeaderFault) else (found,)
        framing = likely[0]
        search = Search(source)
        position = self._seek(source, framing)
        while True:
            walker = Walker(source, framing, position, self._run if self._step else None)
            yield from self._in_order(walker)
            stop = walker.stop
            if self._over or stop.kind == "End":
                return
            at_start = stop.position == SEGMENT_HEADER.size
            other = _other_framing(source, likely, framing) if at_start else None
            if other:
                if isinstance(found, Framing):
                    yield self._tell(told.wrong_version(source, found, other))
                framing = other
                continue
            residue = limit == self._expected
            if not residue and not self._salvage:
                yield self._tell(told.bad_bytes(source, stop, self._expected))
                return
            candidates = (framing, *(one for one in likely if one is not framing)) if at_start else (framing,)
            try:
                resume = self._resume(source, search, stop, candidates, limit)
            except SearchLimit:
                resume = None
                yield self._tell(told.search_limit(source, stop, self._expected))
            if self._salvage:
                yield told.bad_bytes(source, stop, self._expected, resume=resume, limit=limit, searched=True)
            if residue or resume is None:
                if resume is not None:
                    yield self._tell(told.superseded(resume, self._expected))
                self._expected = max(self._expected, limit or 0)
                return
            self._expected, position = resume.min_tx_offset, resume.byte_offset
            framing = next(one for one in candidates if one.version == resume.version)

    def _resume(
        self, source: Source, search: Search, stop: Stop, framings: Sequence[Framing], limit: int | None
    ) -> Commit | None:
        """The next intact commit behind a stop. Raises SearchLimit."""
        if stop.kind == "TornHeader" or (stop.blank and zero_until(source, stop.position) is not None):
            return None
        highest = limit - 1 if limit is not None and limit > self._expected else None
        return search.behind(stop, framings, self._expected, highest)

    def _seek(self, source: Source, framing: Framing) -> int:
        """Where to begin in the segment: by the offset index, if that is right, to come near `start`."""
        entry = best_entry(source.path.with_suffix(".ofs"), self._start) if self._start > self._expected else None
        commit = commit_at(source, framing, entry[1]) if entry else None
        if not entry or not commit or commit.min_tx_offset != entry[0] or commit.min_tx_offset < self._expected:
            return SEGMENT_HEADER.size
        self._expected = commit.min_tx_offset
        return commit.byte_offset

    def _run(self, data: bytes, at: int, within: Within, position: int) -> Run | None:
        expected = self._expected
        return self._step(data, at, within, position, expected) if self._step and expected >= self._start else None

    def _in_order(self, walker: Walker) -> Iterator[Commit | Run | Damage]:
        """The commits of a walk that come in order, and what does not."""
        start, expected = self._start, self._expected
        run: StrayRun | None = None
        for commit in walker.runs():
            offset = commit.min_tx_offset
            if isinstance(commit, Commit) and (offset != expected or not commit.n):
                again = self._last == (offset, commit.checksum)
                if again and not run:
                    if self._salvage:
                        yield told.duplicate(commit)
                    continue
                if offset < expected or not commit.n:
                    kind = told.stray_kind(commit, self._last)
                    if run and run.kind != kind and not again:
                        yield self._tell(run.damage())
                        run = None
                    run = run or StrayRun(kind, commit, expected)
                    run.last = commit
                    if not self._salvage:
                        break
                    continue
                yield self._tell(told.gap(commit.segment, commit.byte_offset, expected, offset))
                if self._over:
                    return
            if run:
                yield self._tell(run.damage())
                run = None
            self._last = (commit.last_tx_offset if isinstance(commit, Run) else offset, commit.checksum)
            self._expected = expected = offset + commit.n
            if isinstance(commit, Run) and commit.items:
                yield from commit.items
            elif expected > start:
                yield commit
        if run:
            yield self._tell(run.damage())


def _other_framing(source: Source, framings: Sequence[Framing], tried: Framing) -> Framing | None:
    """Another framing in which the segment's first commit is right."""
    return next((one for one in framings if one is not tried and commit_at(source, one, SEGMENT_HEADER.size)), None)
