"""The worklist: the route that every page asks every few seconds.

Its tag is made from versions alone, so that an unchanged list is answered before any row is looked
at; the front door asks ``at_once`` before the framework gets to see the request.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.datastructures import QueryParams

from services.gateway.access import Viewer, decide, scope_of
from services.gateway.board import Scope
from services.gateway.desk import PRIVATE, Desk, body, lang_of
from services.gateway.inputs import Lang
from services.gateway.present import Look, row
from services.gateway.problems import Problem
from services.gateway.schema import answers, query_parameter
from services.gateway.views import Row, Worklist

PATH = "/v1/worklist"
ROWS_MAX = 1_000
ROWS_DEFAULT = 200
ROWS_KEPT_MAX = 20_000
BODIES_MAX = 512
TEXT_MAX = 128
HASH_MASK = 2**64 - 1
LIST_PARAMETERS = [
    query_parameter("unit", {"type": "string"}, "One unit; empty: all of the viewer's."),
    query_parameter("since", {"type": "string"}, "`cursor` of an earlier answer."),
    query_parameter(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": ROWS_MAX, "default": ROWS_DEFAULT},
        "At most this many rows.",
    ),
    query_parameter("lang", {"enum": ["en", "zh"]}, "The language of texts."),
]


@dataclass(frozen=True, slots=True)
class Ask:
    """One question for the list; ``shown``: identities are part of the answer."""

    viewer: Viewer
    scope: Scope
    limit: int
    lang: Lang
    shown: bool


class WorklistRoute:
    """The handler; ``router`` has it."""

    def __init__(self, desk: Desk) -> None:
        """Add the route. Its parameters are read by hand: that is most of what it would cost."""
        self._desk = desk
        self._bodies: dict[str, bytes] = {}
        self._rows: dict[tuple[str, Lang], tuple[Look, Row]] = {}
        self.router = APIRouter(tags=["lists"])
        self.router.add_api_route(
            PATH,
            self.answer,
            responses=answers(Worklist),
            openapi_extra={"parameters": LIST_PARAMETERS},
        )

    def at_once(self, viewer: Viewer, query: str, lang: Lang, tag: str) -> Response | None:
        """Return the 304 when nothing of the list changed since ``tag``, or the list that this
        viewer was given seconds ago when it is still that; None: ask the route.

        Everything it needs is in memory; what is not, or would be refused, is left to the route.
        """
        staff = self._desk.identities.staff_known(viewer.subject)
        now_ms = self._desk.clock.now_ms()
        if not staff or not decide(viewer, "worklist", staff, None, now_ms).allowed:
            return None
        parameters = QueryParams(query)
        try:
            ask = _asked(viewer, staff, parameters, lang)
        except Problem:
            return None
        current = self.tag(ask)
        found = None if tag == current else self._bodies.get(f"{current}{_since(parameters)}")
        if tag != current and found is None:
            return None
        people = self._desk.board.listed(ask.scope, now_ms)[: ask.limit]
        if not self._desk.identities.settled(viewer.subject, [one.display for one in people]):
            return None
        return _same(current) if found is None else _whole(found, current)

    async def answer(self, request: Request) -> Response:
        """The sickest first. 304 when nothing of it changed since the ``ETag``."""
        viewer, staff = await self._desk.admit(request, "worklist")
        since = _since(request.query_params)
        ask = _asked(viewer, staff, request.query_params, lang_of(request))
        people = self._desk.board.listed(ask.scope, self._desk.clock.now_ms())[: ask.limit]
        identities = await self._desk.identify(viewer, staff, people, "worklist")
        ask = replace(ask, shown=identities is not None)
        tag = self.tag(ask)
        if request.headers.get("if-none-match") == tag:
            return _same(tag)
        key = f"{tag}{since}"
        found = self._bodies.get(key)
        if found is None:
            looks = self._desk.looks(people, identities, ask.lang)
            found = body(self._list(looks, ask, tag, since))
            if len(self._bodies) >= BODIES_MAX:
                self._bodies.clear()
            self._bodies[key] = found
        return _whole(found, tag)

    def forget(self) -> None:
        """Drop what was built with names in it: no name is kept longer than privacy allows."""
        self._bodies.clear()
        self._rows.clear()

    def _list(self, looks: Sequence[Look], ask: Ask, tag: str, since: str) -> Worklist:
        """The whole list, or what changed since a cursor when that is told exactly."""
        now_ms = self._desk.clock.now_ms()
        total = len(self._desk.board.listed(ask.scope, now_ms))
        rows = tuple(self._row(look) for look in looks)
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

    def _row(self, look: Look) -> Row:
        """The row of a person, built once for all who see the same of them."""
        key = (look.person.id, look.lang)
        known = self._rows.get(key)
        if known and known[0].person is look.person and known[0].identity == look.identity:
            return known[1]
        if len(self._rows) >= ROWS_KEPT_MAX:
            self._rows.clear()
        built = row(look)
        self._rows[key] = (look, built)
        return built

    def _changes_since(
        self, ask: Ask, looks: Sequence[Look], version: int, named: int
    ) -> tuple[set[str] | None, set[str]]:
        """The ids of the rows that changed (None: not known) and of those that left."""
        renamed = self._desk.identities.changed_since(ask.viewer.subject, named)
        if renamed is None or version < self._desk.follower.complete_since:
            return None, set()
        now_ms = self._desk.clock.now_ms()
        changed, gone = self._desk.board.changed_since(ask.scope, version, now_ms)
        people = (look.person for look in looks)
        return changed | {one.id for one in people if one.display in renamed}, gone

    def tag(self, ask: Ask) -> str:
        """Return the state of the list and of everything else that its answer depends on.

        ``<version>-<version of the names>-<minutes behind>.<the question>``, all but the last in
        hexadecimal: the part after the point stays the same while the list changes.
        """
        marks, hour = self._desk.follower.marks, self._desk.clock.now_ms() // 3_600_000
        named = self._desk.identities.version(ask.viewer.subject)
        behind = self._desk.follower.behind_minutes or 0
        asked = hash(
            (marks.epoch, ask.viewer.subject, ask.scope, ask.limit, ask.lang, ask.shown, hour)
        )
        place = f"{self._desk.boot}{asked & HASH_MASK:x}"
        return f'"{marks.version:x}-{named:x}-{behind:x}.{place}"'


def _same(tag: str) -> Response:
    return Response(status_code=304, headers=_headers(tag))


def _whole(found: bytes, tag: str) -> Response:
    return Response(found, headers=_headers(tag), media_type="application/json")


def _since(query: QueryParams) -> str:
    return query.get("since", "")[:TEXT_MAX]


def _headers(tag: str) -> dict[str, str]:
    return {"ETag": tag, "Cache-Control": PRIVATE, "Vary": "Authorization, Cookie"}


def _asked(viewer: Viewer, staff: str, query: QueryParams, lang: Lang) -> Ask:
    """What a request asks for; raises ``Problem`` when that makes no sense."""
    unit = query.get("unit", "")
    given = query.get("limit", "")
    limit = int(given) if given.isdecimal() and len(given) < 6 else ROWS_DEFAULT
    fine = (not given or given.isdecimal()) and 1 <= limit <= ROWS_MAX
    if not fine or len(unit) > TEXT_MAX:
        raise Problem(422, "parameters", "A parameter is missing or out of range.")
    return Ask(viewer, scope_of(viewer, staff, unit or None), limit, lang, shown=True)


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
