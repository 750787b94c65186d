"""Whatever bytes come, in whatever pieces: an answer for each frame, in time, and no exception.

`make fuzz` goes on for ten minutes, `make test` for some seconds (``--fuzz-seconds``).
"""

import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, seed, settings
from hypothesis import strategies as st

from contracts.identified import IdentifiedBody
from services.ingest import compiled
from services.ingest.frames import parse_frame
from services.ingest.framing import Framer
from services.ingest.identity import Keys
from services.ingest.parse import SourceProfile
from tests.support.timing import assert_works_within, timed

KEYS = Keys(event=b"e" * 32, route=b"r" * 32)
SOURCES = (
    SourceProfile("strict"),
    SourceProfile("lenient", "gb18030", "Asia/Shanghai", "HOSP", strict=False),
)
SECONDS_PER_64_KB = 0.05
AS_PYTHON = 3  # times as slow where nothing is compiled
FRAME_BYTES_MAX = 1_000_000
EXAMPLES_A_ROUND = 200

PIECES = [
    b"MSH|^~\\&|A|F|||20240501||ORU^R01|C1|P|2.5.1\r",
    b"MSH|^~\\&#|A|F|||20240501||ADT^A40|C2|P|2.9\r",
    b"PID|1||7^^^H^MR~9^^^GOV^SS||Doe&van^Jane||19600101|F|||1 Oak&St^^Town|||(206)555^^PH\r",
    b"MRG|6^^^H^MR\r", b"EVN|A01|20240501120000+0200\r", b"PV1|1|I|ICU^1^2|||||5^Gray^M\r",
    b"ORC|NW|1\r", b"OBR|1||F9|24323-8^CMP^LN|||20240501110000\r",
    b"OBX|1|NM|2345-7^Glucose^LN||5.5|mmol/L|4-6|H~A|||C|||20240501\r",
    b"OBX|2|SN|X||>=^3^:^4\r", b"OBX|3|TX|R||line\\.br\\two\\T\\\\X4AE9\\~more\r",
    b"OBX|4|ED|I||^image^png^Base64^iVBORw0K\r", b"NTE|1||note\r", b"ZPI|1|x\r",
    b"RXE||1^Drug^L|5||mg\r", b"AL1|1|DA|x^Penicillin^L|SV|Rash\r", b"DG1|1||J18.9^P^I10\r",
    b"BHS|^~\\&|A\r", b"BTS|2\r", b"FHS|^~\\&\r", b"|", b"^", b"~", b"\\", b"&", b'""',
    b"\r", b"\n",
    b"\x0b", b"\x1c", b"\x1c\r", b"\x00", b"\x1b$B", b"\xff\xfe", b"\xef\xbb\xbf", "王".encode(),
    "王".encode("gb18030"), b"\\X", b"9" * 400, b"|" * 400, b"\\" * 400, b"~" * 400, b"PID|" * 90,
]  # fmt: skip
# Each of many of these has more to say of the whole message: ``#`` becomes its number.
SHORT = [
    b"PID|||1\r", b"PID\r", b"PID|||#^^^H^MR\r", b"ROL||||#^D^J\r",
    b"OBR|1||F#|1^x^L||||||||||||#^Doc^Tor\r", b"OBX|1|TX|a||text\r", b"MRG|#\r", b"NK1||Doe#^J\r",
    b"PV1||||||||#^Doe\r", b"MSH|^~\\&|||||||ADT|#|P|2\r", b"x\r", b"BTS|#\r", b"BHS|^~\\&\r",
    b"Z##\r",
]  # fmt: skip
LONG = 65_536
Sent = tuple[bytes, SourceProfile]
MESSAGES = st.lists(st.sampled_from(PIECES) | st.binary(max_size=8), max_size=60).map(b"".join)


@pytest.fixture
def fuzz(request: pytest.FixtureRequest) -> Callable[[Callable[[], None]], int]:
    """Run hypothesis rounds with one seed after another until the time is over."""
    seconds = float(str(request.config.getoption("--fuzz-seconds"))) / 3

    def rounds(test: Callable[[], None]) -> int:
        until, number = time.monotonic() + seconds, 0
        while number == 0 or time.monotonic() < until:
            seed(number)(test)()
            number += 1
        return number

    return rounds


