"""Batches: their envelope in the answers, a trailer that is missing or counts otherwise."""

import pytest

from services.ingest.frames import ParsedFrame, parse_frame
from services.ingest.identity import Keys
from services.ingest.parse import PATIENTS_MAX, SourceProfile
from tests.unit.ingest.conftest import MakeBench, sender
from tests.unit.ingest.test_mllp import oru

KEYS = Keys(event=b"e" * 32, route=b"r" * 32)
OPENING = b"FHS|^~\\&|A\rBHS|^~\\&|A\r"


def parsed(raw: bytes, *, strict: bool = True) -> ParsedFrame:
    return parse_frame(raw, SourceProfile("t", strict=strict), KEYS, 0)


def codes(frame: ParsedFrame) -> list[tuple[str, list[tuple[str, str]]]]:
    return [(one.code, [(f.level, f.code) for f in one.findings]) for one in frame.messages]


CUT_OFF = oru("C2")[: oru("C2").rindex(b"mmol/L")]


@pytest.mark.parametrize("strict", [True, False])
def test_the_last_message_of_a_batch_that_was_cut_off_is_refused(strict: bool) -> None:  # noqa: FBT001
    found = parsed(OPENING + oru("C1") + CUT_OFF, strict=strict)
    assert codes(found) == [
        ("AA", [("warn", "batch_cut")]),
        ("AE", [("error", "batch_cut")]),
    ]
    assert found.messages[0].events[0].body.findings[-1].code == "batch_cut"
    assert found.messages[1].events == ()


def test_a_batch_without_a_trailer_whose_last_line_is_whole_passes_a_lenient_door() -> None:
    raw = OPENING + oru("C1") + oru("C2")
    assert codes(parsed(raw, strict=False)) == [("AA", [("warn", "batch_cut")])] * 2
    assert [code for code, _ in codes(parsed(raw))] == ["AA", "AE"]
    without_file = raw.partition(b"\r")[2]
    assert [code for code, _ in codes(parsed(without_file))] == ["AA", "AA"]
    assert [code for code, _ in codes(parsed(without_file[:-1]))] == ["AA", "AE"]


@pytest.mark.parametrize(
    ("trailer", "is_odd"),
    [(b"BTS|2\r", False), (b"BTS|5\r", True), (b"BTS|\rFTS|1\r", False), (b"BTS", False),
     (b"FTS|1\r", False), (b"BTS|2\nFTS|1", False), (b"BTS|1\r" * 9, True)],
)  # fmt: skip
def test_a_trailer_that_counts_otherwise_is_a_warning(trailer: bytes, is_odd: bool) -> None:  # noqa: FBT001
    found = parsed(OPENING + oru("C1") + oru("C2") + trailer)
    odd = [("warn", "batch_count")] if is_odd else []
    assert codes(found) == [("AA", []), ("AA", odd)]


def test_each_batch_of_a_file_has_its_own_count() -> None:
    raw = OPENING + oru("C1") + b"BTS|1\rBHS|^~\\&|A\r" + oru("C2") + oru("C3") + b"BTS|2\rFTS|2\r"
    assert codes(parsed(raw)) == [("AA", [])] * 3


@pytest.mark.parametrize("charset", ["utf-8", "utf-16"])
def test_a_trailer_is_found_in_any_charset(charset: str) -> None:
    raw = (OPENING + oru("C1") + oru("C2") + b"BTS|2\r").decode().encode(charset)
    assert [code for code, _ in codes(parsed(raw))] == ["AA", "AA"]


def test_messages_without_a_batch_need_no_trailer() -> None:
    assert codes(parsed(oru("C1") + oru("C2"))) == [("AA", [])] * 2


@pytest.mark.parametrize(
    ("raw", "is_answered_empty"),
    [(b"BTS|0\rFTS|1\r", True), (b"BTS|\r", True), (b"BTS|3\rFTS|1\r", False), (b"", False),
     (b"BTS|0\rhello", False)],
)  # fmt: skip
async def test_an_empty_batch_gets_an_empty_batch(
    make_bench: MakeBench, raw: bytes, *, is_answered_empty: bool
) -> None:
    async with make_bench() as bench, sender(bench.service.mllp.port) as link:
        lines = (await link.send(OPENING + raw)).decode().split("\r")
        names = [line[:3] for line in lines]
        if is_answered_empty:
            assert names == ["FHS", "BHS", "BTS", "FTS", ""]
            assert lines[2] == "BTS|0"
        else:
            assert lines[1].startswith("MSA|AR|")
        assert bench.service._gate._bytes == 0
        assert (await link.send(oru("C1"))).split(b"\r")[1] == b"MSA|AA|C1"


