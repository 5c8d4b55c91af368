"""Earlier forms of a type: the shape a record had at a release, and whether a value fits it.

Records and cases note the release that brought them and their fields (`since=`), a field the type it had before (`was=`),
an enum the names its variants had (`spelled_before`). From that one declaration `shape_at` derives the shape of any release,
and `fit` says what of a value that shape cannot hold. Upstream only appends, so what is left out must stand at the end.
(spec: wire 7)
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from bsatn.errors import DefinitionError
from bsatn.frozen import frozen
from bsatn.records import shape_of
from bsatn.shapes import Array, Case, Int, Product, Shape, String, Style, Sum, children, is_option, reachable
from bsatn.stack import on_enough_stack

__all__ = ["Knows", "Misfit", "fit", "shape_at"]

Path: TypeAlias = tuple[str | int, ...]
Knows: TypeAlias = Callable[[str], bool]  #: whether a release knows what the release named brought


def shape_at(root: Shape, knows: Knows) -> Shape:
    """The shape that `root` had at a release. Parts of the graph that did not change are shared with it.

    Values of it are instances of the same classes; a field left out has its default. Raises DefinitionError for a
    declaration that did more than append.
    """
    shapes = reachable(root)
    earlier = {shape: changed for shape in shapes if (changed := _earlier(shape, knows)) is not None}
    made = {shape: earlier.get(shape) or copy.copy(shape) for shape in _leading_to(set(earlier), shapes)}
    for shape in made.values():
        _replace_parts(shape, made)
    return made.get(root, root)


def _leading_to(goals: set[Shape], shapes: Iterable[Shape]) -> set[Shape]:
    """The goals, and every shape that has one of them in it."""
    parents: dict[Shape, list[Shape]] = {}
    for shape in shapes:
        for child in children(shape):
            parents.setdefault(child, []).append(shape)
    found, todo = set(goals), list(goals)
    while todo:
        for parent in parents.get(todo.pop(), ()):
            if parent not in found:
                found.add(parent)
                todo.append(parent)
    return found


def _replace_parts(shape: Shape, made: dict[Shape, Shape]) -> None:
    match shape:
        case Product(fields=parts):
            shape.fields = tuple(made.get(part, part) for part in parts)
        case Sum(payloads=parts):
            shape.payloads = tuple(made.get(part, part) for part in parts)
        case Array(element=part):
            shape.element = made.get(part, part)
        case Case(inner=part):
            shape.inner = made.get(part, part)


def _earlier(shape: Shape, knows: Knows) -> Shape | None:
    """The shape as the release has it, its parts not yet; None where the release has the same."""
    if isinstance(shape, Product) and shape.cls is not None:
        return _earlier_product(shape, shape.cls, knows)
    if isinstance(shape, Sum) and shape.style is Style.UNION:
        return _earlier_sum(shape, knows)
    return None


def _earlier_product(shape: Product, cls: type[Any], knows: Knows) -> Product | None:
    declared = [_field_history(cls, attribute) for attribute in shape.attributes]
    known = [since is None or was is not None or knows(since) for since, was in declared]
    retyped = {
        place: shape_of(was) for place, (since, was) in enumerate(declared) if was is not None and since and not knows(since)
    }
    if all(known) and not retyped:
        return None
    kept = _prefix(known, cls.__qualname__)
    defaults = [field.default for field in dataclasses.fields(cls)]
    if dataclasses.MISSING in defaults[kept:]:
        raise DefinitionError("NotAppended", f"{cls.__qualname__}: a field with `since` needs a default")
    fields = tuple(retyped.get(place, part) for place, part in enumerate(shape.fields[:kept]))
    return Product(shape.names[:kept], fields, cls, shape.attributes[:kept])


def _earlier_sum(shape: Sum, knows: Knows) -> Sum | None:
    since = [_since(member) for member in shape.members]
    kept = _prefix([one is None or knows(one) for one in since], shape.name or "")
    before = {
        now: was
        for release, names in getattr(_class_of(shape.members[0]), "__bsatn_spelled__", ())
        if not knows(release)
        for now, was in names.items()
    }
    if kept == len(since) and not before:
        return None
    names = tuple(before.get(name or "", name) for name in shape.names[:kept])
    return Sum(names, shape.payloads[:kept], shape.style, shape.name, shape.members[:kept])


def _prefix(known: list[bool], name: str) -> int:
    kept = sum(known)
    if not all(known[:kept]):
        raise DefinitionError("NotAppended", f"{name}: what a release does not know must stand after all that it knows")
    return kept


def _class_of(member: Any) -> type[Any]:
    return member if isinstance(member, type) else type(member)


def _since(member: Any) -> str | None:
    declared = getattr(_class_of(member), "__bsatn__", None)
    return None if declared is None else declared.since


def _field_history(cls: type[Any], attribute: str) -> tuple[str | None, Any]:
    metadata = cls.__dataclass_fields__[attribute].metadata
    return metadata.get("since"), metadata.get("was")


# Fitting a value ------------------------------------------------------------------------------------------------


@frozen
class Misfit:
    """Something of a value that a release cannot hold."""

    path: Path
    what: str  #: for a person: `the section Submodules`
    since: str  #: the release that brought it
    retyped: bool = False  #: `since` did not bring it but gave it another type, and the value is of the wrong one


#: What replaces a value of which nothing can be kept.
_NOTHING: Any = object()


def fit(root: Shape, value: Any, knows: Knows) -> tuple[Any, list[Misfit]]:
    """What of a value of `root` (its newest shape) the release holds, and what it does not.

    A part that does not fit takes with it the smallest element of a list, or option, that it stands in; a field that does
    not exist yet just goes. The value is None where nothing remains.
    """
    fitting = _Fitting(root, knows)
    fitted = on_enough_stack(lambda: fitting.fit(root, value, ()))
    return (None if fitted is _NOTHING else fitted), fitting.misfits


class _Fitting:
    def __init__(self, root: Shape, knows: Knows) -> None:
        self.knows = knows
        self.misfits: list[Misfit] = []
        shapes = reachable(root)
        self.concerned = _leading_to({shape for shape in shapes if _has_history(shape)}, shapes)

    def fit(self, shape: Shape, value: Any, path: Path) -> Any:
        if shape not in self.concerned:
            return value
        match shape:
            case Product():
                return self.product(shape, value, path)
            case Sum():
                return self.sum(shape, value, path)
            case Array():
                return self.array(shape, value, path)
            case Case():
                inner = self.fit(shape.inner, getattr(value, shape.attribute), (*path, shape.attribute))
                return _NOTHING if inner is _NOTHING else _with(value, {shape.attribute: inner})
        return value

    def array(self, shape: Array, value: Any, path: Path) -> Any:
        kept = [self.fit(shape.element, element, (*path, place)) for place, element in enumerate(value)]
        return shape.container(element for element in kept if element is not _NOTHING)

    def product(self, shape: Product, value: Any, path: Path) -> Any:
        if shape.cls is None:
            parts = [self.fit(part, one, (*path, step)) for (step, part), one in zip(shape.steps(), value, strict=True)]
            return _NOTHING if _NOTHING in parts else tuple(parts)
        changes: dict[str, Any] = {}
        lost = False
        for attribute, part in shape.steps():
            now, place = getattr(value, attribute), (*path, attribute)
            since, was = _field_history(shape.cls, attribute)
            if since is None or (was is None and self.knows(since)):
                changes[attribute] = self.fit(part, now, place)
            elif was is None:
                default = shape.cls.__dataclass_fields__[attribute].default
                if now != default:
                    self.misfits.append(Misfit(place, f"`{attribute}` = {now!r}", since))
                changes[attribute] = default
            elif _is_of(part, now) != self.knows(since):
                self.misfits.append(Misfit(place, f"`{attribute}` = {now!r}", since, retyped=True))
                lost = True
            lost = lost or changes.get(attribute) is _NOTHING
        return _NOTHING if lost else _with(value, changes)

    def sum(self, shape: Sum, value: Any, path: Path) -> Any:
        if is_option(shape):
            kept = None if value is None else self.fit(shape.payloads[0], value, path)
            return None if kept is _NOTHING else kept
        if shape.style is not Style.UNION:
            return value
        since = _since(value)
        tag = next(tag for tag, member in enumerate(shape.members) if _class_of(member) is type(value))
        if since is not None and not self.knows(since):
            self.misfits.append(Misfit(path, f"the {shape.name} {shape.names[tag]}", since))
            return _NOTHING
        return self.fit(shape.payloads[tag], value, path)


def _has_history(shape: Shape) -> bool:
    if isinstance(shape, Product) and shape.cls is not None:
        return any(_field_history(shape.cls, attribute)[0] for attribute in shape.attributes)
    return isinstance(shape, Sum) and shape.style is Style.UNION and any(map(_since, shape.members))


def _is_of(shape: Shape, value: Any) -> bool:
    """Whether a value is of its field's newest type rather than of the one before."""
    kinds: dict[type[Shape], type] = {Int: int, String: str}
    return isinstance(value, kinds[type(shape)])


def _with(value: Any, changes: dict[str, Any]) -> Any:
    """The record with other fields; itself when nothing changes."""
    if all(getattr(value, name) is new for name, new in changes.items()):
        return value
    return dataclasses.replace(value, **changes)
