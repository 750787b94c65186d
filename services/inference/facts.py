"""Pure: what an event says -> facts, in the parameters of ``contracts.loinc``, and traits.

An observation that no score or model reads gives nothing. One that somebody doubts (implausible,
a unit that is not the parameter's, a time that had not come, a year or a month alone) is kept as a
flagged fact: shown with a mark and as it was sent, never scored.
"""

import math
from typing import NamedTuple

from contracts.deidentified import DeidentifiedEvent
from contracts.loinc import Parameter, parameter_of
from contracts.observation import Observation
from contracts.topic import DAY_MS
from services.inference.view import Fact

# OBX-11: what takes an earlier version back, and what is not a result yet.
RETRACTING = frozenset({"D", "W", "X"})
WITHDRAWING = frozenset({"D", "W"})  # X only says that there is no result
CORRECTING = RETRACTING | {"C"}
PRELIMINARY = frozenset({"P", "R", "S"})
PENDING = frozenset({"I", "N", "O", "U"})

LEVELS = {"A": 0.0, "C": 1.0, "V": 2.0, "P": 3.0, "U": 4.0}  # ACVPU
_LEVEL_WORDS = {
    "ALERT": "A",
    "AWAKE": "A",
    "LA9340-6": "A",
    "CONFUSION": "C",
    "CONFUSED": "C",
    "NEW CONFUSION": "C",
    "VOICE": "V",
    "VERBAL": "V",
    "PAIN": "P",
    "PAINFUL": "P",
    "UNRESPONSIVE": "U",
    "LA9343-0": "U",
    "清醒": "A",
    "意识模糊": "C",
    "呼之能应": "V",
    "对声音有反应": "V",
    "对疼痛有反应": "P",
    "无反应": "U",
}
LOINC = "LN"
TIME_DOUBTED = "time_implausible"  # ingest's: later than its receipt by more than a day
UNIT_ASSUMED = "unit_assumed"  # ingest's: none was sent, and it could be another one
TIME_COARSE = "time_coarse"
IMPLAUSIBLE = "implausible"
UNIT_UNKNOWN = "unit_unknown"
_UNSAID = frozenset({"", "1", "{score}"})
# Within this a time is a matter of clocks and zones; beyond, of a mistake.
AHEAD_MS_MAX = DAY_MS
TEXT_LENGTH_MAX = 24  # a value as sent, not a report
PREGNANCY_STATUS = "82810-3"
_PREGNANT = {"LA15173-0": True, "LA26683-5": False}  # pregnant, not pregnant
SPO2_SCALE = ("99AUSCULT", "NEWS2-SPO2-SCALE")  # our own code: the scale prescribed, 1 or 2
# Units that say the same as the canonical one of a dimensionless parameter.
_SAME_UNIT = {("", "{score}"), ("{score}", "1"), ("", "1")}

TraitValue = int | str | bool | None


class Said(NamedTuple):
    """One thing that an event says of the patient beside measurements. ``status`` is OBX-11 and
    ``series`` ties what takes it back to it.
    """

    name: str
    value: TraitValue
    status: str = "F"
    series: str = ""


def facts_of(event: DeidentifiedEvent, offset: int, heard_ms: int = 0) -> tuple[Fact, ...]:
    """Return the facts of an event that arrived at ``offset``, in the order of its observations.

    ``heard_ms`` is the newest time at which anything was said of the patient before. No receipt
    comes with an event, but a fact that is more than a day ahead of its own event and of all that
    was heard is from a wrong clock, or its event has an old time: it counts as said with its event,
    flagged, and ``ahead`` unless it is doubted for anything else.
    """
    until_ms = max(event.occurred_at_ms, heard_ms) + AHEAD_MS_MAX
    found = (_fact(event, observation, offset, until_ms) for observation in event.observations)
    return tuple(fact for fact in found if fact is not None)


