"""What was refused for what it says, kept sealed with its reasons: to be looked at, sent again.

A refusal is answered at once and written with the next group of events, so it may be lost with
the process: its sender knows that it was not taken. Waiting ones are bounded in bytes; one content
is kept once while it is among the last ``RECENT_MAX``, however often it is sent again. The bytes of
large ones go to the topic of blobs (``apart.py``).
"""

from collections import OrderedDict, deque
from dataclasses import dataclass
from itertools import islice

from contracts.identified import IDENTIFIED, BlobRef, IdentifiedBody, Patient
from contracts.rejection import Rejection, rejected
from plumbing.byte_gate import bytes_of
from plumbing.errors import MalformedEvent
from plumbing.event_log import Output
from plumbing.sealing import Sealer
from services.ingest import metrics
from services.ingest.blobs import LARGE_BYTES
from services.ingest.identity import Keys, event_id
from services.ingest.parse import Parsed
from services.ingest.sealed import sealed_event

REJECTED = rejected(IDENTIFIED)
STAGE = "ingest"
NOWHERE = -1
WAITING_BYTES_MAX = 8 * 1024 * 1024
PER_GROUP_MAX = 100
RECENT_MAX = 1_000
FAILURES_MAX = 3


@dataclass(slots=True, eq=False)
class Refusal:
    """One that waits. ``blob`` is where its bytes lie once they were put apart; ``is_head``: they
    are the beginning of a message over the limit.
    """

    parsed: Parsed
    raw: bytes
    source: str
    event_id: str
    received_at_ms: int
    digest: bytes
    is_head: bool = False
    blob: BlobRef | None = None


class Refusals:
    """Those that wait to be written."""

    def __init__(self, keys: Keys) -> None:
        """Start with none."""
        self._keys = keys
        self._waiting: deque[Refusal] = deque()
        self._bytes = 0
        self._failures = 0
        self._written: list[Refusal] = []  # of these, records were made last
        self._recent: OrderedDict[bytes, None] = OrderedDict()

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def keep(
        self,
        parsed: Parsed,
        raw: bytes,
        source: str,
        received_at_ms: int,
        *,
        is_head: bool = False,
        known: tuple[bytes, BlobRef | None] | None = None,
    ) -> None:
        """Take a refused message; the oldest is let go when too many bytes wait. ``known``: its
        ``digest``, and the blob in which its bytes lie already, if they do.
        """
        digest, blob = known or (self.digest(raw, source), None)
        if digest in self._recent:
            self._recent.move_to_end(digest)
            return
        self._recent[digest] = None
        if len(self._recent) > RECENT_MAX:
            self._recent.popitem(last=False)
        named = event_id(self._keys, digest, 0)
        raw = b"" if blob else raw
        waiting = Refusal(parsed, raw, source, named, received_at_ms, digest, is_head, blob)
        self._waiting.append(waiting)
        self._bytes += len(raw)
        while self._bytes > WAITING_BYTES_MAX and len(self._waiting) > 1:
            self._drop()

    def digest(self, raw: bytes, source: str) -> bytes:
        """Return what tells one from others: of 15 MB some 20 ms of work."""
        return self._keys.event.digest(b"refused" + source.encode() + raw)

    def large(self) -> Refusal | None:
        """Return the first among those next to be written whose bytes are to be put apart."""
        next_ones = islice(self._waiting, PER_GROUP_MAX)
        return next((one for one in next_ones if len(one.raw) > LARGE_BYTES), None)

    def put_apart(self, refusal: Refusal, blob: BlobRef) -> None:
        """Note where the bytes of one lie now."""
        self._bytes -= len(refusal.raw)
        refusal.raw, refusal.blob = b"", blob

    def records(self, sealer: Sealer, key_day: str) -> list[Output]:
        """Return the records of the first that wait; ``done`` when they are written."""
        found: list[Output] = []
        while len(found) < min(PER_GROUP_MAX, len(self._waiting)):
            if len(self._waiting[len(found)].raw) > LARGE_BYTES:
                break  # it came meanwhile: its bytes go apart before the next group
            output = _record(self._waiting[len(found)], sealer, key_day)
            try:
                bytes_of((output,))
            except MalformedEvent:  # its findings are larger than Kafka takes
                refusal = self._waiting[len(found)]
                self._waiting.remove(refusal)
                self._let_go(refusal)
                continue
            found.append(output)
        self._written = list(islice(self._waiting, len(found)))
        return found

    def done(self, number: int) -> None:
        """Let go what is written."""
        self._failures = 0
        for refusal in self._written[:number]:
            metrics.REFUSALS_KEPT.inc()
            if refusal in self._waiting:  # else it was let go while it was being written
                self._waiting.remove(refusal)
                self._bytes -= len(refusal.raw)
        self._written = []

    def failed(self) -> None:
        """Note a group that was not written. Refusals that stand in the way of events (their topic
        is not there, or not writable) are let go after a few.
        """
        self._failures += bool(self._waiting)
        if self._failures >= FAILURES_MAX:
            self._failures = 0
            while self._waiting:
                self._drop()

    def _drop(self) -> None:
        self._let_go(self._waiting.popleft())

    def _let_go(self, gone: Refusal) -> None:
        self._bytes -= len(gone.raw)
        gone.raw = b""
        self._recent.pop(gone.digest, None)  # sent again, it is kept then
        metrics.REFUSALS_DROPPED.inc()


def _record(refusal: Refusal, sealer: Sealer, key_day: str) -> Output:
    parsed, header = refusal.parsed, refusal.parsed.header
    body = IdentifiedBody(
        event_type="non_clinical",
        message_type=header.message_type if header else "",
        version=header.version if header else "",
        control_id=header.control_id if header else "",
        charset=parsed.charset,
        received_at_ms=refusal.received_at_ms,
        occurred_at_ms=refusal.received_at_ms,
        patient=Patient(ids=()),
        findings=parsed.findings,
        raw=refusal.raw,
        raw_blob=refusal.blob,
    )
    sealed = sealed_event(refusal.event_id, body, refusal.source, sealer, key_day)
    reasons = [one.code for one in parsed.findings if one.level == "error"]
    value = Rejection(
        code=reasons[0] if reasons else parsed.code,
        stage=STAGE,
        topic="",
        partition=NOWHERE,
        offset=NOWHERE,
        event_id=refusal.event_id,
        payload=IDENTIFIED.encode(sealed),
        payload_left=refusal.is_head,
    )
    headers = (("event_id", refusal.event_id.encode()), ("source", refusal.source.encode()))
    return Output(REJECTED.name, refusal.source.encode(), REJECTED.encode(value), headers)
