"""State: idempotent, readable as of any offset, compact, forgetting only what nobody can see."""

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.deidentified import DeidentifiedEvent, Stay
from contracts.observation import Code, Observation
from contracts.topic import DAY_MS
from services.inference.standing import Part, view_of
from services.inference.state import EMPTY, PatientState, apply, needs_pruning, prune
from services.inference.state_codec import StateUnreadable, applied_of, decode_state, encode_state
from services.inference.view import Fact, PatientView
from tests.support.inference import HOUR, MINUTE, T0, admission, an_event, an_observation, vitals

TOKEN = "t" * 26


def heard(*events: DeidentifiedEvent) -> PatientState:
    state = EMPTY
    for offset, event in enumerate(events):
        state = apply(state, event, offset)
    return state


def view(state: PatientState, through: int | None = None) -> PatientView:
    return view_of(TOKEN, [Part(TOKEN, state, through=through)], T0)


def result(name: str, value: float | None, status: str = "F", **extra: str) -> DeidentifiedEvent:
    """Return a potassium of one order, said at the minute that ``name`` begins with."""
    found = an_observation(
        "potassium", value, at_ms=T0, status=status, series=extra.get("series", "order-1")
    )
    minute = int(name.partition("-")[0])
    return an_event(name, TOKEN, T0 + minute * MINUTE, observations=[found])


def values(state: PatientState, through: int | None = None) -> list[float]:
    return [fact.value for fact in view(state, through).facts]


def test_an_event_counts_once_and_from_its_first_arrival() -> None:
    one, two = vitals("one", TOKEN, T0, heart_rate=80), vitals("two", TOKEN, T0, heart_rate=90)
    state = apply(apply(apply(EMPTY, one, 4), two, 6), one, 9)

    assert [fact.offset for fact in state.facts] == [4, 6]
    assert state.applied == 9
    assert apply(state, two, 6) is state
    assert values(state, 4) == [80]


def test_a_correction_replaces_and_a_deletion_takes_back() -> None:
    first, second = result("1-a", 5.0), result("2-b", 4.0, "C")
    deleted = result("3-c", None, "D")

    assert values(heard(first, second)) == [4.0]
    assert values(heard(first, second, deleted)) == []
    assert values(heard(first, second, deleted), through=1) == [4.0]
    assert values(heard(first, second, deleted), through=0) == [5.0]


def test_a_correction_that_overtakes_its_result_still_wins() -> None:
    assert values(heard(result("2-b", 4.0, "C"), result("1-a", 5.0))) == [4.0]


def test_preliminary_gives_way_to_final_in_any_order() -> None:
    early, final = result("1-a", 5.0, "P"), result("2-b", 4.0)
    assert values(heard(early)) == [5.0]
    assert values(heard(early, final)) == [4.0]
    assert values(heard(final, early)) == [4.0]


def test_repeated_finals_of_one_minute_all_count() -> None:
    again = result("2-b", 4.0, series="order-2")
    assert values(heard(result("1-a", 5.0), again)) == [5.0, 4.0]


def test_what_is_doubted_is_kept_and_not_used() -> None:
    found = [
        an_observation("heart_rate", 900, index=0, at_ms=T0),
        an_observation("sbp", 120, index=1, at_ms=T0, finding="implausible"),
        Observation(
            index=2, code=Code("LN", "2160-0"), kind="quantity", value=88, unit="umol/L", at_ms=T0
        ),
        Observation(index=3, code=Code("L", "8867-4"), kind="quantity", value=70, at_ms=T0),
    ]
    facts = view(heard(an_event("doubt", TOKEN, observations=found))).facts
    assert [(fact.parameter, fact.flagged) for fact in facts] == [
        ("heart_rate", True),
        ("sbp", True),
        ("creatinine", True),
    ]


def test_a_view_shows_a_week_and_the_first_48_h_of_intensive_care() -> None:
    events = [admission("in", TOKEN, T0)]
    events += [
        vitals(f"d{day}", TOKEN, T0 + day * DAY_MS + HOUR, heart_rate=60 + day) for day in range(20)
    ]
    shown = values(heard(*events))
    assert shown == [60, 61, *range(72, 80)]


def test_pruning_never_changes_a_view_that_can_still_be_asked_for() -> None:
    events = [admission("in", TOKEN, T0)]
    events += [
        vitals(f"h{hour}", TOKEN, T0 + hour * HOUR, heart_rate=60, sbp=hour % 90)
        for hour in range(0, 40 * 24, 6)
    ]
    state = heard(*events)
    floor = state.applied - 20
    pruned = prune(state, floor)

    assert needs_pruning(state)
    assert len(pruned.facts) < len(state.facts) * 0.6
    for through in range(floor, state.applied + 1):
        assert view(pruned, through) == view(state, through)
    assert decode_state(encode_state(pruned)) == pruned


def test_a_440_fact_stay_is_small() -> None:
    events = [admission("in", TOKEN, T0)]
    names = ("heart_rate", "resp_rate", "sbp", "dbp", "map", "temperature", "gcs", "fio2", "ph")
    for number in range(49):
        readings = dict.fromkeys(names, 60.5 + number)
        events.append(vitals(f"n{number}", TOKEN, T0 + number * HOUR, **readings))
    state = heard(*events)
    assert len(state.facts) == 441
    assert len(encode_state(state)) < 16_000
    assert applied_of(encode_state(state)) == state.applied


def test_bytes_that_are_no_state_say_so() -> None:
    for damaged in (b"", b"\x91\x01", b"{}", encode_state(heard(result("1-a", 5.0)))[:-3]):
        try:
            decode_state(damaged)
        except StateUnreadable:
            continue
        raise AssertionError(damaged)


@settings(max_examples=50, deadline=None)
@given(
    said=st.lists(
        st.tuples(
            st.integers(0, 300),
            st.sampled_from(["heart_rate", "sbp", "lactate"]),
            st.floats(0, 200),
            st.sampled_from(["F", "P", "C", "D", "W", "X"]),
            st.sampled_from(["", "s1"]),
        ),
        max_size=20,
    ),
    through=st.integers(0, 20),
)
def test_a_view_as_of_an_offset_is_the_view_at_that_time(
    said: list[tuple[int, str, float, str, str]], through: int
) -> None:
    events = [
        an_event(
            f"{number}",
            TOKEN,
            T0 + hours * HOUR,
            stay=Stay(encounter="visit", unit="MICU" if number % 3 else "WARD"),
            event_type="encounter.transfer" if number % 4 == 0 else "observation.result",
            observations=[an_observation(name, value, status=status, series=series)],
        )
        for number, (hours, name, value, status, series) in enumerate(said)
    ]
    then, now = heard(*events[: through + 1]), heard(*events)
    assert view(now, through) == view(then)
    assert decode_state(encode_state(now)) == now
    facts: tuple[Fact, ...] = view(now).facts
    assert list(facts) == sorted(facts, key=lambda f: (f.at_ms, f.offset, f.event_id, f.index))
