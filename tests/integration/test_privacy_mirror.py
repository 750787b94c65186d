"""A mirror under many hands: publishing and catching up at once, on a real Redis."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from contracts.merged import MERGED
from contracts.relations import RELATIONS
from contracts.vault import VAULT
from plumbing.memory_log import InMemoryLog
from services.privacy import metrics
from tests.integration.test_privacy_stage import a_person
from tests.support.privacy import Ingest, a_replica, events_of, make_keys
from tests.unit.privacy.builders import a_body

TOPICS = (VAULT.name, MERGED.name, RELATIONS.name)
HANDS = 12
PATIENTS_EACH = 8


class FarLog(InMemoryLog):
    """A log whose answers are on their way for a while, as a broker's are."""

    async def end_offset(self, topic: str, partition: int) -> int:
        found = await super().end_offset(topic, partition)
        await asyncio.sleep(0.004)
        return found

    async def end_offsets(
        self, topic: str, partitions: Sequence[int] | None = None
    ) -> dict[int, int]:
        found = await super().end_offsets(topic, partitions)
        await asyncio.sleep(0.004)
        return found


async def test_publishing_while_others_catch_up_loses_nothing_and_stops_nobody(
    tmp_path: Path, redis_url: str
) -> None:
    keys, log = make_keys(tmp_path / "keys"), FarLog(TOPICS)
    replicas = [await a_replica(keys, redis_url, log, log).open() for _ in range(2)]
    ingest = Ingest(keys)
    losses = metrics.MIRROR_LOSSES.labels(VAULT.name)
    lost_before = losses._value.get()

    async def hand(number: int) -> list[str]:
        tokens = []
        for step in range(PATIENTS_EACH):
            body = a_body(a_person(number * PATIENTS_EACH + step))
            handled = await replicas[number % 2].handle([ingest.seal(body, f"e{number}-{step}")])
            tokens += [event.token for event in events_of(handled)]
        return tokens

    async def keep_catching_up(stop: asyncio.Event) -> None:
        while not stop.is_set():
            for replica in replicas:
                await replica.vault.mirror.catch_up(range(len(replica.vault.mirror._seen)))

    stop = asyncio.Event()
    catching_up = asyncio.create_task(keep_catching_up(stop))
    found = await asyncio.gather(*(hand(number) for number in range(HANDS)))
    stop.set()
    await catching_up

    tokens = [token for hand_tokens in found for token in hand_tokens]
    assert len(set(tokens)) == HANDS * PATIENTS_EACH
    assert len({record.key for record in log.records(VAULT.name)}) == HANDS * PATIENTS_EACH
    assert losses._value.get() == lost_before
    for replica in replicas:
        await replica.redis.aclose()
