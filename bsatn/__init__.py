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

# no `from __future__ import annotations` here: its name would hide the submodule bsatn.annotations
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bsatn.annotations import (
        F32 as F32,
    )  # fmt: skip
    from bsatn.annotations import (
        F64 as F64,
    )
    from bsatn.annotations import (
        I8 as I8,
    )
    from bsatn.annotations import (
        I16 as I16,
    )
    from bsatn.annotations import (
        I32 as I32,
    )
    from bsatn.annotations import (
        I64 as I64,
    )
    from bsatn.annotations import (
        I128 as I128,
    )
    from bsatn.annotations import (
        I256 as I256,
    )
    from bsatn.annotations import (
        U8 as U8,
    )
    from bsatn.annotations import (
        U16 as U16,
    )
    from bsatn.annotations import (
        U32 as U32,
    )
    from bsatn.annotations import (
        U64 as U64,
    )
    from bsatn.annotations import (
        U128 as U128,
    )
    from bsatn.annotations import (
        U256 as U256,
    )
    from bsatn.annotations import (
        Bool as Bool,
    )
    from bsatn.annotations import (
        Bytes as Bytes,
    )
    from bsatn.annotations import (
        Never as Never,
    )
    from bsatn.annotations import (
        ScheduleAt as ScheduleAt,
    )
    from bsatn.annotations import (
        String as String,
    )
    from bsatn.annotations import (
        Unit as Unit,
    )
    from bsatn.annotations import (
        array as array,
    )
    from bsatn.annotations import (
        option as option,
    )
    from bsatn.annotations import (
        plain_enum as plain_enum,
    )
    from bsatn.annotations import (
        product as product,
    )
    from bsatn.annotations import (
        ref as ref,
    )
    from bsatn.annotations import (
        result as result,
    )
    from bsatn.annotations import (
        sum_ as sum_,
    )
    from bsatn.codec import Codec as Codec
    from bsatn.columns import Columns as Columns
    from bsatn.constructs import construct_of as construct_of
    from bsatn.engines import engine as engine
    from bsatn.errors import (
        BsatnError as BsatnError,
    )  # fmt: skip
    from bsatn.errors import (
        DecodeError as DecodeError,
    )
    from bsatn.errors import (
        DefinitionError as DefinitionError,
    )
    from bsatn.errors import (
        EncodeError as EncodeError,
    )
    from bsatn.errors import (
        LimitExceeded as LimitExceeded,
    )
    from bsatn.errors import (
        TypeTextError as TypeTextError,
    )
    from bsatn.explanation import explain as explain
    from bsatn.limits import Limits as Limits
    from bsatn.records import case as case
    from bsatn.records import field as field
    from bsatn.records import record as record
    from bsatn.records import type_of as type_of
    from bsatn.records import variants as variants
    from bsatn.types import AlgebraicType as AlgebraicType
    from bsatn.types import Typespace as Typespace
    from bsatn.values import (
        ConnectionId as ConnectionId,
    )  # fmt: skip
    from bsatn.values import (
        F32NaN as F32NaN,
    )
    from bsatn.values import (
        Identity as Identity,
    )
    from bsatn.values import (
        Some as Some,
    )
    from bsatn.values import (
        TimeDuration as TimeDuration,
    )
    from bsatn.values import (
        Timestamp as Timestamp,
    )
    from bsatn.values import (
        Uuid as Uuid,
    )
    from bsatn.values import (
        Variant as Variant,
    )

__version__ = "0.1.0"

_HOME = {
    "annotations": (
        "F32 F64 I8 I16 I32 I64 I128 I256 U8 U16 U32 U64 U128 U256 Bool Bytes Never ScheduleAt String Unit "
        "array option plain_enum product ref result sum_"
    ),
    "codec": "Codec",
    "columns": "Columns",
    "constructs": "construct_of",
    "engines": "engine",
    "errors": "BsatnError DecodeError DefinitionError EncodeError LimitExceeded TypeTextError",
    "explanation": "explain",
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
