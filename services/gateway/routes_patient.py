"""The routes about one patient: the whole view, its history, its explanation, a decision."""

import asyncio
import os
from contextlib import suppress
from typing import Annotated
from weakref import WeakValueDictionary

import msgspec
from fastapi import APIRouter, Header, Path, Query, Request
from fastapi.responses import Response

from contracts.reviewed import REVIEWED, Review
from contracts.topic import DAY_MS
from plumbing import trace
from plumbing.errors import Unavailable
from plumbing.event_log import Output
from services.gateway import metrics
from services.gateway.bodies import read_body, require_same_origin
from services.gateway.desk import Admitted, Desk, lang_of, reply, state_of
from services.gateway.history import readings, series
from services.gateway.people import Person
from services.gateway.present import Look, doubted_views, risk_view, row, vital_views
from services.gateway.problems import Problem
from services.gateway.reviews import REASONS, ReviewRequest, review
from services.gateway.schema import answers, taking
from services.gateway.stored import Detail, Point, risks_of, vitals_of
from services.gateway.views import (
    Explanation,
    GlassView,
    History,
    Patient,
    Reviewed,
    ReviewView,
    SupersededView,
)

EVENTS_MAX = 2_000
EVENTS_LOOKED_AT = 50
ALL_TIME_MS = 2**52

Token = Annotated[str, Path(max_length=64, description="`id` of a row.")]
EventId = Annotated[str, Path(max_length=64, description="The event whose result is decided on.")]
Key = Annotated[
    str, Header(alias="Idempotency-Key", min_length=1, max_length=128, description="Once per try.")
]


class PatientRoutes:
    """The handlers; ``router`` has them."""

    def __init__(self, desk: Desk) -> None:
        """Add the routes."""
        self._desk = desk
        self._deciding: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self.router = APIRouter(prefix="/v1", tags=["patients"])
        add = self.router.add_api_route
        add("/patients/{token}", self.patient, responses=answers(Patient))
        add("/patients/{token}/history", self.history, responses=answers(History))
        add("/patients/{token}/explanation", self.explanation, responses=answers(Explanation))
        add(
            "/events/{event_id}/review",
            self.review,
            methods=["POST"],
            responses=answers(Reviewed, {409: "Under review, or the key has another decision."}),
            openapi_extra=taking(ReviewRequest),
        )

    async def patient(self, request: Request, token: Token) -> Response:
        """One person in full."""
        admitted = await self._desk.admit_to(request, "patient", token)
        one, glass = admitted.person, admitted.glass
        look, shown = await self._look(request, admitted)
        report = one.reported.assessment if one.reported else None
        source = report.token if report else ""
        event_id = await self._reviewable(one)
        decided = one.review
        return reply(
            Patient(
                **msgspec.structs.asdict(row(look)),
                identity=state_of({} if shown else None),
                catching_up=self._desk.catching_up(),
                event_id=event_id,
                vitals=vital_views(report.vitals, look, source) if report else (),
                scores=report.scores if report else (),
                risks=tuple(risk_view(risk, look, source) for risk in report.risks)
                if report
                else (),
                aliases_count=len(one.aliases),
                history_url=f"/v1/patients/{one.id}/history",
                review=ReviewView(
                    event_id=decided.event_id,
                    decision=decided.decision,
                    reason=decided.reason,
                    decided_ms=decided.decided_at_ms,
                )
                if decided
                else None,
                decisions_open=shown
                and event_id is not None
                and not one.under_review
                and glass is None,
                glass=GlassView(reason=glass.reason, until_ms=glass.until_ms) if glass else None,
            )
        )

    async def history(
        self,
        request: Request,
        token: Token,
        from_ms: Annotated[int | None, Query(alias="from", description="Real time, ms.")] = None,
        to_ms: Annotated[int | None, Query(alias="to", description="Real time, ms.")] = None,
        points: Annotated[int, Query(ge=3, le=2_000, description="At most, per series.")] = 300,
    ) -> Response:
        """The scores, the risk and the vitals over time."""
        admitted = await self._desk.admit_to(request, "history", token)
        one = admitted.person
        look, _ = await self._look(request, admitted)
        found: list[Point] = []
        vitals: list[tuple[str, int, float]] = []
        for alias in one.aliases:
            delta_ms = one.deltas.get(alias, 0) * DAY_MS
            shift_ms = delta_ms + (look.identity.shift_days * DAY_MS if look.identity else 0)
            span = _span(from_ms, to_ms, shift_ms) if look.identity else (-ALL_TIME_MS, ALL_TIME_MS)
            stored = (await self._desk.model.points(alias, *span))[-EVENTS_MAX:]
            found += [msgspec.structs.replace(p, at_ms=p.at_ms + delta_ms) for _, p in stored]
            for detail in await self._desk.model.details(alias, [event for event, _ in stored]):
                vitals += readings(detail, delta_ms) if detail else []
        found.sort(key=lambda point: (point.at_ms, point.scored_ms))
        return reply(series(found, vitals, look.series_base(found), points))

    async def explanation(
        self,
        request: Request,
        token: Token,
        event_id: Annotated[str, Query(max_length=64, description="One event of the patient.")],
    ) -> Response:
        """Everything behind the result of one event."""
        admitted = await self._desk.admit_to(request, "explanation", token)
        look, _ = await self._look(request, admitted)
        for alias in admitted.person.aliases:
            (detail,) = await self._desk.model.details(alias, [event_id])
            if detail is not None:
                old = await self._desk.model.superseded(alias, event_id)
                return reply(_explanation(event_id, alias, detail, old, look))
        raise Problem(404, "not_found")

    async def review(self, request: Request, event_id: EventId, key: Key) -> Response:
        """Accept or override the result of an event; stored before this answers.

        The same key with the same decision gives the same answer, and records nothing again.
        """
        token = await self._desk.model.token_of(event_id, self._desk.follower.partitions)
        admitted = await self._desk.admit_to(request, "review", token or "")
        require_same_origin(request, admitted.viewer)
        asked = await _decision(request)
        now_ms = self._desk.clock.now_ms()
        made = review(
            asked,
            event_id=event_id,
            token=token or "",
            staff=admitted.staff,
            key=key,
            now_ms=now_ms,
        )
        async with self._one_at_a_time(made.review_id):
            stored = await self._desk.model.decision(made.token, made.review_id)
            if stored is not None:
                return reply(_same_again(stored, asked))
            _, shown = await self._look(request, admitted)
            if not shown:
                raise Problem(
                    503, "identity_unavailable", "Decisions are off while names are away."
                )
            if admitted.person.under_review:
                raise Problem(
                    409, "under_review", "The links of this patient are being worked out."
                )
            await self._record(request, made)
        return reply(_reviewed(made))

    async def _record(self, request: Request, made: Review) -> None:
        detail = {"event_id": made.event_id, "decision": made.decision, "reason": made.reason}
        await self._desk.auditor.decided(made.viewer, made.token, detail)
        headers = trace.headers_of(
            made.event_id, ((trace.TRACEPARENT, _traceparent(request)),), os.urandom
        )
        output = Output(REVIEWED.name, made.token.encode(), REVIEWED.encode(made), headers)
        await self._desk.writer.write([output])
        with suppress(Unavailable):  # it is recorded, and the projection brings it back
            await self._desk.model.keep_decision(made)
        metrics.FEEDBACK.labels(made.decision, made.reason).inc()

    def _one_at_a_time(self, review_id: str) -> asyncio.Lock:
        """The lock of one try: a second of the same waits for the first."""
        return self._deciding.setdefault(review_id, asyncio.Lock())

    async def _reviewable(self, one: Person) -> str | None:
        """The newest event that got a score: what a decision about the report is tied to."""
        found: list[tuple[int, str]] = []
        for alias in one.aliases:
            delta_ms = one.deltas.get(alias, 0) * DAY_MS
            found += [
                (point.at_ms + delta_ms, event_id)
                for event_id, point in await self._desk.model.last_events(alias, EVENTS_LOOKED_AT)
                if point.total is not None or point.probability is not None
            ]
        return max(found)[1] if found else None

    async def _look(self, request: Request, admitted: Admitted) -> tuple[Look, bool]:
        viewer, staff, one, glass = admitted
        identities = await self._desk.identify(viewer, staff, [one], "patient", glass)
        (look,) = self._desk.looks([one], identities, lang_of(request))
        return look, identities is not None


