"""Each synthetic message gives exactly its golden event; privacy's tests read the same files.

After a wanted change: ``python -m tests.unit.ingest.test_golden`` writes the golden files anew;
read the difference before it is committed.
"""

from pathlib import Path

import msgspec
import pytest

from contracts.identified import IDENTIFIED, IdentifiedBody
from plumbing.sealing import Sealer
from services.ingest.fhir import parse_fhir
from services.ingest.frames import parse_frame
from services.ingest.identity import Keys
from services.ingest.parse import ParsedEvent, SourceProfile
from services.ingest.sealed import encoded, sealed_record

EXAMPLES = Path(__file__).parents[3] / "contracts" / "examples"
FOLDER = EXAMPLES / "clinical.identified.v1.body"
MESSAGES = sorted(path for path in FOLDER.iterdir() if path.suffix in {".hl7", ".fhir"})
SEALED = EXAMPLES / "clinical.identified.v1" / "adt_a01_admit_en.json"
SEALED_MESSAGE = FOLDER / "adt_a01_admit_en.hl7"
SOURCE = SourceProfile("mllp", zone="Asia/Shanghai")
KEYS = Keys(event=b"\x11" * 32, route=b"\x22" * 32)
RECEIVED_AT_MS = 1_714_550_101_000


def event_of(message: Path) -> ParsedEvent:
    arguments = (message.read_bytes(), SOURCE, KEYS, RECEIVED_AT_MS)
    if message.suffix == ".fhir":
        parsed = parse_fhir(*arguments)
    else:
        (parsed,) = parse_frame(*arguments).messages
    assert parsed.code == "AA"
    (event,) = parsed.events
    return event


def sealed_value(message: Path) -> bytes:
    """Seal with bytes that are not random: the same file each time."""
    sealer = Sealer(bytes(range(32)), bytes)
    record = sealed_record(event_of(message), SOURCE.name, sealer, "2024-05-01", bytes, "x")
    assert record.value is not None
    return record.value


@pytest.mark.parametrize("message", MESSAGES, ids=lambda path: path.stem)
def test_a_message_gives_its_golden_event(message: Path) -> None:
    golden = message.with_suffix(".json").read_bytes()
    assert event_of(message).body == msgspec.json.decode(golden, type=IdentifiedBody)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda path: path.stem)
def test_what_is_sealed_is_the_json_of_the_event(message: Path) -> None:
    body = event_of(message).body
    for one in (body, msgspec.structs.replace(body, raw=b"")):
        assert msgspec.json.decode(encoded(one)) == msgspec.json.decode(msgspec.json.encode(one))


def test_the_sealed_example_is_what_ingest_writes() -> None:
    written = IDENTIFIED.decode(sealed_value(SEALED_MESSAGE))
    assert written == IDENTIFIED.decode(SEALED.read_bytes())


def write() -> None:
    for message in MESSAGES:
        body = msgspec.json.encode(event_of(message).body)
        message.with_suffix(".json").write_bytes(msgspec.json.format(body) + b"\n")
    value = sealed_value(SEALED_MESSAGE)
    SEALED.write_bytes(msgspec.json.format(value) + b"\n")


if __name__ == "__main__":
    write()
