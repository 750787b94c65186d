"""Pure: what comes from a patient key (token, shift, pseudonyms) and how a key is kept wrapped.

A patient key is 256 random bits of one identifier. Nothing is derived from the record number.
"""

import hmac
from base64 import b32encode
from collections.abc import Callable
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from contracts.identified import PatientId

KEY_BYTES = 32
NONCE_BYTES = 12
TOKEN_CHARS = 26
DAYS_PER_SHIFT_MAX = 365
DAY_MS = 86_400_000

Random = Callable[[int], bytes]


class KeyUnreadable(Exception):
    """A wrapped key or a sealed identity does not open: wrong key-encryption key or altered."""


class PatientKey:
    """One patient key and what follows from it; ``token`` and ``shift_days`` never change."""

    __slots__ = ("secret", "shift_days", "shift_ms", "token")

    def __init__(self, secret: bytes) -> None:
        """Derive token (26 base32 characters) and shift (1 to 365 days) from 32 bytes."""
        self.secret = secret
        self.token = _base32(_hmac(secret, "token"))
        shift = int.from_bytes(_hmac(secret, "shift"), "big") % DAYS_PER_SHIFT_MAX
        self.shift_days = 1 + shift
        self.shift_ms = self.shift_days * DAY_MS

    def pseudonym(self, kind: str, value: str) -> str:
        """Return the keyed pseudonym of ``value``: 32 hex characters."""
        return _hmac(self.secret, f"{kind}|{value}").hex()[:32]

    def open_identity(self, sealed: bytes, link: str) -> bytes:
        """Return an identity of before 1.1, sealed under this key alone; ``KeyUnreadable``."""
        return _decrypt(AESGCM(_hmac(self.secret, "identity")), sealed, link)


class Kek:
    """One key-encryption key, and all that hangs on it: what is destroyed with it.

    It wraps patient keys, is part of the key of each sealed identity and of the names of the
    search fields. So without it not even who holds the patient key, the index key and every old
    byte can open an identity or tell which token a name had.
    """

    def __init__(self, secret: bytes) -> None:
        """Keep 32 bytes; ``id`` names the key without telling it."""
        self._secret = secret
        self._cipher = AESGCM(secret)
        self._records = AESGCM(_hmac(secret, "record"))
        self.id = _hmac(secret, "kek id").hex()[:16]

    def wrap(self, secret: bytes, link: str, random_bytes: Random) -> bytes:
        """Return the 32 bytes wrapped for the vault entry ``link``."""
        return _encrypt(self._cipher, secret, link, random_bytes)

    def unwrap(self, wrapped: bytes, link: str) -> PatientKey:
        """Return the patient key; raise ``KeyUnreadable``."""
        return PatientKey(_decrypt(self._cipher, wrapped, link))

    def wrap_key(self, key: PatientKey, link: str, random_bytes: Random) -> bytes:
        """Return a patient key wrapped for the vault entry ``link``."""
        return self.wrap(key.secret, link, random_bytes)

    def seal_identity(
        self, key: PatientKey, plain: bytes, link: str, random_bytes: Random
    ) -> bytes:
        """Return ``plain`` sealed for the vault entry ``link``: it opens with both keys only."""
        return _encrypt(self._identity_cipher(key), plain, link, random_bytes)

    def open_identity(self, key: PatientKey, sealed: bytes, link: str) -> bytes:
        """Return what ``seal_identity`` sealed; raise ``KeyUnreadable``."""
        return _decrypt(self._identity_cipher(key), sealed, link)

    def seal_record(self, plain: bytes, name: str, random_bytes: Random) -> bytes:
        """Return what privacy keeps for itself on the vault topic, sealed for ``name``."""
        return _encrypt(self._records, plain, name, random_bytes)

    def open_record(self, sealed: bytes, name: str) -> bytes:
        """Return what ``seal_record`` sealed; raise ``KeyUnreadable``."""
        return _decrypt(self._records, sealed, name)

    def field(self, kind: str, index_key: bytes, name: str) -> str:
        """Return a search field of the mirror: ``i:`` by name or number, ``t:`` by token."""
        key = hmac.digest(self._secret, index_key, sha256)
        return f"{kind}:{self.id}:{_hmac(key, f'{kind}|{name}').hex()[:32]}"

    def _identity_cipher(self, key: PatientKey) -> AESGCM:
        return AESGCM(hmac.digest(self._secret, b"identity" + key.secret, sha256))


def link_of(link_key: bytes, identifier: PatientId) -> str:
    """Return the vault's name for an identifier: HMAC-SHA256-128 over assigner and number, hex."""
    message = f"{identifier.assigner}\x1f{identifier.value}"  # a sign that HL7 fields cannot hold
    return _hmac(link_key, message).hex()[:32]


def staff_token(staff_key: bytes, staff_id: str) -> str:
    """Return the token of a member of staff: 26 lower-case base32 characters."""
    return _base32(_hmac(staff_key, staff_id))


def _hmac(key: bytes, message: str) -> bytes:
    return hmac.digest(key, message.encode(), sha256)


def _base32(digest: bytes) -> str:
    return b32encode(digest)[:TOKEN_CHARS].decode("ascii").lower()


def _encrypt(cipher: AESGCM, plain: bytes, associated: str, random_bytes: Random) -> bytes:
    nonce = random_bytes(NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, plain, associated.encode())


def _decrypt(cipher: AESGCM, sealed: bytes, associated: str) -> bytes:
    try:
        return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], associated.encode())
    except (InvalidTag, ValueError) as error:
        raise KeyUnreadable from error
