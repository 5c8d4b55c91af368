"""Every published wire layout: which releases write it, how to read and write it, which layout some bytes are in.

The records of v8, v9 and v10 say since when each part exists; a layout is what they were at its first release, and nothing
else is declared here. Bytes do not name their layout: version 9 only ever appended variants, so its newest layout reads all
that came before; version 10 changed a record in place twice (`is_event` appended to tables, the outbox's hash retyped), so
there bytes may be readable in more than one way. `auto` tries one layout of each such generation, newest first, and refuses
to choose between different meanings. (spec: wire 7)
"""

from __future__ import annotations

import dataclasses
from functools import cache
from itertools import chain
from typing import Annotated, Any

from bsatn.codec import Codec, Trailing
from bsatn.errors import BsatnError, DecodeError, EncodeError
from bsatn.frozen import frozen
from bsatn.history import Misfit, fit, shape_at
from bsatn.limits import DEFAULT_LIMITS, Limits
from bsatn.paths import format_path
from bsatn.records import shape_of
from bsatn.shapes import Shape, Style, Sum, reachable
from defs import raw
from defs.releases import release_named

__all__ = [
    "LAYOUTS", "NEWEST", "NEWEST_RELEASE", "AmbiguousLayout", "DoesNotFit", "Layout", "Read", "UnknownLayout", "codec",
    "decode", "encode", "layout_of", "layouts_of", "loads", "oldest", "shape",
]  # fmt: skip

NEWEST_RELEASE = "2.14.0"


@frozen
class Layout:
    """A wire layout of one version of the definition, and the releases that write it, from `first` to `last`."""

    id: str
    version: int
    first: str
    last: str
    changes: str  #: what is new against the layout before, for a person
    appends: bool = True  #: bytes of the layout before read the same in this one

    @property
    def releases(self) -> str:
        """`2.4.1 to 2.7.1`, or the one release."""
        return self.first if self.first == self.last else f"{self.first} to {self.last}"


#: Oldest first. Not among them is 9a, of 1.0.0-rc1 and -rc2, in which the names that 9b made optional were mandatory.
LAYOUTS: tuple[Layout, ...] = (
    Layout("8", 8, "1.0.0-rc1", NEWEST_RELEASE, "the same in every release"),
    Layout("9b", 9, "1.0.0-rc3", "1.0.0-rc3.1", "names of indexes, constraints, sequences and schedules are optional", False),
    Layout("9c", 9, "1.0.0", "1.3.2", "adds the Direct index, tag 2"),
    Layout("9d", 9, "1.4.0", "1.7.0", "adds ColumnDefaultValue, tag 0 of RawMiscModuleExportV9"),
    Layout("9e", 9, "1.8.0", NEWEST_RELEASE, "adds Procedure and View, tags 1 and 2"),
    Layout("10a", 10, "1.12.0", "1.12.0", "sections 0 to 8; the bindings of this release still sent version 9", False),
    Layout(
        "10b", 10, "2.0.0-rc1", "2.3.0", "adds `is_event` to tables, sections CaseConversionPolicy and ExplicitNames", False
    ),
    Layout("10c", 10, "2.4.0", "2.4.0", "adds sections HttpHandlers and HttpRoutes"),
    Layout("10d", 10, "2.4.1", "2.7.1", "adds section ViewPrimaryKeys"),
    Layout("10e", 10, "2.8.0", "2.10.1", "adds section Submodules"),
    Layout("10f", 10, "2.10.2", "2.10.2", "adds Namespace, tag 3 of ExplicitNameEntry"),
    Layout("10g", 10, "2.11.0", "2.11.0", "adds section Environment"),
    Layout("10h", 10, "2.12.0", "2.13.0", "adds section Outboxes, with `signature_hash: String`; the Rust bindings send none"),
    Layout("10i", 10, NEWEST_RELEASE, NEWEST_RELEASE, "`signature_hash` becomes `U256`", False),
)
#: The layout of each version that the newest release writes.
NEWEST: dict[int, Layout] = {layout.version: layout for layout in LAYOUTS}
_BY_ID = {layout.id: layout for layout in LAYOUTS}
_VERSION_OF_TAG = {0: 8, 1: 9, 2: 10}
_RECORDS: dict[int, type[raw.RawModuleDef]] = {8: raw.RawModuleDefV8, 9: raw.RawModuleDefV9, 10: raw.RawModuleDefV10}


