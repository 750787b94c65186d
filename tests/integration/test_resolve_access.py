"""Who is told: role, care relation, limits, broken glass; and who tries without the keys."""

from collections.abc import AsyncIterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from contracts.audited import AUDIT
from contracts.identified import Encounter, PersonName, Staff
from plumbing.errors import Unavailable
from services.privacy import metrics
from services.privacy.audit import Answers
from services.privacy.key_files import load_privacy_keys
from services.privacy.patient_keys import staff_token
from tests.integration.test_privacy_service import Api, an_api, asking
from tests.integration.test_privacy_stage import a_merge, a_person
from tests.support.privacy import Ingest, Replica, a_replica, events_of
from tests.unit.privacy.builders import a_body

DOCTOR = "D4411"


def a_stay(unit: str, *staff: str) -> Encounter:
    people = tuple(Staff(one, "attending", PersonName("Okonkwo")) for one in staff)
    return Encounter(number=f"V-{unit}", unit=unit, staff=people)


class Ward(Api):
    """The API with patients 0 to 29 on W0, W1 and W2 in turn; 1 is in the care of the doctor."""

    tokens: dict[int, str]
    replica: Replica

    async def who(self, *numbers: int, **said: object) -> list[str]:
        answer = await self.ask("resolve", asking(*(self.tokens[n] for n in numbers), **said))
        assert answer.status_code == 200, answer.text
        return [one["name"] for one in answer.json()["identities"]]

    async def refused(self, route: str, body: object) -> tuple[int, str]:
        answer = await self.ask(route, body)
        return answer.status_code, answer.json()["status"]


@pytest.fixture
async def ward(tmp_path: Path, redis_url: str) -> AsyncIterator[Ward]:
    async with an_api(tmp_path, redis_url) as api:
        api.__class__ = Ward
        assert isinstance(api, Ward)
        api.replica = await a_replica(api.keys, redis_url, api.log, api.log).open()
        ingest = Ingest(api.keys)
        bodies = [
            a_body(a_person(n), encounter=a_stay(f"W{n % 3}", *([DOCTOR] if n == 1 else [])))
            for n in range(30)
        ]
        sealed = [ingest.seal(body, f"e{n}") for n, body in enumerate(bodies)]
        events = events_of(await api.replica.handle(sealed))
        api.tokens = {number: event.token for number, event in enumerate(events)}
        yield api
        await api.replica.redis.aclose()


async def test_a_viewer_is_told_of_their_units_and_their_care_alone(ward: Ward) -> None:
    assert await ward.who(0, 1, 2, units=["W2"]) == ["Given Familyname2"]
    assert await ward.who(0, 1, 2, units=["W2"], viewer=DOCTOR) == [
        "Given Familyname1",
        "Given Familyname2",
    ]
    assert await ward.who(0, 1, 2, units=[]) == []
    assert await ward.who(0, 1, 2, units=["W"]) == []
    told = {entry.token for entry in ward.entries() if entry.action == "resolve" and entry.token}
    assert told == {ward.tokens[1], ward.tokens[2]}  # of the others nothing was told


async def test_care_is_that_of_the_person_by_any_identifier(ward: Ward) -> None:
    ingest = Ingest(ward.keys)
    merge = a_merge(a_person(0), a_person(100), link=True)
    (event, *_) = events_of(await ward.replica.handle([ingest.seal(merge, "m")]))
    linked = [t for t in await ward.find("77000100") if t != event.token]
    answer = await ward.ask("resolve", asking(*linked, units=["W0"]))
    assert [one["record_number"] for one in answer.json()["identities"]] == ["77000100"]
    answer = await ward.ask("resolve", asking(*linked, units=["W1"]))
    assert answer.json()["identities"] == []


@pytest.mark.parametrize("role", ["", "sre", "model-admin", "privacy-officer", "Clinician", "*"])
async def test_other_roles_are_told_nothing_and_that_is_written_down(ward: Ward, role: str) -> None:
    asked = asking(ward.tokens[0], role=role)
    assert await ward.refused("resolve", asked) == (403, "role")
    query = {"query": "77000000", "viewer": "D1", "purpose": "TREAT", "role": role}
    assert await ward.refused("find", query) == (403, "role")
    assert [entry.outcome for entry in ward.entries()] == ["refused_role", "refused_role"]


