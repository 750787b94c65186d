"""Which answers leave, and what stands in them: modes, conditions, ERR, MSA-2, batches."""

import asyncio

import hl7
import pytest

from contracts.clinical import Finding
from plumbing.clock import SystemClock
from services.ingest.answers import Acknowledger
from services.ingest.conditions import Conditions, answers_wanted, conditions_of
from simulator.mllp_client import MllpSender, Outgoing
from tests.unit.ingest.conftest import Bench, MakeBench, msa, sender
from tests.unit.ingest.test_mllp import oru


def asking(control_id: str, accept: str, application: str, body: bytes = b"") -> bytes:
    head, rest = oru(control_id).split(b"\r", 1)
    fields = b"|2.5.1|||%s|%s\r" % (accept.encode(), application.encode())
    return head.replace(b"|2.5.1", fields[:-1]) + b"\r" + rest + body


BAD = b"not a segment\r"


async def codes_after(bench: Bench, *contents: bytes) -> list[tuple[str, str]]:
    """Return MSA-1 and 2 of all answers; the last message is one that is always answered."""
    async with sender(bench.service.mllp.port) as link:
        for content in (*contents, oru("LAST")):
            link.write(b"\x0b" + content + b"\x1c\r")
        found = [msa(await link.answer())]
        while found[-1][1] != "LAST":
            found.append(msa(await link.answer()))
    return found[:-1]


@pytest.mark.parametrize(
    ("accept", "application", "when_good", "when_bad"),
    [
        ("", "", ["AA"], ["AE"]),
        ("AL", "AL", ["CA", "AA"], ["CE"]),
        ("AL", "NE", ["CA"], ["CE"]),
        ("AL", "", ["CA"], ["CE"]),
        ("NE", "AL", ["AA"], ["AE"]),
        ("", "AL", ["AA"], ["AE"]),
        ("NE", "NE", [], []),
        ("ER", "NE", [], ["CE"]),
        ("SU", "NE", ["CA"], []),
        ("ER", "AL", ["AA"], ["CE"]),
        ("SU", "ER", ["CA"], ["AE"]),
        ("ER", "ER", [], ["CE"]),
        ("SU", "SU", ["CA", "AA"], []),
        ("al", '""', ["CA"], ["CE"]),
    ],
)
async def test_answers_leave_as_msh_15_and_16_ask(
    make_bench: MakeBench,
    accept: str,
    application: str,
    when_good: list[str],
    when_bad: list[str],
) -> None:
    async with make_bench() as bench:
        found = await codes_after(bench, asking("C1", accept, application))
        assert found == [(code, "C1") for code in when_good]
        assert len(bench.events()) == 2
        found = await codes_after(bench, asking("C2", accept, application, BAD))
        assert found == [(code, "C2") for code in when_bad]


async def test_a_resend_in_enhanced_mode_is_answered_alike(make_bench: MakeBench) -> None:
    async with make_bench() as bench:
        message = asking("C1", "AL", "AL")
        found = await codes_after(bench, message, message)
        assert found == [("CA", "C1"), ("AA", "C1")] * 2
        assert len(bench.events()) == 2


async def test_what_is_not_stored_is_never_ca(make_bench: MakeBench) -> None:
    async with make_bench(ack_deadline_s=0.2) as bench, sender(bench.service.mllp.port) as link:
        bench.log.available = False
        answer = await link.send(asking("C1", "AL", "AL"))
        assert msa(answer) == ("CE", "C1")
        assert b"207^Application internal error^HL70357" in answer


async def test_a_batch_in_enhanced_mode_gets_a_batch_of_each_kind(make_bench: MakeBench) -> None:
    batch = b"BHS|^~\\&\r" + asking("C1", "AL", "AL") + asking("C2", "NE", "AL", BAD) + b"BTS|2\r"
    async with make_bench() as bench, sender(bench.service.mllp.port) as link:
        accepts, answers = hl7.parse_batch((await link.send(batch)).decode()), None
        answers = hl7.parse_batch((await link.answer()).decode())
        assert [(str(m["MSA.1"]), str(m["MSA.2"])) for m in accepts] == [("CA", "C1")]
        found = [(str(m["MSA.1"]), str(m["MSA.2"])) for m in answers]
        assert found == [("AA", "C1"), ("AE", "C2")]


async def test_an_enhanced_answer_asks_for_none_itself(make_bench: MakeBench) -> None:
    async with make_bench() as bench, sender(bench.service.mllp.port) as link:
        answer = await link.send(asking("C1", "AL", "NE"))
        assert conditions_of(answer) == Conditions("NE", "NE")


@pytest.mark.parametrize("charset", ["utf-8", "utf-16", "utf-16-le", "utf-16-be"])
def test_conditions_are_read_in_any_charset(charset: str) -> None:
    text = asking("C1", "AL", "ER").decode()
    assert conditions_of(text.encode(charset)) == Conditions("AL", "ER")


