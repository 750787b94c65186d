"""Pure: movements of a patient -> the encounter they are in and its intensive care stay.

Movements count in the order in which they were said, not in which they arrived; a cancellation
takes back the movement it names. A patient may have several visits at once (a planned one, an
outpatient one that is closed late): they are in the one that is open.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from contracts.deidentified import DeidentifiedEvent
from contracts.topic import DAY_MS
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
PLANNED = "encounter.pre_admit"
# Without a visit number these are of the visit that is open; an admission begins another one.
FOLLOWING = frozenset(
    {
        OBSERVED,
        "encounter.transfer",
        "encounter.discharge",
        "encounter.update",
        "encounter.cancel_transfer",
        "encounter.cancel_discharge",
    }
)


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
    encounter is known, so a busy feed does not fill the state. Then it adds at most that the
    patient is in that visit, when it is open and another one seemed to be the current one.
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
    if kind == OBSERVED:
        return _seen(move, same, known)
    if stay.encounter and known and not same and _ended_some_day(event, move):
        return None
    if kind == "encounter.update" and _repeats(move, same):
        return None
    return move


def _ended_some_day(event: DeidentifiedEvent, move: Move) -> bool:
    """Say whether a visit is over and nothing tells when: by a history that dates it by years."""
    times = (move.admitted_ms, move.discharged_ms)
    is_dated = event.occurred_precision != "unknown" or any(one is not None for one in times)
    return move.kind == "encounter.discharge" and not is_dated


def current_stay(moves: Iterable[tuple[str, Move]]) -> CurrentStay:
    """Return the stay that ``moves`` (each with the token it was said of) lead to."""
    paths = _paths(moves)
    if not paths:
        return NOWHERE
    encounter = _current(paths)
    path = paths[encounter]
    return _walk(encounter, path) if path else CurrentStay(encounter=encounter)


def _seen(move: Move, same: Sequence[Move], known: Sequence[Move]) -> Move | None:
    if not any(one.kind != OBSERVED for one in same):
        if not move.encounter and _open_visit(_paths(("", one) for one in known)):
            return None
        return None if _repeats(move, same) else move
    if len(same) == len(known):
        return None
    paths = _paths(("", one) for one in known)
    elsewhere = _current(paths) != move.encounter and _is_open(paths.get(move.encounter, ()))
    # Without its unit: a result says for whom it was made, movements say where they are.
    return msgspec.structs.replace(move, unit="") if move.encounter and elsewhere else None


def _current(paths: Mapping[str, Sequence[Move]]) -> str:
    """Return the visit of the greatest rank, of several the one said of last."""
    return max(reversed(list(paths)), key=lambda name: _rank(paths[name]))


def _paths(moves: Iterable[tuple[str, Move]]) -> dict[str, list[Move]]:
    """Return what stands of each visit in the order said; the visit said of last comes last."""
    return {encounter: _standing(told) for encounter, told in _visits(moves).items()}


def _visits(moves: Iterable[tuple[str, Move]]) -> dict[str, list[Move]]:
    """Return the movements of each visit.

    What names no visit belongs to the one that is open at its time, if there is one: a laboratory
    that leaves PV1-19 out does not begin a visit.
    """
    visits: dict[str, list[Move]] = {}
    for _, move in sorted(moves, key=_said):
        encounter = move.encounter
        if not encounter and move.kind in FOLLOWING:
            encounter = _open_visit({name: _standing(told) for name, told in visits.items()})
            if encounter and move.kind == OBSERVED:
                continue
        visits[encounter] = [*visits.pop(encounter, ()), move]
    return visits


def _open_visit(paths: Mapping[str, Sequence[Move]]) -> str:
    """Return the visit that is open, of several as ``_current``; "" too when there is none."""
    found = {name: path for name, path in paths.items() if _is_open(path)}
    return _current(found) if found else ""


def _is_open(path: Sequence[Move]) -> bool:
    return bool(_rank(path)) and not _is_closed(path)


def _is_closed(path: Sequence[Move]) -> bool:
    """Return whether the patient was discharged and has not come in again since."""
    decisive = ENTERING | {"encounter.discharge"}
    last = next((move.kind for move in reversed(path) if move.kind in decisive), "")
    return last == "encounter.discharge"


def _rank(path: Sequence[Move]) -> int:
    """Return 2 for a visit that the patient came into and has not left, 1 for one that is over
    or of which no movement is known, 0 for one that was only planned, or cancelled.
    """
    kinds = {move.kind for move in path}
    if kinds & ENTERING and not _is_closed(path):
        return 2
    return int(bool(path) and not (PLANNED in kinds and not kinds & ENTERING))


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


def _walk(encounter: str, path: Sequence[Move]) -> CurrentStay:
    icu_unit, admitted_ms, left_ms = "", None, None
    for move in path:
        if move.kind == PLANNED:
            continue
        entered = icu_unit_of(move.unit)
        inside = bool(icu_unit) and left_ms is None
        leaves = move.kind == "encounter.discharge" or (bool(move.unit) and not entered)
        if inside and leaves:
            left_ms = _not_ahead(move.discharged_ms, move)
        elif entered and not inside and move.kind != "encounter.discharge":
            icu_unit, admitted_ms, left_ms = entered, _entered_ms(move), None
        elif inside and admitted_ms is None and move.kind in ADMITTING:
            admitted_ms = _entered_ms(move)
    return CurrentStay(
        encounter=encounter,
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
    return _not_ahead(move.admitted_ms if move.kind in ADMITTING else None, move)


def _not_ahead(at_ms: int | None, move: Move) -> int:
    """Return a time that a movement gives, or when it was said if that is absent or a day before:
    what has happened is not in the future.
    """
    return move.said_ms if at_ms is None or at_ms > move.said_ms + DAY_MS else at_ms
