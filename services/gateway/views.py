"""The answers of the API, as msgspec structs: what a browser or an API client receives.

Every time is milliseconds since 1970 UTC in real (unshifted) time for an entitled viewer. While
identity is ``unavailable`` the real time is not known: single times are null, and the times in
series are relative to the newest point of that patient (0 or below). ``id`` is the token.
Texts that a person reads (``label``, ``missing``) come in the viewer's language; reason codes,
red flags, bands and parameter names are codes of closed sets, which the page puts into words.
"""

from typing import Literal

import msgspec

from contracts.assessed import Score
from contracts.reidentify import GlassReason

Band = Literal["high", "medium", "low-medium", "low", "unknown"]
Trend = Literal["up", "down", "flat", "none"]
IdentityState = Literal["ok", "unavailable"]
Changed = Literal["admitted", "transferred"]
Point = tuple[int, int]  # (ms, early-warning total)
BANDS: tuple[Band, ...] = ("high", "medium", "low-medium", "low", "unknown")
SPARK_POINTS_MAX = 24


class View(msgspec.Struct, frozen=True, kw_only=True):
    """A response body; every field is always present."""


class CatchingUp(View, frozen=True, kw_only=True):
    """The read model is being rebuilt or lags: what is shown may be this many minutes old."""

    behind_minutes: int


class LastScoreView(View, frozen=True, kw_only=True):
    """An earlier NEWS2 that stands, and when; ``at_ms`` is null while identity is away."""

    total: int
    total_min: int
    total_max: int
    at_ms: int | None
    scored_ms: int


class News2View(View, frozen=True, kw_only=True):
    """NEWS2 of the newest report. ``total`` counts what is known; the truth lies in min..max.
    ``band`` is the one that stands: with ``last``, that of an earlier score, because the report
    knows too little to say that the patient is better than then (observations are overdue).
    """

    total: int | None
    total_min: int | None
    total_max: int | None
    complete: bool
    band: Band
    missing: tuple[str, ...]
    last: LastScoreView | None


class QsofaView(View, frozen=True, kw_only=True):
    """qSOFA of the newest report; ``positive`` null: not decidable with what is known."""

    total: int | None
    positive: bool | None
    complete: bool


class ReasonView(View, frozen=True, kw_only=True):
    """One of the inputs that moved a risk most; ``attribution`` in log-odds, + raises it."""

    label: str
    value: float | None
    unit: str
    attribution: float


class IcuRiskView(View, frozen=True, kw_only=True):
    """Risk of death in hospital. ``covered`` false: out of the model's scope, ``reason`` says why.
    ``delta_6h`` is the change of the probability against six hours before the newest fact.
    """

    covered: bool
    reason: str
    probability: float | None
    delta_6h: float | None
    top: tuple[ReasonView, ...]


class DoubtedView(View, frozen=True, kw_only=True):
    """A reading that was sent and that nothing was computed from, because of its ``finding`` (a
    code, or empty when it was not kept). ``text`` is the value as sent; when it is empty ``value``
    is. ``needed_as`` is the input of NEWS2, named as in ``missing``, that it is a newer reading of
    than any usable one; empty for all others. ``at_period``: ``YYYY`` or ``YYYY-MM`` of a reading
    that was sent with a year or a month alone; it has no ``at_ms``.
    """

    parameter: str
    label: str
    value: float
    unit: str
    text: str
    at_ms: int | None
    at_period: str
    finding: str
    needed_as: str


class Row(View, frozen=True, kw_only=True):
    """One person on the worklist.
    ``data_ms`` is the time of the newest fact used, ``scored_ms`` when the report was made.
    ``not_scored`` is a reason code when nothing could be scored. ``under_review``: the links of
    this person changed and the report is not recomputed yet. ``degraded`` is a code or empty.
    ``doubted``: what was sent since the last usable value of its parameter, and does not count.
    ``spark``: the newest early-warning totals, oldest first; it and ``trend`` are over results of
    one identifier with the same parts of the score.
    """

    id: str
    name: str | None
    age_years: int | None
    sex: str
    record_number: str | None
    unit: str
    bed: str
    status: Literal["open", "closed"]
    admitted_ms: int | None
    news2: News2View | None
    qsofa: QsofaView | None
    icu_risk: IcuRiskView | None
    red_flags: tuple[str, ...]
    doubted: tuple[DoubtedView, ...]
    trend: Trend
    spark: tuple[Point, ...]
    scored_ms: int | None
    data_ms: int | None
    not_scored: str | None
    under_review: bool
    degraded: str
    changed: Changed | None


