"""What is written to and read from the read model: plain values, no Redis."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["cur", "rel", "lnk", "rev", "evt"]


@dataclass(frozen=True, slots=True)
class Slot:
    """One partition of one projected topic."""

    kind: Kind
    topic: str
    partition: int

    @property
    def field(self) -> str:
        """Return its name in ``gw:progress``."""
        return f"{self.topic}:{self.partition}"


@dataclass(frozen=True, slots=True)
class Step:
    """A write moves ``slot`` to ``next_offset``; at least ``known`` must be projected already.

    ``lag_ms`` is the time since when the projection is behind, None when it is not.
    ``epoch`` names the rebuild, should the read model turn out to be empty.
    """

    slot: Slot
    known: int
    next_offset: int
    epoch: str
    lag_ms: int | None = None


@dataclass(frozen=True, slots=True)
class RowWrite:
    """The newest record of a token; ``value`` empty deletes. See ``read_model.lua`` for the order.

    ``mark`` of a relation is ``<what changed>|<unit, empty when closed>``, of a review its id.
    """

    token: str
    group: int
    rank: int
    offset: int
    mark: str
    at_ms: int
    value: bytes


@dataclass(frozen=True, slots=True)
class EventWrite:
    """One event's result. Without an ``event_id``: the person of ``token`` was erased, and all of
    their results go.
    """

    event_id: str
    token: str
    model_epoch: int
    at_ms: int
    point: bytes
    detail: bytes


@dataclass(frozen=True, slots=True)
class Done:
    """What a write did: ``again`` counts results that were there already."""

    new: int
    superseded: int
    again: int


@dataclass(frozen=True, slots=True)
class Lost:
    """The read model is behind ``resume`` (an offset), or parts of it are gone (None)."""

    resume: int | None


@dataclass(frozen=True, slots=True)
class Marks:
    """Where the read model stands. ``epoch`` empty: there is none."""

    epoch: str
    version: int
    lag_ms: dict[str, int]
    progress: dict[str, int]


@dataclass(frozen=True, slots=True)
class StoredRow:
    """A row as kept: the JSON of the contract's struct with what orders and marks it."""

    mark: str
    at_ms: int
    value: bytes
