"""Signing in and out in the browser."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from plumbing import log
from plumbing.errors import Unavailable
from services.gateway import metrics
from services.gateway.desk import viewer_of
from services.gateway.identity import Identities
from services.gateway.oidc import IssuerAway, Oidc, SignInRefused
from services.gateway.problems import Problem
from services.gateway.read_model import ReadModel
from services.gateway.sessions import Sessions

LOGIN_S = 600
_log = log.get("gateway")


@dataclass(frozen=True)
class Cookies:
    """The names of the two cookies and whether they are for https alone."""

    session: str
    login: str
    secure: bool


def cookies_for(public_url: str) -> Cookies:
    """Return the cookies for an address; ``__Host-`` pins them to it where that is possible."""
    secure = public_url.startswith("https://")
    prefix = "__Host-" if secure else ""
    return Cookies(f"{prefix}auscult_session", f"{prefix}auscult_login", secure)


class AuthRoutes:
    """The handlers; ``router`` has them."""

    def __init__(
        self,
        oidc: Oidc,
        sessions: Sessions,
        cookies: Cookies,
        identities: Identities,
        model: ReadModel,
    ) -> None:
        """Add the routes."""
        self._oidc = oidc
        self._sessions = sessions
        self._cookies = cookies
        self._identities = identities
        self._model = model
        self.router = APIRouter(prefix="/auth", tags=["sign-in"], include_in_schema=False)
        add: Callable[..., None] = self.router.add_api_route
        add("/login", self.login)
        add("/callback", self.callback)
        add("/logout", self.logout, methods=["POST"])

    async def login(self, request: Request) -> Response:
        """Send the browser to the identity provider."""
        try:
            address, kept = await self._oidc.start(local(request.query_params.get("next", "/")))
        except (SignInRefused, IssuerAway) as error:
            return self._failed("issuer", error)
        response = RedirectResponse(address, 303)
        self._set(response, self._cookies.login, self._sessions.sign_login(kept), LOGIN_S)
        return response

    async def callback(self, request: Request) -> Response:
        """Take what the identity provider sent; begin a session."""
        query = request.query_params
        if "error" in query:
            return self._failed("denied", SignInRefused("denied"))
        kept = self._sessions.read_login(request.cookies.get(self._cookies.login, ""))
        try:
            claims = await self._oidc.finish(query.get("code", ""), query.get("state", ""), kept)
        except SignInRefused as error:
            return self._failed(error.code, error)
        except IssuerAway as error:
            return self._failed("issuer", error)
        response = RedirectResponse(local(kept.get("next", "/")), 303)
        self._set(response, self._cookies.session, self._sessions.begin(claims), None)
        self._clear(response, self._cookies.login)
        return response

    async def logout(self, request: Request) -> Response:
        """End the session, here and in every other gateway."""
        viewer = viewer_of(request)
        if viewer is not None and viewer.session:
            given = request.headers.get("x-csrf-token", "")
            if not hmac.compare_digest(given.encode(), viewer.csrf.encode()):
                raise Problem(403, "csrf", "The request did not come from the page.")
            self._sessions.end(viewer)
            self._identities.forget(viewer.subject)
            try:
                await self._model.revoke(viewer.session, viewer.expires_ms)
            except Unavailable as error:
                _log.warning("a sign-out is known to this process alone", error=error)
        response = Response(status_code=204)
        self._clear(response, self._cookies.session)
        return response

    def _failed(self, code: str, error: Exception) -> Response:
        metrics.AUTHN_FAILURES.labels(code).inc()
        _log.warning("a sign-in was refused", code=code, error=error)
        response = RedirectResponse(f"/login?error={quote(code)}", 303)
        self._clear(response, self._cookies.login)
        return response

    def _set(self, response: Response, name: str, value: str, seconds: int | None) -> None:
        response.set_cookie(
            name,
            value,
            max_age=seconds,
            path="/",
            secure=self._cookies.secure,
            httponly=True,
            samesite="lax",
        )

    def _clear(self, response: Response, name: str) -> None:
        response.delete_cookie(
            name, path="/", secure=self._cookies.secure, httponly=True, samesite="lax"
        )


def local(wanted: str) -> str:
    """Return ``wanted`` when it is a path of this site, else ``/``."""
    fine = wanted.startswith("/") and wanted[1:2] not in ("/", "\\") and wanted.isprintable()
    return wanted if fine else "/"
