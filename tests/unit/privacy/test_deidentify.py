from base64 import b64encode
from typing import Any, get_args
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.deidentified import DEIDENTIFIED, DeidentifiedEvent
from contracts.identified import IdentifiedBody, Note, Patient, PatientId, PersonName
from contracts.observation import Code, Observation
from services.ingest.frames import parse_frame
from services.ingest.identity import Keys
from services.ingest.parse import SourceProfile
from services.privacy.deidentify import deidentify
from services.privacy.folding import fold, squeeze, term
from services.privacy.patient_keys import PatientKey
from services.privacy.policy import POLICY, Rule
from tests.unit.privacy.builders import (
    ANNA,
    DAY_MS,
    KEY,
    MING,
    NOON_MS,
    a_body,
    a_note,
    cleaner_of,
    known_of,
)


def clean(body: IdentifiedBody, key: PatientKey = KEY, now_ms: int = NOON_MS + 6_000) -> Any:
    return deidentify(
        body,
        event_id="e-1",
        key=key,
        known=known_of(body.patient),
        cleaner=cleaner_of(body),
        now_ms=now_ms,
    )


def nested_structs(kind: Any, seen: set[Any]) -> None:
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        if kind in seen:
            return
        seen.add(kind)
        for field in msgspec.structs.fields(kind):
            nested_structs(field.type, seen)
    else:
        for argument in get_args(kind):
            nested_structs(argument, seen)


def test_every_field_of_the_identified_body_has_a_rule() -> None:
    found: set[Any] = set()
    nested_structs(IdentifiedBody, found)
    assert found == set(POLICY)
    for kind in found:
        assert {field.name for field in msgspec.structs.fields(kind)} == set(POLICY[kind])


def test_what_identifies_by_nature_is_never_kept() -> None:
    kept = {
        (kind.__name__, name)
        for kind, rules in POLICY.items()
        for name, rule in rules.items()
        if rule is Rule.KEEP
    }
    assert not kept & {
        ("IdentifiedBody", "control_id"),
        ("IdentifiedBody", "raw"),
        ("Patient", "names"),
        ("PatientId", "value"),
        ("Encounter", "number"),
        ("Note", "text"),
    }


def test_an_event_keeps_its_medicine_and_loses_its_person() -> None:
    event = clean(a_body())
    assert isinstance(event, DeidentifiedEvent)
    assert event.token == KEY.token
    assert event.age is not None
    assert event.age.years == 73
    assert event.sex == "F"
    assert event.elapsed_ms == 1_000
    found = event.observations[0]
    assert (found.code, found.value, found.unit) == (Code("LN", "8867-4", "Heart rate"), 88, "/min")
    assert (found.reference_range, found.text) == ("60-100", "88")
    assert found.series not in ("", "F-77123|8867-4")
    assert event.stay is not None
    assert (event.stay.unit, event.stay.class_) == ("MICU", "I")
    assert len(event.stay.encounter) == 32
    text = DEIDENTIFIED.encode(event).decode()
    for gone in ("MONITOR", "GENERAL", "MSG-0001", "V-2024", "Okonkwo", "D4411", '"12"', "Vickers"):
        assert gone not in text


def test_a_time_valued_text_moves_and_a_name_in_a_label_is_marked() -> None:
    observations = (
        Observation(index=0, code=Code("L", "LMP"), kind="time", text="20240301"),
        Observation(index=1, code=Code("L", "X", "Sample of Anna Vickers"), kind="empty"),
        Observation(index=2, code=Code("L", "10045678", "id"), kind="empty"),
        Observation(index=3, code=Code("SCT", "271649006", "Systolic"), kind="empty"),
        Observation(index=4, code=Code("L", "T"), kind="text", text="Ms Vickers is well"),
        Observation(index=5, code=Code("L", "T"), kind="text", text="broken \ufffd text"),
        Observation(index=6, code=Code("L", "A"), kind="attachment", text="QW5uYQ=="),
    )
    found = clean(a_body(observations=observations)).observations
    assert found[0].text != "20240301"
    assert len(found[0].text) == 8
    assert found[1].code == Code("L", "X", "Sample of [NAME-1]")
    assert found[2].code.code == ""
    assert found[3].code == Code("SCT", "271649006", "Systolic")
    assert found[4].text == "Ms [NAME-1] is well"
    assert (found[5].text, found[5].finding) == ("", "undecodable")
    assert found[6].text == ""


@given(st.integers(0, 2**40), st.integers(0, 2**40))
def test_intervals_are_kept_and_moved_by_whole_days(one: int, other: int) -> None:
    first, second = (clean(a_body(occurred_at_ms=at)) for at in (one, other))
    assert second.occurred_at_ms - first.occurred_at_ms == other - one
    moved = one - first.occurred_at_ms
    assert moved % DAY_MS == 0
    assert 1 <= moved // DAY_MS <= 365


@given(st.binary(min_size=32, max_size=32))
def test_token_and_shift_come_from_the_key_alone(secret: bytes) -> None:
    key, again = PatientKey(secret), PatientKey(secret)
    assert (key.token, key.shift_days) == (again.token, again.shift_days)
    assert len(key.token) == 26
    assert key.token.isalnum()
    assert 1 <= key.shift_days <= 365


def test_the_same_body_and_key_give_the_same_bytes_but_for_elapsed() -> None:
    body = a_body(notes=a_note("Ms Vickers (MRN 10045678) seen 2024-03-05."))
    first, second = clean(body), clean(body, now_ms=NOON_MS + 99_000)
    assert DEIDENTIFIED.encode(first) != DEIDENTIFIED.encode(second)
    same = msgspec.structs.replace(second, elapsed_ms=first.elapsed_ms)
    assert DEIDENTIFIED.encode(same) == DEIDENTIFIED.encode(first)


