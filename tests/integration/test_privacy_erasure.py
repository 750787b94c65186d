"""Erasing a person, on a real Redis with the log in memory: what is gone, what goes on as before.

The attacker has every record that was ever written (the log here is never compacted), all of Redis
and every key that exists afterwards.
"""

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from contracts.audited import AUDIT
from contracts.deidentified import DEIDENTIFIED, DeidentifiedEvent
from contracts.identified import Encounter, IdentifiedBody, Patient
from contracts.merged import MERGED
from contracts.relations import RELATIONS
from contracts.vault import VAULT
from plumbing.clock import ManualClock
from plumbing.errors import Unavailable
from plumbing.memory_log import InMemoryLog
from services.privacy.erasing import AHEAD_MS, Eraser
from services.privacy.erasure_book import About, Erasure, Told
from services.privacy.folding import term
from services.privacy.identity import KnownIdentity
from services.privacy.keks import KekStore
from services.privacy.keks_pkcs11 import Pkcs11Keks
from services.privacy.key_files import load_privacy_keys
from services.privacy.patient_keys import KeyUnreadable
from services.privacy.proof import read_proof
from tests.integration.test_privacy_stage import a_merge, a_person
from tests.support.erasing import Attacker, Fuel, Killed, an_eraser
from tests.support.hsm import PIN
from tests.support.privacy import Ingest, Replica, events_of, make_keys
from tests.unit.privacy.builders import NOON_MS, a_body

TOPICS = (VAULT.name, MERGED.name, RELATIONS.name, DEIDENTIFIED.name, AUDIT.name)
GONE, OTHERS = 3, (1, 2, 4, 5)


def a_visit(number: int, status: str = "closed", at_ms: int = 1_000) -> IdentifiedBody:
    visit = Encounter(number=f"V{number}", unit="W1", status=status)  # type: ignore[arg-type]
    kind = "encounter.admit" if status == "open" else "observation.result"
    return a_body(
        a_person(number),
        event_type=kind,
        encounter=visit,
        received_at_ms=at_ms,
        occurred_at_ms=NOON_MS + (status == "open"),
    )


@dataclass
class Site:
    """Keys, log and Redis that outlive the processes on them."""

    keys: Path
    redis_url: str
    log: InMemoryLog
    clock: ManualClock
    ingest: Ingest
    sent: int = 0
    replicas: list[Replica] = field(default_factory=list)
    keks: KekStore | None = None

    async def process(self, fuel: Fuel | None = None) -> tuple[Replica, Eraser]:
        replica, eraser = an_eraser(
            self.keys, self.redis_url, self.log, self.log, self.clock, fuel, keks=self.keks
        )
        self.replicas.append(await replica.open())
        return replica, eraser

    async def close(self) -> None:
        while self.replicas:
            await self.replicas.pop().redis.aclose()

    async def feed(self, replica: Replica, *bodies: IdentifiedBody) -> list[DeidentifiedEvent]:
        sealed = []
        for body in bodies:
            self.sent += 1
            sealed.append(self.ingest.seal(body, f"e{self.sent}"))
        handled = await replica.handle(sealed)
        await self.log.write(handled.outputs)
        return events_of(handled)

    async def attacker(self) -> Attacker:
        redis = Redis.from_url(self.redis_url)
        names = [key async for key in redis.scan_iter("prv:*")]
        hashes = [key for key in names if await redis.type(key) == b"hash"]
        found: dict[Any, Any] = {key: await redis.hgetall(key) for key in hashes}
        await redis.aclose()
        records = [record for topic in TOPICS for record in self.log.records(topic)]
        return Attacker(self.keys, records, found, self.keks)


@pytest.fixture
async def site(tmp_path: Path, redis_url: str) -> AsyncIterator[Site]:
    redis = Redis.from_url(redis_url)
    made = await a_site(tmp_path, redis_url, redis)
    yield made
    await made.close()
    await redis.aclose()


async def a_site(folder: Path, redis_url: str, redis: Redis) -> Site:
    await redis.flushall()
    clock = ManualClock()
    keys = make_keys(folder / "keys")
    return Site(keys, redis_url, InMemoryLog(TOPICS, clock=clock), clock, Ingest(keys))


