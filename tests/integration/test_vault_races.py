"""Two replicas write of one person at once, on a real Redis: nothing that either knows is lost."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from redis.asyncio import Redis

from contracts.identified import Encounter, IdentifiedBody
from contracts.vault import VAULT
from plumbing.event_log import Output, Record
from plumbing.memory_log import InMemoryLog
from services.privacy.backup import is_openable, restore_vault, take
from services.privacy.erasure_book import Told
from services.privacy.folding import term
from services.privacy.people import Person
from services.privacy.vault_records import AGAIN
from tests.integration.test_privacy_erasure import TOPICS, Site, a_site, a_visit, ask_for
from tests.integration.test_privacy_stage import a_merge, a_person
from tests.support.erasing import Fuel, Killed, an_eraser
from tests.support.privacy import Replica
from tests.unit.privacy.builders import a_body

ROUNDS = 6
LEFT = Encounter(number="V", unit="W1", status="closed")


@pytest.fixture
async def site(tmp_path: Path, redis_url: str) -> AsyncIterator[Site]:
    redis = Redis.from_url(redis_url)
    made = await a_site(tmp_path, redis_url, redis)
    yield made
    await made.close()
    await redis.aclose()


def with_more(number: int, **others: str) -> IdentifiedBody:
    told = {kind: (value,) for kind, value in others.items()}
    person = msgspec.structs.replace(a_person(number), others=told)
    return a_body(person, encounter=LEFT, received_at_ms=1_001)


async def who(replica: Replica, number: int) -> Person:
    found = await replica.vault.find_tokens(term(a_person(number).ids[0].value))
    (person,) = await replica.vault.resolve(found)
    return person


async def test_a_hold_is_not_lost_to_an_event_of_the_moment(site: Site) -> None:
    one, eraser = await site.process()
    two, _ = await site.process()
    for number in range(2 * ROUNDS):
        await site.feed(one, a_visit(number))
        link = (await who(one, number)).link
        holder = two if number % 2 else one
        event = site.feed(one, with_more(number, LOC=f"{number} Elm Road Upton"))
        await asyncio.gather(holder.vault.hold([link], hold=True), event)
        person = await who(two, number)
        assert person.legal_hold
        assert person.known.others == {"LOC": (f"{number} Elm Road Upton",)}
        assert await eraser.refusal([person.key.token]) == "legal_hold"
        await holder.vault.hold([link], hold=False)
        assert not (await who(one, number)).legal_hold


async def test_what_two_replicas_learn_at_once_is_all_kept(site: Site) -> None:
    one, _ = await site.process()
    two, _ = await site.process()
    for number in range(ROUNDS):
        await site.feed(one, a_visit(number))
        events = with_more(number, PHONE="5551234567"), with_more(number, LOC="4 Elm Road Upton")
        await asyncio.gather(site.feed(one, events[0]), site.feed(two, events[1]))
        known = (await who(one, number)).known
        assert known.others == {"PHONE": ("5551234567",), "LOC": ("4 Elm Road Upton",)}


async def test_a_stale_entry_is_joined_and_the_topic_alone_tells_the_same(site: Site) -> None:
    replica, _ = await site.process()
    await site.feed(replica, a_visit(1))
    stale = await who(replica, 1)
    await replica.vault.hold([stale.link], hold=True)
    await site.feed(replica, with_more(1, PHONE="5551234567"))
    assert not await replica.vault.save([stale])  # older than what stands: that stays
    before = await who(replica, 1)
    late = msgspec.structs.replace(before.known, sex="female", others={})
    grown = msgspec.structs.replace(before.known, others={"EMAIL": ("a@b.org",)})
    assert await replica.vault.save([before.knowing(grown)])
    assert not await replica.vault.save([before.knowing(late)])  # both started from one entry
    after = await who(replica, 1)
    assert (after.legal_hold, after.known.sex) == (True, "female")
    assert after.known.others == {"EMAIL": ("a@b.org",)}
    for _ in range(2):
        await replica.redis.flushall()
        fresh, _ = await site.process()
        again = await who(fresh, 1)
        assert (again.known, again.legal_hold) == (after.known, True)
        site.log.compact(VAULT.name)  # one record is left: it says all


async def test_the_erased_stay_out_of_anothers_entry_that_is_written_meanwhile(site: Site) -> None:
    one, eraser = await site.process()
    two, _ = await site.process()
    for number in range(0, 2 * ROUNDS, 2):
        kept, gone = a_person(number), a_person(number + 1)
        await site.feed(one, a_visit(number), a_visit(number + 1))
        merge, unlink = (a_merge(kept, gone, link=at == 0, at_ms=1_001 + at) for at in range(2))
        await site.feed(one, merge, unlink)
        stale = await who(one, number)
        assert any(gone.names[0].family in name for name in stale.known.others["NAME"])
        erasing = await who(one, number + 1)
        grown = with_more(number, LOC=f"{number} Elm Road Upton")
        told = [Told((erasing.known,), (stale.link,))]
        await asyncio.gather(eraser.others.strip(told), site.feed(two, grown))
        await eraser.others.strip(told)  # as it does once more after the grace
        others = (await who(two, number)).known.others
        assert others == {"LOC": (f"{number} Elm Road Upton",)}


async def test_a_late_write_of_another_is_stripped_after_the_grace(site: Site) -> None:
    replica, eraser = await site.process()
    slow, _ = await site.process()
    kept, gone = a_person(1), a_person(2)
    (event, _) = await site.feed(replica, a_visit(1), a_visit(2))
    await site.feed(replica, a_merge(kept, gone, link=True, at_ms=1_001))
    await site.feed(replica, a_merge(kept, gone, link=False, at_ms=1_002))
    stale = await who(slow, 1)
    erase = eraser.vault.erase

    async def erase_and_then_the_other_writes(*args: object) -> None:
        await erase(*args)  # type: ignore[arg-type]
        await slow.vault.save([stale])

    object.__setattr__(eraser.vault, "erase", erase_and_then_the_other_writes)
    await ask_for(eraser, replica, gone)
    await eraser.work()
    opened = (await site.attacker()).opened()
    assert list(opened) == [event.token]
    assert gone.names[0].family.encode() not in opened[event.token]


async def test_a_number_told_beside_anothers_goes_with_the_erased(site: Site) -> None:
    replica, eraser = await site.process()
    kept, gone = a_person(1), a_person(2)
    both = msgspec.structs.replace(kept, ids=(*kept.ids, *gone.ids))
    (event, other) = await site.feed(replica, a_visit(1), a_visit(2))
    await site.feed(replica, a_merge(both, gone, link=True, at_ms=1_001))
    await site.feed(replica, a_merge(kept, gone, link=False, at_ms=1_002))
    (erasing,) = await replica.vault.resolve([other.token])
    assert len(await replica.vault.find_tokens(gone.ids[0].value)) == 2
    about = [erasing.key.token], [erasing.link]
    await ask_for(eraser, replica, gone, about)
    await eraser.work()
    opened = (await site.attacker()).opened()
    assert list(opened) == [event.token]
    assert gone.ids[0].value.encode() not in opened[event.token]
    assert kept.ids[0].value.encode() in opened[event.token]
    assert await replica.vault.find_tokens(gone.ids[0].value) == []


async def a_loser(site: Site, replica: Replica, number: int) -> Person:
    """Have the topic hold a second key for a patient; return who has the first."""
    person = await who(replica, number)
    loser = replica.codec.seal(replica.codec.mint(person.link).knowing(person.known))
    await site.log.write([Output(VAULT.name, person.link.encode(), loser)])
    return person


def records_of(site: Site, link: str) -> list[Record]:
    return [one for one in site.log.records(VAULT.name) if one.key == link.encode()]


async def emptied(site: Site, replica: Replica) -> Replica:
    """Return a process that has all from the topic anew."""
    await replica.redis.flushall()
    return (await site.process())[0]


async def test_the_first_key_stays_though_its_repair_was_killed(site: Site) -> None:
    """The process that sees the second key is killed before it writes the first once more; then
    Kafka compacts and Redis is emptied.
    """
    one, _ = await site.process()
    await site.feed(one, a_visit(1))
    person = await a_loser(site, one, 1)
    dying, _ = an_eraser(site.keys, site.redis_url, site.log, site.log, site.clock, Fuel(0))
    site.replicas.append(dying)
    with pytest.raises(Killed):
        await dying.vault.mirror.open()
    assert len(records_of(site, person.link)) == 2
    await site.process()
    assert len(records_of(site, person.link)) == 3
    site.log.compact(VAULT.name)
    later = await emptied(site, one)
    (event,) = await site.feed(later, a_visit(1, at_ms=2_000))
    assert event.token == person.key.token
    assert len(records_of(site, person.link)) == 1  # and all is quiet


async def test_the_first_key_stays_where_only_closed_segments_are_compacted(site: Site) -> None:
    """Kafka's cleaner stops at the active segment, in which the first key stands once more."""
    one, _ = await site.process()
    await site.feed(one, a_visit(1), with_more(1, PHONE="5551234567"))
    person = await a_loser(site, one, 1)
    await site.process()
    records = records_of(site, person.link)
    assert [AGAIN in dict(one.headers) for one in records[-2:]] == [False, True]
    loser = records[-2]
    part = site.log._topics[VAULT.name][loser.partition]
    part.records = [one for one in part.records if one not in records[:-2]]
    later = await emptied(site, one)
    assert (await who(later, 1)).known == person.known
    await later.vault.hold([person.link], hold=True)
    later = await emptied(site, later)
    assert (await who(later, 1)).key.token == person.key.token
    assert (await who(later, 1)).legal_hold
    assert (await who(later, 1)).known == person.known


