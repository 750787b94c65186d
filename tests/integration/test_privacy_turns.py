"""A batch of notes that take a network long: others have their turn, and who is erased meanwhile
is gone from it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from itertools import pairwise
from pathlib import Path

from contracts.clinical import Condition
from contracts.identified import IdentifiedBody
from contracts.observation import Code
from plumbing.clock import ManualClock
from plumbing.memory_log import InMemoryLog
from services.privacy.ahead import ALONE_CHARS
from services.privacy.spans import Span
from services.privacy.stage import TURN_S
from tests.integration.test_privacy_stage import TOPICS
from tests.support.privacy import Ingest, Replica, a_replica, events_of, make_keys
from tests.support.streams import until
from tests.unit.privacy.builders import a_body, a_note

NOTES = 12
REST = " and nothing new" * (ALONE_CHARS // 16)  # so long that each is read alone


class SlowTagger:
    """Finds nothing, and takes more than a turn for it."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.then: dict[str, Callable[[], None]] = {}
        self.together: list[list[str]] = []

    def find_all(self, texts: Sequence[str]) -> list[list[Span]]:
        self.together.append(list(texts))
        return [self.find(text) for text in texts]

    def find(self, folded: str) -> list[Span]:
        self.clock.advance(2 * TURN_S)
        for word, act in self.then.items():
            if word in folded:
                act()
        return []


def days_of_a_stay() -> list[IdentifiedBody]:
    return [a_body(notes=a_note(f"seen again, day {n} of her stay{REST}")) for n in range(NOTES)]


@asynccontextmanager
async def slow_replica(tmp_path: Path, redis_url: str) -> AsyncIterator[tuple[Replica, SlowTagger]]:
    keys, log, clock = make_keys(tmp_path / "keys"), InMemoryLog(TOPICS), ManualClock()
    tagger = SlowTagger(clock)
    replica = await a_replica(keys, redis_url, log, log, clock, tagger=tagger).open()
    try:
        yield replica, tagger
    finally:
        await replica.redis.aclose()


@contextmanager
def others_beside() -> Iterator[Callable[[], int]]:
    """Have something else take its turn whenever it can; yield how often it did."""
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    beside = asyncio.create_task(others())
    try:
        yield lambda: turns
    finally:
        beside.cancel()


async def test_others_have_their_turn_between_slow_notes(tmp_path: Path, redis_url: str) -> None:
    async with slow_replica(tmp_path, redis_url) as (replica, tagger):
        ingest = Ingest(tmp_path / "keys")
        seen: list[int] = []
        bodies = days_of_a_stay()
        with others_beside() as turns:
            tagger.then["seen again"] = lambda: seen.append(turns())
            handled = await replica.handle([ingest.seal(b, f"e{n}") for n, b in enumerate(bodies)])
        assert len(events_of(handled)) == NOTES
        assert len(set(seen)) == NOTES


async def test_others_have_their_turn_between_events_whose_labels_are_slow(
    tmp_path: Path, redis_url: str
) -> None:
    async with slow_replica(tmp_path, redis_url) as (replica, tagger):
        ingest = Ingest(tmp_path / "keys")
        seen: list[int] = []
        bodies = [
            a_body(conditions=(Condition(code=Code("L", f"S{n}", f"Sprain of ankle, grade {n}")),))
            for n in range(NOTES)
        ]
        with others_beside() as turns:
            tagger.then["Sprain of"] = lambda: seen.append(turns())
            handled = await replica.handle([ingest.seal(b, f"e{n}") for n, b in enumerate(bodies)])
        assert len(events_of(handled)) == NOTES
        assert len(seen) == len(set(seen)) == NOTES


async def test_two_batches_take_turns(tmp_path: Path, redis_url: str) -> None:
    async with slow_replica(tmp_path, redis_url) as (replica, tagger):
        ingest = Ingest(tmp_path / "keys")
        order: list[str] = []
        tagger.then["note of one"] = lambda: order.append("one")
        tagger.then["note of two"] = lambda: order.append("two")
        batches = [
            [
                ingest.seal(a_body(notes=a_note(f"note of {name}, day {n}{REST}")), f"{name}{n}")
                for n in range(NOTES)
            ]
            for name in ("one", "two")
        ]
        turn = replica.stage._turn
        async with turn:  # until both batches wait for theirs
            handling = [asyncio.create_task(replica.handle(batch)) for batch in batches]
            await until(lambda: len(turn._waiters or ()) == len(batches))  # no public name
        handled = await asyncio.gather(*handling)
        assert [len(events_of(one)) for one in handled] == [NOTES, NOTES]
        assert all(one != following for one, following in pairwise(order))


async def test_who_is_erased_during_a_batch_is_gone_from_the_rest_of_it(
    tmp_path: Path, redis_url: str
) -> None:
    async with slow_replica(tmp_path, redis_url) as (replica, tagger):
        ingest = Ingest(tmp_path / "keys")
        (first,) = events_of(await replica.handle([ingest.seal(a_body(), "e")]))
        tagger.then["day 4 "] = lambda: replica.stage.forget([], [first.token])
        bodies = days_of_a_stay()
        handled = await replica.handle([ingest.seal(b, f"e{n}") for n, b in enumerate(bodies)])
        assert [event.event_id for event in events_of(handled)] == [f"e{n}" for n in range(5)]
        assert handled.refused == []


async def test_short_notes_of_a_batch_are_read_together(tmp_path: Path, redis_url: str) -> None:
    async with slow_replica(tmp_path, redis_url) as (replica, tagger):
        ingest = Ingest(tmp_path / "keys")
        notes = [f"seen again, day {n}" for n in range(NOTES)]
        sealed = [ingest.seal(a_body(notes=a_note(note)), note[-2:]) for note in notes]
        found = events_of(await replica.handle(sealed))
        assert tagger.together == [notes]
        assert [event.notes[0].text for event in found] == notes