def said_of(event: DeidentifiedEvent) -> tuple[Said, ...]:
    """Return what an event says of the patient beside measurements; absent is not said.

    Only registration (ADT) says that a patient is alive, by leaving the mark of death out.
    """
    said: list[Said] = []
    if event.age is not None:
        said.append(Said("age_years", event.age.years))
    if event.sex:
        said.append(Said("sex", event.sex))
    if event.deceased or event.event_type.startswith(("encounter.", "person.")):
        said.append(Said("deceased", event.deceased))
    said.extend(found for one in event.observations if (found := _observed(one)) is not None)
    return tuple(said)


def _observed(observation: Observation) -> Said | None:
    """Return what an observation says of the patient for longer than its own moment, or None.

    What is not a result yet says nothing; what takes a result back has its value None.
    """
    coded = (observation.code.system, observation.code.code)
    if observation.status in PENDING or coded not in {(LOINC, PREGNANCY_STATUS), SPO2_SCALE}:
        return None
    status, series = observation.status, observation.series
    name = "spo2_scale2" if coded == SPO2_SCALE else "pregnant"
    if status in RETRACTING:
        return Said(name, None, status, series)
    if observation.at_precision:
        return None  # said with its event it would take the place of what is known by the day
    if coded == SPO2_SCALE:
        return Said(name, observation.value == 2, status, series)
    answer = observation.answer
    return None if answer is None else Said(name, _PREGNANT.get(answer.code), status, series)


def _fact(
    event: DeidentifiedEvent, observation: Observation, offset: int, until_ms: int
) -> Fact | None:
    code = observation.code
    parameter = parameter_of(code.code) if code.system == LOINC else None
    if parameter is None or observation.status in PENDING:
        return None
    value = _value(parameter, observation)
    if value is None and observation.status not in RETRACTING:
        return None
    said_ms = event.occurred_at_ms
    at_ms = said_ms if observation.at_ms is None else observation.at_ms
    doubt = _doubt(parameter, observation, value)
    late = at_ms > until_ms or (observation.finding == TIME_DOUBTED and at_ms > said_ms)
    flagged = late or bool(doubt)
    return Fact(
        event_id=event.event_id,
        index=observation.index,
        offset=offset,
        parameter=parameter.name,
        value=0.0 if value is None else value,
        at_ms=said_ms if late else at_ms,
        said_ms=said_ms,
        text=(_as_sent(observation) if flagged else _beside(observation))[:TEXT_LENGTH_MAX],
        status=observation.status,
        series=observation.series,
        flagged=flagged,
        ahead=late and not doubt,
        finding=doubt or (TIME_DOUBTED if late else ""),
        at_precision=observation.at_precision,
    )


def _beside(observation: Observation) -> str:
    return observation.text or observation.comparator


def _as_sent(observation: Observation) -> str:
    """Return a doubted value with its own unit: the parameter's may be the wrong one for it."""
    if observation.value is None:
        return _beside(observation)
    unit = observation.unit or observation.unit_sent
    if unit in _UNSAID or observation.finding == UNIT_ASSUMED:
        unit = ""
    return f"{observation.comparator}{observation.value:g} {unit}".rstrip()


def _value(parameter: Parameter, observation: Observation) -> float | None:
    if parameter.name == "consciousness":
        return _level(observation)
    value = observation.value
    return value if value is not None and math.isfinite(value) else None


def _level(observation: Observation) -> float | None:
    answer = observation.answer
    said = (answer.code, answer.text) if answer is not None else (observation.text,)
    for word in said:
        plain = word.strip().upper()
        letter = _LEVEL_WORDS.get(plain, plain)
        if letter in LEVELS:
            return LEVELS[letter]
    return observation.value


def _doubt(parameter: Parameter, observation: Observation, value: float | None) -> str:
    """Return the code of what speaks against a value whatever day it is of, or ""."""
    if observation.finding or value is None:
        return observation.finding
    unit = observation.unit
    if unit and unit != parameter.unit and (parameter.unit, unit) not in _SAME_UNIT:
        return UNIT_UNKNOWN  # first: the limits are in the parameter's own unit
    if not parameter.low <= value <= parameter.high:
        return IMPLAUSIBLE
    return TIME_COARSE if observation.at_precision else ""  # nobody knows whether it is of now
