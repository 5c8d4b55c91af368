"""Conversions of validated definitions back to raw ones: to version 10, to version 9, and what is lost on the way.

By default a conversion is exact: validating what it wrote gives the same definition, or the loss is told. `as_upstream=True`
converts as the reference does, its losses included. (spec: validation 5)
"""

from __future__ import annotations

from defs.convert.loss import Loss, LossyConversion
from defs.convert.losses import losses_to_v9, losses_to_v10
from defs.convert.normal import normal
from defs.convert.v9 import to_v9
from defs.convert.v10 import to_v10

__all__ = ["Loss", "LossyConversion", "losses_to_v9", "losses_to_v10", "normal", "to_v9", "to_v10"]
