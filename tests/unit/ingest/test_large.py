"""Large content: linear time, bounded records, order kept, sealed parts before their pointer."""

import asyncio
import json
import time
from pathlib import Path

import httpx
import pytest

from cli.commands.rejected import Asking
from contracts.blobs import BLOBS
from contracts.identified import IDENTIFIED
from contracts.refused import RefusedMessage
from contracts.rejection import Rejection, rejected
from plumbing.byte_gate import RECORD_BYTES_MAX
from plumbing.event_log import Output
from services.ingest.blobs import LARGE_BYTES, PART_BYTES
from tests.support.privacy import make_keys
from tests.support.timing import assert_within, timed
from tests.unit.ingest.conftest import MakeBench, Sender, msa, sender
from tests.unit.ingest.test_mllp import oru
from tests.unit.ingest.test_rejected import privacy_over

MEGABYTE = 1024 * 1024


def with_image(control_id: str, size: int) -> bytes:
    image = b"QUJD" * (size // 4)
    return oru(control_id) + b"OBX|2|ED|IMG^Image^L||^IM^JPEG^Base64^" + image + b"||||||F\r"


async def send(link: Sender, content: bytes) -> tuple[str, str]:
    link.write(b"\x0b" + content + b"\x1c\r")
    async with asyncio.timeout(60):
        return msa((await link.reader.readuntil(b"\x1c\r"))[1:-2])


@pytest.mark.parametrize("size", [LARGE_BYTES, PART_BYTES, 3 * PART_BYTES + 5, 10 * MEGABYTE])
async def test_large_content_is_stored_in_sealed_parts(make_bench: MakeBench, size: int) -> None:
    message = with_image("BIG", size)
    async with make_bench() as bench, sender(bench.service.mllp.port) as link:
        assert await send(link, message) == ("AA", "BIG")
        assert await send(link, message) == ("AA", "BIG")  # resent: no second blob
        (body,) = bench.bodies()
        assert body.raw == b""
        assert body.raw_blob is not None
        assert body.raw_blob.bytes == len(message)
        blobs = bench.log.records(BLOBS.name)
        assert len(blobs) == body.raw_blob.parts == -(-len(message) // PART_BYTES)
        assert max(len(record.value or b"") for record in blobs) < RECORD_BYTES_MAX
        assert bench.keys.open_blob(body, blobs) == message
        assert not any(b"QUJDQUJD" in (record.value or b"") for record in blobs)


@timed
async def test_time_is_linear_and_health_answers_meanwhile(make_bench: MakeBench) -> None:
    async with make_bench() as bench, sender(bench.service.mllp.port) as link:
        await send(link, with_image("WARM", MEGABYTE))
        took_s = []
        for number, size in enumerate((2 * MEGABYTE, 10 * MEGABYTE)):
            began = time.process_time()
            assert (await send(link, with_image(f"C{number}", size)))[0] == "AA"
            took_s.append(time.process_time() - began)
        url = f"http://127.0.0.1:{bench.service.http_port}/health/live"
        async with httpx.AsyncClient() as client:
            await client.get(url)
            sending = asyncio.create_task(send(link, with_image("C3", 10 * MEGABYTE)))
            slowest_s = 0.0
            while not sending.done():
                began = time.process_time()
                assert (await client.get(url)).status_code == 200
                slowest_s = max(slowest_s, time.process_time() - began)
                await asyncio.sleep(0.005)
    assert_within(took_s[1], 5 * took_s[0] * 3)  # five times the bytes; thrice for caches
    assert_within(slowest_s, 0.5)  # this process also makes the message; it is a tenth


async def test_what_follows_a_large_message_does_not_overtake_it(make_bench: MakeBench) -> None:
    async with make_bench() as bench, sender(bench.service.mllp.port) as link:
        contents = [oru("C0"), with_image("C1", MEGABYTE), oru("C2"), with_image("C3", MEGABYTE)]
        link.write(b"".join(b"\x0b" + one + b"\x1c\r" for one in contents))
        async with asyncio.timeout(30):
            answers = [await link.reader.readuntil(b"\x1c\r") for _ in contents]
        names = [f"C{number}" for number in range(4)]
        assert [msa(answer[1:-2]) for answer in answers] == [("AA", name) for name in names]
        assert [body.control_id for body in bench.bodies()] == names


async def test_over_the_limit_is_ar_and_the_connection_goes_on(make_bench: MakeBench) -> None:
    async with (
        make_bench(frame_bytes_max=MEGABYTE) as bench,
        sender(bench.service.mllp.port) as link,
    ):
        assert await send(link, with_image("BIG", 2 * MEGABYTE)) == ("AR", "BIG")
        assert await send(link, oru("C1")) == ("AA", "C1")
        assert [body.control_id for body in bench.bodies()] == ["C1"]


async def test_an_operator_sees_the_bytes_of_a_large_one_that_privacy_refused(
    make_bench: MakeBench, tmp_path: Path
) -> None:
    keys, message = make_keys(tmp_path / "site"), with_image("BIG", 2 * MEGABYTE)
    topic = rejected(IDENTIFIED)
    async with make_bench(keys_dir=keys) as bench, privacy_over(bench, keys) as url:
        async with sender(bench.service.mllp.port) as link:
            await send(link, message)
        (record,) = bench.log.records(IDENTIFIED.name)
        value = Rejection(
            code="crashed",
            stage="privacy",
            topic=IDENTIFIED.name,
            partition=record.partition,
            offset=record.offset,
            payload=record.value or b"",
        )
        await bench.log.write([Output(topic.name, None, topic.encode(value), partition=0)])
        asking = Asking("operator 1", url, keys / "operator.token")
        place = asking.place(0, 0)
        found = await asyncio.to_thread(asking.ask, "show", place, RefusedMessage)
        assert found.raw == message


def a_bundle(*sizes: int) -> bytes:
    """A bundle of one patient for each size, with a note of that many bytes."""
    entries = []
    for number, size in enumerate(sizes):
        who = {"identifier": {"system": "urn:oid:1.2.3", "value": f"7788{number}"}}
        noted = {
            "resourceType": "Observation",
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
            "subject": who,
            "valueQuantity": {"value": 88, "system": "http://unitsofmeasure.org", "code": "/min"},
            "extension": [{"url": "urn:x", "valueString": "x" * size}],
        }
        entries.append({"resource": noted})
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()


async def test_each_patient_of_a_large_bundle_keeps_their_own_bytes(make_bench: MakeBench) -> None:
    async with make_bench() as bench:
        url = f"http://127.0.0.1:{bench.service.http_port}/fhir"
        async with httpx.AsyncClient() as client:
            answer = await client.post(url, content=a_bundle(10, 2 * PART_BYTES, 20))
        assert answer.status_code == 202
        blobs = bench.log.records(BLOBS.name)
        opened = {
            body.patient.ids[0].value: bench.keys.open_blob(body, blobs) for body in bench.bodies()
        }
    assert {name: len(raw) > PART_BYTES for name, raw in opened.items()} == {
        "77880": False,
        "77881": True,
        "77882": False,
    }
    for name, raw in opened.items():
        others = {"77880", "77881", "77882"} - {name}
        assert name.encode() in raw
        assert not any(other.encode() in raw for other in others)


async def test_many_patients_of_one_message_share_its_bytes(make_bench: MakeBench) -> None:
    message = oru("MANY") + b"".join(
        b"PID|%d||55%d^^^H^MR\rOBX|1|NM|8867-4^HR^LN||88|/min|||||F\r" % (number, number)
        for number in range(400)
    )
    async with make_bench() as bench, sender(bench.service.mllp.port) as link:
        assert await send(link, message) == ("AA", "MANY")
        bodies = bench.bodies()
        assert len(bodies) == 401
        assert sum(len(body.raw) for body in bodies) == 0
        assert len({body.raw_blob for body in bodies}) == 1


def with_text(control_id: str, kind: str, text: str) -> bytes:
    return oru(control_id) + f"OBX|2|{kind}|11502-2^Report^LN||{text}||||||F\r".encode()


@pytest.mark.parametrize("kind", ["TX", "ST"])
@pytest.mark.parametrize("size", [199_999, 400_000, 10 * MEGABYTE])
async def test_a_long_text_passes_by_the_blob_and_is_named_where_it_is_too_long(
    make_bench: MakeBench, kind: str, size: int
) -> None:
    message = with_text("BIG", kind, "lungs clear " * (size // 12))
    async with make_bench() as bench, sender(bench.service.mllp.port) as link:
        assert await send(link, message) == ("AA", "BIG")
        (body,) = bench.bodies()
        assert bench.keys.open_blob(body, bench.log.records(BLOBS.name)) == message
        result = body.observations[-1]
        if size < 200_000:
            assert len(result.text) == size // 12 * 12
            assert "text_apart" not in {one.code for one in body.findings}
        else:
            assert (result.text, result.finding) == ("", "too_long")
            assert "text_apart" in {one.code for one in body.findings}
            apart = [(note.text, note.apart_chars) for note in body.notes]
            assert apart == ([("", size // 12 * 12)] if kind == "TX" else [])


async def test_many_texts_that_are_too_much_together_keep_the_short_ones(
    make_bench: MakeBench,
) -> None:
    lines = [with_text("MANY", "ST", "x" * 150_000)]
    lines += [f"OBX|{n}|ST|{n}^T^L||{'y' * 150_000}||||||F\r".encode() for n in range(3, 8)]
    lines.append(b"OBX|9|ST|9^T^L||short||||||F\r")
    async with make_bench() as bench, sender(bench.service.mllp.port) as link:
        assert await send(link, b"".join(lines)) == ("AA", "MANY")
        (body,) = bench.bodies()
        assert {len(one.text) for one in body.observations} <= {0, 5}
        assert body.observations[-1].text == "short"