async def test_broken_glass_needs_a_reason_and_has_a_mark_of_its_own(ward: Ward) -> None:
    glass = {"purpose": "ETREAT", "units": []}
    assert await ward.refused("resolve", asking(ward.tokens[0], **glass)) == (422, "reason")
    curious = asking(ward.tokens[0], **glass, reason="curiosity")
    assert (await ward.refused("resolve", curious))[0] == 422
    assert await ward.who(0, **glass, reason="emergency") == ["Given Familyname0"]
    assert await ward.who(0, **glass, reason="emergency") == ["Given Familyname0"]
    marks = [one for one in ward.entries() if one.action == "break_glass" and one.token]
    assert [(one.token, one.detail) for one in marks] == [
        (ward.tokens[0], {"reason": "emergency"})
    ] * 2  # each time, not once in a quarter of an hour
    assert await ward.who(0, **glass, reason="emergency", again=True) == ["Given Familyname0"]
    assert len([one for one in ward.entries() if one.action == "break_glass" and one.token]) == 2
    numbers = list(range(1, 10))
    assert len(await ward.who(*numbers, **glass, reason="covering")) == 9
    eleventh = asking(ward.tokens[10], **glass, reason="emergency")
    assert await ward.refused("resolve", eleventh) == (429, "too_many")
    ward.clock.advance(3_601)
    assert len(await ward.who(10, **glass, reason="emergency")) == 1


async def test_a_viewer_has_so_many_patients_an_hour(ward: Ward) -> None:
    limits = ward.service._limits()
    assert limits.patients.takes("D1", list(map(str, range(2_000))), 0.0)
    assert not limits.patients.takes("D1", ["one more"], 1.0)
    assert limits.patients.takes("D1", ["5", "6"], 1.0)  # the same ones as often as needed
    assert limits.patients.takes("D2", ["one more"], 1.0)
    assert limits.patients.takes("D1", ["one more"], 3_601.0)
    query = {"viewer": "D1", "purpose": "TREAT", "role": "clinician"}
    found = [await ward.ask("find", query | {"query": f"guess {n}"}) for n in range(301)]
    assert [one.status_code for one in found] == [200] * 300 + [429]


async def test_a_viewer_written_in_another_way_has_the_same_allowance(ward: Ward) -> None:
    glass: dict[str, Any] = {"purpose": "ETREAT", "units": [], "reason": "emergency"}
    written = ("D1", "d1", "D1 ", " D1", "Ｄ1", "D\u200b1", "D-1", "D\u00ad1", "d１", "Ð1")
    for number, viewer in enumerate(written):
        assert len(await ward.who(number, **glass, viewer=viewer)) == 1
    for viewer in written:
        eleventh = asking(ward.tokens[10], **glass, viewer=viewer)
        assert await ward.refused("resolve", eleventh) == (429, "too_many")
    assert len(await ward.who(10, **glass, viewer="D2")) == 1


async def test_forged_and_truncated_tokens_are_nobody(ward: Ward) -> None:
    (token, other) = (ward.tokens[0], ward.tokens[1])
    forged = [
        token[:-1],
        token + "a",
        token[:13] + other[13:],
        token.upper(),
        "a" * 26,
        "@erasures",
    ]
    forged += [f"t:{token}", "privacy.vault.v1", "*", "\x00", "../kek.key"]
    answer = await ward.ask("resolve", asking(*forged))
    assert answer.json() == {"identities": []}
    assert await ward.who(0) == ["Given Familyname0"]


