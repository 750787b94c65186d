"""Pure: one or several identifiers' states -> the one view of the person.

The answer depends on what the states hold, never on the order in which events or links came:
corrections apply in the order in which they were said, ties go by token and then by arrival.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import msgspec

from contracts.topic import DAY_MS
from services.inference.facts import CORRECTING, PRELIMINARY, RETRACTING, WITHDRAWING
from services.inference.state import (
    VIEW_FACTS_MAX,
    VIEW_MS,
    PatientState,
    Trait,
    icu_window,
    is_plain,
    newest_usable_ms,
    select,
    since_of,
)
from services.inference.stay import Move, current_stay
from services.inference.view import Fact, PatientView

_RANK = {"C": 1, "X": 2, "D": 3, "W": 4}


@dataclass(frozen=True, slots=True)
class Part:
    """What one identifier brings: its state through ``through`` (None: all of it), its times moved
    by ``delta_days`` into the frame of the identifier that the view is for.
    """

    token: str
    state: PatientState
    delta_days: int = 0
    through: int | None = None


def view_of(token: str, parts: Sequence[Part], fallback_ms: int) -> PatientView:
    """Return the view of the person whose identifiers ``parts`` are, in the frame of ``token``.

    ``fallback_ms`` is the time of the view when there is no usable fact at all.
    """
    ordered = sorted(parts, key=lambda part: part.token)
    moves = [(part.token, move) for part in ordered for move in _moves(part)]
    traits = _latest_traits(ordered)
    told = _believed(_merged([_facts(part) for part in ordered]))
    newest_ms = newest_usable_ms(told)
    since_ms = since_of(told, fallback_ms if newest_ms is None else newest_ms, VIEW_MS)
    icu = icu_window(moves, newest_ms or fallback_ms)
    plain = all(part.state.plain for part in ordered)
    standing = told if plain or is_plain(told) else _standing(ordered, told)
    facts = tuple(select(standing, since_ms, icu, VIEW_FACTS_MAX))
    as_of_ms = newest_usable_ms(facts)
    stay = current_stay(moves)
    return PatientView(
        token=token,
        age_years=cast("int | None", traits.get("age_years")),
        sex=cast("str", traits.get("sex", "")),
        encounter=stay.encounter,
        unit=stay.unit,
        icu_unit=stay.icu_unit,
        icu_admitted_ms=stay.icu_admitted_ms,
        icu_left_ms=stay.icu_left_ms,
        deceased=bool(traits.get("deceased")),
        pregnant=cast("bool | None", traits.get("pregnant")),
        spo2_scale2=bool(traits.get("spo2_scale2")),
        facts=facts,
        as_of_ms=fallback_ms if as_of_ms is None else as_of_ms,
    )


def _facts(part: Part) -> Sequence[Fact]:
    facts: Sequence[Fact] = part.state.facts
    if part.through is not None and part.through < part.state.applied:
        facts = [fact for fact in facts if fact.offset <= part.through]
    if part.delta_days == 0:
        return facts
    delta_ms = part.delta_days * DAY_MS
    return [
        msgspec.structs.replace(f, at_ms=f.at_ms + delta_ms, said_ms=f.said_ms + delta_ms)
        for f in facts
    ]


def _moves(part: Part) -> Sequence[Move]:
    moves = [m for m in part.state.moves if part.through is None or m.offset <= part.through]
    if part.delta_days == 0:
        return moves
    delta_ms = part.delta_days * DAY_MS
    return [
        msgspec.structs.replace(
            move,
            said_ms=move.said_ms + delta_ms,
            admitted_ms=None if move.admitted_ms is None else move.admitted_ms + delta_ms,
            discharged_ms=None if move.discharged_ms is None else move.discharged_ms + delta_ms,
        )
        for move in moves
    ]


def _latest_traits(parts: Sequence[Part]) -> dict[str, int | str | bool | None]:
    told: list[tuple[int, int, str, int, Trait]] = []
    for part in parts:
        delta_ms = part.delta_days * DAY_MS
        told.extend(
            (trait.said_ms + delta_ms, _rank_of(trait.status), part.token, trait.offset, trait)
            for trait in part.state.traits
            if part.through is None or trait.offset <= part.through
        )
    told.sort(key=lambda one: one[:4])
    standing: dict[str, list[Trait]] = {}
    series = {(trait.name, trait.series) for *_, trait in told if trait.status not in RETRACTING}
    for *_, trait in told:
        versions = standing.setdefault(trait.name, [])
        if trait.status not in RETRACTING:
            versions.append(trait)
        elif (trait.name, trait.series) in series:
            standing[trait.name] = [one for one in versions if one.series != trait.series]
        elif trait.status in WITHDRAWING:
            # It cannot be told which statement is wrong, so none of them stands.
            versions.clear()
    return {name: versions[-1].value for name, versions in standing.items() if versions}


def _rank_of(status: str) -> int:
    return -1 if status in PRELIMINARY else _RANK.get(status, 0)


def _merged(lists: Sequence[Sequence[Fact]]) -> Sequence[Fact]:
    """Return the facts of all identifiers by time; at one time in the order of the identifiers."""
    if len(lists) == 1:
        return lists[0]
    return sorted((fact for facts in lists for fact in facts), key=lambda fact: fact.at_ms)


def _believed(facts: Sequence[Fact]) -> Sequence[Fact]:
    """Return the facts; where nobody doubts none of them, what is only doubted for its time counts,
    as said with its event: with nothing to compare, the time of the event may be the wrong one.
    """
    if newest_usable_ms(facts) is not None:
        return facts
    replaced = msgspec.structs.replace
    return [replaced(fact, flagged=False, finding="") if fact.ahead else fact for fact in facts]


def _standing(parts: Sequence[Part], told: Sequence[Fact]) -> Sequence[Fact]:
    """Return the facts that nobody corrected or took back, keeping the order of ``told``."""
    place = {fact.event_id: at for at, part in enumerate(parts) for fact in part.state.facts}

    def order(fact: Fact) -> tuple[int, int, int, int, int]:
        rank = _RANK.get(fact.status, 0)
        return fact.said_ms, rank, place[fact.event_id], fact.offset, fact.index

    results: dict[tuple[str, str], list[Fact]] = {}
    for fact in sorted(told, key=order):
        versions = results.setdefault((fact.parameter, fact.series), [])
        for victim in _victims(fact, versions):
            versions.remove(victim)
        if fact.status not in RETRACTING and not _overtaken(fact, versions):
            versions.append(fact)
    keys = {(fact.event_id, fact.index) for versions in results.values() for fact in versions}
    return [fact for fact in told if (fact.event_id, fact.index) in keys]


def _victims(fact: Fact, versions: Sequence[Fact]) -> list[Fact]:
    """Return the standing versions that ``fact`` takes back: those of its time; when none has that
    time (the time itself was corrected) the last one of its series.
    """
    timed = [other for other in versions if other.at_ms == fact.at_ms]
    if fact.status in CORRECTING:
        return timed or (list(versions[-1:]) if fact.series else [])
    if fact.status in PRELIMINARY or not fact.series:
        return []
    return [other for other in timed if other.status in PRELIMINARY]


def _overtaken(fact: Fact, versions: Sequence[Fact]) -> bool:
    """Return whether ``fact`` is preliminary and comes after its final version."""
    if fact.status not in PRELIMINARY or not fact.series:
        return False
    return any(o.at_ms == fact.at_ms and o.status not in PRELIMINARY for o in versions)