async def test_an_empty_mirror_writes_nothing_before_it_has_read_all(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is due by a part of the topic, a later record may have settled."""
    one, _ = await site.process()
    for number in range(3):
        await site.feed(one, a_visit(number))
        await a_loser(site, one, number)
    await site.process()
    before = site.log.records(VAULT.name)
    monkeypatch.setattr("plumbing.memory_log.BATCH_SIZE_MAX", 1)
    later = await emptied(site, one)
    assert site.log.records(VAULT.name) == before
    partitions = {record.partition for record in before}
    assert [await later.vault.mirror.due(number) for number in partitions] == [[]] * len(partitions)


async def test_who_came_back_after_an_erasure_is_not_overruled_by_who_was_before(
    site: Site,
) -> None:
    one, _ = await site.process()
    await site.feed(one, a_visit(1))
    before = await who(one, 1)
    await one.vault.erase([before], 5_000)
    (event,) = await site.feed(one, a_visit(1, at_ms=6_000))
    entry = one.vault._records.again(before.link, one.codec.seal(before))
    assert entry is not None
    await one.vault.mirror.append([entry])
    assert (await who(one, 1)).key.token == event.token
    later = await emptied(site, one)
    assert (await who(later, 1)).key.token == event.token


async def test_an_older_record_of_the_book_of_erasures_does_not_stand_last(site: Site) -> None:
    one, _ = await site.process()
    older = one.codec.seal_record("@erasures", b"older", 1)
    await one.vault.keep_record("@erasures", b"newer", 2)
    await site.log.write([Output(VAULT.name, b"@erasures", older)])
    await site.process()
    site.log.compact(VAULT.name)
    later = await emptied(site, one)
    assert await later.vault.record("@erasures") == (b"newer", 2)


async def test_a_backup_has_the_first_key_though_another_stands_last(site: Site) -> None:
    one, _ = await site.process()
    await site.feed(one, a_visit(1), a_visit(2), with_more(1, PHONE="5551234567"))
    person = await a_loser(site, one, 1)
    backup = await take(site.keys, site.log, 1)
    assert is_openable(backup)
    assert len(backup.entries) == 3
    site.log = InMemoryLog(TOPICS, clock=site.clock)
    await restore_vault(backup, site.log, site.log)
    later = await emptied(site, one)
    assert (await who(later, 1)).key.token == person.key.token
    assert len((await take(site.keys, site.log, 1)).entries) == 2  # the first stands last again
