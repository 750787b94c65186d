"""``python -m services.ingest``: settings from the environment, then serve until SIGTERM."""

import asyncio
import contextlib
import signal
import sys

from plumbing import log
from plumbing.clock import Clock, SystemClock
from plumbing.errors import Superseded
from plumbing.garbage import spare_what_stays
from plumbing.kafka_log import KafkaReader, KafkaTransactions, require_fast_checksum
from plumbing.key_files import KeyMissing
from services.ingest.app import Logs, running
from services.ingest.local_codes import LocalCodesInvalid
from services.ingest.settings import IngestSettings


def main() -> None:
    """Run the service; exit 1 with one line when it cannot start."""
    settings = IngestSettings()
    log.configure("ingest", settings.log_level)
    settings.warn_unknown()
    require_fast_checksum()
    spare_what_stays()
    try:
        asyncio.run(_serve(settings))
    except (KeyMissing, LocalCodesInvalid, OSError) as error:
        sys.stderr.write(f"ingest cannot start: {error}\n")
        sys.exit(1)
    except Superseded:
        sys.stderr.write("ingest ends: another process has the same INGEST_INSTANCE_ID\n")
        sys.exit(1)


async def _serve(settings: IngestSettings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    clock = SystemClock()
    serving = asyncio.create_task(_until_it_fails(settings, kafka_logs(settings, clock), clock))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if not serving.done():
        serving.cancel()  # also while it still waits for Kafka; what is in flight is answered
        with contextlib.suppress(asyncio.CancelledError):
            await serving
    else:
        serving.result()


def kafka_logs(settings: IngestSettings, clock: Clock) -> Logs:
    """Return the event log on Kafka; the transactional name is this instance's own."""
    connection = settings.kafka()
    transactions = KafkaTransactions(
        connection,
        f"ingest-{settings.instance_id}",
        group_timeout_s=settings.group_timeout_s,
        abandoned_after_s=settings.group_timeout_s + 2,
        clock=clock,
    )
    return Logs(
        transactions,
        KafkaReader(connection),
        KafkaReader(connection, isolation="read_uncommitted"),
    )


async def _until_it_fails(settings: IngestSettings, logs: Logs, clock: Clock) -> None:
    async with running(settings, logs, clock) as service:
        await service.failed


if __name__ == "__main__":
    main()
