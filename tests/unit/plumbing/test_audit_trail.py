"""The trail that every writer of the audit uses: chained, signed after each write, or refused."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contracts.audited import AUDIT, AuditEntry
from plumbing.audit_trail import (
    SAME_LOOK_S,
    AuditTrail,
    AuditWriter,
    Checkpoints,
    Look,
    RecentLooks,
)
from plumbing.clock import ManualClock
from plumbing.errors import Unavailable
from plumbing.event_log import Output
from plumbing.hash_chain import Checkpoint, count_unsigned, find_faults
from plumbing.memory_log import InMemoryLog

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
NOW_MS = ManualClock().now_ms()
KEYS = {"w": KEY.public_key()}


class SlowLog(InMemoryLog):
    """A log whose writes wait for ``go``, and may fail before or after the records are there."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__([AUDIT.name], clock=clock)
        self.go = asyncio.Event()
        self.go.set()
        self.sizes: list[int] = []
        self.fails_after_writing = False
        self.breaks: Exception | None = None

    async def write(self, outputs: Sequence[Output]) -> tuple[int, ...]:
        self.sizes.append(len(outputs))
        await self.go.wait()
        if self.breaks:
            raise self.breaks
        offsets = await super().write(outputs)
        if self.fails_after_writing:
            raise Unavailable("not confirmed in time")
        return offsets


@dataclass
class Site:
    """A trail with what is around it."""

    folder: Path
    clock: ManualClock = field(default_factory=ManualClock)

    def __post_init__(self) -> None:
        self.log = SlowLog(self.clock)
        self.checkpoints = Checkpoints(self.folder)
        self.checkpoints.prepare()
        chance = count()
        self.trail = AuditTrail(
            AuditWriter(AUDIT, "w", self.log),
            KEY,
            self.checkpoints,
            self.clock,
            lambda size: next(chance).to_bytes(size, "big"),
        )

    async def look(self, *tokens: str, viewer: str = "v") -> None:
        await self.trail.look([Look(viewer, "see", token, "TREAT") for token in tokens], "shown")

    def entries(self) -> list[AuditEntry]:
        return [AUDIT.decode(record.value or b"") for record in self.log.records(AUDIT.name)]

    def kept(self) -> list[Checkpoint]:
        kept, broken = self.checkpoints.read()
        assert broken == []
        return kept

    def faults(self) -> list[str]:
        return [fault.kind for fault in find_faults(self.entries(), self.kept(), KEYS)]

    def unsigned(self) -> int:
        return count_unsigned(self.entries(), self.kept())


@pytest.fixture
async def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "audit")


async def test_after_each_write_the_head_is_signed(site: Site) -> None:
    for number in range(4):
        await site.look(f"a{number}", f"b{number}")
        (head,) = site.kept()
        assert head.sequence == 2 * number + 1
        assert head.head == site.entries()[-1].entry_hash
        assert (site.faults(), site.unsigned()) == ([], 0)


async def test_an_entry_says_who_looked_how_at_whom_and_why(site: Site) -> None:
    await site.trail.look([Look("v", "see", "t", "TREAT")], "shown", {"rows": "1"})
    await site.trail.note(Look("v", "decide", "t", "TREAT"), "decided")
    first, second = site.entries()
    assert (first.viewer, first.action, first.token, first.purpose) == ("v", "see", "t", "TREAT")
    assert (first.outcome, first.detail, first.at_ms) == (
        "shown",
        {"rows": "1"},
        NOW_MS,
    )
    assert (second.action, second.outcome, second.sequence) == ("decide", "decided", 1)


