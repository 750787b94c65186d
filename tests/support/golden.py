"""The golden examples after ingest, made by the product's own pure functions with fixed keys.

``python -m tests.support.golden`` writes them; tests/contracts/test_golden_chain.py compares. The
bodies that start the chain are ingest's (``clinical.identified.v1.body``, from the .hl7 beside).
"""

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contracts.answers import StoredAnswer
from contracts.assessed import ASSESSED, CURRENT, Risk
from contracts.audited import AuditEntry
from contracts.blobs import BlobPart
from contracts.deidentified import DEIDENTIFIED, CleanImage, DeidentifiedEvent
from contracts.identified import IDENTIFIED, IdentifiedBody
from contracts.merged import MERGED
from contracts.observation import Code, Observation
from contracts.promoted import ModelPromoted
from contracts.rejection import Rejection, rejected
from contracts.relations import RELATIONS
from contracts.reviewed import REVIEWED, Review
from contracts.state import StateSnapshot
from contracts.topic import Topic
from contracts.vault import VaultEntry
from plumbing.hash_chain import Chain
from services.inference import report
from services.inference.assess import Rules, find
from services.inference.judge import Judged
from services.inference.scores.tables import load_tables
from services.inference.standing import Part, view_of
from services.inference.state import EMPTY, apply
from services.inference.state_codec import encode_state
from services.privacy.care import relation_of
from services.privacy.decisions import LinkChange, changed
from services.privacy.deidentify import deidentify
from services.privacy.free_text import TextCleaner
from services.privacy.identity import NOBODY, grow
from services.privacy.known import KnownTerms
from services.privacy.known_terms import terms_of
from services.privacy.patient_keys import Kek, PatientKey, link_of

EXAMPLES = Path(__file__).parents[2] / "contracts" / "examples"
BODIES = "clinical.identified.v1.body"
KEY, OTHER_KEY = PatientKey(bytes(range(32))), PatientKey(bytes(range(1, 33)))
STAFF_KEY = bytes(range(2, 34))
ELAPSED_MS = 120
WINDOW_MS = 12 * 3_600_000
PLACE = (3, 41)
REFUSED: tuple[Topic[Any], ...] = (
    IDENTIFIED,
    DEIDENTIFIED,
    RELATIONS,
    MERGED,
    ASSESSED,
    CURRENT,
    REVIEWED,
)


def an_event_with_images() -> DeidentifiedEvent:
    """Return an event with an image that passed (two grey pixels) and one that was held back."""
    passed = CleanImage(
        about=0,
        png=_png(b"\0\x40\xc0", 2, 1),
        width=2,
        height=1,
        modality="CR",
        body_part="CHEST",
        view="PA",
        acquired_at_ms=1_700_000_000_000,
        study=f"2.25.{int(KEY.pseudonym('study', 'example'), 16)}",
        series=f"2.25.{int(KEY.pseudonym('series', 'example'), 16)}",
    )
    chest = Code("LN", "36643-5", "XR Chest 2 Views")
    return DeidentifiedEvent(
        event_id=event_id("images"),
        token=KEY.token,
        event_type="observation.result",
        message_type="ORU^R01",
        occurred_at_ms=1_700_000_000_000,
        observations=tuple(Observation(index=at, code=chest, kind="attachment") for at in (0, 1)),
        images=(passed, CleanImage(about=1, held="shows_text")),
    )


