"""Pure: records of the topics -> writes to the read model."""

from collections.abc import Sequence
from typing import Any

from contracts.assessed import CURRENT, Assessment
from contracts.merged import MERGED
from contracts.relations import RELATIONS, CareRelation
from contracts.reviewed import REVIEWED, Review
from plumbing.stage import Arrived
from services.gateway.stored import detail, encode, point
from services.gateway.writes import EventWrite, Kind, RowWrite

ADMISSION_MS = 10 * 60_000
ROW_TOPICS: dict[Kind, Any] = {"rel": RELATIONS, "lnk": MERGED, "cur": CURRENT, "rev": REVIEWED}


def event_writes(arrived: Sequence[Arrived[Assessment]]) -> list[EventWrite]:
    """Return one write per result; the later of two for one event and epoch changes nothing. A
    tombstone erases all results of its token.
    """
    return [
        _event_write(one, one.event) if one.event is not None else _erasing(one)
        for one in arrived
        if one.event is not None or one.key is not None
    ]


def erased(arrived: Sequence[Arrived[Any]]) -> list[str]:
    """Return the tokens of the tombstones."""
    return [one.key.decode() for one in arrived if one.event is None and one.key is not None]


def row_writes(kind: Kind, arrived: Sequence[Arrived[Any]]) -> list[RowWrite]:
    """Return one write per record; a tombstone deletes the row."""
    return [_row_write(kind, one) for one in arrived if one.key is not None]


def relation_mark(relation: CareRelation, at_ms: int) -> str:
    """Return ``<what changed>|<unit>`` of a relation seen for the first time.

    The unit is empty once the visit is closed, so that the next open one counts as an admission.
    """
    if relation.status != "open":
        return "|"
    began = relation.from_ms
    fresh = began is not None and 0 <= relation.occurred_at_ms - began <= ADMISSION_MS
    return f"{f'admitted@{at_ms}' if fresh else ''}|{_plain(relation.unit)}"


def read_mark(mark: str) -> tuple[str, int]:
    """Return what changed last (``admitted``, ``transferred`` or empty) and when."""
    change, _, _ = mark.partition("|")
    word, _, at_ms = change.partition("@")
    return (word, int(at_ms)) if at_ms else ("", 0)


def _event_write(one: Arrived[Assessment], event: Assessment) -> EventWrite:
    kept = point(event, one.timestamp_ms, one.offset)
    return EventWrite(
        event_id=event.event_id,
        token=event.token,
        model_epoch=event.model_epoch,
        at_ms=kept.at_ms,
        point=encode(kept),
        detail=encode(detail(event)),
    )


def _erasing(one: Arrived[Assessment]) -> EventWrite:
    token = (one.key or b"").decode()
    return EventWrite(event_id="", token=token, model_epoch=0, at_ms=0, point=b"", detail=b"")


def _row_write(kind: Kind, one: Arrived[Any]) -> RowWrite:
    token = (one.key or b"").decode()
    event = one.event
    group, rank, mark = 0, 0, ""
    if isinstance(event, Assessment):
        group, rank = event.link_version, sum(event.seen.values())
    elif kind == "lnk" and event is not None:
        group = event.version
    elif isinstance(event, CareRelation):
        mark = relation_mark(event, one.timestamp_ms)
    elif isinstance(event, Review):
        mark = _plain(event.review_id)
    value = b"" if event is None else ROW_TOPICS[kind].encode(event)
    return RowWrite(token, group, rank, one.offset, mark, one.timestamp_ms, value)


def _plain(unit: str) -> str:
    """A text as the read model's prefix can carry it."""
    return "".join(" " if character in ";|@" else character for character in unit)
