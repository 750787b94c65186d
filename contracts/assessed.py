"""clinical.assessed.v1 and clinical.current.v1: scores, risks, their reasons and their gaps."""

from typing import Literal

import msgspec

from contracts.periods import Coarse
from contracts.topic import DAY_MS, FOREVER_MS, Topic

Basis = Literal["event", "person"]


class Contribution(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one input did to a risk: ``attribution`` in log-odds against the baseline patient."""

    feature: str
    parameter: str
    label: dict[str, str]
    value: float | None = None
    unit: str = ""
    observed_at_ms: int | None = None
    attribution: float


class Score(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A rule-based score. ``total`` counts what is known; the true total lies in
    ``total_min``..``total_max``. ``covered`` false: out of the score's scope, ``reason`` says why.
    ``overdue`` are missing inputs that were measured, but too long ago to count; with those last
    values the score would be ``overdue_total`` and its band ``overdue_risk``: a patient whom nobody
    measured again has not become well.
    """

    name: str
    covered: bool = True
    reason: str = ""
    total: int | None = None
    total_min: int | None = None
    total_max: int | None = None
    complete: bool = False
    parts: dict[str, int] = {}
    missing: tuple[str, ...] = ()
    risk: str = ""
    positive: bool | None = None
    overdue: tuple[str, ...] = ()
    overdue_total: int | None = None
    overdue_risk: str = ""


class Risk(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A model's calibrated probability of one outcome, or ``covered`` false with a reason.

    ``completeness_gap`` is the part of the log-odds that the contributions do not explain.
    ``imputed_ratio`` is the share of inputs that were missing.
    """

    model: str
    version: str = ""
    digest: str = ""
    outcome: str
    covered: bool = True
    reason: str = ""
    probability: float | None = None
    baseline_probability: float | None = None
    contributions: tuple[Contribution, ...] = ()
    completeness_gap: float | None = None
    imputed_ratio: float | None = None


class Vital(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The newest value of a parameter that an assessment used, or in ``doubted`` could not use:
    then ``finding`` is the code that says why (``implausible``, ``unit_unknown``, ...). With an
    ``at_precision`` (``Observation``) ``at_ms`` is the middle of a year or a month, or when the
    value was said: such a one is always doubted.
    """

    parameter: str
    value: float
    unit: str
    at_ms: int
    text: str = ""
    finding: str = ""
    at_precision: Coarse = ""


class Assessment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The result of one event (basis ``event``) or of a person as they are now (``person``).

    ``as_of_ms`` is the newest clinical time among the facts used (shifted). ``inputs_digest`` is
    the SHA-256 of those facts. ``partition`` and ``offset`` are those of the event in
    ``clinical.deidentified.v1``; for ``person``, ``seen`` says through which offset of each
    identifier's facts it looks, ``link_version`` how far the identity links had been read. Of two
    reports the greater (``link_version``, sum of ``seen``) shows, compared in that order: an unlink
    makes the sum smaller and the version greater.
    ``doubted`` are readings that nothing was computed from (implausible, in an unknown unit, from
    the future, of a year or a month alone) and that no usable one has replaced: to be shown with a
    mark, as ``text`` has them; ``unit`` is empty; ``finding`` may be, in what was heard before it
    was kept.
    ``status`` is ``not_scored`` with a reason code, or ``scored``. ``model_epoch`` is the greatest
    offset of ``models.promoted.v1`` that was in force.
    """

    schema_version: str = "1.0"
    basis: Basis = "event"
    event_id: str
    token: str
    aliases: tuple[str, ...] = ()
    event_type: str = ""
    encounter: str = ""
    unit: str = ""
    occurred_at_ms: int
    as_of_ms: int
    status: Literal["scored", "not_scored"]
    reason: str = ""
    scores: tuple[Score, ...] = ()
    risks: tuple[Risk, ...] = ()
    vitals: tuple[Vital, ...] = ()
    doubted: tuple[Vital, ...] = ()
    red_flags: tuple[str, ...] = ()
    age_years: int | None = None
    sex: str = ""
    inputs_digest: str = ""
    model_epoch: int = -1
    device: str = ""
    degraded: str = ""
    partition: int = -1
    offset: int = -1
    seen: dict[str, int] = {}
    link_version: int = 0
    elapsed_ms: int = 0


ASSESSED = Topic(
    name="clinical.assessed.v1",
    event=Assessment,
    key="token",
    producer="inference",
    consumers=("gateway",),
    retention_ms=30 * DAY_MS,
)
CURRENT = Topic(
    name="clinical.current.v1",
    event=Assessment,
    key="token",
    producer="inference",
    consumers=("gateway",),
    retention_ms=FOREVER_MS,
    cleanup="compact",
)
