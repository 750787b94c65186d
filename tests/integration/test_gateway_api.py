"""The API through the whole gateway: real Redis, real sign-in, privacy over HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import redis.asyncio

from contracts.assessed import ASSESSED, CURRENT, Score, Vital
from contracts.audited import AUDIT
from contracts.merged import MERGED, IdentityMerged
from contracts.relations import RELATIONS
from contracts.reviewed import REVIEWED
from contracts.topic import DAY_MS
from services.gateway.access import scope_of
from services.gateway.follower import RELOAD_EVERY_MS
from tests.support.gateway_world import (
    HOUR_MS,
    NOON_MS,
    World,
    a_link,
    a_relation,
    an_assessment,
    gateway_world,
)

SHIFT = 100
AT_MS = NOON_MS - SHIFT * DAY_MS


@pytest.fixture
async def world(redis_url: str, tmp_path: Path) -> AsyncIterator[World]:
    async with gateway_world(redis_url, tmp_path) as made:
        yield made


async def admit(world: World, token: str, unit: str, **report: Any) -> None:
    """A patient of a unit with one result, known to privacy."""
    number = len(world.privacy.people)
    world.privacy.knows(token, f"Name {number}", f"MRN{number:04d}", SHIFT)
    await world.tell(RELATIONS, a_relation(token, unit, at_ms=AT_MS, staff=()))
    result = {"at_ms": AT_MS, **report}
    await world.tell(ASSESSED, an_assessment(token, f"event-{token}", **result))
    await world.tell(CURRENT, an_assessment(token, f"event-{token}", basis="person", **result))
    await world.settle()


async def get(browser: httpx.AsyncClient, path: str, **params: Any) -> dict[str, Any]:
    answer = await browser.get(path, params=params)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def search(browser: httpx.AsyncClient, words: str) -> dict[str, Any]:
    answer = await browser.post("/v1/search", json={"q": words})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_the_sickest_come_first(world: World) -> None:
    await admit(world, "calm", "W1", total=2, risk="low")
    await admit(world, "bad", "W2", total=9, risk="high")
    await admit(world, "flagged", "MICU", total=7, risk="high", red_flags=("lactate_high",))
    await admit(world, "unknown", "W3", total=None)
    await admit(world, "elsewhere", "W9", total=12, risk="high")
    browser = await world.client("dr.lin")
    found = await get(browser, "/v1/worklist")
    assert found["order"] == ["flagged", "bad", "calm", "unknown"]
    assert [row["id"] for row in found["patients"]] == found["order"]
    assert found["full"]
    assert found["identity"] == "ok"
    row = found["patients"][1]
    assert row["name"] == "Name 1"
    assert row["record_number"] == "MRN0001"
    assert (row["unit"], row["bed"], row["status"]) == ("W2", "12-A", "open")
    assert row["data_ms"] == AT_MS + SHIFT * DAY_MS == NOON_MS
    assert row["admitted_ms"] == NOON_MS - HOUR_MS
    assert row["news2"] == {
        "total": 9,
        "total_min": 9,
        "total_max": 12,
        "complete": False,
        "band": "high",
        "missing": ["Temperature"],
        "last": None,
    }
    assert row["spark"] == [[NOON_MS, 9]]
    assert found["patients"][3]["not_scored"] == "no_observations"


async def test_a_high_score_stands_until_enough_is_measured_again(world: World) -> None:
    """Its result is older than the trail: it is read from further back, on a reload too."""
    await admit(world, "calm", "W1", total=2)
    await admit(world, "sick", "W1", total=9, risk="high", red_flags=("qsofa_positive",))
    later = AT_MS + 30 * HOUR_MS
    aged = Score(name="NEWS2", total=0, total_min=0, total_max=20, missing=("pulse", "spo2"))
    result: dict[str, Any] = {"at_ms": later, "scores": (aged,)}
    await world.tell(ASSESSED, an_assessment("sick", "sodium", **result))
    seen = {"sick": 2}
    await world.tell(CURRENT, an_assessment("sick", "sodium", basis="person", seen=seen, **result))
    world.clock.advance(30 * 3_600)
    await world.settle()
    browser = await world.client("dr.lin")
    first = await get(browser, "/v1/worklist")
    assert first["order"] == ["sick", "calm"]
    news2 = first["patients"][0]["news2"]
    assert (news2["band"], news2["total"], first["patients"][0]["trend"]) == ("high", 0, "none")
    assert news2["last"] == {
        "total": 9,
        "total_min": 9,
        "total_max": 12,
        "at_ms": NOON_MS,
        "scored_ms": NOON_MS,
    }
    assert {"unit": "W1", "patients": 2, "high": 1} in (await get(browser, "/v1/units"))["units"]
    world.clock.advance(RELOAD_EVERY_MS / 1000 + 1)
    await world.settle()
    assert (await get(browser, "/v1/worklist"))["patients"][0]["news2"] == news2


async def test_nothing_new_is_a_304(world: World) -> None:
    await admit(world, "one", "W1")
    browser = await world.client("dr.lin")
    first = await browser.get("/v1/worklist")
    same = await browser.get("/v1/worklist", headers={"If-None-Match": first.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    looked = len(world.privacy.resolved)
    await admit(world, "two", "W1")
    other = await browser.get("/v1/worklist", headers={"If-None-Match": first.headers["etag"]})
    assert other.status_code == 200
    assert other.headers["etag"] != first.headers["etag"]
    assert world.privacy.resolved[looked].tokens == ("two",)


async def test_a_tag_is_of_one_viewer_and_language(world: World) -> None:
    await admit(world, "one", "W1")
    lin, wang = await world.client("dr.lin"), await world.client("nurse.wang")
    tags = [
        (await browser.get("/v1/worklist", params=params)).headers["etag"]
        for browser in (lin, wang)
        for params in ({}, {"lang": "zh"}, {"unit": "W1"}, {"limit": 5})
    ]
    assert len(set(tags)) == 8


async def test_since_gives_what_changed_and_who_left(world: World) -> None:
    await admit(world, "stays", "W1")
    await admit(world, "leaves", "W1")
    browser = await world.client("dr.lin")
    first = await get(browser, "/v1/worklist")
    await world.tell(
        RELATIONS, a_relation("leaves", "W1", at_ms=AT_MS + 1, status="closed", event_id="d")
    )
    await admit(world, "comes", "W2", total=5, risk="medium")
    second = await get(browser, "/v1/worklist", since=first["cursor"])
    assert not second["full"]
    assert [row["id"] for row in second["patients"]] == ["comes"]
    assert second["gone"] == ["leaves"]
    assert second["order"] == ["comes", "stays"]
    third = await get(browser, "/v1/worklist", since=second["cursor"])
    assert (third["patients"], third["gone"]) == ([], [])
    assert (await get(browser, "/v1/worklist", since="nonsense"))["full"]


async def test_who_moved_out_of_the_viewers_units_is_gone(world: World) -> None:
    await admit(world, "moves", "W1")
    browser = await world.client("dr.lin")
    first = await get(browser, "/v1/worklist")
    away = a_relation("moves", "W9", at_ms=AT_MS + 1, staff=(), event_id="t")
    await world.tell(RELATIONS, away)
    await world.settle()
    second = await get(browser, "/v1/worklist", since=first["cursor"])
    assert (second["order"], second["gone"]) == ([], ["moves"])
    assert (await browser.get("/v1/patients/moves")).status_code == 404
    charge = await world.client("nurse.wang")
    (row,) = (await get(charge, "/v1/worklist"))["patients"]
    assert (row["unit"], row["changed"]) == ("W9", "transferred")


async def test_identities_away_leave_units_and_beds(world: World) -> None:
    await admit(world, "one", "W1", probability=0.2)
    world.privacy.available = False
    browser = await world.client("dr.lin")
    found = await get(browser, "/v1/worklist")
    assert found["identity"] == "unavailable"
    (row,) = found["patients"]
    assert (row["name"], row["record_number"], row["data_ms"]) == (None, None, None)
    assert (row["unit"], row["bed"]) == ("W1", "12-A")
    assert row["spark"] == [[0, 3]]
    patient = await get(browser, "/v1/patients/one")
    assert (patient["identity"], patient["decisions_open"]) == ("unavailable", False)
    assert (await search(browser, "Name 0"))["identity"] == "unavailable"
    decision = {"decision": "accepted", "reason": "acting_on_it"}
    refused = await browser.post(
        "/v1/events/event-one/review", json=decision, headers={"Idempotency-Key": "k"}
    )
    assert (refused.status_code, refused.json()["code"]) == (503, "identity_unavailable")
    world.privacy.available = True
    world.clock.advance(3)
    assert (await get(browser, "/v1/worklist"))["patients"][0]["name"] == "Name 0"


async def test_without_audit_nobody_is_named(world: World) -> None:
    await admit(world, "one", "W1")
    browser = await world.client("dr.lin")
    world.log.available = False
    found = await get(browser, "/v1/worklist")
    assert found["identity"] == "unavailable"
    assert found["patients"][0]["name"] is None
    world.log.available = True
    assert (await get(browser, "/v1/worklist"))["identity"] == "ok"


async def test_each_look_is_on_the_log_once_in_a_while(world: World) -> None:
    await admit(world, "one", "W1")
    browser = await world.client("dr.lin")
    for _ in range(3):
        await get(browser, "/v1/worklist")
        await get(browser, "/v1/patients/one")
        await search(browser, "MRN0000")
    entries = [AUDIT.decode(record.value or b"") for record in world.log.records(AUDIT.name)]
    assert [(one.action, one.token, one.viewer) for one in entries] == [
        ("worklist", "one", "staff-D1001"),
        ("patient", "one", "staff-D1001"),
        ("search", "one", "staff-D1001"),
    ]
    world.clock.advance(15 * 60 + 1)
    await get(browser, "/v1/patients/one")
    assert len(world.log.records(AUDIT.name)) == 4


async def test_a_patient_in_full(world: World) -> None:
    await admit(world, "one", "W1", probability=0.31, total=6, risk="medium")
    browser = await world.client("dr.lin")
    found = await get(browser, "/v1/patients/one", lang="zh")
    assert found["name"] == "Name 0"
    assert found["event_id"] == "event-one"
    assert found["vitals"][0] == {
        "parameter": "heart_rate",
        "label": "心率",
        "value": 88.0,
        "unit": "/min",
        "at_ms": NOON_MS,
        "text": "",
    }
    (risk,) = found["risks"]
    assert risk["probability"] == 0.31
    assert [part["label"] for part in risk["contributions"]] == ["心率", "乳酸"]
    assert risk["contributions"][0]["at_ms"] == NOON_MS
    assert found["scores"][0]["name"] == "NEWS2"
    assert found["decisions_open"]


async def test_history_and_explanation(world: World) -> None:
    await admit(world, "one", "W1", probability=0.1)
    for hour in range(1, 5):
        later = an_assessment(
            "one", f"h{hour}", at_ms=AT_MS + hour * HOUR_MS, total=hour, probability=hour / 10
        )
        await world.tell(ASSESSED, later)
    await world.settle()
    browser = await world.client("dr.lin")
    found = await get(browser, "/v1/patients/one/history")
    assert [point[1] for point in found["news2"]] == [3, 1, 2, 3, 4]
    assert found["news2"][1] == [NOON_MS + HOUR_MS, 1, 1, 4]
    assert found["icu_risk"][-1] == [NOON_MS + 4 * HOUR_MS, 0.4]
    assert len(found["vitals"]["heart_rate"]) == 5
    part = await get(
        browser,
        "/v1/patients/one/history",
        **{"from": NOON_MS + HOUR_MS, "to": NOON_MS + 2 * HOUR_MS},
    )
    assert [point[1] for point in part["news2"]] == [1, 2]
    told = await get(browser, "/v1/patients/one/explanation", event_id="h2")
    assert told["risks"][0]["probability"] == 0.2
    assert told["as_of_ms"] == NOON_MS + 2 * HOUR_MS
    assert told["vitals"][0]["unit"] == "/min"
    missing = await browser.get("/v1/patients/one/explanation", params={"event_id": "nope"})
    assert missing.status_code == 404


async def test_who_is_not_signed_in_is_told_so_before_what_is_wrong_with_the_request(
    world: World,
) -> None:
    stranger, lin = world.browser(), await world.client("dr.lin")
    refused = await stranger.get("/v1/patients/one/explanation")
    assert (refused.status_code, refused.json()["code"]) == (401, "sign_in")
    wrong = await lin.get("/v1/patients/one/explanation")
    assert (wrong.status_code, wrong.json()["code"]) == (422, "parameters")


async def test_what_is_doubted_is_told_of_the_person_and_of_the_event(world: World) -> None:
    await admit(world, "one", "W1")
    odd = Vital(
        parameter="temperature", value=370, unit="", at_ms=AT_MS, text="370 Cel",
        finding="implausible",
    )  # fmt: skip
    event = an_assessment("one", "odd", doubted=(odd,), seen={"one": 2})
    await world.tell(ASSESSED, event)
    await world.tell(CURRENT, msgspec.structs.replace(event, basis="person", event_id=""))
    await world.settle()
    browser = await world.client("dr.lin")
    said = {
        "parameter": "temperature",
        "label": "体温",
        "value": 370.0,
        "unit": "",
        "text": "370 Cel",
        "at_ms": NOON_MS,
        "at_period": "",
        "finding": "implausible",
        "needed_as": "体温",
    }
    (row,) = (await get(browser, "/v1/worklist", lang="zh"))["patients"]
    assert row["doubted"] == [said]
    assert row["news2"]["missing"] == ["体温"]
    assert (await get(browser, "/v1/patients/one", lang="zh"))["doubted"] == [said]
    told = await get(browser, "/v1/patients/one/explanation", event_id="odd", lang="zh")
    assert told["doubted"] == [said]
    plain = await get(browser, "/v1/patients/one/explanation", event_id="event-one")
    assert plain["doubted"] == []


async def test_a_merge_is_one_row_and_its_unlink_two(world: World) -> None:
    await admit(world, "a", "W1")
    await admit(world, "b", "W1")
    world.privacy.knows("b", "Name B", "MRN-B", SHIFT + 7)
    browser = await world.client("dr.lin")
    before = await get(browser, "/v1/worklist")
    world.clock.advance(1)
    await world.tell(MERGED, a_link("a", "b", 7), a_link("b", "a", -7))
    await world.settle()
    merged = await get(browser, "/v1/worklist", since=before["cursor"])
    assert len(merged["order"]) == 1
    assert merged["gone"] == ["b"]
    assert merged["patients"][0]["under_review"]
    world.clock.advance(1)
    both: dict[str, Any] = {"link_version": 1, "seen": {"a": 2, "b": 2}, "total": 8, "risk": "high"}
    for token, other in (("a", "b"), ("b", "a")):
        report = an_assessment(
            token, "event-b", basis="person", aliases=(token, other), at_ms=AT_MS, **both
        )
        await world.tell(CURRENT, report)
    await world.settle()
    row = (await get(browser, "/v1/worklist"))["patients"][0]
    assert not row["under_review"]
    assert row["news2"]["total"] == 8
    assert (await get(browser, "/v1/patients/b"))["id"] == "a"
    assert (await get(browser, "/v1/patients/a"))["aliases_count"] == 2
    world.clock.advance(1)
    unlinked = [IdentityMerged(token=t, links=(), version=2, event_id="unlink") for t in "ab"]
    await world.tell(MERGED, *unlinked)
    await world.settle()
    apart = await get(browser, "/v1/worklist")
    assert sorted(apart["order"]) == ["a", "b"]
    assert all(row["under_review"] for row in apart["patients"])


async def test_a_decision_is_stored_audited_and_shown(world: World) -> None:
    await admit(world, "one", "W1")
    browser = await world.client("dr.lin")
    decision = {"decision": "overridden", "reason": "known_and_expected"}
    answers = [
        await browser.post(
            "/v1/events/event-one/review", json=decision, headers={"Idempotency-Key": "k1"}
        )
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json()["review_id"] == answers[1].json()["review_id"]
    review = REVIEWED.decode(world.log.records(REVIEWED.name)[0].value or b"")
    assert (review.token, review.viewer, review.decision) == ("one", "staff-D1001", "overridden")
    assert dict(world.log.records(REVIEWED.name)[0].headers)["event_id"] == b"event-one"
    actions = [AUDIT.decode(r.value or b"").action for r in world.log.records(AUDIT.name)]
    assert "review" in actions
    await world.settle()
    shown = (await get(browser, "/v1/patients/one"))["review"]
    assert (shown["decision"], shown["reason"]) == ("overridden", "known_and_expected")


async def decide(
    browser: httpx.AsyncClient, key: str, decision: str, reason: str
) -> httpx.Response:
    return await browser.post(
        "/v1/events/event-one/review",
        json={"decision": decision, "reason": reason},
        headers={"Idempotency-Key": key},
    )


@pytest.mark.parametrize("projected", [True, False])
async def test_a_try_is_recorded_once_and_its_key_is_for_one_decision(
    world: World, *, projected: bool
) -> None:
    await admit(world, "one", "W1")
    browser = await world.client("dr.lin")
    first = await decide(browser, "k1", "overridden", "known_and_expected")
    world.clock.advance(5)
    if projected:  # Redis was emptied since: the decision comes back from its topic
        async with redis.asyncio.Redis.from_url(world.gateway._settings.redis_url) as raw:
            await raw.delete("gw:decided:one")
        await world.settle()
    again = await decide(browser, "k1", "overridden", "known_and_expected")
    assert (again.status_code, again.json()) == (200, first.json())
    other = await decide(browser, "k1", "overridden", "measurement_wrong")
    assert (other.status_code, other.json()["code"]) == (409, "key_reused")
    opposite = await decide(browser, "k1", "accepted", "acting_on_it")
    assert opposite.status_code == 409
    assert len(world.log.records(REVIEWED.name)) == 1
    actions = [AUDIT.decode(r.value or b"").action for r in world.log.records(AUDIT.name)]
    assert actions.count("review") == 1
    second = await decide(browser, "k2", "accepted", "acting_on_it")
    assert second.status_code == 200
    assert len(world.log.records(REVIEWED.name)) == 2
    await world.settle()
    again = await decide(browser, "k1", "overridden", "known_and_expected")
    assert again.json() == first.json()  # also when it is not the newest decision
    await world.settle()
    shown = (await get(browser, "/v1/patients/one"))["review"]
    assert shown["decision"] == "accepted"


async def test_two_tries_with_one_key_at_a_time_are_one_decision(world: World) -> None:
    await admit(world, "one", "W1")
    browser = await world.client("dr.lin")
    answers = await asyncio.gather(
        *(decide(browser, "k", "accepted", "acting_on_it") for _ in range(5))
    )
    assert [answer.status_code for answer in answers] == [200] * 5
    assert len({answer.text for answer in answers}) == 1
    assert len(world.log.records(REVIEWED.name)) == 1


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        ({"decision": "accepted", "reason": "acting_on_it"}, {"X-CSRF-Token": "x"}, 403, "csrf"),
        ({"decision": "accepted", "reason": "acting_on_it"}, {"Sec-Fetch-Site": "cross-site"}, 403,
         "csrf"),
        ({"decision": "accepted", "reason": "measurement_wrong"}, {}, 422, "reason"),
        ({"decision": "maybe", "reason": "other"}, {}, 422, "body"),
        ({"decision": "accepted", "reason": "acting_on_it", "text": "x"}, {}, 422, "body"),
        ({"decision": "accepted", "reason": "x" * 5000}, {}, 413, "too_large"),
    ],
)  # fmt: skip
async def test_what_is_no_decision_is_refused(
    world: World, body: dict[str, str], headers: dict[str, str], status: int, code: str
) -> None:
    await admit(world, "one", "W1")
    browser = await world.client("dr.lin")
    answer = await browser.post(
        "/v1/events/event-one/review", json=body, headers={"Idempotency-Key": "k", **headers}
    )
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert world.log.records(REVIEWED.name) == []


async def test_search_finds_only_who_may_be_seen(world: World) -> None:
    await admit(world, "mine", "W1")
    await admit(world, "foreign", "W9")
    await world.tell(RELATIONS, a_relation("foreign", "W9", at_ms=AT_MS + 1, staff=()))
    await world.settle()
    browser = await world.client("dr.lin")
    found = await search(browser, "name 0")
    assert [row["record_number"] for row in found["patients"]] == ["MRN0000"]
    assert (await search(browser, "MRN0001"))["patients"] == []
    charge = await world.client("nurse.wang")
    assert len((await search(charge, "MRN0001"))["patients"]) == 1


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        ({"q": "Name 0"}, {"X-CSRF-Token": "x"}, 403, "csrf"),
        ({"q": "N"}, {}, 422, "body"),
        ({"q": "N" * 101}, {}, 422, "body"),
        ({"name": "Name 0"}, {}, 422, "body"),
    ],
)
async def test_what_is_no_search_is_refused_and_not_repeated(
    world: World, body: dict[str, str], headers: dict[str, str], status: int, code: str
) -> None:
    browser = await world.client("dr.lin")
    answer = await browser.post("/v1/search", json=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert "Name 0" not in answer.text


async def test_a_search_by_address_is_not_taken(world: World) -> None:
    browser = await world.client("dr.lin")
    answer = await browser.get("/v1/search", params={"q": "Name 0"})
    assert answer.status_code == 405
    assert "Name 0" not in answer.text


async def test_units_and_me_and_counts(world: World) -> None:
    await admit(world, "one", "W1", total=9, risk="high")
    browser = await world.client("dr.lin")
    units = (await get(browser, "/v1/units"))["units"]
    assert {"unit": "W1", "patients": 1, "high": 1} in units
    assert {"unit": "CCU", "patients": 0, "high": 0} in units
    me = await get(browser, "/v1/me")
    assert (me["name"], me["roles"], me["demo"]) == ("Dr. Lin", ["clinician"], True)
    operator = await world.client("sre")
    counts = await get(operator, "/v1/ops/counts")
    assert (counts["visible_events"], counts["rows_open"], counts["tokens"]) == (1, 1, 1)
    assert sum(counts["partitions"][ASSESSED.name].values()) == 1


async def test_who_is_not_allowed_learns_nothing(world: World) -> None:
    await admit(world, "one", "W1")
    stranger = world.browser()
    routes = ["/v1/me", "/v1/units", "/v1/worklist", "/v1/patients/one", "/v1/stream",
              "/v1/patients/one/history", "/v1/ops/counts",
              "/v1/patients/one/explanation?event_id=event-one"]  # fmt: skip
    assert [(await stranger.get(route)).status_code for route in routes] == [401] * len(routes)
    operator = await world.client("sre")
    statuses = [(await operator.get(route)).status_code for route in routes]
    assert statuses == [200, 403, 403, 403, 403, 403, 200, 403]
    for browser, status in ((stranger, 401), (operator, 403)):
        assert (await browser.post("/v1/search", json={"q": "Name"})).status_code == status
    lin = await world.client("dr.lin")
    unknown = await lin.get("/v1/patients/nobody")
    await world.tell(RELATIONS, a_relation("far", "W9", staff=()))
    await world.settle()
    foreign = await lin.get("/v1/patients/far")
    same = [{k: v for k, v in a.json().items() if k != "trace_id"} for a in (unknown, foreign)]
    assert unknown.status_code == foreign.status_code == 404
    assert same[0] == same[1]
    assert unknown.headers["content-type"] == "application/problem+json"


async def test_bad_parameters_are_not_repeated(world: World) -> None:
    browser = await world.client("dr.lin")
    answer = await browser.get("/v1/worklist", params={"limit": "Mrs Secret"})
    assert answer.status_code == 422
    assert "Secret" not in answer.text


async def test_headers_are_safe(world: World) -> None:
    browser = await world.client("dr.lin")
    answer = await browser.get("/v1/worklist")
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "private, no-cache"
    assert "no-store" in (await browser.get("/v1/patients/x")).headers["cache-control"]


async def test_a_session_ends_at_logout_and_in_time(world: World) -> None:
    browser = await world.client("dr.lin")
    cookie = browser.cookies["auscult_session"]
    bare = await browser.post("/auth/logout", headers={"X-CSRF-Token": ""})
    assert bare.status_code == 403
    done = await browser.post("/auth/logout")
    assert done.status_code == 204
    thief = world.browser()
    thief.cookies.set("auscult_session", cookie)
    assert (await thief.get("/v1/me")).status_code == 401
    now_ms = world.clock.now_ms()
    assert len(await world.model.revoked(now_ms)) == 1
    assert await world.model.revoked(now_ms + DAY_MS) == set()
    other = await world.client("dr.lin")
    world.clock.advance(12 * 3600 + 1)
    assert (await other.get("/v1/me")).status_code == 401


async def test_the_live_stream_tells_of_changes(world: World) -> None:
    browser = await world.client("dr.lin")
    await admit(world, "one", "W1")
    viewer = world.gateway.sessions.viewer(browser.cookies["auscult_session"])
    assert viewer is not None
    events = world.gateway.lists.events("en", viewer, scope_of(viewer, ""))
    first = await anext(events)
    assert first.startswith(b"event: worklist\ndata: ")
    await admit(world, "two", "W1")
    second = await anext(events)
    assert second.startswith(b"event: worklist\n")
    assert second != first
    await world.gateway.close_streams()
    with pytest.raises(StopAsyncIteration):
        await anext(events)


async def test_no_identity_is_kept_in_redis(world: World, redis_url: str) -> None:
    await admit(world, "one", "W1", probability=0.2)
    browser = await world.client("dr.lin")
    await get(browser, "/v1/worklist")
    await get(browser, "/v1/patients/one")
    raw = redis.asyncio.Redis.from_url(redis_url)
    dumped = b"".join([await raw.dump(key) or b"" for key in await raw.keys("*")])
    await raw.aclose()
    logged = b"".join(r.value or b"" for r in world.log.records(AUDIT.name))
    for secret in (b"Name 0", b"MRN0000", b"1950-02-03"):
        assert secret not in dumped
        assert secret not in logged
    assert json.dumps("Name 0") in (await browser.get("/v1/worklist")).text
