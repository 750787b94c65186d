"""RXO, RXE, RXD, RXA, RXR, DG1, PRB, AL1, IAM: medication, diagnoses, problems, allergies."""

from typing import NamedTuple

import msgspec

from contracts.clinical import Allergy, Condition, Medication
from services.ingest.codes import code_of
from services.ingest.draft import Draft
from services.ingest.results import number_of


class _Columns(NamedTuple):
    """Where a segment has its medication; 0: it has no such field."""

    code: int
    dose: int
    unit: int
    at: int = 0
    status: int = 0


RXO = _Columns(code=1, dose=2, unit=4)
RXE = _Columns(code=2, dose=3, unit=5)
RXD = _Columns(code=2, dose=4, unit=5, at=3)
RXA = _Columns(code=5, dose=6, unit=7, at=3, status=20)


def rxo(draft: Draft, f: list[str]) -> None:
    """Read RXO: what was asked for."""
    before = len(draft.medications)
    _medication(draft, f, RXO)
    draft.requested = len(draft.medications) > before


def rxe(draft: Draft, f: list[str]) -> None:
    """Read RXE: what was ordered; it takes the place of the RXO of the same order."""
    if draft.requested:
        draft.medications.pop()
        draft.requested = False
    _medication(draft, f, RXE)


def rxd(draft: Draft, f: list[str]) -> None:
    """Read RXD: what was dispensed."""
    _medication(draft, f, RXD)


def rxa(draft: Draft, f: list[str]) -> None:
    """Read RXA: what was given."""
    _medication(draft, f, RXA)


def rxr(draft: Draft, f: list[str]) -> None:
    """Read RXR: the route of the medication before it."""
    if draft.medications and not draft.medications[-1].route:
        route = code_of(draft.dialect, f[1])
        last = draft.medications[-1]
        draft.medications[-1] = msgspec.structs.replace(last, route=route.code or route.text)


def dg1(draft: Draft, f: list[str]) -> None:
    """Read DG1: a diagnosis (its text from DG1-4 where DG1-3 has none)."""
    code = code_of(draft.dialect, f[3])
    if not code.text and f[4]:
        code = msgspec.structs.replace(code, text=draft.dialect.text(f[4]))
    if code.code or code.text:
        draft.conditions.append(
            Condition(
                code=code, at_ms=draft.time_ms(f[5], "DG1-5"), status=draft.dialect.first(f[6])
            )
        )


def prb(draft: Draft, f: list[str]) -> None:
    """Read PRB: a problem; a deleted one (action DE) keeps that as its status."""
    status = "DE" if f[1] == "DE" else draft.dialect.first(f[14]) or f[1]
    draft.conditions.append(
        Condition(
            code=code_of(draft.dialect, f[3]),
            at_ms=draft.time_ms(f[16] or f[7] or f[2], "PRB-16"),
            status=status,
        )
    )


def al1(draft: Draft, f: list[str]) -> None:
    """Read AL1: an allergy."""
    _allergy(draft, f)


def iam(draft: Draft, f: list[str]) -> None:
    """Read IAM: an allergy, its action apart (a deleted one is not passed on as present)."""
    if draft.dialect.first(f[6]) == "D":
        draft.find("IAM-6", "deleted", "an allergy was deleted")
        return
    _allergy(draft, f)


def _allergy(draft: Draft, f: list[str]) -> None:
    d = draft.dialect
    code = code_of(d, f[3])
    if code.code or code.text:
        reaction = "; ".join(d.first(one) for one in d.repetitions(f[5]))
        draft.allergies.append(Allergy(code=code, severity=d.first(f[4]), reaction=reaction))


def _medication(draft: Draft, f: list[str], columns: _Columns) -> None:
    found = code_of(draft.dialect, f[columns.code])
    if not (found.code or found.text):
        draft.find("RXE-2", "101", "no medication code")
        return
    unit = code_of(draft.dialect, f[columns.unit])
    start_ms = draft.time_ms(f[columns.at], "RXA-3") if columns.at else None
    draft.medications.append(
        Medication(
            code=found,
            dose=number_of(f[columns.dose]),
            dose_unit=unit.code or unit.text,
            status=(f[columns.status] if columns.status else "") or draft.order_control,
            start_ms=start_ms if start_ms is not None else draft.order_at,
        )
    )
