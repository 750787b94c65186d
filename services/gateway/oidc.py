"""Sign-in by OpenID Connect: authorization code with PKCE, and bearer tokens of API clients.

What a token must be: signed by a key of the issuer with an algorithm of the allow-list, for our
audience, from our issuer, in its time; the nonce must be that of the sign-in.
"""

import asyncio
import base64
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import httpx
import jwt
import msgspec

from plumbing import log
from plumbing.clock import Clock
from services.gateway.access import ROLES
from services.gateway.sessions import Claims

ALGORITHMS = ("RS256", "RS384", "ES256", "ES384")
# The library would read the machine's clock; ``in_time`` is told the time.
CHECKED: Any = {
    "require": ["iss", "sub", "aud", "exp", "iat"],
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
}
LEEWAY_S = 30
KEYS_KEPT_MS = 3_600_000
KEYS_RETRY_MS = 10_000
TOKEN_BYTES_MAX = 8_192

_log = log.get("gateway")


class SignInRefused(Exception):
    """The sign-in or token is not accepted; ``code`` says why, in a word of a closed set."""

    def __init__(self, code: str) -> None:
        """Keep the code."""
        super().__init__(code)
        self.code = code


class IssuerAway(Exception):
    """The identity provider cannot be reached."""


@dataclass(frozen=True, kw_only=True)
class Client:
    """How we are known to the issuer. ``secret`` empty: a public client, PKCE alone.

    ``audience`` is what a bearer token must be for; an ID token is for ``client_id``.
    """

    issuer: str
    client_id: str
    secret: str
    redirect_uri: str
    audience: str
    subject_claim: str = "sub"
    roles_claim: str = "roles"
    units_claim: str = "units"


class _Discovery(msgspec.Struct, frozen=True):
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str


class _Tokens(msgspec.Struct, frozen=True):
    id_token: str


