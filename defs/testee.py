"""The testee: answers the conformance protocol's questions with this library. (spec: testee, version 1)

`answer` takes one request and gives one reply; the table `OPS` maps each op to the function that does it. What an op says
is bad input is a reply with `ok: false`; what this testee does not do is `skipped`; a request that is no request is the
error BadRequest. Nothing that comes in makes it raise.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NoReturn

import bsatn
from bsatn import satsjson
from bsatn.codec import Codec
from bsatn.errors import BsatnError, DecodeError, LimitExceeded
from bsatn.paths import format_path
from bsatn.types import AlgebraicType, Typespace
from defs import raw
from defs.convert import to_v9, to_v10
from defs.describe import describe
from defs.describe.text import to_text
from defs.loading import read_json
from defs.query.sql import CALLERS, PROTOCOLS, Caller, Catalog, Protocol, SqlError, check
from defs.query.sql.report import accepted_to_json
from defs.raw import layouts
from defs.schema.model import ModuleDef
from defs.validate import ValidationErrors, names, validate
from defs.validate.warnings import upstream_warnings

__all__ = ["OPS", "PROTOCOL", "answer", "answer_line"]

PROTOCOL = 1

Request = dict[str, Any]
Reply = dict[str, Any]


class _BadRequest(Exception):
    """The request lacks a field, or has one of another form than the protocol says."""


class _Skip(Exception):
    """This testee does not do that."""


def answer_line(line: str | bytes) -> str:
    """One line in, one line out, without line ends."""
    try:
        request = json.loads(line, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        return json.dumps(_failure("BadRequest", f"the line is not JSON: {error}"))
    if not isinstance(request, dict):
        return json.dumps(_failure("BadRequest", "a request is a JSON object"))
    try:
        return json.dumps(answer(request))
    except Exception as error:  # noqa: BLE001 - a fault of ours: the questions after it still get their answers
        label = {key: value for key, value in request.items() if key == "id" and isinstance(value, (str, int))}
        return json.dumps({**label, **_failure("Internal", f"{type(error).__name__}: {error}")})


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def answer(request: Request) -> Reply:
    """The reply to a request."""
    op = request.get("op")
    done = OPS.get(op) if isinstance(op, str) else None
    try:
        if done is None:
            raise _Skip(f"the op {op!r} is not one of {', '.join(OPS)}")
        reply = {"ok": True, **done(request)}
    except _Skip as why:
        reply = {"skipped": str(why)}
    except _BadRequest as error:
        reply = _failure("BadRequest", str(error))
    except ValidationErrors as invalid:
        reply = {**_failure("InvalidModule", str(invalid)), "errors": _errors(invalid)}
    except BsatnError as error:
        reply = _failure(error.kind, error.message)
        if isinstance(error, DecodeError) and error.offset is not None:
            reply["offset"] = error.offset
        if error.path:
            reply["path"] = format_path(error.path)
    return {"id": request["id"], **reply} if "id" in request else reply


def _failure(kind: str, message: str) -> Reply:
    return {"ok": False, "error": kind, "message": message}


# -- fields of requests


def _text(request: Request, name: str) -> str:
    value = request.get(name)
    if not isinstance(value, str):
        raise _BadRequest(f"`{name}` must be a string")
    return value


def _hex(request: Request, name: str) -> bytes:
    try:
        return bytes.fromhex(_text(request, name))
    except ValueError:
        raise _BadRequest(f"`{name}` must be hex digits, two a byte") from None


def _choice(request: Request, name: str, *choices: str, required: bool = False) -> str:
    value = request.get(name, None if required else choices[0])
    if value not in choices:
        raise _BadRequest(f"`{name}` must be one of {', '.join(choices)}")
    return str(value)


@lru_cache(maxsize=256)
def _codec(kind: bytes, typespace: bytes) -> Codec[Any]:
    return Codec(Codec(AlgebraicType).decode(kind), Codec(Typespace).decode(typespace))


def _codec_of(request: Request) -> Codec[Any]:
    typespace = _hex(request, "typespace") if "typespace" in request else bytes(4)
    try:
        return _codec(_hex(request, "type"), typespace)
    except LimitExceeded:
        raise
    except DecodeError as error:
        raise _BadRequest(f"the type or typespace does not decode: {error}") from None


def _layout(request: Request) -> str:
    """The layout to read or write definitions in; a release or layout that is not known is skipped."""
    layout = _text(request, "layout") if "layout" in request else layouts.NEWEST_RELEASE
    try:
        return layout if layout == "auto" else layouts.release_of(layout)
    except layouts.UnknownLayout as unknown:
        raise _Skip(unknown.message) from None


# -- ops


def _hello(_: Request) -> Reply:
    return {"name": "bsatn", "version": bsatn.__version__, "protocol": PROTOCOL, "ops": list(OPS)}


def _value_decode(request: Request) -> Reply:
    codec, data = _codec_of(request), _hex(request, "bytes")
    trailing = _choice(request, "trailing", "reject", "allow")
    value, end = codec.decode_from(data)
    if end < len(data) and trailing == "reject":
        raise DecodeError("TrailingBytes", offset=end, unread=len(data) - end)
    text = satsjson.dumps(codec.shape, value, tuples="array")
    return {"json": text, "bytes": codec.encode(value).hex(), "unread": len(data) - end}


def _value_encode(request: Request) -> Reply:
    codec = _codec_of(request)
    return {"bytes": codec.encode(satsjson.loads(codec.shape, _text(request, "json"))).hex()}


def _module_decode(request: Request) -> Reply:
    read = layouts.decode(_hex(request, "bytes"), layout=_layout(request))
    layout = read.layout
    return {
        "version": layout.version,
        "layout": layout.id,
        "json": satsjson.dumps(layouts.shape(layout.id), read.raw),
        "bytes": layouts.encode(read.raw, layout=layout.id).hex(),
    }


def _module_encode(request: Request) -> Reply:
    layout = _layout(request)
    read = read_json(_text(request, "json"), layout=layout)
    return {"bytes": layouts.encode(read.raw, layout=read.layout.id if layout == "auto" else layout).hex()}


def _name(request: Request) -> Reply:
    name = _text(request, "name")
    fault = names.identifier_fault(name)
    verdict = "valid" if fault is None else fault.kind
    return {"identifier": verdict, "snake": names.snake(name), "camel": names.camel(name), "pascal": names.pascal(name)}


def _module_of(request: Request) -> raw.RawModuleDef:
    return layouts.decode(_hex(request, "bytes"), layout=_layout(request)).raw


def _module_validate(request: Request) -> Reply:
    definition = _module_of(request)
    try:
        module = validate(definition)
    except ValidationErrors as invalid:
        return {"valid": False, "errors": _errors(invalid), "warnings": []}
    return {"valid": True, "errors": [], "warnings": upstream_warnings(module)}


def _module_describe(request: Request) -> Reply:
    return {"text": to_text(describe(validate(_module_of(request))))}


def _module_convert(request: Request) -> Reply:
    """As the reference converts, unless `upstream` is false: then without loss, as far as the version can say it."""
    version, upstream = _choice(request, "to", "v9", "v10", required=True), request.get("upstream", True)
    if not isinstance(upstream, bool):
        raise _BadRequest("`upstream` must be true or false")
    module = validate(_module_of(request))
    definition: raw.RawModuleDef
    if version == "v9":
        definition = to_v9(module, lossy=True, as_upstream=upstream)
    else:
        definition = to_v10(module, as_upstream=upstream)
    return {"bytes": raw.encode(definition).hex()}


def _errors(invalid: ValidationErrors) -> list[dict[str, str]]:
    return [{"kind": error.kind, "message": error.message} for error in invalid.errors]


def _log_read(request: Request) -> Reply:
    from defs.store.answers import answer_read

    return answer_read(_text(request, "path"))


def _log_replay(request: Request) -> Reply:
    from defs.store.answers import answer_replay

    return answer_replay(_text(request, "path"))


@lru_cache(maxsize=8)
def _catalog(definition: bytes) -> Catalog:
    return Catalog(validate(raw.decode(definition)))


def _sql_check(request: Request) -> Reply:
    catalog, sql = _catalog(_hex(request, "module")), _text(request, "sql")
    callers: dict[str, Caller] = {one: one for one in CALLERS}
    protocols: dict[str, Protocol] = {one: one for one in PROTOCOLS}
    caller, protocol = callers[_choice(request, "caller", *CALLERS)], protocols[_choice(request, "protocol", *PROTOCOLS)]
    try:
        return accepted_to_json(check(sql, catalog, caller=caller, protocol=protocol))
    except SqlError as error:
        return {"verdict": "error", "stage": error.stage, "message": error.message}


def _deliver(request: Request) -> Reply:
    """`caller_identity` (64 hex digits, most significant first) is what `:sender` means; by default it is 0."""
    from defs.store.deliveries.answers import answer_deliver

    sender, upstream = _text(request, "caller_identity") if "caller_identity" in request else "00" * 32, request.get("upstream")
    try:
        identity = bsatn.Identity.from_hex(sender)
    except ValueError:
        raise _BadRequest("`caller_identity` must be 64 hex digits") from None
    if not isinstance(upstream, bool | None):
        raise _BadRequest("`upstream` must be true or false")
    setup, queries = request.get("setup", {}), request.get("queries")
    if not isinstance(setup, dict) or not all(isinstance(rows, list) for rows in setup.values()):
        raise _BadRequest("`setup` must be an object with a list of rows for each table")
    if not isinstance(queries, list) or not all(isinstance(text, str) for text in queries):
        raise _BadRequest("`queries` must be a list of strings")
    return answer_deliver(
        _catalog(_hex(request, "module")),
        {table: [_hex(_object(row, "a row of `setup`"), "bsatn") for row in rows] for table, rows in setup.items()},
        [_operation(_object(op, "an operation of `tx`")) for op in _list(request, "tx")],
        queries,
        sender=identity,
        upstream=bool(upstream),
    )


def _operation(op: Request) -> tuple[str, str, bytes]:
    return _choice(op, "op", "insert", "delete", required=True), _text(op, "table"), _hex(op, "row")


def _object(value: object, what: str) -> Request:
    if not isinstance(value, dict):
        raise _BadRequest(f"{what} must be an object")
    return value


def _list(request: Request, name: str) -> list[Any]:
    value = request.get(name)
    if not isinstance(value, list):
        raise _BadRequest(f"`{name}` must be a list")
    return value


def _query_render(request: Request) -> Reply:
    from defs.query import render

    return {"sql": render(request.get("description"))}


def _migrate(request: Request) -> Reply:
    layout = _layout(request)
    return planned(*(validate(layouts.decode(_hex(request, name), layout=layout).raw) for name in ("old", "new")))


def planned(old: ModuleDef, new: ModuleDef) -> Reply:
    """What the op `migrate` answers about two definitions."""
    from defs import migrate

    try:
        plan = migrate.plan(old, new)
    except migrate.MigrationErrors as refused:
        return {"verdict": "manual", "errors": [{"kind": one.kind, "message": one.message} for one in refused.errors]}
    try:
        text = migrate.to_text(plan)
    except migrate.CannotPrint as error:
        text = f"ERR {error.message}"
    return {**plan.to_json(), "text": text}


#: What this testee answers.
OPS: dict[str, Callable[[Request], Reply]] = {
    "hello": _hello,
    "value.decode": _value_decode,
    "value.encode": _value_encode,
    "name": _name,
    "module.decode": _module_decode,
    "module.encode": _module_encode,
    "module.validate": _module_validate,
    "module.convert": _module_convert,
    "module.describe": _module_describe,
    "migrate": _migrate,
    "log.read": _log_read,
    "log.replay": _log_replay,
    "sql.check": _sql_check,
    "deliver": _deliver,
    "query.render": _query_render,
}
