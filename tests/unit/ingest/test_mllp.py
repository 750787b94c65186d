"""What a sender sees: answers in order, AA only when stored, resends, bounds."""

import asyncio

import pytest

from services.ingest.mllp import LONE_END_S
from tests.unit.ingest.conftest import MakeBench, msa, sender

ORU = (
    b"MSH|^~\\&|LAB|HOSP|AUSCULT|HOSP|20231114220000||ORU^R01^ORU_R01|%s|P|2.5.1\r"
    b"PID|1||%s^^^HOSP^MR||Doe^Jane||19600101|F\r"
    b"OBR|1||F1|2345-7^Glucose^LN|||20231114215500\r"
    b"OBX|1|NM|2345-7^Glucose^LN||5.5|mmol/L|||||F\r"
)


def oru(control_id: str, mrn: str = "A1") -> bytes:
    return ORU % (control_id.encode(), mrn.encode())


async def test_an_accepted_message_is_stored_before_its_answer(make_bench: MakeBench) -> None:
    async with make_bench() as bench, sender(bench.service.mllp.port) as link:
        answer = await link.send(oru("C1"))
        assert msa(answer) == ("AA", "C1")
        assert answer.startswith(b"MSH|^~\\&|AUSCULT|HOSP|LAB|HOSP|")
        (body,) = bench.bodies()
        assert body.control_id == "C1"
        assert body.patient.ids[0].value == "A1"
        assert body.raw == oru("C1")


async def test_headers_and_readable_part_name_no_patient(make_bench: MakeBench) -> None:
    async with make_bench() as bench, sender(bench.service.mllp.port) as link:
        await link.send(oru("C1", "MRN-SECRET"))
        (event,) = bench.events()
        (record,) = bench.log.records("clinical.identified.v1")
        headers = dict(record.headers)
        assert headers["event_id"].decode() == event.event_id
        assert headers["source"].startswith(b"mllp/")
        assert len(headers["traceparent"]) == 55
        assert record.value is not None
        assert b"MRN-SECRET" not in record.value
        assert b"MRN-SECRET" not in (record.key or b"")


async def test_the_source_tells_senders_apart_and_names_none(make_bench: MakeBench) -> None:
    """Refusals are counted by it, and it stands in the clear."""
    async with make_bench() as bench, sender(bench.service.mllp.port) as link:
        await link.send(oru("C1"))
        await link.send(oru("C2"))
        await link.send(oru("C3").replace(b"|LAB|", b"|ICU|"))
        await link.send(oru("C4").replace(b"|LAB|HOSP|", b"|LAB|CLINIC|"))
        records = bench.log.records("clinical.identified.v1")
        sources = [dict(record.headers)["source"] for record in records]
    assert len(set(sources)) == 3
    assert sorted(sources.count(one) for one in set(sources)) == [1, 1, 2]
    for name in (b"LAB", b"ICU", b"HOSP", b"CLINIC"):
        assert not any(name in one for one in sources)


async def test_a_resend_gets_the_same_answer_and_no_second_event(make_bench: MakeBench) -> None:
    async with make_bench() as bench, sender(bench.service.mllp.port) as link:
        first = msa(await link.send(oru("C1")))
        later = ORU.replace(b"20231114220000||ORU", b"20231114229999||ORU") % (b"C1", b"A1")
        assert msa(await link.send(later)) == first
        assert len(bench.events()) == 1


async def test_an_empty_control_id_is_refused_or_its_content_is_its_identity(
    make_bench: MakeBench,
) -> None:
    async with make_bench() as bench, sender(bench.service.mllp.port) as link:
        answer = await link.send(oru(""))
        assert msa(answer) == ("AR", "")
        assert b"ERR||MSH^1^10|101^" in answer
        assert bench.events() == []
    async with make_bench(strict=False) as bench, sender(bench.service.mllp.port) as link:
        for message in (oru(""), oru(""), oru("", "B2"), oru("")):
            assert msa(await link.send(message)) == ("AA", "")
        assert sorted(body.patient.ids[0].value for body in bench.bodies()) == ["A1", "B2"]
        findings = [one.code for body in bench.bodies() for one in body.findings]
        assert "control_id_reuse" not in findings


async def test_a_resend_after_a_restart_is_known(make_bench: MakeBench) -> None:
    async with make_bench() as bench, sender(bench.service.mllp.port) as link:
        await link.send(oru("C1"))
        log = bench.log
    async with make_bench(log) as bench, sender(bench.service.mllp.port) as link:
        assert msa(await link.send(oru("C1"))) == ("AA", "C1")
        assert len(bench.events()) == 1
        assert len(bench.answers()) == 1


