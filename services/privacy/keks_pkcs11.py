"""Key-encryption keys in a hardware security module, by PKCS#11: a ``KekStore``.

Each generation is a 256-bit generic secret in the token, made there, that can neither be read nor
taken out. A key-encryption key is its HMAC-SHA256 of one fixed word, which the module computes:
with the generation's secret destroyed, nobody can ever compute the key again. Ids of destroyed keys
stand in the token beside the secrets, as data objects.
"""

import importlib
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from plumbing.key_files import KEY_BYTES, KeyMissing
from services.privacy.keks import Keks
from services.privacy.patient_keys import Kek

LABEL, GONE_LABEL = "auscult-kek", "auscult-kek-gone"
WORD = b"auscult key-encryption key 1"
SERIAL_BYTES = 8

Found = TypeVar("Found")


class Pkcs11Keks:
    """The keys of one token. Each call raises ``OSError`` when the module cannot do it."""

    def __init__(self, module: Path, token: str, pin: str) -> None:
        """Use ``module`` (the vendor's library) and the token of that label; nothing is reached."""
        try:
            self._pkcs11: Any = importlib.import_module("pkcs11")
        except ImportError as error:
            raise KeyMissing("python-pkcs11 is not installed (extra `pkcs11`)") from error
        self._module, self._token, self._pin = module, token, pin
        self._session: Any = None
        self._lock = threading.RLock()

    def state(self) -> object:
        """Return the serials of the keys and how many were destroyed."""

        def look(session: Any) -> object:
            gone = sum(1 for _ in self._objects(session, "DATA", GONE_LABEL))
            return tuple(sorted(bytes(one.id) for one in self._secrets(session))), gone

        return self._do(look)

    def load(self) -> Keks:
        """Have the module compute the live keys; finish a destruction that was cut short."""

        def look(session: Any) -> Keks:
            destroyed = self._gone(session)
            live = []
            for secret in sorted(self._secrets(session), key=lambda one: bytes(one.id)):
                key = self._kek(secret)
                if key.id in destroyed:
                    secret.destroy()
                else:
                    live.append(key)
            return Keks(tuple(live), destroyed)

        keks: Keks = self._do(look)
        if not keks.live:
            raise KeyMissing(f"the token {self._token} has no key {LABEL}: auscult keys hsm")
        return keks

    def can_change(self) -> bool:
        """Say whether the token can be written."""
        protected = self._pkcs11.TokenFlag.WRITE_PROTECTED
        return self._do(lambda session: not session.token.flags & protected)

    def make(self) -> str:
        """Have the module make the next secret."""

        def generate(session: Any) -> str:
            serials = [int.from_bytes(one.id, "big") for one in self._secrets(session)]
            serial = max(serials, default=0) + 1
            attribute = self._pkcs11.Attribute
            secret = session.generate_key(
                self._pkcs11.KeyType.GENERIC_SECRET,
                8 * KEY_BYTES,
                label=LABEL,
                id=serial.to_bytes(SERIAL_BYTES, "big"),
                store=True,
                capabilities=self._pkcs11.MechanismFlag.SIGN,
                template={
                    attribute.PRIVATE: True,
                    attribute.SENSITIVE: True,
                    attribute.EXTRACTABLE: False,
                },
            )
            return self._kek(secret).id

        return self._do(generate)

    def destroy(self, kek_id: str) -> int:
        """Name it as destroyed, then have the module destroy its secret. What the module's own
        backups keep is the site's to destroy.
        """

        def remove(session: Any) -> int:
            for secret in list(self._secrets(session)):
                if self._kek(secret).id == kek_id:
                    if kek_id not in self._gone(session):
                        self._name_gone(session, kek_id)
                    secret.destroy()
            return 0

        return self._do(remove)

    def destroyed(self) -> frozenset[str]:
        """Return the ids of the destroyed keys."""
        return self._do(self._gone)

    def remember_destroyed(self, kek_ids: Sequence[str]) -> None:
        """Name keys as destroyed that were somewhere else (in key files, before a move)."""

        def name(session: Any) -> None:
            gone = self._gone(session)
            for kek_id in kek_ids:
                if kek_id not in gone:
                    self._name_gone(session, kek_id)

        self._do(name)

    def close(self) -> None:
        """End the session."""
        with self._lock:
            session, self._session = self._session, None
            if session is not None:
                session.close()

    def _do(self, work: Callable[[Any], Found]) -> Found:
        """Do ``work`` in the session, in a new one when it has ended meanwhile."""
        errors = self._pkcs11.exceptions
        with self._lock:
            for _ in range(2):
                try:
                    return work(self._open())
                except (errors.SessionHandleInvalid, errors.SessionClosed, errors.UserNotLoggedIn):
                    self._session = None
                except errors.PKCS11Error as error:
                    raise self._failed(error) from error
            raise self._failed(errors.SessionClosed())

    def _open(self) -> Any:
        if self._session is None:
            try:
                library = self._pkcs11.lib(str(self._module))
                token = library.get_token(token_label=self._token)
            except self._pkcs11.exceptions.PKCS11Error as error:
                raise self._failed(error) from error
            self._session = self._session_with(token)
        return self._session

    def _session_with(self, token: Any) -> Any:
        """A session that is logged in: a process logs in once for all its sessions."""
        try:
            return token.open(rw=True, user_pin=self._pin)
        except self._pkcs11.exceptions.UserAlreadyLoggedIn:
            return token.open(rw=True)

    def _failed(self, error: Exception) -> OSError:
        return OSError(f"the PKCS#11 token {self._token}: {type(error).__name__}")

    def _kek(self, secret: Any) -> Kek:
        return Kek(bytes(secret.sign(WORD, mechanism=self._pkcs11.Mechanism.SHA256_HMAC)))

    def _secrets(self, session: Any) -> Iterator[Any]:
        return self._objects(session, "SECRET_KEY", LABEL)

    def _objects(self, session: Any, kind: str, label: str) -> Iterator[Any]:
        attribute = self._pkcs11.Attribute
        wanted = {
            attribute.CLASS: getattr(self._pkcs11.ObjectClass, kind),
            attribute.LABEL: label,
        }
        return iter(list(session.get_objects(wanted)))

    def _gone(self, session: Any) -> frozenset[str]:
        value = self._pkcs11.Attribute.VALUE
        objects = self._objects(session, "DATA", GONE_LABEL)
        return frozenset(bytes(one[value]).decode("ascii") for one in objects)

    def _name_gone(self, session: Any, kek_id: str) -> None:
        attribute = self._pkcs11.Attribute
        session.create_object(
            {
                attribute.CLASS: self._pkcs11.ObjectClass.DATA,
                attribute.LABEL: GONE_LABEL,
                attribute.VALUE: kek_id.encode("ascii"),
                attribute.TOKEN: True,
                attribute.PRIVATE: True,
            }
        )


def read_pin(path: Path) -> str:
    """Return the PIN in a file; raise ``KeyMissing`` when there is none."""
    try:
        pin = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise KeyMissing(f"{path.name}: no PIN can be read from it") from error
    if not pin:
        raise KeyMissing(f"{path.name}: it is empty")
    return pin
