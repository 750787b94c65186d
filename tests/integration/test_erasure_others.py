"""What other persons' entries and links know of one who is erased, however they came to know it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from contracts.identified import PatientId
from contracts.merged import MERGED
from services.privacy.decisions import LinkChange, changed
from services.privacy.erasing import Eraser
from services.privacy.folding import term
from services.privacy.mirror import Entry
from tests.integration.test_privacy_erasure import (
    GONE,
    Site,
    a_peopled_site,
    ask_for,
    assert_erased,
    assert_others_as_before,
    site,
)
from tests.integration.test_privacy_stage import a_merge, a_person
from tests.support.privacy import Replica
from tests.unit.privacy.builders import a_body

__all__ = ["site"]
SEEN_LAST = "services.privacy.people.CACHED_MAX"


async def known_of(replica: Replica, token: str) -> str:
    (person,) = await replica.vault.resolve([token])
    return repr(person.known)


def after_the_tombstone(eraser: Eraser, work: Callable[[], Awaitable[Any]]) -> None:
    """Have ``work`` done once, right after the vault's tombstones."""
    erase = eraser.vault.erase
    done: list[int] = []

    async def erased(*args: Any) -> None:
        await erase(*args)
        if not done:
            done.append(1)
            await work()

    object.__setattr__(eraser.vault, "erase", erased)


async def test_who_was_told_at_second_hand_forgets_too(site: Site) -> None:
    """4 was merged with the erased by mistake, and that undone; then 4's other number, 5, came."""
    replica, eraser, tokens = await a_peopled_site(site)
    await site.feed(replica, a_merge(a_person(5), a_person(4), link=True, at_ms=1_004))
    assert "Familyname3" in await known_of(replica, tokens[5])
    await ask_for(eraser, replica, a_person(GONE))
    await eraser.work()
    fives = await known_of(replica, tokens[5])
    assert "Familyname3" not in fives
    assert "77000003" not in fives
    assert "Familyname4" in fives


