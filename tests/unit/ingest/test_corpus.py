"""Published HL7 v2 messages: none refused that is valid, header as in the manifest, values as
python-hl7 reads them.
"""

import json
from collections.abc import Iterator
from typing import Any

import hl7
import pytest

from services.ingest.charset import decode, split_frame
from services.ingest.frames import parse_frame
from services.ingest.hl7 import read
from services.ingest.identity import Keys
from services.ingest.parse import SourceProfile
from tests.support.shared import DATA

pytestmark = pytest.mark.shared_data

FOLDER = DATA / "hl7"
KEYS = Keys(event=b"e" * 32, route=b"r" * 32)
SOURCE = SourceProfile("corpus")


def manifest() -> list[dict[str, Any]]:
    if not FOLDER.is_dir():
        return []
    found: list[dict[str, Any]] = json.loads((FOLDER / "manifest.json").read_text())["v2"]
    return found


@pytest.mark.parametrize("entry", manifest(), ids=lambda entry: entry["file"])
def test_answer_header_and_count_are_those_of_the_manifest(entry: dict[str, Any]) -> None:
    found = parse_frame((FOLDER / entry["file"]).read_bytes(), SOURCE, KEYS, 0).messages
    assert found[0].code == entry["ack_hint"]
    if entry["valid"]:
        assert {one.code for one in found} == {"AA"}
        assert len(found) == entry["messages"]
    header = found[0].header
    if header is not None and entry["msh9"] is not None:
        sent = (header.message_type, header.version, header.control_id)
        assert sent == (entry["msh9"], entry["msh12"], entry["control_id"])


def valid_messages() -> Iterator[bytes]:
    for entry in manifest():
        if entry["valid"]:
            yield from split_frame((FOLDER / entry["file"]).read_bytes())[1]


def test_results_are_those_of_python_hl7() -> None:
    compared = 0
    for raw in valid_messages():
        message = read(decode(raw, "").text, "utf-8", strict=True)
        assert message.header is not None
        dialect = message.header.dialect
        ours = [
            tuple(dialect.fields(segment)[number] for number in (3, 5, 6))
            for segment in message.segments
            if segment.startswith("OBX")
        ]
        theirs = list(_results_of_python_hl7(decode(raw, "").text))
        assert ours == theirs
        compared += len(ours)
    assert compared >= 300


def _results_of_python_hl7(text: str) -> Iterator[tuple[str, ...]]:
    lines = [line for line in text.replace("\r\n", "\r").replace("\n", "\r").split("\r") if line]
    kept = [line for line in lines if line[:3] not in {"FHS", "BHS", "BTS", "FTS"}]
    parsed = hl7.parse("\r".join(kept).lstrip("\ufeff"))
    for segment in parsed:
        if str(segment[0]) == "OBX":
            yield tuple(
                str(segment[number]) if len(segment) > number else "" for number in (3, 5, 6)
            )
