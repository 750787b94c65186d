"""Several doors, one pipeline: listeners with a profile each, a watched folder, POST /fhir."""

import asyncio
import ssl
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from pydantic import ValidationError

from services.ingest import app
from services.ingest.identity import Keys
from services.ingest.parse import Parsed, SourceProfile, parse
from services.ingest.settings import DoorSettings
from tests.unit.ingest.conftest import Bench, MakeBench, msa, sender
from tests.unit.ingest.test_mllp import oru
from tests.unit.ingest.test_tls import certificate, exchange

__all__ = ["certificate"]  # a fixture


async def test_each_listener_has_its_own_profile(make_bench: MakeBench) -> None:
    doors = [
        {"name": "lab", "port": 0, "charset": "gb18030", "zone": "Asia/Shanghai"},
        {"name": "old", "port": 0, "strict": False, "assigner": "OLDSYS", "types": ["ORU"]},
    ]
    chinese = oru("C1").replace(b"Doe^Jane", "张^伟".encode("gb18030"))
    sloppy = oru("C2").replace(b"^^^HOSP^MR", b"") + b"a line that is no segment\r"
    async with make_bench(doors=doors) as bench:
        ports = {name: one.port for name, one in bench.service.listeners.items()}
        assert len(set(ports.values())) == 3
        async with sender(ports["lab"]) as link:
            assert msa(await link.send(chinese)) == ("AA", "C1")
        async with sender(ports["old"]) as link:
            assert msa(await link.send(sloppy)) == ("AA", "C2")
            assert msa(await link.send(oru("C5"))) == ("AA", "C5")
            adt = oru("C3").replace(b"ORU^R01", b"ADT^A01")
            assert msa(await link.send(adt)) == ("AR", "C3")
        async with sender(ports["mllp"]) as link:
            assert msa(await link.send(sloppy.replace(b"C2", b"C4"))) == ("AE", "C4")
            assert msa(await link.send(oru("C5"))) == ("AA", "C5")  # a resend by another door
        sources = {event.source for event in bench.events()}
        bodies = {body.control_id: body for body in bench.bodies()}
        assert (sources, set(bodies)) == ({"lab", "old"}, {"C1", "C2", "C5"})
        assert bodies["C1"].patient.names[0].family == "张"
        assert bodies["C2"].patient.ids[0].assigner == "OLDSYS"


async def test_one_listener_may_ask_for_certificates(
    make_bench: MakeBench, certificate: tuple[Path, Path]
) -> None:
    cert, key = (str(path) for path in certificate)
    door = {
        "name": "secure",
        "port": 0,
        "tls_cert_file": cert,
        "tls_key_file": key,
        "tls_client_ca_file": cert,
    }
    async with make_bench(doors=[door]) as bench:
        port = bench.service.listeners["secure"].port
        context = ssl.create_default_context(cafile=cert)
        with pytest.raises((ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)):
            await exchange(port, context)
        context.load_cert_chain(cert, key)
        assert msa(await exchange(port, context)) == ("AA", "C1")
        async with sender(bench.service.mllp.port) as link:  # the first stays as it was
            assert msa(await link.send(oru("C2"))) == ("AA", "C2")


