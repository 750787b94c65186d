"""The erasure API: two persons, two secrets, everything on the audit log first."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest
from msgspec.structs import replace

from contracts.deidentified import DEIDENTIFIED
from contracts.erasures import ErasureAnswer
from contracts.identified import Encounter, IdentifiedBody
from plumbing.errors import Unavailable
from plumbing.key_files import read_key
from services.privacy.key_files import load_privacy_keys
from services.privacy.patient_keys import staff_token
from services.privacy.proof import read_proof
from tests.integration.test_privacy_service import Api, an_api
from tests.integration.test_privacy_stage import a_merge, a_person
from tests.support.privacy import Ingest, a_replica, events_of
from tests.unit.privacy.builders import MING, a_body

LEFT = Encounter(number="V7", unit="W1", status="closed")
NUMBER = "77000007"
REQUEST, CONFIRM = "request", "confirm"


class Officers:
    """Two persons with a secret each."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.secrets = {
            name: read_key(api.keys / "erasure" / f"{name}.token").hex()
            for name in (REQUEST, CONFIRM)
        }

    async def ask(
        self, path: str, secret: str = REQUEST, viewer: str = "O1", **said: object
    ) -> httpx.Response:
        bearer = self.secrets.get(secret, secret)
        return await self.api.ask(path, {"viewer": viewer} | said, bearer)

    async def request(self, **said: object) -> str:
        asked = {"purpose": "PATRQT", "number": NUMBER} | said
        answer = await self.ask("erasures/request", REQUEST, "O1", **asked)
        assert answer.status_code == 200, answer.text
        return msgspec.json.decode(answer.content, type=ErasureAnswer).erasure

    async def confirm(self, erasure: str, viewer: str = "O2") -> httpx.Response:
        return await self.ask("erasures/confirm", "confirm", viewer, erasure=erasure)


@pytest.fixture
async def officers(tmp_path: Path, redis_url: str) -> AsyncIterator[Officers]:
    async with an_api(tmp_path, redis_url) as api:
        api.log.create(DEIDENTIFIED.name)
        replica = await a_replica(api.keys, redis_url, api.log, api.log).open()
        ingest = Ingest(api.keys)
        bodies = [a_body(a_person(7), encounter=LEFT, received_at_ms=1), a_body(MING)]
        handled = await replica.handle([ingest.seal(b, f"e{n}") for n, b in enumerate(bodies)])
        assert len(events_of(handled)) == 2
        await api.log.write(handled.outputs)
        await replica.redis.aclose()
        yield Officers(api)


async def test_one_asks_another_confirms_and_a_proof_comes(officers: Officers) -> None:
    api = officers.api
    erasure = await officers.request()
    (token,) = await api.find(NUMBER)
    assert (await officers.confirm(erasure)).json()["state"] == "confirmed"
    assert api.service.eraser.due.is_set()
    await api.service.eraser.work()
    answer = await officers.ask("erasures/show", erasure=erasure)
    shown = msgspec.json.decode(answer.content, type=ErasureAnswer)
    keys = load_privacy_keys(api.keys)
    proof = read_proof(shown.proof, keys.audit.public_key())
    assert (shown.state, proof.identifiers) == ("done", 1)
    assert proof.requested_by == staff_token(keys.staff, "o1")
    assert proof.confirmed_by == staff_token(keys.staff, "o2")
    assert await api.find(NUMBER) == ()
    assert await api.resolve(token) == ()
    assert len(await api.find("ZY0098231")) == 1
    acts = [e.action for e in api.entries() if e.token == token and "erasure" in e.action]
    assert acts == ["erasure_request", "erasure_confirm"]
    assert token not in shown.proof.decode()
    assert (await officers.confirm(erasure)).status_code == 409