def _explanation(
    event_id: str, alias: str, detail: Detail, old: list[tuple[int, Point]], look: Look
) -> Explanation:
    return Explanation(
        event_id=event_id,
        event_type=detail.event_type,
        status="scored" if detail.status == "scored" else "not_scored",
        reason=detail.reason,
        as_of_ms=look.real(detail.as_of_ms, alias),
        model_epoch=detail.model_epoch,
        inputs_digest=detail.inputs_digest,
        device=detail.device,
        degraded=detail.degraded,
        scores=detail.scores,
        risks=tuple(risk_view(risk, look, alias) for risk in risks_of(detail)),
        vitals=vital_views(vitals_of(detail), look, alias),
        doubted=doubted_views(detail, look, alias),
        red_flags=detail.red_flags,
        superseded=tuple(
            SupersededView(
                model_epoch=epoch,
                superseded_by=detail.model_epoch,
                news2_total=point.total,
                probability=point.probability,
            )
            for epoch, point in old
        ),
    )


def _span(from_ms: int | None, to_ms: int | None, shift_ms: int) -> tuple[int, int]:
    """A span of real time as shifted times of one token."""
    start = -ALL_TIME_MS if from_ms is None else from_ms - shift_ms
    stop = ALL_TIME_MS if to_ms is None else to_ms - shift_ms
    return max(start, -ALL_TIME_MS), min(stop, ALL_TIME_MS)


async def _decision(request: Request) -> ReviewRequest:
    asked = await read_body(request, ReviewRequest)
    if asked.reason not in REASONS[asked.decision]:
        raise Problem(422, "reason", "The reason is not one of the coded set for this decision.")
    return asked


def _same_again(stored: Review, asked: ReviewRequest) -> Reviewed:
    """The answer to a try that was recorded before; another decision under its key is refused."""
    if (stored.decision, stored.reason) != (asked.decision, asked.reason):
        raise Problem(409, "key_reused", "This Idempotency-Key has recorded another decision.")
    return _reviewed(stored)


def _reviewed(made: Review) -> Reviewed:
    return Reviewed(
        review_id=made.review_id,
        event_id=made.event_id,
        decision=made.decision,
        reason=made.reason,
        decided_ms=made.decided_at_ms,
    )


def _traceparent(request: Request) -> bytes:
    return request.headers.get("traceparent", "").encode()
