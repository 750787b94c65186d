"""A message of many values becomes several events of bounded size, one after the other. Pure.

What one event says is written by privacy as one record that inference reads, and as one more where
it is refused: it may not grow without bound. So what is said of a patient is cut into portions of
``PORTION_BYTES``, each an event of its own with the patient, the visit and the bytes of the whole
message. Where it is cut follows from what was sent alone, never from the time of receipt, so a
resend gives the same events: the two limits below are part of an event's identity.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from contracts.clinical import (
    Allergy,
    Condition,
    EventType,
    Finding,
    Genotype,
    Medication,
    Order,
    Variant,
)
from contracts.identified import IdentifiedBody, Image, Note
from contracts.observation import Observation
from services.ingest.blobs import without_long_texts
from services.ingest.identity import Keys, event_id
from services.ingest.parse import Parsed, ParsedEvent

# The longest text that privacy takes stands in it twice, as its result and as a note. With what
# privacy adds (a hash for each series) and its few findings it is within a record; marks in place
# of names may take more: privacy holds texts back where there is no room.
PORTION_BYTES: Final = 448 * 1024
RUN_BYTES: Final = 256 * 1024  # of results that are the lines of one text
SMALL_BYTES: Final = 16 * 1024  # of a message: what it says is less than a portion
ORDINALS_A_PORTION: Final = 1_000_000  # more than a message has patients
OBSERVATION_BYTES: Final = 150  # of what has a bounded length: index, kind, value, unit, time
SENTENCE_ENDS: Final = tuple(".!?:;。！？：；")
VALUES_MAX: Final = 60_000  # of one patient in one message: some 60 events
PORTIONED: Final = Finding(
    "info", "OBX", "portioned", "so many values that they are stored as several events"
)
TOO_LONG: Final = "too_long"
ABOUT_RESULT: Final = "observations."
FURTHER: Final[EventType] = "observation.result"

_encoder = msgspec.json.Encoder()


@dataclass(slots=True)
class _Portion:
    """What one event says."""

    observations: list[Observation] = field(default_factory=list)
    conditions: list[Condition] = field(default_factory=list)
    medications: list[Medication] = field(default_factory=list)
    allergies: list[Allergy] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    images: list[Image] = field(default_factory=list)
    genotypes: list[Genotype] = field(default_factory=list)
    variants: list[Variant] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


@dataclass(slots=True)
class _Filling:
    """The portions so far, and how far the last one is filled."""

    portions: list[_Portion] = field(default_factory=lambda: [_Portion()])
    size: int = 0

    def place(self, size: int) -> _Portion:
        """Return the portion of what takes ``size`` bytes: a new one where it does not fit."""
        if self.size and self.size + size > PORTION_BYTES:
            self.portions.append(_Portion())
            self.size = 0
        self.size += size
        return self.portions[-1]


def values_of(body: IdentifiedBody) -> int:
    """Return how many things an event says of its patient."""
    results = len(body.observations) + len(body.notes)
    history = len(body.conditions) + len(body.allergies)
    return results + history + len(body.medications) + len(body.orders)


def portioned(parsed: Parsed, keys: Keys) -> Parsed:
    """Return a message whose events are of bounded size, itself where they are already.

    One that says more than ``VALUES_MAX`` things of a patient stays as it is, to be refused.
    """
    if all(len(event.body.raw) <= SMALL_BYTES for event in parsed.events):
        return parsed
    events: list[ParsedEvent] = []
    for ordinal, event in enumerate(parsed.events):
        if values_of(event.body) > VALUES_MAX:
            return parsed
        first, *further = _bodies(without_long_texts(event.body))
        events.append(msgspec.structs.replace(event, body=first))
        for number, body in enumerate(further, 1):
            named = event_id(keys, parsed.content, ordinal + number * ORDINALS_A_PORTION)
            events.append(ParsedEvent(named, event.route_key, body))
    findings = parsed.findings
    if len(events) > len(parsed.events):
        findings = (*findings, PORTIONED)
    return msgspec.structs.replace(parsed, events=tuple(events), findings=findings)


def _bodies(body: IdentifiedBody) -> list[IdentifiedBody]:
    """Return the events of one. What it does to the patient's identity or visit, and what is found
    of the message, the first does and has alone.
    """
    filling = _Filling()
    _place_history(body, filling)
    about: dict[int, int] = {}
    for note in body.notes:
        if note.about >= 0:
            about[note.about] = about.get(note.about, 0) + _size(note.text)
    moved = _place_results(body.observations, about, filling)
    portions = filling.portions
    if len(portions) == 1:
        return [body]
    _place_about(body, portions[0], moved)
    portions[0].findings.append(PORTIONED)
    return [
        msgspec.structs.replace(
            body,
            **{name: tuple(getattr(portion, name)) for name in portion.__slots__},
            event_type=_further(body.event_type) if number else body.event_type,
            links=() if number else body.links,
        )
        for number, portion in enumerate(portions)
    ]


def _further(kind: EventType) -> EventType:
    return FURTHER if kind.startswith(("encounter.", "person.", "identity.")) else kind


def _place_history(body: IdentifiedBody, filling: _Filling) -> None:
    """Place what is no result, nor about one."""
    for condition in body.conditions:
        filling.place(_size(condition)).conditions.append(condition)
    _place_medications(body.medications, filling)
    for allergy in body.allergies:
        filling.place(_size(allergy)).allergies.append(allergy)
    for order in body.orders:
        filling.place(_size(order)).orders.append(order)
    for note in body.notes:
        if note.about < 0:
            filling.place(_size(note.text)).notes.append(note)


def _place_medications(medications: Sequence[Medication], filling: _Filling) -> None:
    """Place each; its components, which stand behind it, with it while they fit."""
    whole, place = filling.portions[0], -1
    for one in medications:
        portion = filling.place(_size(one))
        if one.part_of < 0:
            whole, place = portion, len(portion.medications)
        else:
            part_of = place if portion is whole else -1
            one = msgspec.structs.replace(one, part_of=part_of)  # noqa: PLW2901
        portion.medications.append(one)


def _place_results(
    given: Sequence[Observation], about: dict[int, int], filling: _Filling
) -> dict[int, tuple[_Portion, int]]:
    """Place all results; return the portion and the new index of each, by the old one."""
    observations = list(given)
    sizes = [_size_of(one) for one in observations]
    moved: dict[int, tuple[_Portion, int]] = {}
    for first, end in _units(observations, sizes):
        beside = sum(about.get(one.index, 0) for one in observations[first:end])
        portion = filling.place(sum(sizes[first:end]) + beside)
        for one in observations[first:end]:
            index = len(portion.observations)
            moved[one.index] = portion, index
            portion.observations.append(msgspec.structs.replace(one, index=index))
    return moved


def _units(observations: list[Observation], sizes: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield from where to where results stay together: one alone, or the lines of a text, as a name
    may break over two of them.

    A text of more than ``RUN_BYTES`` is cut behind a sentence; where none ends, the two lines
    beside the cut are held back.
    """
    first = 0
    while first < len(observations):
        end, size, sentence = first, 0, 0
        while end < len(observations) and _is_line(observations[end]):
            size += sizes[end]
            if size > RUN_BYTES and end > first:
                break
            end += 1
            if observations[end - 1].text.rstrip().endswith(SENTENCE_ENDS):
                sentence = end
        else:
            sentence = end = max(end, first + 1)
        if not sentence:
            beside = slice(end - 1, end + 1)
            observations[beside] = [_held_back(one) for one in observations[beside]]
        yield first, sentence or end
        first = sentence or end


