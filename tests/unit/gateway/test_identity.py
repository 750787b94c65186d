"""Identities in memory: per viewer, for minutes, and gone when privacy is away."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts.audited import AUDIT, AuditEntry
from plumbing.audit_trail import Checkpoints
from plumbing.clock import ManualClock
from plumbing.errors import Unavailable
from plumbing.hash_chain import find_faults
from plumbing.memory_log import InMemoryLog
from services.gateway.audit import WRITER, Auditor
from services.gateway.identity import KEEP_MS, Identities
from tests.support.gateway_world import AUDIT_KEY, RESOLVE_TOKEN, PrivacyDesk


@pytest.fixture
def privacy() -> PrivacyDesk:
    desk = PrivacyDesk()
    for number in range(450):
        desk.knows(f"t{number}", f"Name {number}", f"M{number}", 10)
    return desk


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def identities(privacy: PrivacyDesk, clock: ManualClock) -> AsyncIterator[Identities]:
    transport = httpx.ASGITransport(privacy.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://privacy") as http:
        yield Identities(http, RESOLVE_TOKEN, clock)


async def test_no_more_than_two_hundred_are_asked_at_once(
    identities: Identities, privacy: PrivacyDesk
) -> None:
    tokens = [f"t{number}" for number in range(450)]
    found = await identities.resolve("D1", tokens)
    assert found is not None
    assert len(found) == 450
    assert [len(asked.tokens) for asked in privacy.resolved] == [200, 200, 50]


async def test_each_viewer_asks_for_themselves_once(
    identities: Identities, privacy: PrivacyDesk
) -> None:
    for viewer in ("D1", "D1", "D2"):
        await identities.resolve(viewer, ["t1"])
    assert [asked.viewer for asked in privacy.resolved] == ["D1", "D2"]


async def test_an_answer_is_kept_for_less_than_five_minutes(
    identities: Identities, privacy: PrivacyDesk, clock: ManualClock
) -> None:
    await identities.resolve("D1", ["t1"])
    clock.advance(KEEP_MS / 1000 - 1)
    assert identities.settled("D1", ["t1"])
    clock.advance(1)
    assert not identities.settled("D1", ["t1"])
    identities.sweep()
    assert identities._looked == {}
    assert KEEP_MS + 15_000 < 300_000


async def test_away_is_none_and_is_tried_again(
    identities: Identities, privacy: PrivacyDesk, clock: ManualClock
) -> None:
    privacy.available = False
    before = identities.version("D1")
    assert await identities.resolve("D1", ["t1"]) is None
    assert identities.version("D1") > before
    assert await identities.find("D1", "Name 1") is None
    privacy.available = True
    assert await identities.resolve("D1", ["t1"]) is None  # not asked again at once
    clock.advance(2)
    assert set(await identities.resolve("D1", ["t1", "nobody"]) or {}) == {"t1"}


async def test_what_changed_is_known_by_token(identities: Identities, privacy: PrivacyDesk) -> None:
    await identities.resolve("D1", ["t1"])
    seen = identities.version("D1")
    await identities.resolve("D1", ["t1", "t2"])
    assert identities.changed_since("D1", seen) == {"t2"}
    seen = identities.version("D1")
    identities.drop(["t1"])
    assert identities.version("D1") > seen
    assert not identities.settled("D1", ["t1"])
    identities.forget("D1")
    await identities.resolve("D1", ["t1"])
    assert identities.changed_since("D1", seen) is None


async def test_looks_are_audited_once_and_decisions_each_time(
    clock: ManualClock, tmp_path: Path
) -> None:
    log, kept = InMemoryLog([AUDIT.name], clock=clock), Checkpoints(tmp_path)
    auditor = Auditor(log, AUDIT_KEY, kept, clock, os.urandom)
    await auditor.look("s1", "patient", "t1")
    await auditor.look("s1", "patient", "t1")
    for _ in range(2):
        await auditor.decided("s1", "t1", {"decision": "accepted"})
    log.available = False
    with pytest.raises(Unavailable):
        await auditor.look("s1", "patient", "t2")
    log.available = True
    await auditor.look("s1", "patient", "t2")
    entries: list[AuditEntry] = [AUDIT.decode(r.value or b"") for r in log.records(AUDIT.name)]
    assert [(one.writer, one.action, one.outcome, one.sequence) for one in entries] == [
        ("gateway", "patient", "shown", 0),
        ("gateway", "review", "decided", 1),
        ("gateway", "review", "decided", 2),
        ("gateway", "patient", "shown", 0),
    ]
    assert {one.purpose for one in entries} == {"TREAT"}
    assert len({record.partition for record in log.records(AUDIT.name)}) == 1
    assert find_faults(entries, kept.read()[0], {WRITER: AUDIT_KEY.public_key()}) == []


async def test_a_clock_put_back_keeps_no_name_for_longer(
    identities: Identities, clock: ManualClock
) -> None:
    await identities.resolve("D1", ["t1"])
    clock.wall_ms -= 3_600_000  # the wall clock is put back an hour
    for _ in range(20):
        clock.advance(60)
        identities.sweep()
    assert not identities.settled("D1", ["t1"])
    assert identities._looked == {}


async def test_a_clock_put_back_keeps_privacy_away_for_no_longer(
    identities: Identities, privacy: PrivacyDesk, clock: ManualClock
) -> None:
    privacy.available = False
    assert await identities.resolve("D1", ["t1"]) is None
    privacy.available = True
    clock.wall_ms -= 3_600_000
    clock.advance(60)
    assert await identities.resolve("D1", ["t1"])


async def test_an_answer_on_its_way_when_the_person_is_erased_is_not_kept(
    identities: Identities,
) -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()
    reach = identities._http.post

    async def slow(*args: Any, **named: Any) -> Any:
        response = await reach(*args, **named)
        asked.set()
        await go_on.wait()
        return response

    identities._http.post = slow  # type: ignore[method-assign]
    looking = asyncio.create_task(identities.resolve("D1", ["t1"]))
    await asked.wait()
    identities.drop(["t1"])  # the tombstone came
    go_on.set()
    await looking
    assert not identities.settled("D1", ["t1"])
