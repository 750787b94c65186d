"""An event that another process read: of its body the JSON, and what is decided here. Pure."""

import msgspec

from services.ingest.parse import ParsedEvent

_json = msgspec.json.Encoder()


class SaidEvent(ParsedEvent, frozen=True, gc=False):
    """An event of which ``body`` has what is told or decided here: its kind, its sender, findings
    that are still to come, its raw bytes or where they lie.

    ``said`` is the JSON of its body without these, ``found`` of the findings so far (a list). Both
    are empty where it has more than ``VALUES_MAX`` ``values``, and is refused.
    """

    said: bytes
    found: bytes
    values: int

    def json(self) -> bytes:
        """Return the JSON of the body, without raw bytes and without its closing brace."""
        later = _json.encode(self.body.findings)
        found = self.found if later == b"[]" else _joined(self.found, later)
        blob = self.body.raw_blob
        told = [self.said[:-1]]
        if found != b"[]":
            told += (b',"findings":', found)
        if blob is not None:
            told += (b',"raw_blob":', _json.encode(blob))
        return b"".join(told)


def _joined(found: bytes, later: bytes) -> bytes:
    """Return two JSON lists as one; the second is not empty."""
    return later if found == b"[]" else found[:-1] + b"," + later[1:]
