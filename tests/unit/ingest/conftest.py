"""A running ingest on an in-memory log, and a sender that speaks MLLP to it."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from contracts.answers import ANSWERS
from contracts.blobs import BLOBS
from contracts.identified import IDENTIFIED, IdentifiedBody, IdentifiedEvent
from plumbing.clock import ManualClock
from plumbing.event_log import Record
from plumbing.key_files import write_new
from plumbing.memory_log import InMemoryLog
from plumbing.sealing import unseal, unwrap
from services.ingest.app import Ingest, Logs, running
from services.ingest.settings import IngestSettings

KEY_DAY = "2023-11-14"  # the day of ManualClock's first moment


@dataclass
class KeyFolder:
    """The key files that ingest reads, and the private half that privacy would hold."""

    folder: Path
    private: bytes

    def open_blob(self, body: IdentifiedBody, records: list[Record]) -> bytes:
        """Return the bytes that a body points to."""
        ref = body.raw_blob
        assert ref is not None
        mine = [r for r in records if r.partition == ref.partition and r.offset >= ref.offset]
        parts = [BLOBS.decode(record.value or b"") for record in mine[: ref.parts]]
        return b"".join(
            unseal(unwrap(one.wrapped_key, self.private), one.nonce, one.sealed, one.associated)
            for one in parts
        )

    def open(self, event: IdentifiedEvent) -> IdentifiedBody:
        """Open a sealed event as privacy does."""
        data_key = unwrap(event.wrapped_key, self.private)
        associated = f"{IDENTIFIED.name}|{event.event_id}|{event.key_id}".encode()
        plain = unseal(data_key, event.nonce, event.sealed, associated)
        plain = zlib.decompress(plain) if event.packed else plain
        return msgspec.json.decode(plain, type=IdentifiedBody)


def make_keys(folder: Path, key_day: str = KEY_DAY) -> KeyFolder:
    """Write the key files."""
    private = X25519PrivateKey.generate()
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    (folder / "ingest").mkdir(parents=True)
    (folder / "sealing" / "public").mkdir(parents=True)
    for name in ("event", "route"):
        write_new(folder / "ingest" / f"{name}.key", sha256(name.encode()).digest())
    (folder / "sealing" / "public" / f"{key_day}.pub").write_text(public.hex() + "\n")
    raw = private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    return KeyFolder(folder, raw)


@pytest.fixture
def keys(tmp_path: Path) -> KeyFolder:
    return make_keys(tmp_path / "keys")


@dataclass
class Bench:
    """A running service and what it wrote."""

    service: Ingest
    log: InMemoryLog
    clock: ManualClock
    keys: KeyFolder
    settings: IngestSettings = field(repr=False)

    def events(self) -> list[IdentifiedEvent]:
        """Return the events on the topic."""
        found = []
        for record in self.log.records(IDENTIFIED.name):
            assert record.value is not None
            found.append(IDENTIFIED.decode(record.value))
        return found

    def bodies(self) -> list[IdentifiedBody]:
        """Return what the events say."""
        return [self.keys.open(event) for event in self.events()]

    def answers(self) -> list[Record]:
        """Return the stored answers."""
        return self.log.records(ANSWERS.name)


MakeBench = Callable[..., AbstractAsyncContextManager[Bench]]


@pytest.fixture
def make_bench(keys: KeyFolder) -> MakeBench:
    """Start ingest with settings of the test's choice."""

    @asynccontextmanager
    async def made(log: InMemoryLog | None = None, **given: object) -> AsyncIterator[Bench]:
        clock = ManualClock()
        log = log or InMemoryLog([IDENTIFIED.name, ANSWERS.name], partitions=3, clock=clock)
        settings = IngestSettings.model_validate(
            {
                "keys_dir": keys.folder,
                "state_dir": keys.folder.parent / "state",
                "mllp_port": 0,
                "http_port": 0,
                "drain_s": 2.0,
            }
            | given
        )
        async with running(settings, Logs(log, log, log), clock) as service:
            yield Bench(service, log, clock, keys, settings)

    return made


class Sender:
    """One MLLP connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, content: bytes) -> bytes:
        """Send one frame and return its answer."""
        self.write(b"\x0b" + content + b"\x1c\r")
        return await self.answer()

    def write(self, raw: bytes) -> None:
        """Send bytes as they are."""
        self.writer.write(raw)

    async def answer(self) -> bytes:
        """Return the next answer."""
        async with asyncio.timeout(30):
            found = await self.reader.readuntil(b"\x1c\r")
        assert found.startswith(b"\x0b")
        return found[1:-2]

    async def close(self) -> None:
        """Hang up."""
        self.writer.close()
        with suppress(ConnectionResetError):
            await self.writer.wait_closed()


@asynccontextmanager
async def sender(port: int) -> AsyncIterator[Sender]:
    """Connect to a listener."""
    found = Sender(*await asyncio.open_connection("127.0.0.1", port, limit=2**22))
    try:
        yield found
    finally:
        await found.close()


def msa(answer: bytes) -> tuple[str, str]:
    """Return MSA-1 and MSA-2 of an answer."""
    line = next(one for one in answer.decode().split("\r") if one.startswith("MSA"))
    fields = line.split("|")
    return fields[1], fields[2]
