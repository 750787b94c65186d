"""Breaking the glass through the whole gateway: real Redis, real sign-in, privacy over HTTP."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts.assessed import ASSESSED, CURRENT
from contracts.audited import AUDIT
from contracts.identified import Encounter
from contracts.relations import RELATIONS
from contracts.topic import DAY_MS
from tests.integration.test_privacy_service import an_api
from tests.integration.test_privacy_stage import a_person
from tests.support.gateway_world import NOON_MS, World, a_relation, an_assessment, gateway_world
from tests.support.privacy import Ingest, a_replica, events_of
from tests.unit.privacy.builders import a_body

SHIFT = 100
AT_MS = NOON_MS - SHIFT * DAY_MS
HOUR_S = 3_600


@pytest.fixture
async def world(redis_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """One patient of the viewer's ward, and one of another."""
    async with gateway_world(redis_url, tmp_path) as made:
        for token, unit in (("mine", "W1"), ("foreign", "W9")):
            made.privacy.knows(token, f"Name {token}", f"MRN-{token}", SHIFT)
            await made.tell(RELATIONS, a_relation(token, unit, at_ms=AT_MS, staff=()))
            await made.tell(ASSESSED, an_assessment(token, f"event-{token}", at_ms=AT_MS))
            report = an_assessment(token, f"event-{token}", at_ms=AT_MS, basis="person")
            await made.tell(CURRENT, report)
        await made.settle()
        yield made


async def smash(
    browser: httpx.AsyncClient, about: str = "foreign", reason: Any = "emergency", **headers: str
) -> httpx.Response:
    path = f"/v1/patients/{about}/glass"
    return await browser.post(path, json={"reason": reason}, headers=headers)


def audited(world: World) -> list[tuple[str, str, str, str, str]]:
    entries = [AUDIT.decode(record.value or b"") for record in world.log.records(AUDIT.name)]
    return [
        (one.action, one.token, one.viewer, one.purpose, one.detail.get("reason", ""))
        for one in entries
    ]


async def test_a_reason_opens_the_patient_for_an_hour_and_is_audited_first(world: World) -> None:
    browser = await world.client("dr.lin")
    assert (await browser.get("/v1/patients/foreign")).status_code == 404
    assert world.privacy.resolved == []
    broken = await smash(browser)
    assert broken.status_code == 200, broken.text
    until_ms = NOON_MS + HOUR_S * 1_000
    assert broken.json() == {"reason": "emergency", "until_ms": until_ms}
    assert audited(world) == [("break_glass", "foreign", "staff-D1001", "ETREAT", "emergency")]
    (asked,) = world.privacy.resolved
    assert (asked.purpose, asked.reason, asked.tokens) == ("ETREAT", "emergency", ("foreign",))

    found = (await browser.get("/v1/patients/foreign")).json()
    assert found["name"] == "Name foreign"
    assert found["glass"] == {"reason": "emergency", "until_ms": until_ms}
    assert found["decisions_open"] is False
    assert audited(world)[1] == ("patient", "foreign", "staff-D1001", "ETREAT", "")
    for path in ("history", "explanation?event_id=event-foreign"):
        assert (await browser.get(f"/v1/patients/foreign/{path}")).status_code == 200
    order = (await browser.get("/v1/worklist")).json()["order"]
    assert order == ["mine"]

    world.clock.advance(HOUR_S)
    assert (await browser.get("/v1/patients/foreign")).status_code == 404


async def test_names_asked_for_again_are_asked_for_with_the_same_reason(world: World) -> None:
    browser = await world.client("dr.lin")
    await smash(browser, reason="covering")
    world.clock.advance(5 * 60)
    assert (await browser.get("/v1/patients/foreign")).json()["name"] == "Name foreign"
    asked = world.privacy.resolved[-1]
    assert (asked.purpose, asked.reason, asked.role) == ("ETREAT", "covering", "clinician")
    assert [one.again for one in world.privacy.resolved] == [False, True]


async def test_it_opens_for_nobody_else_nothing_else_and_no_decision(world: World) -> None:
    browser, again = await world.client("dr.lin"), await world.client("dr.lin")
    await smash(browser)
    assert (await again.get("/v1/patients/foreign")).status_code == 404
    assert (await browser.get("/v1/patients/mine")).json()["glass"] is None
    decided = await browser.post(
        "/v1/events/event-foreign/review",
        json={"decision": "accepted", "reason": "acting_on_it"},
        headers={"Idempotency-Key": "k"},
    )
    assert decided.status_code == 404
    await browser.post("/auth/logout")
    assert (await browser.get("/v1/patients/foreign")).status_code == 401


