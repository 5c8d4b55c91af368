"""What stands by itself in a module: environment variables, HTTP handlers and routes, names of reducers elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from defs.raw import v10

__all__ = ["environments", "http_sections", "remote_reducers"]

_KEYS = ("KEY", "_key", "Key2", "a", "x" * 256)
_LITERALS = st.sampled_from(["", "yes", "no", "ünï", "y" * 8192])
_KINDS: st.SearchStrategy[v10.RawEnvVarTypeV10] = st.one_of(
    st.just(v10.EnvString()),
    st.builds(v10.EnvStringLiteral, _LITERALS),
    st.lists(_LITERALS, min_size=1, max_size=4).map(lambda values: v10.EnvUnion(tuple(values))),
)
_METHODS: st.SearchStrategy[v10.MethodOrAny] = st.sampled_from(
    [v10.AnyMethod(), *(v10.Method(one) for one in (v10.Get(), v10.Head(), v10.Post(), v10.Patch(), v10.Extension("BREW")))]
)
_PATHS = ("", "/", "/a", "/a/", "//", "/0-9_~", "/a/b/c")


def environments() -> st.SearchStrategy[tuple[v10.RawEnvironmentDeclarationV10, ...]]:
    """Declared variables, each key once."""
    one = st.builds(v10.RawEnvironmentDeclarationV10, st.sampled_from(_KEYS), _KINDS, st.booleans())
    return st.lists(one, max_size=3, unique_by=lambda declaration: declaration.name).map(tuple)


@st.composite
def http_sections(draw: st.DrawFn, handlers: Sequence[str]) -> list[v10.RawModuleDefV10Section]:
    """The handlers, and routes to them, no two for the same request."""
    made: list[v10.RawHttpRouteDefV10] = []
    if handlers:
        for path in draw(st.lists(st.sampled_from(_PATHS), max_size=4, unique=True)):
            methods = draw(st.lists(_METHODS, min_size=1, max_size=2, unique_by=repr))
            kept = methods[:1] if v10.AnyMethod() in methods else methods
            made += [v10.RawHttpRouteDefV10(draw(st.sampled_from(handlers)), method, path) for method in kept]
    return [
        v10.HttpHandlersSection(tuple(map(v10.RawHttpHandlerDefV10, handlers))),
        v10.HttpRoutesSection(tuple(made)),
    ]


def remote_reducers(words: Sequence[str]) -> st.SearchStrategy[str]:
    """Names of reducers in other databases, dotted where they are in a submodule."""
    return st.lists(st.sampled_from(words), min_size=1, max_size=3).map(".".join)
