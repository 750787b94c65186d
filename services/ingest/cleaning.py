"""The preprocessing step, over the envelope of whatever came in: units, plausibility, times.

Pure. Nothing is dropped and nothing sent is overwritten (``unit_sent`` stays): what is odd is named
in a finding, which ingest counts by its code, and an observation that cannot be right carries the
code, so that it is shown and never scored. For most observations this is two look-ups.
"""

from datetime import date
from time import sleep
from typing import Literal

import msgspec

from contracts.clinical import Finding
from contracts.identified import Encounter, IdentifiedBody
from contracts.loinc import parameter_of
from contracts.observation import Code, Observation
from contracts.periods import PERIOD_MS
from plumbing.remembering import remembered
from services.ingest.analytes import BY_LOINC, IMPLIED, normalised
from services.ingest.codes import LOINC
from services.ingest.far_times import is_far, without_far_times
from services.ingest.parse import Parsed, ParsedEvent
from services.ingest.values import number_of

DAY_MS = 86_400_000
SLACK_MS = DAY_MS  # a zone that had to be assumed is off by at most 14 hours, clocks by minutes
YEAR_1900_MS = -2_208_988_800_000
NEVER_MS = 2**62
FINDINGS_MAX = 50
BREATH = 1_024  # observations: as ``hl7.BREATH_SEGMENTS``
EPOCH_DAY = date(1970, 1, 1).toordinal()
OF_UNITS = frozenset({"implausible", "unit_unknown", "unit_assumed"})
COMPARED = frozenset({"quantity", "coded", "time"})  # lines of a document may well repeat
NUMBER_STARTS = frozenset("<>0123456789-+.")
TEXTS = {
    "implausible": "outside what is physically plausible",
    "unit_unknown": "the unit cannot be converted",
    "duplicate": "the same result stands twice in the message",
    "comparator": "a bound, not a measured value",
    "number_in_text": "a number sent as text is not read as one",
    "time_future": "later than its receipt",
    "time_before_birth": "before the patient was born",
    "time_before_1900": "before 1900",
    "time_order": "ends before it begins",
}


def cleaned(parsed: Parsed) -> Parsed:
    """Return what was parsed with each of its events cleaned, itself where all is well."""
    odd: list[Finding] = []
    events: list[ParsedEvent] = []
    is_same = True
    for event in parsed.events:
        body = clean(event.body)
        if body is event.body:
            events.append(event)
            continue
        is_same = False
        odd += body.findings[len(event.body.findings) :]
        events.append(msgspec.structs.replace(event, body=body))
    if is_same:
        return parsed
    return msgspec.structs.replace(
        parsed, events=tuple(events), findings=parsed.findings + tuple(odd)
    )


def clean(body: IdentifiedBody) -> IdentifiedBody:
    """Return the event with canonical values and further findings, itself where all is well."""
    received_at_ms, birth_date = body.received_at_ms, body.patient.birth_date
    window = window_of(received_at_ms, birth_date)
    first_ms, last_ms = window.first_ms, window.last_ms
    findings: list[Finding] = []
    whole = body
    body = without_far_times(
        body, lambda where, at_ms: findings.append(_finding(where, window.code_of(at_ms)))
    )
    if not first_ms <= body.occurred_at_ms <= last_ms:
        findings.append(_finding("occurred_at", window.code_of(body.occurred_at_ms)))
    if birth_date and not YEAR_1900_MS <= _born_ms(birth_date) <= last_ms:
        is_later = _born_ms(birth_date) > last_ms
        code = "time_future" if is_later else "time_before_1900"
        findings.append(_finding("patient.birth_date", code))
    if body.encounter is not None:
        _check_visit(body.encounter, window, findings)
    for place, condition in enumerate(body.conditions):
        at_ms = condition.at_ms
        begins_ms = first_ms - PERIOD_MS.get(condition.at_precision, 0)
        if at_ms is not None and not begins_ms <= at_ms <= last_ms:
            findings.append(_finding(f"conditions.{place}", window.code_of(at_ms)))
    observations = _observations(body.observations, window, findings)
    if not findings and observations is body.observations:
        return whole
    found = body.findings + tuple(findings[:FINDINGS_MAX])
    body = msgspec.structs.replace(body, observations=observations, findings=found)
    return body if YEAR_1900_MS <= body.occurred_at_ms <= last_ms else _happened_at_receipt(body)


def _happened_at_receipt(body: IdentifiedBody) -> IdentifiedBody:
    """Date an event that claims the future by its receipt, else nothing later would count; and one
    of before 1900, which no calendar shows.
    """
    return msgspec.structs.replace(
        body,
        occurred_at_ms=body.received_at_ms,
        occurred_precision="unknown",
        occurred_zone="assumed",
    )


class Window:
    """What times are possible: from the patient's birth (or 1900) to the receipt, with slack."""

    __slots__ = ("first_ms", "last_ms", "received_at_ms")

    def __init__(self, first_ms: int, received_at_ms: int) -> None:
        """Take the first possible millisecond, and the receipt, 0 when it is not known."""
        self.first_ms, self.received_at_ms = first_ms, received_at_ms
        self.last_ms = received_at_ms + SLACK_MS if received_at_ms else NEVER_MS

    def code_of(self, at_ms: int) -> str:
        """Return what is wrong with a time, "" when nothing is."""
        if self.first_ms <= at_ms <= self.last_ms:
            return ""
        if at_ms > self.last_ms:
            return "time_future"
        return "time_before_1900" if at_ms < YEAR_1900_MS else "time_before_birth"