@pytest.mark.parametrize("raw", [b"", b"MSH", b"MSH|", b"hello", b"MSH|^~\\&|" + b"x" * 20_000])
def test_conditions_of_what_has_none(raw: bytes) -> None:
    assert answers_wanted(conditions_of(raw), "AR") == ("AR",)


@pytest.mark.parametrize(
    ("finding", "err"),
    [
        (Finding("error", "MSH-12", "203", "t"), ("MSH^1^12", "203^Unsupported version id", "")),
        (Finding("error", "OBX[3]-5[2].1", "102", "t"), ("OBX^3^5^2^1", "102^Data type error", "")),
        (Finding("error", "PID-3.4", "101"), ("PID^1^3^1^4", "101^Required field missing", "")),
        (Finding("error", "PV1[2]", "100"), ("PV1^2", "100^Segment sequence error", "")),
        (Finding("error", "", "207"), ("", "207^Application internal error", "")),
        (Finding("error", "MSH", "ours"), ("MSH", "207^Application internal error", "ours")),
    ],
)
def test_err_names_the_place_and_the_code(finding: Finding, err: tuple[str, str, str]) -> None:
    answer = Acknowledger("A").answer(None, "AE", (finding,), 0)
    line = next(one for one in answer.split("\r") if one.startswith("ERR")).split("|")
    where, code, own = err
    assert (line[2], line[3], line[4], line[5]) == (where, f"{code}^HL70357", "E", own)
    assert line[8] == finding.text


@pytest.mark.parametrize(
    ("content", "answer", "code"),
    [
        (b"MSH|^~\\&|LAB|HOSP|||20240501||ORU^R01|C9|P|3.0\rPID|1\r", ("AR", "C9"), b"203^"),
        (b"MSH|^~\\&|LAB|HOSP|||20240501||ORU^R01|C9|P|\rPID|1\r", ("AR", "C9"), b"101^"),
        (b"MSH|^~\\&|LAB|HOSP|||20240501|||C9|P|2.5\rPID|1\r", ("AR", "C9"), b"101^"),
        (b"PID|1||A1\r", ("AR", ""), b"100^"),
        (oru("C9") + BAD, ("AE", "C9"), b"100^"),
    ],
)
async def test_a_refusal_names_its_reason_and_the_connection_goes_on(
    make_bench: MakeBench, content: bytes, answer: tuple[str, str], code: bytes
) -> None:
    async with make_bench() as bench, sender(bench.service.mllp.port) as link:
        found = await link.send(content)
        assert msa(found) == answer
        assert b"|" + code in found
        assert msa(await link.send(oru("C1"))) == ("AA", "C1")
        assert [body.control_id for body in bench.bodies()] == ["C1"]


async def test_a_listener_takes_only_its_types(make_bench: MakeBench) -> None:
    adt = oru("C2").replace(b"ORU^R01^ORU_R01", b"ADT^A08^ADT_A01")
    async with (
        make_bench(types=("ORU", "ADT^A01")) as bench,
        sender(bench.service.mllp.port) as link,
    ):
        assert msa(await link.send(oru("C1"))) == ("AA", "C1")
        refused = await link.send(adt)
        assert msa(refused) == ("AR", "C2")
        assert b"MSH^1^9|200^Unsupported message type^HL70357" in refused
        assert msa(await link.send(adt.replace(b"A08^", b"A01^"))) == ("AA", "C2")


async def test_answers_to_many_frames_at_once_keep_their_order(make_bench: MakeBench) -> None:
    async with make_bench() as bench, sender(bench.service.mllp.port) as link:
        sent = [(f"C{number}", number % 3 == 1) for number in range(60)]
        for name, is_bad in sent:
            link.write(b"\x0b" + oru(name) + (BAD if is_bad else b"") + b"\x1c\r")
        async with asyncio.timeout(30):
            found = [msa(await link.answer()) for _ in sent]
        assert found == [("AE" if is_bad else "AA", name) for name, is_bad in sent]


@pytest.mark.parametrize(
    ("accept", "application", "code"),
    [("AL", "AL", "AA"), ("AL", "NE", "CA"), ("NE", "AL", "AA"), ("NE", "NE", "NE")],
)
async def test_our_own_sender_waits_for_what_its_message_asks_for(
    make_bench: MakeBench, accept: str, application: str, code: str
) -> None:
    async with make_bench() as bench:
        link = MllpSender("127.0.0.1", bench.service.mllp.port, SystemClock(), answer_s=5)
        same_id = [asking("C1", accept, application) for _ in range(3)]
        found = [await link.send(Outgoing(one, "lane")) for one in (*same_id, oru("C2"))]
        await link.close()
        assert [one.code for one in found] == [code] * 3 + ["AA"]
        assert all(one.attempts == 1 for one in found)
        assert len(bench.events()) == 2
