"""An intensive care stay of a research data set as the HL7 messages a hospital would have sent.

Who the patient is, is invented; the values are the data set's, to the last decimal.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from random import Random

from contracts.loinc import BY_NAME
from simulator.day import Timed
from simulator.messages import (
    MINUTE_MS,
    Visit,
    adt,
    header,
    patient_segments,
    timestamp,
    visit_segment,
)
from simulator.people import a_person

UNITS = {1: "CCU", 2: "CSRU", 3: "MICU", 4: "SICU"}
PANEL = "85353-1^Vital signs^LN"
DAYS_PAST_BIRTHDAY = 180  # so that nobody has a birthday during their stay


@dataclass(frozen=True)
class RecordedStay:
    """One stay. ``facts`` are (minute since admission, parameter of ``contracts.loinc``, value);
    ``icu_type`` is 1 CCU, 2 CSRU, 3 MICU, 4 SICU; ``sex`` is M, F or U.
    """

    record_id: str
    age_years: int
    sex: str
    icu_type: int
    facts: Sequence[tuple[int, str, float]]


def messages(stay: RecordedStay, admitted_ms: int) -> list[tuple[int, bytes]]:
    """Return (minute, HL7 message): the admission, then one ORU for each minute with results."""
    visit = _visit(stay, admitted_ms)
    control = f"P{stay.record_id}"
    sent = [(0, adt("A01", f"{control}A", visit, admitted_ms))]
    in_order = sorted(stay.facts, key=lambda fact: fact[0])
    for minute, facts in groupby(in_order, key=lambda fact: fact[0]):
        at_ms = admitted_ms + minute * MINUTE_MS
        segments = [
            header("MONITOR", "ORU^R01^ORU_R01", f"{control}M{minute}", at_ms),
            patient_segments(visit.person)[0],
            visit_segment(visit),
            f"OBR|1||{control}M{minute}F|{PANEL}|||{timestamp(at_ms)}",
        ]
        segments += [
            _observation(number, name, value, at_ms)
            for number, (_, name, value) in enumerate(facts, 1)
        ]
        sent.append((minute, ("\r".join(segments) + "\r").encode()))
    return sent


def record_number(stay: RecordedStay) -> str:
    """Return the medical record number that the stay's messages carry."""
    return f"PN{stay.record_id}"


def replayed(stays: Sequence[RecordedStay], admitted_ms: int) -> Iterator[Timed]:
    """Yield the messages of all stays in order of their time; all are admitted at one moment."""
    made = [
        Timed(
            at_ms=admitted_ms + minute * MINUTE_MS,
            sequence=0,
            feed="MONITOR" if number else "PAS",
            patient=stay.record_id,
            kind="ORU" if number else "ADT",
            payload=payload,
        )
        for stay in stays
        for number, (minute, payload) in enumerate(messages(stay, admitted_ms))
    ]
    made.sort(key=lambda one: one.at_ms)  # stable: a stay's admission stays before its results
    yield from (replace(one, sequence=number) for number, one in enumerate(made))


def _visit(stay: RecordedStay, admitted_ms: int) -> Visit:
    birth_date = _birth_date(stay.age_years, admitted_ms)
    person = replace(
        a_person(Random(stay.record_id), number=0, today_year=int(birth_date[:4]) + 60),
        mrn=record_number(stay),
        birth_date=birth_date,
        sex=stay.sex,
    )
    return Visit(
        person=person,
        number=f"V{stay.record_id}",
        unit=UNITS[stay.icu_type],
        room="1",
        bed=stay.record_id,
        admitted_ms=admitted_ms,
        doctor=0,
    )


def _birth_date(age_years: int, admitted_ms: int) -> str:
    """Return a date of birth (YYYYMMDD) that gives this age all through the stay."""
    birthday = datetime.fromtimestamp(admitted_ms / 1000, UTC).date()
    birthday -= timedelta(days=DAYS_PAST_BIRTHDAY)
    day = min(birthday.day, 28)
    return date(birthday.year - age_years, birthday.month, day).strftime("%Y%m%d")


def _observation(number: int, name: str, value: float, at_ms: int) -> str:
    """Return an OBX; ``repr`` gives the shortest decimal, which is the one of the data set."""
    known = BY_NAME[name]
    return (
        f"OBX|{number}|NM|{known.loinc}^{known.en}^LN||{value!r}|{known.unit}"
        f"|||||F|||{timestamp(at_ms)}"
    )
