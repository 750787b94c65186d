"""Bad inputs of every kind, sent through the real parser and the real rules of privacy."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from contracts.deidentified import DEIDENTIFIED, DeidentifiedEvent
from contracts.relations import RELATIONS
from services.ingest.identity import Keys
from services.ingest.parse import Parsed, SourceProfile, parse
from services.privacy.care import relation_of
from services.privacy.deidentify import deidentify
from services.privacy.folding import fold, squeeze, term
from services.privacy.guard import shows_identity
from services.privacy.identity import NOBODY, grow
from services.privacy.primed import beyond, primed_for
from services.privacy.spans import Finder
from tests.support.planted import encodings
from tests.unit.privacy.builders import KEY

KEYS = Keys(event=b"e" * 32, route=b"r" * 32)
RECEIVED_AT_MS = 1_714_600_000_000  # 2024-05-01
SECONDS_PER_100_KB = 2.0
SECONDS_FLOOR = 0.2  # what 10 KB may take: below it a busy machine decides
EN_PID = (
    "PID|1||10045678^^^HOSP^MR~943-47-6582^^^GOV^SS||Vickers^Anna^Louise||19500307|F|||"
    "12 Elm Road^^Springfield^XX||(555) 123-4567^^^anna.vickers@example.org|||||ACC778812"
)
ZH_PID = (
    "PID|1||ZY0098231^^^HOSP^MR~110101196205031234^^^GOV^NI||欧阳^晓明||19620503|M|||"
    "北京市朝阳区建国路88号||13812345678|||||ZYACC3321"
)
EN_SECRETS = (
    "Vickers", "Anna Vickers", "10045678", "943-47-6582", "19500307", "12 Elm Road",
    "(555) 123-4567", "anna.vickers@example.org", "ACC778812", "Okonkwo", "V2024991",
)  # fmt: skip
ZH_SECRETS = (
    "欧阳晓明", "晓明", "ZY0098231", "110101196205031234", "建国路88号", "13812345678",
    "ouyangxiaoming", "ZYACC3321",
)  # fmt: skip
Fate = Literal["cleaned", "held", "refused", "nobody"]


@dataclass(frozen=True)
class Left:
    """What leaves privacy of one message, and how it went.

    ``fate``: ``refused`` by ingest, which says so; ``nobody``: no patient is named, so
    nothing is passed on; ``held``: a text stays in the sealed topic alone; ``cleaned``.
    """

    fate: Fate
    events: tuple[DeidentifiedEvent, ...]
    out: str

    @property
    def texts(self) -> list[str]:
        return [
            text
            for event in self.events
            for text in (
                *(note.text or "" for note in event.notes),
                *(one.text for one in event.observations),
            )
        ]


def message(
    *texts: str | tuple[str, str],
    pid: str = EN_PID,
    notes: Sequence[str] = (),
    delimiters: str = "^~\\&",
    charset: str = "UNICODE UTF-8",
    kind: str = "ORU^R01^ORU_R01",
    more: Sequence[str] = (),
) -> str:
    """Return a result message: an OBX for each text (TX, or the type given with it)."""
    lines = [
        f"MSH|{delimiters}|APP|FAC|||20240305120000+0000||{kind}|C1|P|2.5.1||||||{charset}",
        pid,
        "PV1|1|I|MICU^1^A||||D4411^Okonkwo^Chidi||||||||||||V2024991",
        "OBR|1|||11506-3^Progress note^LN|||20240305115900+0000",
    ]
    for number, one in enumerate(texts, 1):
        value_type, text = ("TX", one) if isinstance(one, str) else one
        lines.append(f"OBX|{number}|{value_type}|11506-3^Progress note^LN||{text}||||||F")
    lines += [f"NTE|{number}||{note}" for number, note in enumerate(notes, 1)]
    return "\r".join([*lines, *more]) + "\r"


def sent(frame: str | bytes, tagger: Finder | None = None) -> Left:
    """Send one HL7 frame through ingest's parser and privacy's rules."""
    raw = frame if isinstance(frame, bytes) else frame.encode(errors="surrogatepass")
    return left_of(parse(raw, SourceProfile("test"), KEYS, RECEIVED_AT_MS), tagger)


def left_of(parsed: Parsed, tagger: Finder | None = None) -> Left:
    """Return what leaves of a parsed message, as ``stage`` lets it."""
    if parsed.code != "AA":
        assert parsed.events == ()
        return Left("refused", (), "")
    events, out, is_guarded = [], [], False
    for one in parsed.events:
        body = one.body
        if body.event_type == "non_clinical":
            continue
        known = grow(NOBODY, body.patient)
        primed = primed_for(known, body, beyond(known, body), tagger)
        event = deidentify(
            body, event_id=one.event_id, key=KEY, known=known, cleaner=primed.cleaner,
            now_ms=RECEIVED_AT_MS,
        )  # fmt: skip
        relation = relation_of(
            body, event_id=one.event_id, key=KEY, staff_key=b"s" * 32, cleaner=primed.cleaner
        )
        value = DEIDENTIFIED.encode(event)
        if shows_identity(value + (RELATIONS.encode(relation) if relation else b""), primed.known):
            is_guarded = True
            continue
        events.append(event)
        out.append(value.decode() + (RELATIONS.encode(relation).decode() if relation else ""))
    is_held = is_guarded or any(note.held for event in events for note in event.notes)
    fate: Fate = "held" if is_held else "cleaned" if events else "nobody"
    return Left(fate, tuple(events), "\n".join(out))


def shown(left: Left, secrets: Sequence[str]) -> list[str]:
    """Return the secrets that can be read in what left: as written, folded, over two texts, or in
    base64, hex and their kin.
    """
    lowered = left.out.casefold()
    raw = left.out.encode(errors="surrogatepass").lower()
    squeezed = squeeze(fold(left.out).folded).squeezed
    joined = squeeze(fold("".join(left.texts)).folded).squeezed
    found = []
    for secret in secrets:
        text = term(secret)
        is_shown = secret.casefold() in lowered or text in squeezed or text in joined
        if is_shown or any(needle.lower() in raw for needle in encodings(secret)):
            found.append(secret)
    return found


def limit_s(size: int) -> float:
    """Return how long so many bytes may take: 2 s of one core for each 100 KB."""
    return max(SECONDS_FLOOR, SECONDS_PER_100_KB * size / 100_000)
