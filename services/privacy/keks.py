"""The key-encryption keys of a site: which wraps now, which still open, which were destroyed.

``KekStore`` is what a key management service has to offer; ``FileKeks`` is the one of a folder,
``keks_pkcs11.py`` that of a hardware security module.
With a KMS each generation is a key of its own there: ``load`` fetches or decrypts the live ones,
``make`` asks for the next, ``destroy`` has one deleted, and says until when the KMS could still
bring it back (the proof of an erasure lists that as an expiry).
"""

import os
from dataclasses import dataclass
from errno import EACCES
from pathlib import Path
from typing import Protocol

from plumbing.key_files import (
    KEY_BYTES,
    OWNER_ONLY,
    KeyMissing,
    Random,
    make_key,
    overwrite,
    read_key,
)
from services.privacy.patient_keys import Kek, KeyUnreadable

FIRST = "kek.key"
GONE = "kek.gone"
ZEROS = "0" * 2 * KEY_BYTES


@dataclass(frozen=True)
class Keks:
    """The live keys, the newest (which wraps) last; the ids of those that were destroyed."""

    live: tuple[Kek, ...]
    destroyed: frozenset[str] = frozenset()


class KekStore(Protocol):
    """Where key-encryption keys live. Each call raises ``OSError`` when it cannot be done."""

    def state(self) -> object:
        """Return something that is another after each change; cheap, asked at each wrapping."""

    def load(self) -> Keks:
        """Return the keys; raise ``KeyMissing`` when there is none or one is weak."""

    def can_change(self) -> bool:
        """Say whether keys can be made and destroyed: false where they are mounted read-only."""

    def make(self) -> str:
        """Make the next key, durably, and return its id. From then on it is the one that wraps."""

    def destroy(self, kek_id: str) -> int:
        """Destroy a key and every copy that the store made of it. Return the Unix time in ms until
        which the store could bring it back, 0: it cannot.
        """


class FileKeks:
    """Key files in a folder: ``kek.key``, then ``kek.1.key`` ..; ``kek.gone`` names the destroyed.

    Overwriting a file is what a file system lets us do. On media that keep old blocks (SSD,
    snapshots) only the encryption of the volume makes it final: see docs/privacy.md.
    """

    def __init__(self, folder: Path, random_bytes: Random) -> None:
        """Take the folder; it is shared by all replicas and not on the disks of Kafka or Redis."""
        self._folder = folder
        self._random_bytes = random_bytes

    def state(self) -> object:
        """Return when the folder last changed."""
        return self._folder.stat().st_mtime_ns

    def load(self) -> Keks:
        """Read the files; finish a destruction that was cut short."""
        destroyed = self.destroyed()
        live = []
        for path in self._paths():
            if destroyed and path.read_text(encoding="ascii").strip() == ZEROS:
                path.unlink(missing_ok=True)
                continue
            key = Kek(read_key(path))
            if key.id in destroyed:
                _remove(path)
            else:
                live.append(key)
        if not live:
            raise KeyMissing(f"{FIRST}: no such key file")
        return Keks(tuple(live), destroyed)

    def destroyed(self) -> frozenset[str]:
        """Return the ids of the destroyed keys."""
        return frozenset(self._gone())

    def can_change(self) -> bool:
        """Say whether the folder and every key in it can be written.

        A folder that can, with a key in it that cannot, is a secret mounted into one that lasts no
        longer than the process: a key made there would be lost, and everybody's with it.
        """
        return all(os.access(path, os.W_OK) for path in (self._folder, *self._paths()))

    def make(self) -> str:
        """Write the next file."""
        if not self.can_change():
            raise PermissionError(EACCES, "the key-encryption keys are read-only here")
        serial = max((_serial(path) for path in self._folder.glob("kek.*.key")), default=0) + 1
        path = self._folder / f"kek.{serial}.key"
        make_key(path, self._random_bytes)
        _sync(self._folder)
        return Kek(read_key(path)).id

    def destroy(self, kek_id: str) -> int:
        """Name it in ``kek.gone``, then overwrite and remove its file."""
        for path in self._paths():
            if Kek(read_key(path)).id == kek_id:
                if kek_id not in self._gone():
                    path_of_gone = self._folder / GONE
                    path_of_gone.touch(OWNER_ONLY)
                    with path_of_gone.open("a", encoding="ascii") as file:
                        file.write(f"{kek_id}\n")
                        file.flush()
                        os.fsync(file.fileno())
                _remove(path)
        return 0

    def _paths(self) -> list[Path]:
        return sorted(self._folder.glob("kek*.key"), key=_serial)

    def _gone(self) -> list[str]:
        try:
            return (self._folder / GONE).read_text(encoding="ascii").split()
        except FileNotFoundError:
            return []


class KeyRing:
    """The keys as this process knows them, read anew when the store changed."""

    def __init__(self, store: KekStore) -> None:
        """Read the keys; raise ``KeyMissing``."""
        self.store = store
        self._state = store.state()
        self._keks = store.load()

    @property
    def current(self) -> Kek:
        """Return the key that wraps."""
        return self.live[-1]

    @property
    def live(self) -> tuple[Kek, ...]:
        """Return the keys that open, the newest last."""
        try:
            state = self.store.state()
            if state != self._state:
                self._keks, self._state = self.store.load(), state
        except (OSError, KeyMissing):
            pass  # the folder is away: what is known goes on opening
        return self._keks.live

    def find(self, kek_id: str) -> Kek | None:
        """Return a key, None when it was destroyed; raise ``KeyUnreadable`` when never heard of."""
        for key in reversed(self.live):
            if key.id == kek_id:
                return key
        if kek_id in self._keks.destroyed:
            return None
        raise KeyUnreadable


def _serial(path: Path) -> int:
    number = path.name.removeprefix("kek").removesuffix("key").strip(".")
    return int(number) if number.isdecimal() else 0


def _remove(path: Path) -> None:
    overwrite(path)
    path.unlink(missing_ok=True)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
