"""One frame, file or HTTP body: a single message, a batch, or nothing that is a message."""

from time import sleep
from typing import Final

import msgspec

from contracts.clinical import Finding
from services.ingest import batches, hl7
from services.ingest.batches import NO_ENVELOPE, Envelope, envelope_of
from services.ingest.charset import decode, split_frame
from services.ingest.cleaning import cleaned
from services.ingest.conditions import ORIGINAL, Conditions, conditions_in, conditions_of
from services.ingest.hl7 import Header
from services.ingest.identity import Keys
from services.ingest.parse import Parsed, SourceProfile, parse
from services.ingest.unmapped import completed

HEAD_BYTES: Final = 4_096
HEADER_BYTES_MIN = len(rb"MSH|^~\&|||||||A|1|P|2") + 1
SHORT_PARTS_MAX = 1_000
BREATH_MESSAGES: Final = 64  # as ``hl7.BREATH_SEGMENTS``
NOT_READ = Finding("error", "", "207", "could not be read")
NO_MESSAGE = Finding("error", "MSH", "100", "no MSH segment")
XML_MESSAGE = Finding("error", "MSH", "xml", "HL7 v2 in XML is not taken: send it in pipes")
LIKELY_ONE_BYTES: Final = 65_536  # of more, the header alone would not be worth a second reading
BEFORE_MESSAGE = Finding("error", "MSH", "100", "text before the first MSH segment")


class ParsedFrame(msgspec.Struct, frozen=True):
    """The messages of a frame in order, at least one but in an empty batch; ``is_batch`` asks for
    a batch of answers.

    ``asked`` has what each of them says of its answers (MSH-15, MSH-16), ``raws`` its bytes;
    ``envelope`` is the batch's own. ``faults``: what nobody foresaw in those that are refused as
    ``unread``.
    """

    messages: tuple[Parsed, ...]
    is_batch: bool
    asked: tuple[Conditions, ...] = (ORIGINAL,)
    raws: tuple[bytes, ...] = (b"",)
    envelope: Envelope = NO_ENVELOPE
    faults: tuple[Exception, ...] = ()


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
        one = _alone(frame, source, keys, received_at_ms, received_order)
        if one is not None and one.is_alone:
            return ParsedFrame(
                (completed(cleaned(one), frame),),
                is_batch=False,
                asked=(_asked(one, frame),),
                raws=(frame,),
            )
    head, parts = split_frame(frame)
    envelope, is_clean = envelope_of(head)
    if len(parts) > SHORT_PARTS_MAX and len(frame) < HEADER_BYTES_MIN * len(parts):
        parts = []  # not one of them can be a message: one answer is enough
    if not parts:
        if is_clean and envelope.is_there and batches.is_empty(head):
            return ParsedFrame((), is_batch=True, asked=(), raws=(), envelope=envelope)
        reason = XML_MESSAGE if is_xml(head) else NO_MESSAGE
        nothing = Parsed("AR", None, "ascii", (reason,))
        return ParsedFrame((nothing,), is_batch=False, raws=(frame,))
    faults: list[Exception] = []
    found = [
        _of_several(part, source, keys, (received_at_ms, order), faults)
        for order, part in enumerate(parts, received_order)
    ]
    if not is_clean:
        found[0] = _refused(found[0])
    if envelope.is_there:
        found = batches.checked(
            found, parts, is_strict=source.strict and envelope.file_id is not None
        )
    asked = tuple(map(_asked, found, parts))
    is_batch = len(parts) > 1 or envelope.is_there
    return ParsedFrame(tuple(found), is_batch, asked, tuple(parts), envelope, tuple(faults))


def header_of(head: bytes, charset: str) -> tuple[Header | None, str]:
    """Return the header at the beginning of a message, and the charset that it was read in."""
    decoded = decode(head[:HEAD_BYTES], charset)
    line = decoded.text.replace("\n", "\r").partition("\r")[0]
    return hl7.read(line, decoded.used, strict=False).header, decoded.used


def unread(raw: bytes, source: SourceProfile, why: Finding = NOT_READ) -> Parsed:
    """Return the refusal of a message in which something is that nobody foresaw."""
    try:
        header, charset = header_of(raw, source.charset)
    except Exception:  # noqa: BLE001 - it may be the header
        header, charset = None, "ascii"
    return Parsed("AE", header, charset, (why,))


def _alone(
    frame: bytes, source: SourceProfile, keys: Keys, received_at_ms: int, received_order: int
) -> Parsed | None:
    """Return a frame that is likely a single message, None where that cannot be read."""
    try:
        return parse(frame, source, keys, received_at_ms, received_order)
    except Exception:  # noqa: BLE001 - it is read once more, as one of several
        return None


def _of_several(
    part: bytes,
    source: SourceProfile,
    keys: Keys,
    received: tuple[int, int],
    faults: list[Exception],
) -> Parsed:
    if received[1] % BREATH_MESSAGES == 0:
        sleep(0)
    try:
        return completed(cleaned(parse(part, source, keys, *received)), part)
    except Exception as error:  # noqa: BLE001 - the others of the frame are good
        faults.append(error)
        return unread(part, source)


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
