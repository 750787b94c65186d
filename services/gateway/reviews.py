"""What a clinician may decide about a report, and the event that says so."""

from hashlib import sha256
from typing import Literal

import msgspec

from contracts.reviewed import Review

DecisionWord = Literal["accepted", "overridden"]


class ReviewRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of ``POST /v1/events/{event_id}/review``; ``reason`` is one of the coded set.

    Free text is not taken: privacy has no scrub for it on this path, so nothing would clean it.
    """

    decision: DecisionWord
    reason: str


REASONS: dict[DecisionWord, tuple[str, ...]] = {
    "accepted": ("agrees_with_assessment", "acting_on_it", "already_acted", "for_information"),
    "overridden": (
        "known_and_expected",
        "measurement_wrong",
        "chronic_baseline",
        "palliative_or_limited_care",
        "already_treated",
        "not_my_patient",
        "other",
    ),
}


def review(
    request: ReviewRequest, *, event_id: str, token: str, staff: str, key: str, now_ms: int
) -> Review:
    """Return the event of a decision; the same viewer, event and key give the same id."""
    name = sha256(f"{staff}|{event_id}|{key}".encode()).hexdigest()[:32]
    return Review(
        review_id=name,
        event_id=event_id,
        token=token,
        decision=request.decision,
        reason=request.reason,
        viewer=staff,
        decided_at_ms=now_ms,
    )
