"""Privacy's keys and the daily sealing pairs.

Layout under the keys folder: ``privacy/{kek,link,index,staff}.key``, ``privacy/audit.ed25519``
(+ ``audit.pub``), ``privacy/sealing/<day>.key``, ``sealing/public/<day>.pub``, ``resolve.token``.
"""

import contextlib
import os
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from plumbing.key_files import KEY_BYTES, Random, make_key, read_key, read_signing_key, write_new


@dataclass(frozen=True)
class PrivacyKeys:
    """The keys that privacy holds for as long as it runs."""

    kek: bytes
    link: bytes
    index: bytes
    staff: bytes
    audit: Ed25519PrivateKey
    resolve_token: str


def load_privacy_keys(folder: Path) -> PrivacyKeys:
    """Return the keys in ``folder``; raise ``KeyMissing`` when one is missing or weak."""
    return PrivacyKeys(
        kek=read_key(folder / "privacy" / "kek.key"),
        link=read_key(folder / "privacy" / "link.key"),
        index=read_key(folder / "privacy" / "index.key"),
        staff=read_key(folder / "privacy" / "staff.key"),
        audit=read_signing_key(folder / "privacy" / "audit.ed25519"),
        resolve_token=read_key(folder / "resolve.token").hex(),
    )


def make_day_keys(folder: Path, today: date, days: int, random_bytes: Random) -> list[str]:
    """Make the sealing pairs of ``today`` and the days after that are not there; return them.

    The private half is there before the public one, so nothing is ever sealed for a key that
    nobody has.
    """
    made = []
    for ahead in range(days):
        day = (today + timedelta(days=ahead)).isoformat()
        private = private_path(folder, day)
        if make_key(private, random_bytes):
            made.append(day)
        key = X25519PrivateKey.from_private_bytes(read_key(private))
        public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        write_new(folder / "sealing" / "public" / f"{day}.pub", public)
    return made


def destroy_day_keys(folder: Path, today: date, retention_days: int) -> list[str]:
    """Destroy the pairs whose records have all expired; return their days.

    A key seals until the end of its day, so its records live for ``retention_days`` after that.
    """
    destroyed = []
    for path in sorted((folder / "privacy" / "sealing").glob("*.key")):
        day = parse_day(path.stem)
        if day is not None and (today - day).days > retention_days + 1:
            _overwrite(path)
            path.unlink(missing_ok=True)  # another replica may have been first
            (folder / "sealing" / "public" / f"{path.stem}.pub").unlink(missing_ok=True)
            destroyed.append(path.stem)
    return destroyed


def last_public_day(folder: Path) -> date | None:
    """Return the last day that has a public sealing key, or None when there is none."""
    public = (folder / "sealing" / "public").glob("*.pub")
    days = [day for path in public if (day := parse_day(path.stem)) is not None]
    return max(days, default=None)


def private_path(folder: Path, day: str) -> Path:
    """Return where the private half of a day's sealing pair is."""
    return folder / "privacy" / "sealing" / f"{day}.key"


def parse_day(text: str) -> date | None:
    """Return the day in ``YYYY-MM-DD``, or None: the text may come from outside."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.isoformat() == text else None


def _overwrite(path: Path) -> None:
    """Put zeros over a key before its file goes: the best a file system lets us do."""
    with contextlib.suppress(FileNotFoundError), path.open("r+b") as file:
        file.write(b"0" * 2 * KEY_BYTES)
        file.flush()
        os.fsync(file.fileno())
