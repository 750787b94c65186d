"""The resolve API: who a token is, which tokens a name or number has, what a member of staff is.

Nothing is told before it is on the audit log. What goes wrong is said in a word, never in data.
"""

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import msgspec
from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from contracts.refused import RefusedPlace, RefusedQuery
from contracts.reidentify import (
    TOKENS_PER_CALL_MAX,
    FindAnswer,
    FindRequest,
    Identity,
    ResolveAnswer,
    ResolveRequest,
    StaffAnswer,
    StaffRequest,
)
from plumbing import health
from plumbing.clock import Clock
from plumbing.errors import Unavailable
from services.privacy import metrics
from services.privacy.audit import Answers
from services.privacy.folding import term
from services.privacy.identity import display_name, record_number
from services.privacy.links import LinkBook
from services.privacy.patient_keys import staff_token
from services.privacy.people import Person
from services.privacy.rejected import RejectedDesk
from services.privacy.vault import Vault

BODY_BYTES_MAX = 64 * 1024
VALUE_CHARS_MAX = 200

Asked = TypeVar("Asked", bound=msgspec.Struct)


@dataclass(frozen=True)
class Desk:
    """What answers questions. Every call raises ``Unavailable`` when it cannot be answered."""

    vault: Vault
    links: LinkBook
    audit: Answers
    staff_key: bytes

    async def resolve(self, asked: ResolveRequest) -> ResolveAnswer:
        """Tell who the tokens are; an unknown one is left out."""
        people = await self.vault.resolve(list(dict.fromkeys(asked.tokens)))
        tokens = [person.key.token for person in people]
        await self._note(asked.viewer, "resolve", tokens, asked.purpose)
        return ResolveAnswer(identities=tuple(_identity(person) for person in people))

    async def find(self, asked: FindRequest) -> FindAnswer:
        """Tell the tokens of a whole name or number, with all that are linked to them."""
        wanted = term(asked.query)
        found = await self.vault.find_tokens(wanted) if wanted else []
        tokens = (await self.links.one_person(found))[:TOKENS_PER_CALL_MAX] if found else []
        await self._note(asked.viewer, "find", tokens, asked.purpose)
        return FindAnswer(tokens=tuple(tokens))

    async def staff(self, asked: StaffRequest) -> StaffAnswer:
        """Tell the token of a member of staff; noted as their own look."""
        token = staff_token(self.staff_key, asked.staff_id)
        await self.audit.looked(token, "staff", [token], "")
        return StaffAnswer(staff=token)

    async def _note(self, viewer: str, action: str, tokens: list[str], purpose: str) -> None:
        await self.audit.looked(staff_token(self.staff_key, viewer), action, tokens, purpose)


def build_http(
    desk: Desk, refused: RejectedDesk, service_token: str, checks: health.Checks, clock: Clock
) -> FastAPI:
    """Return the web application: the questions of both desks, health and metrics."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.post("/v1/resolve")(_asking("resolve", ResolveRequest, desk.resolve, service_token, clock))
    app.post("/v1/find")(_asking("find", FindRequest, desk.find, service_token, clock))
    app.post("/v1/staff")(_asking("staff", StaffRequest, desk.staff, service_token, clock))
    app.post("/v1/rejected/list")(
        _asking("rejected_list", RefusedQuery, refused.list, service_token, clock)
    )
    app.post("/v1/rejected/show")(
        _asking("rejected_show", RefusedPlace, refused.show, service_token, clock)
    )
    app.post("/v1/rejected/replay")(
        _asking("rejected_replay", RefusedPlace, refused.replay, service_token, clock)
    )

    @app.exception_handler(HTTPException)
    async def refuse(_request: Request, error: HTTPException) -> Response:
        return _json(error.status_code, {"status": str(error.detail)})

    @app.get("/health/live")
    @app.get("/health/ready")
    @app.get("/metrics")
    async def healthy(request: Request) -> Response:
        found = health.answer(request.url.path, checks)
        return Response(found.body, found.status, media_type=found.content_type)

    return app


def _asking(
    route: str,
    kind: type[Asked],
    ask: Callable[[Asked], Awaitable[msgspec.Struct]],
    service_token: str,
    clock: Clock,
) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        begun_s = clock.monotonic_s()
        try:
            _require_token(request, service_token)
            response = _json(200, await ask(await _body(request, kind)))
        except HTTPException as error:
            response = _json(error.status_code, {"status": str(error.detail)})
        except Unavailable:
            response = _json(503, {"status": "unavailable"})
        spent_s = clock.monotonic_s() - begun_s
        metrics.RESOLVE_SECONDS.labels(route, str(response.status_code)).observe(spent_s)
        return response

    return answer


def _require_token(request: Request, service_token: str) -> None:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    is_right = hmac.compare_digest(given.strip().encode(), service_token.encode())
    if scheme.lower() != "bearer" or not is_right:
        raise HTTPException(401, "unauthorized")


async def _body(request: Request, kind: type[Asked]) -> Asked:
    raw = bytearray()
    async for piece in request.stream():
        raw += piece
        if len(raw) > BODY_BYTES_MAX:
            raise HTTPException(413, "too large")
    try:
        asked = msgspec.json.decode(bytes(raw), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise HTTPException(422, "malformed") from error
    _require_sane(asked)
    return asked


def _require_sane(asked: msgspec.Struct) -> None:
    for value in msgspec.structs.asdict(asked).values():
        if isinstance(value, tuple) and len(value) > TOKENS_PER_CALL_MAX:
            raise HTTPException(422, "too many tokens")
        texts = value if isinstance(value, tuple) else (value,)
        if any(isinstance(text, int) for text in texts):
            continue
        if any(len(text) > VALUE_CHARS_MAX for text in texts):
            raise HTTPException(422, "too long")
        if texts and not all(text.strip() for text in texts):
            raise HTTPException(422, "empty")


def _identity(person: Person) -> Identity:
    known = person.known
    return Identity(
        token=person.key.token,
        name=display_name(known),
        birth_date=known.birth_date,
        record_number=record_number(known),
        shift_days=person.key.shift_days,
        sex=known.sex,
    )


def _json(status: int, body: object) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")
