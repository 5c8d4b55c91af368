"""The JSON form of a description, for programs.

Keys are stable: later releases may add some, none goes away or changes its meaning. Every key is always there; what a module
does not say is null, false or an empty list. Lists have the order of the plain text. Names are exact, not escaped.

| key | value |
|---|---|
| `version` | version of the definition: 8, 9 or 10 |
| `tables` | `name` (with namespace), `namespace`, `access` (`public`, `private`), `event`, `system`, `columns`, `indexes`, \
`unique_constraints`, `schedule`, `outbox`, `row_type`, `problem` |
| `tables[].columns` | `name`, `type`, `primary_key`, `unique`, `auto_increment`, `default` (text or null) |
| `tables[].indexes` | `name`, `algorithm` (`btree`, `hash`, `direct`), `columns` |
| `tables[].unique_constraints` | those over several columns, each a list of names |
| `tables[].schedule` | null, or `function`, `function_kind` (`reducer`, `procedure`, null), `column` |
| `tables[].outbox` | null, or `remote_reducer`, `target_column`, `arg_columns`, `on_result_reducer` |
| `views` | `name`, `namespace`, `params`, `returns`, `access`, `anonymous`, `primary_key` |
| `reducers` | `name`, `namespace`, `params`, `lifecycle`, `private` |
| `procedures` | `name`, `namespace`, `params`, `returns` (null: nothing), `private` |
| `params` of each | `name`, `type` |
| `routes` | `method` (`ANY`: every one), `path`, `handler` |
| `environment` | null if undeclared, or a list of `name`, `choices` (null: any string), `optional` |
| `row_level_security` | SQL texts |
| `types` | `name`, `namespace`, `kind` (`product`, `sum`, `alias`), `members` (`name`, `type`: null without payload), \
`alias`, `row_type`, `used` |
| `links` | `kind` (`uses`, `schedules`, `returns`), `source`, `target` (each `list`, `position`), `label` |
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from defs.describe import model as m

__all__ = ["to_json", "to_json_text"]

_Json = dict[str, Any]


def to_json(description: m.Description) -> _Json:
    """The description as plain dicts and lists; the keys are those of the module's table."""
    variables = description.environment
    return {
        "version": description.version,
        "tables": [_table(table) for table in description.tables],
        "views": [_view(view) for view in description.views],
        "reducers": [_reducer(reducer) for reducer in description.reducers],
        "procedures": [_procedure(procedure) for procedure in description.procedures],
        "routes": [{"method": r.method, "path": r.path, "handler": r.handler} for r in description.routes],
        "environment": None if variables is None else [_variable(variable) for variable in variables],
        "row_level_security": list(description.row_level_security),
        "types": [_type(kind) for kind in description.types],
        "links": [_link(link) for link in description.links],
    }


def to_json_text(description: m.Description) -> str:
    """The same as text. Only ASCII, so nothing in it can reach a terminal."""
    return json.dumps(to_json(description), indent=2) + "\n"


def _access(is_public: bool) -> str:
    return "public" if is_public else "private"


def _table(table: m.Table) -> _Json:
    return {
        "name": table.full_name,
        "namespace": table.namespace,
        "access": _access(table.is_public),
        "event": table.is_event,
        "system": table.is_system,
        "columns": [_column(column) for column in table.columns],
        "indexes": [{"name": i.name, "algorithm": i.algorithm, "columns": list(i.columns)} for i in table.indexes],
        "unique_constraints": [list(columns) for columns in table.unique_constraints],
        "schedule": _schedule(table.schedule),
        "outbox": _outbox(table.outbox),
        "row_type": table.row_type,
        "problem": table.problem,
    }


def _column(column: m.Column) -> _Json:
    return {
        "name": column.name,
        "type": column.type,
        "primary_key": column.is_primary_key,
        "unique": column.is_unique,
        "auto_increment": column.is_auto_increment,
        "default": column.default,
    }


def _schedule(schedule: m.Schedule | None) -> _Json | None:
    if schedule is None:
        return None
    return {"function": schedule.function, "function_kind": schedule.function_kind, "column": schedule.column}


def _outbox(outbox: m.Outbox | None) -> _Json | None:
    if outbox is None:
        return None
    return {
        "remote_reducer": outbox.remote_reducer,
        "target_column": outbox.target_column,
        "arg_columns": list(outbox.arg_columns),
        "on_result_reducer": outbox.on_result_reducer,
    }


def _params(params: Iterable[m.Param]) -> list[_Json]:
    return [{"name": param.name, "type": param.type} for param in params]


def _view(view: m.View) -> _Json:
    return {
        "name": view.full_name,
        "namespace": view.namespace,
        "params": _params(view.params),
        "returns": view.return_type,
        "access": _access(view.is_public),
        "anonymous": view.is_anonymous,
        "primary_key": list(view.primary_key),
    }


def _reducer(reducer: m.Reducer) -> _Json:
    return {
        "name": reducer.full_name,
        "namespace": reducer.namespace,
        "params": _params(reducer.params),
        "lifecycle": reducer.lifecycle,
        "private": reducer.is_private,
    }


def _procedure(procedure: m.Procedure) -> _Json:
    return {
        "name": procedure.full_name,
        "namespace": procedure.namespace,
        "params": _params(procedure.params),
        "returns": procedure.return_type,
        "private": procedure.is_private,
    }


def _variable(variable: m.Variable) -> _Json:
    choices = None if variable.choices is None else list(variable.choices)
    return {"name": variable.name, "choices": choices, "optional": variable.is_optional}


def _type(kind: m.NamedType) -> _Json:
    return {
        "name": kind.full_name,
        "namespace": kind.namespace,
        "kind": kind.kind,
        "members": [{"name": member.name, "type": member.type} for member in kind.members],
        "alias": kind.alias if kind.kind == "alias" else None,
        "row_type": kind.is_row,
        "used": kind.is_used,
    }


def _node(node: m.Node) -> _Json:
    return {"list": node.kind.value, "position": node.position}


def _link(link: m.Link) -> _Json:
    source, target = _node(link.source), _node(link.target)
    return {"kind": link.kind.value, "source": source, "target": target, "label": link.label}
