"""`/health/live`, `/health/ready` and `/metrics` of every service, over plain asyncio.

Live: the event loop turns. Ready: every check passes; else 503 and the names of those that fail.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

Checks = Mapping[str, Callable[[], bool]]

REQUEST_BYTES_MAX = 8_192
REQUEST_WAIT_S = 5.0
REASONS = {200: "OK", 404: "Not Found", 405: "Method Not Allowed", 503: "Service Unavailable"}


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; services with a web server of their own return it as theirs."""

    status: int
    content_type: str
    body: bytes


def answer(path: str, checks: Checks) -> Answer:
    """Return the answer to ``GET path``."""
    match path:
        case "/health/live":
            return _json(200, {"status": "live"})
        case "/health/ready":
            failing = sorted(name for name, check in checks.items() if not check())
            if failing:
                return _json(503, {"status": "not ready", "failing": failing})
            return _json(200, {"status": "ready", "failing": []})
        case "/metrics":
            return Answer(200, CONTENT_TYPE_LATEST, generate_latest())
        case _:
            return _json(404, {"status": "not found"})


class HealthServer:
    """A few lines of HTTP/1.1: one request per connection, GET and HEAD only."""

    def __init__(self, port: int, checks: Checks, host: str = "127.0.0.1") -> None:
        """Keep what to serve; ``port`` 0 takes a free one, told by ``port`` after ``start``."""
        self.port = port
        self._host = host
        self._checks = checks
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(
            self._serve, self._host, self.port, limit=REQUEST_BYTES_MAX
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A peer that hangs up, stalls or talks nonsense gets no answer and harms nothing.
        with contextlib.suppress(OSError, EOFError, ValueError):
            async with asyncio.timeout(REQUEST_WAIT_S):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(_respond(head, self._checks))
                await writer.drain()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def _respond(head: bytes, checks: Checks) -> bytes:
    method, target, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
    if method not in ("GET", "HEAD"):
        found = _json(405, {"status": "method not allowed"})
    else:
        found = answer(target.partition("?")[0], checks)
    lines = (
        f"HTTP/1.1 {found.status} {REASONS[found.status]}",
        f"Content-Type: {found.content_type}",
        f"Content-Length: {len(found.body)}",
        "Cache-Control: no-store",
        "Connection: close",
        "",
        "",
    )
    return "\r\n".join(lines).encode() + (found.body if method != "HEAD" else b"")


def _json(status: int, body: object) -> Answer:
    return Answer(status, "application/json", msgspec.json.encode(body))
