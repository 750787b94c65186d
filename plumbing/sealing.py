"""Sealing records between two services: AES-256-GCM data keys, wrapped to an X25519 public key.

A sealer makes one data key per process and hour; a per-record key agreement would be 100 times
slower. The nonce is a counter, unique because the data key never leaves its process.
Wrapping: ephemeral X25519, HKDF-SHA256, AES-256-GCM (RFC 9180's idea, without its framing).
"""

import itertools
from collections.abc import Callable

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

KEY_BYTES = 32
NONCE_BYTES = 12
WRAP_INFO = b"auscult data key v1"
WRAP_NONCE = bytes(NONCE_BYTES)  # the wrapping key is used once, so a fixed nonce is safe


class SealBroken(Exception):
    """The seal does not open: wrong key, wrong associated data or altered bytes."""


class Sealed(msgspec.Struct, frozen=True, gc=False):
    """One sealed value with what is needed to open it."""

    key_id: str
    wrapped_key: bytes
    nonce: bytes
    ciphertext: bytes


class Sealer:
    """Seals values under one data key. ``random_bytes`` is ``os.urandom`` outside tests."""

    def __init__(self, public_key: bytes, random_bytes: Callable[[int], bytes]) -> None:
        """Make the data key and wrap it for the holder of ``public_key`` (32 raw bytes)."""
        data_key = random_bytes(KEY_BYTES)
        self.key_id = random_bytes(16).hex()
        self.wrapped_key = wrap(data_key, public_key, random_bytes)
        self._cipher = AESGCM(data_key)
        self._numbers = itertools.count(1)  # one ``next`` at a time, whichever thread asks

    def seal(self, plain: bytes, associated: bytes) -> Sealed:
        """Return ``plain`` sealed; opening needs the same ``associated`` bytes."""
        nonce = next(self._numbers).to_bytes(NONCE_BYTES, "big")
        return Sealed(
            key_id=self.key_id,
            wrapped_key=self.wrapped_key,
            nonce=nonce,
            ciphertext=self._cipher.encrypt(nonce, plain, associated),
        )


def wrap(data_key: bytes, public_key: bytes, random_bytes: Callable[[int], bytes]) -> bytes:
    """Return ``data_key`` for the holder of ``public_key``: ephemeral public key + ciphertext."""
    ephemeral = X25519PrivateKey.from_private_bytes(random_bytes(KEY_BYTES))
    shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(public_key))
    sender = ephemeral.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    cipher = AESGCM(_wrapping_key(shared, sender + public_key))
    return sender + cipher.encrypt(WRAP_NONCE, data_key, None)


def unwrap(wrapped: bytes, private_key: bytes) -> bytes:
    """Return the data key; raise ``SealBroken`` when it was wrapped for another key."""
    private = X25519PrivateKey.from_private_bytes(private_key)
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    sender, ciphertext = wrapped[:KEY_BYTES], wrapped[KEY_BYTES:]
    try:
        shared = private.exchange(X25519PublicKey.from_public_bytes(sender))
        cipher = AESGCM(_wrapping_key(shared, sender + public))
        return cipher.decrypt(WRAP_NONCE, ciphertext, None)
    except (InvalidTag, ValueError) as error:
        raise SealBroken from error


def unseal(data_key: bytes, nonce: bytes, ciphertext: bytes, associated: bytes) -> bytes:
    """Return the plain bytes; raise ``SealBroken`` when anything was altered."""
    try:
        return AESGCM(data_key).decrypt(nonce, ciphertext, associated)
    except (InvalidTag, ValueError) as error:
        raise SealBroken from error


def _wrapping_key(shared: bytes, salt: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=salt, info=WRAP_INFO).derive(shared)
