"""Frames out of a stream of bytes: what a sender gave up in the middle is not a message."""

import pytest

from services.ingest.framing import Framer

WHOLE = b"MSH|^~\\&|LAB|H|||20240101||ORU^R01|2|P|2.5.1\rOBX|1|NM|8867-4^HR^LN||120|/min\r"


def frames(stream: bytes) -> tuple[list[bytes], int]:
    framer = Framer(10_000)
    framer.feed(stream)
    found = []
    while (frame := framer.next_frame(end_of_input=True)) is not None:
        found.append(frame.content)
    return found, framer.unframed


@pytest.mark.parametrize("cut", [5, 20, len(WHOLE) - 12])
def test_what_was_given_up_within_a_line_is_thrown_away_and_counted(cut: int) -> None:
    stream = b"\x0b" + WHOLE[:cut] + b"\x0b" + WHOLE + b"\x1c\r"
    assert frames(stream) == ([WHOLE], cut)


def test_messages_of_a_careless_batch_are_kept_whole() -> None:
    content = WHOLE + b"\x0b" + WHOLE
    assert frames(b"\x0b" + content + b"\x1c\r") == ([content], 0)


def test_the_last_restart_counts_where_there_are_several() -> None:
    stream = b"\x0b" + WHOLE[:30] + b"\x0b" + WHOLE + b"\x0b" + WHOLE + b"\x1c\r"
    content = WHOLE + b"\x0b" + WHOLE
    assert frames(stream) == ([content], 30)
