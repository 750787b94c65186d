"""Making topics as the contracts say, seeing where they differ, and measuring groups' lag."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, OffsetSpec
from kafka.errors import CoordinatorNotAvailableError, KafkaError, TopicAlreadyExistsError

from contracts.topic import DAY_MS, Topic
from plumbing.errors import Unavailable
from plumbing.kafka_connection import KafkaConnection

COORDINATOR_TRIES = 25
COORDINATOR_WAIT_S = 0.2


@dataclass(frozen=True, kw_only=True)
class Durability:
    """How many copies a record has, and how many must confirm it. One broker: 1 and 1."""

    replication_factor: int = 1
    min_in_sync: int = 1


@dataclass(frozen=True, kw_only=True)
class TopicState:
    """One topic after ``apply``: ``drift`` names what the broker has otherwise than wanted."""

    topic: str
    created: bool
    partitions: int
    drift: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PartitionLag:
    """How far a group is behind in one partition; ``committed`` -1 when it never committed."""

    topic: str
    partition: int
    committed: int
    end: int
    start: int = 0

    @property
    def records(self) -> int:
        """Return the number of offsets not yet done."""
        return max(0, self.end - max(self.committed, self.start))


class KafkaAdmin:
    """A blocking client for the command line and deployment; a context manager."""

    def __init__(self, connection: KafkaConnection) -> None:
        """Connect; raise ``Unavailable`` when no broker answers within 5 s."""
        try:
            self._client: Any = KafkaAdminClient(**connection.options(), request_timeout_ms=10_000)
        except (KafkaError, OSError) as error:
            raise Unavailable("no Kafka broker answers") from error

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connection."""
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def apply(
        self, topics: Sequence[Topic[Any]], durability: Durability, partitions: int | None = None
    ) -> tuple[TopicState, ...]:
        """Make the topics that are missing; report drift of those that exist, changing none.

        ``partitions`` replaces the default of 12 and leaves single-partition topics alone. The
        number of partitions is never changed afterwards: keys would move.
        """
        known = set(self.topics())
        for topic in topics:
            if topic.name not in known:
                self._create(topic, durability, _partitions_of(topic, partitions))
        configs = self._configs(topic.name for topic in topics)
        described = self._describe(topic.name for topic in topics)
        return tuple(
            TopicState(
                topic=topic.name,
                created=topic.name not in known,
                partitions=described[topic.name],
                drift=_drift(
                    configs[topic.name] | {"partitions": str(described[topic.name])},
                    _configs_of(topic, durability)
                    | {"partitions": str(_partitions_of(topic, partitions))},
                ),
            )
            for topic in topics
        )

    def topics(self) -> tuple[str, ...]:
        """Return the names of all topics, Kafka's own left out."""
        found: list[str] = self._client.list_topics()
        return tuple(sorted(name for name in found if not name.startswith("__")))

    def lag(self, group: str, topics: Iterable[str]) -> tuple[PartitionLag, ...]:
        """Return the lag of ``group`` in every partition of ``topics``."""
        places = [
            TopicPartition(topic, number)
            for topic, count in self._describe(topics).items()
            for number in range(count)
        ]
        committed = self._committed(group, places)
        ends = self._offsets(places, OffsetSpec.LATEST)
        starts = self._offsets(places, OffsetSpec.EARLIEST)
        return tuple(
            PartitionLag(
                topic=place.topic,
                partition=place.partition,
                committed=committed[place].offset if place in committed else -1,
                end=ends[place],
                start=starts[place],
            )
            for place in places
        )

    def members(self, group: str) -> int:
        """Return how many processes read as ``group`` now."""
        for _ in range(COORDINATOR_TRIES):
            try:
                found: dict[str, dict[str, Any]] = self._client.describe_groups([group])
                return len(found.get(group, {}).get("members") or ())
            except CoordinatorNotAvailableError:
                time.sleep(COORDINATOR_WAIT_S)
        raise Unavailable("the group has no coordinator")

    def _committed(self, group: str, places: Sequence[TopicPartition]) -> dict[Any, Any]:
        for _ in range(COORDINATOR_TRIES):  # a fresh broker needs a moment to make its own topic
            try:
                found: dict[str, dict[Any, Any]] = self._client.list_group_offsets({group: places})
                return found.get(group, {})
            except CoordinatorNotAvailableError:
                time.sleep(COORDINATOR_WAIT_S)
        raise Unavailable("the group has no coordinator")

    def _create(self, topic: Topic[Any], durability: Durability, partitions: int) -> None:
        wanted = {
            topic.name: {
                "num_partitions": partitions,
                "replication_factor": durability.replication_factor,
                "configs": _configs_of(topic, durability),
            }
        }
        try:
            self._client.create_topics(wanted, wait_for_metadata=True)
        except TopicAlreadyExistsError:
            return  # another process of the same deployment was first

    def _configs(self, names: Iterable[str]) -> dict[str, dict[str, str]]:
        asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
        found = self._client.describe_configs(asked, config_filter="all")
        return {
            name: {key: str(entry["value"]) for key, entry in configs.items()}
            for name, configs in found["topic"].items()
        }

    def _describe(self, names: Iterable[str]) -> dict[str, int]:
        described = self._client.describe_topics(list(names))
        return {entry["name"]: len(entry["partitions"]) for entry in described}

    def _offsets(
        self, places: Sequence[TopicPartition], spec: OffsetSpec
    ) -> dict[TopicPartition, int]:
        found = self._client.list_partition_offsets(dict.fromkeys(places, spec))
        return {place: found[place].offset for place in places}


def _partitions_of(topic: Topic[Any], override: int | None) -> int:
    return topic.partitions if override is None or topic.partitions == 1 else override


def _configs_of(topic: Topic[Any], durability: Durability) -> dict[str, str]:
    bounded = topic.cleanup == "compact" and topic.retention_ms >= 0
    configs = {
        "cleanup.policy": "compact,delete" if bounded else topic.cleanup,
        "retention.ms": str(topic.retention_ms),
        "segment.ms": str(topic.segment_ms),
        "min.insync.replicas": str(durability.min_in_sync),
        "message.timestamp.type": "CreateTime",
    }
    if topic.cleanup == "compact":
        # Replays stay short; a tombstone stays long enough for every reader to see it, and longer
        # than any event that it holds back; what was replaced or erased is gone within a week.
        configs |= {
            "min.cleanable.dirty.ratio": "0.2",
            "delete.retention.ms": str(9 * DAY_MS),
            "max.compaction.lag.ms": str(7 * DAY_MS),
        }
    return configs


def _drift(found: dict[str, str], wanted: dict[str, str]) -> tuple[str, ...]:
    return tuple(
        f"{key}: {found.get(key)} instead of {value}"
        for key, value in sorted(wanted.items())
        if found.get(key) != value
    )
