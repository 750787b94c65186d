"""What has been answered already, bounded: a resend gets the same answer and no second event."""

from collections import OrderedDict

from contracts.answers import ANSWERS, StoredAnswer
from plumbing.event_log import Output, Record
from services.ingest.parse import Parsed

SHORT = 16  # bytes of a content hash that are kept: a keyed hash, so no sender can aim at a clash
EARLIER_MAX = 32


class Answered:
    """The newest ``answers_max`` answers by content, and the contents by control id."""

    def __init__(self, answers_max: int) -> None:
        """Start empty."""
        self._max = answers_max
        self._codes: OrderedDict[bytes, str] = OrderedDict()
        self._contents: OrderedDict[bytes, bytes] = OrderedDict()  # joined, the newest last

    def __len__(self) -> int:
        """Return how many answers are kept."""
        return len(self._codes)

    def code_of(self, content: bytes) -> str:
        """Return the answer that this content got, or an empty string."""
        return self._codes.get(content[:SHORT], "")

    def contents_of(self, answer_key: bytes) -> tuple[bytes, ...]:
        """Return the (shortened) contents that were accepted under a key, the newest last."""
        joined = self._contents.get(answer_key, b"")
        return tuple(joined[at : at + SHORT] for at in range(0, len(joined), SHORT))

    def is_reuse(self, parsed: Parsed) -> bool:
        """Return whether this control id came from this source with other content alone."""
        known = self.contents_of(parsed.answer_key)
        return bool(known) and parsed.content[:SHORT] not in known

    def remember(self, answer_key: bytes, content: bytes, code: str) -> None:
        """Keep an answer; the oldest is let go when there are too many."""
        short = content[:SHORT]
        if short not in self._codes:
            joined = self._contents.get(answer_key, b"") + short
            self._contents[answer_key] = joined[-EARLIER_MAX * SHORT :]
        self._codes[short] = code
        for table in (self._codes, self._contents):
            if len(table) > self._max:
                table.popitem(last=False)

    def learn(self, record: Record) -> None:
        """Keep what a record of the topic tells."""
        if record.key is None or record.value is None:
            return
        stored = ANSWERS.decode(record.value)
        for earlier in stored.earlier:
            self.remember(record.key, bytes.fromhex(earlier), "AA")
        self.remember(record.key, bytes.fromhex(stored.content_hash), stored.code)


def answer_record(parsed: Parsed, earlier: tuple[bytes, ...] = ()) -> Output:
    """Return the record that tells every listener what this message was answered."""
    stored = StoredAnswer(
        content_hash=parsed.content.hex(),
        code=parsed.code,
        event_ids=tuple(event.event_id for event in parsed.events),
        earlier=tuple(one.hex() for one in earlier),
    )
    return Output(ANSWERS.name, parsed.answer_key, ANSWERS.encode(stored))
