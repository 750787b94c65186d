"""Pure: a view of a patient -> scores, risks, vital signs, red flags, digest; -> Assessment.

What depends on the patient alone (``Findings``) is apart from the envelope that says which event
or person it is for, so one look serves the event and the person.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from contracts.assessed import Risk, Score, Vital
from contracts.deidentified import DeidentifiedEvent
from contracts.loinc import BY_NAME
from services.inference.input_digest import InputDigests
from services.inference.scores.inputs import Latest, inputs_of, newest_of, recent_of
from services.inference.scores.news2 import score_news2
from services.inference.scores.qsofa import score_qsofa
from services.inference.scores.tables import RedFlag, Tables
from services.inference.view import Fact, PatientView

IDENTITY_EVENTS = frozenset({"identity.merged", "identity.unlinked"})
# NEWS2 asks for observations every 12 h at the least (RCP 2017): the last ones are overdue for so
# many windows, and then forgotten.
OVERDUE_WINDOWS = 4
_digests = InputDigests()


@dataclass(frozen=True, slots=True)
class Rules:
    """The tables, and how old a measurement may be to count in a score."""

    tables: Tables
    window_ms: int


@dataclass(frozen=True, slots=True)
class Findings:
    """What the rules see in a view. ``reason`` says why nothing could be scored, "" when it was."""

    scores: tuple[Score, ...] = ()
    vitals: tuple[Vital, ...] = ()
    doubted: tuple[Vital, ...] = ()
    red_flags: tuple[str, ...] = ()
    inputs_digest: str = ""
    reason: str = ""


def unscored_reason(event: DeidentifiedEvent, fact_count: int) -> str:
    """Return why an event by its kind gets no score, or "". ``fact_count``: of this event."""
    if event.event_type in IDENTITY_EVENTS:
        return "identity_change"
    if not event.observations:
        return "no_observations"
    return "" if fact_count else "no_input"


def find(view: PatientView, rules: Rules) -> Findings:
    """Return what the scores, the newest values and the red flags say."""
    latest, doubted = newest_of(view.facts)
    recent = recent_of(latest, view.as_of_ms, rules.window_ms)
    tables = rules.tables
    scores: tuple[Score, ...] = (
        _news2(view, latest, recent, rules),
        score_qsofa(inputs_of(view, recent), tables.qsofa),
    )
    if view.age_years is None:
        scores = tuple(_uncovered(score.name, "age_unknown") for score in scores)
    scores = tuple(s if s.covered else _uncovered(s.name, s.reason) for s in scores)
    vitals = tuple(_vital(latest[name]) for name in BY_NAME if name in latest)
    return Findings(
        scores=scores,
        vitals=vitals,
        doubted=tuple(_doubted(doubted[name]) for name in BY_NAME if name in doubted),
        red_flags=red_flags(scores, latest, view.as_of_ms, tables),
        inputs_digest=_digests.of(view),
        reason="" if latest else "no_input",
    )


def red_flags(
    scores: Sequence[Score], latest: Mapping[str, Fact], as_of_ms: int, tables: Tables
) -> tuple[str, ...]:
    """Return the codes of the red flags that stand, in the order of their table."""
    by_name = {score.name: score for score in scores if score.covered}
    return tuple(
        flag.code
        for flag in tables.red_flags.flags
        if _stands_in_score(flag, by_name.get(flag.score))
        or _stands_in_value(flag, latest.get(flag.parameter), as_of_ms)
    )


def status_of(findings: Findings, risks: Sequence[Risk]) -> str:
    """Return "" when anything could be scored, else why not."""
    if findings.reason:
        return findings.reason
    covered = any(score.covered for score in findings.scores)
    return "" if covered or any(risk.covered for risk in risks) else "out_of_scope"


def _news2(view: PatientView, latest: Latest, recent: Latest, rules: Rules) -> Score:
    """Return NEWS2 of what is recent, with what it would be if the overdue inputs stood."""
    table = rules.tables.news2
    score = score_news2(inputs_of(view, recent), table)
    if score.complete:
        return score
    overdue = recent_of(latest, view.as_of_ms, OVERDUE_WINDOWS * rules.window_ms)
    if len(overdue) == len(recent):
        return score
    before = score_news2(inputs_of(view, overdue), table)
    names = tuple(name for name in score.missing if name not in before.missing)
    if not names:
        return score
    return msgspec.structs.replace(
        score, overdue=names, overdue_total=before.total, overdue_risk=before.risk
    )


def _uncovered(name: str, reason: str) -> Score:
    return Score(name=name, covered=False, reason=reason)


def _vital(fact: Fact) -> Vital:
    return Vital(
        parameter=fact.parameter,
        value=fact.value,
        unit=BY_NAME[fact.parameter].unit,
        at_ms=fact.at_ms,
        text=fact.text,
    )


def _doubted(fact: Fact) -> Vital:
    return Vital(
        parameter=fact.parameter,
        value=fact.value,
        unit="",
        at_ms=fact.at_ms,
        text=fact.text,
        finding=fact.finding,
        at_precision=fact.at_precision,
    )


def _stands_in_score(flag: RedFlag, score: Score | None) -> bool:
    if score is None:
        return False
    if flag.single_min is not None:
        return any(points >= flag.single_min for points in score.parts.values())
    return flag.total_min is not None and (score.total or 0) >= flag.total_min


def _stands_in_value(flag: RedFlag, fact: Fact | None, as_of_ms: int) -> bool:
    if fact is None or flag.at_least is None:
        return False
    fresh = fact.at_ms >= as_of_ms - flag.window_hours * 3_600_000
    return fresh and fact.value >= flag.at_least
