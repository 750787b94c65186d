"""An event of many values is packed; what is refused although it is large is kept whole."""

import asyncio
import random
import zlib
from pathlib import Path

import httpx
import msgspec
import pytest

from cli.commands.rejected import Asking
from cli.stack.process import StackError
from contracts.identified import IDENTIFIED
from contracts.refused import RefusedMessage, RefusedReplay
from plumbing.clock import ManualClock
from plumbing.errors import MalformedEvent
from services.privacy.seals import Seals
from tests.support.privacy import Ingest, make_keys
from tests.unit.ingest.conftest import Bench, MakeBench, sender
from tests.unit.ingest.test_large import MEGABYTE, send, with_image
from tests.unit.ingest.test_mllp import oru
from tests.unit.ingest.test_rejected import REJECTED, kept, privacy_over
from tests.unit.privacy.builders import a_body


def of_results(control_id: str, number: int) -> bytes:
    chance = random.Random(number)
    head = oru(control_id).rpartition(b"OBX|")[0]
    lines = []
    for index in range(number):
        code = chance.choice(("2345-7^Glucose^LN", "2823-3^Potassium^LN", "718-7^Hb^LN"))
        day, hour, minute = (chance.randrange(1, 24) for _ in range(3))
        at = f"202405{day:02d}{hour:02d}{minute:02d}"
        value = chance.uniform(1, 200)
        lines.append(f"OBX|{index}|NM|{code}|{index}|{value:.1f}|mmol/L|||||F|||{at}\r")
    return head + "".join(lines).encode()


@pytest.mark.parametrize("number", [5_000, 20_000])
async def test_many_results_are_several_packed_events_that_privacy_opens(
    make_bench: MakeBench, tmp_path: Path, number: int
) -> None:
    keys = make_keys(tmp_path / "site")
    async with make_bench(keys_dir=keys) as bench, sender(bench.service.mllp.port) as link:
        assert await send(link, of_results("MANY", number)) == ("AA", "MANY")
        events = bench.events()
        assert all(event.packed for event in events)
        bodies = [Seals(keys, 7).open(event, bench.clock.now_ms()) for event in events]
        assert len(bodies) > 1
        assert sum(len(body.observations) for body in bodies) == number
        assert len({body.raw_blob for body in bodies} - {None}) == 1
        assert await send(link, oru("C2")) == ("AA", "C2")
        assert not bench.events()[-1].packed


async def test_what_is_packed_is_no_bomb_and_no_other_bytes(tmp_path: Path) -> None:
    keys = make_keys(tmp_path / "site")
    seals, ingest = Seals(keys, 7), Ingest(keys)
    good = ingest.seal(a_body(), "e1")
    for plain in (b"no zlib", zlib.compress(b"{}" * 1000)[:-4]):
        sealed = ingest.sealer.seal(plain, f"{IDENTIFIED.name}|e1|{good.key_id}".encode())
        event = msgspec.structs.replace(
            good, packed=True, nonce=sealed.nonce, sealed=sealed.ciphertext
        )
        with pytest.raises(MalformedEvent, match="body_undecodable"):
            seals.open(event, ManualClock().now_ms())


async def test_more_values_than_fit_are_refused_and_kept_whole(
    make_bench: MakeBench, tmp_path: Path
) -> None:
    keys, message = make_keys(tmp_path / "site"), of_results("ALL", 61_000)
    async with make_bench(keys_dir=keys) as bench, privacy_over(bench, keys) as url:
        async with sender(bench.service.mllp.port) as link:
            assert await send(link, message) == ("AR", "ALL")
        (found,) = await kept(bench, 1)
        assert (found.code, found.payload_left) == ("102", False)
        shown = await shown_whole(bench, keys, url)
        assert (shown.raw, shown.control_id) == (message, "ALL")
        assert shown.findings[0].text == "message is too large"


async def test_a_large_refused_message_is_kept_whole(make_bench: MakeBench, tmp_path: Path) -> None:
    keys, message = make_keys(tmp_path / "site"), with_image("BAD", 3 * MEGABYTE) + b"no segment\r"
    async with make_bench(keys_dir=keys) as bench, privacy_over(bench, keys) as url:
        async with sender(bench.service.mllp.port) as link:
            assert await send(link, message) == ("AE", "BAD")
        await kept(bench, 1)
        assert bench.service._intake._parts.refusals._bytes == 0
        assert (await shown_whole(bench, keys, url)).raw == message


@pytest.mark.parametrize("door", ["mllp", "fhir"])
async def test_the_beginning_of_what_is_over_the_limit_is_kept_and_not_sent_again(
    make_bench: MakeBench, tmp_path: Path, door: str
) -> None:
    keys, message = make_keys(tmp_path / "site"), with_image("BIG", 2 * MEGABYTE)
    async with (
        make_bench(keys_dir=keys, frame_bytes_max=MEGABYTE) as bench,
        privacy_over(bench, keys) as url,
    ):
        if door == "mllp":
            async with sender(bench.service.mllp.port) as link:
                assert await send(link, message) == ("AR", "BIG")
        else:
            async with httpx.AsyncClient() as client:
                to = f"http://127.0.0.1:{bench.service.http_port}/fhir"
                assert (await client.post(to, content=message)).status_code == 413
        (found,) = await kept(bench, 1)
        assert (found.code, found.payload_left) == ("102", True)
        assert (await shown_whole(bench, keys, url)).raw == message[:4096]
        asking = Asking("operator 1", url, keys / "operator.token")
        (record,) = bench.log.records(REJECTED.name)
        place = asking.place(record.partition, record.offset)
        with pytest.raises(StackError, match="422"):
            await asyncio.to_thread(asking.ask, "replay", place, RefusedReplay)


async def shown_whole(bench: Bench, keys: Path, url: str) -> RefusedMessage:
    """What an operator sees of the one refused message."""
    asking = Asking("operator 1", url, keys / "operator.token")
    (record,) = bench.log.records(REJECTED.name)
    place = asking.place(record.partition, record.offset)
    return await asyncio.to_thread(asking.ask, "show", place, RefusedMessage)