async def test_a_dictionary_of_numbers_gives_no_token_without_the_keys(
    ward: Ward, tmp_path: Path
) -> None:
    """Whoever knows every record number, and every algorithm, but has keys of their own."""
    from services.privacy.patient_keys import Kek, link_of
    from tests.support.privacy import make_keys

    theirs = load_privacy_keys(make_keys(tmp_path / "theirs"))
    stored = await ward.replica.redis.hgetall("prv:privacy.vault.v1")
    keks: list[Kek] = [*theirs.keks.load().live, Kek(bytes(32))]
    for number, kek, key in product(range(30), keks, (theirs.link, theirs.index, bytes(32))):
        identifier = a_person(number).ids[0]
        assert link_of(key, identifier).encode() not in stored
        assert kek.field("i", key, identifier.value).encode() not in stored
        assert kek.field("t", key, ward.tokens[number]).encode() not in stored


async def test_a_glass_that_was_never_broken_cannot_be_asked_under_again(ward: Ward) -> None:
    again: dict[str, Any] = {"purpose": "ETREAT", "units": [], "reason": "covering", "again": True}
    before = metrics.GLASS_BROKEN.labels("covering")._value.get()
    assert len(await ward.who(0, 1, **again)) == 2
    assert len(await ward.who(0, 1, **again)) == 2
    marks = [one.token for one in ward.entries() if one.action == "break_glass"]
    assert marks == [ward.tokens[0], ward.tokens[1]]
    assert metrics.GLASS_BROKEN.labels("covering")._value.get() == before + 1
    ward.clock.advance(3_601)  # an opening that lasts longer is noted once an hour
    assert len(await ward.who(0, **again)) == 1
    assert len([one for one in ward.entries() if one.action == "break_glass"]) == 3


async def test_a_question_that_is_played_back_is_written_down_and_counted(ward: Ward) -> None:
    """A bearer token and a body that were overheard: TLS keeps them from being heard; here a copy
    tells no more than the first, under the same limits and the same audit.
    """
    asked = asking(ward.tokens[0], purpose="ETREAT", reason="emergency", units=[])
    answers = [await ward.ask("resolve", asked) for _ in range(5)]
    assert {one.content for one in answers} == {answers[0].content}
    marks = [one for one in ward.entries() if one.action == "break_glass"]
    assert len(marks) == 5
    keys = load_privacy_keys(ward.keys)
    assert {one.viewer for one in marks} == {staff_token(keys.staff, "D1")}


def _away(*_: object, **__: object) -> None:
    raise RedisConnectionError


async def test_with_redis_away_nobody_is_named_and_nothing_is_guessed(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await ward.who(0, units=["W0"]) == ["Given Familyname0"]
    hash_ = ward.service.relations.hash
    ward.service.relations.hash = "prv:not-there"  # as an emptied one: filled again, then told
    assert await ward.who(0, units=["W0"]) == ["Given Familyname0"]
    ward.service.relations.hash = hash_
    monkeypatch.setattr(ward.service.redis, "pipeline", _away)
    answer = await ward.ask("resolve", asking(ward.tokens[0]))
    assert (answer.status_code, answer.json()) == (503, {"status": "unavailable"})


async def test_the_audit_comes_before_the_answer(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object, **__: object) -> None:
        raise Unavailable("the audit cannot be written")

    for name, asked in (
        ("looked", asking(ward.tokens[0])),
        ("acted", asking(ward.tokens[0], purpose="ETREAT", reason="emergency", units=[])),
    ):
        with monkeypatch.context() as patched:
            patched.setattr(Answers, name, fails)
            answer = await ward.ask("resolve", asked)
            assert (answer.status_code, answer.json()) == (503, {"status": "unavailable"})
    assert ward.log.records(AUDIT.name) == []


async def test_a_mark_that_could_not_be_written_is_written_the_next_time(ward: Ward) -> None:
    asked = asking(ward.tokens[0], purpose="ETREAT", units=[], reason="emergency", again=True)
    ward.log.available = False
    assert await ward.refused("resolve", asked) == (503, "unavailable")
    ward.log.available = True
    answer = await ward.ask("resolve", asked)
    marks = [one for one in ward.entries() if one.action == "break_glass"]
    assert marks or not answer.json()["identities"]
