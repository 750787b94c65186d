"""The stage on a real Redis, with the log in memory: keys, links, relations, losses."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.clinical import EventType
from contracts.identified import (
    Encounter,
    IdentifiedBody,
    IdentityLink,
    Patient,
    PatientId,
    PersonName,
)
from contracts.merged import MERGED, IdentityMerged
from contracts.observation import Code, Observation
from contracts.relations import RELATIONS, CareRelation
from contracts.vault import VAULT
from plumbing.byte_gate import bytes_of
from plumbing.clock import ManualClock
from plumbing.errors import Unavailable
from plumbing.event_log import Output, Record
from plumbing.memory_log import InMemoryLog
from services.ingest.frames import parse_frame
from services.ingest.identity import Keys
from services.ingest.parse import SourceProfile
from services.privacy.key_files import private_path
from services.privacy.mirror import MirrorAhead
from tests.support.brokers import RedisServer
from tests.support.planted import EN, ZH, Planted, found_in, messages
from tests.support.privacy import Ingest, Replica, a_replica, events_of, make_keys
from tests.unit.privacy.builders import ANNA, MING, a_body, a_note

Site = Callable[[], Replica]
TOPICS = (VAULT.name, MERGED.name, RELATIONS.name)


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return make_keys(tmp_path / "keys")


@pytest.fixture
def ingest(keys: Path) -> Ingest:
    return Ingest(keys)


@pytest.fixture
def memory_log() -> InMemoryLog:
    return InMemoryLog(TOPICS)


@pytest.fixture
async def site(keys: Path, redis_url: str, memory_log: InMemoryLog) -> AsyncIterator[Site]:
    replicas: list[Replica] = []

    def make() -> Replica:
        replicas.append(a_replica(keys, redis_url, memory_log, memory_log))
        return replicas[-1]

    yield make
    for replica in replicas:
        await replica.redis.aclose()


def a_person(number: int) -> Patient:
    return Patient(
        ids=(PatientId(f"77{number:06}", "GENERAL", "MR"),),
        names=(PersonName(f"Familyname{number}", "Given"),),
        birth_date="1970-01-01",
    )


def a_merge(patient: Patient, other: Patient, *, link: bool, at_ms: int = 0) -> IdentifiedBody:
    kind: EventType = "identity.merged" if link else "identity.unlinked"
    return IdentifiedBody(
        event_type=kind,
        message_type="ADT^A40" if link else "ADT^A37",
        received_at_ms=at_ms,
        occurred_at_ms=at_ms,
        patient=patient,
        links=(IdentityLink(other=other.ids[0], link=link, trigger="A40" if link else "A37"),),
    )


def relations(memory_log: InMemoryLog) -> list[CareRelation]:
    return [RELATIONS.decode(r.value) for r in memory_log.records(RELATIONS.name) if r.value]


def newest_links(memory_log: InMemoryLog) -> dict[str, IdentityMerged]:
    merged = [MERGED.decode(r.value) for r in memory_log.records(MERGED.name) if r.value]
    return {record.token: record for record in merged}


async def test_a_patient_has_one_key_for_good(
    site: Site, ingest: Ingest, memory_log: InMemoryLog
) -> None:
    replica = await site().open()
    events = [ingest.seal(a_body(), f"e{n}") for n in range(3)]
    first = events_of(await replica.handle(events))
    assert len({event.token for event in first}) == 1
    assert [event.event_id for event in first] == ["e0", "e1", "e2"]
    other = events_of(await replica.handle([ingest.seal(a_body(MING), "m")]))
    assert other[0].token != first[0].token
    restarted = await site().open()
    again = events_of(await restarted.handle(events))
    assert again == first
    assert len(memory_log.records(VAULT.name)) == 2


async def test_no_identity_is_readable_in_redis_or_on_a_topic(
    site: Site, ingest: Ingest, memory_log: InMemoryLog
) -> None:
    replica = await site().open()
    merge = a_merge(ANNA, MING, link=True)
    bodies = [a_body(notes=a_note("Ms Vickers, MRN 10045678")), a_body(MING), merge]
    handled = await replica.handle([ingest.seal(body, f"e{n}") for n, body in enumerate(bodies)])
    seen: list[object] = [*handled.outputs]
    seen += [record for topic in TOPICS for record in memory_log.records(topic)]
    async for key in replica.redis.scan_iter("*"):
        assert key.startswith(b"prv:")
        assert await replica.redis.ttl(key) == -1
        for field, value in (await replica.redis.hgetall(key)).items():
            seen += [field, value]
    everything = "\n".join(map(str, seen)).lower()
    for word in ("vickers", "10045678", "欧阳", "晓明", "zy0098231", "13812345678", "okonkwo"):
        assert word not in everything
        assert str(word.encode())[2:-1] not in everything


async def test_the_number_of_an_order_is_known_to_the_notes_of_its_event_alone(
    site: Site, ingest: Ingest
) -> None:
    replica = await site().open()
    told = [(note, ("QK-88231",)) for note in ("sample QK-88231 clotted", "sample clotted")]
    told.append(("sample clotted, was qk 88231", ("QK-88231",)))
    bodies = [a_body(notes=a_note(note), numbers=numbers) for note, numbers in told]
    events = events_of(
        await replica.handle([ingest.seal(body, f"e{n}") for n, body in enumerate(bodies)])
    )
    assert [event.notes[0].text for event in events] == [
        "sample [ID-1] clotted", "sample clotted", "sample clotted, was [ID-1]",
    ]  # fmt: skip


async def test_an_emptied_redis_in_mid_run_gives_no_second_key(
    site: Site, ingest: Ingest, memory_log: InMemoryLog
) -> None:
    replica = await site().open()
    events = [ingest.seal(a_body(a_person(n)), f"e{n}") for n in range(30)]
    first = events_of(await replica.handle(events))
    await replica.redis.flushall()
    again = events_of(await replica.handle(events))
    assert [event.token for event in again] == [event.token for event in first]
    assert len(memory_log.records(VAULT.name)) == 30


async def test_an_older_redis_gives_no_second_key(
    tmp_path: Path, keys: Path, ingest: Ingest, memory_log: InMemoryLog, own_redis: RedisServer
) -> None:
    replica = await a_replica(keys, own_redis.url, memory_log, memory_log).open()
    await replica.handle([ingest.seal(a_body(a_person(n)), f"a{n}") for n in range(10)])
    await replica.redis.save()
    older = own_redis.dump.read_bytes()
    events = [ingest.seal(a_body(a_person(n)), f"b{n}") for n in range(10, 40)]
    first = events_of(await replica.handle(events))
    own_redis.kill()
    own_redis.dump.write_bytes(older)
    own_redis.start()
    with pytest.raises(Unavailable):
        await replica.handle(events)  # the connection was cut; the stage is asked again
    again = events_of(await replica.handle(events))
    assert [event.token for event in again] == [event.token for event in first]
    assert len(memory_log.records(VAULT.name)) == 40
    await replica.redis.aclose()


async def test_with_redis_gone_nothing_leaves_and_its_return_goes_on(
    keys: Path, ingest: Ingest, memory_log: InMemoryLog, own_redis: RedisServer
) -> None:
    replica = await a_replica(keys, own_redis.url, memory_log, memory_log).open()
    events = [ingest.seal(a_body(a_person(n)), f"e{n}") for n in range(5)]
    first = events_of(await replica.handle(events[:2]))
    own_redis.kill()
    written = {topic: len(memory_log.records(topic)) for topic in TOPICS}
    for _ in range(3):
        with pytest.raises(Unavailable):
            await replica.handle(events)
    assert {topic: len(memory_log.records(topic)) for topic in TOPICS} == written
    own_redis.start()
    again = events_of(await replica.handle(events))
    assert [event.event_id for event in again] == [f"e{n}" for n in range(5)]
    assert [event.token for event in again[:2]] == [event.token for event in first]
    await replica.redis.aclose()


async def test_what_another_replica_minted_is_found_even_after_redis_lost_it(
    site: Site, ingest: Ingest, memory_log: InMemoryLog
) -> None:
    one, two = await site().open(), await site().open()
    event = ingest.seal(a_body(a_person(1)), "e1")
    first = events_of(await one.handle([event]))
    await one.redis.flushall()  # `two` never saw that record: its own high water tells nothing
    assert events_of(await two.handle([event]))[0].token == first[0].token
    assert len(memory_log.records(VAULT.name)) == 1


async def test_a_key_that_was_offered_but_never_written_is_written_before_use(
    site: Site, ingest: Ingest, memory_log: InMemoryLog
) -> None:
    replica = await site().open()
    memory_log.available = True
    event = ingest.seal(a_body(a_person(1)), "e1")
    write = memory_log.write

    async def fail(_outputs: object) -> tuple[int, ...]:
        raise Unavailable("for a test")

    memory_log.write = fail  # type: ignore[assignment]  # the broker dies between the two steps
    with pytest.raises(Unavailable):
        await replica.handle([event])
    memory_log.write = write  # type: ignore[method-assign]  # and is back
    assert memory_log.records(VAULT.name) == []
    other = await site().open()
    token = events_of(await other.handle([event]))[0].token
    await other.redis.flushall()
    third = await site().open()
    assert events_of(await third.handle([event]))[0].token == token


async def test_the_lowest_offset_wins_and_survives_compaction(
    site: Site, ingest: Ingest, memory_log: InMemoryLog, keys: Path
) -> None:
    replica = await site().open()
    event = ingest.seal(a_body(a_person(1)), "e1")
    first = events_of(await replica.handle([event]))[0].token
    (winner,) = memory_log.records(VAULT.name)
    await replica.redis.flushall()
    apart = InMemoryLog(TOPICS)
    lost = await a_replica(keys, _url(replica), apart, apart).open()
    assert events_of(await lost.handle([event]))[0].token != first
    (loser,) = apart.records(VAULT.name)
    await memory_log.write([_as_output(loser)])  # a second key got onto the topic
    await replica.redis.flushall()
    mended = await site().open()
    assert events_of(await mended.handle([event]))[0].token == first
    memory_log.compact(VAULT.name)
    await replica.redis.flushall()
    rebuilt = await site().open()
    assert events_of(await rebuilt.handle([event]))[0].token == first
    assert winner.value != loser.value
    await lost.redis.aclose()


async def test_redis_ahead_of_the_topic_stops_the_service(
    site: Site, ingest: Ingest, keys: Path
) -> None:
    replica = await site().open()
    await replica.handle([ingest.seal(a_body(), "e1")])
    empty = InMemoryLog(TOPICS)
    wrong = a_replica(keys, _url(replica), empty, empty)
    with pytest.raises(MirrorAhead):
        await wrong.open()
    await wrong.redis.aclose()


async def test_merges_are_symmetrical_and_unlinks_undo_them(
    site: Site, ingest: Ingest, memory_log: InMemoryLog
) -> None:
    replica = await site().open()
    people = [a_person(n) for n in range(3)]
    merges = [
        a_merge(people[0], people[1], link=True),
        a_merge(people[2], people[0], link=True),
        a_merge(people[1], people[0], link=False, at_ms=1),
    ]
    tokens = [
        events_of(await replica.handle([ingest.seal(a_body(person), f"p{n}")]))[0].token
        for n, person in enumerate(people)
    ]
    await replica.handle([ingest.seal(merges[0], "m0"), ingest.seal(merges[1], "m1")])
    links = newest_links(memory_log)
    assert {link.other for link in links[tokens[0]].links} == {tokens[1], tokens[2]}
    for token, record in links.items():
        for link in record.links:
            back = {other.other: other for other in links[link.other].links}[token]
            assert back.shift_delta_days == -link.shift_delta_days
    assert set(await replica.links.one_person([tokens[1]])) == set(tokens)
    redelivered = len(memory_log.records(MERGED.name))
    await replica.handle([ingest.seal(merges[0], "m0")])
    assert len(memory_log.records(MERGED.name)) == redelivered
    await replica.handle([ingest.seal(merges[2], "m2")])
    links = newest_links(memory_log)
    assert links[tokens[1]].links == ()
    assert [link.other for link in links[tokens[0]].links] == [tokens[2]]
    assert links[tokens[0]].version == 2  # one record for each batch that changed it
    await replica.redis.flushall()
    rebuilt = await site().open()
    assert set(await rebuilt.links.one_person([tokens[0]])) == {tokens[0], tokens[2]}


async def test_a_delta_turns_the_others_times_into_ours(
    site: Site, ingest: Ingest, memory_log: InMemoryLog
) -> None:
    replica = await site().open()
    one, other = a_person(1), a_person(2)
    sealed = [ingest.seal(a_body(p), p.ids[0].value) for p in (one, other)]
    mine, theirs = events_of(await replica.handle(sealed))
    await replica.handle([ingest.seal(a_merge(one, other, link=True), "m")])
    (link,) = newest_links(memory_log)[mine.token].links
    assert theirs.occurred_at_ms + link.shift_delta_days * 86_400_000 == mine.occurred_at_ms


async def test_notes_after_a_merge_lose_the_names_of_both_ids(site: Site, ingest: Ingest) -> None:
    replica = await site().open()
    plain = Patient(ids=(PatientId("5550001"),), names=(PersonName("Nakagawa", "Yuki"),))
    known = ingest.seal(a_body(plain), "e1")
    merge = ingest.seal(a_merge(ANNA, plain, link=True), "m")
    note = ingest.seal(a_body(ANNA, notes=a_note("formerly yuki nakagawa, 555-0001")), "e2")
    found = events_of(await replica.handle([known, merge, note]))
    assert found[-1].notes[0].text == "formerly [NAME-1], [ID-1]"


async def test_notes_lose_the_staff_that_only_an_earlier_event_names(
    site: Site, ingest: Ingest
) -> None:
    replica = await site().open()
    note = a_note("seen with okonkwo, okonkwo agrees")
    later = a_body(encounter=None, notes=note)
    await replica.handle([ingest.seal(a_body(), "visit")])
    (event,) = events_of(await replica.handle([ingest.seal(later, "note")]))
    assert event.notes[0].text == "seen with [NAME-1], [NAME-1] agrees"


async def test_an_older_movement_never_overrides_a_newer_one(
    site: Site, ingest: Ingest, memory_log: InMemoryLog
) -> None:
    replica = await site().open()

    def move(
        event_id: str, unit: str, at_ms: int, kind: EventType = "encounter.transfer"
    ) -> object:
        visit = Encounter(number="V1", class_="I", unit=unit, bed="3")
        body = a_body(event_type=kind, encounter=visit, occurred_at_ms=at_ms, observations=())
        return ingest.seal(body, event_id)

    steps = [
        move("e1", "W1", 1_000, "encounter.admit"),
        move("e2", "MICU", 3_000),
        move("e3", "W2", 2_000),
        move("e4", "W9", 4_000, "observation.result"),
        move("e5", "W3", 5_000),
    ]
    for step in steps:
        await replica.handle([step])  # type: ignore[list-item]  # built above
    assert [relation.unit for relation in relations(memory_log)] == ["W1", "MICU", "W3"]
    await replica.redis.flushall()
    again = await site().open()
    await again.handle([move("e6", "W4", 2_500)])  # type: ignore[list-item]  # built above
    assert relations(memory_log)[-1].unit == "W3"


async def test_relations_have_staff_tokens_and_shifted_times(
    site: Site, ingest: Ingest, memory_log: InMemoryLog
) -> None:
    replica = await site().open()
    (event,) = events_of(await replica.handle([ingest.seal(a_body(), "e1")]))
    (relation,) = relations(memory_log)
    assert event.stay is not None
    assert relation.encounter == event.stay.encounter
    assert relation.from_ms == event.stay.admitted_at_ms
    assert (relation.unit, relation.room, relation.bed) == ("MICU", "12", "B")
    assert [len(role.staff) for role in relation.staff] == [26]
    assert b"D4411" not in RELATIONS.encode(relation)


async def test_bad_records_are_refused_alone(site: Site, ingest: Ingest, keys: Path) -> None:
    replica = await site().open()
    good = ingest.seal(a_body(), "good")
    altered = msgspec.structs.replace(ingest.seal(a_body(), "x"), event_id="other")
    strange = msgspec.structs.replace(ingest.seal(a_body(), "y"), key_day="../../etc/passwd")
    nobody = ingest.seal(a_body(Patient(ids=())), "z")
    handled = await replica.handle([altered, good, strange, nobody], first_offset=10)
    assert [(refusal.offset, refusal.code) for refusal in handled.refused] == [
        (10, "seal_broken"),
        (12, "seal_broken"),
        (13, "no_identifier"),
    ]
    assert [event.event_id for event in events_of(handled)] == ["good"]


async def test_what_is_too_large_is_refused_alone_and_the_batch_goes_on_as_one(
    site: Site, ingest: Ingest, memory_log: InMemoryLog
) -> None:
    """A number, a name or an event beyond what Kafka takes: none makes the writer refuse it all."""
    replica = await site().open()
    long_id = Patient(ids=(PatientId("7" * 1_000, "GENERAL", "MR"),))
    long_name = msgspec.structs.replace(ANNA, names=(PersonName("Vickers" * 3_000, "Anna"),))
    values = tuple(
        Observation(index=at, code=Code("LN", "8867-4"), kind="quantity", value=88.0, unit="/min")
        for at in range(12_000)
    )
    bodies = [
        a_body(),
        a_body(long_id),
        a_merge(MING, long_id, link=True),
        a_body(long_name, notes=a_note("Vickers" * 20 + " and Anna came")),
        a_body(observations=values),
        a_body(MING),
    ]
    handled = await replica.handle([ingest.seal(body, f"e{n}") for n, body in enumerate(bodies)])
    assert [(one.offset, one.code) for one in handled.refused] == [
        (1, "too_large"), (2, "too_large"), (4, "too_large"),
    ]  # fmt: skip
    assert [event.event_id for event in events_of(handled)] == ["e0", "e3", "e5"]
    bytes_of(handled.outputs)  # raises where one would not be taken
    for record in memory_log.records(VAULT.name):
        assert len(record.value or b"") < 10_000


async def test_a_destroyed_day_key_refuses_and_a_missing_one_waits(
    keys: Path, redis_url: str, ingest: Ingest, memory_log: InMemoryLog
) -> None:
    clock = ManualClock()
    replica = await a_replica(keys, redis_url, memory_log, memory_log, clock).open()
    event = ingest.seal(a_body(), "e1")
    private_path(keys, ingest.day).unlink()
    with pytest.raises(Unavailable):
        await replica.handle([event])
    clock.advance(9 * 86_400)
    handled = await replica.handle([event])
    assert [refusal.code for refusal in handled.refused] == ["key_expired"]
    await replica.redis.aclose()


@pytest.fixture
def hole(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of the rules: what something is called passes as it is."""
    monkeypatch.setattr("services.privacy.deidentify._Policy.label", lambda _, value: value)


