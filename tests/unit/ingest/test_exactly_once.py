"""Once and once only, on one log in memory: resends through one listener and through two."""

import asyncio

import pytest

from contracts.answers import ANSWERS
from plumbing.errors import Superseded, Unavailable
from services.ingest.committer import REUSED
from tests.support.resends import a_month, deliver, oru, require_exact
from tests.unit.ingest.conftest import Bench, MakeBench, msa, sender


async def send(bench: Bench, *contents: bytes) -> list[tuple[str, str]]:
    async with sender(bench.service.mllp.port) as link:
        return [msa(await link.send(content)) for content in contents]


async def test_a_month_through_two_listeners_is_exact(make_bench: MakeBench) -> None:
    month = a_month(1_500, seed=7)
    async with make_bench() as one, make_bench(log=one.log) as two:
        await deliver(month, (one.service.mllp.port, two.service.mllp.port))
        require_exact(month, one.bodies())


async def test_the_same_message_to_both_listeners_at_once_is_one_event(
    make_bench: MakeBench,
) -> None:
    async with make_bench() as one, make_bench(log=one.log) as two:
        for number in range(50):
            message = oru(f"C{number}", 5.5)
            first, second = await asyncio.gather(send(one, message), send(two, message))
            assert first == second == [("AA", f"C{number}")]
        assert len(one.events()) == 50


async def test_a_standby_that_never_had_traffic_knows_the_answers(make_bench: MakeBench) -> None:
    messages = [oru(f"C{number}", 5.5) for number in range(30)]
    async with make_bench() as standby:
        async with make_bench(log=standby.log) as active:
            await send(active, *messages)
        assert {code for code, _ in await send(standby, *messages)} == {"AA"}
        assert len(standby.events()) == 30


async def test_of_one_control_id_all_contents_are_known_after_compaction(
    make_bench: MakeBench,
) -> None:
    versions = [oru("C1", value) for value in (1.0, 2.0, 3.0)]
    async with make_bench() as bench:
        await send(bench, *versions)
        log = bench.log
        log.compact(ANSWERS.name)
        assert len(bench.answers()) == 1
    async with make_bench(log=log) as bench:
        await send(bench, *versions, oru("C1", 4.0))
        bodies = bench.bodies()
        assert len(bodies) == 4
        assert [REUSED in body.findings for body in bodies] == [False, True, True, True]


async def test_two_contents_of_one_control_id_at_once_are_both_stored_and_one_is_flagged(
    make_bench: MakeBench,
) -> None:
    async with make_bench() as bench, sender(bench.service.mllp.port) as link:
        framed = [b"\x0b" + oru("C1", value) + b"\x1c\r" for value in (1.0, 2.0, 1.0)]
        link.write(b"".join(framed))
        assert [msa(await link.answer()) for _ in framed] == [("AA", "C1")] * 3
        bodies = bench.bodies()
        assert [body.observations[0].value for body in bodies] == [1.0, 2.0]
        assert [REUSED in body.findings for body in bodies] == [False, True]


async def test_without_a_control_id_the_content_tells(make_bench: MakeBench) -> None:
    async with make_bench(strict=False) as bench:
        found = await send(bench, oru("", 1.0), oru("", 2.0), oru("", 1.0))
        assert found == [("AA", "")] * 3
        bodies = bench.bodies()
        assert [body.observations[0].value for body in bodies] == [1.0, 2.0]
        assert all(REUSED not in body.findings for body in bodies)


async def test_an_event_and_its_answer_stand_or_fall_together(
    make_bench: MakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with make_bench() as bench:
        commit = bench.log.commit

        async def lost(*_: object) -> None:
            raise Unavailable("the broker died in the middle")

        monkeypatch.setattr(bench.log, "commit", lost)
        assert await send(bench, oru("C1", 1.0)) == [("AE", "C1")]
        assert (bench.events(), bench.answers()) == ([], [])
        monkeypatch.setattr(bench.log, "commit", commit)
        async with asyncio.timeout(30):
            # It asks Kafka again by and by.
            while await send(bench, oru("C1", 1.0)) == [("AE", "C1")]:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.05)
        assert (len(bench.events()), len(bench.answers())) == (1, 1)


async def test_a_process_whose_name_is_taken_says_so_at_once_and_ends_without_waiting(
    make_bench: MakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody will store what it holds: neither its senders nor its end wait for that."""

    async def taken(*_: object) -> None:
        raise Superseded("another process has this one's name")

    async with make_bench(ack_deadline_s=200, drain_s=200) as bench:  # longer than a test may take
        monkeypatch.setattr(bench.log, "commit", taken)
        async with sender(bench.service.mllp.port) as link:
            framed = [b"\x0b" + oru(name, 1.0) + b"\x1c\r" for name in ("C1", "C2")]
            link.write(b"".join(framed))
            assert [msa(await link.answer()) for _ in framed] == [("AE", "C1"), ("AE", "C2")]
        assert isinstance(bench.service.failed.exception(), Superseded)
