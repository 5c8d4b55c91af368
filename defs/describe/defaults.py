"""Default values of columns as texts: the bytes read at the column's type, printed as SATN. (spec: wire 5.4)

Bytes are hostile: what they do not say at their type is shown as bytes, the text has a limit, and so has the
work. A codec costs as much as its type reaches, so codecs are kept by type, and after `_WORK` parts of types
no further one is built.
"""

from __future__ import annotations

from bsatn import types as t
from bsatn.codec import Codec, Engine
from bsatn.errors import BsatnError
from bsatn.limits import Limits
from bsatn.satn import format_value
from bsatn.shapes import reachable
from bsatn.types import AlgebraicType, Typespace
from defs.describe.words import clip

__all__ = ["Defaults"]

_MAX_DEFAULT = 4096
_WORK = 1 << 15
#: A default is one value: elements without bytes are bounded tightly, because each of them is printed.
_LIMITS = Limits(empty_elements=_MAX_DEFAULT)


class Defaults:
    """Reads default values whose types resolve in `typespace`."""

    def __init__(self, typespace: Typespace) -> None:
        self.typespace = typespace
        self.work = _WORK
        self.codecs: dict[object, Codec[object] | None] = {}

    def text(self, kind: AlgebraicType, data: bytes) -> str:
        """The value, or the bytes if they are none. What follows the value is ignored, as the server does."""
        codec = self._codec(kind)
        if codec is None:
            return f"not read 0x{clip(data.hex(), _MAX_DEFAULT)}"
        try:
            return clip(format_value(codec.shape, codec.decode(data, trailing="allow")), _MAX_DEFAULT)
        except BsatnError:
            return f"invalid 0x{clip(data.hex(), _MAX_DEFAULT)}"

    def _codec(self, kind: AlgebraicType) -> Codec[object] | None:
        # composite types are told apart by identity: hashing one is recursive, and as slow as it is large
        key: object = kind if isinstance(kind, (t.Primitive, t.Ref)) else id(kind)
        if key not in self.codecs:
            self.codecs[key] = self._build(kind) if self.work > 0 else None
        return self.codecs[key]

    def _build(self, kind: AlgebraicType) -> Codec[object] | None:
        try:
            engine: Engine = "python" if isinstance(kind, t.Primitive) else "construct"  # which need not be compiled
            codec: Codec[object] = Codec(kind, self.typespace, limits=_LIMITS, engine=engine)
        except BsatnError:
            return None
        self.work -= len(reachable(codec.shape))
        return codec
