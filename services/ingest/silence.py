"""Who is expected to send, and who is silent against their habit: each listener, and the senders
behind it (MSH-3, MSH-4), of whom at most ``SENDERS_MAX`` are watched.

Senders are named by a keyed hash, as in record headers: MSH-3 may hold anything. What was learnt
stands in a file, so that a feed that does not come back after a restart of ingest is missed.
"""

import os
from collections.abc import Sequence
from datetime import UTC, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from plumbing import log
from plumbing.clock import Clock
from services.ingest import metrics
from services.ingest.habit import DAY_S, DAYS, Habit, Learnt
from services.ingest.identity import Keys
from services.ingest.parse import Parsed, SourceProfile
from services.ingest.sealed import sender_of

SENDERS_MAX = 64
KNOWN_MAX = 1_024  # of pairs of MSH-3 and MSH-4, watched or not
FILE = "habits.json"

_log = log.get("ingest")


class Kept(msgspec.Struct):
    """The file: what was learnt of listeners, and of senders by their listener and keyed hash."""

    listeners: dict[str, Learnt]
    senders: dict[str, dict[str, Learnt]]


class Habits:
    """One per process."""

    def __init__(self, keys: Keys, clock: Clock, folder: Path) -> None:
        """Read what was learnt before; without the file all is learnt anew."""
        self._keys, self._clock, self._path = keys, clock, folder / FILE
        self._kept = _read(self._path)
        self._zones: dict[str, tzinfo] = {}
        self._listeners: dict[str, Habit] = {}
        self._senders: dict[tuple[str, str], Habit] = {}
        self._known: dict[tuple[str, str, str], Habit | None] = {}

    def expect(self, source: SourceProfile) -> None:
        """Count the silence of a listener, and of the senders known behind it, from now on."""
        name = source.name
        self._zones[name] = UTC if source.zone == "UTC" else ZoneInfo(source.zone)
        habit = self._listeners[name] = self._begun(name, "", self._kept.listeners.get(name))
        metrics.of_source(name).last_message.set(habit.last_s)
        for who, learnt in self._kept.senders.get(name, {}).items():
            if len(self._senders) < SENDERS_MAX:
                self._senders[name, who] = self._begun(name, who, learnt)

    def came(self, source: str, messages: Sequence[Parsed], now_s: float) -> None:
        """Note that messages came through a listener."""
        self._listeners[source].came(now_s)
        for message in messages:
            if message.header is None or message.code != "AA":
                continue  # displaced fields would make up senders
            body = message.events[0].body
            pair = (source, body.application, body.facility)
            try:
                habit = self._known[pair]
            except KeyError:
                habit = self._watched(pair, sender_of(self._keys, source, body), now_s)
            if habit is not None:
                habit.came(now_s)

    def encoded(self) -> bytes:
        """Return what is to be kept; senders who have long gone are forgotten."""
        oldest_s = self._clock.now_ms() / 1000 - DAYS * DAY_S
        for (source, who), habit in list(self._senders.items()):
            if habit.last_s < oldest_s:
                self._forget(source, who)
        senders: dict[str, dict[str, Learnt]] = {}
        for (source, who), habit in self._senders.items():
            senders.setdefault(source, {})[who] = habit.learnt()
        listeners = {name: habit.learnt() for name, habit in self._listeners.items()}
        return msgspec.json.encode(Kept(listeners, senders))

    def write(self, encoded: bytes) -> None:
        """Replace the file, whole; where that cannot be, say so and go on."""
        draft = self._path.with_suffix(".draft")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            draft.write_bytes(encoded)
            os.replace(draft, self._path)  # noqa: PTH105  # the atomic replace, by its own name
        except OSError as error:
            _log.warning("What is usual of feeds cannot be kept", error=error)

    def _watched(self, pair: tuple[str, str, str], who: str, now_s: float) -> Habit | None:
        if len(self._known) >= KNOWN_MAX:
            self._known.clear()
        source = pair[0]
        habit = self._senders.get((source, who))
        if habit is None and self._has_room(now_s):
            habit = self._senders[source, who] = self._begun(source, who, None)
        self._known[pair] = habit
        return habit

    def _has_room(self, now_s: float) -> bool:
        """Make room: a sender without a habit goes first, the longest silent of them."""
        if len(self._senders) < SENDERS_MAX:
            return True
        new = [pair for pair, habit in self._senders.items() if not habit.limit_s(now_s)]
        if not new:
            return False
        self._forget(*max(new, key=lambda pair: self._senders[pair].silent_s(now_s)))
        return True

    def _begun(self, source: str, who: str, learnt: Learnt | None) -> Habit:
        habit = Habit(self._now_s(), self._zones[source], learnt)
        metrics.SILENCE.labels(source, who).set_function(lambda: habit.silent_s(self._now_s()))
        metrics.SILENCE_LIMIT.labels(source, who).set_function(lambda: habit.limit_s(self._now_s()))
        return habit

    def _forget(self, source: str, who: str) -> None:
        del self._senders[source, who]
        self._known.clear()
        metrics.SILENCE.remove(source, who)
        metrics.SILENCE_LIMIT.remove(source, who)

    def _now_s(self) -> float:
        return self._clock.now_ms() / 1000


def _read(path: Path) -> Kept:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Kept)
    except FileNotFoundError:
        pass
    except (OSError, msgspec.DecodeError) as error:
        _log.warning("What was usual of feeds cannot be read: it is learnt anew", error=error)
    return Kept({}, {})
