"""Images in FHIR are named by their own bytes, with what they are called."""

from base64 import b64encode
from hashlib import sha256

import pytest

from contracts.identified import Image
from services.ingest.images import IMAGES_MAX
from tests.support.fhir import Node, only

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
DICOM = bytes(128) + b"DICM" + bytes(20)
SUBJECT = {"identifier": {"system": "urn:mrn", "value": "77"}}
ATTACHED = {"contentType": "image/png", "data": b64encode(PNG).decode()}


def named(content: bytes, media_type: str, kind: str = "", about: int = -1) -> Image:
    digest = sha256(content).hexdigest()
    return Image(about=about, media_type=media_type, bytes=len(content), sha256=digest, kind=kind)


def concept(words: str) -> Node:
    return {"text": words}


@pytest.mark.parametrize(
    ("resource", "kind"),
    [
        (
            {
                "resourceType": "DiagnosticReport",
                "status": "final",
                "code": concept("XR Chest"),
                "presentedForm": [ATTACHED],
            },
            "XR Chest",
        ),
        (
            {
                "resourceType": "Media",
                "status": "completed",
                "bodySite": concept("Chest"),
                "view": concept("PA"),
                "content": ATTACHED,
            },
            "Chest PA",
        ),
        (
            {
                "resourceType": "DocumentReference",
                "status": "current",
                "type": concept("胸片"),
                "content": [{"attachment": ATTACHED}],
            },
            "胸片",
        ),
    ],
)
def test_an_image_is_named_with_what_it_is_called(resource: Node, kind: str) -> None:
    body = only(resource | {"subject": SUBJECT})
    assert body.images == (named(PNG, "image/png", kind),)
    assert b64encode(PNG) in body.raw
    assert not [one for one in body.findings if one.code == "attachment_not_read"]


def test_a_binary_that_is_pointed_at_is_read_by_its_bytes_not_its_type() -> None:
    report = {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "code": concept("CT chest"),
        "subject": SUBJECT,
        "presentedForm": [{"url": "Binary/1"}],
    }
    binary = {
        "resourceType": "Binary",
        "id": "1",
        "contentType": "application/octet-stream",
        "data": b64encode(DICOM).decode(),
    }
    entries = [{"resource": report}, {"fullUrl": "http://x/Binary/1", "resource": binary}]
    body = only({"resourceType": "Bundle", "type": "collection", "entry": entries})
    assert body.images == (named(DICOM, "application/dicom", "CT chest"),)


def test_an_attachment_of_an_observation_belongs_to_it_and_a_pdf_is_no_image() -> None:
    body = only(
        {
            "resourceType": "Observation",
            "status": "final",
            "subject": SUBJECT,
            "code": concept("XR Chest"),
            "valueAttachment": ATTACHED,
        }
    )
    assert body.images == (named(PNG, "image/png", about=0),)
    pdf = {"contentType": "application/pdf", "data": b64encode(b"%PDF-1.7").decode()}
    report = {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "code": concept("XR Chest"),
        "subject": SUBJECT,
        "presentedForm": [pdf],
    }
    body = only(report)
    assert body.images == ()
    assert [one for one in body.findings if one.code == "attachment_not_read"]


def test_more_images_than_are_named_are_told() -> None:
    forms = [ATTACHED] * (IMAGES_MAX + 5)
    report = {"resourceType": "DiagnosticReport", "status": "final", "code": concept("XR")}
    body = only(report | {"presentedForm": forms, "subject": SUBJECT})
    assert len(body.images) == IMAGES_MAX
    assert [one.code for one in body.findings].count("too_many_images") == 1
