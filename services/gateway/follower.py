"""Keeps the board in step with the read model.

While the read model is being rebuilt the board keeps what it has, and says how old that may be,
until the rebuild has come as far as the board had seen it before.
"""

from collections.abc import Callable, Iterable, Sequence

from contracts.assessed import CURRENT
from contracts.merged import MERGED
from contracts.relations import RELATIONS
from contracts.reviewed import REVIEWED
from plumbing.clock import Clock
from services.gateway import metrics
from services.gateway.board import Board, Scope
from services.gateway.people import Related, Reported, TokenState
from services.gateway.project import read_mark
from services.gateway.read_model import ReadModel
from services.gateway.standing import says_something
from services.gateway.stored import ALL_PARTS, Point
from services.gateway.writes import Kind, Marks, StoredRow

ROW_KINDS: tuple[Kind, ...] = ("lnk", "rel", "cur", "rev")
ROW_TOPIC_NAMES = (CURRENT.name, RELATIONS.name, MERGED.name)
TRAIL_MS = 13 * 3_600_000
EARLIER_MAX = 50
RELOAD_EVERY_MS = 300_000
TOKENS_PER_READ = 500
MINUTE_MS = 60_000
EVERYWHERE = Scope(units=None, staff="")


class Follower:
    """Fills ``board`` from ``model``. ``partitions`` is the most that a projected topic has;
    ``relinked`` is told the tokens whose person changed, so that no identity outlives that.
    """

    def __init__(
        self,
        model: ReadModel,
        board: Board,
        partitions: int,
        clock: Clock,
        relinked: Callable[[Iterable[str]], None],
    ) -> None:
        """Start with an empty board."""
        self.board = board
        self.marks = Marks("", 0, {}, {})
        self.complete_since = 0
        self.behind_minutes: int | None = None
        self.loaded = False
        self.rows_listed = 0
        self._model = model
        self.partitions = partitions
        self._clock = clock
        self._relinked = relinked
        self._loaded_ms = 0
        self._waiting_since_ms: int | None = None
        self._hour = 0

    async def refresh(self) -> bool:
        """Take over what changed; return whether anything shown did. Raises ``Unavailable``."""
        before = (self.board.serial, self.behind_minutes)
        marks = await self._model.marks()
        if self._must_reload(marks) and not self._may_reload(marks):
            self.wait()
        else:
            with metrics.BOARD_REFRESH_SECONDS.time():
                await self._take_over(marks)
            self._waiting_since_ms = None
            self._settle(marks.lag_ms)
        return before != (self.board.serial, self.behind_minutes)

    def wait(self) -> None:
        """Say that the read model cannot be followed now: the list stays, and grows old."""
        now_ms = self._clock.now_ms()
        if self._waiting_since_ms is None:
            self._waiting_since_ms = now_ms
        self._behind(self._waiting_since_ms)

    async def _take_over(self, marks: Marks) -> None:
        if self._must_reload(marks):
            await self._reload(marks)
        elif marks.version > self.marks.version:
            await self._follow(marks)
        self.marks = marks

    def _must_reload(self, marks: Marks) -> bool:
        return (
            not self.loaded
            or marks.epoch != self.marks.epoch
            or marks.version < self.marks.version
            or self._clock.now_ms() - self._loaded_ms > RELOAD_EVERY_MS
        )

    def _may_reload(self, marks: Marks) -> bool:
        """Has the read model got as far as the board has seen it before?"""
        return all(
            marks.progress.get(name, 0) >= offset
            for name, offset in self.marks.progress.items()
            if name.rpartition(":")[0] in ROW_TOPIC_NAMES
        )

    async def _reload(self, marks: Marks) -> None:
        states: dict[str, TokenState] = {}
        for kind in ROW_KINDS:
            for partition in range(self.partitions):
                async for token, row in self._model.all_rows(kind, partition):
                    _put(states.setdefault(token, TokenState()), kind, row)
        await self._read_trails(states, list(states))
        if not self.loaded or marks.epoch != self.marks.epoch:
            self.complete_since = marks.version
        self.board.replace(states, marks.version)
        self._loaded_ms = self._clock.now_ms()
        self.loaded = True

    async def _follow(self, marks: Marks) -> None:
        states = self.board.states
        changed = await self._model.changed(self.marks.version)
        rows = [one for one in changed if one[0] != "evt"]
        for first in range(0, len(rows), TOKENS_PER_READ):
            portion = rows[first : first + TOKENS_PER_READ]
            found = await self._model.rows(portion)
            for (kind, _, token), row in zip(portion, found, strict=True):
                _put(states.setdefault(token, TokenState()), kind, row)
        await self._read_trails(states, [token for kind, _, token in changed if kind == "evt"])
        gone = {token for _, _, token in changed if states.get(token) == TokenState()}
        for token in gone:
            del states[token]
        relinked = {token for kind, _, token in rows if kind == "lnk"}
        looked_at = self.board.update({token for _, _, token in changed}, relinked, marks.version)
        if relinked or gone:
            self._relinked(looked_at)

    async def _read_trails(self, states: dict[str, TokenState], tokens: Sequence[str]) -> None:
        for first in range(0, len(tokens), TOKENS_PER_READ):
            portion = tokens[first : first + TOKENS_PER_READ]
            found = await self._model.tails(portion, TRAIL_MS)
            for token, trail in zip(portion, found, strict=True):
                state = states.setdefault(token, TokenState())
                state.trail, state.earlier = trail, ()
            await self._read_earlier(states, dict(zip(portion, found, strict=True)))

    async def _read_earlier(
        self, states: dict[str, TokenState], trails: dict[str, tuple[Point, ...]]
    ) -> None:
        """Where the newest result leaves the score open, an older one may be what stands."""
        wanted = [
            (token, trail[0].at_ms)
            for token, trail in trails.items()
            if trail and trail[-1].parts != ALL_PARTS
        ]
        found = await self._model.before(wanted, EARLIER_MAX)
        for (token, _), points in zip(wanted, found, strict=True):
            states[token].earlier = tuple(one for one in points if says_something(one))

    def _settle(self, lag_ms: dict[str, int]) -> None:
        """Work out how far behind the list is; each hour, drop who was long not seen."""
        self._behind(min(lag_ms.values(), default=None))
        now_ms = self._clock.now_ms()
        if now_ms // (60 * MINUTE_MS) != self._hour:
            self._hour = now_ms // (60 * MINUTE_MS)
            self.board.touch()
        self.rows_listed = len(self.board.listed(EVERYWHERE, now_ms))
        metrics.ROWS.set(self.rows_listed)

    def _behind(self, since_ms: int | None) -> None:
        age_ms = 0 if since_ms is None else max(0, self._clock.now_ms() - since_ms)
        self.behind_minutes = None if since_ms is None else age_ms // MINUTE_MS + 1
        metrics.BEHIND_SECONDS.set(age_ms / 1000)


def _put(state: TokenState, kind: Kind, row: StoredRow | None) -> None:
    if kind == "rel":
        state.related = _related(row) if row else None
    elif kind == "cur":
        state.reported = Reported(CURRENT.decode(row.value), row.at_ms) if row else None
    elif kind == "lnk":
        state.links = MERGED.decode(row.value) if row else None
        state.linked_ms = row.at_ms if row else 0
    elif kind == "rev":
        state.review = REVIEWED.decode(row.value) if row else None


def _related(row: StoredRow) -> Related:
    changed, changed_ms = read_mark(row.mark)
    return Related(RELATIONS.decode(row.value), row.at_ms, changed, changed_ms)