@pytest.mark.parametrize(
    ("secret", "viewer", "status"),
    [
        ("request", "O2", 401),  # the first one's secret does not confirm
        ("wrong", "O2", 401),
        ("", "O2", 401),
        ("confirm", "O1", 403),  # the same person with the other's secret
        ("confirm", " o1 ", 403),
        ("confirm", "Ｏ1", 403),  # in full width
        ("confirm", "O1\u200b", 403),
        ("confirm", "О1", 403),  # a Cyrillic letter
        ("confirm", "O\u00ad1", 403),
        ("confirm", "Ó-1", 403),
        ("confirm", "\u200b.", 422),
    ],
)
async def test_one_person_is_not_enough(
    officers: Officers, secret: str, viewer: str, status: int
) -> None:
    erasure = await officers.request()
    answer = await officers.ask("erasures/confirm", secret, viewer, erasure=erasure)
    assert answer.status_code == status
    gateway = await officers.api.ask("erasures/confirm", {"viewer": "O2", "erasure": erasure})
    assert gateway.status_code == 401  # nor does the gateway's secret
    shown = await officers.ask("erasures/show", erasure=erasure)
    assert shown.json()["state"] == "requested"


async def test_what_is_refused_says_why(officers: Officers) -> None:
    ask = officers.ask
    asked = {"purpose": "PATRQT"}
    assert (await ask("erasures/request", **asked, number="nobody")).json() == {"status": "unknown"}
    assert (await ask("erasures/request", **asked)).json() == {"status": "token_or_number"}
    open_one = await ask("erasures/request", **asked, number="ZY0098231")
    assert (open_one.status_code, open_one.json()) == (409, {"status": "open_encounter"})
    held = await ask("erasures/hold", number=NUMBER, hold=True)
    assert held.json() == {"identifiers": 1, "hold": True}
    on_hold = await ask("erasures/request", **asked, number=NUMBER)
    assert (on_hold.status_code, on_hold.json()) == (409, {"status": "legal_hold"})
    await ask("erasures/hold", number=NUMBER, hold=False)
    erasure = await officers.request()
    again = await ask("erasures/request", **asked, number=NUMBER)
    assert again.json() == {"status": "asked_for_already"}
    assert (await ask("erasures/withdraw", erasure=erasure)).json()["state"] == "withdrawn"
    assert (await officers.confirm(erasure)).status_code == 409
    await officers.request()
    assert (await ask("erasures/show", erasure="unknown")).status_code == 404


async def told(officers: Officers, *bodies: IdentifiedBody) -> list[str]:
    """Have privacy handle what was said; return the tokens."""
    api = officers.api
    replica = await a_replica(api.keys, api.service.settings.redis_url, api.log, api.log).open()
    ingest = Ingest(api.keys)
    handled = await replica.handle([ingest.seal(body, uuid4().hex) for body in bodies])
    await api.log.write(handled.outputs)
    await replica.redis.aclose()
    return [event.token for event in events_of(handled)]


async def test_after_an_unlink_a_number_is_the_one_who_is_known_by_it(officers: Officers) -> None:
    """Merged by mistake: a message gave both numbers, so one is still remembered beside the other's
    own.
    """
    both = replace(a_person(8), ids=(*a_person(8).ids, *a_person(7).ids))
    await told(
        officers,
        a_body(both, encounter=LEFT, received_at_ms=2),
        a_merge(both, a_person(7), link=True, at_ms=3),
        a_merge(both, a_person(7), link=False, at_ms=4),
    )
    assert len(await officers.api.find(NUMBER)) == 2
    erasure = await officers.request(others="keep")
    shown = await officers.ask("erasures/show", erasure=erasure)
    assert shown.json()["identifiers"] == 1
    held = await officers.ask("erasures/hold", number="77000008", hold=True)
    assert held.json() == {"identifiers": 1, "hold": True}
    assert (await officers.confirm(erasure)).json()["state"] == "confirmed"
    await officers.api.service.eraser.work()
    (left,) = await officers.api.resolve(*await officers.api.find("77000008"))
    assert left.name == "Given Familyname8"
    assert await officers.api.find(NUMBER) == ()


