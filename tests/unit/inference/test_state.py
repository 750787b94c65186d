"""State: idempotent, readable as of any offset, compact, forgetting only what nobody can see."""

import random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.clinical import EventType
from contracts.deidentified import DeidentifiedEvent, Stay
from contracts.observation import Code, Observation
from contracts.state import STATE, StateSnapshot
from contracts.topic import DAY_MS
from plumbing.byte_gate import RECORD_BYTES_MAX
from services.inference.facts import TIME_DOUBTED
from services.inference.packing import pack, unpack
from services.inference.replay import snapshot_bytes
from services.inference.standing import Part, view_of
from services.inference.state import (
    EMPTY,
    FACTS_MAX,
    VIEW_FACTS_MAX,
    PatientState,
    apply,
    needs_pruning,
    prune,
)
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
    assert all(fact.flagged for fact in facts)
    assert [(fact.parameter, fact.finding) for fact in facts] == [
        ("heart_rate", "implausible"),
        ("sbp", "implausible"),
        ("creatinine", "unit_unknown"),
    ]


def test_a_doubted_fact_of_an_older_version_can_be_read() -> None:
    old = msgspec.msgpack.encode(("e", 7, T0, [[0, "spo2", 930.0, 0, "", "F", "930 %", True]]))
    _, _, _, (fact,) = unpack(old)
    assert (fact.flagged, fact.text, fact.finding) == (True, "930 %", "")
    assert fact.at_precision == ""


def test_how_a_time_was_sent_is_kept() -> None:
    said = msgspec.structs.replace(an_observation("sbp", 120, at_ms=T0), at_precision="month")
    facts = heard(an_event("coarse", TOKEN, observations=[said])).facts
    assert [fact.at_precision for fact in facts] == ["month"]
    assert unpack(pack("e", 1, T0, facts))[3][0].at_precision == "month"


def test_where_nothing_is_usable_a_view_shows_what_is_of_a_year_alone_however_old() -> None:
    old = an_observation("sbp", 120, at_ms=T0 - 3_000 * DAY_MS)
    old = msgspec.structs.replace(old, at_precision="year")
    state = heard(an_event("coarse", TOKEN, observations=[old]))
    assert values(state) == values(prune(state, state.applied)) == [120]
    for later in (
        vitals("now", TOKEN, T0, sbp=130),
        vitals("then", TOKEN, T0 - 90 * HOUR, sbp=130),
    ):
        both = apply(state, later, 1)
        assert values(both) == values(prune(both, both.applied)) == [130]


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


def test_more_facts_of_one_message_than_a_snapshot_holds_leave_the_newest() -> None:
    # All within the records that may come again, and each of a series of its own: a random hash.
    state, chance = EMPTY, random.Random(1)
    for number in range(12):
        results = [
            an_observation(
                "heart_rate",
                60 + chance.random(),
                index=index,
                at_ms=T0 + (number * 1_700 + index) * 1_000,
                series=chance.randbytes(16).hex(),
            )
            for index in range(1_700)
        ]
        state = apply(state, an_event(f"e{number}", TOKEN, observations=results), number)
    assert len(state.heard) == 12
    assert FACTS_MAX <= len(state.facts) <= FACTS_MAX + 1_700
    assert state.facts[-1].at_ms == T0 + (12 * 1_700 - 1) * 1_000
    assert decode_state(encode_state(state)) == state
    snapshot = StateSnapshot(partition=0, offset=1, state=snapshot_bytes(encode_state(state)))
    assert len(STATE.encode(snapshot)) < RECORD_BYTES_MAX
    assert view(state).facts == state.facts[-VIEW_FACTS_MAX:]


def test_bytes_that_are_no_state_say_so() -> None:
    for damaged in (b"", b"\x91\x01", b"{}", encode_state(heard(result("1-a", 5.0)))[:-3]):
        try:
            decode_state(damaged)
        except StateUnreadable:
            continue
        raise AssertionError(damaged)


VISITS = ("visit", "visit", "", "other")
KINDS: tuple[EventType, ...] = (
    "observation.result",
    "encounter.admit",
    "encounter.transfer",
    "encounter.pre_admit",
    "encounter.discharge",
    "encounter.cancel_discharge",
    "encounter.update",
)


