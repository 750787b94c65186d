"""From what was measured, when, to what the scores are given, and to what is only shown."""

import msgspec
import pytest

from contracts.deidentified import DeidentifiedEvent
from contracts.loinc import BY_NAME
from contracts.observation import Code, Observation
from contracts.periods import Coarse
from services.inference.assess import Findings, Rules, find
from services.inference.judge import Judged
from services.inference.report import in_frame_of, of_person
from services.inference.scores.tables import load_tables
from services.inference.standing import Part, view_of
from services.inference.state import EMPTY, apply
from services.inference.view import PatientView
from tests.support.inference import HOUR, T0, an_event, an_observation, vitals

TOKEN = "t" * 26
RULES = Rules(load_tables(), 12 * HOUR)
SICK = {
    "heart_rate": 135.0,
    "resp_rate": 30.0,
    "spo2": 88.0,
    "sbp": 85.0,
    "temperature": 39.5,
    "oxygen_flow": 4.0,
    "consciousness": 2.0,
}


def seen(*events: DeidentifiedEvent) -> PatientView:
    state = EMPTY
    for offset, event in enumerate(events):
        state = apply(state, event, offset)
    return view_of(TOKEN, [Part(TOKEN, state)], T0)


def found(*events: DeidentifiedEvent) -> Findings:
    return find(seen(*events), RULES)


def at(hours: float, **values: float) -> DeidentifiedEvent:
    return vitals(f"{hours}{values}", TOKEN, T0 + int(hours * HOUR), **values)


@pytest.mark.parametrize(
    ("earlier", "later", "news2", "qsofa"),
    [
        ({"gcs": 15}, {"consciousness": 2}, 3, 1),  # was well, now V
        ({"consciousness": 2}, {"gcs": 15}, 0, 0),
        ({"gcs": 12}, {"consciousness": 0}, 0, 0),
        ({"consciousness": 0}, {"gcs": 13}, 3, 1),
    ],
)
def test_the_newer_of_coma_score_and_level_counts(
    earlier: dict[str, float], later: dict[str, float], news2: int, qsofa: int
) -> None:
    for events in ((at(0, **earlier), at(8, **later)), (at(8, **later), at(0, **earlier))):
        first, second = found(*events).scores
        assert (first.parts["acvpu"], second.parts["mentation"]) == (news2, qsofa)


def test_of_one_time_each_score_takes_its_own() -> None:
    first, second = found(at(0, consciousness=0, gcs=14)).scores
    assert (first.parts["acvpu"], second.parts["mentation"]) == (0, 1)


@pytest.mark.parametrize(
    ("earlier", "later", "points"),
    [
        ({"fio2": 0.4}, {"oxygen_flow": 0}, 0),
        ({"oxygen_flow": 4}, {"fio2": 0.21}, 0),
        ({"oxygen_flow": 0}, {"fio2": 0.4}, 2),
        ({"fio2": 0.21}, {"oxygen_flow": 2}, 2),
    ],
)
def test_the_newer_of_flow_and_fraction_says_whether_oxygen_is_given(
    earlier: dict[str, float], later: dict[str, float], points: int
) -> None:
    assert found(at(0, **earlier), at(10, **later)).scores[0].parts["on_oxygen"] == points


def test_of_one_time_either_means_oxygen() -> None:
    assert found(at(0, fio2=0.4, oxygen_flow=0)).scores[0].parts["on_oxygen"] == 2


def test_the_newer_saturation_counts_and_the_oximeter_s_of_two_at_one_time() -> None:
    assert found(at(0, spo2=98), at(9, sao2=80)).scores[0].parts["spo2"] == 3
    assert found(at(0, sao2=80), at(9, spo2=98)).scores[0].parts["spo2"] == 0
    assert found(at(0, sao2=80, spo2=98)).scores[0].parts["spo2"] == 0


def test_inputs_that_aged_out_are_overdue_with_the_band_that_they_had() -> None:
    fresh = found(at(0, **SICK)).scores[0]
    assert (fresh.total, fresh.risk, fresh.overdue, fresh.overdue_risk) == (19, "high", (), "")
    later = found(at(0, **SICK), at(13, sodium=140)).scores[0]
    assert (later.total, later.risk, later.missing) == (0, "", later.overdue)
    assert (later.overdue_total, later.overdue_risk) == (19, "high")
    one = found(at(0, **SICK), at(13, heart_rate=70)).scores[0]
    assert (one.total, one.risk, one.overdue_total, one.overdue_risk) == (0, "low", 16, "high")
    assert set(one.overdue) == set(one.missing)
    long_ago = found(at(0, **SICK), at(49, sodium=140)).scores[0]
    assert (long_ago.overdue, long_ago.overdue_total, long_ago.overdue_risk) == ((), None, "")


def test_an_input_that_was_never_measured_is_missing_and_not_overdue() -> None:
    part = {name: value for name, value in SICK.items() if name != "temperature"}
    score = found(at(0, **part), at(13, sodium=140)).scores[0]
    assert "temp_c" in score.missing
    assert "temp_c" not in score.overdue


def a_doubted(parameter: str, value: float, unit: str, finding: str) -> DeidentifiedEvent:
    known = BY_NAME[parameter]
    observation = Observation(
        index=0,
        code=Code("LN", known.loinc),
        kind="quantity",
        value=value,
        unit=unit if finding != "unit_unknown" else "",
        unit_sent=unit,
        at_ms=T0 + HOUR,
        finding=finding,
    )
    return an_event(f"{parameter}{finding}", TOKEN, T0 + HOUR, observations=[observation])


