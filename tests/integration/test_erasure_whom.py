"""Whom an erasure is about: looked up again before anything is written, and who stays is told."""

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from contracts.erasures import ErasureAnswer
from contracts.identified import Patient, PatientId
from plumbing.errors import Unavailable
from services.privacy import whom
from services.privacy.folding import term
from services.privacy.key_files import load_privacy_keys
from services.privacy.proof import read_proof
from tests.integration.test_erasure_api import LEFT, NUMBER, Officers, officers, told
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
from tests.unit.privacy.builders import a_body

__all__ = ["officers", "site"]
EIGHT = "77000008"
NATIONAL, INSURED = PatientId("9434765919", "NHS", "NH"), PatientId("X110411319", "GKV", "SS")


async def merged(officers: Officers, *, link: bool, at_ms: int) -> None:
    """7 and 8 are one person, or are not any more."""
    await told(officers, a_merge(a_person(8), a_person(7), link=link, at_ms=at_ms))


async def an_eighth(officers: Officers) -> None:
    await told(officers, a_body(a_person(8), encounter=LEFT, received_at_ms=2))


async def shown(officers: Officers, erasure: str) -> ErasureAnswer:
    answer = await officers.ask("erasures/show", erasure=erasure)
    return msgspec.json.decode(answer.content, type=ErasureAnswer)


async def test_a_number_unlinked_between_request_and_erasure_is_not_erased(site: Site) -> None:
    replica, eraser, tokens = await a_peopled_site(site)
    await site.feed(replica, a_merge(a_person(5), a_person(GONE), link=True, at_ms=1_004))
    await ask_for(eraser, replica, a_person(GONE))
    await site.feed(replica, a_merge(a_person(5), a_person(GONE), link=False, at_ms=1_005))
    await eraser.work()
    erasure = (await eraser.book.read())["e1"]
    assert (erasure.state, erasure.refusal) == ("refused", "changed_meanwhile")
    assert erasure.sealed == b""
    assert await replica.vault.find_tokens(term("77000005")) == [tokens[5]]
    assert tokens[GONE] in await replica.vault.find_tokens(term("77000003"))


async def test_a_number_merged_between_request_and_erasure_has_all_stay(site: Site) -> None:
    replica, eraser, tokens = await a_peopled_site(site)
    await ask_for(eraser, replica, a_person(GONE))
    await site.feed(replica, a_merge(a_person(5), a_person(GONE), link=True, at_ms=1_004))
    await eraser.work()
    erasure = (await eraser.book.read())["e1"]
    assert (erasure.state, erasure.refusal) == ("refused", "changed_meanwhile")
    wanted = [tokens[GONE], tokens[93], tokens[5]]
    assert {one.key.token for one in await replica.vault.resolve(wanted)} == set(wanted)


async def test_a_merge_after_the_first_write_keeps_no_erasure_from_its_end(site: Site) -> None:
    replica, eraser, tokens = await a_peopled_site(site)
    await ask_for(eraser, replica, a_person(GONE))
    erase = eraser.links.erase

    async def fail(*_: object) -> None:
        raise Unavailable("Redis is away")

    eraser.links.erase = fail  # type: ignore[method-assign,assignment]
    with pytest.raises(Unavailable):
        await eraser.work()
    assert (await eraser.book.read())["e1"].erased_at_ms
    eraser.links.erase = erase  # type: ignore[method-assign]
    await site.feed(replica, a_merge(a_person(5), a_person(GONE), link=True, at_ms=1_004))
    await eraser.work()
    assert (await eraser.book.read())["e1"].state == "done"
    await assert_erased(site, tokens)
    await assert_others_as_before(site, tokens)


async def test_a_hold_on_a_number_merged_meanwhile_stops_the_erasure(officers: Officers) -> None:
    await an_eighth(officers)
    erasure = await officers.request()
    await officers.ask("erasures/hold", number=EIGHT, hold=True)
    await merged(officers, link=True, at_ms=3)
    answer = await officers.confirm(erasure)
    assert (answer.status_code, answer.json()) == (409, {"status": "changed_meanwhile"})
    await officers.api.service.eraser.work()
    assert (await shown(officers, erasure)).state == "refused"
    again = await officers.ask("erasures/request", purpose="PATRQT", number=NUMBER)
    assert (again.status_code, again.json()) == (409, {"status": "legal_hold"})
    entry = officers.api.entries()[-3]
    assert (entry.action, entry.outcome) == ("erasure_confirm", "refused_changed_meanwhile")


async def test_who_was_refused_as_changed_is_asked_for_again(officers: Officers) -> None:
    await an_eighth(officers)
    await merged(officers, link=True, at_ms=3)
    erasure = await officers.request()
    assert (await shown(officers, erasure)).identifiers == 2
    await merged(officers, link=False, at_ms=4)
    assert (await officers.confirm(erasure)).json() == {"status": "changed_meanwhile"}
    again = await officers.request()
    assert (await shown(officers, again)).identifiers == 1
    assert (await officers.confirm(again)).json()["state"] == "confirmed"
    await officers.api.service.eraser.work()
    assert (await shown(officers, again)).state == "done"
    assert await officers.api.find(NUMBER) == ()
    assert len(await officers.api.find(EIGHT)) == 1


