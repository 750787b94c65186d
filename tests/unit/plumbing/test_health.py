"""Liveness, readiness and metrics over a real socket; nonsense harms nobody."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from functools import partial

import msgspec
import pytest

from plumbing.health import HealthServer, answer

State = dict[str, bool]


@pytest.fixture
def state() -> State:
    return {"kafka": True, "keys": True}


@pytest.fixture
async def server(state: State) -> AsyncIterator[HealthServer]:
    server = HealthServer(0, {name: partial(state.__getitem__, name) for name in state})
    await server.start()
    yield server
    await server.close()


async def _exchange(server: HealthServer, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(request)
    writer.write_eof()
    received = await reader.read()
    writer.close()
    await writer.wait_closed()
    return received


async def _get(server: HealthServer, path: str) -> tuple[int, bytes]:
    received = await _exchange(server, f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    head, _, body = received.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), body


async def test_ready_names_the_failing_checks(server: HealthServer, state: State) -> None:
    assert await _get(server, "/health/ready") == (200, b'{"status":"ready","failing":[]}')
    state["keys"] = state["kafka"] = False
    status, body = await _get(server, "/health/ready?verbose=1")
    assert status == 503
    assert msgspec.json.decode(body)["failing"] == ["kafka", "keys"]
    assert (await _get(server, "/health/live"))[0] == 200


async def test_metrics_are_served(server: HealthServer) -> None:
    status, body = await _get(server, "/metrics")
    assert status == 200
    assert b"python_info" in body


async def test_other_paths_and_methods_are_refused(server: HealthServer) -> None:
    assert (await _get(server, "/"))[0] == 404
    assert (await _get(server, "/metrics/../etc"))[0] == 404
    assert (await _exchange(server, b"POST /metrics HTTP/1.1\r\n\r\n")).startswith(b"HTTP/1.1 405")


async def test_head_has_a_length_and_no_body(server: HealthServer) -> None:
    received = await _exchange(server, b"HEAD /health/live HTTP/1.1\r\n\r\n")
    head, _, body = received.partition(b"\r\n\r\n")
    assert b"Content-Length: 17" in head
    assert body == b""


@pytest.mark.parametrize(
    "request_bytes", [b"", b"\r\n\r\n", b"GET\r\n\r\n", b"A" * 20_000, b"\xff\xfe \r\n\r\n"]
)
async def test_nonsense_is_dropped_and_the_next_is_served(
    server: HealthServer, request_bytes: bytes
) -> None:
    with contextlib.suppress(ConnectionResetError):  # closed with bytes unread: also no answer
        assert await _exchange(server, request_bytes) == b""
    assert (await _get(server, "/health/live"))[0] == 200


def test_answer_is_pure() -> None:
    assert answer("/health/ready", {"never": lambda: False}).status == 503
    assert answer("/health/ready", {}).status == 200