async def ask_for(
    eraser: Eraser,
    replica: Replica,
    person: Patient,
    asked: tuple[list[str], list[str]] | None = None,
    name: str = "e1",
) -> Erasure:
    """Put a confirmed erasure into the book, as the desk does: of all that is linked to the number,
    or of the tokens and links that were ``asked`` for.
    """
    if asked is None:
        found = await replica.vault.find_tokens(term(person.ids[0].value))
        people = await replica.vault.resolve(await replica.links.one_person(found))
        asked = [p.key.token for p in people], [p.link for p in people]
    about = About(tuple(asked[0]), tuple(asked[1]))
    erasure = Erasure(
        id=name,
        state="confirmed",
        basis="PATRQT",
        requested_by="one",
        requested_at_ms=1,
        sealed=eraser.book.seal_about(name, about),
        identifiers=len(about.tokens),
        confirmed_by="two",
        confirmed_at_ms=2,
    )
    await eraser.book.put(erasure)
    return erasure


async def a_peopled_site(site: Site) -> tuple[Replica, Eraser, dict[int, str]]:
    """Five patients; 3 has a second number (93), was linked with 4 by mistake, and has left."""
    replica, eraser = await site.process()
    numbers = (*OTHERS, GONE, 93)
    events = await site.feed(replica, *(a_visit(number) for number in numbers))
    tokens = {number: event.token for number, event in zip(numbers, events, strict=True)}
    gone, other = a_person(GONE), a_person(93)
    await site.feed(
        replica,
        a_merge(gone, other, link=True, at_ms=1_001),
        a_merge(a_person(4), gone, link=True, at_ms=1_002),
        a_merge(a_person(4), gone, link=False, at_ms=1_003),
    )
    return replica, eraser, tokens


async def assert_erased(site: Site, tokens: dict[int, str]) -> None:
    attacker = await site.attacker()
    opened = attacker.opened()
    assert {tokens[number] for number in OTHERS} <= opened.keys()
    assert not {tokens[GONE], tokens[93]} & opened.keys()
    text = b" ".join(opened.values()).decode() + attacker.remembered().decode()
    assert f"Familyname{OTHERS[0]}" in text
    for person in (a_person(GONE), a_person(93)):
        for word in (person.names[0].family, person.ids[0].value):
            assert f'"{word}"' not in text
            assert f"{word} " not in text
    assert attacker.inner() == []
    for number in (GONE, 93):
        assert not attacker.tells_token_of(a_person(number).ids[0], tokens[number])
    for topic in (MERGED, RELATIONS):
        last = {record.key: record.value for record in site.log.records(topic.name)}
        assert last[tokens[GONE].encode()] is None
        assert all(tokens[GONE] not in (value or b"").decode() for value in last.values())
    partition = [r for r in site.log.records(DEIDENTIFIED.name) if r.key == tokens[GONE].encode()]
    assert partition[-1].value is None


async def assert_others_as_before(site: Site, tokens: dict[int, str]) -> None:
    replica, _ = await site.process()
    for number in OTHERS:
        (found,) = await replica.vault.find_tokens(term(a_person(number).ids[0].value))
        assert found == tokens[number]
        (person,) = await replica.vault.resolve([found])
        assert person.known.names[0].family == f"Familyname{number}"
    (again,) = await site.feed(replica, a_visit(OTHERS[0], at_ms=site.clock.now_ms()))
    assert again.token == tokens[OTHERS[0]]


async def test_a_key_in_a_hardware_security_module_is_destroyed_there(
    site: Site, hsm_module: Path, hsm_token: str
) -> None:
    store = Pkcs11Keks(hsm_module, hsm_token, PIN)
    first = store.make()
    site.keks = store
    replica, eraser, tokens = await a_peopled_site(site)
    assert b"Familyname3" in (await site.attacker()).opened()[tokens[GONE]]
    await ask_for(eraser, replica, a_person(GONE))
    destroyed, _ = await eraser.work()
    assert [one.kek_id for one in destroyed] == [first]
    await assert_erased(site, tokens)
    await assert_others_as_before(site, tokens)


