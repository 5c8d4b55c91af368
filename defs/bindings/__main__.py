"""`python -m defs.bindings PACKAGE.MODULE:OBJECT`: the definition of a module declared in Python, as BSATN on standard output.

    $ python -m defs.bindings game:module | bsatn describe -

This imports, and so runs, the Python it names, found as `import` finds it from the current directory; no other command does,
whatever file it is given. Exit status: 1 when the module is declared wrong or not valid, 2 when the name leads to none.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

from defs import raw
from defs.bindings.errors import DeclarationError
from defs.bindings.module import Module
from defs.validate import ValidationErrors


def find(name: str) -> Module:
    """The module object that `PACKAGE.MODULE:OBJECT` names. Raises LookupError for a name that leads to none."""
    path, separator, attribute = name.partition(":")
    if not separator or not all(part.isidentifier() for part in (*path.split("."), attribute)):
        raise LookupError(f"{name!r} is not of the form package.module:object")
    try:
        found = getattr(importlib.import_module(path), attribute, None)
    except ModuleNotFoundError as error:
        raise LookupError(str(error)) from None
    if not isinstance(found, Module):
        raise LookupError(f"{path} has no Module called {attribute}")
    return found


def main(arguments: Sequence[str]) -> int:
    """Write the definition that the one argument names."""
    if len(arguments) != 1:
        return _fail("usage: python -m defs.bindings package.module:object", 2)
    try:
        module = find(arguments[0])
        definition = module.build()
        module.validate()
    except LookupError as error:
        return _fail(str(error.args[0]), 2)
    except DeclarationError as error:
        return _fail(f"{error.kind}: {error}", 1)
    except ValidationErrors as invalid:
        return _fail(str(invalid), 1)
    sys.stdout.buffer.write(raw.encode(definition))
    return 0


def _fail(message: str, status: int) -> int:
    sys.stderr.write(f"bindings: error: {message}\n")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
