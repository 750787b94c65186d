"""A topic names its event, its key, its producer, its readers and how long it is kept."""

from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

import msgspec

DAY_MS = 86_400_000
FOREVER_MS = -1

Event = TypeVar("Event", bound=msgspec.Struct)


@dataclass(frozen=True, kw_only=True)
class Topic(Generic[Event]):
    """One Kafka topic and the event it carries, as JSON.

    ``cleanup`` is Kafka's ``cleanup.policy``; ``retention_ms`` -1 keeps for ever. ``partitions`` is
    the default: a site may set another number before the topic is first made, never after.
    """

    name: str
    event: type[Event]
    key: str
    producer: str
    consumers: tuple[str, ...]
    retention_ms: int
    cleanup: Literal["delete", "compact"] = "delete"
    partitions: int = 12
    segment_ms: int = DAY_MS
    identified: bool = False
    _decoder: "msgspec.json.Decoder[Event]" = field(init=False, repr=False, compare=False)
    _encoder: msgspec.json.Encoder = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Build the codec once: it is used for every record."""
        object.__setattr__(self, "_decoder", msgspec.json.Decoder(self.event))
        object.__setattr__(self, "_encoder", msgspec.json.Encoder())

    def encode(self, event: Event) -> bytes:
        """Return the event as JSON bytes."""
        return self._encoder.encode(event)

    def decode(self, value: bytes) -> Event:
        """Return the event in ``value``; raise ``msgspec.DecodeError`` when it is not one."""
        return self._decoder.decode(value)