async def test_an_erased_person_cannot_be_found_and_the_others_can(site: Site) -> None:
    replica, eraser, tokens = await a_peopled_site(site)
    before = (await site.attacker()).opened()
    assert b"Familyname3" in before[tokens[GONE]]  # the attack works while the key is there
    assert b"Familyname3" in before[tokens[4]]  # and the linked one knew the name
    erasure = await ask_for(eraser, replica, a_person(GONE))
    assert erasure.identifiers == 2
    assert (await site.attacker()).inner()  # while it waits it can be read, of course
    destroyed, verified = await eraser.work()
    assert len(destroyed) == 1
    assert verified == len(OTHERS) + 1  # and the book
    await assert_erased(site, tokens)
    await assert_others_as_before(site, tokens)
    assert await replica.vault.find_tokens(term("77000003")) == []
    assert await eraser.work() == ([], 0)


async def test_the_proof_is_signed_and_lists_what_is_left(site: Site) -> None:
    replica, eraser, _ = await a_peopled_site(site)
    await ask_for(eraser, replica, a_person(GONE))
    await eraser.work()
    signed = await eraser.book.proof("e1")
    public = load_privacy_keys(site.keys).audit.public_key()
    proof = read_proof(signed, public)
    assert (proof.identifiers, proof.requested_by, proof.confirmed_by) == (2, "one", "two")
    assert len(proof.tombstones) == 2
    left = {one.topic: one for one in proof.expires}
    assert {name for name, one in left.items() if one.identifies} == {
        "clinical.identified.v1",
        "clinical.identified.v1.rejected",
        "clinical.blobs.v1",
        "privacy.vault.v1",
    }
    days = (left["clinical.identified.v1"].until_ms - proof.finished_at_ms) / 86_400_000
    assert 8 < days <= 9  # 7 of retention, the day itself, and one
    assert left["clinical.reviewed.v1"].until_ms > proof.finished_at_ms + 3_649 * 86_400_000
    with pytest.raises(ValueError, match="not a proof"):
        read_proof(signed.replace(b"PATRQT", b"LEGAL "), public)


async def test_old_events_come_back_to_nobody_and_new_ones_get_a_fresh_key(site: Site) -> None:
    replica, eraser, tokens = await a_peopled_site(site)
    await ask_for(eraser, replica, a_person(GONE))
    await eraser.work()
    now_ms = site.clock.now_ms()
    again = a_merge(a_person(4), a_person(GONE), link=True, at_ms=1_002)
    assert [e.token for e in await site.feed(replica, a_visit(GONE), again)] == [tokens[4]]
    assert await replica.vault.find_tokens(term("77000003")) == []
    await replica.redis.flushall()
    assert await site.feed(replica, a_visit(GONE)) == []
    mixed = await site.feed(replica, a_visit(GONE), a_visit(GONE, "open", now_ms + 5_000))
    assert [event.token in tokens.values() for event in mixed] == [False]
    site.log.compact(VAULT.name)
    await replica.redis.flushall()
    fresh, _ = await site.process()
    assert await site.feed(fresh, a_visit(GONE)) == []
    (later,) = await site.feed(fresh, a_visit(GONE, at_ms=now_ms + 6_000))
    assert later.token == mixed[0].token
    assert await fresh.links.one_person([later.token]) == [later.token]
    assert (await fresh.vault.resolve([later.token]))[0].known.others == {}


async def test_an_event_in_flight_under_a_clock_that_is_ahead_brings_nobody_back(
    site: Site,
) -> None:
    replica, eraser, tokens = await a_peopled_site(site)
    await ask_for(eraser, replica, a_person(GONE))
    ahead = site.clock.now_ms() + 500  # came before the erasure; the clock of ingest is ahead
    await eraser.work()
    assert await site.feed(replica, a_visit(GONE, at_ms=ahead)) == []
    assert await replica.vault.find_tokens(term("77000003")) == []
    await replica.redis.flushall()
    assert await site.feed(replica, a_visit(GONE, at_ms=ahead)) == []
    (later,) = await site.feed(replica, a_visit(GONE, at_ms=site.clock.now_ms() + AHEAD_MS + 1))
    assert later.token not in tokens.values()


async def an_old_dump(site: Site, replica: Replica, eraser: Eraser) -> None:
    """Erase somebody, let compaction take the tombstone, and put Redis back to before all that."""
    redis = replica.redis
    names = [key async for key in redis.scan_iter("prv:*")]
    dump: dict[bytes, Any] = {key: await redis.dump(key) for key in names}
    await ask_for(eraser, replica, a_person(GONE))
    await eraser.work()
    site.log.compact(VAULT.name)
    for part in site.log._topics[VAULT.name]:
        part.records = [record for record in part.records if record.value is not None]
    await redis.flushall()
    for key, raw in dump.items():
        await redis.restore(key, 0, raw)


