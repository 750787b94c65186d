"""Pure: what is known of one identifier, and how an event adds to it.

Nothing is ever changed in place and every fact carries the offset of its first arrival, so the
state *as of* an earlier offset is a filter: a redelivered event is scored as it was the first time.
Links between identifiers are no part of it, which is why an unlink restores both byte-equal.
"""

from bisect import bisect_left
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, replace

import msgspec

from contracts.deidentified import DeidentifiedEvent
from contracts.topic import DAY_MS
from services.inference.facts import AHEAD_MS_MAX, TraitValue, facts_of, said_of
from services.inference.packing import pack
from services.inference.stay import OBSERVED, Move, current_stay, move_of
from services.inference.view import Fact

ICU_WINDOW_MS = 2 * DAY_MS
ICU_KEPT_MS = 30 * DAY_MS
VIEW_MS = 7 * DAY_MS
VIEW_FACTS_MAX = 4096
# The state keeps twice what a view shows: a view as of an earlier offset finds all of its facts.
KEPT_MS = 2 * VIEW_MS
KEPT_FACTS_MAX = 2 * VIEW_FACTS_MAX
# In any case: what a snapshot has of them is within a record of Kafka, also where the redelivery of
# the last records would ask for more (a message of 60,000 results). Three views are still there.
FACTS_MAX = 3 * VIEW_FACTS_MAX
KEPT_MOVES_MAX = 64
KEPT_SEEN_MAX = 16
KEPT_TRAITS_MAX = 16  # of one name


class Trait(msgspec.Struct, frozen=True, array_like=True):
    """One thing said of the patient beside measurements, such as ``age_years``.

    ``status`` is OBX-11 (F, for what is no observation): D, W and X take back what their ``series``
    said before.
    """

    offset: int
    said_ms: int
    name: str
    value: TraitValue
    status: str = "F"
    series: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """One event and its facts. ``offset`` is that of its first arrival, ``packed`` its bytes."""

    event_id: str
    offset: int
    said_ms: int
    facts: tuple[Fact, ...]
    packed: msgspec.Raw


@dataclass(frozen=True, slots=True)
class PatientState:
    """One identifier. ``applied`` is the offset of its last event; ``heard`` is in order of
    arrival; ``facts`` are all facts of ``heard`` in the order of ``fact_order``; ``plain`` says
    that none of them corrects another.
    """

    applied: int = -1
    heard: tuple[Heard, ...] = ()
    facts: tuple[Fact, ...] = ()
    plain: bool = True
    moves: tuple[Move, ...] = ()
    traits: tuple[Trait, ...] = ()


EMPTY = PatientState()


def fact_order(fact: Fact) -> tuple[int, int, str, int]:
    """Return the key by which the facts of one identifier are sorted."""
    return fact.at_ms, fact.offset, fact.event_id, fact.index


def apply(state: PatientState, event: DeidentifiedEvent, offset: int) -> PatientState:
    """Return ``state`` with the event at ``offset``; the same state when it is in already."""
    if offset <= state.applied:
        return state
    if first_offset(state, event.event_id) is not None:
        return replace(state, applied=offset)
    facts = facts_of(event, offset, _heard_until_ms(state, event))
    heard = _heard(event.event_id, offset, event.occurred_at_ms, facts)
    move = move_of(event, offset, state.moves)
    return _bounded(
        PatientState(
            applied=offset,
            heard=(*state.heard, heard),
            facts=merge_facts(state.facts, facts),
            plain=state.plain and is_plain(facts),
            moves=state.moves if move is None else (*state.moves, move),
            traits=state.traits + _new_traits(state.traits, event, offset),
        )
    )


def first_offset(state: PatientState, event_id: str) -> int | None:
    """Return where the event first arrived, or None when this identifier has not heard it."""
    for heard in reversed(state.heard):
        if heard.event_id == event_id:
            return heard.offset
    return None


