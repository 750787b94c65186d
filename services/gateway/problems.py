"""Errors as ``application/problem+json`` (RFC 9457). They say what to do, never about whom."""

from collections.abc import Callable
from typing import Any

import msgspec
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from plumbing import log
from plumbing.errors import Unavailable
from services.gateway.oidc import IssuerAway
from services.gateway.views_ops import Problem as ProblemView

TITLES = {
    400: "Bad request",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Not possible now",
    413: "Too large",
    422: "Not understood",
    429: "Too many",
    500: "Internal error",
    503: "Not available now",
}
SIGNED_IN = "/v1/"  # all of the API is for who is signed in
_log = log.get("gateway")


class Problem(Exception):
    """A request that is answered with an error; ``code`` is a word of a closed set."""

    def __init__(self, status: int, code: str, detail: str = "") -> None:
        """Keep what to answer; ``detail`` is a literal of the code."""
        super().__init__(code)
        self.status = status
        self.code = code
        self.detail = detail


def answer(request: Request, status: int, code: str, detail: str = "") -> Response:
    """Return the error answer. ``instance`` is the route's template, which holds no id."""
    route = request.scope.get("route")
    body = ProblemView(
        type=f"urn:auscult:problem:{code}",
        title=TITLES.get(status, "Error"),
        status=status,
        detail=detail,
        instance=getattr(route, "path", ""),
        code=code,
        trace_id=getattr(request.state, "trace_id", ""),
    )
    headers = {"Cache-Control": "no-store"}
    if status == 503:
        headers["Retry-After"] = "2"
    return Response(
        msgspec.json.encode(body), status, headers=headers, media_type="application/problem+json"
    )


async def on_problem(request: Request, error: Exception) -> Response:
    """Answer a ``Problem``."""
    if not isinstance(error, Problem):
        return await on_unexpected(request, error)
    return answer(request, error.status, error.code, error.detail)


async def on_invalid(request: Request, _error: Exception) -> Response:
    """Answer a request whose parameters are not what the route takes (without repeating them).

    They are looked at before the route is, so who is not signed in is told that first.
    """
    if request.url.path.startswith(SIGNED_IN) and getattr(request.state, "viewer", None) is None:
        return answer(request, 401, "sign_in")
    return answer(request, 422, "parameters", "A parameter is missing or out of range.")


async def on_http(request: Request, error: Exception) -> Response:
    """Answer what the framework refuses."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    return answer(request, status, "http")


async def on_away(request: Request, error: Exception) -> Response:
    """Answer while something behind the gateway is away."""
    code = "sign_in_away" if isinstance(error, IssuerAway) else "unavailable"
    return answer(request, 503, code, "Something this needs is away; try again.")


async def on_unexpected(request: Request, error: Exception) -> Response:
    """Answer a bug: where it was goes to the log, nothing of it to the client."""
    _log.error("a request failed", error=error, method=request.method)
    return answer(request, 500, "internal")


HANDLERS: dict[int | type[Exception], Callable[[Request, Any], Any]] = {
    Problem: on_problem,
    RequestValidationError: on_invalid,
    HTTPException: on_http,
    Unavailable: on_away,
    IssuerAway: on_away,
    Exception: on_unexpected,
}
