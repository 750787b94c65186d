"""A frame that is likely one message is read as one that has to be split: the same is said."""

import random

import pytest

from services.ingest.conditions import ORIGINAL, Conditions, conditions_in, conditions_of
from services.ingest.frames import is_likely_one, parse_frame
from services.ingest.hl7 import read
from services.ingest.identity import Keys
from services.ingest.parse import SourceProfile, parse

KEYS = Keys(event=b"e" * 32, route=b"r" * 32)
SOURCES = (SourceProfile("strict"), SourceProfile("lenient", "gb18030", strict=False))
HEADER = b"MSH|^~\\&|A|F|||20240501||ORU^R01|7|P|2.5"
MESSAGE = HEADER + b"\rPID|1||7^^^H^MR\rOBX|1|NM|8867-4^^LN||80|/min|||||F\r"
LINES = (
    MESSAGE, b"MSH#^~\\&#A\r", b"MSH|\r", b"MSH\r", b"MSHA|1\r", b"\nMSH|^~\\&|A\n", b"BTS|1\r",
    b"ZZZ|1\r", b"Zebra crossing\r", b'DG1|""\r', b'AL1|1||""\r', b"OBX|2|ST|x||a\x0bMSH|^~\\&|B\r",
    b"NTE|1||\xef\xbb\xbfMSH|^~\\&|B\r", b"NTE|1||\xe7\x8e\x8b\xbf\r", b"\r", b"junk\r", b"\x1c\r",
    b"OBX|3|ED|x||a^b^c^Base64^iVBORw0KGgo=\r",
)  # fmt: skip


@pytest.mark.parametrize("source", SOURCES)
def test_one_message_and_one_that_is_split_say_the_same(source: SourceProfile) -> None:
    chance = random.Random(1)
    seen = set()
    for _ in range(2_000):
        frame = MESSAGE + b"".join(chance.choices(LINES, k=chance.randrange(4)))
        ours = parse_frame(frame, source, KEYS, 1, 7)
        # Behind an empty line no frame is taken for one message.
        split = parse_frame(b"\r" + frame, source, KEYS, 1, 7)
        assert ours.raws == split.raws
        assert ours.asked == split.asked
        assert ours.is_batch == split.is_batch
        assert [_said(one) for one in ours.messages] == [_said(one) for one in split.messages]
        seen.add((is_likely_one(frame), ours.messages[0].is_alone))
    assert (True, True) in seen
    assert (True, False) in seen


def _said(one: object) -> tuple[object, ...]:
    told = ("code", "charset", "findings", "events", "content", "answer_key")
    return tuple(getattr(one, name) for name in told)


@pytest.mark.parametrize(
    ("line", "more"),
    [
        (b"", False), (b"ZPI|1\r", True), (b'AL1|1||""\r', True),
        (b"OBX|2|ED|x||a^b^c^Base64^iVBORw0KGgo=\r", True), (b"OBX|2|RP|x||here\r", True),
    ],
)  # fmt: skip
def test_the_parser_tells_whether_more_is_to_be_looked_for(line: bytes, *, more: bool) -> None:
    assert parse(MESSAGE + line, SOURCES[0], KEYS, 1).has_more is more


@pytest.mark.parametrize(
    "rest", [b"", b"|||AL|NE", b"|||ne", b'|||""|SU', b"||||ER|", b"||| al |x"]
)
def test_a_header_that_was_read_asks_for_what_its_bytes_do(rest: bytes) -> None:
    header = read((HEADER + rest).decode(), "ascii", strict=True).header
    assert header is not None
    assert conditions_in(header) == conditions_of(HEADER + rest)
    assert conditions_of(HEADER + b"|||AL|NE") == Conditions("AL", "NE")
    assert conditions_of(HEADER) == ORIGINAL
