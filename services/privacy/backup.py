"""The keys and the vault in one sealed file: all that is needed to name everybody again.

Sealed under a recovery key that is kept elsewhere. A backup from before an erasure still has the
key-encryption key that was destroyed with the person: it has to be replaced then (docs/runbook.md).
"""

import hmac
from collections.abc import AsyncIterator, Sequence
from datetime import date
from hashlib import sha256
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from contracts.vault import VAULT
from plumbing.event_log import EventReader, EventWriter, Output, whole_topic
from plumbing.key_files import Random, put_new
from services.privacy.key_files import is_over, parse_day
from services.privacy.patient_keys import Kek, KeyUnreadable
from services.privacy.vault_records import AGAIN

NONCE_BYTES = 12
CHUNK = 500
FORMAT = b"auscult-backup/1"
KEKS = "privacy/kek"
GONE_FILE = "privacy/kek.gone"


class BackupUnreadable(Exception):
    """Not a backup, altered, or sealed under another recovery key."""


Entry = tuple[bytes, bytes | None, list[tuple[str, bytes]]]


class Backup(msgspec.Struct, frozen=True, kw_only=True):
    """``files`` by path below the keys folder, as they are; ``entries`` are what counts of each key
    of the vault topic, in order, with headers: the last record, tombstones too, and what it may not
    overrule.
    """

    taken_at_ms: int
    files: dict[str, bytes]
    entries: list[Entry]


async def take(
    folder: Path, reader: EventReader, now_ms: int, kek_folder: Path | None = None
) -> Backup:
    """Return what is there now. Raises ``Unavailable`` and ``OSError``."""
    counting: dict[bytes, list[Entry]] = {}
    async for entry in _records(reader):
        before = counting.get(entry[0], [])
        counting[entry[0]] = [entry] if _overrules(entry, before) else [*before, entry]
    entries = [entry for found in counting.values() for entry in found]
    return Backup(taken_at_ms=now_ms, files=_files(folder, kek_folder), entries=entries)


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


def restore_keys(
    backup: Backup,
    folder: Path,
    kek_folder: Path | None = None,
    *,
    today: date,
    retention_days: int,
) -> int:
    """Write the key files that are not there; return how many. Overwrites none.

    A key-encryption key that was destroyed, before the backup or after it, stays so, and so does a
    sealing key of which all events have expired: after ``retention_days``.
    """
    paths = {name: _path_of(name, folder, kek_folder) for name in backup.files}
    gone = _path_of(GONE_FILE, folder, kek_folder)
    destroyed = _remember_destroyed(gone, backup.files.get(GONE_FILE, b""))
    made = 0
    for name, path in paths.items():
        if name == GONE_FILE or _is_over(name, today, retention_days):
            continue
        content = backup.files[name]  # a PIN is among them, and no hex
        if not (name.startswith(KEKS) and _kek_in(content).id in destroyed):
            made += put_new(path, content)
    return made


def is_openable(backup: Backup) -> bool:
    """Return whether the key-encryption keys in it open its vault, all of it: a key may have been
    destroyed while the vault was read. True of an empty vault.
    """
    keys = {
        kek.id: kek
        for name, raw in backup.files.items()
        if name.startswith(KEKS) and name != GONE_FILE
        for kek in (_kek_in(raw),)
    }
    entries = [VAULT.decode(value) for _, value, _ in backup.entries if value]
    if any(entry.kek_id not in keys for entry in entries):
        return False
    newest = {one.kek_id: one for one in entries if not one.link.startswith("@")}
    try:
        for kek_id, entry in newest.items():
            keys[kek_id].unwrap(entry.wrapped_key, entry.link)
    except KeyUnreadable:
        return False
    return True


async def restore_vault(backup: Backup, reader: EventReader, writer: EventWriter) -> int:
    """Write the entries that the vault topic does not have, in their order; return how many. One
    that was cut short is so finished. Raises ``FileExistsError`` when the topic has records of its
    own, and ``Unavailable``.
    """
    ours = {(key, value, tuple(headers)) for key, value, headers in backup.entries}
    there = set()
    async for key, value, headers in _records(reader):
        record = (key, value, tuple(headers))
        if record not in ours:
            raise FileExistsError("the vault topic has records that are not of this backup")
        there.add(record)
    outputs = [
        Output(VAULT.name, key, value, tuple(headers))
        for key, value, headers in backup.entries
        if (key, value, tuple(headers)) not in there
    ]
    for first in range(0, len(outputs), CHUNK):
        await writer.write(outputs[first : first + CHUNK])
    return len(outputs)


def _is_over(name: str, today: date, retention_days: int) -> bool:
    """Say whether a file is half of a sealing pair whose day is over."""
    path = Path(name)
    day = parse_day(path.stem) if "sealing" in path.parts else None
    return day is not None and is_over(day, today, retention_days)


def _overrules(entry: Entry, before: Sequence[Entry]) -> bool:
    """Say whether an entry surely stands for those before it. One of no newer version may be of a
    second patient key, or written of one version beside another: a vault tells which, from both.
    """
    _, value, headers = entry
    last = before[-1][1] if before else None
    if value is None or last is None or AGAIN in dict(headers):
        return True
    one, other = VAULT.decode(last), VAULT.decode(value)
    return other.version > one.version or other.kek_id != one.kek_id


def _kek_in(content: bytes) -> Kek:
    return Kek(bytes.fromhex(content.decode("ascii")))


def _path_of(name: str, folder: Path, kek_folder: Path | None) -> Path:
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise BackupUnreadable("a path leads out of the folder")
    is_apart = kek_folder is not None and name.startswith(KEKS)
    return kek_folder / path.name if is_apart and kek_folder is not None else path


def _remember_destroyed(path: Path, raw: bytes) -> list[str]:
    """Add the destroyed keys of a backup to those the folder names; return all of them."""
    named = _destroyed(path)
    new = [one for one in raw.decode("ascii").split() if one not in named]
    if new:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with path.open("a", encoding="ascii") as file:
            file.writelines(f"{one}\n" for one in new)
    return named + new


def _destroyed(path: Path) -> list[str]:
    return path.read_text(encoding="ascii").split() if path.exists() else []


def _files(folder: Path, kek_folder: Path | None) -> dict[str, bytes]:
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    found = {str(path.relative_to(folder)): path.read_bytes() for path in paths}
    apart = sorted(kek_folder.glob("kek*")) if kek_folder is not None else []
    return found | {f"privacy/{path.name}": path.read_bytes() for path in apart}


async def _records(reader: EventReader) -> AsyncIterator[Entry]:
    async for records in whole_topic(reader, VAULT.name):
        for record in records:
            yield record.key or b"", record.value, list(record.headers)


def _cipher(recovery_key: bytes) -> AESGCM:
    return AESGCM(hmac.digest(recovery_key, FORMAT, sha256))
