"""Functions: parameters, reducers, procedures, views, and the columns of what a view returns. (spec: validation 2.8, 2.10)"""

from __future__ import annotations

from collections.abc import Callable

from bsatn.paths import Path
from bsatn.types import (
    F32,
    F64,
    STRING,
    UNIT,
    AlgebraicType,
    ArrayType,
    ProductType,
    ProductTypeElement,
    Ref,
    option_payload,
)
from defs.raw.v10 import RawProcedureDefV10, RawReducerDefV10, RawViewDefV10
from defs.schema.model import ProcedureDef, ReducerDef, ViewColumnDef, ViewDef, ViewParamDef
from defs.validate.collect import Collector, Faults
from defs.validate.columns import row_columns
from defs.validate.errors import (
    ClientCodegenError,
    InvalidReducerReturnType,
    InvalidViewReturnType,
    ViewFloatParam,
)
from defs.validate.naming import identifier
from defs.validate.reasons import (
    NamelessReducerParam,
    ProcedureArg,
    ProcedureReturn,
    ReducerArg,
    TypeLocation,
    ViewArg,
    ViewReturn,
)
from defs.validate.scope import Scope

__all__ = ["params", "procedure_v10", "reducer_v10", "view"]

Locate = Callable[[int, str | None], TypeLocation]


def params(scope: Scope, raw: ProductType, locate: Locate, path: Path) -> ProductType:
    """The parameters with canonical names: each has a name that is an identifier, and a type valid for use."""
    collected = Collector()
    found = [collected.attempt(_param, scope, element, locate(place, element.name), (*path, "params", place))
             for place, element in enumerate(raw.elements)]  # fmt: skip
    collected.done()
    return ProductType(tuple(element for element in found if element is not None))


def _param(scope: Scope, raw: ProductTypeElement, location: TypeLocation, path: Path) -> ProductTypeElement:
    collected = Collector()
    name = None
    if raw.name is None:
        collected.add(ClientCodegenError(location, NamelessReducerParam(), path=tuple(path)))
    else:
        name = collected.attempt(identifier, scope.names.member(raw.name), path)
    collected.attempt(scope.check_use, raw.algebraic_type, location, path)
    collected.done()
    return raw if name == raw.name else ProductTypeElement(name, raw.algebraic_type)


def reducer_v10(scope: Scope, raw: RawReducerDefV10, path: Path) -> ReducerDef:
    """One reducer."""
    collected = Collector()
    accessor = collected.attempt(identifier, raw.source_name, path)
    canonical = collected.attempt(params, scope, raw.params, lambda place, name: ReducerArg(raw.source_name, place, name), path)
    name = collected.attempt(scope.names.function, raw.source_name, path)
    if raw.ok_return_type != UNIT or raw.err_return_type != STRING:
        error = InvalidReducerReturnType(raw.source_name, raw.ok_return_type, raw.err_return_type, path=tuple(path))
        collected.add(error)
    collected.done()
    assert name is not None
    assert accessor is not None
    assert canonical is not None
    return ReducerDef(name, accessor, canonical, raw.params, None, raw.visibility, raw.ok_return_type, raw.err_return_type)


def procedure_v10(scope: Scope, raw: RawProcedureDefV10, path: Path) -> ProcedureDef:
    """One procedure."""
    collected = Collector()
    canonical = collected.attempt(
        params, scope, raw.params, lambda place, name: ProcedureArg(raw.source_name, place, name), path
    )
    collected.attempt(scope.check_use, raw.return_type, ProcedureReturn(raw.source_name), (*path, "return_type"))
    accessor = collected.attempt(identifier, raw.source_name, path)
    name = collected.attempt(scope.names.function, raw.source_name, path)
    collected.done()
    assert name is not None
    assert accessor is not None
    assert canonical is not None
    return ProcedureDef(name, accessor, canonical, raw.params, raw.return_type, raw.visibility)


def returned_ref(kind: AlgebraicType) -> tuple[int, bool] | None:
    """The entry that a view's rows are of, and whether it returns a query; None for a type no view may return."""
    match kind:
        case ArrayType(Ref(index)):
            return index, False
        case ProductType((ProductTypeElement("__query__", Ref(index)),)):
            return index, True
    match option_payload(kind):
        case Ref(index):
            return index, False
    return None


def view(scope: Scope, raw: RawViewDefV10, path: Path) -> ViewDef:
    """One view. Before V10 its name is looked at after its parameters, which may be floats, and claimed beside the rest."""
    newest = scope.version == 10
    returned = returned_ref(raw.return_type)
    if returned is None:
        raise Faults(InvalidViewReturnType(raw.source_name, raw.return_type, path=(*path, "return_type")))
    ref, is_query = returned
    row, source_row = scope.row_type(ref, raw.source_name, (*path, "return_type"))
    name = scope.names.function(raw.source_name, path) if newest else raw.source_name
    canonical = params(scope, raw.params, lambda place, arg: ViewArg(name, place, arg), path)
    if not newest:
        identifier(name, path)
    collected = Collector()
    use = ArrayType(Ref(ref)) if is_query else raw.return_type
    collected.attempt(scope.check_use, use, ViewReturn(name), (*path, "return_type"))
    if newest:
        scope.claim(name, name, path)
    else:
        collected.attempt(scope.claim, name, name, path)
    columns = collected.attempt(row_columns, scope, raw.source_name, ref, row, source_row)
    for place, element in enumerate(raw.params.elements):
        if newest and element.algebraic_type in (F32, F64):
            parameter = str(place) if element.name is None else element.name
            collected.add(ViewFloatParam(raw.source_name, parameter, path=(*path, "params", place)))
    collected.done()
    identifier(raw.source_name, path)
    return ViewDef(
        name=name,
        accessor_name=raw.source_name,
        is_public=raw.is_public,
        is_anonymous=raw.is_anonymous,
        is_query=is_query,
        fn_ptr=raw.index,
        params=canonical,
        source_params=raw.params,
        return_type=raw.return_type,
        product_type_ref=ref,
        primary_key=None,
        return_columns=tuple(
            ViewColumnDef(one.name, one.accessor_name, col, one.ty, name) for col, one in enumerate(columns or ())
        ),
        param_columns=tuple(
            ViewParamDef(one.name or "", col, one.algebraic_type, name) for col, one in enumerate(canonical.elements)
        ),
    )