async def test_who_was_told_by_an_event_that_was_refused_forgets_too(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    replica, eraser, tokens = await a_peopled_site(site)
    merge = a_merge(a_person(5), a_person(GONE), link=True, at_ms=1_004)
    with monkeypatch.context() as patched:  # what the rules let through: the guard finds it
        patched.setattr("services.privacy.stage.shows_identity", lambda *_: True)
        handled = await replica.handle([site.ingest.seal(merge, "r1")])
    assert [one.code for one in handled.refused] == ["identity_guard"]
    assert "Familyname3" in await known_of(replica, tokens[5])
    await ask_for(eraser, replica, a_person(GONE))
    await eraser.work()
    assert "Familyname3" not in await known_of(replica, tokens[5])


async def test_a_merge_in_hand_does_not_keep_the_erased_persons_name(site: Site) -> None:
    """5's entry is told before the erasure begins, the link is written after the tombstones."""
    replica, eraser, tokens = await a_peopled_site(site)
    slow, _ = await site.process()
    apply, at_links, go_on = slow.links.apply, asyncio.Event(), asyncio.Event()

    async def late(changes: Sequence[LinkChange]) -> None:
        at_links.set()
        await go_on.wait()
        await apply(changes)

    slow.links.apply = late  # type: ignore[method-assign]
    merge = a_merge(a_person(5), a_person(GONE), link=True, at_ms=1_004)
    batch = asyncio.create_task(site.feed(slow, merge))
    await at_links.wait()
    await ask_for(eraser, replica, a_person(GONE))

    async def write() -> None:
        go_on.set()
        await batch

    after_the_tombstone(eraser, write)
    await eraser.work()
    assert "Familyname3" not in await known_of(slow, tokens[5])


async def test_it_is_taken_out_however_it_is_written(site: Site) -> None:
    """A sender gave both numbers, the erased one's with a hyphen, no assigner and another type."""
    replica, eraser, tokens = await a_peopled_site(site)
    spelled = PatientId("7700-0003", "", "PI")
    name = replace(a_person(GONE).names[0], family="FAMILYNAME3")
    both = replace(
        a_person(5),
        ids=(*a_person(5).ids, spelled),
        names=(*a_person(5).names, name),
        others={"NAME": ("familyname3, given",), "ID": ("77-000003",), "PHONE": ("555 0100",)},
    )
    await site.feed(replica, a_body(both, received_at_ms=1_004))
    gone = await replica.vault.resolve([tokens[GONE], tokens[93]])
    asked = [one.key.token for one in gone], [one.link for one in gone]
    await ask_for(eraser, replica, a_person(GONE), asked)
    await eraser.work()
    fives = await known_of(replica, tokens[5])
    assert not [word for word in ("amilyname3", "AMILYNAME3", "0003") if word in fives]
    assert "77000005" in fives
    assert "555 0100" in fives


async def test_who_reads_all_entries_pushes_nobody_out_of_those_seen_last(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    replica, eraser, tokens = await a_peopled_site(site)
    (five,) = await replica.vault.resolve([tokens[5]])
    (gone,) = await replica.vault.resolve([tokens[GONE]])
    monkeypatch.setattr(SEEN_LAST, 1)
    (four,) = await replica.vault.resolve([tokens[4]])
    seen = [p.link for p in (four, five, gone) if replica.vault.token_of(p.link)]
    assert four.link in seen
    assert four in await eraser.others.told([gone.known], [gone.link])
    assert [p.link for p in (four, five, gone) if replica.vault.token_of(p.link)] == seen


async def test_who_knows_is_found_though_redis_was_emptied(site: Site) -> None:
    replica, eraser, tokens = await a_peopled_site(site)
    await ask_for(eraser, replica, a_person(GONE))
    (gone,) = await replica.vault.resolve([tokens[GONE]])
    (four,) = await replica.vault.resolve([tokens[4]])
    await replica.redis.flushall()
    told = await eraser.others.told([gone.known], [gone.link])
    assert four.link in [other.link for other in told]
    assert set(await eraser.links.naming([tokens[GONE]])) == {
        tokens[GONE],
        tokens[93],
        tokens[4],
    }


async def test_a_link_that_is_being_written_does_not_outlive_the_erased(site: Site) -> None:
    """A merge holds the lock of the links while the erasure waits for it."""
    replica, eraser, tokens = await a_peopled_site(site)
    slow, _ = await site.process()
    due, locked, go_on = slow.links._due, asyncio.Event(), asyncio.Event()

    async def late(changes: Sequence[LinkChange]) -> Any:
        locked.set()
        await go_on.wait()
        return await due(changes)

    slow.links._due = late  # type: ignore[method-assign]
    await ask_for(eraser, replica, a_person(GONE))
    merge = a_merge(a_person(5), a_person(GONE), link=True, at_ms=1_004)
    batch = asyncio.create_task(site.feed(slow, merge))
    await locked.wait()
    erase = eraser.links.erase

    async def waits(tokens: Sequence[str]) -> None:
        asyncio.get_running_loop().call_later(0.5, go_on.set)  # then it waits for the lock
        await erase(tokens)

    eraser.links.erase = waits  # type: ignore[method-assign]
    await eraser.work()
    await batch
    await assert_erased(site, tokens)


async def test_one_end_of_a_link_that_came_late_does_not_outlive_the_erased(site: Site) -> None:
    """Its lock expired, and of the two records only the other's was written."""
    replica, eraser, tokens = await a_peopled_site(site)
    await ask_for(eraser, replica, a_person(GONE))
    change = LinkChange(
        one=tokens[5],
        one_shift_days=1,
        other=tokens[GONE],
        other_shift_days=2,
        is_link=True,
        event_id="late",
        received_at_ms=1_004,
    )

    async def write() -> None:
        value = MERGED.encode(changed({}, [change])[tokens[5]])
        await replica.links.mirror.append([Entry(tokens[5], value)])

    after_the_tombstone(eraser, write)
    await eraser.work()
    assert await replica.links.naming([tokens[GONE]]) == []
    await assert_erased(site, tokens)
    await assert_others_as_before(site, tokens)
    assert await replica.vault.find_tokens(term("77000003")) == []