@pytest.mark.parametrize(
    ("token", "reason", "headers", "status", "code"),
    [
        ("nobody", "emergency", {}, 404, "not_found"),
        ("mine", "emergency", {}, 409, "related"),
        ("foreign", "", {}, 422, "reason"),
        ("foreign", "because Mr Name asked", {}, 422, "body"),
        ("foreign", None, {}, 422, "body"),
        ("foreign", "emergency", {"X-CSRF-Token": "wrong"}, 403, "csrf"),
        ("foreign", "emergency", {"Sec-Fetch-Site": "cross-site"}, 403, "csrf"),
    ],
)
async def test_what_is_refused_asks_nobody_and_opens_nothing(
    world: World, token: str, reason: Any, headers: dict[str, str], status: int, code: str
) -> None:
    browser = await world.client("dr.lin")
    refused = await smash(browser, token, reason, **headers)
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert world.privacy.resolved == []
    assert audited(world) == []
    assert (await browser.get("/v1/patients/foreign")).status_code == 404


async def test_roles_that_do_not_care_for_patients_break_nothing(world: World) -> None:
    assert (await smash(await world.client("sre"))).status_code == 403
    assert (await smash(world.browser())).status_code == 401


async def test_privacys_limit_is_told_and_opens_nothing(world: World) -> None:
    browser = await world.client("dr.lin")
    world.privacy.refuses = 429
    refused = await smash(browser)
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many")
    assert audited(world) == []
    assert (await browser.get("/v1/patients/foreign")).status_code == 404


async def test_without_privacy_or_audit_nothing_opens(world: World) -> None:
    browser = await world.client("dr.lin")
    world.log.available = False
    refused = await smash(browser)
    assert refused.status_code == 503
    assert "set-cookie" not in refused.headers
    world.log.available = True
    world.privacy.available = False
    refused = await smash(browser)
    assert (refused.status_code, refused.json()["code"]) == (503, "identity_unavailable")
    assert (await browser.get("/v1/patients/foreign")).status_code == 404


async def test_a_viewer_whom_nothing_can_be_written_down_of_asks_privacy_nothing(
    world: World,
) -> None:
    """Else privacy would note, count and report an opening that opened nothing."""
    world.privacy.refuses_staff = 422
    browser = await world.client("dr.lin")
    refused = await smash(browser)
    assert (refused.status_code, refused.json()["code"]) == (503, "identity_unavailable")
    assert world.privacy.resolved == []
    assert audited(world) == []


async def test_a_search_says_that_there_is_somebody_else_and_no_more(world: World) -> None:
    browser = await world.client("dr.lin")
    answer = (await browser.post("/v1/search", json={"q": "MRN-foreign"})).json()
    assert answer == {"identity": "ok", "patients": [], "others": ["foreign"]}
    answer = (await browser.post("/v1/search", json={"q": "MRN-mine"})).json()
    assert ([row["id"] for row in answer["patients"]], answer["others"]) == (["mine"], [])


async def test_with_the_real_privacy_the_name_comes_both_logs_say_so_and_the_hour_is_full(
    redis_url: str, tmp_path: Path
) -> None:
    numbers = range(12)
    async with an_api(tmp_path, redis_url) as privacy:
        replica = await a_replica(privacy.keys, redis_url, privacy.log, privacy.log).open()
        visit = Encounter(number="V", unit="W9")
        bodies = [a_body(a_person(n), encounter=visit) for n in numbers]
        ingest = Ingest(privacy.keys)
        sealed = [ingest.seal(body, f"e{n}") for n, body in enumerate(bodies)]
        tokens = [event.token for event in events_of(await replica.handle(sealed))]
        client = (privacy.client, privacy.token)
        async with gateway_world(redis_url, tmp_path, privacy.clock, client) as world:
            for token in tokens:
                await world.tell(RELATIONS, a_relation(token, "W9", at_ms=AT_MS, staff=()))
                await world.tell(ASSESSED, an_assessment(token, f"e-{token}", at_ms=AT_MS))
            await world.settle()
            browser = await world.client("dr.lin")
            found = (await browser.post("/v1/search", json={"q": "Familyname3 Given"})).json()
            assert found == {"identity": "ok", "patients": [], "others": [tokens[3]]}
            assert (await smash(browser, tokens[3], "handover")).status_code == 200
            shown = (await browser.get(f"/v1/patients/{tokens[3]}")).json()
            assert (shown["name"], shown["record_number"]) == ("Given Familyname3", "77000003")
            for _ in range(3):  # names are asked for again each 270 s
                privacy.clock.advance(5 * 60)
                shown = (await browser.get(f"/v1/patients/{tokens[3]}")).json()
                assert shown["name"] == "Given Familyname3"
            theirs = [one for one in privacy.entries() if one.action == "break_glass"]
            ours = [one for one in audited(world) if one[0] == "break_glass"]
            assert [(one.token, one.detail["reason"]) for one in theirs] == [
                (tokens[3], "handover")
            ]
            assert [(token, reason) for _, token, _, _, reason in ours] == [(tokens[3], "handover")]
            assert {one.viewer for one in theirs} == {one[2] for one in ours}
            opened = [(await smash(browser, tokens[n])).status_code for n in (1, *range(4, 12))]
            assert opened == [200] * 9
            refused = await smash(browser, tokens[2])
            assert (refused.status_code, refused.json()["code"]) == (429, "too_many")
        await replica.redis.aclose()