class Worklist(View, frozen=True, kw_only=True):
    """The sickest first. ``full`` false (an answer to ``since``): ``patients`` has only the rows
    that changed since the cursor, ``gone`` the ids that left the viewer's list; ``order`` always
    has every id of the list (cut at ``limit``), in order. ``total`` counts them before the cut.
    """

    generated_ms: int
    cursor: str
    full: bool
    catching_up: CatchingUp | None
    identity: IdentityState
    total: int
    order: tuple[str, ...]
    patients: tuple[Row, ...]
    gone: tuple[str, ...]


class VitalView(View, frozen=True, kw_only=True):
    """The newest value of a parameter, with the time it was taken."""

    parameter: str
    label: str
    value: float
    unit: str
    at_ms: int | None
    text: str


class ContributionView(View, frozen=True, kw_only=True):
    """What one input, or that it was not measured, did to a risk (log-odds from the baseline)."""

    feature: str
    parameter: str
    label: str
    value: float | None
    unit: str
    at_ms: int | None
    attribution: float
    not_measured: bool = False


class RiskView(View, frozen=True, kw_only=True):
    """A model's whole answer. ``completeness_gap``: log-odds that the contributions leave open."""

    model: str
    version: str
    outcome: str
    covered: bool
    reason: str
    probability: float | None
    baseline_probability: float | None
    contributions: tuple[ContributionView, ...]
    completeness_gap: float | None
    imputed_ratio: float | None


class ReviewView(View, frozen=True, kw_only=True):
    """The newest decision on a report."""

    event_id: str
    decision: Literal["accepted", "overridden"]
    reason: str
    decided_ms: int


class GlassView(View, frozen=True, kw_only=True):
    """The glass over a patient is broken: why, and until when (the server's time)."""

    reason: GlassReason
    until_ms: int


class Patient(Row, frozen=True, kw_only=True):
    """One person in full. ``event_id`` names the report that a review is about. ``glass``: shown
    without a care relation; then nothing is decided.
    """

    identity: IdentityState
    catching_up: CatchingUp | None
    event_id: str | None
    vitals: tuple[VitalView, ...]
    scores: tuple[Score, ...]
    risks: tuple[RiskView, ...]
    aliases_count: int
    history_url: str
    review: ReviewView | None
    decisions_open: bool
    glass: GlassView | None


class History(View, frozen=True, kw_only=True):
    """Series over time, oldest first; thinned to ``points`` with the extremes kept."""

    news2: tuple[tuple[int, int, int, int], ...]
    icu_risk: tuple[tuple[int, float], ...]
    vitals: dict[str, tuple[tuple[int, float], ...]]


class SupersededView(View, frozen=True, kw_only=True):
    """An earlier answer for the same event, replaced by one of a newer set of models."""

    model_epoch: int
    superseded_by: int
    news2_total: int | None
    probability: float | None


class Explanation(View, frozen=True, kw_only=True):
    """Everything behind the result of one event."""

    event_id: str
    event_type: str
    status: Literal["scored", "not_scored"]
    reason: str
    as_of_ms: int | None
    model_epoch: int
    inputs_digest: str
    device: str
    degraded: str
    scores: tuple[Score, ...]
    risks: tuple[RiskView, ...]
    vitals: tuple[VitalView, ...]
    doubted: tuple[DoubtedView, ...]
    red_flags: tuple[str, ...]
    superseded: tuple[SupersededView, ...]


class Reviewed(View, frozen=True, kw_only=True):
    """The decision is stored. The same ``Idempotency-Key`` gives the same answer, once recorded."""

    review_id: str
    event_id: str
    decision: Literal["accepted", "overridden"]
    reason: str
    decided_ms: int
