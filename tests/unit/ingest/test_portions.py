"""A message of many values is several events of bounded size, the same ones for a resend."""

from collections.abc import Sequence
from itertools import pairwise

import msgspec
import pytest

from contracts.clinical import Finding, Genotype, Medication
from contracts.identified import IdentifiedBody, Image, Note
from contracts.observation import Code, Observation
from services.ingest import portions
from services.ingest.frames import parse_frame
from services.ingest.identity import Keys
from services.ingest.parse import Parsed, ParsedEvent, SourceProfile
from services.ingest.portions import PORTION_BYTES, PORTIONED, RUN_BYTES, portioned, values_of
from tests.unit.ingest.test_many_values import of_results
from tests.unit.ingest.test_mllp import oru
from tests.unit.privacy.builders import a_body

KEYS = Keys(b"1" * 32, b"2" * 32)
GLUCOSE = Code("LN", "2345-7", "Glucose")
RAW = b"x" * 20_000  # as long as what says so much


def read(message: bytes, at_ms: int = 1_700_000_000_000) -> Parsed:
    (found,) = parse_frame(message, SourceProfile("lab"), KEYS, at_ms).messages
    return portioned(found, KEYS)


def a_result(index: int, text: str = "") -> Observation:
    series = f"F|{index}"
    if text:
        return Observation(index=index, code=GLUCOSE, kind="text", text=text, series=series)
    return Observation(index=index, code=GLUCOSE, kind="quantity", value=5.5, series=series)


def cut(**said: object) -> list[IdentifiedBody]:
    body = msgspec.structs.replace(a_body(), raw=RAW, **said)
    event = ParsedEvent("e", b"k", body)
    done = portioned(Parsed("AA", None, "ascii", (), (event,), b"c" * 32), KEYS)
    return [one.body for one in done.events]


def lines(number: int, text: str) -> tuple[Observation, ...]:
    return tuple(a_result(index, text) for index in range(number))


def count_of(parsed: Parsed, code: str) -> int:
    return sum(one.finding == code for event in parsed.events for one in event.body.observations)


def texts(bodies: Sequence[IdentifiedBody]) -> list[str]:
    return [one.text for body in bodies for one in body.observations]


def test_all_results_are_there_once_in_order_and_each_event_fits() -> None:
    whole = parse_frame(of_results("M", 10_000), SourceProfile("lab"), KEYS, 1).messages[0]
    found = portioned(whole, KEYS)
    assert len(found.events) > 3
    assert len({event.event_id for event in found.events}) == len(found.events)
    assert found.events[0].event_id == whole.events[0].event_id
    assert len({event.route_key for event in found.events}) == 1
    said = []
    for event in found.events:
        assert [one.index for one in event.body.observations] == list(
            range(len(event.body.observations))
        )
        said += [msgspec.structs.replace(one, index=0) for one in event.body.observations]
        assert len(msgspec.json.encode(event.body.observations)) < PORTION_BYTES
    sent = whole.events[0].body.observations
    assert said == [msgspec.structs.replace(one, index=0) for one in sent]
    assert found.findings[-1] == PORTIONED


def test_a_resend_at_another_time_gives_the_same_events() -> None:
    # At the first, every result is from the future, and a finding says so of each.
    first, again = read(of_results("M", 10_000), 1), read(of_results("M", 10_000), 2**41)
    assert count_of(first, "time_future") > count_of(again, "time_future") == 0
    assert [(event.event_id, len(event.body.observations)) for event in first.events] == [
        (event.event_id, len(event.body.observations)) for event in again.events
    ]


def test_a_small_message_is_left_alone() -> None:
    (found,) = parse_frame(oru("C1"), SourceProfile("lab"), KEYS, 1).messages
    assert portioned(found, KEYS) is found
    assert len(cut(observations=lines(100, "short")[:100])) == 1


