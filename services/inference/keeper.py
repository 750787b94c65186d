"""One partition's states, sound or brought back before anybody reads them; and their snapshots.

Sound means: the progress is there, every state it counted is there, and it reaches the record
before the one in hand. What Redis holds is checked in the same round trip that reads it, so a
flush, an older dump or a deleted state is noticed at the next batch, or when idle within a second.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from contracts.deidentified import DEIDENTIFIED
from contracts.state import STATE, StateSnapshot
from plumbing import log
from plumbing.clock import Clock
from plumbing.event_log import EventWriter, Output
from services.inference import metrics
from services.inference.replay import MARKER, Replayer, snapshot_bytes
from services.inference.state import PatientState
from services.inference.state_cache import StateCache
from services.inference.state_codec import StateUnreadable, applied_of, encode_state
from services.inference.state_store import Progress, StateStore

SNAPSHOT_CHUNK = 200
_log = log.get("inference")


class StateLost(Exception):
    """What was read is not this partition's state; ``reason`` is a short fixed word."""

    def __init__(self, reason: str) -> None:
        """Keep the reason."""
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class SnapshotEvery:
    """Snapshots are written when either is reached."""

    seconds: float = 30.0
    events: int = 2_000


@dataclass(frozen=True, slots=True)
class Sound:
    """The states of the tokens asked for, with the progress they belong to (``expected`` is
    what Redis holds of it, None when nothing); a token without a state has an empty one and is
    ``fresh``. ``due`` are demands for reports of persons.
    """

    progress: Progress
    expected: Progress | None
    states: dict[str, PatientState]
    fresh: frozenset[str]
    due: frozenset[bytes]


@dataclass(slots=True)
class _Memory:
    """What this process knows of a partition: ``written`` is the progress it last saw or wrote."""

    written: Progress | None = None
    dirty: set[str] = field(default_factory=set)
    events: int = 0
    since_s: float = 0.0