def merge_facts(known: tuple[Fact, ...], fresh: tuple[Fact, ...]) -> tuple[Fact, ...]:
    """Return both in the order of ``fact_order``."""
    if not fresh:
        return known
    ordered = fresh if len(fresh) == 1 else tuple(sorted(fresh, key=fact_order))
    if not known or known[-1].at_ms <= ordered[0].at_ms:
        return known + ordered
    start = bisect_left(known, ordered[0].at_ms, key=_at_ms)
    return known[:start] + tuple(sorted(known[start:] + ordered, key=fact_order))


def is_plain(facts: Iterable[Fact]) -> bool:
    """Return whether all facts are final: nothing to take back, nothing preliminary."""
    return all(fact.status == "F" for fact in facts)


def needs_pruning(state: PatientState) -> bool:
    """Return whether ``prune`` would have something to do, roughly and at once."""
    if len(state.heard) > KEPT_FACTS_MAX or len(state.moves) > 2 * KEPT_MOVES_MAX:
        return True
    facts = state.facts
    if len(facts) > KEPT_FACTS_MAX or len(state.traits) > 4 * KEPT_TRAITS_MAX:
        return True
    newest_ms = newest_usable_ms(facts)
    return newest_ms is not None and facts[0].at_ms < newest_ms - KEPT_MS - DAY_MS


def prune(state: PatientState, floor: int) -> PatientState:
    """Return ``state`` without what no view as of ``floor`` or later can show.

    ``floor`` is an offset below which nothing can be redelivered any more. Kept: everything after
    it; before it the last 14 days, the first 48 h of the intensive care stay, and of those at most
    8,192 facts; 64 movements; 16 of each trait.
    """
    settled = [fact for fact in state.facts if fact.offset <= floor]
    moves = _prune_moves(state.moves, floor)
    newest_ms = newest_usable_ms(settled) or max((h.said_ms for h in state.heard), default=0)
    icu = icu_window([("", move) for move in moves if move.offset <= floor], newest_ms)
    since_ms = since_of(settled, newest_ms, KEPT_MS)
    kept = select(settled, since_ms, icu, KEPT_FACTS_MAX)
    keys = {(fact.event_id, fact.index) for fact in kept}
    keys.update((f.event_id, f.index) for f in state.facts if f.offset > floor)
    state = _with_facts(state, keys)
    heard_ms = newest_ms - KEPT_MS
    heard = [h for h in state.heard if h.facts or h.offset > floor or h.said_ms >= heard_ms]
    traits = _prune_traits(state.traits, floor)
    return replace(state, heard=tuple(heard), moves=tuple(moves), traits=traits)


def newest_usable_ms(facts: Sequence[Fact]) -> int | None:
    """Return the newest clinical time among facts nobody doubts; they are sorted by time."""
    return next((fact.at_ms for fact in reversed(facts) if not fact.flagged), None)


def since_of(facts: Sequence[Fact], newest_ms: int, span_ms: int) -> int:
    """Return where a span before ``newest_ms`` begins; where no fact is usable, it goes back to
    those of a year or a month alone: nothing else is known then.
    """
    if newest_usable_ms(facts) is not None:
        return newest_ms - span_ms
    return min([newest_ms - span_ms, *(fact.at_ms for fact in facts if fact.at_precision)])


def icu_window(moves: Sequence[tuple[str, Move]], newest_ms: int) -> tuple[int, int] | None:
    """Return the first 48 h of the intensive care stay, unless it is more than 30 days ago."""
    admitted_ms = current_stay(moves).icu_admitted_ms
    if admitted_ms is None or admitted_ms < newest_ms - ICU_KEPT_MS:
        return None
    return admitted_ms, admitted_ms + ICU_WINDOW_MS


def select(
    facts: Sequence[Fact], since_ms: int, icu: tuple[int, int] | None, count_max: int
) -> Sequence[Fact]:
    """Return the facts (sorted by time) of a window and of the intensive care window.

    When they are too many, the oldest outside intensive care go first.
    """
    if facts and facts[0].at_ms < since_ms:
        recent = facts[bisect_left(facts, since_ms, key=_at_ms) :]
        facts = [f for f in facts if f.at_ms < since_ms and _within(f, icu)] + list(recent)
    excess = len(facts) - count_max
    if excess <= 0:
        return facts
    order = sorted(range(len(facts)), key=lambda at: (_within(facts[at], icu), at))
    dropped = set(order[:excess])
    return [fact for at, fact in enumerate(facts) if at not in dropped]


