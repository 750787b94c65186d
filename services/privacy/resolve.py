"""The resolve API: who a token is, which tokens a name or number has, what a member of staff is.

Nothing is told before it is on the audit log. What goes wrong is said in a word, never in data.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

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
from contracts.relations import RELATIONS
from plumbing import health
from plumbing.clock import Clock
from services.privacy import metrics
from services.privacy.asking import asking, json_answer
from services.privacy.audit import Answers
from services.privacy.entitled import Allowance, Lately, is_related, may_ask
from services.privacy.folding import term
from services.privacy.identity import display_name, record_number
from services.privacy.links import LinkBook
from services.privacy.mirror import Mirror
from services.privacy.patient_keys import staff_token
from services.privacy.people import Person
from services.privacy.vault import Vault


@dataclass(frozen=True)
class Limits:
    """How many patients, searches and broken glasses a viewer has in an hour."""

    patients: Allowance
    searches: Allowance
    glass: Allowance


Route = tuple[str, type[Any], Callable[[Any], Awaitable[msgspec.Struct]], Collection[str]]
"""Path after ``/v1/``, what is asked, who answers, and whose bearer token opens it."""


@dataclass(frozen=True)
class Desk:
    """What answers questions. Every call raises ``Unavailable`` when it cannot be answered."""

    vault: Vault
    links: LinkBook
    relations: Mirror
    audit: Answers
    staff_key: bytes
    clock: Clock
    limits: Limits
    # Whose broken glass is on the audit log: only of those it need not be written again.
    glass_noted: Lately = field(default_factory=Lately)

    async def resolve(self, asked: ResolveRequest) -> ResolveAnswer:
        """Tell who the tokens are; one that is unknown or not the viewer's is left out."""
        viewer = staff_token(self.staff_key, asked.viewer)
        tokens = list(dict.fromkeys(asked.tokens))
        await self._require_role(viewer, asked.role, "resolve", asked.purpose)
        opened: Collection[str] = ()
        if asked.purpose == "ETREAT":
            opened = await self._require_glass(viewer, tokens, asked)
        else:
            tokens = await self._related(viewer, tokens, asked)
        people = await self.vault.resolve(tokens)
        known = [person.key.token for person in people]
        broken = [one for one in known if one in opened]
        if broken:
            metrics.GLASS_BROKEN.labels(asked.reason).inc()
        for token in broken:
            await self.audit.acted(
                viewer, "break_glass", token, asked.purpose, detail={"reason": asked.reason}
            )
            self.glass_noted.add(_counted(asked.viewer), [token], self.clock.monotonic_s())
        await self.audit.looked(viewer, "resolve", known, asked.purpose)
        return ResolveAnswer(identities=tuple(_identity(person) for person in people))

    async def find(self, asked: FindRequest) -> FindAnswer:
        """Tell the tokens of a whole name or number, with all that are linked to them."""
        viewer = staff_token(self.staff_key, asked.viewer)
        await self._require_role(viewer, asked.role, "find", asked.purpose)
        wanted = term(asked.query)
        await self._require_allowance(self.limits.searches, asked, [wanted], "find")
        found = await self.vault.find_tokens(wanted) if wanted else []
        tokens = (await self.links.one_person(found))[:TOKENS_PER_CALL_MAX] if found else []
        await self.audit.looked(viewer, "find", tokens, asked.purpose)
        return FindAnswer(tokens=tuple(tokens))

    async def _related(
        self, viewer: str, tokens: Sequence[str], asked: ResolveRequest
    ) -> list[str]:
        """Return the tokens of patients in the viewer's units or care, by any identifier."""
        raws = await self.relations.read(tokens) if tokens else []
        related: list[str] = []
        open_ones: list[str] = []
        for token, raw in zip(tokens, raws, strict=True):
            found = [RELATIONS.decode(raw)] if raw else []
            (related if is_related(found, viewer, asked.units) else open_ones).append(token)
        for token in open_ones:
            aliases = await self.links.one_person([token])
            others = [RELATIONS.decode(raw) for raw in await self.relations.read(aliases) if raw]
            if is_related(others, viewer, asked.units):
                related.append(token)
        refused = [token for token in tokens if token not in related]
        if refused:
            metrics.REFUSED_LOOKS.labels("no_relation").inc(len(refused))
        await self._require_allowance(self.limits.patients, asked, related, "resolve")
        return related

    async def _require_glass(
        self, viewer: str, tokens: Sequence[str], asked: ResolveRequest
    ) -> Collection[str]:
        """Return the tokens of which it has to be noted that the glass was broken."""
        if not asked.reason:
            await self._refuse(422, "reason", viewer, "break_glass", asked.purpose)
        await self._require_allowance(self.limits.glass, asked, tokens, "break_glass")
        noted = self.glass_noted.of(_counted(asked.viewer), self.clock.monotonic_s())
        return [one for one in tokens if one not in noted] if asked.again else tokens

    async def _require_role(self, viewer: str, role: str, action: str, purpose: str) -> None:
        if not may_ask(role):
            await self._refuse(403, "role", viewer, action, purpose)

    async def _require_allowance(
        self,
        limit: Allowance,
        asked: ResolveRequest | FindRequest,
        things: Sequence[str],
        action: str,
    ) -> None:
        if not limit.takes(_counted(asked.viewer), things, self.clock.monotonic_s()):
            viewer = staff_token(self.staff_key, asked.viewer)
            await self._refuse(429, "too_many", viewer, action, asked.purpose)

    async def _refuse(
        self, status: int, word: str, viewer: str, action: str, purpose: str
    ) -> NoReturn:
        """Refuse, and write that down."""
        metrics.REFUSED_LOOKS.labels(word).inc()
        await self.audit.acted(viewer, action, "", purpose, f"refused_{word}")
        raise HTTPException(status, word)

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


def _counted(viewer: str) -> str:
    """Return whose allowance it is: a number written in another way is the same person's."""
    return term(viewer) or viewer


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
