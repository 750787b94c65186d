"""Pure: how results are kept in the read model. Small arrays, because there are millions.

A ``Point`` is what a chart needs of one event, a ``Detail`` what its explanation needs; labels and
units that ``contracts.loinc`` knows are left out and put back when they are shown.
"""

from collections.abc import Sequence

import msgspec

from contracts.assessed import Assessment, Contribution, Risk, Score, Vital
from contracts.loinc import BY_NAME
from services.gateway.views import BANDS, Band

ICU_OUTCOME_MODEL = "icu_mortality"
CONTRIBUTIONS_MAX = 40
NEWS2_PARTS = ("resp_rate", "spo2", "on_oxygen", "sbp", "pulse", "acvpu", "temp_c")
ALL_PARTS = (1 << len(NEWS2_PARTS)) - 1
NOT_TOLD = -1
UNKNOWN = BANDS.index("unknown")


class Point(msgspec.Struct, frozen=True, array_like=True):
    """One event on a chart; times are shifted milliseconds, ``scored_ms`` is processing time.

    ``parts`` has a bit for each of ``NEWS2_PARTS`` that is known, ``band`` is the place in
    ``BANDS``, ``flags`` how many red flags stood. A point of an older version has none of these.
    """

    at_ms: int
    scored_ms: int
    offset: int
    total: int | None
    total_min: int | None
    total_max: int | None
    probability: float | None
    parts: int = NOT_TOLD
    band: int = UNKNOWN
    flags: int = 0


class StoredPart(msgspec.Struct, frozen=True, array_like=True):
    """A contribution without what can be looked up."""

    feature: str
    parameter: str
    value: float | None
    unit: str
    at_ms: int | None
    attribution: float
    label: dict[str, str] | None = None


class StoredRisk(msgspec.Struct, frozen=True, array_like=True):
    """A risk; ``bare`` is the contract's struct without its contributions."""

    bare: Risk
    parts: tuple[StoredPart, ...]


class Detail(msgspec.Struct, frozen=True, array_like=True):
    """What explains one event's result. One of an older version has nothing ``doubted``."""

    event_type: str
    status: str
    reason: str
    as_of_ms: int
    model_epoch: int
    inputs_digest: str
    device: str
    degraded: str
    scores: tuple[Score, ...]
    risks: tuple[StoredRisk, ...]
    vitals: tuple[tuple[str, float, str, int, str], ...]
    red_flags: tuple[str, ...]
    doubted: tuple[Vital, ...] = ()


_point_encoder = msgspec.msgpack.Encoder()
_point_decoder = msgspec.msgpack.Decoder(Point)
_detail_decoder = msgspec.msgpack.Decoder(Detail)


def encode(stored: Point | Detail) -> bytes:
    """Return the bytes for Redis."""
    return _point_encoder.encode(stored)


def decode_point(value: bytes) -> tuple[int, Point]:
    """Return the model epoch and the point of a stored ``<epoch>;<bytes>``."""
    epoch, _, packed = value.partition(b";")
    return int(epoch), _point_decoder.decode(packed)


def decode_detail(value: bytes) -> Detail:
    """Return the detail."""
    return _detail_decoder.decode(value)


def point(assessment: Assessment, scored_ms: int, offset: int) -> Point:
    """Return the chart point of an assessment."""
    news2 = score_named(assessment.scores, "NEWS2")
    risk = main_risk(assessment.risks)
    covered = news2 if news2 is not None and news2.covered else None
    return Point(
        at_ms=assessment.as_of_ms or assessment.occurred_at_ms,
        scored_ms=scored_ms,
        offset=offset,
        total=covered.total if covered else None,
        total_min=covered.total_min if covered else None,
        total_max=covered.total_max if covered else None,
        probability=risk.probability if risk else None,
        parts=parts_of(covered) if covered else 0,
        band=BANDS.index(band_of(covered)),
        flags=len(assessment.red_flags),
    )


def band_of(news2: Score | None) -> Band:
    """Return the early-warning band of a score."""
    if news2 is None or not news2.covered:
        return "unknown"
    return next((name for name in BANDS if name == news2.risk), "unknown")


def parts_of(news2: Score) -> int:
    """Return which parts are known, a bit for each of ``NEWS2_PARTS``."""
    return sum(1 << place for place, name in enumerate(NEWS2_PARTS) if name in news2.parts)


def detail(assessment: Assessment) -> Detail:
    """Return what explains an event's assessment, at most ``CONTRIBUTIONS_MAX`` reasons a risk."""
    return Detail(
        event_type=assessment.event_type,
        status=assessment.status,
        reason=assessment.reason,
        as_of_ms=assessment.as_of_ms,
        model_epoch=assessment.model_epoch,
        inputs_digest=assessment.inputs_digest,
        device=assessment.device,
        degraded=assessment.degraded,
        scores=assessment.scores,
        risks=tuple(_stored_risk(risk) for risk in assessment.risks),
        vitals=tuple(
            (one.parameter, one.value, _unit_to_keep(one), one.at_ms, one.text)
            for one in assessment.vitals
        ),
        red_flags=assessment.red_flags,
        doubted=assessment.doubted,
    )


def risks_of(stored: Detail) -> tuple[Risk, ...]:
    """Return the risks with their contributions, as the contract has them."""
    return tuple(
        msgspec.structs.replace(
            risk.bare, contributions=tuple(_contribution(part) for part in risk.parts)
        )
        for risk in stored.risks
    )


def vitals_of(stored: Detail) -> tuple[Vital, ...]:
    """Return the vitals as the contract has them."""
    return tuple(
        Vital(parameter=name, value=value, unit=unit or _unit_of(name), at_ms=at_ms, text=text)
        for name, value, unit, at_ms, text in stored.vitals
    )


def score_named(scores: Sequence[Score], name: str) -> Score | None:
    """Return the score of that name (any case), or None."""
    wanted = name.casefold()
    return next((score for score in scores if score.name.casefold() == wanted), None)


def main_risk(risks: Sequence[Risk]) -> Risk | None:
    """Return the risk of death in hospital, or None."""
    return next((risk for risk in risks if risk.model == ICU_OUTCOME_MODEL), None)


def _stored_risk(risk: Risk) -> StoredRisk:
    strongest = sorted(risk.contributions, key=lambda one: -abs(one.attribution))
    return StoredRisk(
        bare=msgspec.structs.replace(risk, contributions=()),
        parts=tuple(_part(one) for one in strongest[:CONTRIBUTIONS_MAX]),
    )


def _part(one: Contribution) -> StoredPart:
    known = BY_NAME.get(one.parameter)
    same_label = known is not None and one.label == {"en": known.en, "zh": known.zh}
    return StoredPart(
        one.feature,
        one.parameter,
        one.value,
        "" if known is not None and one.unit == known.unit else one.unit,
        one.observed_at_ms,
        one.attribution,
        None if same_label else one.label,
    )


def _contribution(part: StoredPart) -> Contribution:
    known = BY_NAME.get(part.parameter)
    label = part.label
    if label is None:
        label = {"en": known.en, "zh": known.zh} if known else {}
    return Contribution(
        feature=part.feature,
        parameter=part.parameter,
        label=label,
        value=part.value,
        unit=part.unit or _unit_of(part.parameter),
        observed_at_ms=part.at_ms,
        attribution=part.attribution,
    )


def _unit_to_keep(vital: Vital) -> str:
    return "" if vital.unit == _unit_of(vital.parameter) else vital.unit


def _unit_of(parameter: str) -> str:
    known = BY_NAME.get(parameter)
    return known.unit if known else ""
