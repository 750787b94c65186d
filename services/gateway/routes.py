"""The routes about many patients: the list, its units, its live stream, search, counts."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response, StreamingResponse

from services.gateway import metrics
from services.gateway.access import Viewer, decide, scope_of
from services.gateway.board import Scope
from services.gateway.desk import PRIVATE, Desk, body, lang_of, reply
from services.gateway.people import band
from services.gateway.present import Lang, Look, row
from services.gateway.problems import Problem
from services.gateway.schema import answers
from services.gateway.views import Counts, Found, Me, Units, UnitView, Worklist

ROWS_MAX = 1_000
BODIES_MAX = 512
FOUND_MAX = 50
HEARTBEAT_S = 15.0
EVENTS_APART_S = 0.25

Unit = Annotated[str, Query(max_length=64, description="One unit; empty: all of the viewer's.")]
Limit = Annotated[int, Query(ge=1, le=ROWS_MAX, description="At most this many rows.")]
Cursor = Annotated[str, Query(max_length=128, description="`cursor` of an earlier answer.")]
Words = Annotated[str, Query(min_length=2, max_length=100, description="Name or record number.")]
Language = Annotated[str, Query(pattern="^(en|zh)?$", description="`en` or `zh`.")]


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


@dataclass(frozen=True, slots=True)
class _Ask:
    """One question for the list; ``shown``: identities are part of the answer."""

    viewer: Viewer
    scope: Scope
    limit: int
    lang: Lang
    shown: bool


class ListRoutes:
    """The handlers; ``router`` has them."""

    def __init__(self, desk: Desk, changes: Changes) -> None:
        """Add the routes."""
        self._desk = desk
        self._changes = changes
        self._bodies: dict[str, bytes] = {}
        self.router = APIRouter(prefix="/v1", tags=["lists"])
        add = self.router.add_api_route
        add("/me", self.me, responses=answers(Me))
        add("/units", self.units, responses=answers(Units))
        add("/worklist", self.worklist, responses=answers(Worklist))
        add("/search", self.search, responses=answers(Found))
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

    async def worklist(
        self,
        request: Request,
        unit: Unit = "",
        since: Cursor = "",
        limit: Limit = 200,
        lang: Language = "",  # noqa: ARG002  # read by the door, declared here for the documentation
    ) -> Response:
        """The sickest first. 304 when nothing of it changed since the ``ETag``."""
        viewer, staff = await self._desk.admit(request, "worklist")
        scope = scope_of(viewer, staff, unit or None)
        people = self._desk.board.listed(scope, self._desk.clock.now_ms())[:limit]
        ask = _Ask(viewer, scope, limit, lang_of(request), shown=True)
        asked = request.headers.get("if-none-match")
        displays = (one.display for one in people)
        if asked is not None and self._desk.identities.settled(viewer.subject, displays):
            tag = self._tag(ask)
            if asked == tag:
                return self._same(tag)
        identities = await self._desk.identify(viewer, staff, people, "worklist")
        ask = replace(ask, shown=identities is not None)
        tag = self._tag(ask)
        if asked == tag:
            return self._same(tag)
        key = f"{tag}{since}"
        found = self._bodies.get(key)
        if found is None:
            looks = self._desk.looks(people, identities, ask.lang)
            found = body(self._list(looks, ask, tag, since))
            if len(self._bodies) >= BODIES_MAX:
                self._bodies.clear()
            self._bodies[key] = found
        return Response(found, headers=self._headers(tag), media_type="application/json")

    async def search(self, request: Request, q: Words) -> Response:
        """The persons with that name or record number, of those the viewer may see."""
        viewer, staff = await self._desk.admit(request, "search")
        tokens = await self._desk.identities.find(viewer.subject, q)
        if tokens is None:
            return reply(Found(identity="unavailable", patients=()))
        now_ms = self._desk.clock.now_ms()
        people = {
            one.id: one
            for one in map(self._desk.board.find, tokens)
            if one is not None and decide(viewer, "patient", staff, one, now_ms).allowed
        }
        chosen = sorted(people.values(), key=lambda one: one.sort_key)[:FOUND_MAX]
        identities = await self._desk.identify(viewer, staff, chosen, "search")
        if identities is None:
            # Whoever matches a name is named by it: without an audit entry nobody is shown.
            return reply(Found(identity="unavailable", patients=()))
        looks = self._desk.looks(chosen, identities, lang_of(request))
        return reply(Found(identity="ok", patients=tuple(row(look) for look in looks)))

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

    def _list(self, looks: Sequence[Look], ask: _Ask, tag: str, since: str) -> Worklist:
        """The whole list, or what changed since a cursor when that is told exactly."""
        now_ms = self._desk.clock.now_ms()
        total = len(self._desk.board.listed(ask.scope, now_ms))
        rows = tuple(row(look) for look in looks)
        changed, gone = None, set[str]()
        former = _versions(since, tag)
        if former is not None and total == len(rows):
            changed, gone = self._changes_since(ask, looks, *former)
        return Worklist(
            generated_ms=now_ms,
            cursor=tag.strip('"'),
            full=changed is None,
            catching_up=self._desk.catching_up(),
            identity="ok" if ask.shown else "unavailable",
            total=total,
            order=tuple(one.id for one in rows),
            patients=rows if changed is None else tuple(one for one in rows if one.id in changed),
            gone=tuple(sorted(gone)),
        )

    def _changes_since(
        self, ask: _Ask, looks: Sequence[Look], version: int, named: int
    ) -> tuple[set[str] | None, set[str]]:
        """The ids of the rows that changed (None: not known) and of those that left."""
        renamed = self._desk.identities.changed_since(ask.viewer.subject, named)
        if renamed is None or version < self._desk.follower.complete_since:
            return None, set()
        now_ms = self._desk.clock.now_ms()
        changed, gone = self._desk.board.changed_since(ask.scope, version, now_ms)
        people = (look.person for look in looks)
        return changed | {one.id for one in people if one.display in renamed}, gone

    def _tag(self, ask: _Ask) -> str:
        """The state of the list and of everything its answer depends on; no row is looked at.

        ``<version>-<version of the names>-<minutes behind>.<the question>``, all but the last in
        hexadecimal: the part after the point stays the same while the list changes.
        """
        marks, hour = self._desk.follower.marks, self._desk.clock.now_ms() // 3_600_000
        named = self._desk.identities.version(ask.viewer.subject)
        behind = self._desk.follower.behind_minutes or 0
        asked = (
            f"{self._desk.boot}|{marks.epoch}|{ask.viewer.subject}|{ask.scope}|{ask.limit}|{hour}"
            f"|{ask.lang}|{ask.shown}"
        )
        digest = blake2b(asked.encode(), digest_size=9).hexdigest()
        return f'"{marks.version:x}-{named:x}-{behind:x}.{digest}"'

    async def events(self, lang: Lang, viewer: Viewer, scope: Scope) -> AsyncIterator[bytes]:
        """Yield the events of one live stream until it has to end."""
        changes, told = self._changes, ""
        ask = _Ask(viewer, scope, 0, lang, shown=True)
        changes.streams += 1
        metrics.SSE_CLIENTS.set(changes.streams)
        try:
            while not changes.closing and viewer.expires_ms > self._desk.clock.now_ms():
                count = changes.count
                tag = self._tag(ask)
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

    def _same(self, tag: str) -> Response:
        return Response(status_code=304, headers=self._headers(tag))

    @staticmethod
    def _headers(tag: str) -> dict[str, str]:
        return {"ETag": tag, "Cache-Control": PRIVATE, "Vary": "Authorization, Cookie"}


def _versions(cursor: str, tag: str) -> tuple[int, int] | None:
    """The two versions in a cursor of the same question as ``tag``, None for any other text."""
    state, _, asked = cursor.partition(".")
    parts = state.split("-")
    if asked != tag.strip('"').partition(".")[2] or len(parts) != 3:
        return None
    try:
        return int(parts[0], 16), int(parts[1], 16)
    except ValueError:
        return None
