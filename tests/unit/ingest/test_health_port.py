"""Health has a port of its own, and idle connections do not keep others off the one of HTTP."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx
import pytest

from plumbing import http_server
from plumbing.http_server import WebServer
from tests.unit.ingest.conftest import MakeBench, msa
from tests.unit.ingest.test_mllp import oru


async def get(port: int, path: str = "/health/live") -> int:
    async with httpx.AsyncClient() as client:
        return (await client.get(f"http://127.0.0.1:{port}{path}")).status_code


async def test_health_answers_whatever_senders_do_to_the_other_port(
    make_bench: MakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_server, "LOOK_S", 0.3)
    async with make_bench(health_port=0, http_connections_max=20) as bench:
        service = bench.service
        idle = [await asyncio.open_connection("127.0.0.1", service.http_port) for _ in range(20)]
        for _, writer in idle[:10]:
            writer.write(b"POST /hl7v2 HTTP/1.1\r\nHost: x\r\nContent-")  # and no more
        assert await get(service.http_port) == 503
        for path in ("/health/live", "/health/ready", "/metrics"):
            assert await get(service.health_port, path) == 200
        for reader, writer in idle:  # they are closed, and then there is room again
            async with asyncio.timeout(5):
                assert await reader.read() == b""
            writer.close()
        async with httpx.AsyncClient() as client:
            url = f"http://127.0.0.1:{service.http_port}/hl7v2"
            answer = await client.post(url, content=oru("C1"))
        assert msa(answer.content) == ("AA", "C1")


async def test_without_one_it_is_where_it_was(make_bench: MakeBench) -> None:
    async with make_bench() as bench:
        assert bench.service.health_port == 0
        assert await get(bench.service.http_port) == 200


@asynccontextmanager
async def slow_server(began: asyncio.Event, go_on: asyncio.Event) -> AsyncIterator[WebServer]:
    async def app(
        _scope: object, _receive: object, send: Callable[..., "asyncio.Future[None]"]
    ) -> None:
        began.set()
        await go_on.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})

    server = WebServer(app)
    await server.begin()
    yield server
    await server.end()


async def test_who_waits_for_an_answer_is_not_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "LOOK_S", 0.05)
    began, go_on = asyncio.Event(), asyncio.Event()
    async with slow_server(began, go_on) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await began.wait()
        await asyncio.sleep(0.5)  # ten looks
        go_on.set()
        async with asyncio.timeout(5):
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
            assert b"done" in await reader.read()  # and then it is idle, and closed
        writer.close()
