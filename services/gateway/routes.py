"""The routes about many patients beside the list: units, live stream, search, counts."""

import asyncio
from collections.abc import AsyncIterator

from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse

from services.gateway import metrics
from services.gateway.access import Viewer, caring_role, decide, scope_of
from services.gateway.board import Scope
from services.gateway.bodies import SearchRequest, read_body, require_same_origin
from services.gateway.desk import Desk, lang_of, reply
from services.gateway.inputs import Lang
from services.gateway.people import band
from services.gateway.present import row
from services.gateway.problems import Problem
from services.gateway.schema import answers, taking
from services.gateway.views_lists import Found, Me, Units, UnitView
from services.gateway.views_ops import Counts
from services.gateway.worklist import Ask, WorklistRoute

FOUND_MAX = 50
OTHERS_MAX = 5
HEARTBEAT_S = 15.0
EVENTS_APART_S = 0.25


class Changes:
    """Wakes the live streams when the board changed, and ends them when the service stops."""

    def __init__(self) -> None:
        """Nothing has changed yet."""
        self._condition = asyncio.Condition()
        self.count = 0
        self.streams = 0
        self.closing = False

    async def tell(self, *, closing: bool = False) -> None:
        """Wake everybody."""
        async with self._condition:
            self.count += 1
            self.closing = self.closing or closing
            self._condition.notify_all()

    async def after(self, count: int, timeout_s: float) -> None:
        """Wait until more than ``count`` changes were told, at most ``timeout_s``."""
        try:
            async with asyncio.timeout(timeout_s), self._condition:
                await self._condition.wait_for(lambda: self.count > count or self.closing)
        except TimeoutError:
            return


class ListRoutes:
    """The handlers; ``router`` has them."""

    def __init__(self, desk: Desk, changes: Changes, worklist: WorklistRoute) -> None:
        """Add the routes; ``worklist`` says what a live stream tells."""
        self._desk = desk
        self._worklist = worklist
        self._changes = changes
        self.router = APIRouter(prefix="/v1", tags=["lists"])
        add = self.router.add_api_route
        add("/me", self.me, responses=answers(Me))
        add("/units", self.units, responses=answers(Units))
        add(
            "/search",
            self.search,
            methods=["POST"],
            responses=answers(Found),
            openapi_extra=taking(SearchRequest),
        )
        add("/stream", self.stream, responses=answers(None))
        add("/ops/counts", self.counts, responses=answers(Counts))

    async def me(self, request: Request) -> Response:
        """Who is signed in."""
        viewer, _ = await self._desk.admit(request, "me")
        return reply(
            Me(
                name=viewer.name,
                roles=tuple(sorted(viewer.roles)),
                units=tuple(sorted(viewer.units)),
                lang=lang_of(request),
                csrf=viewer.csrf,
                expires_ms=viewer.expires_ms,
                demo=self._desk.settings.demo,
            )
        )

    async def units(self, request: Request) -> Response:
        """The viewer's units that have patients, and their own empty ones."""
        viewer, staff = await self._desk.admit(request, "units")
        counts: dict[str, list[int]] = {unit: [0, 0] for unit in viewer.units if unit != "*"}
        for one in self._desk.board.listed(scope_of(viewer, staff), self._desk.clock.now_ms()):
            count = counts.setdefault(one.unit, [0, 0])
            count[0] += 1
            count[1] += band(one) == "high"
        views = (UnitView(unit=u, patients=n, high=high) for u, (n, high) in sorted(counts.items()))
        return reply(Units(units=tuple(views)))

    async def search(self, request: Request) -> Response:
        """The persons with that name or record number, of those the viewer may see."""
        viewer, staff = await self._desk.admit(request, "search")
        require_same_origin(request, viewer)
        asked = await read_body(request, SearchRequest)
        tokens = await self._desk.identities.find(viewer.subject, asked.q, caring_role(viewer))
        if tokens is None:
            return reply(Found(identity="unavailable", patients=(), others=()))
        now_ms = self._desk.clock.now_ms()
        found = {one.id: one for one in map(self._desk.board.find, tokens) if one is not None}
        people = [
            one for one in found.values() if decide(viewer, "patient", staff, one, now_ms).allowed
        ]
        chosen = sorted(people, key=lambda one: one.sort_key)[:FOUND_MAX]
        identities = await self._desk.identify(viewer, staff, chosen, "search")
        if identities is None:
            # Whoever matches a name is named by it: without an audit entry nobody is shown.
            return reply(Found(identity="unavailable", patients=(), others=()))
        looks = self._desk.looks(chosen, identities, lang_of(request))
        others = sorted(found.keys() - {one.id for one in people})[:OTHERS_MAX]
        rows = tuple(row(look) for look in looks)
        return reply(Found(identity="ok", patients=rows, others=tuple(others)))

    async def stream(self, request: Request) -> Response:
        """Server-sent events: ``worklist`` with the new ``ETag`` as data when the list changed."""
        viewer, staff = await self._desk.admit(request, "stream")
        if self._changes.streams >= self._desk.settings.sse_clients_max:
            raise Problem(503, "streams", "Too many live streams; poll instead.")
        scope = scope_of(viewer, staff)
        return StreamingResponse(
            self.events(lang_of(request), viewer, scope),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
        )

    async def counts(self, request: Request) -> Response:
        """What the read model holds; no patients."""
        await self._desk.admit(request, "counts")
        visible, superseded, tokens = await self._desk.model.counts(self._desk.follower.partitions)
        partitions: dict[str, dict[str, int]] = {}
        for name, offset in sorted(self._desk.follower.marks.progress.items()):
            topic, _, number = name.rpartition(":")
            partitions.setdefault(topic, {})[number] = offset
        return reply(
            Counts(
                visible_events=visible,
                superseded=superseded,
                tokens=tokens,
                rows_open=self._desk.follower.rows_listed,
                rebuild_epoch=self._desk.follower.marks.epoch,
                catching_up=self._desk.catching_up(),
                partitions=partitions,
            )
        )

    async def events(self, lang: Lang, viewer: Viewer, scope: Scope) -> AsyncIterator[bytes]:
        """Yield the events of one live stream until it has to end."""
        changes, told = self._changes, ""
        ask = Ask(viewer, scope, 0, lang, shown=True)
        changes.streams += 1
        metrics.SSE_CLIENTS.set(changes.streams)
        try:
            while not changes.closing and viewer.expires_ms > self._desk.clock.now_ms():
                count = changes.count
                tag = self._worklist.tag(ask)
                if tag == told:
                    yield b": here\n\n"
                else:
                    told = tag
                    yield b"event: worklist\ndata: " + tag.encode() + b"\n\n"
                    await asyncio.sleep(EVENTS_APART_S)
                await changes.after(count, HEARTBEAT_S)
        finally:
            changes.streams -= 1
            metrics.SSE_CLIENTS.set(changes.streams)
