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

    __slots__ = ("_identity_cipher", "_secret", "shift_days", "shift_ms", "token")

    def __init__(self, secret: bytes) -> None:
        """Derive token (26 base32 characters) and shift (1 to 365 days) from 32 bytes."""
        self._secret = secret
        self.token = _base32(_hmac(secret, "token"))
        shift = int.from_bytes(_hmac(secret, "shift"), "big") % DAYS_PER_SHIFT_MAX
        self.shift_days = 1 + shift
        self.shift_ms = self.shift_days * DAY_MS
        self._identity_cipher: AESGCM | None = None

    def pseudonym(self, kind: str, value: str) -> str:
        """Return the keyed pseudonym of ``value``: 32 hex characters."""
        return _hmac(self._secret, f"{kind}|{value}").hex()[:32]

    def seal_identity(self, plain: bytes, link: str, random_bytes: Random) -> bytes:
        """Return ``plain`` sealed for the vault entry ``link``."""
        return _encrypt(self._cipher(), plain, link, random_bytes)

    def open_identity(self, sealed: bytes, link: str) -> bytes:
        """Return what ``seal_identity`` sealed; raise ``KeyUnreadable``."""
        return _decrypt(self._cipher(), sealed, link)

    def _cipher(self) -> AESGCM:
        if self._identity_cipher is None:
            self._identity_cipher = AESGCM(_hmac(self._secret, "identity"))
        return self._identity_cipher


class KeyWrap:
    """Wraps patient keys under the key-encryption key that only privacy holds."""

    def __init__(self, kek: bytes) -> None:
        """Keep the cipher; ``kek_id`` names the key without telling it."""
        self._cipher = AESGCM(kek)
        self.kek_id = _hmac(kek, "kek id").hex()[:16]

    def wrap(self, secret: bytes, link: str, random_bytes: Random) -> bytes:
        """Return the 32 bytes wrapped for the vault entry ``link``."""
        return _encrypt(self._cipher, secret, link, random_bytes)

    def unwrap(self, wrapped: bytes, link: str) -> PatientKey:
        """Return the patient key; raise ``KeyUnreadable``."""
        return PatientKey(_decrypt(self._cipher, wrapped, link))


def link_of(link_key: bytes, identifier: PatientId) -> str:
    """Return the vault's name for an identifier: HMAC-SHA256-128 over assigner and number, hex."""
    message = f"{identifier.assigner}\x1f{identifier.value}"  # a sign that HL7 fields cannot hold
    return _hmac(link_key, message).hex()[:32]


def staff_token(staff_key: bytes, staff_id: str) -> str:
    """Return the token of a member of staff: 26 lower-case base32 characters."""
    return _base32(_hmac(staff_key, staff_id))


def blind_term(index_key: bytes, normalised: str) -> str:
    """Return the blind index's name for a normalised search term, 32 hex characters."""
    return _hmac(index_key, normalised).hex()[:32]


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