def with_ids(number: int, *ids: PatientId) -> Patient:
    return replace(a_person(number), ids=ids)


MRN = a_person(8).ids[0]
BOTH, LABORATORY = with_ids(8, MRN, NATIONAL), with_ids(8, NATIONAL)


async def told_of(officers: Officers, *patients: Patient) -> list[str]:
    bodies = [a_body(one, encounter=LEFT, received_at_ms=2) for one in patients]
    return await told(officers, *bodies)


@pytest.mark.parametrize("number", [EIGHT, NATIONAL.value])
async def test_who_shares_an_identifier_is_told_and_erased_together(
    officers: Officers, number: str
) -> None:
    tokens = await told_of(officers, BOTH, LABORATORY)
    (by_number,) = await officers.api.service.vault.find_numbers(term(number))
    asked: dict[str, Any] = {"purpose": "PATRQT", "number": number}
    answer = await officers.ask("erasures/request", **asked)
    (other,) = answer.json()["tokens"]
    assert (answer.status_code, answer.json()["status"]) == (409, "shares_an_identifier")
    assert {by_number, other} == set(tokens)
    looks = [one.token for one in officers.api.entries() if one.action == "find"]
    assert looks == [other]
    refused = officers.api.entries()[-1]
    assert (refused.token, refused.outcome) == (by_number, "refused_shares_an_identifier")
    erasure = await officers.request(number=number, others="erase")
    answered = await shown(officers, erasure)
    assert (answered.identifiers, answered.others_kept) == (2, 0)
    await officers.confirm(erasure)
    await officers.api.service.eraser.work()
    assert await officers.api.find(EIGHT) == ()
    assert await officers.api.find(NATIONAL.value) == ()


async def test_who_is_kept_knowingly_stands_in_the_proof(officers: Officers) -> None:
    (erased, kept) = await told_of(officers, BOTH, LABORATORY)
    erasure = await officers.request(number=EIGHT, others="keep")
    assert (await shown(officers, erasure)).others_kept == 1
    assert (await officers.confirm(erasure)).json()["others_kept"] == 1
    await officers.api.service.eraser.work()
    key = load_privacy_keys(officers.api.keys).audit.public_key()
    proof = read_proof((await shown(officers, erasure)).proof, key)
    assert (proof.identifiers, proof.others_kept) == (1, 1)
    assert [one.token for one in await officers.api.resolve(erased, kept)] == [kept]


async def test_who_shares_with_who_shares_is_told_too(officers: Officers) -> None:
    tokens = await told_of(
        officers, BOTH, with_ids(8, NATIONAL, INSURED), with_ids(8, INSURED), a_person(9)
    )
    answer = await officers.ask("erasures/request", purpose="PATRQT", number=EIGHT)
    assert set(answer.json()["tokens"]) == set(tokens[1:3])
    erasure = await officers.request(number=EIGHT, others="erase")
    assert (await shown(officers, erasure)).identifiers == 3


async def test_who_shares_and_is_under_hold_or_here_is_not_erased_together(
    officers: Officers,
) -> None:
    await told_of(officers, BOTH, LABORATORY)
    await officers.ask("erasures/hold", number=NATIONAL.value, hold=True)
    asked: dict[str, Any] = {"purpose": "PATRQT", "number": EIGHT}
    answer = await officers.ask("erasures/request", **asked, others="erase")
    assert (answer.status_code, answer.json()) == (409, {"status": "legal_hold"})


async def test_who_shares_since_the_request_has_it_asked_for_again(officers: Officers) -> None:
    (person,) = await told_of(officers, BOTH)
    erasure = await officers.request(number=EIGHT)
    (laboratory,) = await told_of(officers, LABORATORY)
    assert (await officers.confirm(erasure)).json() == {"status": "changed_meanwhile"}
    assert {one.token for one in await officers.api.resolve(person, laboratory)} == {
        person,
        laboratory,
    }


async def test_a_number_that_far_too_many_share_erases_nobody_else(
    officers: Officers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whom, "SHARING_MAX", 1)
    await told_of(officers, BOTH, with_ids(9, a_person(9).ids[0], NATIONAL), LABORATORY)
    asked: dict[str, Any] = {"purpose": "PATRQT", "number": EIGHT}
    answer = await officers.ask("erasures/request", **asked, others="erase")
    assert answer.json()["status"] == "shares_an_identifier"
    assert len(answer.json()["tokens"]) == 2
    erasure = await officers.request(number=EIGHT, others="keep")
    assert (await shown(officers, erasure)).others_kept == 2
