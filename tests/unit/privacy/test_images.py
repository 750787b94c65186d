"""The images of an event: found in its raw bytes by their hash, fitted into its record."""

import binascii
import json
from hashlib import sha256
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.deidentified import DEIDENTIFIED, CleanImage, DeidentifiedEvent
from contracts.identified import IdentifiedBody, Image
from services.ingest.frames import parse_frame
from services.ingest.parse import SourceProfile
from services.privacy.fitting import EVENT_BYTES_MAX
from services.privacy.guard import shows_identity
from services.privacy.images import clean_image, with_images
from services.privacy.imaging import refusals
from services.privacy.imaging.cleaning import Cleaned
from services.privacy.imaging.pixels import is_bare_png
from services.privacy.known import KnownTerms
from services.privacy.known_terms import terms_of
from services.privacy.raw_images import images_in
from simulator.radiographs import as_png
from tests.support.fhir import KEYS
from tests.unit.privacy.builders import ANNA, a_body, known_of

PNG = as_png(np.zeros((32, 32), np.float32))
OTHER = as_png(np.ones((32, 32), np.float32))


def name(content: bytes) -> str:
    return sha256(content).hexdigest()


def an_obx(content: bytes, encoding: str = "Base64") -> bytes:
    coded = binascii.hexlify(content) if encoding == "Hex" else binascii.b2a_base64(content).strip()
    return b"OBX|1|ED|36643-5^XR Chest^LN||^IM^PNG^" + encoding.encode() + b"^" + coded + b"||||||F"


def test_images_are_found_in_hl7_by_their_hash_wherever_they_stand() -> None:
    raw = b"\r".join([b"MSH|^~\\&|PACS", b"PID|1", an_obx(OTHER), an_obx(PNG, "Hex"), b""])
    assert images_in(raw, {name(PNG)}, "utf-8") == {name(PNG): PNG}
    assert images_in(raw.replace(b"\r", b"\r\n"), {name(PNG), name(OTHER)}, "utf-8") == {
        name(PNG): PNG,
        name(OTHER): OTHER,
    }
    assert images_in(raw, {name(b"other")}, "utf-8") == {}


def test_images_are_found_by_the_delimiters_of_their_message_and_in_repetitions() -> None:
    both = an_obx(OTHER).replace(b"||||||F", b"~") + an_obx(PNG).split(b"|")[5] + b"||||||F"
    raw = b"MSH|^~\\&|PACS\rPID|1\r" + both
    wanted = {name(PNG): PNG, name(OTHER): OTHER}
    assert images_in(raw, set(wanted), "utf-8") == wanted
    assert images_in(raw.replace(b"^", b"%").replace(b"~", b"!"), set(wanted), "utf-8") == wanted


@pytest.mark.parametrize("raw", [b"OBX", b"MSH|", b"MSH|^", b"MSH|^~\rOBX|||||"])
def test_a_line_that_is_cut_holds_none(raw: bytes) -> None:
    assert images_in(raw, {name(PNG)}, "utf-8") == {}


# A charset, and what MSH-18 calls it.
CODECS = {
    "utf-8": "UNICODE UTF-8",
    "utf-16": "",
    "utf-16-le": "",
    "utf-16-be": "",
    "utf-32": "",
    "gb18030": "GB18030",
    "big5hkscs": "BIG-5",
    "cp932": "ISO IR13",
    "euc_kr": "KS X 1001",
    "latin-1": "8859/1",
}


def letter_with_a_delimiter(codec: str) -> str:
    """A letter that has a byte of MSH-1 or MSH-2 in it, where the charset has such letters."""
    for code in range(0x00E9, 0x9FFF):
        try:
            encoded = chr(code).encode(codec)
        except UnicodeEncodeError:
            continue
        if any(byte in b"|^~" for byte in encoded):
            return chr(code)
    return "\xe9" if codec == "latin-1" else "\ud55c"


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("signs", ["^~\\&", "%!#&", "^~"])
def test_images_are_found_where_ingest_names_them(codec: str, signs: str) -> None:
    """Repeated, with other delimiters, in lines, in each charset: both read them the same way."""
    one, two = (binascii.b2a_base64(as_png(image), newline=False).decode() for image in _two())
    component, repeat = signs[0], signs[1]
    escape = signs[2:3]
    lined = f"{one[:40]}{escape}.br{escape}{one[40:]}" if escape else one
    said = letter_with_a_delimiter(codec)
    head = f"MSH|{signs}|A|B|||20260101||ORU^R01|1|P|2.5.1||||||{CODECS[codec]}\rPID|1||7^^^H^MR\r"
    head = head.replace("^", component) if signs[0] != "^" else head
    values = repeat.join(
        component.join(("", said, "png", "Base64", content)) for content in (lined, two)
    )
    text = f"{head}OBX|1|ED|x{component}{said}||{values}||||||F\r"
    raw = text.encode(codec)
    (message,) = parse_frame(raw, SourceProfile("test"), KEYS, 1_790_000_000_000).messages
    body = message.events[0].body
    hashes = [image.sha256 for image in body.images]
    assert len(set(hashes)) == 2
    assert set(images_in(body.raw, hashes, body.charset)) == set(hashes)