async def test_callers_during_a_write_share_the_next_one(site: Site) -> None:
    site.log.go.clear()
    first = asyncio.create_task(site.look("t0"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    others = [asyncio.create_task(site.look(f"t{number}")) for number in range(1, 11)]
    await asyncio.sleep(0)
    assert not any(task.done() for task in (first, *others))
    site.log.go.set()
    await asyncio.gather(first, *others)
    assert site.log.sizes == [1, 10]
    assert [entry.token for entry in site.entries()] == [f"t{number}" for number in range(11)]
    assert (site.faults(), site.unsigned(), len(site.kept())) == ([], 0, 1)


@pytest.mark.parametrize("written", [True, False])
async def test_an_unsure_write_ends_the_chain(site: Site, *, written: bool) -> None:
    await site.look("t1")
    site.log.available, site.log.fails_after_writing = written, written
    with pytest.raises(Unavailable):
        await site.look("t2")
    site.log.available, site.log.fails_after_writing = True, False
    await site.look("t2")
    starts = [entry.start for entry in site.entries()]
    assert starts == [starts[0]] * (1 + written) + [starts[-1]]
    assert starts[0] != starts[-1]
    assert {(head.start, head.sequence) for head in site.kept()} == {
        (starts[0], 0),
        (starts[-1], 0),
    }
    assert (site.faults(), site.unsigned()) == ([], int(written))


async def test_without_a_checkpoint_nothing_may_be_shown(site: Site) -> None:
    site.folder.rmdir()
    site.folder.write_text("in the way")
    with pytest.raises(Unavailable):
        await site.look("t1")
    site.folder.unlink()
    site.checkpoints.prepare()
    await site.look("t1")
    assert len({entry.start for entry in site.entries()}) == 2
    assert (site.faults(), site.unsigned()) == ([], 1)


async def test_a_look_is_written_once_in_a_quarter_of_an_hour(site: Site) -> None:
    await site.look("t1", "t1", "t2")
    await site.look("t1")
    assert site.log.sizes == [2]
    await site.look("t1", viewer="other")
    site.clock.advance(SAME_LOOK_S - 1)
    await site.look("t1", "t2")
    assert site.log.sizes == [2, 1]
    site.clock.advance(1)
    await site.look("t1", "t2", "t3")
    assert site.log.sizes == [2, 1, 3]


async def test_a_look_that_failed_counts_for_nothing(site: Site) -> None:
    site.log.available = False
    for _ in range(2):
        with pytest.raises(Unavailable):
            await site.look("t1")
    site.log.available = True
    await site.look("t1")
    assert [entry.token for entry in site.entries()] == ["t1"]


async def test_a_caller_that_goes_away_takes_no_entry_with_it(site: Site) -> None:
    site.log.go.clear()
    first = asyncio.create_task(site.look("t1"))
    second = asyncio.create_task(site.look("t2"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    first.cancel()
    site.log.go.set()
    await second
    with pytest.raises(asyncio.CancelledError):
        await first
    assert [entry.token for entry in site.entries()] == ["t1", "t2"]
    assert site.faults() == []


async def test_a_fault_of_our_own_reaches_all_who_wait(site: Site) -> None:
    site.log.breaks = ZeroDivisionError()
    site.log.go.clear()
    first = asyncio.create_task(site.look("t1"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    second = asyncio.create_task(site.look("t2"))
    await asyncio.sleep(0)
    site.log.go.set()
    for caller in (first, second):
        with pytest.raises(ZeroDivisionError):
            await asyncio.wait_for(caller, 5)
    site.log.breaks = None
    await site.look("t1")
    assert site.faults() == []


def test_looks_are_bounded_and_the_oldest_make_room() -> None:
    recent = RecentLooks(kept_s=10.0, looks_max=3)
    looks = [Look("v", "see", f"t{number}", "") for number in range(4)]
    recent.remember(looks, 0.0)
    assert recent.fresh(looks, 1.0) == looks[:1]
    recent.remember(looks[1:2], 5.0)
    assert recent.fresh(looks, 10.0) == [looks[0], *looks[2:]]


async def test_reading_makes_no_folder_and_names_what_is_no_checkpoint(tmp_path: Path) -> None:
    folder = tmp_path / "none"
    assert Checkpoints(folder).read() == ([], [])
    assert not folder.exists()
    site = Site(tmp_path / "audit")
    await site.look("t1")
    (site.folder / "w-broken.json").write_text("{}")
    kept, broken = site.checkpoints.read()
    assert ([head.sequence for head in kept], broken) == ([0], [site.folder / "w-broken.json"])