def _is_line(one: Observation) -> bool:
    return one.kind == "text" and bool(one.text)


def _held_back(one: Observation) -> Observation:
    return msgspec.structs.replace(one, text="", finding=TOO_LONG)


def _place_about(
    body: IdentifiedBody, first: _Portion, moved: dict[int, tuple[_Portion, int]]
) -> None:
    """Place what is about a result with it, all else with the first."""
    for note in body.notes:
        if note.about >= 0:
            portion, index = moved.get(note.about, (first, -1))
            portion.notes.append(msgspec.structs.replace(note, about=index))
    for image in body.images:
        portion, index = moved.get(image.about, (first, -1))
        portion.images.append(msgspec.structs.replace(image, about=index))
    for genotype in body.genotypes:
        portion, index = moved.get(genotype.about, (first, -1))
        portion.genotypes.append(msgspec.structs.replace(genotype, about=index))
    for variant in body.variants:
        portion, index = moved.get(variant.about, (first, -1))
        portion.variants.append(msgspec.structs.replace(variant, about=index))
    for finding in body.findings:
        portion, index = moved.get(_index_of(finding), (first, -1))
        where = finding.where if index < 0 else f"{ABOUT_RESULT}{index}"
        portion.findings.append(msgspec.structs.replace(finding, where=where))


def _index_of(finding: Finding) -> int:
    """Return the index of the result that a finding is about, or -1."""
    number = finding.where.removeprefix(ABOUT_RESULT)
    return int(number) if number != finding.where and number.isdecimal() else -1


def _size(said: object) -> int:
    return len(_encoder.encode(said))


def _size_of(one: Observation) -> int:
    """Return about how many bytes a result takes, by what was sent."""
    told = (one.text, one.answer, one.further_answers, one.flags, one.reference_range)
    return OBSERVATION_BYTES + _size((one.code, one.code_sent, one.series, one.unit_sent, told))
