"""What a message says beside the mapped fields: images named, nulls and Z segments found."""

import base64
import hashlib

import msgspec
import pytest

from contracts.identified import IdentifiedBody, Image
from services.ingest.frames import parse_frame
from services.ingest.identity import Keys
from services.ingest.images import IMAGES_MAX
from services.ingest.parse import SourceProfile

KEYS = Keys(event=b"e" * 32, route=b"r" * 32)
HEAD = "MSH|^~\\&|LAB|HOSP|||20240501||ORU^R01|{name}|P|2.5.1\r"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
DICOM = bytes(128) + b"DICM" + bytes(64)


def bodies(*segments: str) -> list[IdentifiedBody]:
    raw = (HEAD.format(name="C1") + "".join(f"{one}\r" for one in segments)).encode()
    found = parse_frame(raw, SourceProfile("lab"), KEYS, 1_720_000_000_000)
    return [event.body for event in found.messages[0].events]


def ed(content: bytes, encoding: str = "Base64") -> str:
    text = content.hex() if encoding == "Hex" else base64.b64encode(content).decode()
    return f"OBX|1|ED|IMG^Image^L||PACS^IM^PNG^{encoding}^{text}||||||F"


def named(kind: str, content: bytes, about: int) -> Image:
    digest = hashlib.sha256(content).hexdigest()
    return Image(about=about, media_type=kind, bytes=len(content), sha256=digest)


def test_images_are_named_by_their_own_bytes_and_their_observation() -> None:
    (body,) = bodies(
        "PID|1||7^^^H^MR",
        "OBR|1|||IMG",
        "OBX|1|NM|2345-7^G^LN||5|mmol/L|||||F",
        ed(PNG),
        ed(DICOM, "Hex"),
        ed(b"%PDF-1.7 not an image"),
        "OBX|1|ED|IMG^Image^L||PACS^IM^PNG^Base64^*no base64*1||||||F",
    )
    assert body.images == (named("image/png", PNG, 1), named("application/dicom", DICOM, 2))
    assert [one.kind for one in body.observations[1:]] == ["attachment"] * 4
    assert [one.code for one in body.findings] == ["attachment_unreadable"]


def test_each_repetition_and_base64_in_lines_is_named() -> None:
    text = base64.b64encode(PNG).decode()
    lined = f"{text[:40]}\\.br\\{text[40:80]}\\X0D0A\\{text[80:]}"
    jpeg = base64.b64encode(b"\xff\xd8\xff\xe0" + bytes(20)).decode()
    sent = f"^image^png^Base64^{lined}~^image^jpeg^Base64^{jpeg}"
    (body,) = bodies("PID|1||7^^^H^MR", f"OBX|1|ED|I^Image^L||{sent}||||||F")
    assert body.images[0] == named("image/png", PNG, 0)
    assert [(one.media_type, one.about) for one in body.images] == [
        ("image/png", 0),
        ("image/jpeg", 0),
    ]
    assert body.findings == ()


@pytest.mark.parametrize("shape", ["segments", "repetitions"])
def test_more_images_than_are_named_are_told(shape: str) -> None:
    lines = [ed(PNG) for _ in range(IMAGES_MAX + 5)]
    if shape == "repetitions":
        sent = "~".join([lines[0].split("|")[5]] * (IMAGES_MAX + 5))
        lines = [f"OBX|1|ED|I^Image^L||{sent}||||||F"]
    (body,) = bodies("PID|1||7^^^H^MR", *lines)
    assert len(body.images) == IMAGES_MAX
    assert [one.code for one in body.findings] == ["too_many_images"]


@pytest.mark.parametrize("sent", ["####", "QUJ", "iVBORw0KGgo=="])
def test_what_is_no_base64_is_a_finding(sent: str) -> None:
    line = f"OBX|1|ED|I^Image^L||^image^png^Base64^{sent}||||||F"
    (body,) = bodies("PID|1||7^^^H^MR", line)
    is_image = sent.startswith("iVBOR")  # more padding than is needed does no harm
    codes = [one.code for one in body.findings]
    assert codes == ([] if is_image else ["attachment_unreadable"])
    assert len(body.images) == is_image


def test_images_and_z_segments_of_utf_16_are_found() -> None:
    lines = (HEAD.format(name="C1") + f"PID|1||7^^^H^MR\r{ed(PNG)}\rZPI|1|a\r").encode("utf-16")
    (message,) = parse_frame(lines, SourceProfile("lab"), KEYS, 1_720_000_000_000).messages
    body = message.events[0].body
    assert body.images == (named("image/png", PNG, 0),)
    assert [(one.where, one.code) for one in body.findings] == [("ZPI", "z_segment")]


def test_each_patient_of_a_frame_has_their_own() -> None:
    one, other = bodies(
        "PID|1||7^^^H^MR", "OBR|1", ed(PNG), "ZPI|1|a", 'PID|2||8^^^H^MR||""', "OBR|1", ed(DICOM)
    )
    assert [image.media_type for image in one.images] == ["image/png"]
    assert [image.media_type for image in other.images] == ["application/dicom"]
    assert [(f.where, f.code) for f in one.findings] == [("ZPI", "z_segment")]
    assert [(f.where, f.code) for f in other.findings] == [("PID-5", "null")]


def test_a_z_segment_is_kept_and_named_once() -> None:
    (body,) = bodies("PID|1||7^^^H^MR", "ZPI|1|secret", "ZPI|2", "ZX1|3")
    assert [(one.where, one.code) for one in body.findings] == [
        ("ZPI", "z_segment"),
        ("ZX1", "z_segment"),
    ]
    assert b"ZPI|1|secret" in body.raw


@pytest.mark.parametrize("number", [5, 11, 13, 30])
def test_null_is_told_from_absent(number: int) -> None:
    (nulled,) = bodies("PID|1||7^^^H^MR" + "|" * (number - 3) + '""')
    (absent,) = bodies("PID|1||7^^^H^MR" + "|" * (number - 3))
    assert [(one.where, one.code) for one in nulled.findings] == [(f"PID-{number}", "null")]
    assert absent.findings == ()


def test_a_deleted_allergy_is_no_allergy() -> None:
    (body,) = bodies("PID|1||7^^^H^MR", 'AL1|1||""', "AL1|2||P^Penicillin^L")
    assert [one.code.text for one in body.allergies] == ["Penicillin"]
    assert [(one.where, one.code) for one in body.findings] == [("AL1-3", "null")]


def test_a_message_without_any_of_it_is_as_parsed() -> None:
    (body,) = bodies("PID|1||7^^^H^MR", "OBR|1", "OBX|1|ST|1^T^L||text||||||F")
    assert (body.images, body.findings) == ((), ())
    assert b"images" not in msgspec.json.encode(body)