@settings(max_examples=100, deadline=None)
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
            stay=Stay(encounter=VISITS[hours % 4], unit="MICU" if number % 3 else "WARD"),
            event_type=KINDS[number % 7 if number % 2 else 0],
            observations=[
                an_observation(
                    name, value, status=status, series=series, at_ms=T0 + hours * hours * HOUR
                ),
                a_scale(float(number % 3), status, series),
            ],
        )
        for number, (hours, name, value, status, series) in enumerate(said)
    ]
    then, now = heard(*events[: through + 1]), heard(*events)
    assert view(now, through) == view(then)
    assert decode_state(encode_state(now)) == now
    facts: tuple[Fact, ...] = view(now).facts
    assert list(facts) == sorted(facts, key=lambda f: (f.at_ms, f.offset, f.event_id, f.index))


YEARS = 20 * 365 * DAY_MS


def hourly(count: int) -> list[DeidentifiedEvent]:
    return [vitals(f"h{n}", TOKEN, T0 + n * HOUR, heart_rate=60 + n) for n in range(1, count + 1)]


def dated(name: str, at_ms: int, parameter: str = "weight", finding: str = "") -> DeidentifiedEvent:
    found = an_observation(parameter, 80, at_ms=at_ms, finding=finding)
    return an_event(name, TOKEN, T0, observations=[found])


def test_a_fact_from_the_future_neither_blinds_the_view_nor_counts() -> None:
    state = heard(dated("odd", T0 + YEARS, "heart_rate"), *hourly(39))
    found = view(state)
    assert found.as_of_ms == T0 + 39 * HOUR
    assert [fact.value for fact in found.facts if not fact.flagged] == [
        60 + n for n in range(1, 40)
    ]
    (odd,) = (fact for fact in found.facts if fact.flagged)
    assert (odd.at_ms, odd.text, odd.finding) == (T0, "80 /min", TIME_DOUBTED)
    assert not needs_pruning(state)
    assert prune(state, state.applied) == state
    assert decode_state(encode_state(state)) == state


def test_a_month_ahead_stays_doubted_when_the_month_is_over() -> None:
    later = vitals("later", TOKEN, T0 + 30 * DAY_MS, sbp=120)
    found = view(heard(dated("odd", T0 + 30 * DAY_MS, "heart_rate"), later))
    assert [fact.parameter for fact in found.facts if not fact.flagged] == ["sbp"]


def test_a_time_ahead_of_its_event_is_no_doubt_while_nothing_speaks_against_it() -> None:
    odd = dated("odd", T0 + 30 * DAY_MS, "heart_rate")
    found = view(heard(odd))
    assert [(fact.flagged, fact.at_ms) for fact in found.facts] == [(False, T0)]
    assert found.as_of_ms == T0
    worse = dated("worse", T0 + 30 * DAY_MS, "heart_rate", TIME_DOUBTED)
    assert [fact.flagged for fact in view(heard(worse)).facts] == [True]
    state = heard(odd, *hourly(2))
    assert [fact.flagged for fact in view(state).facts] == [True, False, False]
    assert view(state, through=0) == found


def test_what_ingest_found_to_be_later_than_its_receipt_counts_as_said_with_its_event() -> None:
    ahead = T0 + 30 * HOUR
    events = [vitals("now", TOKEN, T0, sbp=120), dated("odd", ahead, finding=TIME_DOUBTED)]
    found = view(heard(vitals("late", TOKEN, T0 + 10 * HOUR, sbp=110), *events))
    assert found.as_of_ms == T0 + 10 * HOUR
    assert {fact.at_ms for fact in found.facts if fact.flagged} == {T0}


def test_a_report_of_many_days_is_believed_when_the_patient_was_heard_of_since() -> None:
    """OBR-7 of its first group is the time of such an event; the others are not from the future."""
    days = [an_observation("sodium", 140 + n, index=n, at_ms=T0 + n * DAY_MS) for n in range(5)]
    cumulative = an_event("cumulative", TOKEN, T0, observations=days)
    here = vitals("here", TOKEN, T0 + 4 * DAY_MS, heart_rate=80)
    told = view(heard(here, cumulative)).facts
    assert [fact.flagged for fact in told if fact.parameter == "sodium"] == [False] * 5
    alone = view(heard(cumulative)).facts
    assert [fact.flagged for fact in alone].count(True) == 3


