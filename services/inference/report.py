"""Pure: what was judged -> the ``Assessment`` of an event, or the report of a person."""

import msgspec

from contracts.assessed import Assessment, Risk, Vital
from contracts.deidentified import DeidentifiedEvent
from contracts.topic import DAY_MS
from services.inference.assess import status_of
from services.inference.judge import Judged


def of_event(
    event: DeidentifiedEvent, place: tuple[int, int], elapsed_ms: int, judged: Judged
) -> Assessment:
    """Return the assessment of a scored event; ``place`` is its partition and offset."""
    reason = status_of(judged.findings, judged.risks)
    return msgspec.structs.replace(
        _said_of(judged, reason),
        event_id=event.event_id,
        token=event.token,
        event_type=event.event_type,
        occurred_at_ms=event.occurred_at_ms,
        partition=place[0],
        offset=place[1],
        elapsed_ms=elapsed_ms,
    )


def of_unscored_event(
    event: DeidentifiedEvent, place: tuple[int, int], elapsed_ms: int, reason: str
) -> Assessment:
    """Return the assessment of an event that by its kind gets no score."""
    stay = event.stay
    return Assessment(
        event_id=event.event_id,
        token=event.token,
        event_type=event.event_type,
        encounter="" if stay is None else stay.encounter,
        unit="" if stay is None else stay.unit,
        occurred_at_ms=event.occurred_at_ms,
        as_of_ms=event.occurred_at_ms,
        status="not_scored",
        reason=reason,
        age_years=None if event.age is None else event.age.years,
        sex=event.sex,
        partition=place[0],
        offset=place[1],
        elapsed_ms=elapsed_ms,
    )


def of_person(judged: Judged, seen: dict[str, int], link_version: int) -> Assessment:
    """Return the report of a person in the frame of the view's token.

    ``seen`` tells through which offset each identifier's facts were read.
    """
    reason = status_of(judged.findings, judged.risks)
    if reason and not judged.view.facts:
        reason = "no_observations"
    token = judged.view.token
    return msgspec.structs.replace(
        _said_of(judged, reason),
        basis="person",
        token=token,
        aliases=tuple(sorted(other for other in seen if other != token)),
        seen=dict(sorted(seen.items())),
        link_version=link_version,
    )


def in_frame_of(report: Assessment, token: str, days: int) -> Assessment:
    """Return a person's report as that of ``token``, all times moved by ``days``."""
    if report.token == token:
        return report
    delta_ms = days * DAY_MS
    return msgspec.structs.replace(
        report,
        token=token,
        aliases=tuple(sorted(other for other in report.seen if other != token)),
        occurred_at_ms=report.occurred_at_ms + delta_ms,
        as_of_ms=report.as_of_ms + delta_ms,
        vitals=tuple(_moved_vital(vital, delta_ms) for vital in report.vitals),
        doubted=tuple(_moved_vital(vital, delta_ms) for vital in report.doubted),
        risks=tuple(_moved_risk(risk, delta_ms) for risk in report.risks),
    )


def _said_of(judged: Judged, reason: str) -> Assessment:
    view, findings = judged.view, judged.findings
    return Assessment(
        event_id="",
        token=view.token,
        encounter=view.encounter,
        unit=view.unit,
        occurred_at_ms=view.as_of_ms,
        as_of_ms=view.as_of_ms,
        status="not_scored" if reason else "scored",
        reason=reason,
        scores=findings.scores,
        risks=judged.risks,
        vitals=findings.vitals,
        doubted=findings.doubted,
        red_flags=findings.red_flags,
        age_years=view.age_years,
        sex=view.sex,
        inputs_digest=findings.inputs_digest,
        model_epoch=judged.epoch,
        device=judged.device,
        degraded=judged.degraded,
    )


def _moved_vital(vital: Vital, delta_ms: int) -> Vital:
    return msgspec.structs.replace(vital, at_ms=vital.at_ms + delta_ms)


def _moved_risk(risk: Risk, delta_ms: int) -> Risk:
    moved = tuple(
        one
        if one.observed_at_ms is None
        else msgspec.structs.replace(one, observed_at_ms=one.observed_at_ms + delta_ms)
        for one in risk.contributions
    )
    return msgspec.structs.replace(risk, contributions=moved)
