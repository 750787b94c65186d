"""Kafka slow or gone: nothing more is read, memory is bounded, never AA, health answers at once."""

import asyncio
import gc
import time
from contextlib import AsyncExitStack

import httpx
import pytest

from plumbing.errors import Unavailable
from tests.support.timing import assert_within, timed
from tests.unit.ingest.conftest import Bench, MakeBench, msa, sender
from tests.unit.ingest.test_mllp import oru

HEALTH_S_MAX = 0.1
CHUNK_BYTES = 256 * 1024  # asyncio reads no more at once


async def slowest_health_s(bench: Bench, until: "asyncio.Task[None]") -> float:
    """Ask for liveness until the task ends; return the slowest answer (the first warms up), in
    processor time of this process, all threads: what others take of the machine is not its doing.
    """
    slowest = 0.0
    async with httpx.AsyncClient() as client:
        url = f"http://127.0.0.1:{bench.service.http_port}/health/live"
        await client.get(url)
        while not until.done():
            began = time.process_time()
            assert (await client.get(url)).status_code == 200
            slowest = max(slowest, time.process_time() - began)
            await asyncio.sleep(0.01)
    return slowest


async def ready(bench: Bench) -> int:
    async with httpx.AsyncClient() as client:
        url = f"http://127.0.0.1:{bench.service.http_port}/health/ready"
        return (await client.get(url)).status_code


def in_flight_of(bench: Bench) -> int:
    return sum(one.in_flight for one in bench.service.mllp.connections)


async def test_a_slow_broker_bounds_what_is_read_and_nothing_is_lost(
    make_bench: MakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = asyncio.Event()
    async with make_bench(in_flight_max=8, in_flight_bytes_max=20_000) as bench:
        commit = bench.log.commit

        async def slow(*told: object) -> object:
            await held.wait()
            return await commit(*told)  # type: ignore[arg-type]

        monkeypatch.setattr(bench.log, "commit", slow)
        names = [[f"{link}-{number}" for number in range(40)] for link in range(6)]

        async def feed(mine: list[str]) -> None:
            async with sender(bench.service.mllp.port) as link:
                link.write(b"".join(b"\x0b" + oru(name) + b"\x1c\r" for name in mine))
                assert [msa(await link.answer()) for _ in mine] == [("AA", name) for name in mine]

        feeding = [asyncio.create_task(feed(mine)) for mine in names]
        async with asyncio.timeout(30):
            while not in_flight_of(bench):  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.05)
        await asyncio.sleep(0.5)
        in_flight = in_flight_of(bench)
        assert 0 < in_flight <= 6 * 8
        assert bench.events() == []
        held.set()
        await asyncio.gather(*feeding)
        assert len(bench.events()) == 6 * 40


@timed
async def test_health_answers_at_once_under_load_and_through_an_outage(
    make_bench: MakeBench,
) -> None:
    async with make_bench(ack_deadline_s=0.3) as bench:

        async def a_bad_minute() -> None:
            async with sender(bench.service.mllp.port) as link:
                for number in range(200):
                    link.write(b"\x0b" + oru(f"A{number}") + b"\x1c\r")
                for _ in range(200):
                    assert msa(await link.answer())[0] == "AA"
                bench.log.available = False
                assert msa(await link.send(oru("B1"))) == ("AE", "B1")
                assert await ready(bench) == 503
                link.write(b"\x0b" + oru("B1") + b"\x1c\r")
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(1.0):  # nothing is read while Kafka is away
                        await link.reader.readuntil(b"\x1c\r")
                bench.log.available = True
                assert msa(await link.answer()) == ("AA", "B1")
                assert await ready(bench) == 200

        outage = asyncio.create_task(a_bad_minute())
        slowest_s = await slowest_health_s(bench, outage)
        await outage
        assert len(bench.events()) == 201
    assert_within(slowest_s, HEALTH_S_MAX * 3)  # `auscult bench mllp` says more


