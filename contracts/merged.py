"""identity.merged.v1: which tokens are one person, reversibly."""

import msgspec

from contracts.topic import FOREVER_MS, Topic


class TokenLink(msgspec.Struct, frozen=True):
    """One link to ``other``. ``shift_delta_days`` turns the other's shifted times into ours:
    ``ours = theirs + shift_delta_days``.
    """

    other: str
    shift_delta_days: int
    event_id: str


class IdentityMerged(msgspec.Struct, frozen=True, kw_only=True):
    """All links that ``token`` has now (the topic is compacted, so each record is whole).

    The union of links is symmetric: privacy writes one record for each end. ``version`` counts
    the changes of this token's links, so a reader drops an older record that arrives late.
    """

    schema_version: str = "1.0"
    token: str
    links: tuple[TokenLink, ...]
    version: int
    event_id: str


MERGED = Topic(
    name="identity.merged.v1",
    event=IdentityMerged,
    key="token",
    producer="privacy",
    consumers=("gateway", "inference"),
    retention_ms=FOREVER_MS,
    cleanup="compact",
)