async def test_an_old_dump_of_redis_stops_nobody_who_comes_back(site: Site) -> None:
    replica, eraser, tokens = await a_peopled_site(site)
    await an_old_dump(site, replica, eraser)
    fresh, _ = await site.process()
    later = site.clock.now_ms() + 9_000
    (event,) = await site.feed(fresh, a_visit(GONE, at_ms=later))
    assert event.token not in tokens.values()
    (again,) = await site.feed(replica, a_visit(GONE, at_ms=later + 1))
    assert again.token == event.token
    assert await fresh.vault.find_tokens(term("77000003")) == [event.token]


async def test_a_key_that_is_lost_and_not_destroyed_makes_nobody_new(site: Site) -> None:
    replica, eraser, _ = await a_peopled_site(site)
    await an_old_dump(site, replica, eraser)
    fresh, _ = await site.process()
    (site.keys / "privacy" / "kek.gone").unlink()  # nothing says that it was destroyed
    minted = len(site.log.records(VAULT.name))
    with pytest.raises(KeyUnreadable):
        await site.feed(fresh, a_visit(GONE, at_ms=site.clock.now_ms() + 9_000))
    assert len(site.log.records(VAULT.name)) == minted


async def test_hold_and_open_encounter_refuse_at_the_last_moment(site: Site) -> None:
    replica, eraser, tokens = await a_peopled_site(site)
    assert await eraser.refusal([tokens[GONE]]) == ""
    (person,) = await replica.vault.resolve([tokens[93]])
    await replica.vault.hold([person.link], hold=True)
    assert await eraser.refusal([tokens[GONE], tokens[93]]) == "legal_hold"
    await ask_for(eraser, replica, a_person(GONE))
    assert await eraser.work() == ([], 0)
    assert (await eraser.book.read())["e1"].refusal == "legal_hold"
    await eraser.change_key()
    assert await eraser.refusal([tokens[93]]) == "legal_hold"  # a hold outlives a change of key
    await replica.vault.hold([person.link], hold=False)
    await site.feed(replica, a_visit(GONE, "open", site.clock.now_ms()))
    await ask_for(eraser, replica, a_person(GONE))
    await eraser.work()
    assert (await eraser.book.read())["e1"].refusal == "open_encounter"
    assert b"Familyname3" in (await site.attacker()).opened()[tokens[GONE]]


async def test_a_batch_in_hand_brings_nobody_back(site: Site) -> None:
    """A second process has read the key before, and writes what it made of it after."""
    replica, eraser, tokens = await a_peopled_site(site)
    slow, _ = await site.process()
    late = await slow.handle([site.ingest.seal(a_visit(GONE), "late")])
    await ask_for(eraser, replica, a_person(GONE))
    writing = eraser.vault.erase
    people = await slow.vault.resolve([tokens[GONE]])

    async def erase_and_then_the_others_write(*args: object) -> None:
        await writing(*args)  # type: ignore[arg-type]
        if people:
            await slow.vault.save([people.pop()])
            await site.log.write(late.outputs)

    object.__setattr__(eraser.vault, "erase", erase_and_then_the_others_write)
    await eraser.work()
    await site.log.write([])
    await assert_erased(site, tokens)
    await assert_others_as_before(site, tokens)


async def test_killed_at_any_step_it_is_finished_and_never_half(
    tmp_path: Path, redis_url: str
) -> None:
    """Killed after a write and before the next it left the same behind: of the two, once another
    replica writes meanwhile what it has in hand, which is what 4 was told of the erased.
    """
    redis = Redis.from_url(redis_url)
    template = make_keys(tmp_path / "template")
    steps, told_again = 0, 0
    while True:
        folder = tmp_path / str(steps)
        shutil.copytree(template, folder / "keys")
        site = await a_site(folder, redis_url, redis)
        replica, eraser, tokens = await a_peopled_site(site)
        in_hand = await replica.vault.resolve([tokens[4]])
        await ask_for(eraser, replica, a_person(GONE))
        _, at_work = await site.process(fuel := Fuel(steps))
        try:
            await at_work.work()
        except (Killed, Unavailable):
            await redis.delete("prv:erasing:lock", "prv:erasures:lock", "prv:links:lock")  # expire
            if steps % 2 and await has_to_strip_again(site):
                await replica.vault.save(in_hand)
                told_again += 1
            if steps % 3 == 0:
                await redis.flushall()
            fresh, resumed = await site.process()
            # Between, a batch comes: of the erased person it is old or new, of others as ever.
            await site.feed(fresh, a_visit(OTHERS[1], at_ms=site.clock.now_ms()))
            await resumed.work()
        await assert_erased(site, tokens)
        await assert_others_as_before(site, tokens)
        assert (await resumed_book(site)).state == "done"
        await site.close()
        if fuel.used < steps or steps > 60:
            break
        steps += 1
    assert 20 < steps < 60
    assert told_again > 5
    await redis.aclose()


