"""One core's worth of de-identification: vitals events per second, and notes in KB per second.

The whole work on an event but Kafka and Redis: open the seal, decode, rules, scrub, guard, encode.
Rates are of processor time, so a busy machine does not change them much.
"""

import argparse
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from statistics import median
from time import process_time

import msgspec

from contracts.deidentified import DEIDENTIFIED
from contracts.identified import Encounter, IdentifiedBody, Patient, PatientId, PersonName, Staff
from contracts.loinc import PARAMETERS
from contracts.observation import Code, Observation
from plumbing.sealing import Sealer, unseal
from services.privacy.deidentify import deidentify
from services.privacy.free_text import TextCleaner
from services.privacy.guard import shows_identity
from services.privacy.identity import NOBODY, grow
from services.privacy.known import KnownTerms
from services.privacy.known_terms import terms_of
from services.privacy.patient_keys import PatientKey

RUNS = 3
EVENTS = 2_000
PATIENTS = 200
VITALS = PARAMETERS[:6]
NOTES = {
    "en": (
        "Ms Vickers was seen on ward MICU with fever and productive cough. BP 120/80, HR 88."
        " Started ceftriaxone 1 g IV q24h, azithromycin 500 mg. CXR: right lower lobe."
        " T 38.1, WBC 14.2, CRP 120 mg/L, lactate 1.8. Reviewed by Dr. Okonkwo on 03/05/2024. "
    )
    * 12,
    "zh": (
        "患者因发热咳嗽3天入院，体温38.5℃，血压120/80mmHg，心率88次/分。"
        "双肺可闻及湿啰音。给予头孢曲松1g静滴每日一次。"
        "白细胞14.2×10^9/L，C反应蛋白120mg/L。"
        "2024年3月5日王建国主任查房，同意目前诊断及治疗方案。"
    )
    * 12,
}


@dataclass(frozen=True)
class Measured:
    """Medians of ``RUNS`` runs, with the lowest and highest."""

    what: str
    unit: str
    median: float
    lowest: float
    highest: float


def run() -> list[Measured]:
    """Measure everything once."""
    measured = [_measure("vitals ORU, six results, note-free", "events/s", _vitals())]
    for lang, note in NOTES.items():
        measured.append(_measure(f"notes, {lang}, known patient", "KB/s", _notes(note)))
    return measured


def _measure(what: str, unit: str, rate: Callable[[], float]) -> Measured:
    rate()  # the first run fills caches, as the first seconds of a process do
    rates = [rate() for _ in range(RUNS)]
    return Measured(what, unit, median(rates), min(rates), max(rates))


def _vitals() -> Callable[[], float]:
    data_key, sealer_public = os.urandom(32), os.urandom(32)
    sealer = Sealer(sealer_public, lambda size: data_key[:size])
    sealed = [sealer.seal(msgspec.json.encode(_body(n)), b"bench") for n in range(EVENTS)]
    keys = [PatientKey(os.urandom(32)) for _ in range(PATIENTS)]
    known = [grow(NOBODY, _patient(n)) for n in range(PATIENTS)]
    terms = [KnownTerms(terms_of(identity, _body(0).encounter.staff)) for identity in known]  # type: ignore[union-attr]  # made with one
    cleaners = [TextCleaner(found) for found in terms]
    decoder = msgspec.json.Decoder(IdentifiedBody)

    def rate() -> float:
        begun = process_time()
        for number, item in enumerate(sealed):
            body = decoder.decode(unseal(data_key, item.nonce, item.ciphertext, b"bench"))
            who = number % PATIENTS
            event = deidentify(
                body,
                event_id=str(number),
                key=keys[who],
                known=grow(known[who], body.patient),
                cleaner=cleaners[who],
                now_ms=0,
            )
            if shows_identity(DEIDENTIFIED.encode(event), terms[who]):
                raise AssertionError("the guard found something")
        return EVENTS / (process_time() - begun)

    return rate


def _notes(note: str) -> Callable[[], float]:
    cleaner = TextCleaner(KnownTerms(terms_of(grow(NOBODY, _patient(1)))))
    texts = [f"{note}{number}" for number in range(20)]
    size_kb = sum(len(text.encode()) for text in texts) / 1000

    def rate() -> float:
        begun = process_time()
        for text in texts:
            cleaner.clean(text)
        return size_kb / (process_time() - begun)

    return rate


def _patient(number: int) -> Patient:
    return Patient(
        ids=(PatientId(f"77{number:06}", "GENERAL", "MR"),),
        names=(PersonName(f"Vickers{number}", "Anna"), PersonName("欧阳", "晓明")),
        birth_date="1950-03-07",
        sex="F",
        others={"PHONE": ("(555) 123-4567",), "LOC": ("12 Elm Road",), "NAME": ("Robert Vickers",)},
    )


def _body(number: int) -> IdentifiedBody:
    at_ms = 1_700_000_000_000 + number * 1_000
    observations = tuple(
        Observation(
            index=index,
            code=Code("LN", parameter.loinc, parameter.en),
            kind="quantity",
            value=parameter.low + number % 7,
            text=str(parameter.low + number % 7),
            unit=parameter.unit,
            unit_sent=parameter.unit,
            reference_range="60-100",
            at_ms=at_ms,
            series=f"F{number}|{parameter.loinc}",
        )
        for index, parameter in enumerate(VITALS)
    )
    return IdentifiedBody(
        event_type="observation.result",
        message_type="ORU^R01",
        control_id=f"M{number}",
        received_at_ms=at_ms,
        occurred_at_ms=at_ms,
        patient=_patient(number % PATIENTS),
        encounter=Encounter(
            number="V1", class_="I", unit="MICU", bed="3", staff=(Staff("D1", "attending"),)
        ),
        observations=observations,
        raw=bytes(1_100),
    )


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="JSON on stdout.")
    measured = run()
    if parser.parse_args().json:
        print(json.dumps([asdict(one) for one in measured]))
        return
    for one in measured:
        spread = f"{one.lowest:,.0f} to {one.highest:,.0f}"
        print(f"{one.what}: {one.median:,.0f} {one.unit} ({spread})")


if __name__ == "__main__":
    main()
