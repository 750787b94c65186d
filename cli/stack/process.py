"""What a process of the stack is, and the one-line ways it can fail to start."""

import http.client
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


class StackError(Exception):
    """The stack cannot do what was asked; the message is one clear line for the user."""


@dataclass(frozen=True)
class Port:
    """A port and the setting that moves it."""

    number: int
    setting: str


@dataclass(frozen=True)
class Process:
    """One supervised program. On the way down a greater ``stop_rank`` stops first.

    ``once``: it ends by itself when its work is done, and is not started again.
    ``health_port`` is where it serves health and metrics, 0 when it does not.
    """

    name: str
    command: tuple[str, ...]
    ports: tuple[Port, ...]
    ready: Callable[[], bool]
    stop_rank: int
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_wait_s: int = 30
    once: bool = False
    health_port: int = 0


def check_ports(process: Process) -> None:
    """Raise ``StackError`` naming the first port that some other program holds."""
    for port in process.ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port.number))
            except OSError:
                raise StackError(
                    f"port {port.number} for {process.name} is taken by another program; "
                    f"free it, or set {port.setting} or AUSCULT_PORT_OFFSET"
                ) from None


def redis_answers(port: int) -> bool:
    """Return whether a Redis on ``port`` answers a ping (it does not while it loads its dump)."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
    except OSError:
        return False


def http_get(port: int, path: str) -> tuple[int, str]:
    """Return status and text of a GET on loopback, (0, "") when nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode("utf-8", "replace")
    except (OSError, http.client.HTTPException):
        return 0, ""
    finally:
        connection.close()


def is_ready(port: int) -> bool:
    """Return whether the service with its health server on ``port`` says it is ready."""
    return http_get(port, "/health/ready")[0] == http.client.OK
