"""`auscult audit verify`: is the audit log whole and as it was written, by every writer of it?"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from contracts.audited import AUDIT, AuditEntry
from plumbing.audit_trail import Checkpoints
from plumbing.clock import SystemClock
from plumbing.event_log import EventReader, whole_topic
from plumbing.hash_chain import Checkpoint, Fault, count_unsigned, find_faults
from plumbing.kafka_connection import KafkaConnection
from plumbing.kafka_log import KafkaReader
from plumbing.key_files import KeyMissing, read_public_key

app = typer.Typer(help="Check the audit log.", no_args_is_help=True)

WRITERS = tuple(AUDIT.producer.split(", "))
KEYS_DIR = Path(".auscult/keys")
FOLDERS = [Path(".auscult/state") / writer / "audit" for writer in WRITERS]


@app.callback()
def _root() -> None:
    """Keep `verify` a subcommand although it is the only one."""


@dataclass(frozen=True)
class Tally:
    """What there is of one writer. ``unsigned`` entries come after the checkpoints."""

    writer: str
    entries: int
    chains: int
    checkpoints: int
    unsigned: int

    def sentence(self) -> str:
        """Return it in a line."""
        return (
            f"{self.writer}: {self.entries} entries in {self.chains} chains, "
            f"{self.checkpoints} checkpoints, {self.unsigned} entries after them"
        )


@dataclass(frozen=True)
class Verdict:
    """What was looked at and what is wrong with it: ``unreadable`` records are no entries, the
    files in ``broken`` no checkpoints.
    """

    tallies: tuple[Tally, ...]
    unreadable: int
    faults: tuple[Fault, ...]
    broken: tuple[Path, ...] = ()

    @property
    def unchecked(self) -> tuple[str, ...]:
        """Return the writers that have entries and no checkpoint: nobody can tell if an end is
        cut off.
        """
        return tuple(one.writer for one in self.tallies if one.entries and not one.checkpoints)

    @property
    def is_whole(self) -> bool:
        """Return whether nothing is wrong."""
        return not (self.faults or self.unreadable or self.broken or self.unchecked)

    def sentence(self) -> str:
        """Return it in a line."""
        entries = sum(one.entries for one in self.tallies)
        chains = sum(one.chains for one in self.tallies)
        checkpoints = sum(one.checkpoints for one in self.tallies)
        word = "whole" if self.is_whole else "NOT whole"
        return f"{entries} entries in {chains} chains, {checkpoints} checkpoints: {word}"

    def lines(self) -> list[str]:
        """Return all of it in lines: what is wrong, each writer, the verdict."""
        return [
            *(f"bad_checkpoint: {path} is no checkpoint" for path in self.broken),
            *(f"{one.kind}: {one.writer} {one.start} entry {one.sequence}" for one in self.faults),
            *(
                f"unreadable: {count} records are no audit entries"
                for count in filter(None, [self.unreadable])
            ),
            *(
                f"no_checkpoint: {writer} has entries and no signed checkpoint in the folders"
                for writer in self.unchecked
            ),
            *(tally.sentence() for tally in self.tallies),
            self.sentence(),
        ]

    def as_json(self) -> dict[str, Any]:
        """Return it as ``contracts/cli/audit.verify.schema.json`` has it."""
        return {
            "whole": self.is_whole,
            "writers": [asdict(one) for one in self.tallies],
            "faults": [asdict(one) for one in self.faults],
            "unreadable": self.unreadable,
            "broken_checkpoints": [str(path) for path in self.broken],
            "without_checkpoint": list(self.unchecked),
        }


@app.command("verify")
def verify_command(
    bootstrap: Annotated[str, typer.Option(help="Kafka brokers, host:port.")] = "127.0.0.1:9092",
    checkpoints: Annotated[
        list[Path],
        typer.Option(
            exists=True, file_okay=False, help="Folder of signed checkpoints; once for each writer."
        ),
    ] = FOLDERS,
    keys: Annotated[
        list[str] | None,
        typer.Option(
            "--key",
            metavar="WRITER=FILE",
            help="Public key that a writer's checkpoints are signed for; a FILE alone is privacy's."
            f" Default: {KEYS_DIR}/WRITER/audit.pub for {' and '.join(WRITERS)}.",
        ),
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on stdout.")] = False,
) -> None:
    """Find altered, missing, reordered, cut-off and foreign entries. Exits 1 when there are any."""
    public_keys = _public_keys(keys or [])
    # Read before the log: a checkpoint that is younger than what was read of the log would
    # look like the sign of a cut-off end.
    read = [Checkpoints(folder).read() for folder in checkpoints]
    kept = [one for found, _ in read for one in found]
    broken = tuple(path for _, unread in read for path in unread)
    verdict = replace(asyncio.run(_verify(bootstrap, kept, public_keys)), broken=broken)
    typer.echo(json.dumps(verdict.as_json()) if as_json else "\n".join(verdict.lines()))
    raise typer.Exit(0 if verdict.is_whole else 1)


async def verify(
    reader: EventReader,
    checkpoints: Sequence[Checkpoint],
    keys: Mapping[str, Ed25519PublicKey],
    now_ms: int,
) -> Verdict:
    """Read the whole audit topic and compare it with the checkpoints of each writer in ``keys``.

    The hash of an entry is of what it says once it is read. So its bytes have to be those of its
    writer too: what is not read (a field twice, one that no entry has) would show to others.
    """
    entries: list[AuditEntry] = []
    unreadable, added = 0, []
    async for records in whole_topic(reader, AUDIT.name):
        for record in records:
            try:
                entry = AUDIT.decode(record.value or b"")
            except (msgspec.DecodeError, UnicodeDecodeError):
                unreadable += 1
                continue
            entries.append(entry)
            if AUDIT.encode(entry) != record.value:
                added.append(Fault("altered", entry.writer, entry.start, entry.sequence))
    named = [*(entry.writer for entry in entries), *(one.writer for one in checkpoints)]
    writers = dict.fromkeys([*keys, *named])
    faults = find_faults(entries, checkpoints, keys, now_ms - AUDIT.retention_ms)
    return Verdict(
        tallies=tuple(_tally(writer, entries, checkpoints) for writer in writers),
        unreadable=unreadable,
        faults=tuple(dict.fromkeys([*faults, *added])),
    )


def _tally(writer: str, entries: Sequence[AuditEntry], checkpoints: Sequence[Checkpoint]) -> Tally:
    mine = [entry for entry in entries if entry.writer == writer]
    kept = [one for one in checkpoints if one.writer == writer]
    return Tally(
        writer=writer,
        entries=len(mine),
        chains=len({entry.start for entry in mine}),
        checkpoints=len(kept),
        unsigned=count_unsigned(mine, kept),
    )


def _public_keys(given: Sequence[str]) -> dict[str, Ed25519PublicKey]:
    paths = {writer: KEYS_DIR / writer / "audit.pub" for writer in WRITERS}
    for one in given:
        writer, named, file = one.partition("=")
        if not named:
            writer, file = WRITERS[0], one
        if writer not in paths:
            raise typer.BadParameter(f"{writer} writes no audit: {', '.join(WRITERS)} do")
        paths[writer] = Path(file)
    return {writer: _public_key(writer, path) for writer, path in paths.items()}


def _public_key(writer: str, path: Path) -> Ed25519PublicKey:
    try:
        return read_public_key(path)
    except KeyMissing as error:
        raise typer.BadParameter(f"the key of {writer} cannot be used: {error}") from error


async def _verify(
    bootstrap: str, checkpoints: Sequence[Checkpoint], keys: Mapping[str, Ed25519PublicKey]
) -> Verdict:
    reader = KafkaReader(KafkaConnection(bootstrap=bootstrap))
    try:
        return await verify(reader, checkpoints, keys, SystemClock().now_ms())
    finally:
        await reader.close()
