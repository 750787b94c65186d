"""What must be there before the services start: folders, keys, topics, a live model."""

import asyncio
from pathlib import Path

import msgspec

from cli.commands.keys import KeyLost, generate
from cli.stack import programs
from cli.stack.process import StackError
from cli.stack.processes import kafka_node
from cli.stack.settings import StackSettings
from contracts.pipeline import PIPELINE
from contracts.promoted import PROMOTED, ModelPromoted
from contracts.vault import VAULT
from plumbing.clock import Clock, SystemClock, utc_date
from plumbing.event_log import EventReader, Output
from plumbing.kafka_admin import Durability, KafkaAdmin
from plumbing.kafka_connection import KafkaConnection
from plumbing.kafka_reader import KafkaReader
from plumbing.kafka_writer import KafkaWriter
from services.inference.manifest import Manifest


def prepare_folders(settings: StackSettings) -> None:
    """Make the state folders, and format Kafka's log folder once."""
    settings.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in ("redis", "issuer", "state"):
        (settings.root / name).mkdir(mode=0o700, exist_ok=True)
    for name in ("ingest", "privacy", "inference", "gateway"):
        (settings.root / "state" / name).mkdir(mode=0o700, exist_ok=True)
    kafka_node(settings).prepare()


def ensure_keys(settings: StackSettings) -> None:
    """Make the keys of a new stack, and the sealing keys of the next days.

    Raises ``StackError`` where a key is gone that what is stored was sealed or named with.
    """
    data = kafka_node(settings).data
    if not settings.keys_dir.exists() and any(data.glob(f"{VAULT.name}-*")):
        raise StackError(
            f"{settings.keys_dir} is gone, and what {data} holds cannot be read without it: "
            "put it back from the backup, or move the data away to begin anew"
        )
    today = utc_date(SystemClock().now_ms())
    try:
        generate(settings.keys_dir, today)
    except KeyLost as error:
        raise StackError(str(error)) from error


def apply_topics(settings: StackSettings) -> None:
    """Make the pipeline's topics on the local broker."""
    with KafkaAdmin(KafkaConnection(bootstrap=settings.bootstrap)) as admin:
        admin.apply(PIPELINE, Durability(), settings.partitions)


def promote_shipped_models(settings: StackSettings) -> None:
    """Make the newest version of each shipped model live, unless any was ever promoted here."""
    promote_shipped(KafkaConnection(bootstrap=settings.bootstrap), programs.MODELS_DIR)


def promote_shipped(connection: KafkaConnection, models: Path) -> list[str]:
    """Do so for the models in a folder, on any broker; return the names of those now live."""
    return asyncio.run(_promote(connection, models, SystemClock()))


def shipped_models(folder: Path) -> dict[str, Manifest]:
    """Return the newest manifest of each model folder, by name."""
    found: dict[str, Manifest] = {}
    for path in folder.glob("*/*/manifest.json"):
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
        known = found.get(manifest.name)
        if known is None or _numbers(known.version) < _numbers(manifest.version):
            found[manifest.name] = manifest
    return found


async def _promote(connection: KafkaConnection, models: Path, clock: Clock) -> list[str]:
    reader = KafkaReader(connection)
    writer = KafkaWriter(connection)
    try:
        known = await _ever_promoted(reader)
        live = {
            name: _live(manifest, clock.now_ms())
            for name, manifest in shipped_models(models).items()
            if name not in known
        }
        if live:
            await writer.write(
                [Output(PROMOTED.name, k.encode(), PROMOTED.encode(v)) for k, v in live.items()]
            )
        return list(live)
    finally:
        await writer.close()
        await reader.close()


async def _ever_promoted(reader: EventReader) -> set[str]:
    found: set[str] = set()
    end = await reader.end_offset(PROMOTED.name, 0)
    async for records in reader.read(PROMOTED.name, 0, 0, end):
        found |= {record.key.decode() for record in records if record.key is not None}
    return found


def _live(manifest: Manifest, at_ms: int) -> ModelPromoted:
    return ModelPromoted(
        model=manifest.name,
        version=manifest.version,
        digest=manifest.digest,
        state="live",
        by="auscult up",
        at_ms=at_ms,
        why="shipped with this release",
    )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 0 for part in version.split("."))
