"""Pure: a batch and the states of its patients -> changed states, and the views to judge."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from contracts.deidentified import DeidentifiedEvent
from plumbing.stage import Arrived, Batch
from services.inference.assess import unscored_reason
from services.inference.facts import facts_of
from services.inference.judge import Look
from services.inference.keeper import StateLost
from services.inference.standing import Part, view_of
from services.inference.state import EMPTY, PatientState, apply, first_offset, needs_pruning, prune

REDELIVERY_RECORDS = 10_000  # nothing further back in a partition is ever delivered again


@dataclass(frozen=True, slots=True)
class Told:
    """One event: the look that scores it, or why it gets no score (``look`` is -1 then)."""

    arrived: Arrived[DeidentifiedEvent]
    event: DeidentifiedEvent
    reason: str = ""
    look: int = -1


@dataclass(slots=True)
class Work:
    """What a batch comes to. ``newest`` are the persons with one identifier and the look at all
    that is known of them; ``linked`` the tokens of those with several. ``erased`` are the tokens
    that have a tombstone: all that was heard of them before it is dropped.
    """

    states: dict[str, PatientState]
    changed: dict[str, PatientState] = field(default_factory=dict)
    told: list[Told] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    last: dict[str, Told] = field(default_factory=dict)
    newest: dict[str, int] = field(default_factory=dict)
    linked: list[str] = field(default_factory=list)
    erased: set[str] = field(default_factory=set)


def work_of(
    batch: Batch[DeidentifiedEvent],
    states: Mapping[str, PatientState],
    is_linked: Callable[[str], bool],
) -> Work:
    """Return what the batch does to ``states`` (one for each of its tokens) and asks to judge.

    Raises:
        StateLost: a state says it has an event that it has not.
    """
    work = Work(states=dict(states))
    for arrived in batch.arrived:
        if arrived.event is not None:
            _tell(work, arrived, arrived.event)
        elif arrived.key is not None:
            _erase(work, arrived.key.decode())
    for token in work.last:
        if is_linked(token):
            work.linked.append(token)
        else:
            _look_at_whole(work, token)
    for token, state in work.changed.items():
        if needs_pruning(state):
            pruned = prune(state, batch.first_offset - REDELIVERY_RECORDS)
            work.changed[token] = work.states[token] = pruned
    return work


def _tell(work: Work, arrived: Arrived[DeidentifiedEvent], event: DeidentifiedEvent) -> None:
    state, offset = work.states[event.token], arrived.offset
    through = first_offset(state, event.event_id)
    if offset > state.applied:
        state = apply(state, event, offset)
        work.states[event.token] = work.changed[event.token] = state
    elif through is None and offset > state.applied - REDELIVERY_RECORDS:
        raise StateLost("unknown_event")
    elif through is None:
        through = offset
    facts = state.heard[-1].facts if through is None else facts_of(event, offset)
    told = Told(arrived, event, unscored_reason(event, len(facts)))
    if not told.reason:
        part = Part(event.token, state, through=through)
        view = view_of(event.token, [part], event.occurred_at_ms)
        told = Told(arrived, event, look=len(work.looks))
        work.looks.append(Look(view, again=through is not None))
        if through is None:
            work.newest[event.token] = told.look
    if told.look < 0 and offset >= state.applied:
        work.newest.pop(event.token, None)
    work.told.append(told)
    work.last[event.token] = told


def _erase(work: Work, token: str) -> None:
    work.states[token] = EMPTY
    work.erased.add(token)
    for held in (work.changed, work.last, work.newest):
        held.pop(token, None)


def _look_at_whole(work: Work, token: str) -> None:
    """See to it that there is a look at the whole state: that of the last event, if it is one."""
    if token in work.newest:
        return
    state = work.states[token]
    said_ms = max(one.said_ms for one in state.heard)
    work.newest[token] = len(work.looks)
    work.looks.append(Look(view_of(token, [Part(token, state)], said_ms)))