async def test_a_number_of_several_persons_answers_their_tokens(officers: Officers) -> None:
    elsewhere = replace(a_person(9), ids=(replace(a_person(7).ids[0], assigner="ELSEWHERE"),))
    (token,) = await told(officers, a_body(elsewhere, encounter=LEFT, received_at_ms=2))
    asked = {"purpose": "PATRQT"}
    answer = await officers.ask("erasures/request", **asked, number=NUMBER)
    said = answer.json()
    assert (answer.status_code, said["status"]) == (409, "several_persons")
    assert token in said["tokens"]
    assert len(said["tokens"]) == 2
    looks = [
        e.token for e in officers.api.entries() if e.action == "find" and e.purpose == "PATRQT"
    ]
    assert set(looks) == set(said["tokens"])
    answer = await officers.ask("erasures/request", **asked, token=token)
    assert answer.json()["identifiers"] == 1


async def test_another_is_asked_for_while_only_a_proof_is_due(officers: Officers) -> None:
    await told(officers, a_body(a_person(8), encounter=LEFT, received_at_ms=2))
    await officers.confirm(await officers.request())
    eraser = officers.api.service.eraser

    async def fail(*_: object) -> None:
        raise Unavailable("the broker is away")

    keep = eraser.book.keep_proof
    object.__setattr__(eraser.book, "keep_proof", fail)
    with pytest.raises(Unavailable):
        await eraser.work()
    other = await officers.request(number="77000008")
    object.__setattr__(eraser.book, "keep_proof", keep)
    await eraser.work()
    states = {name: one.state for name, one in (await eraser.book.read()).items()}
    assert states.pop(other) == "requested"
    assert list(states.values()) == ["done"]


async def test_a_second_erasure_may_be_confirmed_while_the_first_is_done(
    officers: Officers,
) -> None:
    await told(officers, a_body(a_person(8), encounter=LEFT, received_at_ms=2))
    eraser = officers.api.service.eraser
    object.__setattr__(eraser.rewrap, "grace_s", 0.3)
    first, second = await officers.request(), await officers.request(number="77000008")
    await officers.confirm(first)
    begun, erase = asyncio.Event(), eraser.vault.erase

    async def erased(*args: Any) -> None:
        await erase(*args)
        begun.set()

    object.__setattr__(eraser.vault, "erase", erased)
    work = asyncio.create_task(eraser.work())
    await begun.wait()
    await officers.confirm(second)  # in the grace of the first: 30 to 60 s long
    await work
    await eraser.work()
    states = {name: one.state for name, one in (await eraser.book.read()).items()}
    assert states == {first: "done", second: "done"}


async def test_an_erasure_that_cannot_be_read_keeps_nobody_from_asking(
    officers: Officers,
) -> None:
    lost = await officers.request()
    book = officers.api.service.eraser.book
    sealed = (await book.read())[lost].sealed
    assert (await officers.ask("erasures/withdraw", erasure=lost)).status_code == 200
    await officers.ask("keys/rewrap")
    await book.put(replace((await book.read())[lost], state="requested", sealed=sealed))
    answer = await officers.confirm(lost)
    assert (answer.status_code, answer.json()) == (409, {"status": "unreadable"})
    erasure = await officers.request()
    await officers.confirm(erasure)
    await officers.api.service.eraser.work()
    shown = (await officers.ask("erasures/show", erasure=lost)).json()
    assert (shown["state"], shown["refusal"]) == ("refused", "unreadable")
    assert (await officers.ask("erasures/show", erasure=erasure)).json()["state"] == "done"


async def test_the_proof_is_shown_when_the_book_has_forgotten_the_erasure(
    officers: Officers,
) -> None:
    erasure = await officers.request()
    await officers.confirm(erasure)
    eraser = officers.api.service.eraser
    await eraser.work()
    before = await officers.ask("erasures/show", erasure=erasure)
    await eraser.book.change(lambda book: book.clear())
    assert (await officers.ask("erasures/show", erasure=erasure)).json() == before.json()