def test_what_is_about_a_result_is_with_it_under_its_new_index() -> None:
    count = 5_000
    bodies = cut(
        observations=tuple(a_result(index) for index in range(count)),
        notes=(Note(text="of the patient"), Note(text="of the last", about=count - 1)),
        images=(Image(about=count - 2, media_type="image/png", bytes=1, sha256="s"),),
        genotypes=(Genotype(gene="CYP2D6", diplotype="*1/*4", about=count - 3),),
        findings=(
            Finding("warn", f"observations.{count - 1}", "implausible"),
            Finding("warn", "PID-7", "102"),
        ),
    )
    first, last = bodies[0], bodies[-1]
    end = len(last.observations)
    assert [note.text for note in first.notes] == ["of the patient"]
    assert [(note.text, note.about) for note in last.notes] == [("of the last", end - 1)]
    assert [image.about for image in last.images] == [end - 2]
    assert [genotype.about for genotype in last.genotypes] == [end - 3]
    assert [(one.where, one.code) for one in last.findings] == [
        (f"observations.{end - 1}", "implausible")
    ]
    assert [one.code for one in first.findings] == ["102", "portioned"]


def test_what_a_movement_does_it_does_once() -> None:
    some = tuple(a_result(index) for index in range(5_000))
    bodies = cut(event_type="encounter.cancel_transfer", observations=some)
    assert [body.event_type for body in bodies] == [
        "encounter.cancel_transfer",
        *["observation.result"] * (len(bodies) - 1),
    ]
    assert {body.event_type for body in cut(event_type="document", observations=some)} == {
        "document"
    }


def test_a_component_stays_with_its_medication_or_says_it_is_apart() -> None:
    drugs = []
    for _ in range(3_000):
        drugs.append(Medication(code=Code("L", "bag", "x" * 100)))
        drugs.append(Medication(code=Code("L", "salt", "y" * 100), part_of=len(drugs) - 1))
    bodies = cut(medications=tuple(drugs))
    assert len(bodies) > 1
    assert sum(len(body.medications) for body in bodies) == len(drugs)
    for body in bodies:
        for place, one in enumerate(body.medications):
            if one.code.code == "salt":
                assert one.part_of == (place - 1 if place else -1)


def test_a_text_is_cut_behind_a_sentence_only() -> None:
    text = ("a line of a report that goes on", "and ends here.") * 2_000
    bodies = cut(observations=tuple(a_result(at, one) for at, one in enumerate(text)))
    assert len(bodies) > 1
    assert texts(bodies) == list(text)
    assert all(body.observations[-1].text == "and ends here." for body in bodies)


def test_where_no_sentence_ends_the_lines_beside_the_cut_are_held_back() -> None:
    # A name may stand half in the one and half in the other, and neither event would see it whole.
    bodies = cut(observations=lines(4_000, "a line that never comes to its end, as the next"))
    assert len(bodies) > 1
    for body, after in pairwise(bodies):
        assert "" in (body.observations[-1].text, after.observations[0].text)
    held = sum(one.finding == "too_long" for body in bodies for one in body.observations)
    assert 2 <= held <= 8
    assert sum(len(body.observations) for body in bodies) == 4_000


@pytest.mark.parametrize("kind", ["conditions", "allergies", "orders"])
def test_no_kind_of_content_makes_an_event_large(kind: str) -> None:
    segment = {"conditions": "DG1|1||E11.9^{}^I10", "allergies": "AL1|1||{}", "orders": "ORC|NW"}[
        kind
    ]
    more = "\rOBR|1|||{}" if kind == "orders" else ""
    said = "".join(
        (segment + more).format("x" * 150 + str(number)) + "\r" for number in range(5_000)
    )
    found = read(oru("C1") + said.encode())
    assert len(found.events) > 1
    assert sum(len(getattr(event.body, kind)) for event in found.events) >= 5_000
    assert max(len(msgspec.json.encode(event.body)) - len(event.body.raw) * 4 // 3
               for event in found.events) < 1.2 * PORTION_BYTES  # fmt: skip


def test_more_than_a_message_may_say_is_left_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portions, "VALUES_MAX", 9_999)
    (event,) = read(of_results("M", 10_000)).events
    assert values_of(event.body) > 10_000


def test_a_run_is_shorter_than_a_portion() -> None:
    assert RUN_BYTES < PORTION_BYTES