def a_leak(patient: Patient | None = None) -> IdentifiedBody:
    """A result that is called by the number of its patient."""
    body = a_body(patient) if patient else a_body()
    first = body.observations[0]
    called = msgspec.structs.replace(first.code, text=body.patient.ids[0].value)
    leaking = (msgspec.structs.replace(first, code=called),)
    return msgspec.structs.replace(body, observations=leaking)


@pytest.mark.usefixtures("hole")
async def test_the_guard_quarantines_what_rules_let_through(site: Site, ingest: Ingest) -> None:
    replica = await site().open()
    leaking = ingest.seal(a_leak(), "leak")
    handled = await replica.handle([leaking, ingest.seal(a_body(), "fine")])
    assert [refusal.code for refusal in handled.refused] == ["identity_guard"]
    assert [event.event_id for event in events_of(handled)] == ["fine"]


@pytest.mark.usefixtures("hole")
async def test_a_quarantined_record_that_is_replayed_is_quarantined_again(
    site: Site, ingest: Ingest
) -> None:
    replica = await site().open()
    leaking = ingest.seal(a_leak(), "leak")
    for _ in range(3):
        handled = await replica.handle([leaking])
        assert [refusal.code for refusal in handled.refused] == ["identity_guard"]
        assert handled.outputs == []