def _bounded(state: PatientState) -> PatientState:
    """Return the state without its oldest facts where there are too many, all of its last event."""
    if len(state.facts) <= FACTS_MAX:
        return state
    icu = icu_window([("", move) for move in state.moves], newest_usable_ms(state.facts) or 0)
    before = [fact for fact in state.facts if fact.offset != state.applied]
    kept = select(before, before[0].at_ms, icu, FACTS_MAX) if before else ()
    keys = {(fact.event_id, fact.index) for fact in (*kept, *state.heard[-1].facts)}
    return _with_facts(state, keys)


def _with_facts(state: PatientState, keys: Container[tuple[str, int]]) -> PatientState:
    """Return the state with those of its facts alone; all that was heard stays."""
    heard = []
    for one in state.heard:
        facts = tuple(fact for fact in one.facts if (fact.event_id, fact.index) in keys)
        whole = len(facts) == len(one.facts)
        heard.append(one if whole else _heard(one.event_id, one.offset, one.said_ms, facts))
    facts = tuple(fact for fact in state.facts if (fact.event_id, fact.index) in keys)
    return replace(state, heard=tuple(heard), facts=facts, plain=is_plain(facts))


def _heard(event_id: str, offset: int, said_ms: int, facts: tuple[Fact, ...]) -> Heard:
    return Heard(event_id, offset, said_ms, facts, pack(event_id, offset, said_ms, facts))


def _at_ms(fact: Fact) -> int:
    return fact.at_ms


def _within(fact: Fact, icu: tuple[int, int] | None) -> bool:
    return icu is not None and icu[0] <= fact.at_ms <= icu[1]


def _new_traits(
    known: tuple[Trait, ...], event: DeidentifiedEvent, offset: int
) -> tuple[Trait, ...]:
    in_order = sorted(known, key=lambda trait: (trait.said_ms, trait.offset))
    in_force = [trait for trait in in_order if trait.said_ms <= event.occurred_at_ms]
    last = {trait.name: (trait.value, trait.status, trait.series) for trait in in_force}
    last.setdefault("deceased", (False, "F", ""))  # a patient is alive until somebody says not
    return tuple(
        Trait(offset, event.occurred_at_ms, *said)
        for said in said_of(event)
        if last.get(said.name) != said[1:]
    )


def _prune_traits(traits: tuple[Trait, ...], floor: int) -> tuple[Trait, ...]:
    """Return the traits without those that later ones of their name have made old."""
    settled: dict[str, list[tuple[int, int]]] = {}
    for at, trait in enumerate(traits):
        if trait.offset <= floor:
            settled.setdefault(trait.name, []).append((trait.said_ms, at))
    dropped = {at for told in settled.values() for _, at in sorted(told)[:-KEPT_TRAITS_MAX]}
    return tuple(trait for at, trait in enumerate(traits) if at not in dropped)


def _heard_until_ms(state: PatientState, event: DeidentifiedEvent) -> int:
    """Return the newest time at which anything was said; 0 unless the event has need of it."""
    until_ms = event.occurred_at_ms + AHEAD_MS_MAX
    if all(one.at_ms is None or one.at_ms <= until_ms for one in event.observations):
        return 0
    return max((one.said_ms for one in state.heard), default=0)


def _prune_moves(moves: tuple[Move, ...], floor: int) -> list[Move]:
    # Of its own for each, so that visits that are only seen never push an admission out.
    seen = [move.kind == OBSERVED for move in moves if move.offset <= floor]
    kept = []
    for kind, count_max in ((False, KEPT_MOVES_MAX), (True, KEPT_SEEN_MAX)):
        kept += [at for at, one in enumerate(seen) if one == kind][-count_max:]
    return [moves[at] for at in sorted(kept)] + list(moves[len(seen) :])
