"""The limits of a stream app. Everything that grows has one."""

from dataclasses import dataclass
from pathlib import Path

from plumbing.kafka_connection import KafkaConnection

MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class StreamSettings:
    """One consumer group member. ``group`` is the service's name: it is the `stage` of rejections.

    ``instance_id`` makes the member static: a restart within ``session_timeout_s`` gets the same
    partitions without a rebalance. Two live members with one id fence each other; "" is dynamic.
    """

    connection: KafkaConnection
    group: str
    state_dir: Path
    instance_id: str = ""
    batch_size_max: int = 1_000
    batch_busy_s_max: float = 0.5  # for which the batches in hand should keep the process busy
    buffered_bytes_max: int = 4 * MIB
    fetch_bytes_max: int = 1 * MIB
    commit_interval_s: float = 1.0
    session_timeout_s: float = 6.0
    heartbeat_interval_s: float = 2.0
    drain_timeout_s: float = 20.0
    retry_first_s: float = 0.1
    retry_max_s: float = 5.0
    crashes_max: int = 3
    reject_ratio_max: float = 0.05
    reject_of_at_least: int = 200
