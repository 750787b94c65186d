"""The gateway's secrets, read once at the start."""

from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from plumbing.key_files import (
    KEY_BYTES,
    KeyMissing,
    read_signing_key,
    require_different,
    require_private,
)

MAKE = "run `auscult keys generate`"


@dataclass(frozen=True)
class Keys:
    """The secrets: what signs the cookies, what privacy asks of its callers, what signs the heads
    of the audit chain.
    """

    session: bytes
    resolve: str
    audit: Ed25519PrivateKey


def read_keys(keys_dir: Path) -> Keys:
    """Return the secrets; raise ``KeyMissing``, which says what makes them, when one is missing."""
    session, resolve = (
        _secret(keys_dir, name) for name in ("gateway/session.key", "resolve.token")
    )
    require_different({"gateway/session.key": session.encode(), "resolve.token": resolve.encode()})
    return Keys(
        session=bytes.fromhex(session),
        resolve=resolve,
        audit=_signing_key(keys_dir, "gateway/audit.ed25519"),
    )


def _secret(keys_dir: Path, name: str) -> str:
    try:
        require_private(keys_dir / name)
        found = (keys_dir / name).read_text("ascii").strip()
        if len(bytes.fromhex(found)) >= KEY_BYTES:
            return found
    except KeyMissing as error:
        raise KeyMissing(f"{name} cannot be used ({error}): {MAKE}") from error
    except (OSError, ValueError) as error:
        raise KeyMissing(f"{name} cannot be used: {MAKE}") from error
    raise KeyMissing(f"{name} is shorter than {KEY_BYTES} bytes: {MAKE}")


def _signing_key(keys_dir: Path, name: str) -> Ed25519PrivateKey:
    try:
        return read_signing_key(keys_dir / name)
    except KeyMissing as error:
        raise KeyMissing(f"{name} cannot be used ({error}): {MAKE}") from error
