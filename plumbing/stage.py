"""What a stream stage is: a handler of one partition's batches, and what it hands back."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec

from contracts.topic import Topic
from plumbing.event_log import Headers, Output

Event = TypeVar("Event", bound=msgspec.Struct)


class Arrived(msgspec.Struct, Generic[Event], frozen=True, gc=False):
    """One decoded record with its coordinates; ``event`` None is a tombstone."""

    event: Event | None
    key: bytes | None
    offset: int
    headers: Headers
    timestamp_ms: int


@dataclass(frozen=True, slots=True)
class Batch(Generic[Event]):
    """Consecutive records of one partition, in order.

    ``first_offset`` and ``last_offset`` span all that was fetched, also records that were rejected
    while decoding and are not in ``arrived``.
    """

    topic: str
    partition: int
    first_offset: int
    last_offset: int
    arrived: tuple[Arrived[Event], ...]


class Refused(msgspec.Struct, frozen=True, gc=False):
    """The handler refuses the record at ``offset``: it goes to the rejected topic with ``code``.

    Not ``counted``: it says nothing against its source, and does not lead to a pause of it.
    """

    offset: int
    code: str
    counted: bool = True


@dataclass(frozen=True, slots=True)
class Handled:
    """What a batch led to. The batch is done when all ``outputs`` are confirmed.

    ``then`` is awaited after the confirmation and before the batch counts as done.
    """

    outputs: Sequence[Output] = ()
    refused: Sequence[Refused] = ()
    then: Callable[[], Awaitable[None]] | None = None


@dataclass(frozen=True)
class Subscription(Generic[Event]):
    """A topic and who handles it.

    ``handle`` is never entered twice at once for one partition; different partitions may run at
    once on the same event loop. It may be called again with records it has seen (after a crash or
    a rebalance), so it is idempotent. It raises ``Unavailable`` to have the same batch again later;
    any other exception stops the process with nothing committed.
    ``idle`` is called about once a second for each assigned partition that has nothing in hand,
    with the offset of the next record (the committed position).
    """

    topic: Topic[Event]
    handle: Callable[[Batch[Event]], Awaitable[Handled]]
    idle: Callable[[int, int], Awaitable[None]] | None = None