def _two() -> tuple[np.ndarray, np.ndarray]:
    return np.zeros((4, 4), np.uint8), np.ones((4, 4), np.uint8)


def test_images_are_found_in_fhir_at_any_depth() -> None:
    attached = {"contentType": "image/png", "data": binascii.b2a_base64(PNG).decode()}
    bundle = {"entry": [{"resource": {"contained": [{"presentedForm": [attached]}]}}]}
    assert images_in(json.dumps(bundle).encode(), {name(PNG)}, "utf-8") == {name(PNG): PNG}


@given(st.binary(max_size=300))
def test_any_raw_bytes_can_be_looked_through(raw: bytes) -> None:
    assert images_in(raw, {name(PNG)}, "utf-8") == {}
    assert images_in(b"{" + raw, {name(PNG)}, "utf-8") == {}


def an_event() -> DeidentifiedEvent:
    return DeidentifiedEvent(
        event_id="e", token="t", event_type="observation.result", occurred_at_ms=0
    )


def a_body_with(*images: CleanImage) -> IdentifiedBody:
    sent = tuple(Image(about=i.about, media_type="image/png", bytes=1, sha256="") for i in images)
    return a_body(images=sent)


def test_what_does_not_fit_the_record_is_held_back_last_first() -> None:
    large = tuple(CleanImage(about=at, png=bytes(250 * 1024)) for at in range(3))
    event, value = with_images(an_event(), a_body_with(*large), large)
    assert [image.held for image in event.images] == ["", "", refusals.NO_ROOM]
    assert len(value) <= EVENT_BYTES_MAX
    assert DEIDENTIFIED.decode(value) == event
    small = (CleanImage(png=PNG),)
    assert with_images(an_event(), a_body_with(*small), small)[0].images == small


def test_images_that_nobody_looked_at_are_held_back_never_left_out() -> None:
    event, _ = with_images(an_event(), a_body_with(CleanImage(about=3)), None)
    assert event.images == (CleanImage(about=3, held=refusals.NOT_HERE),)
    assert with_images(an_event(), a_body(), None)[0].images == ()


def test_the_guard_reads_no_names_into_pixels() -> None:
    known = KnownTerms(terms_of(known_of(ANNA), ()))
    letters = binascii.a2b_base64("VickersAnnaLouise000")
    event = msgspec.structs.replace(an_event(), images=(CleanImage(png=letters),))
    assert b"VickersAnnaLouise" in DEIDENTIFIED.encode(event)
    assert not shows_identity(DEIDENTIFIED.encode(event), known)
    named = msgspec.structs.replace(event, images=(CleanImage(body_part="Vickers Anna Louise"),))
    assert shows_identity(DEIDENTIFIED.encode(named), known)


def test_the_example_of_an_event_with_images_is_one_that_privacy_may_say() -> None:
    folder = Path(__file__).parents[3] / "contracts" / "examples" / DEIDENTIFIED.name
    event = DEIDENTIFIED.decode((folder / "oru_images_en.json").read_bytes())
    passed, held_back = event.images
    assert is_bare_png(passed.png or b"", passed.width, passed.height)
    assert held_back.held in refusals.ALL


@pytest.mark.parametrize(
    ("years_before", "is_told"), [(0, True), (88, True), (89.99, True), (90.01, False), (94, False)]
)
def test_the_time_of_an_image_tells_no_age_over_89(years_before: float, *, is_told: bool) -> None:
    occurred_at_ms = 1_709_605_800_000
    at_ms = occurred_at_ms - round(years_before * 365.25 * 86_400_000)
    image = Image(about=0, media_type="application/dicom", bytes=1, sha256="")
    found = clean_image(image, Cleaned(png=b"x", acquired_at_ms=at_ms), occurred_at_ms)
    assert found.acquired_at_ms == (at_ms if is_told else None)
    assert found.png == b"x"
