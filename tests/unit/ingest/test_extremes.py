"""What is out of all measure in one message is bounded and told; the loop goes on meanwhile."""

import asyncio
import gc
import time

import pytest

from services.ingest.dialect import LONG_CHARS, REPETITIONS_MAX, dialect_of
from services.ingest.doors import Door
from services.ingest.hl7 import SEGMENTS_MAX
from services.ingest.identity import Keys
from services.ingest.parse import Parsed, SourceProfile
from services.ingest.reading import read_frame
from tests.support.timing import assert_within, timed
from tests.unit.ingest.test_mllp import oru

KEYS = Keys(b"1" * 32, b"2" * 32)
DOOR = Door(SourceProfile("lab"))


def read(message: bytes) -> Parsed:
    (found,) = read_frame(message, DOOR, KEYS, 1_700_000_000_000, 0).messages
    return found


def test_too_many_segments_are_refused_with_the_control_id() -> None:
    found = read(oru("C1") + b"ZZ1|\r" * SEGMENTS_MAX)
    assert (found.code, found.findings[-1].code) == ("AE", "too_many_segments")
    assert found.header is not None
    assert found.header.control_id == "C1"
    assert read(oru("C1") + b"ZZ1|\r" * 10_000).code == "AA"


def test_of_a_coded_result_so_many_answers_are_read_and_it_is_told() -> None:
    answers = b"~".join(b"%d^organism^L" % number for number in range(REPETITIONS_MAX + 5))
    found = read(oru("C1") + b"OBX|2|CE|600-7^Culture^LN||" + answers + b"||||||F\r")
    result = found.events[0].body.observations[-1]
    assert len(result.further_answers) == REPETITIONS_MAX - 1
    assert [one.code for one in found.findings] == ["too_many_answers"]
    few = read(oru("C1") + b"OBX|2|CE|600-7^Culture^LN||" + answers[:100] + b"||||||F\r")
    assert not few.findings


@pytest.mark.parametrize("piece", [r"line\.br\ ", r"a\T\b\F\c\E\d ", "\\X41\\", "\\unknown\\ "])
def test_a_long_value_is_read_as_a_short_one(piece: str) -> None:
    dialect = dialect_of("|", "^~\\&", "utf-8")
    number = LONG_CHARS // len(piece) + 1
    assert dialect.text(piece * number) == dialect.text(piece) * number


@timed
async def test_a_batch_lets_others_in_all_the_time() -> None:
    batch = b"".join(oru(f"C{number}") for number in range(4_000))
    reading = asyncio.create_task(asyncio.to_thread(read_frame, batch, DOOR, KEYS, 1, 0))
    gc.disable()  # the service spares what stays (``plumbing.garbage``), a test process not
    longest_s, last = 0.0, time.perf_counter()
    began = last
    while not reading.done():
        await asyncio.sleep(0.002)
        now = time.perf_counter()
        longest_s, last = max(longest_s, now - last), now
    gc.enable()
    assert len((await reading).messages) == 4_000
    assert_within(longest_s, (last - began) / 3)  # a twentieth alone; the machine may be busy
