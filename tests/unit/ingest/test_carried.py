"""What another process read of a frame is the same when it has come together again here."""

import msgspec
import pytest

from contracts.clinical import Finding
from contracts.identified import BlobRef, IdentifiedBody
from plumbing.errors import MalformedEvent
from plumbing.sealing import Sealer
from services.ingest.answers import Acknowledger
from services.ingest.carried import (
    FINDINGS_MAX,
    MESSAGES_A_PIECE,
    Brought,
    head_of,
    pieces_of,
)
from services.ingest.committer import REUSED, Outcome
from services.ingest.doors import Door
from services.ingest.fhir import parse_fhir
from services.ingest.frames import ParsedFrame
from services.ingest.identity import Keys
from services.ingest.parse import Parsed, ParsedEvent, SourceProfile
from services.ingest.portions import VALUES_MAX
from services.ingest.reading import read_frame, read_resource
from services.ingest.replies import reply_of
from services.ingest.said import SaidEvent
from services.ingest.sealed import encoded, encoded_said, sealed_records
from tests.support.fhir import bundle, observation, patient, quantity
from tests.unit.ingest.test_golden import MESSAGES
from tests.unit.ingest.test_many_values import of_results
from tests.unit.ingest.test_mllp import oru

KEYS = Keys(b"1" * 32, b"2" * 32)
DOOR = Door(SourceProfile("lab"))
NOW_MS = 1_700_000_000_000
UTF16 = oru("C3").decode().replace("Doe", "Дое").encode("utf-16")
BATCH = b"FHS|^~\\&|A||||||||F1\rBHS|^~\\&|A||||||||B1\r%sBTS|%d\rFTS|1\r"
TWO_PATIENTS = msgspec.json.encode(
    bundle(
        *(patient(f"p{n}", f"70012{n}") for n in (1, 2)),
        *(
            observation(subject=f"urn:uuid:p{n}", valueQuantity=quantity(80 + n, "/min"))
            for n in (1, 2)
        ),
    )
)
FRAMES = {
    "one": oru("C1"),
    "batch": BATCH % (b"".join(map(oru, map(str, range(MESSAGES_A_PIECE + 1)))), 201),
    "empty batch": BATCH % (b"", 0),
    "refused": oru("C1") + b"no segment\r",
    "nothing": b"hello",
    "enhanced": oru("C1").replace(b"|P|2.5.1", b"|P|2.5.1|||AL|ER"),
    "event of EVN": oru("C1").replace(b"ORU^R01^ORU_R01", b"ADT") + b"EVN|A08\r",
    "UTF-16": UTF16,
    "many values": of_results("MANY", 3_000),
} | {path.name: path.read_bytes() for path in MESSAGES if path.suffix == ".hl7"}
RESOURCES = {"two patients": TWO_PATIENTS, "no FHIR": b"{}"} | {
    path.name: path.read_bytes() for path in MESSAGES if path.suffix == ".fhir"
}


def carried(frame: ParsedFrame, given: bytes) -> tuple[ParsedFrame, Brought]:
    brought = Brought(given)
    for piece in pieces_of(frame, given):
        brought.add(piece)
    return brought.frame(head_of(frame, 0)), brought


def said(event: ParsedEvent) -> IdentifiedBody:
    assert isinstance(event, SaidEvent)
    return msgspec.json.decode(encoded_said(event), type=IdentifiedBody)


@pytest.mark.parametrize("name", FRAMES)
def test_messages_events_and_answers_are_the_same(name: str) -> None:
    given = FRAMES[name]
    before = read_frame(given, DOOR, KEYS, NOW_MS, 7)
    after, _ = carried(before, given)
    assert (after.raws, after.asked) == (before.raws, before.asked)
    assert [events_of(one) for one in after.messages] == [events_of(one) for one in before.messages]
    for one, other in zip(after.messages, before.messages, strict=True):
        kept = (one.code, one.charset, one.findings, one.content, one.answer_key, one.is_once)
        known = (other.code, other.charset, other.findings, other.content, other.answer_key, False)
        assert kept == known
    outcomes = [Outcome(one.code, one.findings) for one in before.messages]
    answers = [reply_of(one, Acknowledger("A"), NOW_MS, outcomes) for one in (before, after)]
    assert answers[0] == answers[1]


@pytest.mark.parametrize("name", RESOURCES)
def test_resources_are_the_same_and_each_patient_has_their_own_bytes(name: str) -> None:
    given = RESOURCES[name]
    before = read_resource(parse_fhir, given, DOOR, KEYS, (NOW_MS, 7))
    frame, _ = carried(ParsedFrame((before,), is_batch=False, raws=(given,)), given)
    (after,) = frame.messages
    assert events_of(after) == events_of(before)
    assert after.findings == before.findings
    assert len({event.body.raw for event in after.events}) == len(after.events)


def test_what_is_decided_later_stands_in_the_event() -> None:
    given = FRAMES["refused"].replace(b"no segment", b"NTE|1||a note")
    frame, _ = carried(read_frame(given, DOOR, KEYS, NOW_MS, 7), given)
    (event,) = frame.messages[0].events
    ref = BlobRef(blob_id="b", parts=1, bytes=len(given), partition=2, offset=5)
    for findings in ((), (REUSED,)):
        body = msgspec.structs.replace(event.body, raw=b"", raw_blob=ref, findings=findings)
        found = said(msgspec.structs.replace(event, body=body))
        assert (found.raw, found.raw_blob) == (b"", ref)
        assert found.findings == (*said(event).findings, *findings)
        assert found.notes[0].text == "a note"


def test_one_of_too_many_values_is_refused_as_before() -> None:
    given = of_results("ALL", VALUES_MAX + 1)
    frame, _ = carried(read_frame(given, DOOR, KEYS, NOW_MS, 7), given)
    (message,) = frame.messages
    sealer = Sealer(b"\x09" + b"\0" * 31, lambda size: b"\x05" * size)
    with pytest.raises(MalformedEvent, match="too_large"):
        sealed_records(message.events, "lab", sealer, "2023-11-14", lambda n: b"1" * n, KEYS)


def test_of_very_many_findings_the_gravest_are_brought_and_the_others_counted() -> None:
    told = [Finding("info", "", "a")] * FINDINGS_MAX + [Finding("error", "", "b")]
    before = ParsedFrame((Parsed("AE", None, "ascii", tuple(told)),), is_batch=False)
    frame, brought = carried(before, b"x")
    (message,) = frame.messages
    assert len(message.findings) == FINDINGS_MAX
    assert message.findings[0].code == "b"
    assert brought.left_out == {"a": 1}


def events_of(parsed: Parsed) -> list[tuple[str, bytes, IdentifiedBody]]:
    return [
        (
            event.event_id,
            event.route_key,
            said(event)
            if isinstance(event, SaidEvent)
            else msgspec.json.decode(encoded(event.body), type=IdentifiedBody),
        )
        for event in parsed.events
    ]
