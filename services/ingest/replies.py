"""What became of the messages of a frame, as the bytes that go back to its sender."""

from collections.abc import Sequence

import msgspec

from services.ingest.answers import NOT_STORED, Acknowledger
from services.ingest.committer import Outcome
from services.ingest.conditions import answers_wanted
from services.ingest.frames import ParsedFrame

WIDE = frozenset({"utf-16", "utf-32"})  # a batch in one has one mark, at its beginning


class Reply(msgspec.Struct, frozen=True, gc=False):
    """The answer to one frame: none, one, or two (accept, then application) messages or batches.

    ``outcomes`` has what became of each message.
    """

    payloads: tuple[bytes, ...]
    outcomes: tuple[Outcome, ...]

    @property
    def retry(self) -> bool:
        """Whether something of it was not stored: the same again, please."""
        return any(NOT_STORED in outcome.findings for outcome in self.outcomes)


def reply_of(
    parsed: ParsedFrame, acknowledger: Acknowledger, now_ms: int, outcomes: Sequence[Outcome]
) -> Reply:
    """Return the answer to a frame, each message's in the charset that it came in."""
    accepts: list[tuple[str, str]] = []  # with their charsets
    answers: list[tuple[str, str]] = []
    for message, outcome, asked in zip(parsed.messages, outcomes, parsed.asked, strict=True):
        for code in answers_wanted(asked, outcome.code):
            text = acknowledger.answer(
                message.header, code, outcome.findings, now_ms, enhanced=asked.is_enhanced
            )
            (accepts if code[0] == "C" else answers).append((text, message.charset))
    if not parsed.is_batch:
        payloads = [text.encode(charset, "replace") for text, charset in accepts + answers]
    elif not parsed.messages:
        payloads = [_batch(parsed, acknowledger, now_ms, [])]
    else:
        some = [one for one in (accepts, answers) if one]
        payloads = [_batch(parsed, acknowledger, now_ms, one) for one in some]
    return Reply(tuple(payloads), tuple(outcomes))


def _batch(
    parsed: ParsedFrame,
    acknowledger: Acknowledger,
    now_ms: int,
    answers: Sequence[tuple[str, str]],
) -> bytes:
    first = parsed.messages[0] if parsed.messages else None
    header, charset = (first.header, first.charset) if first else (None, "ascii")
    opening, closing = acknowledger.batch(header, len(answers), parsed.envelope, now_ms)
    if charset in WIDE:
        texts = (opening, *(text for text, _ in answers), closing)
        return "".join(texts).encode(charset, "replace")
    all_of_it = ((opening, charset), *answers, (closing, charset))
    return b"".join(text.encode(one, "replace") for text, one in all_of_it)
