"""What every route needs: who asks, may they, and who are these patients. One place decides."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

import msgspec
from fastapi import Request
from fastapi.responses import Response

from contracts.reidentify import Identity
from plumbing.clock import Clock
from plumbing.errors import Unavailable
from plumbing.event_log import EventWriter
from services.gateway import metrics
from services.gateway.access import Action, Decision, Viewer, caring_role, decide
from services.gateway.audit import EMERGENCY, PURPOSE, Auditor
from services.gateway.board import Board
from services.gateway.follower import Follower
from services.gateway.glass import Glass, Glasses
from services.gateway.identity import Identities
from services.gateway.inputs import Lang
from services.gateway.people import Person
from services.gateway.present import Look
from services.gateway.problems import Problem
from services.gateway.read_model import ReadModel
from services.gateway.settings import GatewaySettings
from services.gateway.views import CatchingUp, IdentityState, View

PRIVATE = "private, no-cache"
REFUSALS = {401: "sign_in", 403: "role", 404: "not_found"}
_encoder = msgspec.json.Encoder()


class Admitted(NamedTuple):
    """Who may look at whom: a viewer, their staff token, the person, and by which broken glass."""

    viewer: Viewer
    staff: str
    person: Person
    glass: Glass | None


@dataclass(frozen=True)
class Desk:
    """The parts behind the routes."""

    settings: GatewaySettings
    clock: Clock
    model: ReadModel
    board: Board
    follower: Follower
    identities: Identities
    auditor: Auditor
    glasses: Glasses
    writer: EventWriter
    boot: str

    async def admit(self, request: Request, action: Action) -> tuple[Viewer, str]:
        """Return the viewer and their staff token, or raise the problem that refuses them."""
        viewer = viewer_of(request)
        staff = await self.identities.staff(viewer.subject) if viewer else ""
        self._enforce(decide(viewer, action, staff, None, self.clock.now_ms()))
        return cast("Viewer", viewer), staff

    async def admit_to(self, request: Request, action: Action, token: str) -> Admitted:
        """The same for a route about one patient, who is returned too."""
        viewer = viewer_of(request)
        staff = await self.identities.staff(viewer.subject) if viewer else ""
        about = self.board.find(token)
        glass = self.glasses.over(request, viewer, about)
        now_ms = self.clock.now_ms()
        decision = decide(viewer, action, staff, about, now_ms, glass=glass is not None)
        self._enforce(decision)
        by_glass = glass if decision.rule == "broken_glass" else None
        return Admitted(cast("Viewer", viewer), staff, cast("Person", about), by_glass)

    def _enforce(self, decision: Decision) -> None:
        word = "allowed" if decision.allowed else "refused"
        metrics.AUTHZ_DECISIONS.labels(word, decision.rule).inc()
        if not decision.allowed:
            raise Problem(decision.status, REFUSALS[decision.status])

    async def identify(
        self,
        viewer: Viewer,
        staff: str,
        people: Sequence[Person],
        action: str,
        glass: Glass | None = None,
    ) -> dict[str, Identity] | None:
        """Return who these persons are (by display token), None when that cannot be shown now:
        privacy is away, or the look cannot be written down.
        """
        tokens = [one.display for one in people]
        reason = glass.reason if glass else ""
        found = await self.identities.resolve(
            viewer.subject, tokens, caring_role(viewer), viewer.units, reason
        )
        if found is None or not staff:
            return None
        about = people[0].id if len(people) == 1 else ""
        try:
            detail = {"rows": str(len(people))}
            purpose = EMERGENCY if glass else PURPOSE
            await self.auditor.look(staff, action, about, detail, purpose)
        except Unavailable:
            return None
        return found

    def looks(
        self,
        people: Iterable[Person],
        identities: dict[str, Identity] | None,
        lang: Lang,
    ) -> list[Look]:
        """Return what ``present`` needs of each person."""
        now_ms = self.clock.now_ms()
        known = identities or {}
        return [Look(one, known.get(one.display), now_ms, lang) for one in people]

    def catching_up(self) -> CatchingUp | None:
        """Return how far behind the list is, if it is."""
        minutes = self.follower.behind_minutes
        return None if minutes is None else CatchingUp(behind_minutes=minutes)


def viewer_of(request: Request) -> Viewer | None:
    """Return who is signed in."""
    return cast("Viewer | None", request.state.viewer)


def lang_of(request: Request) -> Lang:
    """Return the language of the answer."""
    return cast("Lang", request.state.lang)


def state_of(identities: dict[str, Identity] | None) -> IdentityState:
    """Return the word for whether identities could be shown."""
    return "unavailable" if identities is None else "ok"


def body(view: View) -> bytes:
    """Return a view as JSON."""
    return _encoder.encode(view)


def reply(view: View) -> Response:
    """Answer with a view; nothing of it may be kept by anybody on the way."""
    return Response(body(view), media_type="application/json", headers={"Cache-Control": PRIVATE})
