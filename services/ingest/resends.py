"""What has been answered already, bounded: a resend gets the same answer and no second event."""

from collections import OrderedDict
from collections.abc import Iterator

from contracts.answers import ANSWERS, StoredAnswer
from plumbing.event_log import EventReader, Output
from services.ingest.parse import Parsed


class Answered:
    """The newest ``answers_max`` answers by content, and the content last seen by control id."""

    def __init__(self, answers_max: int) -> None:
        """Start empty."""
        self._max = answers_max
        self._codes: OrderedDict[bytes, str] = OrderedDict()
        self._contents: OrderedDict[bytes, bytes] = OrderedDict()

    def __len__(self) -> int:
        """Return how many answers are kept."""
        return len(self._codes)

    def code_of(self, content: bytes) -> str:
        """Return the answer that this content got, or an empty string."""
        return self._codes.get(content[:16], "")

    def is_reuse(self, parsed: Parsed) -> bool:
        """Return whether this control id came from this source with other content."""
        known = self._contents.get(parsed.answer_key)
        return known is not None and known != parsed.content[:16]

    def remember(self, answer_key: bytes, content: bytes, code: str) -> None:
        """Keep an answer; the oldest is let go when there are too many."""
        short = content[:16]
        self._codes[short] = code
        self._contents[answer_key] = short
        for table in (self._codes, self._contents):
            if len(table) > self._max:
                table.popitem(last=False)

    async def load(self, reader: EventReader) -> None:
        """Read the newest answers of the topic. Raises ``Unavailable`` when it cannot be read."""
        partitions = await reader.partitions(ANSWERS.name)
        for partition in partitions:
            end = await reader.end_offset(ANSWERS.name, partition)
            start = await reader.start_offset(ANSWERS.name, partition)
            start = max(start, end - self._max // len(partitions))
            async for records in reader.read(ANSWERS.name, partition, start, end):
                for record in records:
                    if record.key is not None and record.value is not None:
                        stored = ANSWERS.decode(record.value)
                        self.remember(record.key, bytes.fromhex(stored.content_hash), stored.code)


def answer_record(parsed: Parsed) -> Output:
    """Return the record that tells a later start what this message was answered."""
    stored = StoredAnswer(
        content_hash=parsed.content.hex(),
        code=parsed.code,
        event_ids=tuple(_ids(parsed)),
    )
    return Output(ANSWERS.name, parsed.answer_key, ANSWERS.encode(stored))


def _ids(parsed: Parsed) -> Iterator[str]:
    return (event.event_id for event in parsed.events)
