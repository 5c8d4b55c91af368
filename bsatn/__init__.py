"""BSATN, the wire format of SpacetimeDB: types, values and bytes.

    >>> import bsatn
    >>> point = bsatn.product(x=bsatn.F32, y=bsatn.F32)
    >>> codec = bsatn.Codec(point)
    >>> codec.encode((1.5, -0.0)).hex()
    '0000c03f00000080'
    >>> codec.decode(bytes.fromhex("0000c03f00000080"))
    (1.5, -0.0)

Names load on first use, so that `import bsatn` costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bsatn.annotations import (
        F32 as F32, F64 as F64, I8 as I8, I16 as I16, I32 as I32, I64 as I64, I128 as I128, I256 as I256, U8 as U8,
        U16 as U16, U32 as U32, U64 as U64, U128 as U128, U256 as U256, Bool as Bool, Bytes as Bytes, Never as Never,
        ScheduleAt as ScheduleAt, String as String, Unit as Unit, array as array, option as option,
        plain_enum as plain_enum, product as product, ref as ref, result as result, sum_ as sum_,
    )  # fmt: skip
    from bsatn.codec import Codec as Codec
    from bsatn.constructs import construct_of as construct_of
    from bsatn.errors import (
        BsatnError as BsatnError, DecodeError as DecodeError, DefinitionError as DefinitionError, EncodeError as EncodeError,
        LimitExceeded as LimitExceeded, TypeTextError as TypeTextError,
    )  # fmt: skip
    from bsatn.explain import explain as explain
    from bsatn.limits import Limits as Limits
    from bsatn.records import case as case, field as field, record as record, type_of as type_of, variants as variants
    from bsatn.types import AlgebraicType as AlgebraicType, Typespace as Typespace
    from bsatn.values import (
        ConnectionId as ConnectionId, F32NaN as F32NaN, Identity as Identity, Some as Some, TimeDuration as TimeDuration,
        Timestamp as Timestamp, Uuid as Uuid, Variant as Variant,
    )  # fmt: skip

__version__ = "0.1.0"

_HOME = {
    "annotations": (
        "F32 F64 I8 I16 I32 I64 I128 I256 U8 U16 U32 U64 U128 U256 Bool Bytes Never ScheduleAt String Unit "
        "array option plain_enum product ref result sum_"
    ),
    "codec": "Codec",
    "constructs": "construct_of",
    "errors": "BsatnError DecodeError DefinitionError EncodeError LimitExceeded TypeTextError",
    "explain": "explain",
    "limits": "Limits",
    "records": "case field record type_of variants",
    "types": "AlgebraicType Typespace",
    "values": "ConnectionId F32NaN Identity Some TimeDuration Timestamp Uuid Variant",
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names.split()}

__all__ = ["__version__", *_MODULE_OF]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'bsatn' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"bsatn.{_MODULE_OF[name]}"), name)
    globals()[name] = value  # found once
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