async def test_the_answers_repeat_the_ids_of_file_and_batch(make_bench: MakeBench) -> None:
    opening = b"FHS|^~\\&|S|F|||2026||||FILE7\rBHS|^~\\&|S|F|||2026||||BATCH7\r"
    raw = opening + oru("C1") + b"BTS|1\rFTS|1\r"
    async with make_bench() as bench, sender(bench.service.mllp.port) as link:
        lines = [line.split("|") for line in (await link.send(raw)).decode().split("\r")]
        assert [line[0] for line in lines] == ["FHS", "BHS", "MSH", "MSA", "BTS", "FTS", ""]
        assert (lines[0][11], lines[1][11]) == ("FILE7", "BATCH7")
        assert lines[0][10] == lines[1][10] != ""
        alone = (await link.send(b"BHS|^~\\&\r" + oru("C2") + b"BTS|1\r")).decode().split("\r")
        assert [line[:3] for line in alone] == ["BHS", "MSH", "MSA", "BTS", ""]


async def test_each_answer_of_a_batch_is_in_the_charset_of_its_message(
    make_bench: MakeBench,
) -> None:
    raw = b"BHS|^~\\&\r" + oru("C1") + oru("\u00c9 1").decode().encode("latin-1") + b"BTS|2\r"
    async with make_bench() as bench, sender(bench.service.mllp.port) as link:
        answer = await link.send(raw)
        assert b"MSA|AA|\xc9 1\r" in answer


@pytest.mark.parametrize(
    "head", [b"MSH||A|B|C|D|2026||ADT^A08|ID77|P|2.5\r", b"MSH|ab|||||||ADT|ID77|P|2.5\r"]
)
async def test_a_control_id_is_repeated_where_the_delimiters_cannot_be_used(
    make_bench: MakeBench, head: bytes
) -> None:
    async with make_bench() as bench, sender(bench.service.mllp.port) as link:
        assert b"MSA|AR|ID77|" in await link.send(head + b"PID|1||1\r")


async def test_the_control_id_of_a_large_message_in_utf16_is_repeated(
    make_bench: MakeBench,
) -> None:
    big = (oru("U16") + b"NTE|1||" + b"x" * 20_000).decode().encode("utf-16")
    async with (
        make_bench(frame_bytes_max=10_000) as bench,
        sender(bench.service.mllp.port) as link,
    ):
        assert "MSA|AR|U16|" in (await link.send(big)).decode("utf-16")


async def test_a_line_that_is_no_segment_is_placed_behind_its_segment(
    make_bench: MakeBench,
) -> None:
    lines = b"".join(b"OBX|%d|NM|8867-4^HR^LN||88|/min|||||F\r" % n for n in (2, 3))
    async with make_bench() as bench, sender(bench.service.mllp.port) as link:
        assert b"\rERR||OBX^3|100^" in await link.send(oru("E1") + lines + b"junk\r" + lines)


def test_more_patients_than_a_message_may_have_are_refused_with_the_reason() -> None:
    head = oru("MANY").partition(b"\r")[0] + b"\r"
    few, many = (head + b"PID|||7\r" * n for n in (PATIENTS_MAX, PATIENTS_MAX + 1))
    assert len(parsed(few).messages[0].events) == PATIENTS_MAX
    (message,) = parsed(many).messages
    assert (message.code, message.events) == ("AE", ())
    assert message.findings[-1].code == "too_many_patients"


def test_staff_of_all_patients_are_known_to_the_notes_where_they_are_few() -> None:
    head = oru("STAFF").partition(b"\r")[0] + b"\r"

    def people(number: int) -> bytes:
        each = (
            b"PID|||%d^^^H^MR\rROL||||%d^Doc%d^Tor\rOBX|1|TX|a||x\r" % (n, n, n)
            for n in range(number)
        )
        return head + b"".join(each)

    few = parsed(people(60)).messages[0].events
    assert {len(event.body.patient.others["STAFF"]) for event in few} == {60}
    many = parsed(people(90)).messages[0].events
    names = [event.body.patient.others["STAFF"] for event in many]
    assert names == [(f"Tor Doc{number}",) for number in range(90)]
