"""`auscult keys generate|rotate|source`: the key files of a site."""

import os
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from cli.commands.key_backup import backup_command, restore_command
from cli.commands.key_move import move_command
from cli.privacy_api import PrivacyApi
from cli.stack.process import StackError
from contracts.erasures import KeyChange, KeyChanged
from contracts.identified import IDENTIFIED
from contracts.topic import DAY_MS
from plumbing.clock import SystemClock, utc_date
from plumbing.key_files import KeyMissing, make_key, make_signing_pair, read_key
from services.ingest.identity import Keys, sender
from services.privacy.keks_pkcs11 import Pkcs11Keks, read_pin
from services.privacy.key_files import destroy_day_keys, make_day_keys

app = typer.Typer(help="Make, rotate, back up and restore key files.", no_args_is_help=True)
app.command("backup")(backup_command)
app.command("restore")(restore_command)
app.command("move-to-hsm")(move_command)

DAYS_AHEAD = 3  # today and the two days after
CHANGE_S = 3_600.0
PKCS11_TOKEN = "auscult"  # noqa: S105 - a label
SECRETS = (
    "ingest/route.key",
    "ingest/event.key",
    "privacy/link.key",
    "privacy/index.key",
    "privacy/staff.key",
    "gateway/session.key",
    "resolve.token",
    "operator.token",
    "erasure/request.token",
    "erasure/confirm.token",
)
KEK = "privacy/kek.key"
SIGNING_PAIRS = (
    ("privacy/audit.ed25519", "privacy/audit.pub"),
    ("gateway/audit.ed25519", "gateway/audit.pub"),
    ("models/signing.key", "models/signing.pub"),
)
NAMES = (KEK, *SECRETS, *(private for private, _ in SIGNING_PAIRS))
Folder = Annotated[Path, typer.Option("--dir", envvar="AUSCULT_KEYS_DIR", help="Keys folder.")]


class KeyLost(Exception):
    """A key is not there though others are: made anew it would open nothing of what is kept."""

    def __init__(self, path: Path, name: str) -> None:
        """Say what to do about it."""
        super().__init__(
            f"{path} is missing though other keys are there: put it back from the backup "
            f"(a new one opens nothing that the old one sealed). Only for a key that a new release "
            f"asks for: auscult keys generate --add {name}"
        )


@app.command("generate")
def generate_command(
    directory: Folder = Path(".auscult/keys"),
    add: Annotated[
        list[str] | None,
        typer.Option(help="A key that a new release asks for and this folder lacks, by its name."),
    ] = None,
) -> None:
    """Make the keys of a site, once. What is there stays; a lost key is never made anew unasked."""
    try:
        made = generate(directory, utc_date(SystemClock().now_ms()), add or ())
    except KeyLost as error:
        typer.echo(f"auscult: {error}", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{len(made)} keys made in {directory}")


@app.command("rotate")
def rotate_command(
    directory: Folder = Path(".auscult/keys"),
    retention_days: Annotated[
        int, typer.Option(min=0, help="How long sealed events are kept.")
    ] = IDENTIFIED.retention_ms // DAY_MS,
    kek: Annotated[
        bool,
        typer.Option(
            "--kek",
            help="Instead: have the running privacy service change the key-encryption key, wrap "
            "every patient key anew and destroy the old one.",
        ),
    ] = False,
    viewer: Annotated[str, typer.Option(help="--kek: your staff number, for the audit log.")] = "",
    privacy: Annotated[str, typer.Option(help="--kek: address; default: the local stack's.")] = "",
) -> None:
    """Make the sealing keys of today and the next two days; destroy those that ran out."""
    if not _there(directory):
        typer.echo(f"auscult: {directory} is no keys folder: it holds none of them", err=True)
        raise typer.Exit(1)
    if kek:
        _change_kek(viewer, privacy, directory / "erasure" / "request.token")
        return
    today = utc_date(SystemClock().now_ms())
    made = make_day_keys(directory, today, DAYS_AHEAD, os.urandom)
    gone = destroy_day_keys(directory, today, retention_days)
    typer.echo(f"made: {', '.join(made) or 'none'}; destroyed: {', '.join(gone) or 'none'}")


@app.command("hsm")
def hsm_command(
    module: Annotated[Path, typer.Option(help="PKCS#11 library of the module.")],
    pin_file: Annotated[Path, typer.Option(help="File with the PIN of the token's user.")],
    token: Annotated[str, typer.Option(help="Label of the token.")] = PKCS11_TOKEN,
) -> None:
    """Make the first key-encryption key in a hardware security module, once.

    For a new site (PRIVACY_PKCS11_MODULE); one that has key files: auscult keys move-to-hsm.
    """
    try:
        store = Pkcs11Keks(module, token, read_pin(pin_file))
        if store.state() != ((), 0):
            typer.echo(f"{token} has its keys; nothing made")
            return
        typer.echo(f"key-encryption key {store.make()} made in {token}")
    except (KeyMissing, OSError) as error:
        raise StackError(str(error)) from error


@app.command("source")
def source_command(
    application: Annotated[str, typer.Argument(help="First component of MSH-3, as sent.")],
    facility: Annotated[str, typer.Argument(help="First component of MSH-4, as sent.")] = "",
    listener: Annotated[str, typer.Option(help="INGEST_SOURCE of the front door.")] = "mllp",
    directory: Folder = Path(".auscult/keys"),
) -> None:
    """Print what a sender is called in logs and on the rejected topic."""
    try:
        route = read_key(directory / "ingest" / "route.key")
    except KeyMissing as error:
        typer.echo(f"auscult: {error}", err=True)
        raise typer.Exit(1) from None
    typer.echo(sender(Keys(event=b"", route=route), listener, application, facility))


def _change_kek(viewer: str, privacy: str, token: Path) -> None:
    api = PrivacyApi(viewer, privacy, token)
    changed = api.ask("keys/rewrap", KeyChange(viewer=api.viewer), KeyChanged, CHANGE_S)
    gone = ", ".join(changed.destroyed)
    typer.echo(f"{changed.rewrapped} entries under {changed.kek_id}; destroyed: {gone}")


def generate(directory: Path, today: date, add: Sequence[str] = ()) -> list[str]:
    """Make the keys of an empty ``directory``, or of one that has them those named in ``add``;
    return the names of those made. Raises ``KeyLost`` when others are missing.
    """
    there = _there(directory)
    lost = [name for name in NAMES if there and name not in {*there, *add}]
    if lost:
        raise KeyLost(directory / lost[0], lost[0])
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = [name for name in SECRETS if make_key(directory / name, os.urandom)]
    if KEK not in there and make_key(directory / KEK, os.urandom):  # later ones privacy makes
        made.append(KEK)
    for private, public in SIGNING_PAIRS:
        if make_signing_pair(directory / private, directory / public, os.urandom):
            made.append(private)
    days = make_day_keys(directory, today, DAYS_AHEAD, os.urandom)
    return made + [f"privacy/sealing/{day}.key" for day in days]


def _there(directory: Path) -> list[str]:
    changed = [KEK] if list((directory / "privacy").glob("kek*")) else []
    return changed + [one for one in NAMES[1:] if (directory / one).exists()]
