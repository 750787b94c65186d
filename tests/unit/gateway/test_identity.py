"""Identities in memory: per viewer, for minutes, and gone when privacy is away."""

from collections.abc import AsyncIterator

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contracts.audited import AUDIT, AuditEntry
from plumbing.clock import ManualClock
from plumbing.errors import Unavailable
from plumbing.hash_chain import find_faults
from plumbing.memory_log import InMemoryLog
from services.gateway.audit import Auditor
from services.gateway.identity import KEEP_MS, Identities
from tests.support.gateway_world import RESOLVE_TOKEN, PrivacyDesk


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


async def test_the_audit_is_one_chain_and_a_new_one_after_doubt(clock: ManualClock) -> None:
    log, starts = InMemoryLog([AUDIT.name], clock=clock), iter("abc")
    auditor = Auditor(log, clock, lambda: next(starts))
    await auditor.look("s1", "patient", "t1")
    await auditor.look("s1", "patient", "t1")
    await auditor.decided("s1", "t1", {"decision": "accepted"})
    log.available = False
    with pytest.raises(Unavailable):
        await auditor.look("s1", "patient", "t2")
    log.available = True
    await auditor.look("s1", "patient", "t2")
    entries: list[AuditEntry] = [AUDIT.decode(r.value or b"") for r in log.records(AUDIT.name)]
    assert [(one.start, one.sequence, one.action) for one in entries] == [
        ("a", 0, "patient"),
        ("a", 1, "review"),
        ("b", 0, "patient"),
    ]
    assert len({record.partition for record in log.records(AUDIT.name)}) == 1
    key = Ed25519PrivateKey.generate().public_key()  # nothing is signed here
    assert find_faults(entries, [], key) == []
