"""Privacy's keys and the daily sealing pairs.

Layout under the keys folder: ``privacy/{kek,link,index,staff}.key`` (later
``kek.<n>.key``), ``privacy/audit.ed25519`` (+ ``audit.pub``), ``privacy/sealing/<day>.key``,
``sealing/public/<day>.pub``, ``{resolve,operator}.token``, ``erasure/{request,confirm}.token``.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from plumbing.key_files import (
    KeyMissing,
    Random,
    make_key,
    overwrite,
    read_key,
    read_signing_key,
    require_different,
    write_new,
)
from services.privacy.keks import FileKeks, KekStore
from services.privacy.patient_keys import Kek

AUDIT = "privacy/audit.ed25519"
NAMES = ("privacy/link.key", "privacy/index.key", "privacy/staff.key", AUDIT, "resolve.token")
OPTIONAL = ("operator.token", "erasure/request.token", "erasure/confirm.token")
# In a row, today the last: a clock that is wrong for less than a day has not so many.
DAYS_PROVEN = 3


@dataclass(frozen=True)
class PrivacyKeys:
    """The keys that privacy holds for as long as it runs."""

    keks: KekStore
    link: bytes
    index: bytes
    staff: bytes
    audit: Ed25519PrivateKey
    resolve_token: str
    operator_token: str | None = None
    officer_tokens: tuple[str, str] | None = None


def load_privacy_keys(
    folder: Path, kek_folder: Path | None = None, keks: KekStore | None = None
) -> PrivacyKeys:
    """Return the keys in ``folder``; raise ``KeyMissing`` when one is missing or weak, or
    two are one.

    ``kek_folder`` is where the key-encryption keys lie, by default ``privacy`` in ``folder``;
    ``keks`` holds them instead of a folder.
    ``operator_token`` opens what was refused; without it nobody does.
    ``officer_tokens`` are the two secrets of an erasure, of two persons; without them none is done.
    """
    keks = keks or FileKeks(kek_folder or folder / "privacy", os.urandom)
    live = {kek.id for kek in keks.load().live}
    found = {name: read_key(folder / name) for name in NAMES}
    found |= {name: read_key(folder / name) for name in _optional(folder)}
    require_different(found)
    for name, key in found.items():
        if Kek(key).id in live:
            raise KeyMissing(f"{name}: the same as a key-encryption key")
    operator, *officers = (found[name].hex() if name in found else "" for name in OPTIONAL)
    return PrivacyKeys(
        keks=keks,
        link=found["privacy/link.key"],
        index=found["privacy/index.key"],
        staff=found["privacy/staff.key"],
        audit=read_signing_key(folder / AUDIT),
        resolve_token=found["resolve.token"].hex(),
        operator_token=operator or None,
        officer_tokens=(officers[0], officers[1]) if all(officers) else None,
    )


def _optional(folder: Path) -> list[str]:
    """Return the secrets to read: those of an erasure both, when one of them is there."""
    operator, *officers = OPTIONAL
    asked = [operator] if (folder / operator).exists() else []
    return asked + (officers if any((folder / name).exists() for name in officers) else [])


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
    None goes unless each of the last ``DAYS_PROVEN`` days has a key: a clock that jumped ahead has
    a gap behind it. So has a service that was off: it destroys what is due two days later.
    """
    held = _days_of((folder / "privacy" / "sealing").glob("*.key"))
    if any(today - timedelta(days=back) not in held for back in range(DAYS_PROVEN)):
        return []
    due = [day for day in sorted(held) if is_over(day, today, retention_days)]
    for day in due:
        path = private_path(folder, day.isoformat())
        overwrite(path)
        path.unlink(missing_ok=True)  # another replica may have been first
        (folder / "sealing" / "public" / f"{day.isoformat()}.pub").unlink(missing_ok=True)
    return [day.isoformat() for day in due]


def is_over(day: date, today: date, retention_days: int) -> bool:
    """Say whether all that the key of a day has sealed has expired."""
    return (today - day).days > retention_days + 1


def last_public_day(folder: Path, today: date) -> date | None:
    """Return the last day to which there are public sealing keys, from ``today`` on without a gap
    (what was made under a clock that was ahead does not count), or None when there is none.
    """
    days = _days_of((folder / "sealing" / "public").glob("*.pub"))
    last = max((day for day in days if day <= today), default=None)
    while last is not None and last + timedelta(days=1) in days:
        last += timedelta(days=1)
    return last


def last_private_day(folder: Path) -> date | None:
    """Return the last day that has a private sealing key, or None when there is none."""
    return max(_days_of((folder / "privacy" / "sealing").glob("*.key")), default=None)


def _days_of(paths: Iterable[Path]) -> set[date]:
    return {day for path in paths if (day := parse_day(path.stem)) is not None}


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
