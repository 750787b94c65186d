"""What a record of the vault topic does to its mirror, and what has to be written after it.

Versions grow by one from the entry that a writer has read. Of two entries of one version neither
writer knew the other's: what both say together is held, marked as joined, and written once more.

Of two patient keys the one that was there holds. It too is marked and written once more, with the
header ``again``: compaction may take the record that made it the first, and leave the other's.
"""

from collections.abc import Mapping
from dataclasses import replace

import msgspec

from contracts.vault import VaultEntry
from plumbing.event_log import Record
from services.privacy.identity import united
from services.privacy.mirror import Entry, Fields, Raw
from services.privacy.mirror_scripts import DUE
from services.privacy.patient_keys import KeyUnreadable
from services.privacy.people import PeopleCodec, Person

WRITTEN, JOINED, OFFERED, GONE = b"!", DUE, b"?", b"x"
KEPT = (WRITTEN, JOINED)
ERASED_AT = "erased_at"
AGAIN = "again"
RECORDS = "@"  # what begins so is no link but something that privacy remembers

_decoder = msgspec.json.Decoder(VaultEntry)


class VaultRecords:
    """Decides."""

    def __init__(self, codec: PeopleCodec) -> None:
        """Keep what opens and seals entries."""
        self._codec = codec

    def decide(self, record: Record, held: Mapping[str, Raw]) -> Fields:
        """Return the fields that a record sets."""
        link = (record.key or b"").decode()
        current = held.get(link) or b""
        if record.value is None:
            return self._decide_gone(record, link, current)
        known = current[1:] if current[:1] in KEPT else b""
        if known and self._codec.is_destroyed(known):
            known = b""  # it tells nothing any more
        if self._codec.is_destroyed(record.value):
            overrules = False  # old bytes, or written by one who had not heard that the key is gone
        elif known:
            overrules, known = self._compare(known, record)
        else:
            overrules = True
        if not overrules:
            return [(link, JOINED + known)] if known else []
        if link.startswith(RECORDS):
            return [(link, WRITTEN + record.value)]
        return self._said(known, record.value)

    def again(self, link: str, raw: bytes) -> Entry | None:
        """Return an entry to be written once more, under the key-encryption key of now; None: it is
        under one that was destroyed.

        The version stays: who has written a newer one meanwhile is not overruled by this.
        """
        if self._codec.is_destroyed(raw):
            return None
        if link.startswith(RECORDS):
            anew = self._codec.seal_record(link, *self._codec.open_record(raw))
        else:
            person = self._codec.open(raw)
            anew = self._codec.seal(replace(person, version=person.version - 1))
        return Entry(link, anew, ((AGAIN, b"1"),))

    def fields(self, person: Person, raw: bytes, mark: bytes = WRITTEN) -> Fields:
        """Return the fields of a person who is written as ``raw``."""
        by_token = self._codec.token_field(person.key.token)
        fields = [(person.link, mark + raw), (by_token, person.link.encode())]
        return fields + [(name, by_token.encode()) for name in self._codec.search_fields(person)]

    def gone(self, person: Person, at_ms: int) -> Fields:
        """Return the fields of a person who was erased."""
        fields = self._codec.token_fields(person.key.token)
        return [(person.link, GONE + str(at_ms).encode()), *((field, b"") for field in fields)]

    def _compare(self, known: bytes, record: Record) -> tuple[bool, bytes]:
        """Say whether an entry overrules or joins the known one; and what is known besides it."""
        said = record.value or b""
        one, other = (_decoder.decode(raw) for raw in (known, said))
        is_again = AGAIN in dict(record.headers) and other.since_ms >= one.since_ms
        if one.version > other.version and not is_again:
            return False, known
        if self._same_key(one, other, known, said):
            return one.version <= other.version, known
        return is_again, b"" if is_again else known

    def _said(self, known: bytes, raw: bytes) -> Fields:
        """Return the fields of an entry; of two of one version, of what both say together."""
        said = self._codec.open(raw)
        if not known:
            return self.fields(said, raw)
        held = self._codec.open(known)
        both = replace(
            said.knowing(united(said.known, held.known)),
            legal_hold=said.legal_hold or held.legal_hold,
            since_ms=max(said.since_ms, held.since_ms),
            version=said.version - 1,
        )
        is_news = (both.known, both.legal_hold) != (said.known, said.legal_hold)
        if held.version < said.version or not is_news:
            return self.fields(said, raw)
        return self.fields(both, self._codec.seal(both), JOINED)

    def _decide_gone(self, record: Record, link: str, current: bytes) -> Fields:
        at_ms = int(dict(record.headers).get(ERASED_AT, b"") or record.timestamp_ms)
        if is_person(current):
            try:
                return self.gone(self._codec.open(current[1:]), at_ms)
            except KeyUnreadable:
                pass  # its key is destroyed already
        return [(link, GONE + str(at_ms).encode())]

    def _same_key(self, known: VaultEntry, entry: VaultEntry, held: bytes, said: bytes) -> bool:
        """Say whether two entries hold one patient key, under whichever key-encryption key."""
        if known.wrapped_key == entry.wrapped_key or entry.link.startswith(RECORDS):
            return True
        return self._codec.open(held).key.token == self._codec.open(said).key.token


def is_person(raw: Raw) -> bool:
    """Say whether a value of the mirror is a person: written, joined, or offered."""
    return raw is not None and raw[:1] in {WRITTEN, JOINED, OFFERED}


def is_of(person: Person, received_at_ms: int) -> bool:
    """Say whether what ingest received then is of this person, not of one who was erased."""
    return not person.since_ms or received_at_ms > person.since_ms