def _png(rows: bytes, width: int, height: int) -> bytes:
    """Return a grey PNG of rows with their filter bytes, packed the same by every zlib."""
    said = {
        b"IHDR": struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0),
        b"IDAT": zlib.compress(rows, 0),
        b"IEND": b"",
    }
    chunks = (
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in said.items()
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def event_id(case: str) -> str:
    """Return the event id that stands for a case in the examples."""
    return f"00000000-0000-5000-8000-{sum(case.encode()):012d}"


def bodies() -> dict[str, IdentifiedBody]:
    """Return ingest's golden bodies by case."""
    return {
        path.stem: msgspec.json.decode(path.read_bytes(), type=IdentifiedBody)
        for path in sorted((EXAMPLES / BODIES).glob("*.json"))
    }


def chain() -> dict[str, dict[str, msgspec.Struct]]:
    """Return every example after ingest: topic name -> case -> value."""
    made: dict[str, dict[str, msgspec.Struct]] = {}
    for topic, case, value in (*_from_bodies(), *_alone()):
        made.setdefault(topic, {})[case] = value
    return made


def _from_bodies() -> Iterator[tuple[str, str, msgspec.Struct]]:
    for case, body in bodies().items():
        known = grow(NOBODY, body.patient)
        staff = body.encounter.staff if body.encounter else ()
        cleaner = TextCleaner(KnownTerms(terms_of(known, staff)))
        event = deidentify(
            body,
            event_id=event_id(case),
            key=KEY,
            known=known,
            cleaner=cleaner,
            now_ms=body.received_at_ms + ELAPSED_MS,
        )
        yield "clinical.deidentified.v1", case, event
        relation = relation_of(
            body, event_id=event_id(case), key=KEY, staff_key=STAFF_KEY, cleaner=cleaner
        )
        if relation is not None and body.event_type.startswith("encounter."):
            yield "care.relations.v1", case, relation
        yield from _assessed(case, event)


def _assessed(case: str, event: DeidentifiedEvent) -> Iterator[tuple[str, str, msgspec.Struct]]:
    if not event.observations:
        reason = "identity_change" if event.event_type.startswith("identity") else "no_observations"
        yield "clinical.assessed.v1", case, report.of_unscored_event(event, PLACE, 200, reason)
        return
    state = apply(EMPTY, event, PLACE[1])
    view = view_of(event.token, [Part(event.token, state)], event.occurred_at_ms)
    rules = Rules(load_tables(), WINDOW_MS)
    risk = Risk(
        model="icu_mortality", outcome="death_in_hospital", covered=False, reason="no_live_model"
    )
    judged = Judged(view, find(view, rules), (risk,), -1, "cpu", "")
    yield "clinical.assessed.v1", case, report.of_event(event, PLACE, 200, judged)
    person = report.of_person(judged, {event.token: PLACE[1]}, 0)
    yield "clinical.current.v1", case, person
    snapshot = StateSnapshot(
        token=event.token, partition=PLACE[0], offset=PLACE[1], state=encode_state(state)
    )
    yield "clinical.state.v1", case, snapshot


def _alone() -> Iterator[tuple[str, str, msgspec.Struct]]:
    yield "clinical.deidentified.v1", "oru_images_en", an_event_with_images()
    merge = LinkChange(
        one=KEY.token,
        one_shift_days=KEY.shift_days,
        other=OTHER_KEY.token,
        other_shift_days=OTHER_KEY.shift_days,
        is_link=True,
        event_id=event_id("merge"),
        received_at_ms=1_790_000_000_000,
    )
    yield "identity.merged.v1", "merge", changed({}, [merge])[KEY.token]
    answer = StoredAnswer(content_hash="5d" * 16, code="AA", event_ids=(event_id("answer"),))
    yield "ingest.answers.v1", "accepted", answer
    part = BlobPart(
        blob_id="b1" * 16,
        part=0,
        parts=2,
        key_id="5e" * 16,
        key_day="2024-05-01",
        wrapped_key=bytes(range(92)),
        nonce=bytes(12),
        sealed=bytes(range(64)),
    )
    yield "clinical.blobs.v1", "first_part", part
    yield "privacy.vault.v1", "minted", _vault_entry()
    for topic in REFUSED:
        refused = Rejection(
            code="undecodable",
            stage=topic.consumers[0],
            topic=topic.name,
            partition=PLACE[0],
            offset=PLACE[1],
            event_id=event_id("refused"),
        )
        yield rejected(topic).name, "undecodable", refused
    yield (
        "clinical.reviewed.v1",
        "accepted",
        Review(
            review_id="r-1",
            event_id=event_id("oru_vitals_en"),
            token=KEY.token,
            decision="accepted",
            viewer="staff-token",
            decided_at_ms=1_790_000_000_000,
        ),
    )
    yield (
        "models.promoted.v1",
        "live",
        ModelPromoted(
            model="icu_mortality",
            version="1",
            digest="ab" * 32,
            state="live",
            by="release",
            at_ms=1_790_000_000_000,
        ),
    )
    entry = Chain(
        "privacy-1", "start-1", Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    ).add(AuditEntry, at_ms=1_790_000_000_000, action="resolve", viewer="v", token=KEY.token)
    yield "audit.v1", "resolve", entry


def _vault_entry() -> VaultEntry:
    def fixed(count: int) -> bytes:
        return bytes(range(count))

    secret = bytes(range(32))
    link = link_of(bytes(32), bodies()["oru_vitals_en"].patient.ids[0])
    kek = Kek(bytes(range(3, 35)))
    return VaultEntry(
        link=link,
        token="",
        kek_id=kek.id,
        wrapped_key=kek.wrap(secret, link, fixed),
    )


def main() -> None:
    """Write every example after ingest."""
    for topic, cases in chain().items():
        folder = EXAMPLES / topic
        folder.mkdir(exist_ok=True)
        for case, value in cases.items():
            text = msgspec.json.format(msgspec.json.encode(value), indent=1)
            (folder / f"{case}.json").write_bytes(text + b"\n")


if __name__ == "__main__":
    main()
