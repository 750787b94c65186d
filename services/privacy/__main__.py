"""``python -m services.privacy``: settings from the environment, then serve until SIGTERM."""

import asyncio
import signal
import sys

from plumbing import log
from plumbing.batch_writer import BatchWriter
from plumbing.clock import SystemClock
from plumbing.kafka_log import KafkaReader, require_fast_checksum
from plumbing.key_files import KeyMissing
from plumbing.stream import EXIT_CRASHED, StreamCrashed
from services.privacy.app import running
from services.privacy.mirror import MirrorAhead
from services.privacy.patient_keys import KeyUnreadable
from services.privacy.settings import PrivacySettings
from services.privacy.tagger.manifest import TaggerRefused


def main() -> None:
    """Run the service; exit with one line when it cannot start."""
    settings = PrivacySettings()
    log.configure("privacy", settings.log_level)
    settings.warn_unknown()
    require_fast_checksum()
    try:
        asyncio.run(_serve(settings))
    except StreamCrashed:
        sys.exit(EXIT_CRASHED)
    except MirrorAhead as error:
        _cannot_start(f"Redis knows more of {error} than Kafka: restore the topic or empty Redis")
    except KeyUnreadable:
        _cannot_start("the vault does not open with this privacy/kek.key")
    except TaggerRefused as error:
        _cannot_start(f"the tagger in {settings.tagger_dir} is not verified: {error}")
    except (KeyMissing, OSError) as error:
        _cannot_start(str(error))


async def _serve(settings: PrivacySettings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    clock = SystemClock()
    writer = BatchWriter(settings.kafka(), clock=clock)
    reader = KafkaReader(settings.kafka())
    async with running(settings, writer, reader, clock) as service:
        await service.run(stop)


def _cannot_start(reason: str) -> None:
    sys.stderr.write(f"privacy cannot start: {reason}\n")
    sys.exit(1)


if __name__ == "__main__":
    main()
