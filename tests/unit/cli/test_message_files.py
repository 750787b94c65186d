"""Files of messages: single, batch, MLLP-framed, compressed, and none at all."""

import gzip
from pathlib import Path

import pytest

from cli.message_files import is_fhir, message_type, messages_of

ONE = b"MSH|^~\\&|A|B|C|D|20240101||ADT^A01^ADT_A01|1|P|2.5\rPID|1||7\r"
TWO = b"MSH|^~\\&|A|B|C|D|20240101||ORU^R01|2|P|2.5\rPID|1||7\r"


def read(tmp_path: Path, content: bytes, name: str = "x.hl7") -> list[bytes]:
    path = tmp_path / name
    path.write_bytes(content)
    return list(messages_of(path))


def test_a_single_message(tmp_path: Path) -> None:
    assert [one.strip() for one in read(tmp_path, ONE)] == [ONE.strip()]


def test_a_batch_gives_its_messages_in_order(tmp_path: Path) -> None:
    batch = b"FHS|^~\\&|A\rBHS|^~\\&|A\r" + ONE + TWO + b"BTS|2\rFTS|1\r"
    assert [message_type(one) for one in read(tmp_path, batch)] == ["ADT^A01^ADT_A01", "ORU^R01"]


def test_framed_messages(tmp_path: Path) -> None:
    framed = b"".join(b"\x0b" + one + b"\x1c\r" for one in (ONE, TWO, ONE))
    found = read(tmp_path, framed)
    assert found == [ONE, TWO, ONE]


def test_a_compressed_file(tmp_path: Path) -> None:
    assert len(read(tmp_path, gzip.compress(ONE), "x.hl7.gz")) == 1


@pytest.mark.parametrize("content", [b"", b"PID|1||7\r", b"hello"])
def test_a_file_without_a_message_is_sent_as_it_is(tmp_path: Path, content: bytes) -> None:
    assert read(tmp_path, content) == [content]


def test_text_before_the_first_message_is_sent_too(tmp_path: Path) -> None:
    assert read(tmp_path, b"junk here\r" + ONE)[0].startswith(b"junk here\rMSH")


@pytest.mark.parametrize(("message", "kind"), [(b"", ""), (b"MSH", ""), (b"MSH|^~\\&|A", "")])
def test_a_broken_header_has_no_type(message: bytes, kind: str) -> None:
    assert message_type(message) == kind


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'{"resourceType":"Patient"}', True),
        (b'\xef\xbb\xbf \n{"a":1}', True),
        ('{"a":1}'.encode("utf-16"), True),
        (b'<Bundle xmlns="http://hl7.org/fhir"/>', True),
        (b"<ADT_A01 xmlns='urn:hl7-org:v2xml'/>", False),
        (ONE, False),
        (b"", False),
    ],
)
def test_what_goes_to_the_fhir_door(content: bytes, *, expected: bool) -> None:
    assert is_fhir(content) is expected


def test_fhir_files_are_one_body_or_one_a_line(tmp_path: Path) -> None:
    whole = (
        b'{\n "resourceType": "Patient",\n "name": [\n {"family": "A"},\n {"family": "B"}\n ]\n}\n'
    )
    assert read(tmp_path, whole, "x.json") == [whole]
    lines = b'{"resourceType":"Patient"}\n\n{"resourceType":"Observation"}\n'
    found = read(tmp_path, gzip.compress(lines), "x.ndjson.gz")
    assert found == [b'{"resourceType":"Patient"}', b'{"resourceType":"Observation"}']
    assert {message_type(one) for one in found} == {"FHIR"}
