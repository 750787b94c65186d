"""Which message types, events and versions are taken, and what is never acknowledged."""

from dataclasses import replace

import pytest

from contracts.clinical import Finding
from services.ingest.conditions import answers_wanted, conditions_of
from services.ingest.frames import parse_frame
from services.ingest.parse import Parsed, SourceProfile
from tests.unit.ingest.conftest import MakeBench, msa, sender
from tests.unit.ingest.test_mapping import KEYS, PID

STRICT = SourceProfile("test")
LENIENT = replace(STRICT, strict=False)
OBX = "OBX|1|NM|8867-4^HR^LN||80|/min|||||F"


def sent(kind: str, *segments: str, version: str = "2.5.1") -> bytes:
    head = f"MSH|^~\\&|APP|FAC|||20240501120000+0000||{kind}|C1|P|{version}"
    return "\r".join((head, *segments)).encode()


def parsed(
    kind: str, *segments: str, source: SourceProfile = STRICT, version: str = "2.5.1"
) -> Parsed:
    (found,) = parse_frame(sent(kind, *segments, version=version), source, KEYS, 0).messages
    return found


def codes_of(found: Parsed) -> list[tuple[str, str]]:
    return [(one.where, one.code) for one in found.findings if one.level == "error"]


@pytest.mark.parametrize(
    "said", [OBX, "OBX|1|TX|x^y^L||text", "RXE||1^A^L|1||mg", "AL1|1||1^Nut^L", "DG1|1||I10^HT^I10"]
)
def test_an_unknown_type_with_results_is_refused(said: str) -> None:
    found = parsed("ORUU^R01", PID, said)
    assert found.code == "AR"
    assert codes_of(found) == [("MSH-9", "200")]
    assert found.events == ()
    assert found.header is not None
    assert found.header.control_id == "C1"


def test_a_lenient_door_takes_it_by_what_it_says() -> None:
    found = parsed("ZRU^Z01", PID, OBX, source=LENIENT)
    assert found.code == "AA"
    assert found.events[0].body.event_type == "observation.result"
    assert Finding("warn", "MSH-9", "200", "no message type of HL7: taken by what it says") in (
        found.findings
    )


@pytest.mark.parametrize("kind", ["SIU^S12", "QBP^Q11", "MFN^M02", "XYZ^X01", "DFT^P03"])
def test_what_is_not_clinical_is_taken_as_before(kind: str) -> None:
    found = parsed(kind, PID)
    assert found.code == "AA"
    assert found.events[0].body.event_type == "non_clinical"


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("ADT^A01", "AA"), ("ADT^A62", "AA"), ("ADT^Z99", "AA"), ("ADT", "AA"), ("ORU^R99", "AA"),
        ("ADT^A63", "AR"), ("ADT^A99", "AR"), ("ADT^A00", "AR"), ("ADT^R01", "AR"),
        ("ADT^A1", "AR"),
    ],
)  # fmt: skip
def test_an_event_that_adt_does_not_have_is_refused(kind: str, code: str) -> None:
    found = parsed(kind, PID)
    assert found.code == code
    assert codes_of(found) == ([("MSH-9", "201")] if code == "AR" else [])
    assert parsed(kind, PID, source=LENIENT).code == "AA"


@pytest.mark.parametrize(
    ("version", "code"),
    [
        ("2.abc", "AR"), ("2.", "AR"), ("2.5.", "AR"), ("2.5x", "AR"), ("2..5", "AR"), ("3", "AR"),
        ("2", "AA"), ("2.9.1", "AA"), ("2.5.1^AUS", "AA"), ("2.10", "AA"),
    ],
)  # fmt: skip
def test_a_malformed_version_is_refused(version: str, code: str) -> None:
    found = parsed("ADT^A08", PID, version=version)
    assert found.code == code
    assert codes_of(found) == ([("MSH-12", "203")] if code == "AR" else [])


@pytest.mark.parametrize("kind", ["ACK", "ACK^R01", "ACK^R01^ACK", "ACK&x"])
def test_an_acknowledgement_asks_for_no_answer(kind: str) -> None:
    asked = conditions_of(sent(kind, "MSA|AA|7"))
    assert [answers_wanted(asked, code) for code in ("AA", "AE", "AR")] == [(), (), ()]
    assert answers_wanted(conditions_of(sent("ACKX^R01")), "AA") == ("AA",)


async def test_an_acknowledgement_is_stored_and_not_acknowledged(make_bench: MakeBench) -> None:
    async with make_bench() as bench:
        async with sender(bench.service.mllp.port) as line:
            line.write(b"\x0b" + sent("ACK^R01^ACK", "MSA|AA|7") + b"\x1c\r")
            answer = await line.send(sent("ADT^A08", PID).replace(b"|C1|", b"|C2|"))
        assert msa(answer) == ("AA", "C2")
        assert [one.message_type for one in bench.bodies()] == ["ACK^R01^ACK", "ADT^A08"]


async def test_the_refusal_of_an_unknown_type_says_why(make_bench: MakeBench) -> None:
    async with make_bench() as bench:
        async with sender(bench.service.mllp.port) as line:
            answer = await line.send(sent("ORUU^R01", PID, OBX))
        assert msa(answer) == ("AR", "C1")
        assert b"ERR||MSH^1^9|200^Unsupported message type^HL70357|E" in answer
        assert bench.events() == []
