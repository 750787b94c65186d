"""`auscult rejected release`: give events that were set aside back to privacy, still sealed."""

import asyncio
from collections import Counter
from typing import Annotated

import typer

from cli.stack.settings import StackSettings
from contracts.identified import IDENTIFIED
from contracts.rejection import rejected
from plumbing.batch_writer import BatchWriter
from plumbing.event_log import EventReader, EventWriter, Output, Record, whole_topic
from plumbing.kafka_connection import KafkaConnection
from plumbing.kafka_reader import KafkaReader
from plumbing.stream_batch import SOURCE, SOURCE_PAUSED
from plumbing.trace import find

UNNAMED = "unnamed"


def release_command(
    code: Annotated[str, typer.Option(help="Release what was refused with this code.")] = (
        SOURCE_PAUSED
    ),
    source: Annotated[str, typer.Option(help="Only of this source; all when left out.")] = "",
    bootstrap: Annotated[
        str, typer.Option(help="Kafka brokers; the local stack's when left out.")
    ] = "",
) -> None:
    """Put refused events back on clinical.identified.v1, in their order, without opening them.

    Run it once the cause is mended and privacy restarted. A second run sends them again, which
    changes nothing: an event keeps its id.
    """
    connection = KafkaConnection(bootstrap=bootstrap or StackSettings().bootstrap)
    found = asyncio.run(_release(connection, code, source))
    for name, count in sorted(found.items()):
        print(f"{name}\t{count}")
    print(f"released\t{found.total()}")


async def _release(connection: KafkaConnection, code: str, source: str) -> Counter[str]:
    reader, writer = KafkaReader(connection), BatchWriter(connection)
    try:
        return await release(reader, writer, code, source)
    finally:
        await reader.close()
        await writer.close()


async def release(reader: EventReader, writer: EventWriter, code: str, source: str) -> Counter[str]:
    """Write the events refused with ``code`` (of ``source``, or of all) anew; count by source.

    What is refused meanwhile is not read, so it ends. Raises ``Unavailable``.
    """
    topic = rejected(IDENTIFIED)
    found: Counter[str] = Counter()
    async for records in whole_topic(reader, topic.name):
        outputs = [
            output
            for record in records
            if source in {"", source_of(record)} and (output := _again(record, code)) is not None
        ]
        if outputs:
            await writer.write(outputs)
        found.update(source_of(output) for output in outputs)
    return found


def source_of(record: Record | Output) -> str:
    """Return who sent the event of a record."""
    return (find(record.headers, SOURCE) or UNNAMED.encode()).decode("ascii", "replace")


def _again(record: Record, code: str) -> Output | None:
    if record.value is None:
        return None
    refused = rejected(IDENTIFIED).decode(record.value)
    if refused.code != code or not refused.payload or not refused.topic:  # never on the stream
        return None
    return Output(IDENTIFIED.name, record.key, refused.payload, record.headers)
