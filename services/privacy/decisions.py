"""Pure: the links of tokens from the decisions about them, the same in whatever order they come.

A merge and its unlink may name different identifiers first, are then in different partitions of
``clinical.identified.v1``, and are handled in any order, several times. So a record keeps what was
decided about each pair, what was undone too, and the newest decision holds.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from msgspec.structs import replace

from contracts.merged import IdentityMerged, LinkDecision, TokenLink
from contracts.topic import DAY_MS
from plumbing.event_log import Headers

DECISIONS_PER_PAIR_MAX = 8
UNLINKED_PAIRS_MAX = 64

Order = tuple[bool, int, int, str]


@dataclass(frozen=True, kw_only=True)
class LinkChange:
    """``event_id`` links (or unlinks) two tokens; the shifts are those of their patient keys.

    ``received_at_ms`` is the clock of ingest; ``received_order`` tells two of a millisecond apart.
    """

    one: str
    one_shift_days: int
    other: str
    other_shift_days: int
    is_link: bool
    event_id: str
    received_at_ms: int
    received_order: int = 0
    headers: Headers = ()

    def seen_from_one(self) -> LinkDecision:
        """Return the decision in the frame of ``one``: a time shifted by fewer days is later."""
        return LinkDecision(
            other=self.other,
            shift_delta_days=self.other_shift_days - self.one_shift_days,
            event_id=self.event_id,
            link=self.is_link,
            decided_at_ms=self.received_at_ms - self.one_shift_days * DAY_MS,
            order=self.received_order,
        )


def changed(
    held: Mapping[str, IdentityMerged], changes: Sequence[LinkChange]
) -> dict[str, IdentityMerged]:
    """Return by token the whole records that differ from ``held`` (by token) after the changes.

    What either end knows of a pair counts for both, so a change that was written at one end only
    is completed, and what one end has forgotten the other tells it.
    """
    now = dict(held)
    for change in changes:
        one, other = (now.get(token) or _new(token) for token in (change.one, change.other))
        pair = [
            *_about(one, change.other),
            *(_mirrored(decision, change.other) for decision in _about(other, change.one)),
            change.seen_from_one(),
        ]
        for record, said in ((one, pair), (other, [_mirrored(d, change.one) for d in pair])):
            after = _with(record, said)
            if not same(after, record):
                now[record.token] = replace(after, event_id=change.event_id)
    return {
        token: replace(record, version=record.version + 1)
        for token, record in now.items()
        if record is not held.get(token)
    }


def joined(one: IdentityMerged, other: IdentityMerged) -> IdentityMerged:
    """Return what two records of one token know together, newer than both."""
    both = _with(one, decisions_of(other))
    return replace(both, version=max(one.version, other.version) + 1, event_id=other.event_id)


def forgetting(record: IdentityMerged, tokens: Collection[str]) -> IdentityMerged:
    """Return the next record of a token without the ``tokens`` of somebody who was erased."""
    return replace(
        record,
        links=tuple(link for link in record.links if link.other not in tokens),
        decisions=tuple(one for one in record.decisions if one.other not in tokens),
        version=record.version + 1,
    )


def same(one: IdentityMerged, other: IdentityMerged) -> bool:
    """Return whether two records say the same, whichever is newer."""
    return (one.links, one.decisions) == (other.links, other.decisions)


def _new(token: str) -> IdentityMerged:
    return IdentityMerged(token=token, links=(), version=0, event_id="")


def _with(record: IdentityMerged, said: Iterable[LinkDecision]) -> IdentityMerged:
    """Return the record with what else was said: what is kept, and the links that follow."""
    pairs: dict[str, dict[str, LinkDecision]] = defaultdict(dict)
    for decision in chain(decisions_of(record), said):
        pair = pairs[decision.other]
        before = pair.get(decision.event_id, decision)
        pair[decision.event_id] = min(before, decision, key=_order)  # a resend decides nothing anew
    kept = [sorted(pair.values(), key=_order)[-DECISIONS_PER_PAIR_MAX:] for pair in pairs.values()]
    kept.sort(key=lambda pair: (_order(pair[-1]), pair[-1].other))
    linked = [pair for pair in kept if pair[-1].link]
    undone = [pair for pair in kept if not pair[-1].link][-UNLINKED_PAIRS_MAX:]
    links = tuple(TokenLink(d.other, d.shift_delta_days, d.event_id) for *_, d in linked)
    return replace(record, links=links, decisions=tuple(chain(*linked, *undone)))


def decisions_of(record: IdentityMerged) -> Sequence[LinkDecision]:
    """Return what was decided about the record's token, of old records too."""
    if record.decisions:
        return record.decisions
    return [
        LinkDecision(
            other=link.other,
            shift_delta_days=link.shift_delta_days,
            event_id=link.event_id,
            link=True,
            decided_at_ms=None,
        )
        for link in record.links
    ]


def _about(record: IdentityMerged, other: str) -> list[LinkDecision]:
    return [decision for decision in decisions_of(record) if decision.other == other]


def _mirrored(decision: LinkDecision, other: str) -> LinkDecision:
    """Return the same decision in the frame of the other end, for which we are ``other``."""
    delta, at_ms = decision.shift_delta_days, decision.decided_at_ms
    return replace(
        decision,
        other=other,
        shift_delta_days=-delta,
        decided_at_ms=None if at_ms is None else at_ms - delta * DAY_MS,
    )


def _order(decision: LinkDecision) -> Order:
    at_ms = decision.decided_at_ms
    return (at_ms is not None, at_ms or 0, decision.order, decision.event_id)
