"""``python -m services.ingest``: settings from the environment, then serve until SIGTERM."""

import asyncio
import contextlib
import signal
import sys

from plumbing import log
from plumbing.clock import Clock, SystemClock
from plumbing.event_log import EventReader, EventWriter
from plumbing.kafka_log import KafkaReader, KafkaWriter, require_fast_checksum
from services.ingest.app import KeyMissing, running
from services.ingest.settings import IngestSettings


def main() -> None:
    """Run the service; exit 1 with one line when it cannot start."""
    settings = IngestSettings()
    log.configure("ingest", settings.log_level)
    settings.warn_unknown()
    require_fast_checksum()
    try:
        asyncio.run(_serve(settings))
    except (KeyMissing, OSError) as error:
        sys.stderr.write(f"ingest cannot start: {error}\n")
        sys.exit(1)


async def _serve(settings: IngestSettings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    clock = SystemClock()
    writer = KafkaWriter(settings.kafka(), clock=clock)
    reader = KafkaReader(settings.kafka())
    serving = asyncio.create_task(_until_it_fails(settings, writer, reader, clock))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if not serving.done():
        serving.cancel()  # also while it still waits for Kafka; what is in flight is answered
        with contextlib.suppress(asyncio.CancelledError):
            await serving
    else:
        serving.result()


async def _until_it_fails(
    settings: IngestSettings, writer: EventWriter, reader: EventReader, clock: Clock
) -> None:
    async with running(settings, writer, reader, clock) as service:
        await service.failed


if __name__ == "__main__":
    main()
