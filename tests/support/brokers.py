"""A real Kafka broker and a real Redis on free loopback ports, started and stopped by a test."""

import contextlib
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import redis
from kafka import KafkaAdminClient
from kafka.admin import NewTopic
from kafka.errors import TopicAlreadyExistsError

from cli.stack.kafka import KafkaNode, kafka_answers, redis_command
from cli.stack.scratch import free_ports
from contracts.pipeline import PIPELINE

START_TIMEOUT_S = 60.0


def free_port() -> int:
    """Return a port that nobody listens on just now."""
    return free_ports(1)[0]


class Server:
    """A foreground program under a test's control; ``directory`` survives ``kill`` and restart."""

    def __init__(self, command: list[str], directory: Path, answers: Callable[[], bool]) -> None:
        self._command = command
        self._log = directory / "log.txt"
        self._answers = answers
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it has neither ended nor been killed."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> Self:
        """Start it and wait until it answers requests."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                tail = "\n".join(self._log.read_text(errors="replace").splitlines()[-20:])
                raise RuntimeError(f"{self._command[0]} did not start:\n{tail}")
            time.sleep(0.1)
        return self

    def stop(self) -> None:
        """Ask it to end, and wait."""
        if self._process is not None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(20)
        self.kill()

    def kill(self) -> None:
        """End it as `kill -9` does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class KafkaServer(Server):
    """One KRaft broker, formatted in ``directory``."""

    def __init__(self, directory: Path) -> None:
        port, controller_port = free_ports(2)
        node = KafkaNode(directory, port, controller_port, quick=True)
        node.prepare()
        self.bootstrap = node.bootstrap
        super().__init__(node.command(), directory, lambda: kafka_answers(node.bootstrap))

    def emptied(self) -> Self:
        """Delete all topics, after a start when a test left it dead."""
        if not self.is_running:
            self.start()
        admin = KafkaAdminClient(bootstrap_servers=self.bootstrap)
        try:
            if own := [name for name in admin.list_topics() if not name.startswith("__")]:
                admin.delete_topics(own)
            deadline = time.monotonic() + START_TIMEOUT_S
            while any(not name.startswith("__") for name in admin.list_topics()):
                assert time.monotonic() < deadline, "the topics are still there"
                time.sleep(0.05)
        finally:
            admin.close()
        return self


class RedisServer(Server):
    """One Redis with its dump in ``directory``."""

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.dump = directory / "dump.rdb"
        super().__init__(redis_command(self.port, directory), directory, self._pings)

    def _pings(self) -> bool:
        with redis.Redis.from_url(self.url) as client:
            try:
                return bool(client.ping())
            except redis.RedisError:
                return False

    def flush(self) -> None:
        """Empty it."""
        with redis.Redis.from_url(self.url) as client:
            client.flushall()


def apply_topics(bootstrap: str, partitions: int | None = None) -> tuple[str, ...]:
    """Create the topics of the pipeline that are not there yet; return all their names."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    wanted = [
        NewTopic(
            topic.name,
            num_partitions=min(topic.partitions, partitions or topic.partitions),
            replication_factor=1,
            topic_configs={
                "cleanup.policy": topic.cleanup,
                "retention.ms": str(topic.retention_ms),
                "file.delete.delay.ms": "0",  # a start goes through what is not gone yet
            },
        )
        for topic in PIPELINE
    ]
    try:
        with contextlib.suppress(TopicAlreadyExistsError):
            admin.create_topics(wanted, wait_for_metadata=True)
    finally:
        admin.close()
    return tuple(topic.name for topic in PIPELINE)