async def test_of_several_who_ask_at_once_one_is_taken(officers: Officers) -> None:
    asked = {"purpose": "PATRQT", "number": NUMBER}
    answers = await asyncio.gather(*(officers.ask("erasures/request", **asked) for _ in range(4)))
    assert sorted(one.status_code for one in answers) == [200, 409, 409, 409]
    waiting = (await officers.api.service.eraser.book.read()).values()
    assert [one.state for one in waiting] == ["requested"]


async def test_without_the_audit_nothing_is_asked_for_or_confirmed(officers: Officers) -> None:
    erasure = await officers.request()
    officers.api.log.available = False
    assert (await officers.confirm(erasure)).status_code == 503
    officers.api.log.available = True
    shown = await officers.ask("erasures/show", erasure=erasure)
    assert shown.json()["state"] == "requested"


async def test_what_is_refused_is_on_the_audit_log(officers: Officers) -> None:
    before = len(officers.api.entries())
    for number in ("nobody", "ZY0098231"):  # the second one is a patient, and here now
        await officers.ask("erasures/request", purpose="PATRQT", number=number)
    await officers.ask("erasures/hold", number="nobody", hold=True)
    erasure = await officers.request()
    await officers.ask("erasures/request", purpose="PATRQT", number=NUMBER)
    await officers.confirm(erasure, viewer="O1")  # one person with both secrets
    await officers.confirm("no-erasure")
    (person,), (here,) = await officers.api.find(NUMBER), await officers.api.find("ZY0098231")
    noted = [
        (one.action, one.token, one.outcome)
        for one in officers.api.entries()[before:]
        if one.action != "find"
    ]
    assert noted == [
        ("erasure_request", "", "refused_unknown"),
        ("erasure_request", here, "refused_open_encounter"),
        ("legal_hold", "", "refused_unknown"),
        ("erasure_request", person, "done"),
        ("erasure_request", person, "refused_asked_for_already"),
        ("erasure_confirm", person, "refused_second_person"),
        ("erasure_confirm", "", "refused_unknown"),
    ]


async def test_without_the_audit_nothing_is_refused_either(officers: Officers) -> None:
    erasure = await officers.request()
    officers.api.log.available = False
    for number in ("nobody", "ZY0098231", NUMBER):
        answer = await officers.ask("erasures/request", purpose="PATRQT", number=number)
        assert (answer.status_code, answer.json()) == (503, {"status": "unavailable"})
    assert (await officers.confirm(erasure, viewer="O1")).status_code == 503


async def test_officers_have_so_many_numbers_an_hour_whoever_they_say_they_are(
    officers: Officers,
) -> None:
    for guess in range(100):
        asked: dict[str, Any] = {"purpose": "PATRQT", "number": f"guess {guess}"}
        answer = await officers.ask("erasures/request", viewer=f"O{guess}", **asked)
        assert answer.status_code == 404
    again = await officers.ask("erasures/request", purpose="PATRQT", number=" GUESS 1")
    assert again.status_code == 404
    paths: dict[str, Any] = {"request": {"purpose": "PATRQT"}, "hold": {"hold": True}}
    for path, said in paths.items():
        answer = await officers.ask(f"erasures/{path}", **said, number=NUMBER)
        assert (answer.status_code, answer.json()) == (429, {"status": "too_many"})
        assert officers.api.entries()[-1].outcome == "refused_too_many"
    officers.api.clock.advance(3_601)
    await officers.request()


async def test_the_key_is_changed_on_demand(officers: Officers) -> None:
    api = officers.api
    (token,) = await api.find(NUMBER)
    before = api.service.eraser.rewrap.current_id
    answer = await officers.ask("keys/rewrap")
    assert answer.json()["destroyed"] == [before]
    assert [one.token for one in await api.resolve(token)] == [token]
    both = await asyncio.gather(officers.ask("keys/rewrap"), officers.ask("keys/rewrap"))
    assert {one.status_code for one in both} <= {200, 503}
    assert [one.token for one in await api.resolve(token)] == [token]
