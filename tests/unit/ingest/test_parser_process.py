"""Large frames in a process of their own: the same answers; when it dies, its end, its bounds."""

import asyncio
import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from bench import stalls
from contracts.identified import IDENTIFIED
from services.ingest import metrics
from services.ingest.answers import NOT_STORED
from services.ingest.doors import Door
from services.ingest.parse import SourceProfile
from services.ingest.parser_process import Beginning, ParserProcess
from tests.support.timing import assert_within, longest_stall_s, timed
from tests.unit.ingest.conftest import Bench, MakeBench, sender
from tests.unit.ingest.test_large import MEGABYTE, send, with_image
from tests.unit.ingest.test_mllp import oru
from tests.unit.ingest.test_rejected import REJECTED, kept

SMALL = 128 * 1024  # parsed apart, for a test
STALL_S_MAX = 0.035  # alone 0.01 to 0.02; parsed in a thread 0.07 to 0.1
SIZE = 15_000_000
DEADLINE_S = 5.0  # a process starts in less, also beside others
ENDS = """
import asyncio, sys
from services.ingest.doors import Door
from services.ingest.parse import SourceProfile
from services.ingest.parser_process import Beginning, ParserProcess

async def main():
    parser = ParserProcess(Beginning(b"1" * 32, b"2" * 32, 1 << 30, "INFO"), 1, 60)
    await parser.frame(b"hello", Door(SourceProfile("lab")), 0, 0)
    print(*parser._pool._processes, flush=True)
    await asyncio.sleep(60)

if __name__ == "__main__":
    asyncio.run(main())
"""


def child_of(bench: Bench) -> int:
    pool = bench.service._parser._pool
    assert pool is not None
    (pid,) = pool._processes
    return pid


def is_there(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def until_gone(pid: int) -> None:
    async with asyncio.timeout(20):
        while is_there(pid):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.02)


async def test_a_batch_a_bundle_and_a_refusal_are_answered_as_ever(make_bench: MakeBench) -> None:
    batch = b"BHS|^~\\&\r" + b"".join(oru(f"C{n}") for n in range(1_500)) + b"BTS|1500\r"
    async with make_bench(parser_process_bytes=SMALL) as bench:
        async with sender(bench.service.mllp.port) as link:
            assert (await link.send(batch)).count(b"MSA|AA|") == 1_500
            assert (await link.send(batch)).count(b"MSA|AA|") == 1_500  # resent
            assert await send(link, with_image("BAD", SMALL) + b"no segment\r") == ("AE", "BAD")
        assert is_there(child_of(bench))
        assert sorted(body.control_id for body in bench.bodies()) == sorted(
            f"C{n}" for n in range(1_500)
        )
        (found,) = await kept(bench, 1)
        body = bench.keys.open(IDENTIFIED.decode(found.payload))
        assert (found.code, body.control_id) == ("100", "BAD")
        pid = child_of(bench)
    await until_gone(pid)


async def test_its_death_refuses_that_frame_alone(make_bench: MakeBench) -> None:
    async with make_bench(parser_process_bytes=SMALL) as bench:
        async with sender(bench.service.mllp.port) as link, sender(bench.service.mllp.port) as two:
            assert await send(link, with_image("C1", SMALL)) == ("AA", "C1")
            deaths = metrics.PARSER_DEATHS._value.get()
            pid = child_of(bench)
            os.kill(pid, signal.SIGSTOP)
            waiting = asyncio.create_task(send(link, with_image("C2", SMALL)))
            behind = asyncio.create_task(send(two, with_image("C3", SMALL)))
            await asyncio.sleep(0.1)
            os.kill(pid, signal.SIGKILL)
            assert await waiting == ("AE", "C2")
            assert await behind == ("AA", "C3")
            assert await send(link, with_image("C2", SMALL)) == ("AA", "C2")
        assert metrics.PARSER_DEATHS._value.get() == deaths + 1
        (found,) = await kept(bench, 1)
        body = bench.keys.open(IDENTIFIED.decode(found.payload))
        assert (found.code, body.control_id) == ("207", "C2")