@pytest.mark.parametrize(
    ("parameter", "value", "unit", "finding", "text"),
    [
        ("heart_rate", 900, "/min", "implausible", "900 /min"),
        ("creatinine", 88, "furlong", "unit_unknown", "88 furlong"),
        ("weight", 70, "kg", "unit_assumed", "70"),
        ("fio2", 0.04, "1", "unit_assumed", "0.04"),
    ],
)
def test_what_is_doubted_is_shown_as_sent_and_not_scored(
    parameter: str, value: float, unit: str, finding: str, text: str
) -> None:
    alone = found(a_doubted(parameter, value, unit, finding))
    assert (alone.vitals, alone.reason) == ((), "no_input")
    assert alone.scores[0].parts == {}
    (doubted,) = alone.doubted
    assert (doubted.parameter, doubted.text, doubted.unit) == (parameter, text, "")
    assert doubted.finding == finding


def test_a_newer_usable_value_replaces_a_doubted_one() -> None:
    odd = a_doubted("heart_rate", 900, "/min", "implausible")
    both = found(at(0, heart_rate=70), odd)
    assert [one.value for one in both.vitals] == [70]
    assert [one.value for one in both.doubted] == [900]
    assert both.scores[0].parts["pulse"] == 0
    assert found(odd, at(2, heart_rate=70)).doubted == ()


def test_a_doubted_value_has_its_time_in_the_frame_of_the_asker() -> None:
    view = seen(a_doubted("heart_rate", 900, "/min", "implausible"))
    report = of_person(Judged(view, find(view, RULES), (), -1, "cpu", ""), {TOKEN: 0}, 0)
    moved = in_frame_of(report, "u" * 26, 3)
    assert [one.at_ms for one in report.doubted] == [T0 + HOUR]
    assert [one.at_ms for one in moved.doubted] == [T0 + HOUR + 3 * 24 * HOUR]


def a_coarse(coarse: Coarse, at_ms: int | None, finding: str = "") -> DeidentifiedEvent:
    """A heart rate of a year or a month alone; ``at_ms`` is what privacy tells of that."""
    observation = an_observation("heart_rate", 140, at_ms=at_ms, finding=finding)
    observation = msgspec.structs.replace(observation, at_precision=coarse)
    return an_event(f"{coarse}{at_ms}", TOKEN, T0 + HOUR, observations=[observation])


@pytest.mark.parametrize(
    ("coarse", "at_ms"), [("year", T0 - 9_000 * HOUR), ("month", T0), ("unknown", None)]
)
def test_a_value_of_a_year_or_month_alone_is_shown_and_counts_for_nothing(
    coarse: Coarse, at_ms: int | None
) -> None:
    alone = found(a_coarse(coarse, at_ms))
    assert (alone.vitals, alone.reason, alone.red_flags) == ((), "no_input", ())
    assert alone.scores[0].parts == {}
    (doubted,) = alone.doubted
    assert (doubted.text, doubted.finding, doubted.at_precision) == (
        "140 /min",
        "time_coarse",
        coarse,
    )
    odd = found(a_coarse(coarse, at_ms, "implausible")).doubted[0]
    assert (odd.finding, odd.at_precision) == ("implausible", coarse)


def test_a_value_of_a_year_alone_makes_no_other_old_and_moves_no_present() -> None:
    old, month = a_coarse("year", T0 - 9_000 * HOUR), a_coarse("month", T0 + 30 * 24 * HOUR)
    view = seen(at(0, **SICK), old, month)
    assert view.as_of_ms == T0
    both = find(view, RULES)
    assert both.scores == found(at(0, **SICK)).scores
    assert [one.value for one in both.vitals if one.parameter == "heart_rate"] == [135]
    assert found(at(2, heart_rate=70), old).doubted == ()


def test_a_doubt_is_no_obstacle_to_the_rest_of_its_event() -> None:
    observations = [
        an_observation("heart_rate", 900, index=0, at_ms=T0, finding="implausible"),
        an_observation("resp_rate", 30, index=1, at_ms=T0),
    ]
    score = found(an_event("mixed", TOKEN, observations=observations)).scores[0]
    assert score.parts == {"resp_rate": 3}


def test_a_value_of_a_month_alone_takes_the_place_of_no_other_doubt() -> None:
    odd = a_doubted("heart_rate", 900, "/min", "implausible")
    for events in ((odd, a_coarse("unknown", None)), (a_coarse("unknown", None), odd)):
        assert [one.finding for one in found(*events).doubted] == ["implausible"]


def test_a_pregnancy_of_a_year_alone_takes_nobody_s_score_away() -> None:
    status = Code("LN", "82810-3")
    yes, no = Code("LN", "LA15173-0"), Code("LN", "LA26683-5")
    exact = Observation(index=0, code=status, kind="coded", answer=no)
    coarse = Observation(index=0, code=status, kind="coded", answer=yes, at_precision="year")
    events = [
        an_event("no", TOKEN, T0, observations=[exact]),
        an_event("yes", TOKEN, T0 + HOUR, observations=[coarse]),
    ]
    assert seen(*events).pregnant is False
    dated = msgspec.structs.replace(coarse, at_precision="")
    events[1] = an_event("yes", TOKEN, T0 + HOUR, observations=[dated])
    assert seen(*events).pregnant is True
