"""Bringing a partition's states back: the snapshot topic, then the tail of the log, silently.

What is replayed was assessed before and its results confirmed, so nothing is written out. Records
that were refused at the time (undecodable, or quarantined after crashes) are passed over again.
"""

import asyncio
import zlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import msgspec

from contracts.deidentified import DEIDENTIFIED, DeidentifiedEvent
from contracts.rejection import rejected
from contracts.state import STATE
from plumbing import log
from plumbing.event_log import EventReader, Record, whole_topic
from services.inference import metrics
from services.inference.state import EMPTY, PatientState, apply
from services.inference.state_codec import decode_state, encode_state
from services.inference.state_store import Progress, StateStore

GROUP = "inference"  # the consumer group, and so the stage that rejections name
MARKER = "@"
_log = log.get("inference")
Told = tuple[int, str, DeidentifiedEvent | None]
"""Offset, token, event; None: a tombstone, the person was erased."""


@dataclass(frozen=True, slots=True)
class Replayer:
    """Rebuilds states from the log into the store."""

    reader: EventReader
    store: StateStore

    async def rebuild(self, partition: int, until: int, epoch: int) -> Progress:
        """Build all states of ``partition`` as of ``until`` (exclusive); return their progress."""
        await self.store.rebuild_from_nothing(partition)
        through = await self._load_snapshots(partition)
        start = await self.reader.start_offset(DEIDENTIFIED.name, partition)
        incomplete = start > through + 1
        if incomplete:
            metrics.STATE_INCOMPLETE.inc()
            _log.error("events gone before their snapshot", partition=partition, offset=start)
        async for told in self._told(partition, through + 1, until):
            await self._apply_to_rebuilt(partition, told)
        progress = Progress(epoch=epoch, applied=until - 1, snapshot=through, incomplete=incomplete)
        return await self.store.rebuild_finish(partition, progress)

    async def catch_up(self, partition: int, progress: Progress, until: int) -> Progress:
        """Apply the records after ``progress`` and before ``until`` to the states that are there;
        return the new progress.
        """
        async for told in self._told(partition, progress.applied + 1, until):
            tokens = sorted({token for _, token, _ in told})
            found = (await self.store.read(partition, tokens)).states
            applied = _applied(told, dict(zip(tokens, found, strict=True)))
            states = {token: raw for token, raw in applied.items() if raw is not None}
            gone = applied.keys() - states.keys()
            count = progress.count + len(states) - sum(1 for raw in found if raw is not None)
            before, progress = (
                progress,
                msgspec.structs.replace(progress, applied=told[-1][0], count=count),
            )
            await self.store.write(partition, before, progress, states, gone)
        before, progress = progress, msgspec.structs.replace(progress, applied=until - 1)
        await self.store.write(partition, before, progress, {})
        return progress

    async def tokens(self, partition: int, start: int, until: int) -> set[str]:
        """Return the tokens that have events in ``start <= offset < until``."""
        found: set[str] = set()
        async for records in self.reader.read(DEIDENTIFIED.name, partition, start, until):
            found.update(record.key.decode() for record in records if record.key)
        return found

    async def _load_snapshots(self, partition: int) -> int:
        """Put every snapshot into the place of rebuilding; return the offset they are complete
        through.
        """
        through = -1
        marker = f"{MARKER}{partition}".encode()
        end = await self.reader.end_offset(STATE.name, partition)
        async for records in self.reader.read(STATE.name, partition, 0, end):
            states: dict[str, bytes | None] = {}
            for record in records:
                if record.key == marker:
                    through = STATE.decode(record.value).offset if record.value else -1
                elif record.key is not None:
                    states[record.key.decode()] = _snapshot(record)
            await self.store.rebuild_load(partition, states)
        return through

    async def _apply_to_rebuilt(self, partition: int, told: Sequence[Told]) -> None:
        tokens = sorted({token for _, token, _ in told})
        found = await self.store.rebuild_read(partition, tokens)
        states = _applied(told, dict(zip(tokens, found, strict=True)))
        await self.store.rebuild_load(partition, states)

    async def _told(self, partition: int, start: int, until: int) -> AsyncIterator[Sequence[Told]]:
        """Yield the events of ``start <= offset < until`` that count, batch by batch."""
        if start >= until:
            return
        refused = await self._refused(partition, start, until)
        async for records in self.reader.read(DEIDENTIFIED.name, partition, start, until):
            told = [
                one
                for record in records
                if record.offset not in refused and (one := _told(record)) is not None
            ]
            if told:
                yield told
            await asyncio.sleep(0)  # other partitions go on

    async def _refused(self, partition: int, start: int, until: int) -> set[int]:
        """Return the offsets in the range that were refused at the time."""
        topic = rejected(DEIDENTIFIED)
        found: set[int] = set()
        async for records in whole_topic(self.reader, topic.name):
            said = (topic.decode(record.value) for record in records if record.value)
            found.update(
                one.offset for one in said if one.stage == GROUP and one.partition == partition
            )
        return {offset for offset in found if start <= offset < until}


def snapshot_bytes(state: bytes) -> bytes:
    """Return a state as it stands in a snapshot."""
    return zlib.compress(state, 1)


def _snapshot(record: Record) -> bytes | None:
    return zlib.decompress(STATE.decode(record.value).state) if record.value else None


def _applied(told: Sequence[Told], found: dict[str, bytes | None]) -> dict[str, bytes | None]:
    states: dict[str, PatientState | None] = {
        token: None if raw is None else decode_state(raw) for token, raw in found.items()
    }
    for offset, token, event in told:
        if event is None:
            states[token] = None
        else:
            states[token] = apply(states[token] or EMPTY, event, offset)
    return {t: None if state is None else encode_state(state) for t, state in states.items()}


def _told(record: Record) -> Told | None:
    """Return what a record tells, None when it cannot be decoded (refused then)."""
    if record.value is None:
        return (record.offset, (record.key or b"").decode(), None) if record.key else None
    try:
        event = DEIDENTIFIED.decode(record.value)
    except msgspec.MsgspecError:
        return None
    return record.offset, event.token, event
