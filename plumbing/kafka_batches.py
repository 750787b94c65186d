"""What the writers on aiokafka share: batches by partition, and ending a producer for good."""

import asyncio
import contextlib
from typing import Any

from aiokafka.errors import KafkaError, KafkaTimeoutError

from plumbing import log
from plumbing.errors import Unavailable
from plumbing.event_log import Output

BATCH_BYTES = 256 * 1024
GRACE_S = 5.0
METADATA_WAIT_S = 2.0

_log = log.get("kafka_batches")


async def partition_count(producer: Any, topic: str) -> int:
    """Return how many partitions ``topic`` has; ``Unavailable`` when there is none."""
    try:
        async with asyncio.timeout(METADATA_WAIT_S):
            return len(await producer.partitions_for(topic))
    except TimeoutError as error:
        raise Unavailable("no such topic") from error


def append(batch: Any, output: Output) -> bool:
    """Put one record into a batch; False when it is full."""
    headers = list(output.headers)
    appended = batch.append(key=output.key, value=output.value, timestamp=None, headers=headers)
    return appended is not None


async def hand_in(producer: Any, batch: Any, place: tuple[str, int]) -> tuple[Any, int]:
    """Send a batch; return what tells its first offset, and how many records it has."""
    batch.close()
    confirmed = await producer.send_batch(batch, place[0], partition=place[1])
    return confirmed, batch.record_count()


async def stop(producer: Any) -> None:
    """Flush and close, or abandon what cannot be flushed in time."""
    try:
        async with asyncio.timeout(GRACE_S):
            await producer.stop()
    except (KafkaError, OSError, TimeoutError) as error:
        _log.warning("producer not closed cleanly", error=error)
        await abandon(producer)


async def abandon(producer: Any) -> None:
    """End a producer that cannot flush. aiokafka has no public way: ``stop`` waits for ever."""
    producer._closed = True  # noqa: SLF001 - as above
    await producer.client.close()  # what is on its way fails now, not at its timeout
    sender = producer._sender  # noqa: SLF001 - as above
    for task in asyncio.all_tasks():
        # Its requests try again for ever, each in a task that only the sender's loop knows.
        coroutine = task.get_coro()
        frame = getattr(coroutine, "cr_frame", None)
        if frame is not None and frame.f_locals.get("self") is sender:
            task.cancel()
    with contextlib.suppress(Exception):  # it may trip over the batches it gives back
        await sender.close()
    producer._message_accumulator.fail_all(KafkaTimeoutError())  # noqa: SLF001 - as above
