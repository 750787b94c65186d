"""Images from the front door to the de-identified event: a real Redis, a real decoding process."""

from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from PIL import Image

from contracts.blobs import BLOBS
from contracts.deidentified import DEIDENTIFIED, DeidentifiedEvent
from contracts.merged import MERGED
from contracts.relations import RELATIONS
from contracts.vault import VAULT
from plumbing.clock import ManualClock
from plumbing.memory_log import InMemoryLog
from plumbing.sealing import Sealer
from services.ingest.blobs import blob_records, is_large, pointing
from services.ingest.frames import parse_frame
from services.ingest.identity import Keys
from services.ingest.parse import Parsed, SourceProfile
from services.privacy import metrics
from services.privacy.imaging import refusals
from services.privacy.imaging.decoder import Decoder
from simulator.radiographs import Print, as_dicom, as_png, radiograph, with_print
from tests.support.planted import EN, ZH, Planted, encodings, found_in, messages
from tests.support.privacy import Ingest, Replica, a_replica, events_of, make_keys

SECRETS = ("Zimmer", "Quentin", "88123456", "19510307", "1.2.840.99999.4711")
HEADER = (
    "MSH|^~\\&|PACS|GENERAL|||20231114220000||ORU^R01|{control}|P|2.5\r"
    "PID|1||88123456^^^GENERAL^MR||Zimmer^Quentin||19510307|M\r"
    "OBR|1|||36643-5^XR Chest 2 Views^LN|||20231114215500\r"
)
DICOM_SAYS: dict[str, Any] = {
    "PatientName": "Zimmer^Quentin",
    "PatientID": "88123456",
    "PatientBirthDate": "19510307",
    "StudyInstanceUID": "1.2.840.99999.4711",
    "BodyPartExamined": "CHEST",
    "ViewPosition": "PA",
    "AcquisitionDate": "20231114",
    "AcquisitionTime": "215500",
}


def chest(edge: int = 128) -> Any:
    return radiograph(np.random.default_rng(3), edge)


def an_oru(*images: tuple[str, str, bytes], control: str = "IMG-1") -> bytes:
    """One ORU with each image (name, subtype, content) in an OBX of its own."""
    lines = [
        f"OBX|{at}|ED|{name}||^IM^{kind}^Base64^{b64encode(content).decode()}||||||F"
        for at, (name, kind, content) in enumerate(images, 1)
    ]
    return (HEADER.format(control=control) + "\r".join(lines) + "\r").encode()


def secrets_in(written: bytes) -> list[str]:
    """Return the secrets that are there in any writing: base64 at each alignment, hex, escapes."""
    return [s for s in SECRETS if any(form in written for form in encodings(s))]


@pytest.fixture
def memory_log() -> InMemoryLog:
    return InMemoryLog((VAULT.name, MERGED.name, RELATIONS.name, BLOBS.name))


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return make_keys(tmp_path / "keys")


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    made = Decoder(60.0, 1 << 30)
    yield made
    made.close()


@pytest.fixture
async def replica(
    keys: Path, redis_url: str, memory_log: InMemoryLog, decoder: Decoder
) -> AsyncIterator[Replica]:
    made = a_replica(keys, redis_url, memory_log, memory_log, decoder=decoder)
    yield await made.open()
    await made.redis.aclose()


async def taken(ingest: Ingest, memory_log: InMemoryLog, raw: bytes) -> Parsed:
    """Return a message as ingest stores it: what is large lies apart, sealed."""
    no_keys = Keys(bytes(32), bytes(32))
    (parsed,) = parse_frame(raw, SourceProfile("test"), no_keys, ManualClock().now_ms()).messages
    if not is_large(parsed):
        return parsed
    sealer: Sealer = ingest.sealer
    records = blob_records(parsed, sealer, ingest.day)
    places: list[Any] = []

    async def check(found: Any) -> None:
        places.extend(found)

    await memory_log.commit(records, check)
    return pointing(parsed, places)


async def deidentified(
    replica: Replica, keys: Path, memory_log: InMemoryLog, raw: bytes
) -> tuple[DeidentifiedEvent, bytes]:
    ingest = Ingest(keys)
    parsed = await taken(ingest, memory_log, raw)
    sealed = [ingest.seal(event.body, event.event_id) for event in parsed.events]
    handled = await replica.handle(sealed)
    assert handled.refused == []
    (event,) = events_of(handled)
    written = b"".join(output.value or b"" for output in handled.outputs)
    return event, written


def count(result: str) -> float:
    return float(metrics.IMAGES.labels(result)._value.get())


