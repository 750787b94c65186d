"""A small, real OpenID Connect issuer for the demo and the tests: never for a hospital.

Authorization code with PKCE (S256), RS256, one public client. Users and their generated passwords
stand in ``users.json`` of the state folder: ``python -m simulator.issuer``.
"""

import base64
import hmac
import json
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import jwt
import uvicorn
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from jwt.algorithms import RSAAlgorithm
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from plumbing.clock import Clock, SystemClock

PAGE = files("simulator").joinpath("pages", "issuer.html").read_text("utf-8")
STYLE = PAGE.partition("<style>")[2].partition("</style>")[0]
STYLE_HASH = base64.b64encode(sha256(STYLE.encode()).digest()).decode()
CODE_MS = 60_000
TOKEN_S = 300
FAILURES_MAX = 10
FAILURES_FORGOTTEN_MS = 60_000
CARRIED = ("client_id", "redirect_uri", "state", "nonce", "code_challenge", "scope")
FORM_BYTES_MAX = 16_384

USERS: tuple[dict[str, Any], ...] = (
    {
        "login": "dr.lin",
        "sub": "D1001",
        "name": "Dr. Lin",
        "roles": ["clinician"],
        "units": ["MICU", "CCU", "W1", "W2", "W3"],
    },
    {"login": "nurse.wang", "sub": "N2001", "name": "Wang", "roles": ["charge"], "units": ["*"]},
    {"login": "sre", "sub": "S3001", "name": "Operations", "roles": ["sre"], "units": []},
    {
        "login": "officer",
        "sub": "P4001",
        "name": "Privacy officer",
        "roles": ["privacy-officer"],
        "units": [],
    },
)


class IssuerSettings(BaseSettings):
    """Read from the environment variables ``ISSUER_*``."""

    model_config = SettingsConfigDict(env_prefix="ISSUER_", frozen=True)

    port: int = Field(default=8090, description="Port on the loopback address.")
    state_dir: Path = Field(default=Path("issuer"), description="Folder of the key and the users.")
    client_url: str = Field(
        default="http://127.0.0.1:8080", description="The one site that may ask for a sign-in."
    )
    client_id: str = Field(default="auscult", description="The name of that site.")

    @property
    def url(self) -> str:
        """Return the issuer's own address."""
        return f"http://127.0.0.1:{self.port}"


@dataclass(frozen=True)
class _Code:
    """A code that was given out: for whom, for which request, until when."""

    user: Mapping[str, Any]
    asked: Mapping[str, str]
    until_ms: int