@pytest.mark.parametrize(
    "told",
    [
        {"name": "both", "port": 1, "folder": "x"},
        {"name": "none"},
        {"name": "a patient", "port": 1},
        {"name": "typo", "port": 1, "chraset": "utf-8"},
    ],
)
def test_a_door_that_cannot_be_is_refused(told: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        DoorSettings.model_validate(told)


async def appears(path: Path) -> None:
    async with asyncio.timeout(30):
        while True:
            if await asyncio.to_thread(path.exists):
                return
            await asyncio.sleep(0.05)


async def test_a_folder_is_a_door(make_bench: MakeBench, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "1.hl7").write_bytes(oru("C1"))
    (folder / "2-batch.hl7").write_bytes(b"BHS|^~\\&\r" + oru("C2") + oru("C3") + b"BTS|2\r")
    framed = b"".join(b"\x0b" + oru(name) + b"\x1c\r" for name in ("C4", "C1"))
    (folder / "3-framed.mllp").write_bytes(framed)
    (folder / "4.hl7").write_bytes(b"hello")
    (folder / "5-cut.mllp").write_bytes(b"\x0b" + oru("C5") + b"\x1c\r\x0b" + oru("C6")[:80])
    (folder / "half.tmp").write_bytes(oru("C9"))
    (folder / ".hidden").write_bytes(oru("C9"))
    async with make_bench(doors=[{"name": "files", "folder": folder}]) as bench:
        await appears(folder / "refused" / "5-cut.mllp")
        assert [event.source for event in bench.events()] == ["files"] * 5
        assert sorted(one.control_id for one in bench.bodies()) == ["C1", "C2", "C3", "C4", "C5"]
        assert sorted(one.name for one in (folder / "done").iterdir()) == [
            "1.hl7", "1.hl7.ack", "2-batch.hl7", "2-batch.hl7.ack",
            "3-framed.mllp", "3-framed.mllp.ack",
        ]  # fmt: skip
        assert msa((folder / "done" / "1.hl7.ack").read_bytes()) == ("AA", "C1")
        assert msa((folder / "refused" / "4.hl7.ack").read_bytes()) == ("AR", "")
        (folder / "half.tmp").rename(folder / "half.hl7")
        await appears(folder / "done" / "half.hl7")
        assert len(bench.events()) == 6


async def test_a_folder_waits_while_kafka_is_away(make_bench: MakeBench, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    async with make_bench(doors=[{"name": "files", "folder": folder}], ack_deadline_s=0.2) as bench:
        bench.log.available = False
        (folder / "1.hl7").write_bytes(oru("C1"))
        await asyncio.sleep(2.5)
        assert (folder / "1.hl7").exists()
        bench.log.available = True
        await appears(folder / "done" / "1.hl7")
        assert len(bench.events()) == 1


async def test_a_file_that_cannot_be_taken_keeps_no_other_waiting(
    make_bench: MakeBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, opens = tmp_path / "in", Path.open
    folder.mkdir()
    long_name = "a" * 252  # with its suffix longer than a name may be
    (folder / "0-broken.hl7").write_bytes(oru("C0"))
    (folder / long_name).write_bytes(oru("C1"))
    (folder / "b.hl7").write_bytes(oru("C2"))
    tries: list[str] = []

    def opened(path: Path, mode: str = "r", **given: Any) -> Any:
        if path.name == "0-broken.hl7":
            tries.append(path.name)
            raise OSError("a bad sector")
        return opens(path, mode, **given)

    monkeypatch.setattr(Path, "open", opened)
    async with make_bench(doors=[{"name": "files", "folder": folder}]) as bench:
        await appears(folder / "done" / "b.hl7")
        assert sorted(one.control_id for one in bench.bodies()) == ["C1", "C2"]
        assert (folder / "done" / long_name).exists()
        (answer,) = (folder / "done").glob("aaa*.ack")
        assert msa(answer.read_bytes()) == ("AA", "C1")
        (folder / "c.hl7").write_bytes(oru("C3"))
        await appears(folder / "done" / "c.hl7")
        assert tries == ["0-broken.hl7"]  # not at every look
        assert (folder / "0-broken.hl7").exists()


async def test_the_limit_is_that_of_each_message_of_a_file(
    make_bench: MakeBench, tmp_path: Path
) -> None:
    folder, big = tmp_path / "in", oru("BIG") + b"NTE|1||" + b"x" * 3_000 + b"\r"
    folder.mkdir()
    framed = [oru(f"F{number}") for number in range(20)]
    framed.insert(7, big)
    (folder / "1.mllp").write_bytes(b"".join(b"\x0b" + one + b"\x1c\r" for one in framed))
    batch = b"".join(oru(f"B{number}") for number in range(20))
    (folder / "2.hl7").write_bytes(b"FHS|^~\\&\rBHS|^~\\&\r" + batch + b"BTS|20\rFTS|1\r")
    plain = b"".join([oru("P1"), big.replace(b"BIG", b"BIG2"), oru("P2")])
    (folder / "3.hl7").write_bytes(plain)
    (folder / "4.hl7").write_bytes(b"FHS|^~\\&\rBHS|^~\\&\r" + batch.replace(b"|B", b"|D"))
    door = {"name": "files", "folder": folder}
    async with make_bench(doors=[door], frame_bytes_max=2_500) as bench:
        await appears(folder / "refused" / "4.hl7")
        taken = {one.control_id for one in bench.bodies()}
        twenty = range(20)
        expected = {f"F{n}" for n in twenty} | {f"B{n}" for n in twenty} | {"P1", "P2"}
        assert taken == expected | {f"D{n}" for n in range(19)}  # the last was cut off
        assert (folder / "done" / "2.hl7").exists()
        found = {
            name: (folder / "refused" / f"{name}.ack").read_bytes().count(b"MSA|AR|BIG")
            for name in ("1.mllp", "3.hl7")
        }
        assert found == {"1.mllp": 1, "3.hl7": 1}
        codes = {f.code for one in bench.bodies() for f in one.findings}
        assert "batch_count" not in codes


async def post(bench: Bench, path: str, body: bytes, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        url = f"http://127.0.0.1:{bench.service.http_port}{path}"
        return await client.post(url, content=body, headers=headers)


def a_parser(
    body: bytes, source: SourceProfile, keys: Keys, received_at_ms: int, order: int
) -> Parsed:
    """Stands where the parser of FHIR does, to have each answer: the same shape, from HL7 v2."""
    if body == b"crash":
        raise RuntimeError("a fault of ours")
    return parse(body, source, keys, received_at_ms, order)


@pytest.mark.parametrize(
    ("body", "status", "issue"),
    [
        (oru("C1"), 202, ("information", "informational", None)),
        (b"hello", 400, ("error", "structure", ["MSH"])),
        (b"x" * 5_000, 413, ("error", "too-long", ["MSH"])),
        (oru("C1") + b"not a segment\r", 422, ("error", "structure", ["OBX[1]"])),
        (b"crash", 422, ("error", "exception", None)),
    ],
)
async def test_fhir_is_answered_by_an_outcome(
    make_bench: MakeBench,
    monkeypatch: pytest.MonkeyPatch,
    body: bytes,
    status: int,
    issue: tuple[str, str, list[str] | None],
) -> None:
    monkeypatch.setattr(app, "parse_fhir", a_parser)
    async with make_bench(frame_bytes_max=4_000) as bench:
        answer = await post(bench, "/fhir", body)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/fhir+json"
        outcome = msgspec.json.decode(answer.content)
        assert outcome["resourceType"] == "OperationOutcome"
        first = outcome["issue"][0]
        assert (first["severity"], first["code"], first.get("expression")) == issue
        assert len(bench.events()) == (status == 202)


OBSERVATION = b"""{"resourceType": "Observation", "id": "o1", "status": "final",
 "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
 "subject": {"identifier": {"system": "urn:oid:1.2.3", "value": "778899"}},
 "effectiveDateTime": "2023-11-14T22:00:00Z",
 "valueQuantity": {"value": 88, "system": "http://unitsofmeasure.org", "code": "/min"}}"""


async def test_a_resource_becomes_an_event_and_again_none(make_bench: MakeBench) -> None:
    async with make_bench() as bench:
        for _ in range(2):
            answer = await post(bench, "/fhir", OBSERVATION)
            assert answer.status_code == 202
        (event,) = bench.events()
        body = bench.keys.open(event)
        assert body.patient.ids[0].value == "778899"
        assert [(one.code.code, one.value) for one in body.observations] == [("8867-4", 88.0)]


async def test_hl7_over_http_may_ask_for_an_outcome(make_bench: MakeBench) -> None:
    async with make_bench(ack_deadline_s=0.2) as bench:
        good = await post(bench, "/hl7v2", oru("C1"), accept="application/fhir+json")
        assert (good.status_code, good.json()["resourceType"]) == (202, "OperationOutcome")
        bench.log.available = False
        for _ in range(2):  # not stored in time; then the gate is shut
            away = await post(bench, "/hl7v2", oru("C2"), accept="application/fhir+json")
            assert (away.status_code, away.headers["retry-after"]) == (503, "5")
            assert away.json()["issue"][0]["code"] == "transient"


@pytest.mark.parametrize(
    ("taken", "sent", "code"),
    [
        (["P"], "P", "AA"),
        (["P"], "", "AA"),  # left empty by many: production
        (["P"], "P^T", "AA"),  # MSH-11.2 is the mode, table 0207
        (["P"], "T", "AR"),
        (["P"], "D^A", "AR"),
        (["T", "D"], "T", "AA"),
        (["T", "D"], "P", "AR"),
        (["T", "D"], "", "AR"),
    ],
)
async def test_a_door_takes_the_processing_ids_it_is_told(
    make_bench: MakeBench, taken: list[str], sent: str, code: str
) -> None:
    message = oru("C1").replace(b"|P|2.", f"|{sent}|2.".encode())
    async with make_bench(processing_ids=taken) as bench, sender(bench.service.mllp.port) as link:
        answer = await link.send(message)
        assert msa(answer) == (code, "C1")
        assert len(bench.events()) == (code == "AA")
        assert (b"MSH^1^11" in answer, b"202^Unsupported processing id" in answer) == (
            (code == "AR",) * 2
        )