class Keeper:
    """Reads and writes states of partitions, one caller at a time for each partition."""

    def __init__(
        self,
        store: StateStore,
        replayer: Replayer,
        writer: EventWriter,
        cache: StateCache,
        clock: Clock,
        every: SnapshotEvery,
    ) -> None:
        """``writer`` takes the snapshots."""
        self._store = store
        self._replayer = replayer
        self._writer = writer
        self._cache = cache
        self._clock = clock
        self._every = every
        self._memory: dict[int, _Memory] = {}
        self._restored: set[int] = set()

    async def read(self, partition: int, tokens: Sequence[str], until: int) -> Sound:
        """Return the states of ``tokens``, with everything before offset ``until`` in them."""
        try:
            return await self._read(partition, tokens, until)
        except (StateLost, StateUnreadable) as error:
            reason = error.reason if isinstance(error, StateLost) else "unreadable"
            await self.rebuild(partition, until, reason)
        return await self._read(partition, tokens, until)

    def take_restored(self, partition: int) -> bool:
        """Return whether the states were brought back since this was last asked."""
        restored = partition in self._restored
        self._restored.discard(partition)
        return restored

    async def rebuild(self, partition: int, until: int, reason: str) -> None:
        """Build all states of the partition anew, as of ``until``."""
        epoch = 1
        known = self._memory.pop(partition, None)
        if known is not None and known.written is not None:
            epoch += known.written.epoch
        began_s = self._clock.monotonic_s()
        _log.warning("state rebuilt", partition=partition, offset=until, code=reason)
        progress = await self._replayer.rebuild(partition, until, epoch)
        metrics.STATE_RESTORES.labels(reason).inc()
        metrics.STATE_RESTORE_SECONDS.observe(self._clock.monotonic_s() - began_s)
        self._restored.add(partition)
        await self._learn(partition, progress)

    async def write(
        self,
        partition: int,
        last_offset: int,
        sound: Sound,
        states: Mapping[str, PatientState],
        gone: Collection[str],
        events: int,
    ) -> None:
        """Write changed states and the partition's progress, both or neither; ``gone`` are tokens
        whose states are dropped.
        """
        memory = self._memory[partition]
        encoded = {token: encode_state(state) for token, state in states.items()}
        progress = msgspec.structs.replace(
            sound.progress,
            applied=max(sound.progress.applied, last_offset),
            count=sound.progress.count
            + len(sound.fresh & states.keys())
            - len(set(gone) - sound.fresh),
        )
        await self._store.write(partition, sound.expected, progress, encoded, gone)
        memory.written = progress
        memory.dirty.difference_update(gone)
        memory.dirty.update(states)
        for token in gone:
            self._cache.drop(token)
        memory.events += events
        for token, raw in encoded.items():
            metrics.STATE_BYTES.observe(len(raw))
            self._cache.keep(token, raw, states[token])

    def snapshot_due(self, partition: int) -> bool:
        """Return whether it is time to write a snapshot."""
        memory = self._memory.get(partition)
        if memory is None or not memory.dirty:
            return False
        waited_s = self._clock.monotonic_s() - memory.since_s
        return memory.events >= self._every.events or waited_s >= self._every.seconds

    async def snapshot(self, partition: int) -> None:
        """Write the states that changed, then the marker that says through which offset all are
        there. The partition must not be written meanwhile.
        """
        memory = self._memory[partition]
        assert memory.written is not None  # noqa: S101 - dirty only after a write
        through, tokens = memory.written.applied, sorted(memory.dirty)
        for first in range(0, len(tokens), SNAPSHOT_CHUNK):
            chunk = tokens[first : first + SNAPSHOT_CHUNK]
            stored = await self._store.read(partition, chunk)
            if not stored.intact or stored.progress != memory.written:
                return  # lost or another's now: no marker; the next read finds out
            await self._writer.write(_snapshots(partition, chunk, stored.states))
        await self._writer.write([_marker(partition, through)])
        metrics.SNAPSHOTS.inc(len(tokens))
        memory.dirty.clear()
        memory.events = 0
        memory.since_s = self._clock.monotonic_s()
        progress = msgspec.structs.replace(memory.written, snapshot=through)
        await self._store.write(partition, memory.written, progress, {})
        memory.written = progress

    async def _read(self, partition: int, tokens: Sequence[str], until: int) -> Sound:
        stored = await self._store.read(partition, tokens)
        if stored.progress is None and stored.fields == 0 and until == 0:
            progress = Progress()  # the partition's first record is still to come
        elif stored.progress is None:
            raise StateLost("missing")
        elif not stored.intact:
            raise StateLost("states_missing")
        else:
            progress = stored.progress
        await self._learn(partition, progress)
        if progress.applied < until - 1:
            await self._catch_up(partition, progress, until)
            return await self._read(partition, tokens, until)
        found = zip(tokens, stored.states, strict=True)
        states = {token: self._cache.decode(token, raw) for token, raw in found}
        fresh = frozenset(t for t, raw in zip(tokens, stored.states, strict=True) if raw is None)
        return Sound(progress, stored.progress, states, fresh, stored.due)

    async def _catch_up(self, partition: int, progress: Progress, until: int) -> None:
        """Apply what is missing between the states' offset and ``until``: an older dump is whole,
        only old, so the log's tail completes it.
        """
        start = await self._replayer.reader.start_offset(DEIDENTIFIED.name, partition)
        if start > progress.applied + 1:
            raise StateLost("behind_log")
        began_s = self._clock.monotonic_s()
        tokens = await self._replayer.tokens(partition, progress.applied + 1, until)
        done = await self._replayer.catch_up(partition, progress, until)
        memory = self._memory[partition]
        memory.written = done
        memory.dirty.update(tokens)
        if tokens:
            self._restored.add(partition)
            _log.warning("state caught up", partition=partition, offset=until, code="behind")
            metrics.STATE_RESTORES.labels("behind").inc()
            metrics.STATE_RESTORE_SECONDS.observe(self._clock.monotonic_s() - began_s)

    async def _learn(self, partition: int, progress: Progress) -> None:
        """When another process wrote last, find out which states no snapshot has yet."""
        memory = self._memory.get(partition)
        if memory is not None and memory.written == progress:
            return
        if progress.applied >= 0:
            end = await self._replayer.reader.end_offset(DEIDENTIFIED.name, partition)
            if progress.applied >= end:
                raise StateLost("ahead_of_log")
        unsaved = await self._replayer.tokens(
            partition, progress.snapshot + 1, progress.applied + 1
        )
        known = set() if memory is None else memory.dirty
        self._memory[partition] = _Memory(
            written=progress, dirty=known | unsaved, since_s=self._clock.monotonic_s()
        )


def _snapshots(
    partition: int, tokens: Sequence[str], states: Iterable[bytes | None]
) -> list[Output]:
    return [
        Output(
            topic=STATE.name,
            key=token.encode(),
            value=STATE.encode(
                StateSnapshot(
                    token=token,
                    partition=partition,
                    offset=applied_of(raw),
                    state=snapshot_bytes(raw),
                )
            ),
            partition=partition,
        )
        for token, raw in zip(tokens, states, strict=True)
        if raw is not None
    ]


def _marker(partition: int, through: int) -> Output:
    return Output(
        topic=STATE.name,
        key=f"{MARKER}{partition}".encode(),
        value=STATE.encode(StateSnapshot(partition=partition, offset=through)),
        partition=partition,
    )
