"""Pure: times that no calendar of ours has, before 1900 or over a year ahead, are taken out.

HL7 can write the last second of 9999 in a zone behind UTC. Nobody can show such a time, and what
reckons with it further on may fail, for all events and not for that one.
"""

from collections.abc import Callable
from typing import TypeVar

import msgspec

from contracts.identified import IdentifiedBody

DAY_MS = 86_400_000
YEAR_MS = 366 * DAY_MS  # what is planned lies no further ahead
YEAR_1900_MS = -2_208_988_800_000
YEAR_9999_MS = 253_370_764_800_000

Told = TypeVar("Told", bound=msgspec.Struct)
Name = Callable[[str, int], None]


def is_far(at_ms: int | None, received_at_ms: int) -> bool:
    """Return whether a time is before 1900, or over a year after the receipt (0: not known)."""
    last_ms = received_at_ms + YEAR_MS if received_at_ms else YEAR_9999_MS
    return at_ms is not None and not YEAR_1900_MS <= at_ms <= last_ms


def without_far_times(body: IdentifiedBody, name: Name) -> IdentifiedBody:
    """Return the event without such times but those of results, itself where it has none.

    ``name`` is told where each stood and what it was.
    """
    received = body.received_at_ms
    if body.encounter is not None:
        visit = _near(body.encounter, "admitted_at_ms", "encounter.admitted_at", received, name)
        visit = _near(visit, "discharged_at_ms", "encounter.discharged_at", received, name)
        if visit is not body.encounter:
            body = msgspec.structs.replace(body, encounter=visit)
    for group, field in (("conditions", "at_ms"), ("orders", "at_ms"), ("medications", "start_ms")):
        given = getattr(body, group)
        if any(is_far(getattr(one, field), received) for one in given):
            kept = tuple(
                _near(one, field, f"{group}.{place}", received, name)
                for place, one in enumerate(given)
            )
            body = msgspec.structs.replace(body, **{group: kept})
    return body


def _near(said: Told, field: str, where: str, received_at_ms: int, name: Name) -> Told:
    at_ms = getattr(said, field)
    if not is_far(at_ms, received_at_ms):
        return said
    name(where, at_ms)
    return msgspec.structs.replace(said, **{field: None})