async def test_the_same_control_id_with_other_content_is_taken_and_flagged(
    make_bench: MakeBench,
) -> None:
    async with make_bench() as bench, sender(bench.service.mllp.port) as link:
        await link.send(oru("C1", "A1"))
        assert msa(await link.send(oru("C1", "A2"))) == ("AA", "C1")
        bodies = {body.patient.ids[0].value: body for body in bench.bodies()}
        assert not bodies["A1"].findings
        assert [one.code for one in bodies["A2"].findings] == ["control_id_reuse"]


async def test_pipelined_frames_are_answered_in_order(make_bench: MakeBench) -> None:
    async with make_bench(in_flight_max=4) as bench, sender(bench.service.mllp.port) as link:
        names = [f"C{number}" for number in range(50)]
        link.write(b"".join(b"\x0b" + oru(name) + b"\x1c\r\n" for name in names))
        assert [msa(await link.answer())[1] for _ in names] == names
        stored = [body.control_id for body in bench.bodies()]
        assert stored == names  # one patient: one partition, in order


@pytest.mark.parametrize("cut", [1, 2, 5, 40, -3, -2, -1])
async def test_a_frame_may_come_in_pieces(make_bench: MakeBench, cut: int) -> None:
    frame = b"\x0b" + oru("C1") + b"\x1c\r"
    async with make_bench() as bench, sender(bench.service.mllp.port) as link:
        link.write(frame[:cut])
        await asyncio.sleep(0.02)
        link.write(frame[cut:])
        assert msa(await link.answer()) == ("AA", "C1")


async def test_an_end_without_carriage_return_is_an_end(make_bench: MakeBench) -> None:
    async with make_bench() as bench, sender(bench.service.mllp.port) as link:
        link.write(b"\x0b" + oru("C1") + b"\x1c")
        assert msa(await link.answer()) == ("AA", "C1")
        assert msa(await link.send(oru("C2"))) == ("AA", "C2")


