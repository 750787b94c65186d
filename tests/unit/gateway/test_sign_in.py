"""Signing in: what is accepted, and everything else that is not."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as an_ec_key

from plumbing.clock import ManualClock
from services.gateway.auth_routes import cookies_for, local
from services.gateway.oidc import Client, IssuerAway, Oidc, SignInRefused, challenge_of, in_time
from services.gateway.sessions import Claims, Sessions
from simulator.issuer import Issuer, IssuerSettings, build

SITE = "http://gateway.test"
ISSUER = "http://127.0.0.1:8090"
AUDIENCE = "auscult-api"
CLAIMS = Claims("D1", "Dr", frozenset({"clinician"}), frozenset({"W1"}))


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Issuer:
    folder = tmp_path_factory.mktemp("issuer")
    return build(IssuerSettings(state_dir=folder, client_url=SITE), ManualClock())


@pytest.fixture
async def http(issuer: Issuer) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(issuer.app)
    async with httpx.AsyncClient(transport=transport, base_url=ISSUER) as client:
        yield client


@pytest.fixture
def oidc(http: httpx.AsyncClient) -> Oidc:
    client = Client(
        issuer=ISSUER,
        client_id="auscult",
        secret="",
        redirect_uri=f"{SITE}/auth/callback",
        audience=AUDIENCE,
    )
    return Oidc(client, http, ManualClock(), lambda size: "r" * (size + 8))


async def code_for(issuer: Issuer, http: httpx.AsyncClient, address: str, **changed: str) -> str:
    asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    password = issuer._users["dr.lin"]["password"]
    form = {**asked, "login": "dr.lin", "password": password, **changed}
    answer = await http.post("/authorize", data=form)
    back = str(answer.headers.get("location", ""))
    return parse_qs(urlsplit(back).query).get("code", [""])[0]


def a_token(issuer: Issuer, *, key: Any = None, algorithm: str = "RS256", **changed: Any) -> str:
    now_s = ManualClock().now_ms() // 1000
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "D1", "iat": now_s, "exp": now_s + 60,
              "roles": ["clinician", "root"], "units": "W1 W2", **changed}  # fmt: skip
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(claims, key or issuer._key, algorithm, headers={"kid": issuer._kid})


async def test_the_code_flow_ends_with_who_it_is(
    issuer: Issuer, http: httpx.AsyncClient, oidc: Oidc
) -> None:
    address, kept = await oidc.start("/patients/x")
    assert kept["next"] == "/patients/x"
    assert challenge_of(kept["verifier"]) in address
    code = await code_for(issuer, http, address)
    found = await oidc.finish(code, kept["state"], kept)
    assert found.subject == "D1001"
    assert found.roles == {"clinician"}
    assert "MICU" in found.units
    with pytest.raises(SignInRefused, match="code"):  # a code is good once
        await oidc.finish(code, kept["state"], kept)


@pytest.mark.parametrize(
    ("changed", "code"),
    [({"state": "other"}, "state"), ({"verifier": "v" * 50}, "code"), ({"nonce": "n"}, "nonce")],
)
async def test_a_sign_in_of_another_browser_is_refused(
    issuer: Issuer, http: httpx.AsyncClient, oidc: Oidc, changed: dict[str, str], code: str
) -> None:
    address, kept = await oidc.start("/")
    given = await code_for(issuer, http, address)
    with pytest.raises(SignInRefused) as refused:
        await oidc.finish(given, kept["state"], {**kept, **changed})
    assert refused.value.code == code


async def test_without_a_kept_state_nothing_is_accepted(oidc: Oidc) -> None:
    with pytest.raises(SignInRefused):
        await oidc.finish("code", "", {})


@pytest.mark.parametrize(
    "changed",
    [{"password": "wrong"}, {"login": "nobody"}, {"client_id": "other"}, {"code_challenge": ""},
     {"redirect_uri": "http://evil.test/auth/callback"}],
)  # fmt: skip
async def test_the_issuer_gives_no_code(
    issuer: Issuer, http: httpx.AsyncClient, oidc: Oidc, changed: dict[str, str]
) -> None:
    address, _ = await oidc.start("/")
    assert await code_for(issuer, http, address, **changed) == ""


async def test_a_bearer_token_is_narrowed(issuer: Issuer, oidc: Oidc) -> None:
    claims, expires_ms = await oidc.bearer(a_token(issuer))
    assert claims.roles == {"clinician"}  # "root" is no role of ours
    assert claims.units == {"W1", "W2"}
    assert expires_ms == ManualClock().now_ms() + 60_000


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"iss": "http://evil.test"}, "token"),
        ({"aud": "another"}, "token"),
        ({"exp": ManualClock().now_ms() // 1000 - 31}, "expired"),
        ({"nbf": ManualClock().now_ms() // 1000 + 31}, "expired"),
        ({"iat": ManualClock().now_ms() // 1000 + 31}, "expired"),
        ({"exp": None}, "token"),
        ({"iat": None}, "token"),
        ({"sub": None}, "token"),
        ({"sub": ""}, "subject"),
    ],
)
async def test_a_wrong_claim_is_refused(
    issuer: Issuer, oidc: Oidc, changed: dict[str, Any], code: str
) -> None:
    with pytest.raises(SignInRefused) as refused:
        await oidc.bearer(a_token(issuer, **changed))
    assert refused.value.code == code


async def test_a_wrong_signature_is_refused(issuer: Issuer, oidc: Oidc) -> None:
    good = a_token(issuer)
    head, body, signature = good.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    forged = base64.urlsafe_b64encode(json.dumps({**claims, "sub": "D9"}).encode()).rstrip(b"=")
    none = jwt.encode(claims, "", "none", headers={"kid": issuer._kid})
    public = issuer._key.public_key().public_numbers().n.to_bytes(256)
    shared = a_token(issuer, key=public, algorithm="HS256")
    other = a_token(issuer, key=an_ec_key(SECP256R1()), algorithm="ES256")
    for token in (f"{head}.{forged.decode()}.{signature}", none, shared, other, "x.y.z", ""):
        with pytest.raises(SignInRefused):
            await oidc.bearer(token)


async def test_an_issuer_that_is_away_is_no_refusal() -> None:
    def gone(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("gone", request=request)

    client = Client(issuer=ISSUER, client_id="a", secret="", redirect_uri="x", audience=AUDIENCE)
    async with httpx.AsyncClient(transport=httpx.MockTransport(gone)) as http:
        with pytest.raises(IssuerAway):
            await Oidc(client, http, ManualClock(), str).start("/")


def test_time_has_some_leeway() -> None:
    assert in_time({"iat": 130, "exp": 200}, 100)
    assert not in_time({"iat": 131, "exp": 200}, 100)
    assert in_time({"iat": 0, "exp": 100}, 129)
    assert not in_time({"iat": 0, "exp": 100}, 130)
    assert not in_time({"iat": 0, "exp": "soon"}, 0)
    assert not in_time({"iat": 0, "exp": True}, 0)


def test_a_session_is_what_was_signed_and_not_more() -> None:
    clock = ManualClock()
    sessions = Sessions(b"k" * 32, 3600, clock, lambda size: "ab" * size)
    cookie = sessions.begin(CLAIMS)
    viewer = sessions.viewer(cookie)
    assert viewer is not None
    assert (viewer.subject, viewer.units) == ("D1", CLAIMS.units)
    assert len(viewer.csrf) == 32
    assert sessions.viewer(cookie[:-1] + ("a" if cookie[-1] != "a" else "b")) is None
    assert Sessions(b"x" * 32, 3600, clock, str).viewer(cookie) is None
    assert sessions.viewer(sessions.sign_login({"sid": "x"})) is None
    clock.advance(3601)
    assert sessions.viewer(cookie) is None


def test_an_ended_session_is_over() -> None:
    sessions = Sessions(b"k" * 32, 3600, ManualClock(), lambda size: "ab" * size)
    cookie = sessions.begin(CLAIMS)
    viewer = sessions.viewer(cookie)
    assert viewer is not None
    sessions.end(viewer)
    assert sessions.viewer(cookie) is None


@pytest.mark.parametrize(
    ("wanted", "found"),
    [("/patients/x?a=b", "/patients/x?a=b"), ("//evil.test", "/"), ("https://evil.test", "/"),
     ("/\\evil.test", "/"), ("", "/"), ("/a\nb", "/")],
)  # fmt: skip
def test_only_a_path_of_this_site_is_returned_to(wanted: str, found: str) -> None:
    assert local(wanted) == found


def test_cookies_are_pinned_where_there_is_https() -> None:
    assert cookies_for("https://ward.example").session == "__Host-auscult_session"
    assert cookies_for("https://ward.example").secure
    assert not cookies_for("http://127.0.0.1:8080").secure
