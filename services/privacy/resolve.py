"""The resolve API: who a token is, which tokens a name or number has, what a member of staff is.

Nothing is told before it is on the audit log. What goes wrong is said in a word, never in data.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

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
from services.privacy.asking import asking, json_answer
from services.privacy.audit import Answers
from services.privacy.folding import term
from services.privacy.identity import display_name, record_number
from services.privacy.links import LinkBook
from services.privacy.patient_keys import staff_token
from services.privacy.people import Person
from services.privacy.vault import Vault

Route = tuple[str, type[Any], Callable[[Any], Awaitable[msgspec.Struct]], Collection[str]]
"""Path after ``/v1/``, what is asked, who answers, and whose bearer token opens it."""


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

    def routes(self, service_token: str) -> list[Route]:
        """Return the questions that the gateway asks."""
        tokens = (service_token,)
        return [
            ("resolve", ResolveRequest, self.resolve, tokens),
            ("find", FindRequest, self.find, tokens),
            ("staff", StaffRequest, self.staff, tokens),
        ]

    async def _note(self, viewer: str, action: str, tokens: list[str], purpose: str) -> None:
        await self.audit.looked(staff_token(self.staff_key, viewer), action, tokens, purpose)


def build_http(routes: Iterable[Route], checks: health.Checks, clock: Clock) -> FastAPI:
    """Return the web application: the questions of the desks, health and metrics."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    for path, kind, ask, tokens in routes:
        app.post(f"/v1/{path}")(asking(path.replace("/", "_"), kind, ask, tokens, clock))

    @app.exception_handler(HTTPException)
    async def refuse(_request: Request, error: HTTPException) -> Response:
        return json_answer(error.status_code, {"status": str(error.detail)})

    @app.get("/health/live")
    @app.get("/health/ready")
    @app.get("/metrics")
    async def healthy(request: Request) -> Response:
        found = health.answer(request.url.path, checks)
        return Response(found.body, found.status, media_type=found.content_type)

    return app


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
