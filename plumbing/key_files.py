"""Key files: 32 random bytes as hex, 0600, made once and never overwritten.

A file that others than its owner can read is refused. Two forms of Kubernetes pass: a secret that
nobody can write (0440, for a pod's group), and a volume that the pod's group owns (setgid folder).
"""

import contextlib
import os
import stat
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

KEY_BYTES = 32
DISTINCT_BYTES_MIN = 8  # 32 random bytes have at least so many different ones; a sample has not
OWNER_ONLY = 0o600
# Published: the vectors of NIST SP 800-38A (AES-256), of RFC 8032 (7.1, secrets 1 and 2) and of RFC
# 7748 (6.1, private keys of Alice and Bob), and SHA-256 of nothing.
SAMPLES = frozenset(
    bytes.fromhex(text)
    for text in (
        "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
        "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    )
)

Random = Callable[[int], bytes]


class KeyMissing(Exception):
    """A key file is missing, short or no key: the service refuses to start. Names the file."""


def read_key(path: Path, *, is_public: bool = False) -> bytes:
    """Return the 32 bytes in a key file; raise ``KeyMissing`` for anything else, also for a file
    that others can read unless it ``is_public``.
    """
    if not is_public:
        require_private(path)
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


def require_private(path: Path) -> None:
    """Raise ``KeyMissing`` when others than the owner can read or write a file."""
    try:
        mode, folder = path.stat().st_mode, path.parent.stat().st_mode
    except OSError as error:
        raise KeyMissing(f"{path.name}: no such key file") from error
    is_mounted = not mode & 0o222 or bool(folder & stat.S_ISGID)
    if mode & stat.S_IRWXO or (mode & stat.S_IRWXG and not is_mounted):
        raise KeyMissing(f"{path.name}: others can read it (mode {mode & 0o777:03o}): chmod 600")


def require_different(keys: Mapping[str, bytes]) -> None:
    """Raise ``KeyMissing`` when two keys, by the names of their files, are one."""
    first: dict[bytes, str] = {}
    for name, key in keys.items():
        if first.setdefault(key, name) != name:
            raise KeyMissing(f"{name}: the same as {first[key]}")


def _is_sample(key: bytes) -> bool:
    """Say whether a key is one of those that people type: few different bytes, counted up or down,
    repeated or backwards, text, or published. Of random keys one in 10^9 looks so.
    """
    steps = {(after - before) % 256 for before, after in pairwise(key)}
    half = KEY_BYTES // 2
    return (
        len(set(key)) < DISTINCT_BYTES_MIN
        or len(steps) == 1
        or any(key[period:] == key[:-period] for period in range(1, half + 1))
        or key == key[::-1]
        or _is_text(key)
        or key in SAMPLES
    )


def _is_text(key: bytes) -> bool:
    """Say whether a key is printable text in UTF-8, maybe cut within its last sign."""
    for end in range(KEY_BYTES - 3, KEY_BYTES + 1):
        with contextlib.suppress(UnicodeDecodeError):
            if key[:end].decode().isprintable():
                return True
    return False


def read_signing_key(path: Path) -> Ed25519PrivateKey:
    """Return the private half of a signing pair; raise ``KeyMissing``."""
    return Ed25519PrivateKey.from_private_bytes(read_key(path))


def read_public_key(path: Path) -> Ed25519PublicKey:
    """Return the public half of a signing pair; raise ``KeyMissing``."""
    return Ed25519PublicKey.from_public_bytes(read_key(path, is_public=True))


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
    return put_new(path, f"{raw.hex()}\n".encode("ascii"))


def put_new(path: Path, content: bytes) -> bool:
    """Write a file for its owner alone, whole or not at all, unless ``path`` is there."""
    if path.exists():
        return False
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY), "wb") as file:
        file.write(content)
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
