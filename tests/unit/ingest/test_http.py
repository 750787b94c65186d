"""`POST /hl7v2` answers by HTTP status and acknowledgement; health tells what is missing."""

import asyncio

import httpx
import pytest

from tests.unit.ingest.conftest import Bench, MakeBench, msa, sender
from tests.unit.ingest.test_mllp import oru


async def post(bench: Bench, content: bytes) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.post(
            f"http://127.0.0.1:{bench.service.http_port}/hl7v2",
            content=content,
            headers={"Content-Type": "application/hl7-v2"},
        )


async def get(bench: Bench, path: str) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.get(f"http://127.0.0.1:{bench.service.http_port}{path}")


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (oru("C1"), 202, "AA"),
        (b"BHS|^~\\&\r" + oru("C1") + oru("C2") + b"BTS|2\r", 202, "AA"),
        (b"hello", 400, "AR"),
        (b"", 400, "AR"),
        (oru("C1") + b"not a segment\r", 422, "AE"),
        (oru("C1") + b"NTE|1||" + b"x" * 5000, 413, "AR"),
    ],
)
async def test_status_and_acknowledgement(
    make_bench: MakeBench, content: bytes, status: int, code: str
) -> None:
    async with make_bench(frame_bytes_max=4000) as bench:
        answer = await post(bench, content)
        assert answer.status_code == status
        assert msa(answer.content)[0] == code
        assert answer.headers["content-type"] == "application/hl7-v2"
        assert bool(bench.events()) == (status == 202)


async def test_while_kafka_is_away_it_is_503_and_not_ready(make_bench: MakeBench) -> None:
    async with make_bench(ack_deadline_s=0.2) as bench:
        assert (await get(bench, "/health/ready")).status_code == 200
        bench.log.available = False
        first = await post(bench, oru("C1"))
        assert first.status_code == 503
        assert msa(first.content) == ("AE", "C1")
        assert (await post(bench, oru("C2"))).status_code == 503
        ready = await get(bench, "/health/ready")
        assert ready.status_code == 503
        assert ready.json()["failing"] == ["kafka"]
        assert (await get(bench, "/health/live")).status_code == 200


async def test_a_missing_sealing_key_is_told(make_bench: MakeBench) -> None:
    async with make_bench() as bench:
        bench.clock.advance(5 * 86_400)
        assert (await get(bench, "/health/ready")).json()["failing"] == ["sealing_key"]


async def test_a_resend_through_the_other_door_is_known(make_bench: MakeBench) -> None:
    async with make_bench() as bench, sender(bench.service.mllp.port) as link:
        assert msa(await link.send(oru("C1"))) == ("AA", "C1")
        assert (await post(bench, oru("C1"))).status_code == 202
        assert len(bench.events()) == 1


async def test_metrics_hold_no_identity(make_bench: MakeBench) -> None:
    async with make_bench() as bench:
        await post(bench, oru("CONTROL-77", "MRN-SECRET"))
        text = (await get(bench, "/metrics")).text
        assert 'auscult_ingest_messages_total{answer="AA",event_type="observation.result"' in text
        for identity in ("CONTROL-77", "MRN-SECRET", "Doe", "Jane", "19600101"):
            assert identity not in text


@pytest.mark.parametrize("path", ["/hl7v2", "/fhir"])
async def test_who_hangs_up_in_the_middle_leaves_no_trace_but_a_line(
    make_bench: MakeBench, capfd: pytest.CaptureFixture[str], path: str
) -> None:
    async with make_bench() as bench:
        _, writer = await asyncio.open_connection("127.0.0.1", bench.service.http_port)
        head = f"POST {path} HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nMSH|"
        writer.write(head.encode())
        await writer.drain()
        await asyncio.sleep(0.2)
        writer.close()
        await writer.wait_closed()
        said = ""
        async with asyncio.timeout(30):
            while "hung up" not in said:
                await asyncio.sleep(0.05)
                said += "".join(capfd.readouterr())
        assert (await post(bench, oru("C1"))).status_code == 202
        said += "".join(capfd.readouterr())
        assert "Traceback" not in said
        assert "ClientDisconnect" not in said
