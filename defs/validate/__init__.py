"""Validation: raw definitions become a ModuleDef, or every error that is in them. (spec: validation)"""

from __future__ import annotations

from bsatn.collector import collector_paused
from bsatn.stack import on_enough_stack
from defs.raw import RawModuleDef, RawModuleDefV8, RawModuleDefV9
from defs.schema.model import ModuleDef
from defs.validate.collect import Faults
from defs.validate.errors import ValidationError, ValidationErrors
from defs.validate.v8 import validate_v8
from defs.validate.v9 import validate_v9
from defs.validate.v10 import validate_v10

__all__ = ["ValidationError", "ValidationErrors", "validate"]


def validate(definition: RawModuleDef) -> ModuleDef:
    """The validated definition. Raises ValidationErrors, which holds everything that is wrong with it."""
    try:
        with collector_paused():
            return on_enough_stack(lambda: _validate(definition))
    except Faults as faults:
        raise ValidationErrors(faults.errors) from None


def _validate(definition: RawModuleDef) -> ModuleDef:
    if isinstance(definition, RawModuleDefV8):
        return validate_v8(definition)
    if isinstance(definition, RawModuleDefV9):
        return validate_v9(definition)
    return validate_v10(definition)
