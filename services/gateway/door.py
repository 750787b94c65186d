"""The front door: every request is timed, told who its viewer is, and answered with safe headers.

Plain ASGI, because it stands before everything, also before the answers that cost next to nothing.
"""

import os
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from prometheus_client import Counter, Histogram
from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from plumbing import trace
from plumbing.clock import Clock
from services.gateway import metrics
from services.gateway.access import Viewer
from services.gateway.auth_routes import Cookies
from services.gateway.inputs import Lang
from services.gateway.oidc import IssuerAway, Oidc, SignInRefused
from services.gateway.sessions import Sessions
from services.gateway.worklist import PATH as WORKLIST

BEARERS_MAX = 1_024
AtOnce = Callable[[Viewer, str, Lang, str], Response | None]
CSP = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "frame-ancestors 'none'; form-action 'self'"
)
SAFE_HEADERS = (
    (b"content-security-policy", CSP.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)
HSTS = (b"strict-transport-security", b"max-age=31536000")


class Door:
    """The outermost application: sets ``viewer``, ``lang`` and ``trace_id`` in the state."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        sessions: Sessions,
        oidc: Oidc,
        clock: Clock,
        cookies: Cookies,
        at_once: AtOnce,
    ) -> None:
        """Wrap ``app``; ``at_once`` may answer a request for the list from memory."""
        self._app = app
        self._sessions = sessions
        self._oidc = oidc
        self._clock = clock
        self._cookie = cookies.session
        self._at_once = at_once
        self._headers = (*SAFE_HEADERS, HSTS) if cookies.secure else SAFE_HEADERS
        self._bearers: dict[str, Viewer] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        cookies = cookie_parser(headers.get("cookie", ""))
        started_s = self._clock.monotonic_s()
        state: dict[str, Any] = scope.setdefault("state", {})
        given = headers.get("traceparent", "").encode() or None
        state["trace_id"] = trace.trace_id(trace.onward(given, os.urandom))
        state["lang"] = language(scope["query_string"], cookies, headers)
        viewer = state["viewer"] = await self._viewer(headers, cookies)
        watched = self._watched(scope, send, started_s)
        if viewer is not None and scope["path"] == WORKLIST and scope["method"] == "GET":
            tag = headers.get("if-none-match", "")
            query = scope["query_string"].decode("latin-1")
            same = self._at_once(viewer, query, state["lang"], tag)
            if same is not None:
                await same(scope, receive, watched)
                return
        await self._app(scope, receive, watched)

    async def _viewer(self, headers: Headers, cookies: dict[str, str]) -> Viewer | None:
        authorization = headers.get("authorization", "")
        if authorization[:7].lower() == "bearer ":
            return await self._bearer(authorization[7:].strip())
        cookie = cookies.get(self._cookie)
        return self._sessions.viewer(cookie) if cookie else None

    async def _bearer(self, token: str) -> Viewer | None:
        known = self._bearers.get(token)
        if known is not None and known.expires_ms > self._clock.now_ms():
            return known
        try:
            claims, expires_ms = await self._oidc.bearer(token)
        except SignInRefused as error:
            metrics.AUTHN_FAILURES.labels(error.code).inc()
            return None
        except IssuerAway:
            metrics.AUTHN_FAILURES.labels("issuer_away").inc()
            return None
        if len(self._bearers) >= BEARERS_MAX:
            self._bearers.clear()
        viewer = Viewer(claims.subject, claims.name, claims.roles, claims.units, expires_ms)
        self._bearers[token] = viewer
        return viewer

    def _watched(self, scope: Scope, send: Send, started_s: float) -> Callable[[Message], Any]:
        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *self._headers]
                known = WORKLIST if scope["path"] == WORKLIST else "other"
                route = getattr(scope.get("route"), "path", known)
                requests, seconds = _measures(route, scope["method"], message["status"])
                requests.inc()
                seconds.observe(self._clock.monotonic_s() - started_s)
            await send(message)

        return watched


def language(query: bytes, cookies: dict[str, str], headers: Headers) -> Lang:
    """Return ``en`` or ``zh``: asked for in the address, else remembered, else preferred."""
    asked = [part for part in query.split(b"&") if part in (b"lang=en", b"lang=zh")]
    wanted = asked[0][5:].decode() if asked else cookies.get("lang")
    if wanted in ("en", "zh"):
        return "zh" if wanted == "zh" else "en"
    return "zh" if headers.get("accept-language", "").lower().startswith("zh") else "en"


@lru_cache(maxsize=1_024)
def _measures(route: str, method: str, status: int) -> tuple[Counter, Histogram]:
    """The two metrics of a kind of answer; looking them up by label costs more than counting."""
    named = method if method in ("GET", "HEAD", "POST") else "other"
    requests = metrics.HTTP_REQUESTS.labels(route, named, str(status))
    return requests, metrics.HTTP_SECONDS.labels(route)