class UnknownLayout(BsatnError):
    """The text names no layout and no release."""


class DoesNotFit(EncodeError):
    """The layout cannot hold all of the definition: `misfits` lists what it cannot."""

    def __init__(self, release: str, misfits: list[Misfit], nothing: bool = False) -> None:
        self.misfits = tuple(misfits)
        shown = [f"{_place(one)} ({_why(one)})" for one in misfits[:8]]
        more = [f"{len(misfits) - 8} more"] if len(misfits) > 8 else []
        advice = "convert it to version 9 first" if nothing else "write a newer layout, or drop it"
        super().__init__("DoesNotFit", f"release {release} cannot hold {', '.join(shown + more)}: {advice}")


def _place(one: Misfit) -> str:
    return f"{one.what} at {format_path(one.path)}" if one.path else one.what


def _why(one: Misfit) -> str:
    return f"which has another type since {one.since}" if one.retyped else f"new in {one.since}"


class AmbiguousLayout(DecodeError):
    """The bytes mean different things in different layouts: `readings` has both, newest layout first."""

    def __init__(self, readings: tuple[Read, Read]) -> None:
        self.readings = readings
        newer, older = readings
        path, ours, theirs = _difference(newer.raw, older.raw, ())
        super().__init__(
            "AmbiguousLayout",
            f"the bytes can be read in two ways: in layout {newer.layout.id} ({newer.layout.releases}) {format_path(path)} is "
            f"{_brief(ours)}, in layout {older.layout.id} ({older.layout.releases}) {_brief(theirs)}; say which, with "
            f"`layout`: {newer.layout.first} or {older.layout.first}",
        )


@frozen
class Read:
    """A definition, and the layout in which the bytes were read."""

    raw: raw.RawModuleDef
    layout: Layout


# Names ----------------------------------------------------------------------------------------------------------


def release_of(text: str) -> str:
    """The release whose layouts `text` means: a release as it is, a layout's id as its first release.

    Raises UnknownLayout for what is neither, and for releases older or newer than those known.
    """
    if text in _BY_ID:
        return _BY_ID[text].first
    known = f"a release from {LAYOUTS[0].first} to {NEWEST_RELEASE}, or one of {', '.join(_BY_ID)}"
    try:
        release = release_named(text)
    except ValueError:
        raise UnknownLayout("UnknownLayout", f"{text!r} is no layout; say {known}") from None
    if release > release_named(NEWEST_RELEASE):
        raise UnknownLayout("UnknownLayout", f"release {text} is newer than this version of bsatn knows: {_UPGRADE}")
    if release < release_named(LAYOUTS[0].first):
        raise UnknownLayout("UnknownLayout", f"release {text} is older than any that is supported; say {known}")
    return text.removeprefix("v") if text.count(".") > 1 else text.removeprefix("v") + ".0"


_UPGRADE = (
    f"{NEWEST_RELEASE} is the newest SpacetimeDB release known here; if the module is built with a newer one, upgrade "
    "(pip install --upgrade bsatn)"
)


def layouts_of(text: str) -> tuple[Layout, ...]:
    """The layouts in which release or layout `text` writes, one for each version it knows; raises UnknownLayout."""
    release = release_named(release_of(text))
    return tuple({one.version: one for one in LAYOUTS if release_named(one.first) <= release}.values())


def layout_of(text: str, version: int) -> Layout:
    """The layout in which release or layout `text` writes definitions of `version`; raises UnknownLayout."""
    for layout in layouts_of(text):
        if layout.version == version:
            return layout
    raise UnknownLayout(
        "UnknownLayout", f"no layout of release {release_of(text)} for definitions of version {version} is known"
    )


# Shapes and codecs ----------------------------------------------------------------------------------------------


@cache
def _shape(ids: tuple[str, ...]) -> Shape:
    release = max((_BY_ID[one].first for one in ids), key=release_named)
    return shape_at(shape_of(raw.RawModuleDef), _knows(release))


def _knows(release: str) -> Any:
    limit = release_named(release)
    return lambda since: release_named(since) <= limit


