"""A merge before, between and after the other identifier's events gives the same person; an unlink
restores both byte-equal.
"""

from collections.abc import Sequence

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.clinical import EventType
from contracts.deidentified import DeidentifiedEvent, Stay
from contracts.merged import IdentityMerged, TokenLink
from contracts.observation import Code, Observation
from contracts.topic import DAY_MS
from services.inference.assess import Rules, find
from services.inference.input_digest import InputDigests
from services.inference.links import LinkTable
from services.inference.scores.tables import load_tables
from services.inference.standing import Part, view_of
from services.inference.state import EMPTY, PatientState, apply
from services.inference.state_codec import decode_state, encode_state
from services.inference.view import PatientView
from tests.support.inference import HOUR, T0, an_event, an_observation, event_id

A, B, C = "a" * 26, "b" * 26, "c" * 26
SHIFT_DAYS = {A: 100, B: 30, C: 200}  # how far privacy moved each identifier's times back
RULES = Rules(load_tables(), 12 * HOUR)

SCALE = Code("99AUSCULT", "NEWS2-SPO2-SCALE")
KINDS: tuple[EventType, ...] = (
    "encounter.transfer",
    "encounter.admit",
    "encounter.discharge",
    "encounter.pre_admit",
    "observation.result",
)

told = st.tuples(
    st.sampled_from([A, B, C]),
    st.integers(0, 200),  # hours
    st.sampled_from(["heart_rate", "resp_rate", "sbp", "spo2", "lactate"]),
    st.integers(40, 120),
    st.sampled_from(["F", "F", "F", "P", "C", "D", "W"]),
    st.sampled_from(["", "order-1", "order-2"]),
    st.sampled_from(["", "visit MICU", "visit WARD-3", " LAB", " ED", "other SICU"]),
)
feeds = st.lists(told, min_size=1, max_size=25)


def event_of(number: int, said: tuple[str, int, str, int, str, str, str]) -> DeidentifiedEvent:
    token, hours, parameter, value, status, series, unit = said
    at_ms = T0 + hours * HOUR - SHIFT_DAYS[token] * DAY_MS
    kept = None if status in {"D", "W"} else float(value)
    encounter, _, place = unit.partition(" ")
    # Every tenth is dated by a wrong clock; each says of the SpO2 scale what its value happens on.
    dated_ms = at_ms + 40 * DAY_MS * (value % 10 == 0)
    scale = Observation(
        index=1, code=SCALE, kind="quantity", value=value % 3, status=status, series=series
    )
    return an_event(
        f"{number}",
        token,
        at_ms,
        event_type=KINDS[value % len(KINDS)] if unit else "observation.result",
        stay=Stay(encounter=encounter, unit=place) if unit else None,
        observations=[
            an_observation(parameter, kept, at_ms=dated_ms, status=status, series=series),
            scale,
        ],
    )


def linked(token: str, others: Sequence[str], version: int = 1) -> IdentityMerged:
    """Return the record of one end: ours = theirs + the difference of the shifts."""
    links = tuple(
        TokenLink(other, SHIFT_DAYS[other] - SHIFT_DAYS[token], event_id("link"))
        for other in others
    )
    return IdentityMerged(token=token, links=links, version=version, event_id=event_id("link"))


class World:
    """States per identifier and the links, fed in any order."""

    def __init__(self) -> None:
        self.states: dict[str, PatientState] = dict.fromkeys((A, B, C), EMPTY)
        self.links = LinkTable(lambda _token: 0)
        self.offset = 0

    def hear(self, event: DeidentifiedEvent) -> None:
        state = apply(self.states[event.token], event, self.offset)
        self.states[event.token] = decode_state(encode_state(state))
        self.offset += 1

    def link(self, *records: IdentityMerged) -> None:
        for record in records:
            self.links.read(record, 0, self.links.version)

    def person(self, token: str) -> PatientView:
        aliases = self.links.aliases(token)
        parts = [Part(other, self.states[other], days) for other, days in aliases.items()]
        return view_of(token, parts, T0 - SHIFT_DAYS[token] * DAY_MS)


MERGE = (linked(A, [B]), linked(B, [A, C]), linked(C, [B]))
UNLINK = (linked(A, [], 2), linked(B, [], 2), linked(C, [], 2))


def without_offsets(view: PatientView) -> tuple[object, ...]:
    """Return what of a view can depend on the events alone."""
    facts = [msgspec.structs.replace(fact, offset=0) for fact in view.facts]
    stay = (view.encounter, view.unit, view.icu_unit, view.icu_admitted_ms, view.icu_left_ms)
    traits = (view.spo2_scale2, view.pregnant, view.deceased)
    return facts, stay, traits, view.as_of_ms, InputDigests().of(view), find(view, RULES)


@settings(max_examples=60, deadline=None)
@given(feed=feeds, merge_at=st.integers(0, 25), order=st.permutations(MERGE), data=st.data())
def test_a_merge_at_any_moment_gives_the_same_person(
    feed: list[tuple[str, int, str, int, str, str, str]],
    merge_at: int,
    order: list[IdentityMerged],
    data: st.DataObject,
) -> None:
    events = [event_of(number, said) for number, said in enumerate(feed)]
    first, second = World(), World()
    first.link(*MERGE)
    for event in events:
        first.hear(event)
    # Another interleaving of the identifiers; within one the order is that of arrival.
    lines = {token: [e for e in events if e.token == token] for token in (A, B, C)}
    turns = data.draw(st.permutations([event.token for event in events]))
    for number, token in enumerate(turns):
        if number == merge_at:
            second.link(*order)
        second.hear(lines[token].pop(0))
    second.link(*order)

    for token in (A, B, C):
        assert without_offsets(first.person(token)) == without_offsets(second.person(token))


@settings(max_examples=40, deadline=None)
@given(feed=feeds, merge_at=st.integers(0, 25), unlink_at=st.integers(0, 25))
def test_an_unlink_restores_each_identifier_byte_equal(
    feed: list[tuple[str, int, str, int, str, str, str]], merge_at: int, unlink_at: int
) -> None:
    never, merged = World(), World()
    for number, said in enumerate(feed):
        if number == merge_at:
            merged.link(*MERGE)
        if number == max(merge_at, unlink_at):
            merged.link(*UNLINK)
        event = event_of(number, said)
        never.hear(event)
        merged.hear(event)
    merged.link(*MERGE)
    merged.link(*UNLINK)

    for token in (A, B, C):
        assert encode_state(merged.states[token]) == encode_state(never.states[token])
        assert merged.links.aliases(token) == {token: 0}
        assert merged.person(token) == never.person(token)


@settings(max_examples=40, deadline=None)
@given(feed=feeds)
def test_the_frame_of_the_asker_moves_times_and_nothing_else(
    feed: list[tuple[str, int, str, int, str, str, str]],
) -> None:
    world = World()
    world.link(*MERGE)
    for number, said in enumerate(feed):
        world.hear(event_of(number, said))
    mine, theirs = world.person(A), world.person(B)
    delta_ms = (SHIFT_DAYS[A] - SHIFT_DAYS[B]) * DAY_MS

    assert [fact.value for fact in mine.facts] == [fact.value for fact in theirs.facts]
    assert [fact.at_ms + delta_ms for fact in mine.facts] == [f.at_ms for f in theirs.facts]
    assert find(mine, RULES).scores == find(theirs, RULES).scores
