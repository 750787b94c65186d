"""Broken glass: a look at one patient without a care relation, for a coded reason and a short time.

What says so is a signed cookie of the browser that broke it: nothing is kept per session, and every
replica can read it. It is for one viewer, session and person, and ends with its time or with the
session.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any, cast, get_args

from fastapi import Request
from fastapi.responses import Response
from itsdangerous import BadData, URLSafeSerializer

from contracts.reidentify import GlassReason
from plumbing.clock import Clock
from services.gateway.access import Viewer
from services.gateway.people import Person

REASONS: frozenset[str] = frozenset(get_args(GlassReason)) - {""}
PATH = "/v1/patients"
MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Glass:
    """That the glass over a person was broken: why, and until when."""

    token: str
    reason: GlassReason
    until_ms: int


class Glasses:
    """Makes and reads the cookies."""

    def __init__(self, key: bytes, minutes: int, clock: Clock, *, secure: bool) -> None:
        """Sign with ``key``; ``secure``: for https alone."""
        self._signer = URLSafeSerializer(
            key,
            salt="auscult broken glass 1",
            signer_kwargs={"digest_method": sha256, "key_derivation": "hmac"},
        )
        self._minutes = minutes
        self._clock = clock
        self._secure = secure

    def broken(self, about: Person, reason: GlassReason) -> Glass:
        """Return the glass over a person as broken now."""
        return Glass(about.id, reason, self._clock.now_ms() + self._minutes * MINUTE_MS)

    def keep(self, response: Response, viewer: Viewer, glass: Glass) -> None:
        """Have the browser keep it."""
        value = {
            "sid": viewer.session,
            "sub": viewer.subject,
            "token": glass.token,
            "reason": glass.reason,
            "exp": glass.until_ms,
        }
        response.set_cookie(
            self._name(glass.token),
            str(self._signer.dumps(value)),
            max_age=self._minutes * 60,
            path=PATH,
            secure=self._secure,
            httponly=True,
            samesite="strict",
        )

    def over(self, request: Request, viewer: Viewer | None, about: Person | None) -> Glass | None:
        """Return what this viewer broke over a person, None when nothing, or when it is over."""
        if viewer is None or about is None:
            return None
        for token in about.aliases:
            value = self._read(request.cookies.get(self._name(token), ""))
            if (
                (value.get("sid"), value.get("sub")) == (viewer.session, viewer.subject)
                and value["token"] in about.aliases
                and value["exp"] > self._clock.now_ms()
            ):
                return Glass(value["token"], cast("GlassReason", value["reason"]), value["exp"])
        return None

    def _read(self, cookie: str) -> dict[str, Any]:
        try:
            value: dict[str, Any] = self._signer.loads(cookie)
        except BadData:
            return {}
        return value

    def _name(self, token: str) -> str:
        prefix = "__Secure-" if self._secure else ""
        return f"{prefix}auscult_glass_{sha256(token.encode()).hexdigest()[:16]}"