@pytest.mark.parametrize("edge", [64, 512])  # within the event, and apart from it
async def test_a_dicom_in_an_oru_arrives_without_its_patient(
    replica: Replica, keys: Path, memory_log: InMemoryLog, edge: int
) -> None:
    before = count("passed")
    dicom = as_dicom(chest(edge), DICOM_SAYS)
    raw = an_oru(("36643-5^XR Chest 2 Views^LN", "DICOM", dicom))
    event, written = await deidentified(replica, keys, memory_log, raw)
    assert bool(memory_log.records(BLOBS.name)) == (edge == 512)
    (image,) = event.images
    assert (image.held, image.about) == ("", event.observations[0].index)
    assert (image.modality, image.body_part, image.view) == ("CR", "CHEST", "PA")
    assert image.study.startswith("2.25.")
    assert image.acquired_at_ms is not None
    assert (1_699_998_900_000 - image.acquired_at_ms) % 86_400_000 == 0
    assert image.acquired_at_ms - event.occurred_at_ms == 0
    picture = Image.open(BytesIO(image.png or b""))
    assert (picture.mode, picture.size, picture.info) == ("L", (edge, edge), {})
    assert secrets_in(written) == []
    assert count("passed") == before + 1


async def test_what_cannot_be_cleaned_is_left_out_with_its_reason_and_the_event_passes(
    replica: Replica, keys: Path, memory_log: InMemoryLog
) -> None:
    rng = np.random.default_rng(5)
    printed = with_print(rng, radiograph(rng, 256), Print("ZIMMER QUENTIN", 14))
    head = as_dicom(chest(), DICOM_SAYS | {"Modality": "CT", "BodyPartExamined": "HEAD"})
    whole = as_dicom(chest(), DICOM_SAYS)
    raw = an_oru(
        ("36643-5^XR Chest^LN", "PNG", as_png(printed)),
        ("24725-4^CT Head^LN", "DICOM", head),
        ("36643-5^XR Chest^LN", "DICOM", whole[: len(whole) // 2]),
        ("PHOTO^Image^L", "PNG", as_png(chest())),
        ("36643-5^XR Chest^LN", "PNG", as_png(chest())),
    )
    event, written = await deidentified(replica, keys, memory_log, raw)
    assert [image.held for image in event.images] == [
        refusals.SHOWS_TEXT,
        refusals.SHOWS_FACE,
        refusals.UNDECODABLE,
        refusals.UNKNOWN_SUBJECT,
        "",
    ]
    assert len(event.observations) == 5
    assert secrets_in(written) == []


async def test_a_blob_that_expired_leaves_the_event_without_its_image(
    replica: Replica, keys: Path, memory_log: InMemoryLog
) -> None:
    ingest = Ingest(keys)
    raw = an_oru(("36643-5^XR Chest^LN", "DICOM", as_dicom(chest(512), DICOM_SAYS)))
    parsed = await taken(ingest, InMemoryLog((BLOBS.name,)), raw)
    (event,) = events_of(
        await replica.handle([ingest.seal(one.body, one.event_id) for one in parsed.events])
    )
    assert [image.held for image in event.images] == [refusals.NOT_HERE]


async def test_without_a_desk_no_image_passes(
    keys: Path, redis_url: str, memory_log: InMemoryLog
) -> None:
    replica = await a_replica(keys, redis_url, memory_log, memory_log).open()
    raw = an_oru(("36643-5^XR Chest^LN", "PNG", as_png(chest())))
    event, _ = await deidentified(replica, keys, memory_log, raw)
    assert [image.held for image in event.images] == [refusals.OFF]
    await replica.redis.aclose()


async def test_the_same_event_again_is_the_same_bytes(
    replica: Replica, keys: Path, memory_log: InMemoryLog
) -> None:
    raw = an_oru(("36643-5^XR Chest^LN", "DICOM", as_dicom(chest(), DICOM_SAYS)))
    first, _ = await deidentified(replica, keys, memory_log, raw)
    again, _ = await deidentified(replica, keys, memory_log, raw)
    assert DEIDENTIFIED.encode(again) == DEIDENTIFIED.encode(first)
    assert msgspec.json.decode(DEIDENTIFIED.encode(first))["images"][0]["png"]


@pytest.mark.parametrize("who", [EN, ZH], ids=lambda who: who.lang)
async def test_nothing_planted_in_a_message_with_an_image_leaves(
    replica: Replica, keys: Path, memory_log: InMemoryLog, who: Planted
) -> None:
    _, oru, _ = messages(who)
    event, written = await deidentified(replica, keys, memory_log, oru)
    assert [image.held for image in event.images] == [""]
    assert found_in([written], who) == []
