"""A broker, or a whole stack, on free ports in a folder that goes away: for benchmarks."""

import contextlib
import random
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.stack.kafka import KafkaNode, kafka_answers
from cli.stack.launch import the_stack
from cli.stack.process import StackError
from cli.stack.settings import StackSettings

START_S = 60.0
PORTS_FROM, PORTS_TO = 15_000, 32_000


@contextmanager
def scratch_broker() -> Iterator[str]:
    """Yield the address of a broker that lives as long as the block."""
    with tempfile.TemporaryDirectory(prefix="auscult-") as folder:
        kafka_port, controller_port = free_ports(2)
        node = KafkaNode(Path(folder), kafka_port, controller_port, heap_mb=1024)
        with running(node):
            yield node.bootstrap


@contextmanager
def running(node: KafkaNode, *java_options: str) -> Iterator[None]:
    """Run a broker as long as the block lasts. Raises ``StackError`` when it does not start."""
    node.prepare()
    java, *rest = node.command()
    with (node.directory / "log.txt").open("wb") as log:
        process = subprocess.Popen([java, *java_options, *rest], stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + START_S
        while not kafka_answers(node.bootstrap):
            if process.poll() is not None or time.monotonic() > deadline:
                raise StackError("a Kafka broker could not be started")
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait()


@contextmanager
def scratch_stack() -> Iterator[StackSettings]:
    """Yield the settings of a stack, its login issuer among it, that lives as long as the block."""
    names = [name for name in StackSettings.model_fields if name.endswith("_port")]
    with tempfile.TemporaryDirectory(prefix="auscult-") as folder:
        ports = dict(zip(names, free_ports(len(names)), strict=True))
        settings = StackSettings(home=Path(folder), port_offset=0, **ports)
        stack = the_stack(settings, demo=True)
        try:
            stack.up()
            yield settings
        finally:
            stack.down()


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on just now, all different.

    They lie below those that systems hand out to outgoing connections: such a port could be taken
    by one between now and the start of the server that it is meant for.
    """
    found: list[int] = []
    for port in random.SystemRandom().sample(range(PORTS_FROM, PORTS_TO), PORTS_TO - PORTS_FROM):
        if len(found) == count:
            break
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            found.append(port)
    return found
