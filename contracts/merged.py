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


class LinkDecision(msgspec.Struct, frozen=True, kw_only=True):
    """Event ``event_id`` linked us with ``other``, or undid that (``link`` false).

    Of a pair's decisions the newest holds: by ``decided_at_ms``, then ``order``, then ``event_id``.
    ``decided_at_ms`` is when ingest received the message, moved by our shift as all times are; None
    (a link from before decisions were kept) is older than any. ``order`` counts what one ingest
    process received, for two within a millisecond.
    """

    other: str
    shift_delta_days: int
    event_id: str
    link: bool
    decided_at_ms: int | None
    order: int = 0


class IdentityMerged(msgspec.Struct, frozen=True, kw_only=True):
    """All links that ``token`` has now (the topic is compacted, so each record is whole).

    The union of links is symmetric: privacy writes one record for each end. ``version`` grows with
    each record of this token, so a reader drops an older record that arrives late. ``decisions``
    is for privacy alone: ``links`` follows from it, and what was undone is remembered there, so
    that the links are the same in whatever order decisions arrive. Empty in older records.
    """

    schema_version: str = "1.0"
    token: str
    links: tuple[TokenLink, ...]
    version: int
    event_id: str
    decisions: tuple[LinkDecision, ...] = ()


MERGED = Topic(
    name="identity.merged.v1",
    event=IdentityMerged,
    key="token",
    producer="privacy",
    consumers=("gateway", "inference"),
    retention_ms=FOREVER_MS,
    cleanup="compact",
)
