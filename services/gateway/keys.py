"""The gateway's secrets, read once at the start."""

from dataclasses import dataclass
from pathlib import Path

KEY_BYTES = 32


class KeyMissing(Exception):
    """A secret is missing or too short; the message says which, and what makes it."""


@dataclass(frozen=True)
class Keys:
    """The two secrets: what signs the cookies, and what privacy asks of its callers."""

    session: bytes
    resolve: str


def read_keys(keys_dir: Path) -> Keys:
    """Return the secrets; raise ``KeyMissing`` when one is missing or too short to be one."""
    session = _secret(keys_dir, "gateway/session.key")
    return Keys(session=bytes.fromhex(session), resolve=_secret(keys_dir, "resolve.token"))


def _secret(keys_dir: Path, name: str) -> str:
    try:
        found = (keys_dir / name).read_text("ascii").strip()
        if len(bytes.fromhex(found)) >= KEY_BYTES:
            return found
    except (OSError, ValueError) as error:
        raise KeyMissing(f"{name} cannot be used: run `auscult keys generate`") from error
    raise KeyMissing(f"{name} is shorter than {KEY_BYTES} bytes: run `auscult keys generate`")