async def test_its_death_at_rest_is_nobodys(make_bench: MakeBench) -> None:
    async with make_bench(parser_process_bytes=SMALL) as bench:
        async with sender(bench.service.mllp.port) as link:
            assert await send(link, with_image("C1", SMALL)) == ("AA", "C1")
            pid = child_of(bench)
            os.kill(pid, signal.SIGKILL)
            await until_gone(pid)
            pool = bench.service._parser._pool
            async with asyncio.timeout(20):
                while pool is not None and not pool._broken:  # noqa: ASYNC110 - another thread
                    await asyncio.sleep(0.02)
            assert await send(link, with_image("C2", SMALL)) == ("AA", "C2")
        assert not bench.log.records(REJECTED.name)


async def test_one_that_never_comes_back_is_given_up_and_who_waited_comes_again(
    make_bench: MakeBench,
) -> None:
    async with make_bench(parser_process_bytes=SMALL, ack_deadline_s=DEADLINE_S) as bench:
        async with sender(bench.service.mllp.port) as link, sender(bench.service.mllp.port) as two:
            assert await send(link, with_image("C1", SMALL)) == ("AA", "C1")
            pid = child_of(bench)
            os.kill(pid, signal.SIGSTOP)
            given = asyncio.create_task(send(link, with_image("C2", SMALL)))
            await asyncio.sleep(0.1)
            assert b"|207^" in await two.send(with_image("C3", SMALL))
            assert await given == ("AE", "C2")
            await until_gone(pid)
            assert await send(two, with_image("C3", SMALL)) == ("AA", "C3")
        (found,) = await kept(bench, 1)
        assert bench.keys.open(IDENTIFIED.decode(found.payload)).control_id == "C2"


def die_in_the_middle_of_an_answer() -> None:
    """What a child does that is killed while it writes: the beginning of an answer, no end."""
    frame = sys._getframe()
    while "result_queue" not in frame.f_locals:
        assert frame.f_back is not None
        frame = frame.f_back
    os.write(frame.f_locals["result_queue"]._writer.fileno(), struct.pack("!i", 1_000) + b"half")
    os.kill(os.getpid(), signal.SIGKILL)


async def test_its_death_in_the_middle_of_an_answer_is_seen() -> None:
    parser = ParserProcess(Beginning(b"1" * 32, b"2" * 32, 1 << 30, "INFO"), 1, 60)
    _, begun = parser._begun(die_in_the_middle_of_an_answer)
    with pytest.raises(BrokenProcessPool):
        await asyncio.wait_for(asyncio.wrap_future(begun), 60)
    found = await parser.frame(with_image("C1", SMALL), Door(SourceProfile("lab")), 0, 0)
    assert found.messages[0].code == "AA"
    parser.close()
    after = await parser.frame(with_image("C1", SMALL), Door(SourceProfile("lab")), 0, 0)
    assert after.messages[0].findings == (NOT_STORED,)


async def test_a_frame_that_needs_more_memory_than_there_is_is_refused(
    make_bench: MakeBench,
) -> None:
    bounds = {"parser_process_bytes": SMALL, "parser_memory_bytes_max": 60 * MEGABYTE}
    async with make_bench(**bounds) as bench, sender(bench.service.mllp.port) as link:
        assert await send(link, with_image("BIG", 12 * MEGABYTE)) == ("AE", "BIG")
        assert await send(link, with_image("C2", SMALL)) == ("AA", "C2")


def test_it_ends_with_its_parent_also_when_that_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(ENDS)
    parent = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    os.kill(pid, signal.SIGTERM)  # told to all of a group: it is its parent's to end it
    time.sleep(0.1)
    assert is_there(pid)
    parent.kill()
    parent.communicate()
    asyncio.run(until_gone(pid))


@pytest.mark.parametrize("shape", [stalls.text, stalls.repetitions])
@timed
async def test_the_loop_never_stands_still_for_long(
    make_bench: MakeBench, shape: Callable[[int], bytes]
) -> None:
    content = shape(SIZE)
    async with make_bench() as bench, sender(bench.service.mllp.port) as link:
        await send(link, with_image("WARM", MEGABYTE))

        async def work() -> None:
            assert (await send(link, content))[0] == "AA"

        assert_within(await longest_stall_s(work, STALL_S_MAX), STALL_S_MAX)