async def has_to_strip_again(site: Site) -> bool:
    """Say whether a batch in hand may still write what it was told of the erased person."""
    _, eraser = await site.process()
    erasure = (await eraser.book.read())["e1"]
    return not eraser.is_proof_due(erasure) and bool(eraser.book.about(erasure).told)


async def test_killed_between_two_old_keys_it_knows_whom_it_is_about(site: Site) -> None:
    replica, eraser, tokens = await a_peopled_site(site)
    await ask_for(eraser, replica, a_person(GONE))
    eraser.rewrap.make()  # a change of the key was cut short: now two have to go
    store: Any = eraser.rewrap.codec.ring.store
    destroy = store.store.destroy

    def destroy_and_die(kek_id: str) -> int:
        destroy(kek_id)
        raise Killed

    store.store.destroy = destroy_and_die
    with pytest.raises(Killed):
        await eraser.work()
    await replica.redis.delete("prv:erasing:lock")
    _, resumed = await site.process()
    await resumed.work()
    await assert_erased(site, tokens)
    assert (await resumed_book(site)).state == "done"


async def test_a_patient_of_whom_far_too_much_was_said_leaves_the_book_small(site: Site) -> None:
    _, eraser = await site.process()
    others = {"LOC": tuple(f"{number} {'x' * 190}" for number in range(64)) * 20}
    identity = KnownIdentity(ids=a_person(GONE).ids, names=a_person(GONE).names, others=others)
    about = About(("t",), ("l",), (Told((identity,), ("other",)),))
    sealed = eraser.book.seal_about("e1", about)
    assert len(sealed) < 2_000
    erasure = Erasure(
        id="e1",
        state="confirmed",
        basis="LEGAL",
        requested_by="one",
        requested_at_ms=1,
        sealed=sealed,
    )
    (told,) = eraser.book.about(erasure).told
    assert (told.links, told.people[0].names, told.people[0].others) == (
        ("other",),
        identity.names,
        {},
    )


async def test_a_change_of_key_in_the_grace_leaves_no_way_to_the_erased(site: Site) -> None:
    replica, eraser, tokens = await a_peopled_site(site)
    await ask_for(eraser, replica, a_person(GONE))
    again = eraser._strip_again
    done: list[int] = []

    async def meanwhile(one: Erasure) -> Erasure:
        if not done:
            done.append(1)
            _, other = await site.process()
            with pytest.raises(Unavailable):  # one at a time
                await other.change_key()
            assert not other.rewrap.is_under_way
        return await again(one)

    object.__setattr__(eraser, "_strip_again", meanwhile)
    await eraser.work()
    await assert_erased(site, tokens)


async def resumed_book(site: Site) -> Erasure:
    _, eraser = await site.process()
    return (await eraser.book.read())["e1"]


async def test_a_change_of_key_keeps_everybody(site: Site) -> None:
    replica, eraser, tokens = await a_peopled_site(site)
    old = replica.codec.ring.current.id
    destroyed, verified = await eraser.change_key()
    assert [one.kek_id for one in destroyed] == [old]
    assert verified == len(tokens)
    await replica.redis.flushall()
    fresh, _ = await site.process()
    assert {p.key.token for p in await fresh.vault.resolve(list(tokens.values()))} == set(
        tokens.values()
    )
    fields = await replica.redis.hkeys("prv:privacy.vault.v1")
    assert not [name for name in fields if old.encode() in name]
    assert [p.name for p in (site.keys / "privacy").glob("kek*.key")] == ["kek.1.key"]
