"""Pure: IdentifiedBody -> DeidentifiedEvent, by the table in ``policy``. The file to audit first.

No clock, no randomness, no client: the same body, key and known identity give the same event.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from contracts.clinical import Allergy, Condition, Finding, Genotype, Medication, Order, Variant
from contracts.deidentified import CleanNote, DeidentifiedEvent, Stay
from contracts.identified import Encounter, IdentifiedBody, Note
from contracts.observation import Code, Observation
from contracts.periods import Coarse
from services.privacy.areas import area_of
from services.privacy.code_systems import is_of_system
from services.privacy.dates import AGE_MS_MAX, TIME_DROPPED, age_at, moved_period, passing
from services.privacy.fields import (
    Cleaner,
    code_or_empty,
    label_or_empty,
    local_or_empty,
    place_or_empty,
)
from services.privacy.free_text import TOO_LONG, Cleaned
from services.privacy.genotypes import (
    RAW_GENOME,
    REFUSED,
    names_variant,
    panel_genotypes,
    panel_variants,
    refuses,
)
from services.privacy.identity import KnownIdentity
from services.privacy.lines import clean_lines
from services.privacy.loci import Typed, names_allele, typed_in
from services.privacy.patient_keys import PatientKey
from services.privacy.policy import POLICY, Rule
from services.privacy.values import (
    BIRTH_DATE,
    IDENTIFYING_NUMBER,
    clamped_age,
    counted_in,
    digits_of,
    is_identifying,
    moved_time,
    tells_birth,
)

SEXES = frozenset({"M", "F", "O", "U", "A", "N", "X"})
LOINC = "LN"

Shared = TypeVar("Shared", bound=msgspec.Struct)


def deidentify(
    body: IdentifiedBody,
    *,
    event_id: str,
    key: PatientKey,
    known: KnownIdentity,
    cleaner: Cleaner,
    now_ms: int,
) -> DeidentifiedEvent:
    """Return the event without who the patient is. ``known`` includes this event's own patient.

    Its images are none of it: ``images.with_images`` puts them in.
    """
    apply = _Policy(key, cleaner, body.occurred_at_ms, typed_in(body.observations, body.notes))
    return DeidentifiedEvent(
        event_id=event_id,
        token=key.token,
        event_type=body.event_type,
        message_type=apply.code(body.message_type),
        occurred_at_ms=body.occurred_at_ms - key.shift_ms,
        occurred_precision=body.occurred_precision,
        occurred_zone=body.occurred_zone,
        elapsed_ms=max(0, now_ms - body.received_at_ms),
        age=age_at(known.birth_date, body.occurred_at_ms),
        sex=known.sex if known.sex in SEXES else "",
        deceased=body.patient.deceased,
        area=area_of(body.patient.postcode, body.patient.country),
        stay=apply.stay(body.encounter) if body.encounter else None,
        observations=apply.observations(body.observations),
        conditions=apply.each(body.conditions),
        medications=apply.each(body.medications),
        allergies=apply.each(body.allergies),
        orders=apply.each(body.orders),
        notes=tuple(apply.note(note) for note in body.notes),
        genotypes=apply.each(tuple(panel_genotypes(body.genotypes))),
        variants=apply.each(tuple(panel_variants(body.variants))),
        findings=apply.each(body.findings),
    )


class _Policy:
    """The rules of the table, for one patient and one event."""

    def __init__(
        self, key: PatientKey, cleaner: Cleaner, occurred_at_ms: int, typed: Typed
    ) -> None:
        self._key, self._typed = key, typed
        self._occurred_at_ms = occurred_at_ms
        self._cleaner = cleaner
        self._cleaned: dict[str, Cleaned] = {}
        self._rules: dict[str, Callable[[Any], Any]] = {
            "CODE": self.code,
            "LOCAL": self.local,
            "LABEL": self.label,
            "SHIFT": self.shift,
            "HASH": self.hash,
            "EACH": self._nested,
            "NUMBER": self.number,
        }

    def each(self, items: tuple[Shared, ...]) -> tuple[Shared, ...]:
        """Return structs that have the same type before and after, each by its rules."""
        return tuple(self._copy(item) for item in items)

    def observations(self, found: tuple[Observation, ...]) -> tuple[Observation, ...]:
        """Return all observations; their texts are cleaned as one, which a name may break over."""
        found = tuple(map(clamped_age, found))
        texts = [item.text for item in found if self._is_line(item)]
        cleaned = iter(clean_lines(texts, self._clean))
        return tuple(
            self._observation(item, next(cleaned) if self._is_line(item) else None)
            for item in found
        )

    def _is_line(self, found: Observation) -> bool:
        """Return whether the text of an observation is cleaned: a refused one needs no cleaning."""
        return found.kind == "text" and bool(found.text) and found.index not in self._typed.places

    def _observation(self, found: Observation, cleaned: Cleaned | None) -> Observation:
        """Return one observation; what its text is depends on its kind."""
        clean, text, finding = self._copy(found), "", found.finding
        refused = self._refusal_of(found)
        if refused:
            return Observation(
                index=found.index,
                code=clean.code,
                kind="empty",
                status=clean.status,
                at_ms=clean.at_ms,
                at_precision=clean.at_precision,
                series=clean.series,
                finding=refused,
            )
        if found.kind == "time":
            text = moved_time(found, self._occurred_at_ms, self._key.shift_days)
            text = passing(text, self._occurred_at_ms - self._key.shift_ms)
            finding = finding or ("" if text or not found.text else TIME_DROPPED)
        elif cleaned is not None:
            text, finding = cleaned.text or "", cleaned.held or finding
        elif found.kind in {"quantity", "coded"}:
            text = self.label(found.text)
        value = found.value  # asked for above, with its unit
        return msgspec.structs.replace(clean, value=value, text=text, finding=self.code(finding))

    def _refusal_of(self, found: Observation) -> str:
        """Return why the value of an observation may not pass, "" when it may."""
        if _tells_variant(found) or names_allele(found) or found.index in self._typed.places:
            return REFUSED
        if tells_birth(found):
            return BIRTH_DATE
        return IDENTIFYING_NUMBER if self._is_somebodys(found.value, counted_in(found)) else ""

    def _is_somebodys(self, value: float | None, unit: str) -> bool:
        """Return whether a number can be anybody's, or is one of the patient's own."""
        if is_identifying(value, unit):
            return True
        digits = digits_of(value)
        return bool(digits) and not self._cleaner.is_unknown(digits)

    def note(self, note: Note) -> CleanNote:
        """Return one note with marks, or held back with a reason."""
        cleaned = self._clean(note.text) if not note.apart_chars else TOO_LONG
        if note.text in self._typed.notes:
            cleaned = Cleaned(None, held=RAW_GENOME)
        return CleanNote(
            text=cleaned.text,
            about=note.about,
            kind=self.label(note.kind),
            lang=self.code(note.lang),
            held=cleaned.held,
            status=self.code(note.status),
        )

    def _clean(self, text: str) -> Cleaned:
        """Clean a text once: the lines of a document come as its note too."""
        if text not in self._cleaned:
            self._cleaned[text] = self._cleaner.clean(text)
        return self._cleaned[text]

    def stay(self, visit: Encounter) -> Stay:
        """Return the visit without room, bed and people."""
        return Stay(
            encounter=encounter_token(self._key, visit.number),
            class_=self.code(visit.class_),
            unit=place_or_empty(visit.unit, self._cleaner),
            status=visit.status,
            admitted_at_ms=self.shift(visit.admitted_at_ms),
            discharged_at_ms=self.shift(visit.discharged_at_ms),
        )

    def code(self, value: Any) -> Any:
        """Return a code, or a tuple of codes; what has not the form of one goes as local text."""
        if isinstance(value, tuple):
            return tuple(kept for item in value if (kept := self.code(item)))
        return code_or_empty(value, self._cleaner)

    def coded(self, code: Code) -> Code:
        """Return a code with its system; those of public systems have the form of these."""
        value = code.code
        kept = is_of_system(value, code.system) and self._cleaner.is_unknown(value)
        return Code(
            system=self.code(code.system),
            code=value if kept else self.code(value),
            text=self.label(code.text),
        )

    def local(self, value: str) -> str:
        """Return a site's short text, or ""."""
        return local_or_empty(value, self._cleaner)

    def label(self, value: str) -> str:
        """Return what something is called, with marks in place of who is named in it, or ""."""
        return label_or_empty(value, self._cleaner)

    def shift(self, at_ms: int | None) -> int | None:
        """Return a time moved back by the patient's days, None where it tells an age over 89."""
        if at_ms is None or self._occurred_at_ms - at_ms >= AGE_MS_MAX:
            return None
        return at_ms - self._key.shift_ms

    def _period(self, at_ms: int | None, coarse: Coarse) -> tuple[int | None, Coarse]:
        return moved_period(at_ms, coarse, self._occurred_at_ms, self._key.shift_ms)

    def number(self, value: float | None) -> float | None:
        """Return a dose, None when it can be the number of somebody."""
        return None if self._is_somebodys(value, "") else value

    def hash(self, value: str) -> str:
        """Return the patient's pseudonym for a number that ties records together."""
        return self._key.pseudonym("series", value) if value else ""

    def _nested(self, value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(self._nested(item) for item in value)
        if isinstance(value, Code):
            return self.coded(value)
        return None if value is None else self._copy(value)

    def _copy(self, struct: Shared) -> Shared:
        fields = {}
        for name, rule in _PLANS[type(struct)]:
            value = getattr(struct, name)
            if rule == "KEEP" or (not value and value != 0):
                fields[name] = value
            elif rule == "PERIOD":  # stands behind its time
                at = name.replace("_precision", "_ms")
                fields[at], fields[name] = self._period(getattr(struct, at), value)
            else:
                fields[name] = self._rules[rule](value)
        return type(struct)(**fields)


def _tells_variant(found: Observation) -> bool:
    said = [found.answer.text or found.answer.code if found.answer else found.text]
    said += [one.text or one.code for one in found.further_answers]
    if found.code.system == LOINC and any(refuses(found.code.code, one) for one in said):
        return True
    return any(names_variant(one.code) or names_variant(one.text) for one in found.answers)


def encounter_token(key: PatientKey, number: str) -> str:
    """Return the pseudonym of a visit number; "" when there is none."""
    return key.pseudonym("encounter", number) if number else ""


# Rules that one struct carries out on itself; SCRUB fields are filled in by kind.
_GENERIC = {
    Rule.KEEP,
    Rule.CODE,
    Rule.LOCAL,
    Rule.LABEL,
    Rule.SHIFT,
    Rule.PERIOD,
    Rule.HASH,
    Rule.EACH,
    Rule.NUMBER,
}
_PLANS: dict[type[Any], tuple[tuple[str, str], ...]] = {
    kind: tuple((name, rule.name) for name, rule in POLICY[kind].items() if rule in _GENERIC)
    for kind in (Observation, Condition, Medication, Allergy, Order, Finding, Genotype, Variant)
}