@pytest.mark.usefixtures("hole")
async def test_a_sender_that_floods_the_guard_is_blamed_for_several_patients_only(
    site: Site, ingest: Ingest
) -> None:
    replica = await site().open()
    flood = [ingest.seal(a_leak(a_person(1)), f"one-{n}") for n in range(50)]
    handled = await replica.handle(flood)
    assert {(one.code, one.counted) for one in handled.refused} == {("identity_guard", False)}
    others = [ingest.seal(a_leak(a_person(number)), f"other-{number}") for number in (2, 3, 4)]
    handled = await replica.handle(others)
    assert [one.counted for one in handled.refused] == [False, True, True]
    assert handled.outputs == []


async def test_non_clinical_events_stop_here(site: Site, ingest: Ingest) -> None:
    replica = await site().open()
    handled = await replica.handle([ingest.seal(a_body(event_type="non_clinical"), "n")])
    assert (handled.outputs, handled.refused) == ([], [])


@pytest.mark.parametrize("who", [EN, ZH], ids=["en", "zh"])
async def test_nothing_planted_in_any_field_gets_past(
    site: Site, ingest: Ingest, memory_log: InMemoryLog, who: Planted
) -> None:
    replica = await site().open()
    no_keys, source = Keys(bytes(32), bytes(32)), SourceProfile("test")
    sealed = []
    for message in messages(who):
        for parsed in parse_frame(message, source, no_keys, 0).messages:
            sealed += [ingest.seal(event.body, event.event_id) for event in parsed.events]
    handled = await replica.handle(sealed)
    assert (len(events_of(handled)), handled.refused) == (3, [])
    assert all(note.text for event in events_of(handled) for note in event.notes)
    seen = [output.value or b"" for output in handled.outputs]
    seen += [str((output.key, output.headers)).encode() for output in handled.outputs]
    seen += [record.value or b"" for topic in TOPICS for record in memory_log.records(topic)]
    async for key in replica.redis.scan_iter("*"):
        for field, value in (await replica.redis.hgetall(key)).items():
            seen += [bytes(field), bytes(value)]  # type: ignore[arg-type]  # bytes without decoding
    assert found_in(seen, who) == []


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.permutations(list(range(4))))
async def test_the_order_of_merges_does_not_matter(
    keys: Path, redis_url: str, order: list[int]
) -> None:
    memory_log, ingest = InMemoryLog(TOPICS), Ingest(keys)
    replica = a_replica(keys, redis_url, memory_log, memory_log)
    await replica.redis.flushall()
    await replica.open()
    people = [a_person(n) for n in range(4)]
    pairs = [(0, 1), (1, 2), (2, 3), (3, 0)]
    merges = [a_merge(people[a], people[b], link=True) for a, b in pairs]
    for index in order:
        await replica.handle([ingest.seal(merges[index], f"m{index}")])
    links = newest_links(memory_log)
    edges = {(token, link.other) for token, record in links.items() for link in record.links}
    assert len(edges) == 8
    assert edges == {(other, one) for one, other in edges}
    await replica.redis.aclose()


def _url(replica: Replica) -> str:
    options = replica.redis.connection_pool.connection_kwargs
    return f"redis://{options['host']}:{options['port']}/0"


def _as_output(record: Record) -> Output:
    return Output(record.topic, record.key, record.value, record.headers, record.partition)
