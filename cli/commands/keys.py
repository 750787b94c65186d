"""`auscult keys generate|rotate|source`: the key files of a site."""

import os
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer

from contracts.identified import IDENTIFIED
from contracts.topic import DAY_MS
from plumbing.clock import SystemClock
from plumbing.key_files import KeyMissing, make_key, make_signing_pair, read_key
from services.ingest.identity import Keys, sender
from services.privacy.key_files import destroy_day_keys, make_day_keys

app = typer.Typer(help="Make and rotate key files.", no_args_is_help=True)

DAYS_AHEAD = 3  # today and the two days after
SECRETS = (
    "ingest/route.key",
    "ingest/event.key",
    "privacy/kek.key",
    "privacy/link.key",
    "privacy/index.key",
    "privacy/staff.key",
    "gateway/session.key",
    "resolve.token",
)
SIGNING_PAIRS = (
    ("privacy/audit.ed25519", "privacy/audit.pub"),
    ("gateway/audit.ed25519", "gateway/audit.pub"),
    ("models/signing.key", "models/signing.pub"),
)
NAMES = (*SECRETS, *(private for private, _ in SIGNING_PAIRS))
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
        made = generate(directory, _today(), add or ())
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
) -> None:
    """Make the sealing keys of today and the next two days; destroy those that ran out."""
    if not _there(directory):
        typer.echo(f"auscult: {directory} is no keys folder: it holds none of them", err=True)
        raise typer.Exit(1)
    today = _today()
    made = make_day_keys(directory, today, DAYS_AHEAD, os.urandom)
    gone = destroy_day_keys(directory, today, retention_days)
    typer.echo(f"made: {', '.join(made) or 'none'}; destroyed: {', '.join(gone) or 'none'}")


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
    for private, public in SIGNING_PAIRS:
        if make_signing_pair(directory / private, directory / public, os.urandom):
            made.append(private)
    days = make_day_keys(directory, today, DAYS_AHEAD, os.urandom)
    return made + [f"privacy/sealing/{day}.key" for day in days]


def _there(directory: Path) -> list[str]:
    return [name for name in NAMES if (directory / name).exists()]


def _today() -> date:
    return datetime.fromtimestamp(SystemClock().now_ms() / 1000, UTC).date()