def a_scale(value: float | None, status: str, series: str) -> Observation:
    code = Code("99AUSCULT", "NEWS2-SPO2-SCALE")
    return Observation(
        index=1, code=code, kind="quantity", value=value, status=status, series=series
    )


def scale(name: str, value: float | None, status: str = "F", series: str = "") -> DeidentifiedEvent:
    """Return the SpO2 scale prescribed, said at the minute that ``name`` begins with."""
    minute = int(name.partition("-")[0])
    found = a_scale(value, status, series)
    return an_event(name, TOKEN, T0 + minute * MINUTE, observations=[found])


def pregnancy(name: str, status: str) -> DeidentifiedEvent:
    answer = Code("LN", "LA15173-0", "Pregnant")
    found = Observation(
        index=0, code=Code("LN", "82810-3"), kind="coded", answer=answer, status=status
    )
    return an_event(name, TOKEN, T0 + MINUTE * len(name), observations=[found])


def test_a_withdrawn_scale_2_is_no_longer_in_force() -> None:
    for status in ("D", "W"):
        first, gone = scale("1-a", 2.0, series="o1"), scale("2-b", 2.0, status, series="o1")
        assert view(heard(first)).spo2_scale2
        assert not view(heard(first, gone)).spo2_scale2
        assert not view(heard(gone, first)).spo2_scale2  # in any order of arrival
        assert view(heard(first, gone), through=0).spo2_scale2
        assert not view(heard(first, scale("2-c", None, status, series="other"))).spo2_scale2
        assert not view(heard(scale("1-d", 2.0), scale("1-e", 2.0, status))).spo2_scale2
    assert not view(heard(scale("1-n", 2.0, "N"))).spo2_scale2
    assert not view(heard(scale("1-i", 2.0, "I"))).spo2_scale2


def test_a_withdrawal_takes_back_its_own_statement_and_no_other() -> None:
    first, second = scale("1-a", 2.0, series="o1"), scale("3-b", 2.0, series="o2")
    gone = scale("4-c", None, "D", series="o1")
    assert view(heard(first, second, gone)).spo2_scale2
    assert not view(heard(first, scale("3-x", 1.0, series="o2"), gone)).spo2_scale2
    assert view(heard(first, scale("4-x", None, "X", series="o9"))).spo2_scale2
    assert view(heard(first, gone, scale("5-d", 2.0, "C", series="o1"))).spo2_scale2


def test_a_deleted_pregnancy_is_unknown_again() -> None:
    assert view(heard(pregnancy("a", "F"))).pregnant is True
    assert view(heard(pregnancy("a", "F"), pregnancy("bb", "D"))).pregnant is None
    assert view(heard(pregnancy("a", "O"))).pregnant is None


def test_a_death_reported_by_mistake_is_taken_back_by_registration() -> None:
    dead = msgspec.structs.replace(admission("a", TOKEN), deceased=True)
    result = vitals("r", TOKEN, T0 + HOUR, sbp=120)
    update = an_event("u", TOKEN, T0 + 2 * HOUR, event_type="encounter.update")
    assert view(heard(dead, result)).deceased
    assert not view(heard(dead, result, update)).deceased
    assert not view(heard(update)).deceased


def test_statements_repeated_for_ever_do_not_fill_the_state() -> None:
    said = [scale(f"{n}-s", 2.0, series=f"o{n}") for n in range(80)]
    state = heard(*said, scale("90-d", 2.0, "D", series="o79"))
    pruned = prune(state, state.applied)
    assert needs_pruning(state)
    assert len(pruned.traits) < 20
    assert view(pruned) == view(state)
    assert decode_state(encode_state(pruned)) == pruned


def test_a_fact_of_a_year_alone_keeps_no_more_of_what_was_heard() -> None:
    old = an_observation("sbp", 120, at_ms=T0 - 3_000 * DAY_MS)
    old = msgspec.structs.replace(old, at_precision="year")
    events = [an_event(f"{day:04}", TOKEN, T0 + day * DAY_MS) for day in range(60)]
    kept = [
        len(prune(state, state.applied).heard)
        for state in (
            heard(*events),
            heard(an_event("coarse", TOKEN, T0, observations=[old]), *events),
        )
    ]
    assert kept[1] <= kept[0] + 1 < len(events)