async def test_what_fails_on_the_way_is_never_acknowledged(
    make_bench: MakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with make_bench(ack_deadline_s=5) as bench, sender(bench.service.mllp.port) as link:

        async def refuse(*_: object) -> None:
            await asyncio.sleep(0.05)
            raise Unavailable("not confirmed")

        monkeypatch.setattr(bench.log, "commit", refuse)
        for number in range(8):
            link.write(b"\x0b" + oru(f"C{number}") + b"\x1c\r")
        assert msa(await link.answer()) == ("AE", "C0")
        monkeypatch.undo()
        found = [msa(await link.answer()) for _ in range(7)]
        accepted = {name for code, name in found if code == "AA"}
        assert {body.control_id for body in bench.bodies()} == accepted


HALF = b"\x0bMSH|^~\\&|" + b"x" * 300_000


def held_by(bench: Bench) -> int:
    return sum(one._framer.held_bytes for one in bench.service.mllp.connections)


async def test_what_is_half_received_is_bounded_and_one_after_the_other_comes_to_its_end(
    make_bench: MakeBench,
) -> None:
    limit = 1_000_000
    async with make_bench(in_flight_bytes_max=limit) as bench, AsyncExitStack() as stack:
        whole = [oru(f"C{number}") + b"NTE|1||" + b"y" * 600_000 for number in range(12)]
        links = [await stack.enter_async_context(sender(bench.service.mllp.port)) for _ in whole]
        for link, content in zip(links, whole, strict=True):
            link.write(b"\x0b" + content)
        await asyncio.sleep(0.3)
        assert held_by(bench) < limit + 600_000 + 12 * CHUNK_BYTES
        for link in links:
            link.write(b"\x1c\r")
        answers = await asyncio.gather(*(link.answer() for link in links))
        assert {msa(answer)[0] for answer in answers} == {"AA"}
        assert bench.service._gate._held == {}


async def test_half_frames_that_stall_make_room_after_the_timeout(make_bench: MakeBench) -> None:
    async with (
        make_bench(in_flight_bytes_max=800_000, frame_timeout_s=10) as bench,
        AsyncExitStack() as stack,
    ):
        stalled = [
            await stack.enter_async_context(sender(bench.service.mllp.port)) for _ in range(5)
        ]
        for link in stalled:
            link.write(HALF)
        await asyncio.sleep(0.2)
        assert not bench.service._gate.has_room
        late = await stack.enter_async_context(sender(bench.service.mllp.port))
        late.write(b"\x0b" + oru("C1") + b"\x1c\r")
        await asyncio.sleep(0.1)
        assert bench.events() == []
        bench.clock.advance(20)
        assert msa(await late.answer()) == ("AA", "C1")


async def test_bodies_of_requests_count_and_are_bounded_in_time(make_bench: MakeBench) -> None:
    async with make_bench(in_flight_bytes_max=800_000, frame_timeout_s=1.0) as bench:
        port = bench.service.http_port
        begun = b"POST /hl7v2 HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n"
        opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(4)]
        for _, writer in opened:
            writer.write(begun + b"x" * 300_000)
        async with asyncio.timeout(30):
            statuses = [(await reader.readline()).split()[1] for reader, _ in opened]
        assert {b"503"} < set(statuses) <= {b"503", b"408"}
        for _, writer in opened:
            writer.close()
        assert bench.service._gate._held == {}
        async with httpx.AsyncClient() as client:
            answer = await client.post(f"http://127.0.0.1:{port}/hl7v2", content=oru("C1"))
        assert answer.status_code == 202


async def test_http_connections_are_bounded(make_bench: MakeBench) -> None:
    async with make_bench(http_connections_max=3) as bench:
        port = bench.service.http_port
        opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(5)]
        ask = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
        for _, writer in opened:
            writer.write(ask)
        async with asyncio.timeout(30):
            statuses = [(await reader.readline()).split()[1] for reader, _ in opened]
        assert b"503" in statuses
        for _, writer in opened:
            writer.close()


@pytest.mark.parametrize(
    "frame",
    [
        b"".join(oru(f"B{number}") for number in range(2_000)),
        b"".join(b"MSH|^~\\&|||||||ADT|%d|P|2\rPID|||1\r" % number for number in range(1_500)),
        oru("P").partition(b"\r")[0] + b"\r" + b"PID|||1\r" * 131_072,
        oru("Q").partition(b"\r")[0]
        + b"\r"
        + b"".join(
            b"PID|||%d\rROL||||%d^D^J\rOBX|1|TX|a||x\r" % (number, number)
            for number in range(1_500)
        ),
    ],
    ids=["batch", "tiny", "many-patients", "staff"],
)
@timed
async def test_the_loop_is_free_while_a_frame_of_many_is_taken(
    make_bench: MakeBench, frame: bytes
) -> None:
    async with make_bench() as bench, sender(bench.service.mllp.port) as link:
        await link.send(oru("WARM"))
        link.write(b"\x0b" + frame + b"\x1c\r")
        answering = asyncio.create_task(link.reader.readuntil(b"\x1c\r"))
        gc.disable()  # the service spares what stays (``plumbing.garbage``), a test process not
        longest_s, began = 0.0, time.process_time()
        while not answering.done():
            await asyncio.sleep(0)
            now = time.process_time()
            longest_s, began = max(longest_s, now - began), now
        gc.enable()
    assert_within(longest_s, 2 * HEALTH_S_MAX)  # it is a third