def writings(value: str) -> list[str]:
    """Ways to write an identifier that a feed or a person might use."""
    raw = value.encode()
    return [
        value,
        value.upper(),
        value.lower(),
        " ".join(value),
        "-".join(value.split()),
        "\u200b".join(value),
        "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in value),
        ", ".join(reversed(value.split())),
        b64encode(raw).decode(),
        b64encode(b"x" + raw).decode(),
        b64encode(b"xy" + raw + b"z").decode(),
        raw.hex(),
        raw.hex().upper(),
        quote(value),
    ]


PLANTS = [
    (ANNA, "Anna Vickers"),
    (ANNA, "Vickers Anna"),
    (ANNA, "Robert Vickers"),
    (ANNA, "10045678"),
    (ANNA, "943-47-6582"),
    (ANNA, "ACC778812"),
    (ANNA, "(555) 123-4567"),
    (ANNA, "anna.vickers@example.org"),
    (MING, "欧阳晓明"),
    (MING, "ZY0098231"),
    (MING, "110101196205031234"),
    (MING, "13812345678"),
    (MING, "李桂芳"),
]


@settings(deadline=None, max_examples=150)
@given(
    st.sampled_from(PLANTS),
    st.integers(0, 13),
    st.sampled_from(["Seen today: ", "患者", "BP 120/80 ", "result=", "", "a. ", "(", "\n"]),
    st.sampled_from([" is stable.", "，病情平稳", ".", "", ")", "\nPlan: home"]),
    st.sampled_from(["note", "text", "code", "unit", "kind"]),
)
def test_no_known_identifier_survives_in_any_writing(
    plant: tuple[Patient, str], way: int, before: str, after: str, where: str
) -> None:
    patient, value = plant
    written = writings(value)[way]
    text = before + written + after
    observation = Observation(
        index=0,
        code=Code("L", text if where == "code" else "X", text if where == "code" else ""),
        kind="text",
        text=text if where == "text" else "",
        unit=text if where == "unit" else "",
    )
    body = a_body(
        patient,
        observations=(observation,),
        notes=a_note(text if where == "note" else "well"),
        encounter=None,
    )
    out = DEIDENTIFIED.encode(clean(body)).decode()
    assert written not in out
    assert value not in out
    assert term(value) not in squeeze(fold(out).folded).squeezed


@pytest.mark.parametrize("name", ["the", "TEST", "", "x", "a+b*(", "patient", "'", "[NAME-1]"])
def test_a_poisoned_name_does_not_blank_a_note(name: str) -> None:
    patient = Patient(ids=(PatientId("10045678"),), names=(PersonName(name, name),))
    note = "The patient took a test, e.g. Na 140 mmol/L and (a+b). x-ray clear."
    event = clean(a_body(patient, notes=a_note(note), encounter=None))
    assert event.notes[0].text == note


def test_a_note_that_stays_in_the_raw_message_is_held_back_as_too_long() -> None:
    found = clean(a_body(notes=(Note(text="", apart_chars=300_000, kind="TX"),)))
    assert [(note.text, note.held) for note in found.notes] == [(None, "too_long")]


STAFF = "SECRETID^SECRETDOC"
MESSAGE = f"""MSH|^~\\&|SECRETAPP|SECRETFAC|||20240305120000+0000||ORU^R01|SECRETCTL|P|2.5
PID|1|SECRETID2|10045678^^^GENERAL^MR||VICKERS^ANNA||19500307|F|||1 SECRETROAD^^X^^SECRETZIP
PD1||||^^SECRETCLINIC|{STAFF}
NK1|1|SECRETKIN^MARY|MTH|1 SECRETROAD|+15550001111{"|" * 25}SECRETKIN2|SECRETID2
PV1|1|I|MICU^1^A||SECRETPRE|SECRETPRIOR|{STAFF}|{STAFF}|||||||||{STAFF}||SECRETVISIT
PV2|||^SECRETREASON{"|" * 19}SECRETORG
ROL|1|AD|PP|{STAFF}|20240101|||||||SECRETROAD|+15550001111
GT1|1|SECRETID|SECRETKIN^MARY||SECRETROAD|+15550001111||||||999-00-1111||||SECRETEMPLOYER
IN1|1|SECRETPLAN|SECRETID|SECRETCO|SECRETROAD|||SECRETGROUP|||||||SECRETKIN^MARY||19500101
IN2|SECRETID|999-00-1111
ACC|20240101|SECRETACCIDENT
ORC|RE|SECRETID|SECRETID2|||||20240101|{STAFF}|{STAFF}|{STAFF}
OBR|1|SECRETORD|SECRETFIL|85353-1^Vital signs^LN|||20240305115900+0000|||SECRETCOLL||||||{STAFF}
OBX|1|NM|8867-4^Heart rate^LN||88|/min|||||F|||20240305115900+0000|SECRETPROD|{STAFF}||SECRETEQUIP
ZXX|SECRETANYTHING|999-00-1111
"""


def test_people_and_numbers_of_every_segment_are_dropped_unless_listed() -> None:
    """PD1, NK1, ROL, GT1, IN1, IN2, ORC, PV2, ACC, OBR, OBX and Z: only the allow-list passes."""
    frame = MESSAGE.replace("\n", "\r").encode()
    source, no_keys = SourceProfile("test"), Keys(event=b"e", route=b"r")
    (message,) = parse_frame(frame, source, no_keys, NOON_MS).messages
    (found,) = message.events
    event = clean(found.body)
    said = msgspec.json.encode(event).decode()
    assert [one.value for one in event.observations] == [88.0]
    for word in ("SECRET", "VICKERS", "10045678", "5550001111", "999-00-1111", "19500101"):
        assert word.casefold() not in said.casefold()