@remembered(4096)
def _born_ms(birth_date: str) -> int:
    """Return the earliest moment that ``YYYY[-MM[-DD]]`` can mean, 1900 where it is not known."""
    parts = [int(part) for part in birth_date.split("-") if part.isdecimal()]
    try:
        day = date(*[*parts, 1, 1][:3]) if parts else None
    except ValueError:
        day = None
    return YEAR_1900_MS if day is None else (day.toordinal() - EPOCH_DAY) * DAY_MS


def window_of(received_at_ms: int, birth_date: str) -> Window:
    """Return the possible times of an event; ``received_at_ms`` 0 is not known."""
    first_ms = max(_born_ms(birth_date) - SLACK_MS, YEAR_1900_MS) if birth_date else YEAR_1900_MS
    return Window(first_ms, received_at_ms)


def _check_visit(visit: Encounter, window: Window, findings: list[Finding]) -> None:
    begins, ends = visit.admitted_at_ms, visit.discharged_at_ms
    if begins is not None and ends is not None and ends < begins:
        findings.append(_finding("encounter.discharged_at", "time_order"))
    if visit.status == "planned":
        return
    for where, at_ms in (("admitted_at", begins), ("discharged_at", ends)):
        if at_ms is not None and not window.first_ms <= at_ms <= window.last_ms:
            findings.append(_finding(f"encounter.{where}", window.code_of(at_ms)))


def _observations(
    given: tuple[Observation, ...], window: Window, findings: list[Finding]
) -> tuple[Observation, ...]:
    """Return the observations, the same tuple where none had to change."""
    first_ms, last_ms = window.first_ms, window.last_ms
    seen: dict[tuple[str, int | None, float | None], Observation] = {}
    kept = []
    is_same = True
    for number, one in enumerate(given, 1):
        if not number % BREATH:
            sleep(0)
        better = _observation(one, findings)
        at_ms = one.at_ms
        begins_ms = first_ms - PERIOD_MS.get(one.at_precision, 0)
        if at_ms is not None and not begins_ms <= at_ms <= last_ms:
            better = _flagged(better, window.code_of(at_ms), findings)
            if is_far(at_ms, window.received_at_ms):
                better = msgspec.structs.replace(better, at_ms=None)
        if one.kind in COMPARED:
            before = seen.setdefault((one.code.code, at_ms, one.value), one)
            if before is not one and _same(before, one):
                findings.append(_finding(_where(one), "duplicate"))
        is_same = is_same and better is one
        kept.append(better)
    return given if is_same else tuple(kept)


def _same(one: Observation, other: Observation) -> bool:
    """Return whether two results of one code, time and number say the same. OBX-4 (the end of
    ``series``) tells them apart, the order they belong to does not.
    """
    ours, theirs = (
        (o.code, o.answer, o.text, o.comparator, o.unit_sent, o.status, o.series.rpartition("|")[2])
        for o in (one, other)
    )
    return ours == theirs and one.further_answers == other.further_answers


def _observation(one: Observation, findings: list[Finding]) -> Observation:
    if one.kind == "quantity":
        if one.comparator:
            findings.append(_finding(_where(one), "comparator", "info"))
        code = one.code.code
        if code in BY_LOINC or (code in IMPLIED and not one.unit_sent):
            return _in_canonical_unit(one, findings)
    elif one.kind == "text" and one.text[:1] in NUMBER_STARTS and _is_number(one.code, one.text):
        findings.append(_finding(_where(one), "number_in_text"))
    return one


def _is_number(code: Code, text: str) -> bool:
    """Return whether ``text`` is the number of a quantity that we know."""
    if code.system != LOINC or (code.code not in BY_LOINC and parameter_of(code.code) is None):
        return False
    return number_of(text.lstrip("<>=")) is not None


def _in_canonical_unit(one: Observation, findings: list[Finding]) -> Observation:
    if one.value is None or one.code.system != LOINC:
        return one
    # Without a unit, that of the site's own map where the code is from there.
    sent = one.unit_sent or (one.unit if one.code_sent is not None else "")
    value, unit, odd = normalised(one.code.code, one.value, sent)
    if odd and odd != "unit_assumed":
        findings.append(_finding(_where(one), odd))
    if (value, unit, odd) == (one.value, one.unit, one.finding):
        return one
    # What was read of the number itself ("repeated") stays, unless its unit is in doubt.
    return msgspec.structs.replace(one, value=value, unit=unit, finding=odd or _kept(one.finding))


def _kept(finding: str) -> str:
    return "" if finding in OF_UNITS else finding


def _flagged(one: Observation, code: str, findings: list[Finding]) -> Observation:
    findings.append(_finding(_where(one), code))
    return one if one.finding else msgspec.structs.replace(one, finding=code)


def _where(one: Observation) -> str:
    return f"observations.{one.index}"


def _finding(where: str, code: str, level: Literal["warn", "info"] = "warn") -> Finding:
    return Finding(level, where, code, TEXTS[code])
