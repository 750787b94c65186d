"""A compacted topic mirrored in one Redis hash, with how far it is mirrored in the same hash.

As data and progress are one key (``mirror_hash.py``), Redis cannot lose one without the other:
emptied, evicted or put back to an older dump, the hash is behind what this process knows, which
every read checks, and is caught up from the topic before anything is decided on it.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

from redis.asyncio import Redis

from plumbing import log
from plumbing.errors import Unavailable
from plumbing.event_log import EventReader, EventWriter, Headers, Output, Record
from plumbing.group_commit import GroupCommit
from plumbing.partition import partition_of
from services.privacy import metrics
from services.privacy.mirror_hash import MirrorHash, Raw, is_due, redis_errors
from services.privacy.mirror_scripts import apply_arguments

__all__ = ["Entry", "Fields", "Mirror", "MirrorAhead", "Raw", "read_all", "redis_errors"]

Fields = list[tuple[str, bytes]]

_log = log.get("privacy")


class MirrorAhead(Exception):
    """Redis knows of records that the topic does not have: the log was lost or is another one."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One record to publish: its key is the hash field it is about. ``version``: a hash that holds
    this or a later one lets ``decide`` say what the two come to; 0: it is replaced, whatever it is.
    """

    key: str
    value: bytes | None
    headers: Headers = ()
    version: int = 0


@dataclass(slots=True)
class Publication:
    """Entries with what each sets. ``is_whole``: all of it stands as it was written."""

    entries: Sequence[Entry]
    fields: Sequence[Fields]
    is_whole: bool = True


Written = tuple[tuple[int, int], Entry, Fields]
"""Partition and offset of an entry, and what it sets."""

Decide = Callable[[Record, Mapping[str, Raw]], Fields]
"""From a record and what the hash holds under its key (as field) to the fields to set."""
Again = Callable[[str, bytes], Entry | None]
"""From a field and its value that is due to what is written; None: it is so no more."""


class Mirror(MirrorHash):
    """One topic and its hash. ``decide`` says what a record does to the hash. Where that marks a
    value as due, what ``again`` makes of it is written, once the end of the topic is reached.
    """

    def __init__(
        self,
        topic: str,
        redis: Redis,
        writer: EventWriter,
        reader: EventReader,
        decide: Decide,
        again: Again | None = None,
    ) -> None:
        """Keep the parts; ``open`` must run before anything else."""
        super().__init__(topic, redis)
        self.topic = topic
        self.is_open = False
        self._writer = writer
        self._reader = reader
        self._decide = decide
        self._again = again
        self._seen: dict[int, int] = {}
        self._catching_up = asyncio.Lock()
        self._publishing = GroupCommit(self._publish)

    async def open(self) -> None:
        """Learn the partitions and catch up to the end of the topic."""
        self._seen = dict.fromkeys(await self._reader.partitions(self.topic), 0)
        await self.catch_up(tuple(self._seen))
        self.is_open = True

    def progress_fields(self) -> list[str]:
        """Return the fields that every read asks for besides its own."""
        return [f"@{partition}" for partition in self._seen]

    def partition_of(self, key: str) -> int:
        """Return the partition of a key."""
        return partition_of(key.encode(), len(self._seen))

    def is_behind(self, progress: Sequence[Raw]) -> bool:
        """Return whether progress as read is behind what is known; remember it when ahead."""
        offsets = [int(value or 0) for value in progress]
        seen = self._seen.values()
        if any(offset < known for offset, known in zip(offsets, seen, strict=True)):
            return True
        self._seen = dict(zip(self._seen, offsets, strict=True))
        return False

    async def read(self, fields: Sequence[str]) -> list[Raw]:
        """Return the values of ``fields`` from a hash that is not behind."""
        return (await read_all([(self, fields)], self._redis))[0]

    async def is_at_end(self, partitions: Sequence[int]) -> bool:
        """Catch up where the topic is ahead of what is known; return whether it was nowhere."""
        async with self._publishing.between():  # what this process wrote last is applied
            ends = await self._reader.end_offsets(self.topic, partitions)
            ahead = [partition for partition, end in ends.items() if end > self._seen[partition]]
            if ahead:
                await self.catch_up(ahead)
            return not ahead

    async def publish(self, entries: Sequence[Entry], fields: Sequence[Fields]) -> bool:
        """Write entries durably, then set the ``fields`` of each with the progress; False when
        others wrote meanwhile, and ``decide`` said what the hash holds.

        Callers share writes, and one write is applied before the next is made: so within this
        process no record ever waits for one before it, which would have to be read back.
        Raises ``Unavailable``; then any of them may have been written, and will be caught up.
        """
        publication = Publication(entries, fields)
        await self._publishing.add(publication)
        return publication.is_whole

    async def _publish(self, publications: Sequence[Publication]) -> None:
        entries = [entry for one in publications for entry in one.entries]
        fields = [values for one in publications for values in one.fields]
        places = await self._write(entries)
        written = sorted(zip(places, entries, fields, strict=True), key=itemgetter(0))
        gaps = await self._apply_all(written)
        if gaps:
            for one in publications:
                one.is_whole = gaps.isdisjoint(self.partition_of(said.key) for said in one.entries)
            await self.catch_up(sorted(gaps))

    async def append(self, entries: Sequence[Entry]) -> None:
        """Write entries durably, then apply them as ``decide`` says, in the order of the topic:
        after what others wrote in the meantime. Raises ``Unavailable`` as ``publish`` does.
        """
        for partition, offset in await self._write(entries):
            while await self.progress(partition) <= offset:
                await self.catch_up([partition])

    async def catch_up(self, partitions: Sequence[int]) -> None:
        """Apply the records that the hash does not have, to the end of the topic."""
        async with self._catching_up:
            for partition in partitions:
                await self._catch_up(partition)

    async def _write(self, entries: Sequence[Entry]) -> list[tuple[int, int]]:
        """Return partition and offset of each entry."""
        places = [self.partition_of(entry.key) for entry in entries]
        outputs = [
            Output(self.topic, entry.key.encode(), entry.value, entry.headers, place)
            for entry, place in zip(entries, places, strict=True)
        ]
        return list(zip(places, await self._writer.write(outputs), strict=True))

    async def _catch_up(self, partition: int) -> None:
        """Apply what is there. Only at the end is it sure what no later record settles: so what is
        due is written then, and applied in turn.
        """
        while await self._apply_rest(partition) and self._again is not None:
            held = await self.held(await self.due(partition))
            due = [self._again(name, raw[1:]) for name, raw in held.items() if raw and is_due(raw)]
            entries = [entry for entry in due if entry is not None]
            if not entries:
                return
            await self._write(entries)

    async def _apply_rest(self, partition: int) -> bool:
        """Return whether the end was reached; else another replica was faster."""
        known = self._seen[partition]
        at = await self.progress(partition)
        # Only after the progress: what others publish meanwhile moves the end, never back.
        end = await self._reader.end_offset(self.topic, partition)
        if at > end:
            raise MirrorAhead(self.topic)
        if at < known:
            metrics.MIRROR_LOSSES.labels(self.topic).inc()
            _log.warning("Redis lost records", topic=self.topic, partition=partition, offset=at)
        async for records in self._reader.read(self.topic, partition, at, end):
            values = await self._decided(partition, records)
            until = records[-1].offset + 1
            if not await self._apply(partition, at, until, values):
                return False  # the next read sees whether it got there
            metrics.MIRROR_APPLIED.labels(self.topic).inc(len(records))
            at = until
        if at < end:  # compaction and transactions leave holes at the end
            return await self._apply(partition, at, end, [])
        return True

    async def _decided(self, partition: int, records: Sequence[Record]) -> Fields:
        keys = [(record.key or b"").decode() for record in records]
        before = await self.due(partition) if self._again is not None else []
        held = await self.held(keys)
        changes: Fields = []
        for record in records:
            decided = self._decide(record, held)
            held |= dict(decided)
            changes += decided
        if self._again is None:
            return changes
        return changes + await self.due_fields(partition, before, {key: held[key] for key in keys})

    async def _apply(self, partition: int, at: int, until: int, values: Fields) -> bool:
        (done,) = await self.apply_steps([apply_arguments(partition, at, values, until=until)])
        if done:
            self._seen[partition] = max(self._seen[partition], until)
        return done

    async def _apply_all(self, written: Sequence[Written]) -> set[int]:
        """Apply records by partition and offset, in one round trip; return the partitions in which
        the hash lacks one before them, or holds what another wrote.
        """
        answers = await self.apply_steps(
            apply_arguments(partition, offset, values, entry.key, entry.version)
            for (partition, offset), entry, values in written
        )
        gaps = set()
        for ((partition, offset), _, _), done in zip(written, answers, strict=True):
            if done:
                self._seen[partition] = max(self._seen[partition], offset + 1)
            else:
                gaps.add(partition)
        return gaps


async def read_all(wanted: Sequence[tuple[Mirror, Sequence[str]]], redis: Redis) -> list[list[Raw]]:
    """Return the values of fields of several mirrors in one round trip, none of them behind."""
    if not all(mirror.is_open for mirror, _ in wanted):
        raise Unavailable("not caught up yet")
    while True:
        async with redis_errors():
            pipe = redis.pipeline(transaction=False)
            for mirror, fields in wanted:
                pipe.hmget(mirror.hash, [*mirror.progress_fields(), *fields])
            answers = await pipe.execute()
        values, behind = [], []
        for (mirror, _), answer in zip(wanted, answers, strict=True):
            size = len(mirror.progress_fields())
            if mirror.is_behind(answer[:size]):
                behind.append(mirror)
            values.append(answer[size:])
        if not behind:
            return values
        for mirror in behind:
            await mirror.catch_up(range(len(mirror.progress_fields())))


def last_stands(record: Record, held: Mapping[str, Raw]) -> Fields:
    """Say what a record does to a mirror in which the last one of each key stands."""
    token = (record.key or b"").decode()
    if record.value is None:
        return [(token, b"")] if held.get(token) else []
    return [(token, record.value)]
