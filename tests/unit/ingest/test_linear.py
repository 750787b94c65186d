"""What a message repeats costs as much for the last as for the first: nothing is quadratic."""

import time
from collections.abc import Callable

import pytest

from services.ingest.frames import parse_frame
from services.ingest.identity import Keys
from services.ingest.parse import SourceProfile
from tests.support.timing import assert_within, timed

KEYS = Keys(event=b"e" * 32, route=b"r" * 32)
MSH = "MSH|^~\\&|A|B|||20260101||{}|1|P|2.5.1\rPID|1||7^^^H^MR\r"


def of_codes(count: int) -> str:
    return MSH.format("RDE^O11") + "RXE|1|" + "~".join(f"c{n}" for n in range(count)) + "|5\r"


def of_components(count: int) -> str:
    additives = "".join(f"RXC|A|x{n}^n^L|5|mg\r" for n in range(count))
    return MSH.format("RDE^O11") + "RXE|1|base^n^L|5\r" + additives


def of_variants(count: int) -> str:
    one = "OBX|{}|ST|48004-6^^LN||c.{}A>G||||||F\r"
    return MSH.format("ORU^R01") + "".join(one.format(n, n + 1) for n in range(count))


def seconds_of(text: str) -> float:
    began_s = time.process_time()
    (message,) = parse_frame(text.encode(), SourceProfile("t"), KEYS, 0).messages
    assert message.code == "AA"
    return time.process_time() - began_s


@pytest.mark.parametrize("make", [of_codes, of_components, of_variants])
@timed
def test_four_times_as_much_takes_no_ten_times_as_long(make: Callable[[int], str]) -> None:
    seconds_of(make(10))
    few = min(seconds_of(make(1_500)) for _ in range(3))
    many = min(seconds_of(make(6_000)) for _ in range(2))
    assert_within(many, 10 * few + 0.02)


def test_a_line_of_a_note_that_begins_with_z_is_no_segment() -> None:
    text = (
        MSH.format("MDM^T02") + "OBX|1|TX|x^y^L||Seen by\rZhu Wei, stable\rZHU Wei\rZPI|1||||||F\r"
    )
    (message,) = parse_frame(text.encode(), SourceProfile("t", strict=False), KEYS, 0).messages
    told = [one.where for one in message.findings if one.code == "z_segment"]
    assert told == ["ZPI"]
