"""The OpenAPI document: msgspec's schemas of the views, in the place where FastAPI has none."""

from collections.abc import Mapping
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from services.gateway import views, views_lists, views_ops
from services.gateway.bodies import GlassRequest, SearchRequest
from services.gateway.reviews import ReviewRequest

REF = "#/components/schemas/{name}"
JSON = "application/json"
PROBLEM = "application/problem+json"
VIEWS: tuple[type[Any], ...] = (
    views_lists.Me,
    views_lists.Units,
    views.Worklist,
    views.Patient,
    views.History,
    views.Explanation,
    views_lists.Found,
    views.Reviewed,
    views.GlassView,
    views_ops.Counts,
    views_ops.Problem,
    ReviewRequest,
    GlassRequest,
    SearchRequest,
)
REFUSALS = {
    401: "Nobody is signed in.",
    403: "The viewer's roles do not open this.",
    404: "Unknown, or not the viewer's patient: the same answer.",
    422: "A parameter or the body is not what this takes.",
    503: "Something this needs is away.",
}


def answers(
    view: type[views.View] | None, also: Mapping[int, str] | None = None
) -> dict[int | str, dict[str, Any]]:
    """Return FastAPI's ``responses`` of a route that answers with ``view`` (None: a stream), and
    refuses with ``also`` beside what every route may refuse with.
    """
    content = (
        {"text/event-stream": {"schema": {"type": "string"}}}
        if view is None
        else {JSON: {"schema": {"$ref": REF.format(name=view.__name__)}}}
    )
    refusals = {**REFUSALS, **(also or {})}
    problem = {PROBLEM: {"schema": {"$ref": REF.format(name="Problem")}}}
    return {
        200: {"description": "The answer.", "content": content},
        **{status: {"description": why, "content": problem} for status, why in refusals.items()},
    }


def taking(request: type[msgspec.Struct]) -> dict[str, Any]:
    """Return FastAPI's ``openapi_extra`` of a route that takes ``request`` as its body."""
    schema = {"$ref": REF.format(name=request.__name__)}
    return {"requestBody": {"required": True, "content": {JSON: {"schema": schema}}}}


def query_parameter(name: str, schema: dict[str, Any], sentence: str) -> dict[str, Any]:
    """Return the description of a query parameter that a route reads by itself."""
    return {"name": name, "in": "query", "schema": schema, "description": sentence}


def document(app: FastAPI) -> dict[str, Any]:
    """Return the whole OpenAPI document of the application."""
    _, components = msgspec.json.schema_components(VIEWS, ref_template=REF)
    found = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    schemas = found.setdefault("components", {}).setdefault("schemas", {})
    schemas.update(components)
    found["components"]["securitySchemes"] = {
        "session": {"type": "apiKey", "in": "cookie", "name": "auscult_session"},
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    }
    found["security"] = [{"session": []}, {"bearer": []}]
    return found
