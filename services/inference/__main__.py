"""``python -m services.inference``: settings from the environment, then serve until SIGTERM."""

import asyncio
import signal
import sys

from plumbing import log
from plumbing.batch_writer import BatchWriter
from plumbing.clock import SystemClock
from plumbing.kafka_log import KafkaReader, require_fast_checksum
from plumbing.stream import EXIT_CRASHED, StreamCrashed
from services.inference.app import registry_of, serve
from services.inference.scores.tables import TableUnreadable
from services.inference.settings import InferenceSettings


def main() -> None:
    """Run the service; exit with one line when it cannot start."""
    settings = InferenceSettings()
    log.configure("inference", settings.log_level)
    settings.warn_unknown()
    require_fast_checksum()
    try:
        asyncio.run(_serve(settings))
    except StreamCrashed:
        sys.exit(EXIT_CRASHED)
    except TableUnreadable as error:
        _cannot_start(f"score table {error} is absent or not in its form")
    except (OSError, ValueError) as error:
        _cannot_start(str(error))


async def _serve(settings: InferenceSettings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    clock = SystemClock()
    writer = BatchWriter(settings.kafka(), clock=clock)
    reader = KafkaReader(settings.kafka())
    try:
        await serve(settings, writer, reader, registry_of(settings), clock, stop)
    finally:
        await writer.close()
        await reader.close()


def _cannot_start(reason: str) -> None:
    sys.stderr.write(f"inference cannot start: {reason}\n")
    sys.exit(1)


if __name__ == "__main__":
    main()