class Issuer:
    """The endpoints; ``app`` has them."""

    def __init__(
        self,
        settings: IssuerSettings,
        users: list[dict[str, Any]],
        key: RSAPrivateKey,
        clock: Clock,
        random_text: Callable[[int], str] = secrets.token_urlsafe,
    ) -> None:
        """Serve ``users``, signing with ``key``."""
        self._settings = settings
        self._users = {user["login"]: user for user in users}
        self._key = key
        self._kid = sha256(key.public_key().public_numbers().n.to_bytes(512)).hexdigest()[:16]
        self._clock = clock
        self._random_text = random_text
        self._codes: dict[str, _Code] = {}
        self._failures: list[int] = []
        self.app = FastAPI(title="Auscult demo sign-in", docs_url=None, redoc_url=None)
        self.app.get("/.well-known/openid-configuration")(self.discovery)
        self.app.get("/jwks")(self.jwks)
        self.app.get("/authorize")(self.ask)
        self.app.post("/authorize")(self.sign_in)
        self.app.post("/token")(self.token)

    async def discovery(self) -> JSONResponse:
        """Say where everything is."""
        url = self._settings.url
        return JSONResponse(
            {
                "issuer": url,
                "authorization_endpoint": f"{url}/authorize",
                "token_endpoint": f"{url}/token",
                "jwks_uri": f"{url}/jwks",
                "response_types_supported": ["code"],
                "grant_types_supported": ["authorization_code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": ["none"],
                "scopes_supported": ["openid", "profile"],
            }
        )

    async def jwks(self) -> JSONResponse:
        """Return the public key."""
        key = RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return JSONResponse({"keys": [{**key, "kid": self._kid, "alg": "RS256", "use": "sig"}]})

    async def ask(self, request: Request) -> Response:
        """Show the form."""
        return self._form(dict(request.query_params))

    async def sign_in(self, request: Request) -> Response:
        """Check the password; send the browser back with a code."""
        form = await _form_of(request)
        user = self._users.get(form.get("login", ""))
        right = user["password"] if user else self._random_text(16)
        given = form.get("password", "")
        fine = hmac.compare_digest(right.encode(), given.encode()) and user is not None
        if self._is_locked() or not fine:
            self._failures.append(self._clock.now_ms())
            return self._form(form, failed=True)
        if self._refusal(form):
            return self._form(form)
        code = self._random_text(24)
        asked = {name: form.get(name, "") for name in CARRIED}
        self._codes[code] = _Code(user or {}, asked, self._clock.now_ms() + CODE_MS)
        back = urlencode({"code": code, "state": form.get("state", "")})
        return RedirectResponse(f"{form['redirect_uri']}?{back}", 303)

    async def token(self, request: Request) -> JSONResponse:
        """Give an ID token for a code, once, to who can show the verifier."""
        form = await _form_of(request)
        code = self._codes.pop(form.get("code", ""), None)
        if code is None or not self._matches(code, form):
            return JSONResponse({"error": "invalid_grant"}, 400)
        now_s = self._clock.now_ms() // 1000
        claims = {
            "iss": self._settings.url,
            "sub": code.user["sub"],
            "aud": code.asked["client_id"],
            "iat": now_s,
            "nbf": now_s,
            "exp": now_s + TOKEN_S,
            "nonce": code.asked["nonce"],
            "name": code.user["name"],
            "roles": code.user["roles"],
            "units": code.user["units"],
        }
        signed = jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": self._kid})
        return JSONResponse(
            {
                "token_type": "Bearer",
                "expires_in": TOKEN_S,
                "id_token": signed,
                "access_token": "-",
            },
            headers={"Cache-Control": "no-store"},
        )

    def _matches(self, code: _Code, form: Mapping[str, str]) -> bool:
        verifier = sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).rstrip(b"=").decode()
        return (
            form.get("grant_type") == "authorization_code"
            and self._clock.now_ms() < code.until_ms
            and form.get("client_id") == code.asked["client_id"]
            and form.get("redirect_uri") == code.asked["redirect_uri"]
            and hmac.compare_digest(challenge, code.asked["code_challenge"])
        )

    def _refusal(self, asked: Mapping[str, str]) -> str:
        """Why a request for a sign-in is not taken; empty when it is."""
        if asked.get("client_id") != self._settings.client_id:
            return "unknown client"
        if not asked.get("redirect_uri", "").startswith(f"{self._settings.client_url}/"):
            return "unknown address to return to"
        if len(asked.get("code_challenge", "")) != 43:
            return "no code challenge"
        return ""

    def _is_locked(self) -> bool:
        since_ms = self._clock.now_ms() - FAILURES_FORGOTTEN_MS
        self._failures = [at for at in self._failures if at > since_ms]
        return len(self._failures) >= FAILURES_MAX

    def _form(self, asked: Mapping[str, str], *, failed: bool = False) -> HTMLResponse:
        refusal = self._refusal(asked)
        hidden = "".join(
            f'<input type="hidden" name="{name}" value="{escape(asked.get(name, ""))}">'
            for name in CARRIED
        )
        logins = "".join(
            f"<option value='{escape(user['login'])}'>"
            f"{escape(user['login'])} ({escape(', '.join(user['roles']))})</option>"
            for user in self._users.values()
        )
        said = "This login and password do not fit." if failed else refusal
        page = (
            PAGE.replace("{{said}}", escape(said))
            .replace("{{hidden}}", hidden)
            .replace("{{logins}}", logins)
            .replace("{{users_file}}", escape(str(self._settings.state_dir / "users.json")))
        )
        status = 400 if refusal else 401 if failed else 200
        policy = (
            f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; frame-ancestors 'none'; "
            f"base-uri 'none'; form-action 'self' {self._settings.client_url}"
        )
        headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store"}
        return HTMLResponse(page, status, headers=headers)


def build(settings: IssuerSettings, clock: Clock) -> Issuer:
    """Return the issuer with the users and the key of its state folder, made when missing."""
    settings.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    users_path, key_path = settings.state_dir / "users.json", settings.state_dir / "signing.pem"
    if not users_path.exists():
        users = [{**user, "password": secrets.token_urlsafe(9)} for user in USERS]
        _write(users_path, json.dumps(users, indent=1).encode())
    if not key_path.exists():
        made = generate_private_key(65537, 2048)
        _write(key_path, made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    key = load_pem_private_key(key_path.read_bytes(), None)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError(f"{key_path.name} is not an RSA key")
    return Issuer(settings, json.loads(users_path.read_text("utf-8")), key, clock)


def main() -> None:
    """Serve on the loopback address."""
    settings = IssuerSettings()
    app = build(settings, SystemClock()).app
    uvicorn.run(app, host="127.0.0.1", port=settings.port, log_level="warning")


async def _form_of(request: Request) -> dict[str, str]:
    received = await request.body()
    return dict(parse_qsl(received[:FORM_BYTES_MAX].decode("ascii", "replace")))


def _write(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)


if __name__ == "__main__":
    main()
