"""The route that breaks the glass over one patient."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from contracts.reidentify import GlassReason
from plumbing.errors import Unavailable
from services.gateway import metrics
from services.gateway.access import Viewer, caring_role, decide
from services.gateway.bodies import GlassRequest, read_body, require_same_origin
from services.gateway.desk import Desk, reply
from services.gateway.glass import REASONS
from services.gateway.identity import PrivacyRefuses
from services.gateway.people import Person
from services.gateway.problems import Problem
from services.gateway.schema import answers, taking
from services.gateway.views import GlassView

Token = Annotated[str, Path(max_length=64, description="`id` of a patient.")]


class GlassRoutes:
    """The handler; ``router`` has it."""

    def __init__(self, desk: Desk) -> None:
        """Add the route."""
        self._desk = desk
        self.router = APIRouter(prefix="/v1", tags=["patients"])
        self.router.add_api_route(
            "/patients/{token}/glass",
            self.break_glass,
            methods=["POST"],
            responses=answers(
                GlassView,
                {409: "The viewer has a care relation.", 429: "Enough were broken this hour."},
            ),
            openapi_extra=taking(GlassRequest),
        )

    async def break_glass(self, request: Request, token: Token) -> Response:
        """Open a patient without a care relation, for a coded reason and a short time.

        It is on privacy's and on this audit log before this answers; decisions stay closed.
        """
        viewer, staff = await self._desk.admit(request, "glass")
        require_same_origin(request, viewer)
        asked = await read_body(request, GlassRequest)
        if asked.reason not in REASONS:
            raise Problem(422, "reason", "The reason is not one of the coded set.")
        about = self._desk.board.find(token)
        if about is None:
            raise Problem(404, "not_found")
        if decide(viewer, "patient", staff, about, self._desk.clock.now_ms()).allowed:
            raise Problem(409, "related", "This patient is in the viewer's care already.")
        await self._tell(viewer, staff, about, asked.reason)
        glass = self._desk.glasses.broken(about, asked.reason)
        metrics.GLASS_BROKEN.labels(asked.reason).inc()
        answer = reply(GlassView(reason=glass.reason, until_ms=glass.until_ms))
        self._desk.glasses.keep(answer, viewer, glass)
        return answer

    async def _tell(self, viewer: Viewer, staff: str, about: Person, reason: GlassReason) -> None:
        """Have privacy tell who it is, and write down both; or raise the problem."""
        if not staff:
            raise _away()  # who looks could not be written down: privacy would open for nobody
        identities = self._desk.identities
        try:
            told = await identities.break_glass(
                viewer.subject, about.display, caring_role(viewer), reason
            )
        except PrivacyRefuses as error:
            if error.status == 429:
                raise Problem(
                    429, "too_many", "Enough patients were opened without a relation."
                ) from error
            raise Problem(403, "role") from error
        if not told:
            raise _away()
        try:
            await self._desk.auditor.broke_glass(staff, about.id, reason)
        except Unavailable:
            identities.drop([about.display])
            raise


def _away() -> Problem:
    return Problem(503, "identity_unavailable", "Names are away: nothing can be opened.")
