"""How a one-node Kafka broker and a Redis are configured, formatted and started."""

import base64
import os
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from string import Template

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from cli.stack import programs


@dataclass(frozen=True)
class KafkaNode:
    """One broker: where it keeps its data and where it listens (loopback only).

    ``quick`` compiles less (first tier only, serial collector): sooner up, and on few cores the
    compiler takes nothing from those it shares them with; a broker on its own is faster without.
    """

    directory: Path
    port: int
    controller_port: int
    heap_mb: int = 512
    quick: bool = False

    @property
    def bootstrap(self) -> str:
        """Return what a client connects to."""
        return f"127.0.0.1:{self.port}"

    @property
    def properties(self) -> Path:
        """Return the file of the broker's settings."""
        return self.directory / "server.properties"

    @property
    def data(self) -> Path:
        """Return the folder of the log segments."""
        return self.directory / "data"

    def prepare(self) -> None:
        """Write the settings, and format the data folder once."""
        self.directory.mkdir(parents=True, exist_ok=True)
        template = Template((programs.KAFKA_DIR / "server.properties").read_text())
        self.properties.write_text(
            template.substitute(
                port=self.port, controller_port=self.controller_port, data_dir=self.data
            )
        )
        if (self.data / "meta.properties").exists():
            return
        # 16 bytes in base64 as Kafka prints them; the top bit is clear, so none starts with "-".
        raw = (int.from_bytes(os.urandom(16), "big") >> 1).to_bytes(16, "big")
        identity = base64.urlsafe_b64encode(raw).decode().rstrip("=")
        subprocess.run(
            self._java(
                "kafka.tools.StorageTool",
                *("format", "--standalone", f"-t={identity}", "-c", str(self.properties)),
            ),
            check=True,
            capture_output=True,
        )

    def command(self) -> list[str]:
        """Return the command that runs the broker in the foreground."""
        return self._java("kafka.Kafka", str(self.properties))

    def _java(self, main: str, *arguments: str) -> list[str]:
        jars, classes = programs.kafka_jars(), programs.kafka_classes()
        tuning = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"] if self.quick else ["-XX:+UseG1GC"]
        return [
            programs.java(),
            f"-Xmx{self.heap_mb}m",
            *tuning,
            *([f"-XX:SharedArchiveFile={classes}"] if classes.exists() else []),
            "-Djava.awt.headless=true",
            f"-Dlog4j2.configurationFile={programs.KAFKA_DIR / 'log4j2.yaml'}",
            "-cp",
            f"{jars}/*",
            main,
            *arguments,
        ]


def kafka_answers(bootstrap: str) -> bool:
    """Return whether the broker there serves requests (not only accepts connections)."""
    host, port = bootstrap.rsplit(":", 1)
    try:  # the client keeps sockets that were refused open, so it is asked only when one is not
        socket.create_connection((host, int(port)), timeout=1).close()
    except OSError:
        return False
    try:
        admin = KafkaAdminClient(
            bootstrap_servers=bootstrap, request_timeout_ms=2000, bootstrap_timeout_ms=2000
        )
    except (KafkaError, OSError):
        return False
    try:
        admin.list_topics()
    except (KafkaError, OSError):
        return False
    else:
        return True
    finally:
        admin.close()


def redis_command(port: int, directory: Path, maxmemory_mb: int = 512) -> list[str]:
    """Return the command that runs Redis in the foreground, on loopback, with a dump in
    ``directory``. ``volatile-lru``: only keys with a time to live (caches) may be evicted.
    """
    return [
        programs.redis_server(),
        *("--bind", "127.0.0.1", "--port", str(port), "--protected-mode", "yes"),
        *("--maxmemory", f"{maxmemory_mb}mb", "--maxmemory-policy", "volatile-lru"),
        *("--dir", str(directory), "--save", "60", "1000", "--daemonize", "no"),
        # A process title would overwrite the environment, by which an orphan is found.
        *("--set-proc-title", "no"),
    ]
