"""`auscult audit verify`: is the audit log whole and as it was written?"""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from contracts.audited import AUDIT, AuditEntry
from plumbing.event_log import EventReader
from plumbing.hash_chain import Checkpoint, Fault, find_faults
from plumbing.kafka_connection import KafkaConnection
from plumbing.kafka_log import KafkaReader
from services.privacy.audit import Checkpoints
from services.privacy.key_files import KeyMissing, read_key

app = typer.Typer(help="Check the audit log.", no_args_is_help=True)


@app.callback()
def _root() -> None:
    """Keep `verify` a subcommand although it is the only one."""


@dataclass(frozen=True)
class Verdict:
    """What was looked at and what is wrong with it. ``unreadable`` counts records that are no
    entries.
    """

    entries: int
    chains: int
    checkpoints: int
    unreadable: int
    faults: tuple[Fault, ...]

    @property
    def is_whole(self) -> bool:
        """Return whether nothing is wrong."""
        return not self.faults and not self.unreadable


@app.command("verify")
def verify_command(
    bootstrap: Annotated[str, typer.Option(help="Kafka brokers, host:port.")] = "127.0.0.1:9092",
    checkpoints: Annotated[Path, typer.Option(help="Folder of the signed checkpoints.")] = Path(
        ".auscult/state/privacy/audit"
    ),
    public_key: Annotated[
        Path, typer.Option("--key", help="Public key that the checkpoints are signed for.")
    ] = Path(".auscult/keys/privacy/audit.pub"),
) -> None:
    """Find altered, missing, reordered and cut-off entries. Exits 1 when there are any."""
    try:
        key = Ed25519PublicKey.from_public_bytes(read_key(public_key))
        kept = list(Checkpoints(checkpoints).all())
    except KeyMissing as error:
        raise typer.BadParameter(str(error)) from error
    except msgspec.DecodeError as error:
        raise typer.BadParameter("a file in the checkpoints folder is no checkpoint") from error
    verdict = asyncio.run(_verify(bootstrap, kept, key))
    for fault in verdict.faults:
        typer.echo(f"{fault.kind}: {fault.writer} {fault.start} entry {fault.sequence}")
    if verdict.unreadable:
        typer.echo(f"unreadable: {verdict.unreadable} records are no audit entries")
    typer.echo(
        f"{verdict.entries} entries in {verdict.chains} chains, {verdict.checkpoints} checkpoints: "
        + ("whole" if verdict.is_whole else "NOT whole")
    )
    raise typer.Exit(0 if verdict.is_whole else 1)


async def verify(
    reader: EventReader, checkpoints: list[Checkpoint], key: Ed25519PublicKey
) -> Verdict:
    """Read the whole audit topic and compare it with the checkpoints."""
    entries: list[AuditEntry] = []
    unreadable = 0
    for partition in await reader.partitions(AUDIT.name):
        end = await reader.end_offset(AUDIT.name, partition)
        async for records in reader.read(AUDIT.name, partition, 0, end):
            for record in records:
                try:
                    entries.append(AUDIT.decode(record.value or b""))
                except (msgspec.DecodeError, UnicodeDecodeError):
                    unreadable += 1
    return Verdict(
        entries=len(entries),
        chains=len({(entry.writer, entry.start) for entry in entries}),
        checkpoints=len(checkpoints),
        unreadable=unreadable,
        faults=tuple(find_faults(entries, checkpoints, key)),
    )


async def _verify(bootstrap: str, checkpoints: list[Checkpoint], key: Ed25519PublicKey) -> Verdict:
    reader = KafkaReader(KafkaConnection(bootstrap=bootstrap))
    try:
        return await verify(reader, checkpoints, key)
    finally:
        await reader.close()
