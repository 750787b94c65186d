"""The keys and the vault in one sealed file: all that is needed to name everybody again.

Sealed under a recovery key that is kept elsewhere. A backup from before an erasure still has the
key-encryption key that was destroyed with the person: it has to be replaced then (docs/runbook.md).
"""

import hmac
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from contracts.vault import VAULT
from plumbing.event_log import EventReader, EventWriter, Output, whole_topic
from plumbing.key_files import Random, write_new

NONCE_BYTES = 12
CHUNK = 500
FORMAT = b"auscult-backup/1"
KEKS = "privacy/kek"
TEXT_FILES = ("privacy/kek.gone",)


class BackupUnreadable(Exception):
    """Not a backup, altered, or sealed under another recovery key."""


class Backup(msgspec.Struct, frozen=True, kw_only=True):
    """``files`` by path below the keys folder, as they are; ``entries`` are the last record of each
    key of the vault topic, with headers, tombstones too.
    """

    taken_at_ms: int
    files: dict[str, bytes]
    entries: list[tuple[bytes, bytes | None, list[tuple[str, bytes]]]]


async def take(
    folder: Path, reader: EventReader, now_ms: int, kek_folder: Path | None = None
) -> Backup:
    """Return what is there now. Raises ``Unavailable`` and ``OSError``."""
    entries: dict[bytes, tuple[bytes, bytes | None, list[tuple[str, bytes]]]] = {}
    async for key, value, headers in _records(reader):
        entries[key] = (key, value, headers)
    return Backup(
        taken_at_ms=now_ms, files=_files(folder, kek_folder), entries=list(entries.values())
    )


def seal(backup: Backup, recovery_key: bytes, random_bytes: Random) -> bytes:
    """Return the file."""
    nonce = random_bytes(NONCE_BYTES)
    plain = msgspec.msgpack.encode(backup)
    return FORMAT + nonce + _cipher(recovery_key).encrypt(nonce, plain, FORMAT)


def unseal(raw: bytes, recovery_key: bytes) -> Backup:
    """Return what is in a file; raise ``BackupUnreadable``."""
    start = len(FORMAT) + NONCE_BYTES
    if not raw.startswith(FORMAT):
        raise BackupUnreadable("not a backup")
    try:
        plain = _cipher(recovery_key).decrypt(raw[len(FORMAT) : start], raw[start:], FORMAT)
        return msgspec.msgpack.decode(plain, type=Backup)
    except (InvalidTag, ValueError, msgspec.DecodeError) as error:
        raise BackupUnreadable("altered, or another recovery key") from error


def restore_keys(backup: Backup, folder: Path, kek_folder: Path | None = None) -> int:
    """Write the key files that are not there; return how many. Overwrites none."""
    made = 0
    for name, raw in backup.files.items():
        path = (folder / name).resolve()
        if not path.is_relative_to(folder.resolve()):
            raise BackupUnreadable("a path leads out of the folder")
        if kek_folder is not None and name.startswith(KEKS):
            path = kek_folder / path.name
        if name in TEXT_FILES:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.write_bytes(raw)
        else:
            made += write_new(path, bytes.fromhex(raw.decode("ascii")))
    return made


async def restore_vault(backup: Backup, reader: EventReader, writer: EventWriter) -> int:
    """Write the entries to an empty vault topic; return how many. Raises ``FileExistsError`` when
    it has records, and ``Unavailable``.
    """
    async for _ in _records(reader):
        raise FileExistsError("the vault topic is not empty")
    outputs = [
        Output(VAULT.name, key, value, tuple((name, raw) for name, raw in headers))
        for key, value, headers in backup.entries
    ]
    for first in range(0, len(outputs), CHUNK):
        await writer.write(outputs[first : first + CHUNK])
    return len(outputs)


def _files(folder: Path, kek_folder: Path | None) -> dict[str, bytes]:
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    found = {str(path.relative_to(folder)): path.read_bytes() for path in paths}
    apart = sorted(kek_folder.glob("kek*")) if kek_folder is not None else []
    return found | {f"privacy/{path.name}": path.read_bytes() for path in apart}


async def _records(
    reader: EventReader,
) -> AsyncIterator[tuple[bytes, bytes | None, list[tuple[str, bytes]]]]:
    async for records in whole_topic(reader, VAULT.name):
        for record in records:
            yield record.key or b"", record.value, list(record.headers)


def _cipher(recovery_key: bytes) -> AESGCM:
    return AESGCM(hmac.digest(recovery_key, FORMAT, sha256))
