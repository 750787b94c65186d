"""Key files: 32 random bytes as hex, 0600, made once and never overwritten."""

import contextlib
import os
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

KEY_BYTES = 32
DISTINCT_BYTES_MIN = 8  # 32 random bytes have at least so many different ones; a sample has not
OWNER_ONLY = 0o600

Random = Callable[[int], bytes]


class KeyMissing(Exception):
    """A key file is missing, short or no key: the service refuses to start. Names the file."""


def read_key(path: Path) -> bytes:
    """Return the 32 bytes in a key file; raise ``KeyMissing`` for anything else."""
    try:
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeError) as error:
        raise KeyMissing(f"{path.name}: no such key file") from error
    try:
        key = bytes.fromhex(text)
    except ValueError as error:
        raise KeyMissing(f"{path.name}: not hexadecimal") from error
    if len(key) != KEY_BYTES or _is_sample(key):
        raise KeyMissing(f"{path.name}: not 32 random bytes")
    return key


def _is_sample(key: bytes) -> bool:
    """Say whether a key is one of those that people type: few different bytes, counted up or down,
    a half said twice, or text. Of random keys fewer than one in 10^13 looks so.
    """
    steps = {(after - before) % 256 for before, after in pairwise(key)}
    half = KEY_BYTES // 2
    return (
        len(set(key)) < DISTINCT_BYTES_MIN
        or len(steps) == 1
        or key[:half] == key[half:]
        or (key.isascii() and key.decode().isprintable())
    )


def read_signing_key(path: Path) -> Ed25519PrivateKey:
    """Return the private half of a signing pair; raise ``KeyMissing``."""
    return Ed25519PrivateKey.from_private_bytes(read_key(path))


def read_public_key(path: Path) -> Ed25519PublicKey:
    """Return the public half of a signing pair; raise ``KeyMissing``."""
    return Ed25519PublicKey.from_public_bytes(read_key(path))


def make_key(path: Path, random_bytes: Random) -> bool:
    """Make a key file unless it is there; return whether it was made."""
    return write_new(path, random_bytes(KEY_BYTES))


def make_signing_pair(private: Path, public: Path, random_bytes: Random) -> bool:
    """Make an Ed25519 pair, and the public half anew when only that is missing."""
    made = make_key(private, random_bytes)
    key = read_signing_key(private)
    write_new(public, key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))
    return made


def write_new(path: Path, raw: bytes) -> bool:
    """Write ``raw`` as hex, whole or not at all, unless ``path`` is there."""
    if path.exists():
        return False
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY), "w") as file:
        file.write(raw.hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)  # fails when another process was first: its key stays
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    return True


def overwrite(path: Path) -> None:
    """Put zeros over a key before its file goes: the best a file system lets us do."""
    with contextlib.suppress(FileNotFoundError), path.open("r+b") as file:
        file.write(b"0" * 2 * KEY_BYTES)
        file.flush()
        os.fsync(file.fileno())
