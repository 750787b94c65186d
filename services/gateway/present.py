"""Pure: a person and who they are -> what the API answers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from contracts.assessed import Assessment, Contribution, Risk, Vital
from contracts.loinc import BY_NAME
from contracts.periods import period_sent
from contracts.reidentify import Identity
from contracts.topic import DAY_MS
from services.gateway.inputs import Lang, label, needed_as
from services.gateway.people import Person, band, news2_of
from services.gateway.standing import RISE_SHOWN, comparable
from services.gateway.stored import Detail, Point, main_risk, score_named, vitals_of
from services.gateway.views import (
    SPARK_POINTS_MAX,
    Changed,
    ContributionView,
    DoubtedView,
    IcuRiskView,
    LastScoreView,
    News2View,
    QsofaView,
    ReasonView,
    RiskView,
    Row,
    Trend,
    VitalView,
)

REST = "other"  # the sum of the smaller inputs: nothing to look at
REASONS_SHOWN = 3
CHANGE_SHOWN_MS = 2 * 3_600_000
SIX_HOURS_MS = 6 * 3_600_000
TWELVE_HOURS_MS = 12 * 3_600_000


@dataclass(frozen=True, slots=True)
class Look:
    """One look at one person: who they are (None: not known now), when, in which language."""

    person: Person
    identity: Identity | None
    now_ms: int
    lang: Lang

    def real(self, shifted_ms: int | None, token: str = "") -> int | None:
        """Return the real time of a shifted one, None when it cannot be known.

        ``token`` is whose time it is; without it, the display token's.
        """
        if shifted_ms is None or self.identity is None:
            return None
        delta = self.person.deltas.get(token, 0) if token else 0
        return shifted_ms + (delta + self.identity.shift_days) * DAY_MS

    def series_base(self, points: Sequence[Point]) -> int:
        """Return what to add to a series of display times: the shift, or so that it ends at 0."""
        if self.identity is not None:
            return self.identity.shift_days * DAY_MS
        return -max((point.at_ms for point in points), default=0)


def row(look: Look) -> Row:
    """Return the worklist row of a person."""
    one, identity = look.person, look.identity
    relation = one.related.relation if one.related else None
    report = one.reported.assessment if one.reported else None
    seen = report is not None and (report.vitals or report.status == "scored")
    return Row(
        id=one.id,
        name=identity.name if identity else None,
        age_years=report.age_years if report else None,
        sex=(report.sex if report else "") or (identity.sex if identity else ""),
        record_number=identity.record_number if identity else None,
        unit=one.unit,
        bed="-".join(part for part in (relation.room, relation.bed) if part) if relation else "",
        status="open" if one.is_open or relation is None else "closed",
        admitted_ms=look.real(relation.from_ms) if relation else None,
        news2=_news2(look),
        qsofa=_qsofa(one),
        icu_risk=_icu_risk(look),
        red_flags=report.red_flags if report else (),
        doubted=doubted_views(report, look, report.token) if report else (),
        trend=trend(one.rise),
        spark=spark(look),
        scored_ms=one.reported.scored_ms if one.reported else None,
        data_ms=look.real(report.as_of_ms, report.token) if report and seen else None,
        not_scored=_not_scored(one),
        under_review=one.under_review,
        degraded=report.degraded if report else "",
        changed=changed(one, look.now_ms),
    )


def trend(rise: int | None) -> Trend:
    """Return the arrow for a change of the early-warning total."""
    if rise is None:
        return "none"
    if abs(rise) < RISE_SHOWN:
        return "flat"
    return "up" if rise > 0 else "down"


def spark(look: Look) -> tuple[tuple[int, int], ...]:
    """Return the newest totals that the score may be compared with, at most 24: of neighbours that
    fall together, the highest.
    """
    one = look.person
    points = comparable(one.trail, one.score) if one.score else []
    base = look.series_base(points)
    pairs = [(point.at_ms + base, point.total) for point in points if point.total is not None]
    if len(pairs) <= SPARK_POINTS_MAX:
        return tuple(pairs)
    step = (len(pairs) - 1) / (SPARK_POINTS_MAX - 1)
    edges = [round(number * step) for number in range(SPARK_POINTS_MAX)]
    chosen = [max(pairs[first:last], key=lambda pair: pair[1]) for first, last in pairwise(edges)]
    return (*chosen, pairs[-1])


def changed(one: Person, now_ms: int) -> Changed | None:
    """Return whether the patient has just come to the unit, and how."""
    if one.related is None or not one.is_open:
        return None
    if now_ms - one.related.changed_ms > CHANGE_SHOWN_MS:
        return None
    words: dict[str, Changed] = {"admitted": "admitted", "transferred": "transferred"}
    return words.get(one.related.changed)


def delta_6h(one: Person) -> float | None:
    """Return the change of the risk against six (to twelve) hours before the newest fact."""
    report = one.reported.assessment if one.reported else None
    risk = main_risk(report.risks) if report else None
    if report is None or risk is None or risk.probability is None:
        return None
    now_ms = report.as_of_ms + one.report_delta_ms
    before = [
        point.probability
        for point in one.trail
        if point.probability is not None
        and now_ms - TWELVE_HOURS_MS <= point.at_ms <= now_ms - SIX_HOURS_MS
    ]
    return risk.probability - before[-1] if before else None


def risk_view(risk: Risk, look: Look, token: str) -> RiskView:
    """Return a risk with its reasons in words; their times are those of ``token``."""
    return RiskView(
        model=risk.model,
        version=risk.version,
        outcome=risk.outcome,
        covered=risk.covered,
        reason=risk.reason,
        probability=risk.probability,
        baseline_probability=risk.baseline_probability,
        contributions=tuple(_contribution(one, look, token) for one in risk.contributions),
        completeness_gap=risk.completeness_gap,
        imputed_ratio=risk.imputed_ratio,
    )


def vital_views(vitals: Iterable[Vital], look: Look, token: str) -> tuple[VitalView, ...]:
    """Return vitals with their names; their times are those of ``token``."""
    return tuple(
        VitalView(
            parameter=one.parameter,
            label=label(one.parameter, look.lang),
            value=one.value,
            unit=one.unit,
            at_ms=look.real(one.at_ms, token),
            text=one.text,
        )
        for one in vitals
    )


def doubted_views(result: Assessment | Detail, look: Look, token: str) -> tuple[DoubtedView, ...]:
    """Return what was sent and not used, in words; the times are those of ``token``."""
    usable = vitals_of(result) if isinstance(result, Detail) else result.vitals
    return tuple(
        DoubtedView(
            parameter=one.parameter,
            label=label(one.parameter, look.lang),
            value=one.value,
            unit=one.unit,
            text=one.text,
            at_ms=None if one.at_precision else look.real(one.at_ms, token),
            at_period=period_sent(look.real(one.at_ms, token), one.at_precision),
            finding=one.finding,
            needed_as=label(name, look.lang) if (name := needed_as(one, usable)) else "",
        )
        for one in result.doubted
    )


def _news2(look: Look) -> News2View | None:
    one = look.person
    score = news2_of(one)
    if score is None or not score.covered:
        return None if one.score is None else _without_report(look, one.score)
    return News2View(
        total=score.total,
        total_min=score.total_min,
        total_max=score.total_max,
        complete=score.complete,
        band=band(one),
        missing=tuple(label(name, look.lang) for name in score.missing),
        last=_last(look, one.score) if one.score and one.overdue else None,
    )


def _without_report(look: Look, score: Point) -> News2View:
    """A report without the score: the one before stands."""
    return News2View(
        total=None,
        total_min=None,
        total_max=None,
        complete=False,
        band=band(look.person),
        missing=(),
        last=_last(look, score),
    )


def _last(look: Look, score: Point) -> LastScoreView:
    return LastScoreView(
        total=score.total or 0,
        total_min=score.total_min or 0,
        total_max=score.total_max or 0,
        at_ms=look.real(score.at_ms),
        scored_ms=score.scored_ms,
    )


def _qsofa(one: Person) -> QsofaView | None:
    score = score_named(one.reported.assessment.scores, "qSOFA") if one.reported else None
    if score is None or not score.covered:
        return None
    return QsofaView(total=score.total, positive=score.positive, complete=score.complete)


def _icu_risk(look: Look) -> IcuRiskView | None:
    one = look.person
    risk = main_risk(one.reported.assessment.risks) if one.reported else None
    if risk is None:
        return None
    # A chip is a reason to look at: what was not measured is told in the patient's view alone.
    looked_at = (part for part in risk.contributions if part.parameter != REST)
    measured = [part for part in looked_at if not _is_unmeasured(part)]
    strongest = sorted(measured, key=lambda part: -abs(part.attribution))
    return IcuRiskView(
        covered=risk.covered,
        reason=risk.reason,
        probability=risk.probability,
        delta_6h=delta_6h(one),
        top=tuple(
            ReasonView(
                label=_contribution_label(part, look.lang),
                value=part.value,
                unit=part.unit,
                attribution=part.attribution,
            )
            for part in strongest[:REASONS_SHOWN]
        ),
    )


def _not_scored(one: Person) -> str | None:
    if one.reported is None:
        return "no_report"
    report = one.reported.assessment
    return report.reason or "unknown" if report.status == "not_scored" else None


def _contribution(part: Contribution, look: Look, token: str) -> ContributionView:
    return ContributionView(
        feature=part.feature,
        parameter=part.parameter,
        label=_contribution_label(part, look.lang),
        value=part.value,
        unit=part.unit,
        at_ms=look.real(part.observed_at_ms, token),
        attribution=part.attribution,
        not_measured=_is_unmeasured(part),
    )


def _is_unmeasured(part: Contribution) -> bool:
    """Return whether it is the lack of a measurement that moves the risk."""
    return part.value is None and part.parameter in BY_NAME


def _contribution_label(part: Contribution, lang: Lang) -> str:
    return part.label.get(lang) or part.label.get("en") or label(part.parameter, lang)
