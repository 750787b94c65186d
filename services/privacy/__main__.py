"""``python -m services.privacy``: settings from the environment, then serve until SIGTERM."""

import asyncio
from functools import partial

from plumbing.batch_writer import BatchWriter
from plumbing.clock import SystemClock
from plumbing.kafka_log import KafkaReader
from plumbing.key_files import KeyMissing
from plumbing.service import run_service
from services.privacy.app import running
from services.privacy.mirror import MirrorAhead
from services.privacy.patient_keys import KeyUnreadable
from services.privacy.settings import PrivacySettings
from services.privacy.site_recognizers import RecognizersRefused
from services.privacy.tagger.manifest import TaggerRefused


def main() -> None:
    """Run the service; exit with one line when it cannot start."""
    settings = PrivacySettings()
    cannot_start = {
        MirrorAhead: "Redis knows more of {} than Kafka: restore the topic or empty Redis",
        KeyUnreadable: "the vault does not open with this privacy/kek.key",
        TaggerRefused: f"the tagger in {settings.tagger_dir} is not verified: {{}}",
        RecognizersRefused: f"PRIVACY_PRESIDIO_RECOGNIZERS, {settings.presidio_recognizers}: {{}}",
        KeyMissing: "{}",
        OSError: "{}",
    }
    run_service("privacy", settings, partial(_serve, settings), cannot_start)


async def _serve(settings: PrivacySettings, stop: asyncio.Event) -> None:
    clock = SystemClock()
    writer = BatchWriter(settings.kafka(), clock=clock)
    reader = KafkaReader(settings.kafka())
    async with running(settings, writer, reader, clock) as service:
        await service.run(stop)


if __name__ == "__main__":
    main()
