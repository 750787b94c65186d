"""The book of erasures: how large it may grow, and what of it that cannot be read."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from contracts.deidentified import DEIDENTIFIED
from contracts.erasures import Place
from plumbing.byte_gate import bytes_of
from plumbing.event_log import Output
from services.privacy import metrics
from services.privacy.erasing import Eraser
from services.privacy.erasure_book import TO_ERASE, TO_FINISH, About, Book, BookFull, Erasure
from services.privacy.patient_keys import KeyUnreadable
from tests.integration.test_privacy_erasure import (
    GONE,
    Site,
    a_peopled_site,
    ask_for,
    assert_erased,
    site,
)
from tests.integration.test_privacy_stage import a_person
from tests.support.erasing import an_eraser
from tests.support.privacy import make_keys

__all__ = ["site"]
MANY = 2_000
BYTES_MAX = "services.privacy.erasure_book.BOOK_BYTES_MAX"


def as_kafka(site: Site) -> None:
    """Have the log refuse what Kafka would."""
    write = site.log.write

    async def checked(outputs: Sequence[Output]) -> tuple[int, ...]:
        bytes_of(outputs)  # what ``KafkaWriter`` does first
        return await write(outputs)

    site.log.write = checked  # type: ignore[method-assign]


def done(name: str) -> Erasure:
    place = Place(DEIDENTIFIED.name, 3, 1_234_567)
    return Erasure(
        id=name,
        state="done",
        basis="PATRQT",
        requested_by="a" * 26,
        requested_at_ms=1_700_000_000_000,
        confirmed_by="b" * 26,
        confirmed_at_ms=1_700_000_000_000,
        erased_at_ms=1_700_000_000_000,
        identifiers=2,
        kek_id="0" * 16,
        tombstones=(place, place),
    )


async def states(eraser: Eraser) -> dict[str, str]:
    return {name: one.state for name, one in (await eraser.book.read()).items()}


def of_other_keys(site: Site, folder: Path, name: str) -> bytes:
    """Return whom an erasure is about, sealed under a key that this site never had."""
    _, elsewhere = an_eraser(
        make_keys(folder / "elsewhere"), site.redis_url, site.log, site.log, site.clock
    )
    return elsewhere.book.seal_about(name, About(("t",), ("l",)))


async def test_after_two_thousand_erasures_another_can_be_done(site: Site) -> None:
    replica, eraser, tokens = await a_peopled_site(site)
    as_kafka(site)
    names = [os.urandom(8).hex() for _ in range(MANY)]
    await eraser.book.change(lambda book: book.update({name: done(name) for name in names}))
    await ask_for(eraser, replica, a_person(GONE))
    await eraser.work()
    await assert_erased(site, tokens)
    kept = list(await eraser.book.read())
    assert kept == [*names[len(names) - len(kept) + 1 :], "e1"]  # the newest
    assert len(kept) > MANY / 2


async def test_what_is_asked_for_leaves_room_for_what_is_erased(site: Site) -> None:
    _, eraser, _ = await a_peopled_site(site)
    as_kafka(site)
    large = About(("t" * 90_000,), ())  # once sealed and in base64: 120,000
    waiting = [
        replace(done(f"w{n}"), state="requested", sealed=eraser.book.seal_about(f"w{n}", large))
        for n in range(5)
    ]

    def add(erasure: Erasure, spare: int) -> asyncio.Future[Book]:
        return asyncio.ensure_future(
            eraser.book.change(lambda book: book.update({erasure.id: erasure}), spare)
        )

    for one in waiting[:3]:
        await add(one, TO_ERASE)
    with pytest.raises(BookFull):
        await add(waiting[3], TO_ERASE)
    await add(waiting[3], TO_FINISH)
    with pytest.raises(BookFull):
        await add(waiting[4], 0)
    assert list(await eraser.book.read()) == ["w0", "w1", "w2", "w3"]
    await eraser.book.put(replace(waiting[0], state="withdrawn", sealed=b""), TO_ERASE)  # shrinks


async def test_erasures_for_which_the_book_has_no_room_come_next(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    replica, eraser, tokens = await a_peopled_site(site)
    await ask_for(eraser, replica, a_person(5))
    await ask_for(eraser, replica, a_person(GONE), name="e2")  # of whom more is known
    size = len(msgspec.json.encode(await eraser.book.read()))
    monkeypatch.setattr(BYTES_MAX, size + TO_FINISH + 800)
    await eraser.work()
    assert await states(eraser) == {"e1": "done", "e2": "confirmed"}
    assert await replica.vault.resolve([tokens[GONE]])
    assert metrics.ERASURES_WAITING._value.get() == 1
    await eraser.work()
    assert await states(eraser) == {"e1": "done", "e2": "done"}
    assert not await replica.vault.resolve([tokens[GONE]])


@pytest.mark.parametrize("state", ["requested", "confirmed"])
async def test_an_erasure_that_cannot_be_read_is_refused_alone(
    site: Site, tmp_path: Path, state: str
) -> None:
    replica, eraser, tokens = await a_peopled_site(site)
    erasure = await ask_for(eraser, replica, a_person(GONE))
    sealed = of_other_keys(site, tmp_path, "e2")
    other = replace(erasure, id="e2", state=state, sealed=sealed)
    await eraser.book.put(other)
    await eraser.work()
    await assert_erased(site, tokens)
    assert await states(eraser) == {"e1": "done", "e2": "refused"}
    assert (await eraser.book.read())["e2"].refusal == "unreadable"


async def test_an_erasure_under_a_destroyed_key_is_refused_alone(site: Site) -> None:
    replica, eraser, tokens = await a_peopled_site(site)
    await ask_for(eraser, replica, a_person(5), name="e2")
    old = (await eraser.book.read())["e2"]
    await eraser.book.change(lambda book: book.clear())
    await eraser.change_key()
    await eraser.book.put(old)
    await ask_for(eraser, replica, a_person(GONE))
    await eraser.work()
    assert await states(eraser) == {"e1": "done", "e2": "refused"}
    assert await replica.vault.resolve([tokens[5]])


async def test_a_begun_erasure_whose_key_is_missing_waits_alone(site: Site, tmp_path: Path) -> None:
    replica, eraser, tokens = await a_peopled_site(site)
    erasure = await ask_for(eraser, replica, a_person(GONE))
    sealed = of_other_keys(site, tmp_path, "e2")
    await eraser.book.put(replace(erasure, id="e2", erased_at_ms=5, kek_id="f" * 16, sealed=sealed))
    await eraser.work()
    await assert_erased(site, tokens)
    assert await states(eraser) == {"e1": "done", "e2": "confirmed"}
    assert metrics.ERASURES_WAITING._value.get() == 1
    assert await eraser.work() == ([], 0)
    await eraser.change_key()


async def test_what_does_not_open_stops_no_service(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, eraser = await site.process()
    tried = asyncio.Semaphore(0)

    async def work() -> None:
        tried.release()
        raise KeyUnreadable

    object.__setattr__(eraser, "work", work)
    monkeypatch.setattr("services.privacy.erasing.EVERY_S", 0.01)
    keeping = asyncio.create_task(eraser.keep())
    await tried.acquire()
    await tried.acquire()
    assert not keeping.done()
    keeping.cancel()
