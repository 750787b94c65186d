"""``python -m services.inference``: settings from the environment, then serve until SIGTERM."""

import asyncio
from functools import partial

from plumbing.batch_writer import BatchWriter
from plumbing.clock import SystemClock
from plumbing.kafka_log import KafkaReader
from plumbing.service import run_service
from services.inference.app import registry_of, serve
from services.inference.scores.tables import TableUnreadable
from services.inference.settings import InferenceSettings

CANNOT_START = {
    TableUnreadable: "score table {} is absent or not in its form",
    OSError: "{}",
    ValueError: "{}",
}


def main() -> None:
    """Run the service; exit with one line when it cannot start."""
    settings = InferenceSettings()
    run_service("inference", settings, partial(_serve, settings), CANNOT_START)


async def _serve(settings: InferenceSettings, stop: asyncio.Event) -> None:
    clock = SystemClock()
    writer = BatchWriter(settings.kafka(), clock=clock)
    reader = KafkaReader(settings.kafka())
    try:
        await serve(settings, writer, reader, registry_of(settings), clock, stop)
    finally:
        await writer.close()
        await reader.close()


if __name__ == "__main__":
    main()
