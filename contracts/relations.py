"""care.relations.v1: where a patient is and who cares for them, in tokens."""

import msgspec

from contracts.clinical import EncounterStatus
from contracts.topic import FOREVER_MS, Topic


class StaffRole(msgspec.Struct, frozen=True):
    """A member of staff as a token (keyed hash of their number) and what they do here."""

    staff: str
    role: str


class CareRelation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The newest state of a patient's visit. ``from_ms`` and ``to_ms`` are shifted.

    ``event_id`` names the event that said so; ``occurred_at_ms`` (shifted) is when. ``mentioned``:
    no movement said so, only a result or a note that named the visit.
    """

    schema_version: str = "1.0"
    token: str
    encounter: str
    status: EncounterStatus
    class_: str = msgspec.field(default="", name="class")
    unit: str = ""
    room: str = ""
    bed: str = ""
    staff: tuple[StaffRole, ...] = ()
    from_ms: int | None = None
    to_ms: int | None = None
    occurred_at_ms: int
    event_id: str
    mentioned: bool = False


RELATIONS = Topic(
    name="care.relations.v1",
    event=CareRelation,
    key="token",
    producer="privacy",
    consumers=("gateway",),
    retention_ms=FOREVER_MS,
    cleanup="compact",
)
