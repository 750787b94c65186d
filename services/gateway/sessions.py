"""Sessions: a signed cookie that says who signed in and until when; nothing is kept per session but
the list of those that were ended early.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

from plumbing.clock import Clock
from services.gateway.access import Viewer

VIEWERS_MAX = 4_096


@dataclass(frozen=True)
class Claims:
    """What the identity provider says of a person, checked and narrowed."""

    subject: str
    name: str
    roles: frozenset[str]
    units: frozenset[str]


class Sessions:
    """Makes and reads the two cookies: of a session, and of a sign-in that is under way."""

    def __init__(
        self, key: bytes, lifetime_s: int, clock: Clock, random_hex: Callable[[int], str]
    ) -> None:
        """Sign with ``key``; ``random_hex`` is ``secrets.token_hex`` outside tests."""
        signer = {"digest_method": sha256, "key_derivation": "hmac"}
        self._sessions = URLSafeSerializer(key, salt="auscult session 1", signer_kwargs=signer)
        self._logins = URLSafeSerializer(key, salt="auscult sign-in 1", signer_kwargs=signer)
        self._key = key
        self._lifetime_s = lifetime_s
        self._clock = clock
        self._random_hex = random_hex
        self._read: dict[str, Viewer] = {}
        self.revoked: set[str] = set()

    def begin(self, claims: Claims) -> str:
        """Return the cookie of a new session."""
        value = {
            "sid": self._random_hex(16),
            "sub": claims.subject,
            "name": claims.name,
            "roles": sorted(claims.roles),
            "units": sorted(claims.units),
            "exp": self._clock.now_ms() + self._lifetime_s * 1000,
        }
        return _text(self._sessions.dumps(value))

    def viewer(self, cookie: str) -> Viewer | None:
        """Return who a cookie belongs to; None when forged, over or ended."""
        found = self._read.get(cookie) or self._checked(cookie)
        if found is None or found.session in self.revoked:
            return None
        return found if found.expires_ms > self._clock.now_ms() else None

    def end(self, viewer: Viewer) -> None:
        """End a session: that has to be remembered until it would have ended by itself."""
        self.revoked.add(viewer.session)

    def sign_login(self, state: dict[str, str]) -> str:
        """Return the cookie that ties a sign-in to this browser."""
        return _text(self._logins.dumps(state))

    def read_login(self, cookie: str) -> dict[str, str]:
        """Return what ``sign_login`` was given; empty when forged."""
        try:
            found: dict[str, str] = self._logins.loads(cookie)
        except BadData:
            return {}
        return found

    def _checked(self, cookie: str) -> Viewer | None:
        try:
            value: dict[str, Any] = self._sessions.loads(cookie)
        except BadData:
            return None
        session = value["sid"]
        viewer = Viewer(
            subject=value["sub"],
            name=value["name"],
            roles=frozenset(value["roles"]),
            units=frozenset(value["units"]),
            expires_ms=value["exp"],
            session=session,
            csrf=hmac.new(self._key, b"csrf" + session.encode(), sha256).hexdigest()[:32],
        )
        if len(self._read) >= VIEWERS_MAX:
            self._read.clear()
        self._read[cookie] = viewer
        return viewer


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