def _ids(release: str) -> tuple[str, ...]:
    """The layouts of a release, by which releases that write the same share a codec."""
    return tuple(layout.id for layout in LAYOUTS if release_named(layout.first) <= release_named(release))


def shape(layout: str) -> Shape:
    """The shape of RawModuleDef at a release or layout."""
    return _shape(_ids(release_of(layout)))


@cache
def _codec(ids: tuple[str, ...], limits: Limits) -> Codec[raw.RawModuleDef]:
    return Codec(Annotated[Any, _shape(ids)], limits=limits)


def codec(layout: str = NEWEST_RELEASE, limits: Limits = DEFAULT_LIMITS) -> Codec[raw.RawModuleDef]:
    """The codec of RawModuleDef, outer tag included, at a release or layout. Raises UnknownLayout."""
    ids = _ids(release_of(layout))
    return raw.codec(limits) if len(ids) == len(LAYOUTS) else _codec(ids, limits)


@cache
def _record_codec(layout: Layout, limits: Limits) -> Codec[raw.RawModuleDef]:
    """The codec of what follows the outer tag: compiled much faster than that of all versions."""
    shape = shape_at(shape_of(_RECORDS[layout.version]), _knows(layout.first))
    inside = dataclasses.replace(limits, depth=limits.depth - 1)  # the sum of the versions is open around the record
    return Codec(Annotated[Any, shape], limits=inside)


# Reading --------------------------------------------------------------------------------------------------------


def decode(data: bytes, *, layout: str = "auto", trailing: Trailing = "reject", limits: Limits = DEFAULT_LIMITS) -> Read:
    """A definition from its bytes, in the layout of a release, or in the one that fits (`auto`).

    `auto` is strict: bytes left over do not fit a layout, unless `trailing="allow"`, which reads the newest layout as the
    server does. Raises DecodeError (AmbiguousLayout where layouts disagree about the meaning), UnknownLayout.
    """
    if layout != "auto" or trailing == "allow":
        return _decode_at(data, NEWEST_RELEASE if layout == "auto" else layout, trailing, limits)
    reading: Read | None = None
    candidates = _candidates(data)
    for candidate in candidates:
        if reading is not None and not _differs(reading.raw, candidate):
            continue
        other = _attempt(data, candidate, limits)
        if other is None:
            continue
        if reading is not None and other[0] != reading.raw:
            raise AmbiguousLayout((reading, Read(other[0], candidate)))
        reading = reading or Read(other[0], candidate)
    return reading or _decode_at(data, candidates[0].id, "reject", limits)


def _attempt(data: bytes, layout: Layout, limits: Limits) -> tuple[raw.RawModuleDef] | None:
    """The definition that a layout reads, in a tuple; None where it reads none."""
    is_of_version = bool(data) and _VERSION_OF_TAG.get(data[0]) == layout.version
    return _record_codec(layout, limits).attempt(data[1:]) if is_of_version else None


def _decode_at(data: bytes, layout: str, trailing: Trailing, limits: Limits) -> Read:
    for one in layouts_of(layout):
        if found := _attempt(data, one, limits):
            return Read(found[0], one)
    try:
        definition = codec(layout, limits).decode(data, trailing=trailing)
    except DecodeError as error:
        error.hint = _hint(error, layout)
        raise
    return Read(definition, layout_of(layout, raw.version_of(definition)))


@cache
def _generations(version: int) -> tuple[Layout, ...]:
    """The newest layout of each run in which layouts only appended, newest run first."""
    of_version = [layout for layout in LAYOUTS if layout.version == version]
    ends = [one for one, after in zip(of_version, [*of_version[1:], None], strict=True) if after is None or not after.appends]
    return tuple(reversed(ends))


def _candidates(data: bytes) -> tuple[Layout, ...]:
    version = _VERSION_OF_TAG.get(data[0], 10) if data else 10
    return _generations(version)


def _differs(read: raw.RawModuleDef, older: Layout) -> bool:
    """Whether a definition read in the newest layout has anything that an older generation writes in another way."""
    return bool(older.id != "10h" or any(_outboxes(read)))


def _outboxes(definition: raw.RawModuleDef) -> Any:
    """All outboxes, those of submodules included."""
    todo: list[raw.RawModuleDefV10] = [definition] if isinstance(definition, raw.RawModuleDefV10) else []
    while todo:
        for section in todo.pop().sections:
            if isinstance(section, raw.v10.OutboxesSection):
                yield from section.outboxes
            elif isinstance(section, raw.v10.SubmodulesSection):
                todo.extend(one.module for one in section.submodules)


