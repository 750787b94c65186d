"""How fast one gateway worker answers: ``python -m tests.support.gateway_speed REDIS_URL``.

A real server with 50 patients and a load generator in a second process, on the same machine. Beside
the rate it prints the server's own processor time: what one core would give if it had it alone.
"""

# ruff: noqa: T201  # it prints its figures

import asyncio
import multiprocessing
import sys
import tempfile
import time
from pathlib import Path

import uvicorn

from contracts.assessed import ASSESSED, CURRENT
from contracts.relations import RELATIONS
from contracts.topic import DAY_MS
from services.gateway.app import listen
from tests.support.gateway_world import (
    HOUR_MS,
    NOON_MS,
    World,
    a_relation,
    an_assessment,
    gateway_world,
)

PATIENTS = 50
POINTS = 24
CONNECTIONS = 16
SECONDS = 4.0


async def fill(world: World) -> None:
    """A full list: names, sparklines, risks with reasons."""
    at_ms = NOON_MS - 100 * DAY_MS
    for number in range(PATIENTS):
        token = f"token{number:021d}"
        world.privacy.knows(token, f"Family{number}, Given", f"MRN{number:06d}", 100)
        await world.tell(RELATIONS, a_relation(token, f"W{number % 3 + 1}", at_ms=at_ms))
        for point in range(POINTS):
            moment = at_ms - (POINTS - point) * HOUR_MS // 4
            result = an_assessment(
                token, f"{token}-{point}", at_ms=moment, total=number % 12, probability=0.2
            )
            await world.tell(ASSESSED, result)
        report = an_assessment(
            token, "", at_ms=at_ms, total=number % 12, probability=0.21, basis="person"
        )
        await world.tell(CURRENT, report)
    started = time.perf_counter()
    await world.settle()
    spent = time.perf_counter() - started
    events = PATIENTS * (POINTS + 2)
    print(f"projected {events} records in {spent:.2f} s: {events / spent:,.0f}/s")


def load(
    port: int, head: bytes, answers: "multiprocessing.Queue[tuple[int, float, list[float]]]"
) -> None:
    """Send the same request over keep-alive connections for some seconds."""

    async def one(until: float, spent: list[float]) -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        size = 0
        while time.perf_counter() < until:
            started = time.perf_counter()
            writer.write(head)
            answer = await reader.readuntil(b"\r\n\r\n")
            for line in answer.lower().split(b"\r\n"):
                if line.startswith(b"content-length:"):
                    size = int(line.split(b":")[1])
                    await reader.readexactly(size)
            spent.append(time.perf_counter() - started)
        writer.close()
        return size

    async def many() -> None:
        spent: list[float] = []
        started = time.perf_counter()
        sizes = await asyncio.gather(*(one(started + SECONDS, spent) for _ in range(CONNECTIONS)))
        answers.put((sizes[0], time.perf_counter() - started, spent))

    asyncio.run(many())


async def measure(name: str, port: int, head: bytes) -> None:
    """Print one line."""
    context = multiprocessing.get_context("spawn")
    queue: multiprocessing.Queue[tuple[int, float, list[float]]] = context.Queue()
    process = context.Process(target=load, args=(port, head, queue))
    process.start()
    busy = time.process_time()
    size, seconds, spent = await asyncio.to_thread(queue.get)
    busy = time.process_time() - busy
    process.join()
    spent.sort()
    p50, p99 = spent[len(spent) // 2] * 1000, spent[len(spent) * 99 // 100] * 1000
    print(
        f"{name}: {len(spent) / seconds:,.0f} req/s ({len(spent) / busy:,.0f} a core), {size} B, "
        f"p50 {p50:.1f} ms, p99 {p99:.1f} ms"
    )


async def main(redis_url: str) -> None:
    """Measure the conditional read, the cached and the newly built list, and one patient."""
    with tempfile.TemporaryDirectory() as folder:
        async with gateway_world(redis_url, Path(folder)) as world:
            await fill(world)
            browser = await world.client("nurse.wang")
            listening = listen("127.0.0.1", 0)
            port = listening.getsockname()[1]
            config = uvicorn.Config(
                world.gateway.app, log_config=None, access_log=False, lifespan="off"
            )
            server = uvicorn.Server(config)
            serving = asyncio.create_task(server.serve([listening]))
            tag = (await browser.get("/v1/worklist")).headers["etag"]
            cookie = browser.cookies["auscult_session"]

            def head(path: str, extra: str = "") -> bytes:
                lines = f"GET {path} HTTP/1.1\r\nHost: x\r\nCookie: auscult_session={cookie}\r\n"
                return f"{lines}{extra}\r\n".encode()

            conditional = head("/v1/worklist", f"If-None-Match: {tag}\r\n")
            await measure("304", port, conditional)
            await measure("list, as before", port, head("/v1/worklist"))
            bodies = world.gateway.worklist._bodies
            bodies_max = type(bodies)
            world.gateway.worklist._bodies = _Forgetful()
            await measure("list, built anew", port, head("/v1/worklist"))
            world.gateway.worklist._bodies = bodies_max()
            await measure("patient", port, head(f"/v1/patients/token{7:021d}"))
            await measure("history", port, head(f"/v1/patients/token{7:021d}/history"))
            server.should_exit = True
            await serving


class _Forgetful(dict[str, bytes]):
    def __setitem__(self, key: str, value: bytes) -> None:
        """Keep nothing."""


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
