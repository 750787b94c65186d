"""`auscult keys move-to-hsm`: a site's key-encryption keys from files into a token."""

import asyncio
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.stack.process import StackError
from plumbing.batch_writer import BatchWriter
from plumbing.clock import SystemClock
from plumbing.errors import Unavailable
from plumbing.kafka_admin import KafkaAdmin
from plumbing.kafka_log import KafkaReader
from plumbing.key_files import KeyMissing
from services.privacy.keks_pkcs11 import Pkcs11Keks, read_pin
from services.privacy.mirror import MirrorAhead
from services.privacy.moving import CannotMove, Moved, move
from services.privacy.patient_keys import KeyUnreadable
from services.privacy.rewrap import NotSettled
from services.privacy.settings import GROUP, PrivacySettings


def move_command(
    module: Annotated[
        Path | None, typer.Option(help="PKCS#11 library; default: PRIVACY_PKCS11_MODULE.")
    ] = None,
    token: Annotated[
        str | None, typer.Option(help="Label of the token; default: PRIVACY_PKCS11_TOKEN.")
    ] = None,
    pin_file: Annotated[
        Path | None, typer.Option(help="File with its PIN; default: PRIVACY_PKCS11_PIN_FILE.")
    ] = None,
    directory: Annotated[
        Path | None, typer.Option("--dir", help="Keys folder; default: PRIVACY_KEYS_DIR.")
    ] = None,
) -> None:
    """Wrap everything anew under a key of a hardware security module; destroy the key files.

    Privacy stopped, with its environment (PRIVACY_*). Then start it with PRIVACY_PKCS11_MODULE.
    """
    said: dict[str, Any] = {
        "pkcs11_module": module,
        "pkcs11_token": token,
        "pkcs11_pin_file": pin_file,
        "keys_dir": directory,
    }
    settings = PrivacySettings(**{name: value for name, value in said.items() if value})
    if settings.pkcs11_module is None:
        raise StackError("which token? --module, or PRIVACY_PKCS11_MODULE")
    refused = (CannotMove, KeyMissing, OSError, Unavailable, MirrorAhead)
    try:
        moved = asyncio.run(_move(settings, settings.pkcs11_module))
    except KeyUnreadable:
        raise StackError("the vault does not open with these key files") from None
    except NotSettled:
        raise StackError("somebody goes on writing under the old key: stop privacy") from None
    except refused as error:
        raise StackError(str(error)) from error
    told = f"{moved.entries} entries under {moved.kek_id} of {settings.pkcs11_token}"
    typer.echo(f"{told}; destroyed: {', '.join(moved.destroyed)}")
    typer.echo("destroy all older backups of the keys folder: they hold the key that is gone")


async def _move(settings: PrivacySettings, module: Path) -> Moved:
    with KafkaAdmin(settings.kafka()) as admin:
        if running := admin.members(GROUP):
            raise CannotMove(f"privacy runs ({running} in its group): stop it, wait a minute")
    pin = read_pin(settings.pkcs11_pin_file or settings.keys_dir / "pkcs11.pin")
    token = Pkcs11Keks(module, settings.pkcs11_token, pin)
    clock = SystemClock()
    writer, reader = BatchWriter(settings.kafka(), clock=clock), KafkaReader(settings.kafka())
    try:
        return await move(settings, token, (writer, reader), clock, os.urandom)
    finally:
        await writer.close()
        await reader.close()
        token.close()
