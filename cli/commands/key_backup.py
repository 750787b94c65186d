"""`auscult keys backup|restore`: the keys folder and the vault in one sealed file, and back."""

import asyncio
import json
import os
from pathlib import Path
from typing import Annotated

import typer

from cli.stack.process import StackError
from contracts.identified import IDENTIFIED
from contracts.topic import DAY_MS
from plumbing.clock import SystemClock, utc_date
from plumbing.kafka_connection import KafkaConnection
from plumbing.kafka_log import KafkaReader, KafkaWriter
from plumbing.key_files import KeyMissing, make_key, read_key
from services.privacy.backup import (
    Backup,
    BackupUnreadable,
    is_openable,
    restore_keys,
    restore_vault,
    seal,
    take,
    unseal,
)

Folder = Annotated[Path, typer.Option("--dir", envvar="AUSCULT_KEYS_DIR", help="Keys folder.")]
Recovery = Annotated[
    Path, typer.Option(help="File of the recovery key; keep it apart from the backups.")
]
KekFolder = Annotated[
    Path | None, typer.Option(envvar="PRIVACY_KEK_DIR", help="Key-encryption keys, where apart.")
]
Brokers = Annotated[str, typer.Option(help="Kafka brokers, host:port.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON on stdout.")]


def backup_command(
    file: Annotated[Path, typer.Argument(help="Where the backup goes.")],
    recovery_key: Recovery,
    directory: Folder = Path(".auscult/keys"),
    kek_dir: KekFolder = None,
    bootstrap: Brokers = "127.0.0.1:9092",
    *,
    in_token: Annotated[
        bool,
        typer.Option(
            "--in-token",
            help="The key-encryption keys are in a PKCS#11 token, which has a backup of its own.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write keys and vault to FILE, sealed. A recovery key that is not there is made.

    Replace every older backup after an erasure: it still has the key that was destroyed.
    """
    made = make_key(recovery_key, os.urandom)
    if made:
        typer.echo(f"recovery key made: {recovery_key}; without it no backup opens", err=True)
    backup = asyncio.run(_take(directory, kek_dir, bootstrap))
    if not (in_token or is_openable(backup)):
        raise StackError(
            "not all of the vault opens with the key-encryption keys found: name their folder "
            "(--kek-dir), say that they are in a token (--in-token), or try again when a key was "
            "changed meanwhile"
        )
    draft = file.with_name(f".{file.name}.draft")
    draft.touch(mode=0o600)
    draft.write_bytes(seal(backup, _key(recovery_key), os.urandom))
    draft.replace(file)
    files, entries = len(backup.files), len(backup.entries)
    if as_json:
        told = {"file": str(file), "files": files, "entries": entries, "recovery_key_made": made}
        typer.echo(json.dumps(told))
        return
    typer.echo(f"{files} key files, {entries} vault records in {file}")


def restore_command(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The backup.")],
    recovery_key: Recovery,
    *,
    directory: Folder = Path(".auscult/keys"),
    kek_dir: KekFolder = None,
    bootstrap: Brokers = "127.0.0.1:9092",
    vault: Annotated[
        bool,
        typer.Option(help="Write the vault topic too; it may hold nothing but of this backup."),
    ] = True,
    retention_days: Annotated[
        int,
        typer.Option(min=0, help="How long sealed events are kept; older sealing keys stay away."),
    ] = IDENTIFIED.retention_ms // DAY_MS,
    as_json: AsJson = False,
) -> None:
    """Bring keys and vault back, with privacy stopped and Redis emptied. Overwrites nothing."""
    try:
        backup = unseal(file.read_bytes(), _key(recovery_key))
        written = asyncio.run(_restore(backup, bootstrap)) if vault else 0
        made = restore_keys(
            backup,
            directory,
            kek_dir,
            today=utc_date(SystemClock().now_ms()),
            retention_days=retention_days,
        )
    except (BackupUnreadable, FileExistsError) as error:
        raise StackError(f"{file}: {error}") from error
    if as_json:
        typer.echo(json.dumps({"file": str(file), "files": made, "entries": written}))
        return
    typer.echo(f"{made} key files, {written} vault records brought back")


def _key(path: Path) -> bytes:
    try:
        return read_key(path)
    except KeyMissing as error:
        raise StackError(str(error)) from error


async def _take(directory: Path, kek_dir: Path | None, bootstrap: str) -> Backup:
    reader = KafkaReader(KafkaConnection(bootstrap=bootstrap))
    try:
        return await take(directory, reader, SystemClock().now_ms(), kek_dir)
    finally:
        await reader.close()


async def _restore(backup: Backup, bootstrap: str) -> int:
    connection = KafkaConnection(bootstrap=bootstrap)
    reader, writer = KafkaReader(connection), KafkaWriter(connection)
    try:
        return await restore_vault(backup, reader, writer)
    finally:
        await writer.close()
        await reader.close()
