"""Who looked at what: chained on the audit topic and signed beside it, before it is shown.

A trail is one writer's chain. Callers that come while a write is under way share the next one.
After every confirmed write the head of the chain is signed and kept outside Kafka, so that a
cut-off end shows. Whatever is unsure ends the chain and begins another: no entry ever continues
behind one that may be missing.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contracts.audited import AuditEntry
from contracts.topic import Topic
from plumbing.audit_metrics import AUDIT_ENTRIES, AUDIT_FAILURES
from plumbing.clock import Clock
from plumbing.errors import Unavailable
from plumbing.event_log import EventWriter, Output
from plumbing.group_commit import GroupCommit
from plumbing.hash_chain import Chain, Checkpoint

SAME_LOOK_S = 15 * 60.0
LOOKS_MAX = 200_000
START_BYTES = 6


class Look(NamedTuple):
    """What is the same look: who (staff token), how, at whom (token, empty: nobody), and why."""

    viewer: str
    action: str
    token: str
    purpose: str


class Checkpoints:
    """The signed head of each chain, one small file per start, replaced whole."""

    def __init__(self, folder: Path) -> None:
        """Take the folder; it is made by ``prepare``, never by reading."""
        self._folder = folder

    def prepare(self) -> None:
        """Make the folder; raise ``OSError`` where that cannot be."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def keep(self, checkpoint: Checkpoint) -> None:
        """Replace the head of its chain; raise ``OSError`` when it cannot be kept."""
        path = self._folder / f"{checkpoint.writer}-{checkpoint.start}.json"
        draft = path.with_suffix(".draft")
        draft.write_bytes(msgspec.json.encode(checkpoint))
        os.replace(draft, path)  # noqa: PTH105  # the atomic replace, by its own name

    def read(self) -> tuple[list[Checkpoint], list[Path]]:
        """Return the heads that were kept, and the files that should hold one and do not."""
        kept, broken = [], []
        for path in sorted(self._folder.glob("*.json")):
            try:
                kept.append(msgspec.json.decode(path.read_bytes(), type=Checkpoint))
            except (msgspec.DecodeError, UnicodeDecodeError):
                broken.append(path)
        return kept, broken


class RecentLooks:
    """The looks of the last quarter of an hour, oldest first; a bounded number of them."""

    def __init__(self, kept_s: float = SAME_LOOK_S, looks_max: int = LOOKS_MAX) -> None:
        """Begin with none."""
        self._kept_s = kept_s
        self._looks_max = looks_max
        self._ends_s: dict[Look, float] = {}

    def fresh(self, looks: Sequence[Look], now_s: float) -> list[Look]:
        """Return those of ``looks`` that are not among them, each once."""
        while self._ends_s and next(iter(self._ends_s.values())) <= now_s:
            del self._ends_s[next(iter(self._ends_s))]
        return [look for look in dict.fromkeys(looks) if self._ends_s.get(look, 0.0) <= now_s]

    def remember(self, looks: Sequence[Look], now_s: float) -> None:
        """Add looks. The oldest make room: they are then written once more, which harms nothing."""
        for look in looks:
            self._ends_s.pop(look, None)
            self._ends_s[look] = now_s + self._kept_s
        while len(self._ends_s) > self._looks_max:
            del self._ends_s[next(iter(self._ends_s))]


Said = dict[str, object]  # an entry without its place in the chain


@dataclass(frozen=True)
class AuditWriter:
    """Who writes, and where to."""

    topic: Topic[AuditEntry]
    name: str
    log: EventWriter

    async def write(self, entries: Sequence[AuditEntry]) -> None:
        """Return once all are confirmed; raise ``Unavailable`` when that is unsure."""
        key, encode = self.name.encode(), self.topic.encode
        await self.log.write([Output(self.topic.name, key, encode(entry)) for entry in entries])


class AuditTrail:
    """Writes the entries of one writer. Belongs to one event loop."""

    def __init__(
        self,
        writer: AuditWriter,
        key: Ed25519PrivateKey,
        checkpoints: Checkpoints,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        """Begin a chain, whose entries and heads ``key`` signs; time and chance name each start."""
        self._writer = writer
        self._key = key
        self._checkpoints = checkpoints
        self._clock = clock
        self._random_bytes = random_bytes
        self._chain = self._new_chain()
        self._looks = RecentLooks()
        self._group: GroupCommit[Sequence[Said]] = GroupCommit(self._commit)

    async def look(
        self, looks: Sequence[Look], outcome: str, detail: dict[str, str] | None = None
    ) -> None:
        """Record those of ``looks`` that are not on record since 15 minutes.

        Raises ``Unavailable``: then nothing may be shown, and the next try is written anew.
        """
        now_s = self._clock.monotonic_s()
        fresh = self._looks.fresh(looks, now_s)
        if fresh:
            await self._group.add([self._said(look, outcome, detail) for look in fresh])
            self._looks.remember(fresh, now_s)

    async def note(self, look: Look, outcome: str, detail: dict[str, str] | None = None) -> None:
        """Record it, each time. Raises ``Unavailable``: then it may not be done."""
        await self._group.add([self._said(look, outcome, detail)])

    def _said(self, look: Look, outcome: str, detail: dict[str, str] | None) -> Said:
        said = {"at_ms": self._clock.now_ms(), "outcome": outcome, "detail": detail or {}}
        return look._asdict() | said

    async def _commit(self, batch: Sequence[Sequence[Said]]) -> None:
        count = sum(len(said) for said in batch)
        written = False
        try:
            chained = [self._chain.add(AuditEntry, **one) for said in batch for one in said]
            await self._writer.write(chained)
            self._checkpoints.keep(self._chain.checkpoint(self._clock.now_ms()))
            AUDIT_ENTRIES.inc(count)
            written = True
        except (Unavailable, OSError) as reason:
            raise Unavailable("the audit cannot be written") from reason
        finally:
            if not written:
                # Unsure what of it was written: that chain ends here, another begins.
                self._chain = self._new_chain()
                AUDIT_FAILURES.inc(count)

    def _new_chain(self) -> Chain:
        start = f"{self._clock.now_ms():x}-{self._random_bytes(START_BYTES).hex()}"
        return Chain(self._writer.name, start, self._key)