bounded_settings = settings(
    max_examples=EXAMPLES_A_ROUND,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def bounded(test: Callable[..., None]) -> Callable[..., None]:
    return bounded_settings(test)


@timed
def test_every_frame_is_answered_in_time(fuzz: Callable[[Callable[[], None]], int]) -> None:
    slow: list[Sent] = []

    @bounded
    @given(frame=MESSAGES, source=st.sampled_from(SOURCES))
    def answered(frame: bytes, source: SourceProfile) -> None:
        parsed = parse_frame(frame, source, KEYS, 0)
        found = parsed.messages
        assert found or parsed.envelope.is_there
        for message in found:
            assert message.code in {"AA", "AE", "AR"}
            assert (message.code == "AA") == bool(message.events)
            for event in message.events:
                encoded = msgspec.json.encode(event.body)
                assert msgspec.json.decode(encoded, type=IdentifiedBody) == event.body
        if _seconds(frame, source) > _allowed_s(frame):
            slow.append((frame, source))

    assert fuzz(answered) >= 1
    _look_again(slow)


@timed
def test_much_of_the_same_is_answered_in_time(fuzz: Callable[[Callable[[], None]], int]) -> None:
    """What grows with the square of its length shows in 64 KB of some few pieces."""
    slow: list[Sent] = []

    @settings(bounded_settings, max_examples=10)
    @given(
        head=st.sampled_from(PIECES[:2]),
        some=st.lists(st.sampled_from(PIECES + SHORT), min_size=1, max_size=3).map(b"".join),
        last=st.sampled_from(PIECES + SHORT),
        source=st.sampled_from(SOURCES),
    )
    @example(PIECES[0], SHORT[0], b"", SOURCES[0])
    @example(PIECES[0], SHORT[0] + SHORT[3], b"OBX|1|TX|a||x\r", SOURCES[0])
    @example(PIECES[0], SHORT[2] + SHORT[4] + SHORT[5], b"", SOURCES[0])
    @example(PIECES[1], b"MSH|\r", b"", SOURCES[0])
    @example(PIECES[1], b"x\r", b"", SOURCES[1])
    def answered(head: bytes, some: bytes, last: bytes, source: SourceProfile) -> None:
        numbered = (some.replace(b"#", b"%d" % number) for number in range(LONG // len(some)))
        frame = head + b"".join(numbered)[:LONG] + last
        assert all(
            one.code in {"AA", "AE", "AR"} for one in parse_frame(frame, source, KEYS, 0).messages
        )
        if _seconds(frame, source) > _allowed_s(frame):
            slow.append((frame, source))

    assert fuzz(answered) >= 1
    _look_again(slow)


def _look_again(slow: list[Sent]) -> None:
    for frame, source in slow:
        assert_works_within(_allowed_s(frame), partial(parse_frame, frame, source, KEYS, 0))


def _seconds(frame: bytes, source: SourceProfile) -> float:
    began = time.process_time()
    parse_frame(frame, source, KEYS, 0)
    return time.process_time() - began


def _allowed_s(frame: bytes) -> float:
    slower = 1 if compiled.in_use() else AS_PYTHON
    return slower * SECONDS_PER_64_KB * max(1.0, len(frame) / 65_536)


def frames_of(pieces: list[bytes]) -> list[bytes]:
    framer = Framer(FRAME_BYTES_MAX)
    found = []
    for piece in pieces:
        framer.feed(piece)
        while (frame := framer.next_frame()) is not None:
            found.append(frame.content)
    while (frame := framer.next_frame(end_of_input=True)) is not None:
        found.append(frame.content)
    return found


def test_frames_are_the_same_wherever_the_stream_is_cut(
    fuzz: Callable[[Callable[[], None]], int],
) -> None:
    @bounded
    @given(stream=MESSAGES, data=st.data())
    def same(stream: bytes, data: st.DataObject) -> None:
        whole = frames_of([stream])
        cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=5)))
        edges = [0, *cuts, len(stream)]
        assert frames_of([stream[a:b] for a, b in pairwise(edges)]) == whole
        assert frames_of([stream[at : at + 1] for at in range(len(stream))]) == whole

    assert fuzz(same) >= 1


def test_a_stream_of_frames_is_cut_at_every_byte() -> None:
    contents = [b"".join(PIECES[:12]), b"MSH|second\r", "MSH|王\r".encode("utf-16-le")]
    stream = b"".join(b"\x0b" + content + b"\x1c\r" for content in contents)
    for at in range(len(stream) + 1):
        assert frames_of([stream[:at], stream[at:]]) == contents