class Oidc:
    """The relying party. Keys of the issuer are kept for an hour and fetched anew when unknown."""

    def __init__(
        self,
        client: Client,
        http: httpx.AsyncClient,
        clock: Clock,
        random_text: Callable[[int], str],
    ) -> None:
        """Use ``http``; ``random_text`` is ``secrets.token_urlsafe`` outside tests."""
        self._client = client
        self._http = http
        self._clock = clock
        self._random_text = random_text
        self._discovery: _Discovery | None = None
        self._keys: dict[str, jwt.PyJWK] = {}
        self._keys_ms = -KEYS_KEPT_MS
        self._asked_ms = -KEYS_RETRY_MS
        self._busy = asyncio.Lock()

    async def start(self, wanted: str) -> tuple[str, dict[str, str]]:
        """Return the address to send the browser to, and the state to keep in its cookie."""
        discovery = await self._discover()
        verifier = self._random_text(48)
        kept = {
            "state": self._random_text(24),
            "nonce": self._random_text(24),
            "verifier": verifier,
            "next": wanted,
        }
        query = {
            "response_type": "code",
            "client_id": self._client.client_id,
            "redirect_uri": self._client.redirect_uri,
            "scope": "openid profile",
            "state": kept["state"],
            "nonce": kept["nonce"],
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "S256",
        }
        return f"{discovery.authorization_endpoint}?{urlencode(query)}", kept

    async def finish(self, code: str, state: str, kept: dict[str, str]) -> Claims:
        """Return who signed in. Raises ``SignInRefused`` or ``IssuerAway``."""
        if not kept or not state or state != kept.get("state"):
            raise SignInRefused("state")
        discovery = await self._discover()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._client.redirect_uri,
            "client_id": self._client.client_id,
            "code_verifier": kept["verifier"],
        }
        if self._client.secret:
            form["client_secret"] = self._client.secret
        try:
            response = await self._http.post(discovery.token_endpoint, data=form)
            if response.status_code >= 500:
                raise IssuerAway
            if response.status_code != 200:
                raise SignInRefused("code")
            tokens = msgspec.json.decode(response.content, type=_Tokens)
        except httpx.HTTPError as error:
            raise IssuerAway from error
        except msgspec.DecodeError as error:
            raise SignInRefused("answer") from error
        claims = await self._verified(tokens.id_token, self._client.client_id)
        if claims.get("nonce") != kept["nonce"]:
            raise SignInRefused("nonce")
        return self._narrowed(claims)

    async def bearer(self, token: str) -> tuple[Claims, int]:
        """Return whom an API client's token is for, and until when (ms)."""
        if not self._client.audience or len(token) > TOKEN_BYTES_MAX:
            raise SignInRefused("audience")
        claims = await self._verified(token, self._client.audience)
        return self._narrowed(claims), int(claims["exp"]) * 1000

    async def _verified(self, token: str, audience: str) -> dict[str, Any]:
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in ALGORITHMS:
                raise SignInRefused("algorithm")
            key = await self._key(str(header.get("kid", "")))
            if key.algorithm_name != header["alg"]:
                raise SignInRefused("algorithm")
            found: dict[str, Any] = jwt.decode(
                token,
                key.key,
                algorithms=[key.algorithm_name],
                audience=audience,
                issuer=self._client.issuer,
                options=CHECKED,
            )
        except jwt.InvalidTokenError as error:
            raise SignInRefused("token") from error
        if not in_time(found, self._clock.now_ms() // 1000):
            raise SignInRefused("expired")
        return found

    def _narrowed(self, claims: dict[str, Any]) -> Claims:
        subject = claims.get(self._client.subject_claim)
        if not isinstance(subject, str) or not subject:
            raise SignInRefused("subject")
        name = claims.get("name")
        return Claims(
            subject=subject,
            name=name if isinstance(name, str) else subject,
            roles=_words(claims.get(self._client.roles_claim)) & ROLES,
            units=_words(claims.get(self._client.units_claim)),
        )

    async def _key(self, kid: str) -> jwt.PyJWK:
        async with self._busy:
            now_ms = self._clock.now_ms()
            old = now_ms - self._keys_ms >= KEYS_KEPT_MS
            if (old or kid not in self._keys) and now_ms - self._asked_ms >= KEYS_RETRY_MS:
                self._asked_ms = now_ms
                await self._fetch_keys()
                self._keys_ms = now_ms
        if kid not in self._keys:
            raise SignInRefused("key")
        return self._keys[kid]

    async def _fetch_keys(self) -> None:
        discovery = await self._discover()
        try:
            response = await self._http.get(discovery.jwks_uri)
            response.raise_for_status()
            found = jwt.PyJWKSet.from_dict(response.json()).keys
        except (httpx.HTTPError, ValueError, jwt.PyJWTError) as error:
            if self._keys:
                _log.warning("the issuer's keys could not be fetched", error=error)
                return
            raise IssuerAway from error
        self._keys = {key.key_id or "": key for key in found if key.algorithm_name in ALGORITHMS}

    async def _discover(self) -> _Discovery:
        if self._discovery is not None:
            return self._discovery
        issuer = self._client.issuer
        try:
            response = await self._http.get(
                f"{issuer.rstrip('/')}/.well-known/openid-configuration"
            )
            response.raise_for_status()
            found = msgspec.json.decode(response.content, type=_Discovery)
        except (httpx.HTTPError, msgspec.DecodeError) as error:
            raise IssuerAway from error
        if found.issuer != issuer:
            raise SignInRefused("issuer")
        self._discovery = found
        return found


def in_time(claims: dict[str, Any], now_s: int) -> bool:
    """Say whether a token is in force: issued and begun, and not over, give or take 30 s."""
    begins = [claims["iat"], claims.get("nbf", claims["iat"])]
    moments = [*begins, claims["exp"]]
    if any(isinstance(one, bool) or not isinstance(one, int | float) for one in moments):
        return False
    return bool(max(begins) <= now_s + LEEWAY_S and now_s - LEEWAY_S < claims["exp"])


def challenge_of(verifier: str) -> str:
    """Return the S256 code challenge of a PKCE verifier."""
    digest = sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _words(value: Any) -> frozenset[str]:
    """A claim that is a list of strings, or one string of words."""
    if isinstance(value, str):
        return frozenset(value.split())
    if isinstance(value, list):
        return frozenset(one for one in value if isinstance(one, str))
    return frozenset()
