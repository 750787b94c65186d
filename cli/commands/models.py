"""`auscult models`: what models there are, whether they are sound, and which one is live."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from getpass import getuser
from pathlib import Path
from typing import Annotated, NoReturn

import msgspec
import typer

from cli.stack.programs import MODELS_DIR
from cli.stack.provision import promote_shipped
from cli.stack.settings import StackSettings
from contracts.promoted import PROMOTED, ModelPromoted
from plumbing.clock import SystemClock
from plumbing.event_log import EventReader, EventWriter, Output
from plumbing.kafka_connection import KafkaConnection
from plumbing.kafka_reader import KafkaReader
from plumbing.kafka_writer import KafkaWriter
from services.inference import manifest as manifests
from services.inference.icu_mortality import IcuMortality
from services.inference.manifest import Manifest
from services.inference.model import ModelRefused
from services.inference.registry import MANIFEST, ModelRegistry, read_key, trusted_keys

app = typer.Typer(help="List, verify, sign, promote and roll back models.", no_args_is_help=True)

Folder = Annotated[Path, typer.Option("--models", help="Folder of models.")]
Trusted = Annotated[
    list[Path] | None,
    typer.Option("--trust", help="Public key file; default: the folder's *.pub and the site's."),
]
Name = Annotated[str, typer.Argument(help="The model, such as icu_mortality.")]
Why = Annotated[str, typer.Option(help="Why: goes onto the record.")]
Bootstrap = Annotated[str, typer.Option(help="Kafka brokers; default: the local stack's.")]


@app.command("list")
def list_command(
    models: Folder = MODELS_DIR,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines.")] = False,
) -> None:
    """Show every model of the folder; nothing is verified."""
    registry = ModelRegistry(models, {})
    listed = list(registry.listed())
    if not listed:
        _fail(f"{models} holds no model")
    for name, version in listed:
        manifest = _manifest(registry, name, version)
        line = {
            "model": name,
            "version": version,
            "digest": manifest.digest,
            "created": manifest.created,
            "key_id": manifest.key_id,
            "figures": manifest.figures,
        }
        if as_json:
            print(msgspec.json.encode(line).decode())
        else:
            auroc = manifest.figures.get("auroc_48h", float("nan"))
            print(f"{name} {version}  AUROC {auroc:.3f}  {manifest.created}  {manifest.digest}")


@app.command("verify")
def verify_command(
    name: Annotated[str, typer.Argument(help="The model; without it: all.")] = "",
    version: Annotated[str, typer.Argument(help="Its version; without it: all.")] = "",
    models: Folder = MODELS_DIR,
    trust: Trusted = None,
) -> None:
    """Check signature, digests, feature schema and golden outputs, as a worker does at start."""
    registry = ModelRegistry(models, _trusted(models, trust))
    wanted = [
        found for found in registry.listed() if name in {"", found[0]} and version in {"", found[1]}
    ]
    if not wanted:
        _fail(f"{models}: no such model")
    results = [_verified(registry, *found) for found in wanted]
    if not all(results):
        raise typer.Exit(1)


@app.command("sign")
def sign_command(
    name: Name,
    version: Annotated[str, typer.Argument(help="Its version.")],
    key: Annotated[Path, typer.Option(help="Ed25519 private key (hex).")],
    models: Folder = MODELS_DIR,
) -> None:
    """Sign a model with a key of this site; the digest stays as it is."""
    registry = ModelRegistry(models, {})
    manifest = _manifest(registry, name, version)
    try:
        signed = manifests.signed(manifest, read_key(key))
    except ValueError as error:
        raise typer.BadParameter(f"{key}: {error}") from error
    (registry.folder(name, version) / MANIFEST).write_bytes(manifests.encode(signed))
    print(f"{name} {version} signed by {signed.key_id}")


@app.command("promote")
def promote_command(
    name: Name,
    version: Annotated[str, typer.Argument(help="Its version.")],
    why: Why = "",
    bootstrap: Bootstrap = "",
    models: Folder = MODELS_DIR,
) -> None:
    """Verify a model here, then make it live: every replica loads it, verifies it, switches."""
    model = _loaded(ModelRegistry(models, _trusted(models, None)), name, version)
    said = _live(name, version, model.digest, why)
    done = asyncio.run(_on_kafka(bootstrap, lambda reader, writer: promote(reader, writer, said)))
    print(f"{name} {version} is live{'' if done else ' already'}")


@app.command("begin")
def begin_command(models: Folder = MODELS_DIR, bootstrap: Bootstrap = "") -> None:
    """Make the newest version of each model live where none ever was: once, on a new site."""
    connection = KafkaConnection(bootstrap=bootstrap or StackSettings().bootstrap)
    typer.echo(f"made live: {', '.join(promote_shipped(connection, models)) or 'none'}")


@app.command("rollback")
def rollback_command(name: Name, why: Why = "", bootstrap: Bootstrap = "") -> None:
    """Make the version that was live before the present one live again."""
    make = partial(_live, why=why or "rollback")
    before = asyncio.run(
        _on_kafka(bootstrap, lambda reader, writer: roll_back(reader, writer, name, make))
    )
    if before is None:
        _fail(f"{name}: no other version was live before")
    print(f"{name} {before.version} is live again")


async def live_now(reader: EventReader, name: str) -> ModelPromoted | None:
    """Return the newest promotion of a model to live, or None."""
    found: ModelPromoted | None = None
    end = await reader.end_offset(PROMOTED.name, 0)
    async for records in reader.read(PROMOTED.name, 0, 0, end):
        said = [PROMOTED.decode(record.value) for record in records if record.value is not None]
        found = next((one for one in reversed(said) if _is_live(one, name)), found)
    return found


async def promote(
    reader: EventReader, writer: EventWriter, said: ModelPromoted
) -> ModelPromoted | None:
    """Write the promotion with what it replaces; nothing when that digest is live already."""
    live = await live_now(reader, said.model)
    if live is not None and live.digest == said.digest:
        return None
    if live is not None:
        said = msgspec.structs.replace(
            said, replaces_version=live.version, replaces_digest=live.digest
        )
    await writer.write([Output(PROMOTED.name, said.model.encode(), PROMOTED.encode(said))])
    return said


async def roll_back(
    reader: EventReader, writer: EventWriter, name: str, said: Callable[..., ModelPromoted]
) -> ModelPromoted | None:
    """Make live again what the live version replaced; ``said`` makes the promotion."""
    live = await live_now(reader, name)
    if live is None or not live.replaces_digest:
        return None
    return await promote(reader, writer, said(name, live.replaces_version, live.replaces_digest))


def _is_live(said: ModelPromoted, name: str) -> bool:
    return said.model == name and said.state == "live"


async def _on_kafka(
    bootstrap: str,
    work: Callable[[EventReader, EventWriter], Awaitable[ModelPromoted | None]],
) -> ModelPromoted | None:
    """Run ``work`` with a reader and a writer of these brokers ("": the local stack's)."""
    connection = KafkaConnection(bootstrap=bootstrap or StackSettings().bootstrap)
    reader, writer = KafkaReader(connection), KafkaWriter(connection)
    try:
        return await work(reader, writer)
    finally:
        await writer.close()
        await reader.close()


def _live(name: str, version: str, digest: str, why: str = "") -> ModelPromoted:
    return ModelPromoted(
        model=name,
        version=version,
        digest=digest,
        state="live",
        by=getuser(),
        at_ms=SystemClock().now_ms(),
        why=why,
    )


def _trusted(models: Path, trust: list[Path] | None) -> dict[str, bytes]:
    """Return the keys named, or those beside the models and the local stack's own."""
    site = StackSettings().keys_dir / "models" / "signing.pub"
    paths = trust or [*sorted(models.glob("*.pub")), site]
    try:
        return trusted_keys(paths)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def _manifest(registry: ModelRegistry, name: str, version: str) -> Manifest:
    try:
        return registry.manifest(name, version)
    except ModelRefused:
        _fail(f"{registry.root}: no readable model {name} {version}")


def _verified(registry: ModelRegistry, name: str, version: str) -> bool:
    """Say whether a model is sound."""
    try:
        model = registry.verify(name, version)
    except ModelRefused as error:
        print(f"{name} {version} REFUSED: {error.code}")
        return False
    print(f"{name} {version} ok  {model.digest}")
    return True


def _loaded(registry: ModelRegistry, name: str, version: str) -> IcuMortality:
    try:
        return registry.verify(name, version)
    except ModelRefused as error:
        _fail(f"{name} {version} is not promoted: {error.code}")


def _fail(sentence: str) -> NoReturn:
    sys.stderr.write(f"auscult: {sentence}\n")
    raise typer.Exit(1)
