"""RXO, RXE, RXD, RXA, RXR, RXC, DG1, PRB, AL1, IAM: medication, diagnoses, problems, allergies."""

from typing import Final, NamedTuple

import msgspec

from contracts.clinical import Allergy, Condition, Medication
from services.ingest.codes import code_of, further_codes_of, says_no_allergy
from services.ingest.draft import Draft
from services.ingest.patients import put_staff_as_person
from services.ingest.times import coarse_of, ms_of
from services.ingest.values import number_of


class _Columns(NamedTuple):
    """Where a segment has its medication; 0: it has no such field."""

    code: int
    dose: int
    unit: int
    at: int = 0
    status: int = 0
    dose_max: int = 0


RXO = _Columns(code=1, dose=2, dose_max=3, unit=4)
RXE = _Columns(code=2, dose=3, dose_max=4, unit=5)
RXC = _Columns(code=2, dose=3, unit=4)
RXD = _Columns(code=2, dose=4, unit=5, at=3)
RXA = _Columns(code=5, dose=6, unit=7, at=3, status=20)
DELETED: Final = "DE"


def rxo(draft: Draft, f: list[str]) -> None:
    """Read RXO: what was asked for."""
    before = len(draft.medications)
    _medication(draft, f, RXO)
    draft.requested = before if len(draft.medications) > before else -1


def rxe(draft: Draft, f: list[str]) -> None:
    """Read RXE: what was ordered; it takes the place of the RXO of the same order."""
    if draft.requested >= 0:
        del draft.medications[draft.requested :]  # with its components: RXE has its own
        draft.requested = -1
    _medication(draft, f, RXE)


def rxd(draft: Draft, f: list[str]) -> None:
    """Read RXD: what was dispensed."""
    _medication(draft, f, RXD)


def rxa(draft: Draft, f: list[str]) -> None:
    """Read RXA: what was given."""
    _medication(draft, f, RXA)


def rxr(draft: Draft, f: list[str]) -> None:
    """Read RXR: the route of the medication before it."""
    whole = _whole_of(draft)
    if whole >= 0 and not draft.medications[whole].route:
        route = code_of(draft.dialect, f[1])
        last = draft.medications[whole]
        draft.medications[whole] = msgspec.structs.replace(last, route=route.code or route.text)


def rxc(draft: Draft, f: list[str]) -> None:
    """Read RXC: a component of the medication before it, base (B) or additive (A)."""
    _medication(draft, f, RXC, _whole_of(draft), draft.dialect.first(f[1]))


def _whole_of(draft: Draft) -> int:
    """Return the place of the last medication that is no component, -1 when there is none."""
    place = len(draft.medications) - 1
    if place < 0 or not draft.medications[place].role:
        return place
    return draft.medications[place].part_of  # components stand behind their whole


def dg1(draft: Draft, f: list[str]) -> None:
    """Read DG1: a diagnosis (its text from DG1-4 where DG1-3 has none); one deleted (DG1-21 D) has
    that as its status.
    """
    code = code_of(draft.dialect, f[3])
    if not code.text and f[4]:
        code = msgspec.structs.replace(code, text=draft.dialect.text(f[4]))
    if code.code or code.text:
        status = DELETED if draft.dialect.first(f[21]) == "D" else draft.dialect.first(f[6])
        at = draft.time(f[5], "DG1-5")
        draft.conditions.append(
            Condition(code=code, at_ms=ms_of(at), status=status, at_precision=coarse_of(at))
        )


def prb(draft: Draft, f: list[str]) -> None:
    """Read PRB: a problem; a deleted one (action DE) keeps that as its status."""
    status = DELETED if f[1] == DELETED else draft.dialect.first(f[14]) or f[1]
    at = draft.time(f[16] or f[7] or f[2], "PRB-16")
    draft.conditions.append(
        Condition(
            code=code_of(draft.dialect, f[3]),
            at_ms=ms_of(at),
            status=status,
            at_precision=coarse_of(at),
        )
    )


def al1(draft: Draft, f: list[str]) -> None:
    """Read AL1: an allergy."""
    _allergy(draft, f)


def iam(draft: Draft, f: list[str]) -> None:
    """Read IAM: an allergy, its action apart (a deleted one is not passed on as present), and who
    told of it (IAM-14).
    """
    put_staff_as_person(draft, f[14])
    if draft.dialect.first(f[6]) == "D":
        draft.find("IAM-6", "deleted", "an allergy was deleted")
        return
    _allergy(draft, f)


def _allergy(draft: Draft, f: list[str]) -> None:
    d = draft.dialect
    code = code_of(d, f[3])
    if says_no_allergy(code):
        draft.tell("AL1-3", "no_known_allergies", "told to have none: that is no allergy")
    elif code.code or code.text:
        reaction = "; ".join(d.first(one) for one in d.repetitions(f[5]))
        draft.allergies.append(Allergy(code=code, severity=d.first(f[4]), reaction=reaction))


def _medication(
    draft: Draft, f: list[str], columns: _Columns, part_of: int = -1, role: str = ""
) -> None:
    d = draft.dialect
    raw = f[columns.code]
    found = code_of(d, raw)
    if not (found.code or found.text):
        draft.find("RXE-2", "101", "no medication code")
        return
    unit = code_of(d, f[columns.unit])
    start = draft.time(f[columns.at], "RXA-3") if columns.at else None
    start = start or draft.order_at
    least, most = d.text(f[columns.dose]), d.text(f[columns.dose_max]) if columns.dose_max else ""
    dose, dose_max = number_of(least), number_of(most)
    dose_sent = ""
    if (least and dose is None) or (most and dose_max is None):
        dose_sent = f"{least} {most}".strip()
        draft.tell("RXE-3", "dose_text", "a dose that is no number is kept as sent")
    draft.medications.append(
        Medication(
            code=found,
            dose=dose,
            dose_max=dose_max,
            dose_sent=dose_sent,
            dose_unit=unit.code or unit.text,
            status=(f[columns.status] if columns.status else "") or draft.order_control,
            start_ms=ms_of(start),
            start_precision=coarse_of(start),
            alternates=further_codes_of(d, raw, found),
            part_of=part_of,
            role=role or ("C" if columns is RXC else ""),
        )
    )
