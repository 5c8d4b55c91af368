"""The validated model of a module definition, and what is derived from it."""

from defs.schema.lookup import Lookup
from defs.schema.model import ModuleDef

__all__ = ["Lookup", "ModuleDef"]
