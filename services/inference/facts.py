"""Pure: what an event says -> facts, in the parameters of ``contracts.loinc``, and traits.

An observation that no score or model reads gives nothing. One that somebody doubts (implausible,
a unit that is not the parameter's) is kept as a flagged fact: shown, never scored.
"""

import math

from contracts.deidentified import DeidentifiedEvent
from contracts.loinc import Parameter, parameter_of
from contracts.observation import Observation
from services.inference.view import Fact

# OBX-11: what takes an earlier version back, and what is not a result yet.
RETRACTING = frozenset({"D", "W", "X"})
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
TEXT_LENGTH_MAX = 24  # a value as sent, not a report
PREGNANCY_STATUS = "82810-3"
_PREGNANT = {"LA15173-0": True, "LA26683-5": False}  # pregnant, not pregnant
SPO2_SCALE = ("99AUSCULT", "NEWS2-SPO2-SCALE")  # our own code: the scale prescribed, 1 or 2
# Units that say the same as the canonical one of a dimensionless parameter.
_SAME_UNIT = {("", "{score}"), ("{score}", "1"), ("", "1")}

Traits = dict[str, int | str | bool | None]


def facts_of(event: DeidentifiedEvent, offset: int) -> tuple[Fact, ...]:
    """Return the facts of an event that arrived at ``offset``, in the order of its observations."""
    found = (_fact(event, observation, offset) for observation in event.observations)
    return tuple(fact for fact in found if fact is not None)


def traits_of(event: DeidentifiedEvent) -> Traits:
    """Return what an event says of the patient beside measurements; absent is not said."""
    traits: Traits = {}
    if event.age is not None:
        traits["age_years"] = event.age.years
    if event.sex:
        traits["sex"] = event.sex
    if event.deceased:
        traits["deceased"] = True
    for observation in event.observations:
        coded = (observation.code.system, observation.code.code)
        if coded == (LOINC, PREGNANCY_STATUS) and observation.answer is not None:
            traits["pregnant"] = _PREGNANT.get(observation.answer.code)
        elif coded == SPO2_SCALE:
            traits["spo2_scale2"] = observation.value == 2
    return traits


def _fact(event: DeidentifiedEvent, observation: Observation, offset: int) -> Fact | None:
    code = observation.code
    parameter = parameter_of(code.code) if code.system == LOINC else None
    if parameter is None or observation.status in PENDING:
        return None
    value = _value(parameter, observation)
    if value is None and observation.status not in RETRACTING:
        return None
    return Fact(
        event_id=event.event_id,
        index=observation.index,
        offset=offset,
        parameter=parameter.name,
        value=0.0 if value is None else value,
        at_ms=event.occurred_at_ms if observation.at_ms is None else observation.at_ms,
        said_ms=event.occurred_at_ms,
        text=(observation.text or observation.comparator)[:TEXT_LENGTH_MAX],
        status=observation.status,
        series=observation.series,
        flagged=_doubtful(parameter, observation, value),
    )


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


def _doubtful(parameter: Parameter, observation: Observation, value: float | None) -> bool:
    if observation.finding:
        return True
    if value is None:
        return False
    if not parameter.low <= value <= parameter.high:
        return True
    unit = observation.unit
    return bool(unit) and unit != parameter.unit and (parameter.unit, unit) not in _SAME_UNIT
