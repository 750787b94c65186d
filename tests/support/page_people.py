"""A small ward for the page's tests: invented people, and what the topics say about them.

The scores come from the service's own rules; only the risk model's answer is made up.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import msgspec

from contracts.assessed import ASSESSED, CURRENT, Assessment, Contribution, Risk
from contracts.loinc import BY_NAME
from contracts.merged import MERGED, IdentityMerged, TokenLink
from contracts.periods import moved_back
from contracts.reidentify import Identity
from contracts.relations import RELATIONS, CareRelation
from contracts.topic import DAY_MS
from plumbing.event_log import Output
from services.inference.assess import Rules, find, status_of
from services.inference.scores.tables import load_tables
from services.inference.view import Fact, PatientView

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
MARCH_2019_MS = 1_551_398_400_000
WELL = {"heart_rate": 76, "resp_rate": 15, "sbp": 126, "dbp": 74, "spo2": 98, "temperature": 36.8}
WELL |= {"consciousness": 0, "oxygen_flow": 0}
BEFORE = WELL | {"gcs": 15, "lactate": 1.1, "creatinine": 0.9, "bun": 14, "potassium": 4.1}
BEFORE |= {"platelets": 240, "wbc": 8.0}
RULES = Rules(load_tables(), 12 * HOUR_MS)


@dataclass(frozen=True)
class Someone:
    """One person. ``vitals`` is where the course leads from ``before``; ``probability`` likewise.

    ``minutes_ago`` is the age of the newest values, ``events`` how many sets there are, 45 minutes
    apart. ``doubted`` came with the newest set: (parameter, value, as sent, finding); what is
    ``time_coarse`` is of March 2019.
    """

    number: int
    name: str
    record_number: str
    sex: str
    age: int
    unit: str
    bed: str
    vitals: dict[str, float] = field(default_factory=dict)
    before: dict[str, float] = field(default_factory=lambda: dict(BEFORE))
    minutes_ago: int = 10
    events: int = 16
    probability: float | None = None
    admitted_hours_ago: float = 30
    drivers: tuple[tuple[str, float], ...] = ()
    moved_from: str = ""
    doubted: tuple[tuple[str, float, str, str], ...] = ()

    @property
    def token(self) -> str:
        return f"token{'abcdefghijklmnopqrstuvwxyz'[self.number] * 21}"

    @property
    def shift_days(self) -> int:
        return 17 + 11 * self.number

    def identity(self) -> Identity:
        return Identity(
            token=self.token,
            name=self.name,
            birth_date="",
            record_number=self.record_number,
            shift_days=self.shift_days,
            sex=self.sex,
        )


def _vitals(**changes: float) -> dict[str, float]:
    return WELL | changes


SEPSIS = _vitals(
    heart_rate=128, resp_rate=27, sbp=88, dbp=48, spo2=91, temperature=39.2, consciousness=2, gcs=9,
    oxygen_flow=8, lactate=6.4, creatinine=2.4, bun=48, potassium=5.1, platelets=88, wbc=18.2,
)  # fmt: skip
WARD: tuple[Someone, ...] = (
    Someone(0, "Zhang Wei", "20183345", "M", 74, "MICU", "03", SEPSIS, minutes_ago=4, events=32,
            probability=0.62, drivers=(("lactate", 0.82), ("urine_volume", 0.7), ("gcs", 0.61),
                                       ("bun", 0.44), ("sbp", 0.33), ("age", 0.25),
                                       ("platelets", 0.09),
                                       ("temperature", -0.05), ("potassium", -0.16))),
    Someone(1, "O'Connor, Siobhán", "20190021", "F", 81, "CCU", "11",
            _vitals(heart_rate=104, resp_rate=23, sbp=99, spo2=93, oxygen_flow=4),
            before=_vitals(heart_rate=112, resp_rate=24, sbp=96, spo2=92, oxygen_flow=4),
            minutes_ago=12, probability=0.34,
            drivers=(("bun", 0.44), ("age", 0.31), ("heart_rate", -0.22))),
    Someone(2, "王芳", "20200456", "F", 58, "W2", "07",
            {k: v for k, v in _vitals(resp_rate=25, sbp=98, heart_rate=99).items()
             if k != "temperature"}, minutes_ago=21, moved_from="W1"),
    Someone(3, "Abdullah, Nur", "20201199", "F", 45, "W1", "02",
            {"heart_rate": 114, "resp_rate": 21, "sbp": 108, "dbp": 62, "spo2": 97},
            before={"heart_rate": 80, "resp_rate": 16, "sbp": 124, "dbp": 70, "spo2": 98},
            minutes_ago=12),
    Someone(4, "Müller, Hans-Jürgen von und zu Hohenstein", "20177701", "M", 66, "MICU", "05",
            _vitals(heart_rate=95, resp_rate=22, spo2=95, oxygen_flow=2),
            before=_vitals(heart_rate=125, resp_rate=26, sbp=99, oxygen_flow=6),
            minutes_ago=75, probability=0.186, drivers=(("lactate", 0.21), ("gcs", -0.35))),
    Someone(5, "Chen Jing", "20203312", "F", 39, "W3", "14",
            _vitals(heart_rate=112, resp_rate=21, temperature=38.4), minutes_ago=33),
    Someone(6, "李秀英", "20160004", "F", 90, "W2", "01", _vitals(resp_rate=8), minutes_ago=25),
    Someone(7, "Smith, John", "20202020", "M", 52, "W1", "09", _vitals(heart_rate=93, spo2=95),
            before=_vitals(heart_rate=112, spo2=94), minutes_ago=190, admitted_hours_ago=0.05),
    Someone(8, "刘洋", "20202111", "M", 33, "CCU", "02",
            {k: v for k, v in _vitals(heart_rate=95).items() if k != "temperature"},
            minutes_ago=44, probability=0.021, drivers=(("age", -0.9), ("heart_rate", -0.2))),
    Someone(9, "Haddad, Layla", "20202113", "F", 61, "W3", "03", _vitals(), minutes_ago=420),
    Someone(10, "Rossi, Giulia", "20202188", "F", 29, "W1", "12", {}, events=0,
            admitted_hours_ago=0.03),
    Someone(11, "Kim Min-jun", "20202190", "M", 12, "W3", "21", _vitals(), minutes_ago=18),
)  # fmt: skip


# Temperature is one that ABDULLAH's score misses; his heart rate has a usable value before.
DOUBTED = (
    ("temperature", 370.0, "370 Cel", "implausible"),
    ("heart_rate", 900.0, "900 /min", "implausible"),
    ("creatinine", 88.0, "88 furlong", "unit_unknown"),
)


def history(one: Someone, now_ms: int) -> list[Output]:
    """All that the topics hold about one person."""
    outputs = [relation(one, now_ms)]
    if one.moved_from:
        outputs.insert(0, relation(replace(one, unit=one.moved_from), now_ms - HOUR_MS))
    facts: list[Fact] = []
    for step in range(one.events):
        at_ms = _at(one, now_ms, one.events - 1 - step)
        facts += _measured(one, step, at_ms)
        outputs.append(_output(ASSESSED.name, one, _assessment(one, facts, step, "event")))
    newest = _assessment(one, facts, one.events, "person")
    outputs.append(_output(CURRENT.name, one, newest))
    return outputs


def report(one: Someone, now_ms: int, order: int) -> list[Output]:
    """A new set of values of one person, ``order`` (above 99) being its place in time."""
    facts = _measured(replace(one, events=1), order, _at(one, now_ms, 0))
    return [
        _output(ASSESSED.name, one, _assessment(one, facts, order, "event")),
        _output(CURRENT.name, one, _assessment(one, facts, order, "person")),
    ]


def lab_only(
    one: Someone, now_ms: int, parameter: str, value: float, order: int = 200
) -> list[Output]:
    """Another value has come since ``history``, and what is doubted with it: the vital signs of
    ``one`` are as old as before.
    """
    facts = [
        fact
        for step in range(one.events)
        for fact in _measured(one, step, _at(one, now_ms, one.events - 1 - step))
    ]
    facts += _measured(replace(one, vitals={parameter: value}, events=1), order, now_ms)
    return [
        _output(ASSESSED.name, one, _assessment(one, facts, order, "event")),
        _output(CURRENT.name, one, _assessment(one, facts, order, "person")),
    ]


def relation(one: Someone, now_ms: int, status: str = "open") -> Output:
    """Where a person is now."""
    shift_ms = one.shift_days * DAY_MS
    admitted_ms = now_ms - round(one.admitted_hours_ago * HOUR_MS)
    event = msgspec.convert(
        {
            "token": one.token,
            "encounter": f"visit{one.number}",
            "status": status,
            "unit": one.unit,
            "bed": one.bed,
            "from_ms": admitted_ms - shift_ms,
            "occurred_at_ms": now_ms - shift_ms,
            "event_id": f"rel-{one.number}-{now_ms}",
        },
        CareRelation,
    )
    return Output(RELATIONS.name, one.token.encode(), RELATIONS.encode(event))


def links(one: Someone, other: Someone, version: int) -> list[Output]:
    """Both records that say that two tokens are one person."""
    made = []
    for here, there in ((one, other), (other, one)):
        link = TokenLink(there.token, there.shift_days - here.shift_days, f"link-{version}")
        event = IdentityMerged(
            token=here.token, links=(link,), version=version, event_id=f"link-{version}"
        )
        made.append(Output(MERGED.name, here.token.encode(), MERGED.encode(event)))
    return made


def _at(one: Someone, now_ms: int, steps_back: int) -> int:
    return now_ms - one.minutes_ago * MINUTE_MS - steps_back * 45 * MINUTE_MS


def _measured(one: Someone, step: int, at_ms: int) -> list[Fact]:
    """One set: on the way from ``before`` to ``vitals``, with a ripple that is always the same."""
    share = 1.0 if one.events <= 1 else step / (one.events - 1)
    facts = []
    for index, (name, target) in enumerate(one.vitals.items()):
        start = one.before.get(name, target * 0.8)
        ripple = math.sin(step * 1.7 + index) * 0.015 * target * (1 - share)
        value = start + (target - start) * share**1.5 + ripple
        whole = name in {"gcs", "consciousness", "heart_rate", "resp_rate", "sbp", "dbp", "spo2"}
        facts.append(
            Fact(
                event_id=_event(one, step),
                index=index,
                offset=step,
                parameter=name,
                value=float(round(value)) if whole else round(value, 1),
                at_ms=at_ms - one.shift_days * DAY_MS,
            )
        )
    if step < one.events - 1:
        return facts
    return facts + [
        Fact(
            event_id=_event(one, step),
            index=len(facts) + place,
            offset=step,
            parameter=name,
            value=value,
            text=text,
            finding=finding,
            flagged=True,
            at_ms=(
                moved_back(MARCH_2019_MS, "month", one.shift_days * DAY_MS)
                if finding == "time_coarse"
                else at_ms - one.shift_days * DAY_MS
            ),
            at_precision="month" if finding == "time_coarse" else "",
        )
        for place, (name, value, text, finding) in enumerate(one.doubted)
    ]


def _event(one: Someone, step: int) -> str:
    return f"00000000-0000-4000-8000-{one.number:06d}{step:06d}"


def _assessment(one: Someone, facts: Sequence[Fact], step: int, basis: str) -> Assessment:
    as_of_ms = max((fact.at_ms for fact in facts), default=0)
    view = PatientView(
        token=one.token,
        age_years=one.age,
        sex=one.sex,
        facts=tuple(facts),
        as_of_ms=as_of_ms,
    )
    found = find(view, RULES)
    risk = _risk(one, step, as_of_ms)
    reason = status_of(found, [risk]) if facts else "no_observations"
    return msgspec.convert(
        {
            "basis": basis,
            "event_id": _event(one, min(step, max(one.events - 1, 0)) if step < 99 else step),
            "token": one.token,
            "aliases": (one.token,),
            "event_type": "observation.result" if facts else "encounter.admit",
            "unit": one.unit,
            "occurred_at_ms": as_of_ms,
            "as_of_ms": as_of_ms,
            "status": "not_scored" if reason else "scored",
            "reason": reason,
            "scores": found.scores if facts else (),
            "risks": (risk,),
            "vitals": found.vitals,
            "doubted": found.doubted,
            "red_flags": found.red_flags,
            "age_years": one.age,
            "sex": one.sex,
            "model_epoch": 1,
            "device": "cpu",
            "seen": {one.token: step},
        },
        Assessment,
        from_attributes=True,
    )


def _risk(one: Someone, step: int, as_of_ms: int) -> Risk:
    if one.probability is None:
        return Risk(
            model="icu_mortality", version="1.0.0", outcome="death_in_hospital",
            covered=False, reason="not_icu",
        )  # fmt: skip
    share = min(1.0, step / max(1, one.events - 1))
    return Risk(
        model="icu_mortality",
        version="1.0.0",
        outcome="death_in_hospital",
        probability=round(one.probability * (0.45 + 0.55 * share**2), 4),
        baseline_probability=0.139,
        contributions=tuple(
            _contribution(one, name, amount, as_of_ms) for name, amount in one.drivers
        ),
        completeness_gap=0.0031,
        imputed_ratio=0.27,
    )


def _contribution(one: Someone, name: str, amount: float, as_of_ms: int) -> Contribution:
    known = BY_NAME.get(name)
    value = float(one.age) if name == "age" else one.vitals.get(name)
    return Contribution(
        feature=name,
        parameter=name,
        label={"en": known.en, "zh": known.zh} if known else {"en": "Age", "zh": "年龄"},
        value=value,
        unit=known.unit if known else "a",
        observed_at_ms=None if name == "age" or value is None else as_of_ms,
        attribution=amount,
    )


def _output(topic: str, one: Someone, event: Assessment) -> Output:
    return Output(topic, one.token.encode(), ASSESSED.encode(event))