def _hint(error: DecodeError, layout: str) -> str:
    """What to do about a tag that the release does not know, where upstream may have added one."""
    name, tag = error.fields.get("sum_name"), error.fields.get("tag", 0)
    names = _growing().get(name)
    if error.kind != "InvalidTag" or names is None:
        return ""
    if tag < len(names):
        return f"{name} {tag} is {names[tag]}, which is newer than release {release_of(layout)}; read it in a newer layout"
    return _UPGRADE


@cache
def _growing() -> dict[str | None, tuple[str | None, ...]]:
    """The sums of the raw definitions, by name: to any of them a release may add a variant."""
    sums = [one for one in reachable(shape_of(raw.RawModuleDef)) if isinstance(one, Sum) and one.style is Style.UNION]
    return {one.name: one.names for one in sums if one.name and one.name != "AlgebraicType"}


def loads(text: str | bytes, kind: Any, *, layout: str = "auto", limits: Limits = DEFAULT_LIMITS) -> Read:
    """A definition (`kind` is RawModuleDef, or the record of one version) from its SATS-JSON. Raises DecodeError.

    JSON names its fields, so `auto` takes the newest layout that reads it. Raises UnknownLayout.
    """
    from bsatn import satsjson

    failure: DecodeError | None = None
    for release in [one.id for one in _generations(10)] if layout == "auto" else [layout]:
        try:
            definition = satsjson.loads(shape_at(shape_of(kind), _knows(release_of(release))), text, limits=limits)
            return Read(definition, layout_of(release, raw.version_of(definition)))
        except DecodeError as error:
            failure = failure or error
    assert failure is not None
    raise failure


# Writing --------------------------------------------------------------------------------------------------------


def encode(definition: raw.RawModuleDef, *, layout: str = NEWEST_RELEASE, drop: bool = False) -> bytes:
    """The bytes of a definition, outer tag included, in the layout of a release.

    What the layout cannot hold is the error DoesNotFit, or left out with `drop`: sections, entries and whole definitions
    that are newer go, and so does the flag `is_event`. Raises UnknownLayout, EncodeError.
    """
    release = release_of(layout)
    fitted, misfits = fit(shape_of(raw.RawModuleDef), definition, _knows(release))
    if misfits and (fitted is None or not drop):
        raise DoesNotFit(release, misfits, fitted is None)
    return codec(release).encode(fitted)


def misfits(definition: raw.RawModuleDef, layout: str) -> tuple[Misfit, ...]:
    """What of a definition the layout of a release cannot hold."""
    return tuple(fit(shape_of(raw.RawModuleDef), definition, _knows(release_of(layout)))[1])


def oldest(definition: raw.RawModuleDef) -> Layout:
    """The oldest layout that can hold the definition."""
    version = raw.version_of(definition)
    of_version = [layout for layout in LAYOUTS if layout.version == version]
    return next((layout for layout in of_version if not misfits(definition, layout.id)), of_version[-1])


# Telling readings apart -----------------------------------------------------------------------------------------


def _difference(ours: Any, theirs: Any, path: tuple[str | int, ...]) -> tuple[tuple[str | int, ...], Any, Any]:
    """The first place where two values differ, and what each has there."""
    while True:
        if type(ours) is not type(theirs):
            return path, ours, theirs
        if dataclasses.is_dataclass(ours):
            steps: Any = [(f.name, getattr(ours, f.name), getattr(theirs, f.name)) for f in dataclasses.fields(ours)]
        elif isinstance(ours, (tuple, list)) and len(ours) == len(theirs):
            steps = zip(range(len(ours)), ours, theirs, strict=True)
        else:
            return path, ours, theirs
        different = next(((step, a, b) for step, a, b in chain(steps) if a != b), None)
        if different is None:
            return path, ours, theirs
        path, ours, theirs = (*path, different[0]), different[1], different[2]


def _brief(value: Any) -> str:
    if isinstance(value, (tuple, list)):
        return f"a list of {len(value)}"
    text = type(value).__name__ if dataclasses.is_dataclass(value) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
