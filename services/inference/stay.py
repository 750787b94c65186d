"""Pure: movements of a patient -> the encounter they are in and its intensive care stay.

Movements count in the order in which they were said, not in which they arrived; a cancellation
takes back the movement it names.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from contracts.deidentified import DeidentifiedEvent
from services.inference.view import icu_unit_of

ADMITTING = frozenset({"encounter.admit", "encounter.register"})
ENTERING = ADMITTING | {"encounter.transfer"}
# A cancellation and the movement that it takes back.
CANCELS = {
    "encounter.cancel_admit": ADMITTING,
    "encounter.cancel_transfer": frozenset({"encounter.transfer"}),
    "encounter.cancel_discharge": frozenset({"encounter.discharge"}),
}
OBSERVED = "observed"  # seen in a unit by an event that is no movement


class Move(msgspec.Struct, frozen=True, array_like=True):
    """One thing said of a visit. ``kind`` is an event type, or ``OBSERVED``."""

    offset: int
    said_ms: int
    kind: str
    encounter: str
    unit: str
    admitted_ms: int | None = None
    discharged_ms: int | None = None


@dataclass(frozen=True, slots=True)
class CurrentStay:
    """Where the patient is. Fields as in ``PatientView``."""

    encounter: str = ""
    unit: str = ""
    icu_unit: str = ""
    icu_admitted_ms: int | None = None
    icu_left_ms: int | None = None


NOWHERE = CurrentStay()


def move_of(event: DeidentifiedEvent, offset: int, known: Sequence[Move]) -> Move | None:
    """Return what ``event`` adds to the movements ``known`` (in order of arrival), or None.

    An event that is no movement adds where it saw the patient only while no movement of that
    encounter is known, so a busy feed does not fill the state.
    """
    if event.stay is None:
        return None
    stay = event.stay
    kind = event.event_type if event.event_type.startswith("encounter.") else OBSERVED
    same = [move for move in known if move.encounter == stay.encounter]
    move = Move(
        offset=offset,
        said_ms=event.occurred_at_ms,
        kind=kind,
        encounter=stay.encounter,
        unit=stay.unit,
        admitted_ms=stay.admitted_at_ms,
        discharged_ms=stay.discharged_at_ms,
    )
    if kind == OBSERVED and (any(m.kind != OBSERVED for m in same) or _repeats(move, same)):
        return None
    if kind == "encounter.update" and _repeats(move, same):
        return None
    return move


def current_stay(moves: Iterable[tuple[str, Move]]) -> CurrentStay:
    """Return the stay that ``moves`` (each with the token it was said of) lead to."""
    told = [move for _, move in sorted(moves, key=_said)]
    if not told:
        return NOWHERE
    encounter = told[-1].encounter
    path = _standing([move for move in told if move.encounter == encounter])
    return _walk(path) if path else CurrentStay(encounter=encounter)


def _said(told: tuple[str, Move]) -> tuple[int, str, int]:
    token, move = told
    return move.said_ms, token, move.offset


def _repeats(move: Move, same: Sequence[Move]) -> bool:
    if not same:
        return False
    last = same[-1]
    return (last.unit, last.discharged_ms) == (move.unit, move.discharged_ms)


def _standing(moves: Sequence[Move]) -> list[Move]:
    """Return the movements that nobody cancelled."""
    path: list[Move] = []
    for move in moves:
        cancelled = CANCELS.get(move.kind)
        if cancelled is None:
            path.append(move)
            continue
        for index in range(len(path) - 1, -1, -1):
            if path[index].kind in cancelled:
                del path[index]
                break
    return path


def _walk(path: Sequence[Move]) -> CurrentStay:
    icu_unit, admitted_ms, left_ms = "", None, None
    for move in path:
        entered = icu_unit_of(move.unit)
        inside = bool(icu_unit) and left_ms is None
        leaves = move.kind == "encounter.discharge" or (bool(move.unit) and not entered)
        if inside and leaves:
            left_ms = move.discharged_ms or move.said_ms
        elif entered and not inside and move.kind != "encounter.discharge":
            icu_unit, admitted_ms, left_ms = entered, _entered_ms(move), None
        elif inside and admitted_ms is None and move.kind in ADMITTING:
            admitted_ms = _entered_ms(move)
    return CurrentStay(
        encounter=path[-1].encounter,
        unit=next((move.unit for move in reversed(path) if move.unit), ""),
        icu_unit=icu_unit,
        icu_admitted_ms=admitted_ms,
        icu_left_ms=left_ms,
    )


def _entered_ms(move: Move) -> int | None:
    """Return when the patient came in, or None where only their presence was seen.

    PV1-44 is when they came to the hospital: that is the unit's door only for an admission.
    """
    if move.kind not in ENTERING:
        return None
    if move.kind in ADMITTING and move.admitted_ms is not None:
        return move.admitted_ms
    return move.said_ms
