"""Opening what ingest sealed: the day's private key gives the data key, which opens its events."""

import zlib
from collections import OrderedDict
from datetime import date
from pathlib import Path

import msgspec

from contracts.blobs import BlobPart
from contracts.identified import IDENTIFIED, IdentifiedBody, IdentifiedEvent
from plumbing.clock import utc_date
from plumbing.errors import MalformedEvent, Unavailable
from plumbing.key_files import KeyMissing, read_key
from plumbing.sealing import SealBroken, unseal, unwrap
from services.privacy.key_files import last_private_day, parse_day, private_path

DATA_KEYS_MAX = 1_000
DAYS_AHEAD_MAX = 2
PLAIN_BYTES_MAX = 256 * 1024 * 1024  # of a body that was packed


class Seals:
    """Opens sealed events with the keys below ``folder``. Data keys are kept in memory for as
    long as the key of their day is there.
    """

    def __init__(self, folder: Path, retention_days: int) -> None:
        """Keep where the keys are."""
        self._folder = folder
        self._retention_days = retention_days
        self._data_keys: OrderedDict[tuple[str, bytes], bytes] = OrderedDict()
        self._decoder = msgspec.json.Decoder(IdentifiedBody)

    def open(self, event: IdentifiedEvent, now_ms: int) -> IdentifiedBody:
        """Return the body as ``unseal`` does; without a patient ``no_identifier``."""
        body = self.unseal(event, now_ms)
        if not body.patient.ids:
            raise MalformedEvent("no_identifier")
        return body

    def unseal(self, event: IdentifiedEvent, now_ms: int) -> IdentifiedBody:
        """Return the body. Raises ``MalformedEvent``: ``seal_broken`` or ``body_undecodable``,
        ``key_expired`` when the day's key is gone as it should be; ``Unavailable`` when it is
        missing before its time, which somebody can mend.
        """
        associated = f"{IDENTIFIED.name}|{event.event_id}|{event.key_id}".encode()
        try:
            data_key = self._data_key(event, now_ms)
            plain = unseal(data_key, event.nonce, event.sealed, associated)
            plain = _unpacked(plain) if event.packed else plain
        except SealBroken as error:
            raise MalformedEvent("seal_broken") from error
        try:
            return self._decoder.decode(plain)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise MalformedEvent("body_undecodable") from error

    def unseal_part(self, part: BlobPart, now_ms: int) -> bytes:
        """Return the bytes of a part of a blob; raises as ``unseal``."""
        try:
            data_key = self._data_key(part, now_ms)
            return unseal(data_key, part.nonce, part.sealed, part.associated)
        except SealBroken as error:
            raise MalformedEvent("seal_broken") from error

    def _data_key(self, event: IdentifiedEvent | BlobPart, now_ms: int) -> bytes:
        today, day = utc_date(now_ms), parse_day(event.key_day)
        if day is None:
            raise MalformedEvent("seal_broken")
        name = (event.key_day, event.wrapped_key)
        if name not in self._data_keys or self._is_old(day, today):
            self._forget_destroyed(today)
        if name not in self._data_keys:
            self._data_keys[name] = unwrap(event.wrapped_key, self._private(day, today))
            if len(self._data_keys) > DATA_KEYS_MAX:
                self._data_keys.popitem(last=False)
        return self._data_keys[name]

    def _private(self, day: date, today: date) -> bytes:
        """Return a day's key when it is there, whatever the clock says: that may be wrong."""
        try:
            return read_key(private_path(self._folder, day.isoformat()))
        except KeyMissing as error:
            if self._is_old(day, today):
                raise MalformedEvent("key_expired") from error
            if self._was_never(day, today):
                raise MalformedEvent("seal_broken") from error
            raise Unavailable("a sealing key is missing before its time") from error

    def _is_old(self, day: date, today: date) -> bool:
        return (today - day).days > self._retention_days

    def _was_never(self, day: date, today: date) -> bool:
        """Say whether a day is ahead of the clock and of all keys: nobody can have sealed to it."""
        last = last_private_day(self._folder)
        return (day - today).days > DAYS_AHEAD_MAX and last is not None and day > last

    def _forget_destroyed(self, today: date) -> None:
        """Drop the data keys of days whose time is over and whose key is gone."""
        days = {text for text, _ in self._data_keys}
        gone = {text for text in days if self._is_gone(text, today)}
        for name in [one for one in self._data_keys if one[0] in gone]:
            del self._data_keys[name]

    def _is_gone(self, text: str, today: date) -> bool:
        day = parse_day(text)
        is_old = day is not None and self._is_old(day, today)
        return is_old and not private_path(self._folder, text).exists()


def _unpacked(packed: bytes) -> bytes:
    reader = zlib.decompressobj()
    try:
        plain = reader.decompress(packed, PLAIN_BYTES_MAX)
    except zlib.error as error:
        raise MalformedEvent("body_undecodable") from error
    if not reader.eof:
        raise MalformedEvent("body_undecodable")
    return plain