async def test_an_end_without_carriage_return_waits_for_its_turn_and_is_not_forgotten(
    make_bench: MakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with make_bench(in_flight_max=1) as bench, sender(bench.service.mllp.port) as link:
        held, commit = asyncio.Event(), bench.log.commit

        async def slow(*told: object) -> object:
            await held.wait()
            return await commit(*told)  # type: ignore[arg-type]

        monkeypatch.setattr(bench.log, "commit", slow)
        link.write(b"\x0b" + oru("C1") + b"\x1c\r\x0b" + oru("C2") + b"\x1c")
        await asyncio.sleep(2 * LONE_END_S)  # the end is told while nothing may be taken
        held.set()
        assert msa(await link.answer()) == ("AA", "C1")
        assert msa(await link.answer()) == ("AA", "C2")


async def test_half_a_letter_is_no_end_however_long_the_other_half_takes(
    make_bench: MakeBench,
) -> None:
    # U+4E1C ends with the byte of FS where it comes first.
    message = oru("C1").decode().replace("Doe", "\u4e1c\u4e1c").encode("utf-16")
    frame = b"\x0b" + message + b"\x1c\r"
    cut = frame.index(b"\x1c\x4e") + 1
    async with make_bench() as bench, sender(bench.service.mllp.port) as link:
        link.write(frame[:cut])
        await asyncio.sleep(2 * LONE_END_S)
        link.write(frame[cut:])
        assert msa_wide(await link.answer()) == ("AA", "C1")
        (body,) = bench.bodies()
        assert body.patient.names[0].family == "\u4e1c\u4e1c"


def msa_wide(answer: bytes) -> tuple[str, str]:
    return msa(answer.decode("utf-16").encode())


async def test_no_answer_aa_while_kafka_is_away_and_reading_goes_on_afterwards(
    make_bench: MakeBench,
) -> None:
    async with make_bench(ack_deadline_s=0.2) as bench, sender(bench.service.mllp.port) as link:
        bench.log.available = False
        answer = await link.send(oru("C1"))
        assert msa(answer) == ("AE", "C1")
        assert b"207^Application internal error^HL70357|E" in answer
        link.write(b"\x0b" + oru("C1") + b"\x1c\r")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await link.answer()
        bench.log.available = True
        assert msa(await link.answer()) == ("AA", "C1")
        assert len(bench.events()) == 1


async def test_without_a_sealing_key_nothing_is_accepted(make_bench: MakeBench) -> None:
    async with make_bench() as bench, sender(bench.service.mllp.port) as link:
        assert msa(await link.send(oru("C1"))) == ("AA", "C1")
        bench.clock.advance(4 * 86_400)
        assert msa(await link.send(oru("C2"))) == ("AE", "C2")
        assert len(bench.events()) == 1


async def test_a_key_of_yesterday_serves_today(make_bench: MakeBench) -> None:
    async with make_bench() as bench, sender(bench.service.mllp.port) as link:
        bench.clock.advance(86_400)
        assert msa(await link.send(oru("C1"))) == ("AA", "C1")
        assert bench.events()[0].key_day == "2023-11-14"


async def test_a_frame_over_the_limit_is_refused_and_the_next_one_taken(
    make_bench: MakeBench,
) -> None:
    async with make_bench(frame_bytes_max=2000) as bench, sender(bench.service.mllp.port) as link:
        assert msa(await link.send(oru("BIG") + b"NTE|1||" + b"x" * 50_000)) == ("AR", "BIG")
        assert msa(await link.send(oru("C2"))) == ("AA", "C2")
        assert len(bench.events()) == 1


async def test_what_is_no_message_gets_an_answer(make_bench: MakeBench) -> None:
    async with make_bench() as bench, sender(bench.service.mllp.port) as link:
        assert msa(await link.send(b"hello")) == ("AR", "")
        assert msa(await link.send(oru("C1").replace(b"|2.5.1", b"|3.0"))) == ("AR", "C1")
        assert msa(await link.send(oru("C1") + b"not a segment")) == ("AE", "C1")
        assert bench.events() == []


async def test_a_batch_gets_a_batch_of_answers(make_bench: MakeBench) -> None:
    async with make_bench() as bench, sender(bench.service.mllp.port) as link:
        frame = b"BHS|^~\\&|LAB|HOSP\r" + oru("C1") + oru("C2", "A2") + b"BTS|2\r"
        answer = await link.send(frame)
        lines = answer.decode().split("\r")
        assert lines[0].startswith("BHS|^~\\&|AUSCULT|HOSP|LAB|HOSP|")
        assert [line for line in lines if line.startswith("MSA")] == ["MSA|AA|C1", "MSA|AA|C2"]
        assert lines[-2] == "BTS|2"
        assert len(bench.events()) == 2


async def test_idle_and_stalled_connections_are_closed(make_bench: MakeBench) -> None:
    async with (
        make_bench(idle_timeout_s=100, frame_timeout_s=10) as bench,
        sender(bench.service.mllp.port) as quiet,
        sender(bench.service.mllp.port) as stalled,
    ):
        await quiet.send(oru("C1"))
        stalled.write(b"\x0bMSH|")
        await asyncio.sleep(0.05)
        bench.clock.advance(20)
        async with asyncio.timeout(30):
            assert await stalled.reader.read() == b""
        assert msa(await quiet.send(oru("C2"))) == ("AA", "C2")
        bench.clock.advance(101)
        async with asyncio.timeout(30):
            assert await quiet.reader.read() == b""


async def test_connections_are_bounded(make_bench: MakeBench) -> None:
    async with (
        make_bench(connections_max=1) as bench,
        sender(bench.service.mllp.port) as one,
        sender(bench.service.mllp.port) as two,
    ):
        async with asyncio.timeout(30):
            assert await two.reader.read() == b""
        assert msa(await one.send(oru("C1"))) == ("AA", "C1")


async def test_a_sender_that_closes_its_half_still_gets_its_answer(make_bench: MakeBench) -> None:
    async with make_bench() as bench, sender(bench.service.mllp.port) as link:
        link.write(b"\x0b" + oru("C1") + b"\x1c")
        link.writer.write_eof()
        assert msa(await link.answer()) == ("AA", "C1")
        assert len(bench.events()) == 1


async def test_in_flight_bytes_bound_the_reading(make_bench: MakeBench) -> None:
    async with make_bench(in_flight_bytes_max=1) as bench, sender(bench.service.mllp.port) as link:
        names = [f"C{number}" for number in range(20)]
        link.write(b"".join(b"\x0b" + oru(name) + b"\x1c\r" for name in names))
        assert [msa(await link.answer())[1] for _ in names] == names
