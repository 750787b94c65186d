"""clinical.reviewed.v1: what a clinician decided about an assessment."""

from typing import Literal

import msgspec

from contracts.topic import DAY_MS, Topic


class Review(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Accept or override, by whom (staff token), with a coded reason and scrubbed free text."""

    schema_version: str = "1.0"
    review_id: str
    event_id: str
    token: str
    decision: Literal["accepted", "overridden"]
    reason: str = ""
    viewer: str
    decided_at_ms: int
    subject: str = ""


REVIEWED = Topic(
    name="clinical.reviewed.v1",
    event=Review,
    key="token",
    producer="gateway",
    consumers=("gateway", "model owners"),
    retention_ms=3650 * DAY_MS,
)
