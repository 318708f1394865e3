"""Writes the OpenAPI 3.1 description of /api/v1 from its table of routes and its shapes, once per application."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import Schema

from web.api.v1 import shapes
from web.api.v1.route import Parameter, Route

_IN_PATH = re.compile(r"<(?:(\w+):)?(\w+)>")
_TITLE = "Kaitong"
_ABOUT = (
    "Tasks, orders, process instances, incidents, definitions and tokens. Service orders come in through TMF641 "
    "(/tmf-api/serviceOrdering/v4). Errors are problem+json (RFC 9457); their `code` is stable. Lists give `items` "
    "and `next`; pass `next` as `after` to read on."
)


def describe(routes: Iterable[Route]) -> dict[str, Any]:
    """The whole document."""
    spec = APISpec(
        title=_TITLE,
        version=version("kaitong"),
        openapi_version="3.1.0",
        plugins=[MarshmallowPlugin(schema_name_resolver=_name)],
        info={"description": _ABOUT},
        servers=[{"url": "/api/v1"}],
        security=[{"token": []}],
    )
    spec.components.security_scheme("token", {"type": "http", "scheme": "bearer"})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # apispec warns of shapes that are used with and without null
        for route in routes:
            spec.path(path=openapi_path(route.path), operations={route.method.lower(): _operation(route)})
        document: dict[str, Any] = spec.to_dict()
    return document


def openapi_path(path: str) -> str:
    """`/tasks/<task_id>` as `/tasks/{task_id}`."""
    return _IN_PATH.sub(r"{\2}", path)


def _name(schema: Any) -> str:
    kind = schema if isinstance(schema, type) else type(schema)
    return str(kind.__name__)


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "tags": [route.path.split("/")[1]],
        "parameters": [*_path_parameters(route.path), *map(_parameter, route.parameters)],
        "responses": {str(route.status): _answer(route), "default": _error()},
    }
    if route.rule.right:
        operation["description"] = f"Needs the right `{route.rule.right}`."
    if not route.rule.needs_login:
        operation["security"] = []
    content = _body(route)
    if content:
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _body(route: Route) -> dict[str, Any]:
    if route.body is not None:
        return {"application/json": {"schema": route.body}}
    return {kind: {"schema": _upload(kind)} for kind in route.uploads}


def _upload(kind: str) -> dict[str, Any]:
    if kind != "multipart/form-data":
        return {"type": "string"}
    file = {"type": "string", "contentMediaType": "application/octet-stream"}
    properties = {"file": file, "forms": {"type": "array", "items": file}}
    return {"type": "object", "properties": properties, "required": ["file"]}


def _answer(route: Route) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": "Done." if route.status == 204 else "The answer."}
    if route.answer is not None:
        answer["content"] = {route.media: {"schema": route.answer}}
    elif route.status != 204:
        answer["content"] = {
            route.media: {"schema": {"type": "object" if "json" in route.media else "string"}}
        }
    return answer


def _error() -> dict[str, Any]:
    schema: type[Schema] = shapes.Error
    return {
        "description": "What is wrong, in the caller's language.",
        "content": {"application/problem+json": {"schema": schema}},
    }


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [
        {
            "in": "path",
            "name": name,
            "required": True,
            "schema": {"type": "integer" if kind == "id" else "string"},
        }
        for kind, name in _IN_PATH.findall(path)
    ]


def _parameter(one: Parameter) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": one.kind}
    if one.one_of:
        schema["enum"] = list(one.one_of)
    return {"in": "query", "name": one.name, "description": one.meaning, "schema": schema}
