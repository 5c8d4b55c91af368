"""Validation: raw definitions become a ModuleDef, or every error that is in them. (spec: validation)"""

from __future__ import annotations

from collections.abc import Callable

from bsatn.collector import collector_paused
from bsatn.stack import on_enough_stack
from defs.lazy import deferred
from defs.raw import RawModuleDef, version_of
from defs.schema.model import ModuleDef
from defs.validate.collect import Faults
from defs.validate.errors import ValidationError, ValidationErrors

__all__ = ["ValidationError", "ValidationErrors", "validate"]

_VALIDATORS: dict[int, Callable[[RawModuleDef], ModuleDef]] = {
    8: deferred("defs.validate.v8:validate_v8"),
    9: deferred("defs.validate.v9:validate_v9"),
    10: deferred("defs.validate.v10:validate_v10"),
}


def validate(definition: RawModuleDef) -> ModuleDef:
    """The validated definition. Raises ValidationErrors, which holds everything that is wrong with it."""
    try:
        with collector_paused():
            return on_enough_stack(lambda: _VALIDATORS[version_of(definition)](definition))
    except Faults as faults:
        raise ValidationErrors(faults.errors) from None
