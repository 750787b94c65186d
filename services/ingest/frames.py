"""One frame, file or HTTP body: a single message, a batch, or nothing that is a message."""

from typing import Final

import msgspec

from contracts.clinical import Finding
from services.ingest.charset import split_frame
from services.ingest.cleaning import cleaned
from services.ingest.conditions import ORIGINAL, Conditions, conditions_in, conditions_of
from services.ingest.hl7 import BATCH_SEGMENTS, BLANKS
from services.ingest.identity import Keys
from services.ingest.parse import Parsed, SourceProfile, parse
from services.ingest.unmapped import completed

NO_MESSAGE = Finding("error", "MSH", "100", "no MSH segment")
XML_MESSAGE = Finding("error", "MSH", "xml", "HL7 v2 in XML is not taken: send it in pipes")
LIKELY_ONE_BYTES: Final = 65_536  # of more, the header alone would not be worth a second reading
BEFORE_MESSAGE = Finding("error", "MSH", "100", "text before the first MSH segment")


class ParsedFrame(msgspec.Struct, frozen=True):
    """The messages of a frame in order, at least one; ``is_batch`` asks for a batch of answers.

    ``asked`` has what each of them says of its answers (MSH-15, MSH-16), ``raws`` its bytes.
    """

    messages: tuple[Parsed, ...]
    is_batch: bool
    asked: tuple[Conditions, ...] = (ORIGINAL,)
    raws: tuple[bytes, ...] = (b"",)


def parse_frame(
    frame: bytes,
    source: SourceProfile,
    keys: Keys,
    received_at_ms: int,
    received_order: int = 0,
) -> ParsedFrame:
    """Return every message of a frame; one without any gives one refusal (AR).

    ``received_order`` is that of the first message, each further one has the next.
    """
    if is_likely_one(frame):
        one = parse(frame, source, keys, received_at_ms, received_order)
        if one.is_alone:
            return ParsedFrame(
                (completed(cleaned(one), frame),),
                is_batch=False,
                asked=(_asked(one, frame),),
                raws=(frame,),
            )
    head, parts = split_frame(frame)
    if not parts:
        reason = XML_MESSAGE if is_xml(head) else NO_MESSAGE
        nothing = Parsed("AR", None, "ascii", (reason,))
        return ParsedFrame((nothing,), is_batch=False, raws=(frame,))
    found = [
        completed(cleaned(parse(part, source, keys, received_at_ms, order)), part)
        for order, part in enumerate(parts, received_order)
    ]
    lines = [line for line in head.decode("latin-1").splitlines() if line.strip(BLANKS)]
    envelope = [line for line in lines if line[:3] in BATCH_SEGMENTS]
    if len(envelope) < len(lines):
        found[0] = _refused(found[0])
    asked = tuple(map(_asked, found, parts))
    return ParsedFrame(tuple(found), len(parts) > 1 or bool(envelope), asked, tuple(parts))


def is_likely_one(frame: bytes) -> bool:
    """Return whether a frame is a single message, unless one of its lines begins another.

    The parser looks at each line anyway and says (``is_alone``); to search the bytes for a further
    MSH costs a tenth of it. What begins a line only for ``split_frame`` is looked for here.
    """
    return (
        frame.startswith(b"MSH")
        and len(frame) <= LIKELY_ONE_BYTES
        and b"\x0b" not in frame
        and (b"\xbf" not in frame or b"\xbfMSH" not in frame)
    )


def _asked(message: Parsed, raw: bytes) -> Conditions:
    header = message.header
    return conditions_of(raw) if header is None else conditions_in(header)


def is_xml(frame: bytes) -> bool:
    """Return whether a frame without MSH is the XML encoding of HL7 v2 (or other XML)."""
    head = frame[:200].replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    return head.startswith((b"<?xml", b"<")) and b">" in frame


def _refused(first: Parsed) -> Parsed:
    return Parsed("AR", first.header, first.charset, (BEFORE_MESSAGE, *first.findings))
