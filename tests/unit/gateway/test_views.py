"""What is stored and shown: nothing lost, nothing invented."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.assessed import Assessment, Score, Vital
from contracts.loinc import BY_NAME
from contracts.periods import Coarse, moved_back
from contracts.reidentify import Identity
from contracts.topic import DAY_MS
from services.gateway.history import series, thinned
from services.gateway.inputs import NEWS2_INPUTS, label
from services.gateway.people import Related, Reported, TokenState, person
from services.gateway.present import Look, delta_6h, row, spark
from services.gateway.project import read_mark, relation_mark
from services.gateway.standing import says_something
from services.gateway.stored import (
    NEWS2_PARTS,
    NOT_TOLD,
    Point,
    decode_detail,
    decode_point,
    detail,
    encode,
    point,
    risks_of,
    vitals_of,
)
from services.gateway.views import BANDS, LastScoreView
from services.inference.assess import Rules, find
from services.inference.report import in_frame_of
from services.inference.scores.tables import load_tables
from services.inference.view import Fact, PatientView
from tests.support.gateway_world import HOUR_MS, NOON_MS, a_relation, an_assessment

IDENTITY = Identity(
    token="t", name="Doe, J", birth_date="1950", record_number="M1", shift_days=100, sex="F"
)
AT_MS = NOON_MS - 100 * DAY_MS
PARTS = point(an_assessment("t", ""), NOON_MS, 0).parts


def a_trail(*totals: int, every_ms: int = HOUR_MS) -> tuple[Point, ...]:
    first = AT_MS - (len(totals) - 1) * every_ms
    return tuple(
        Point(first + n * every_ms, NOON_MS, n, total, total, total, total / 100, PARTS)
        for n, total in enumerate(totals)
    )


def a_look(*, trail: tuple[Point, ...] = (), identity: Identity | None = IDENTITY) -> Look:
    total = trail[-1].total if trail else 3
    report = an_assessment("t", "", basis="person", probability=0.5, total=total)
    state = TokenState(
        related=Related(a_relation("t", "W1"), NOON_MS, "admitted", NOON_MS),
        reported=Reported(report, NOON_MS),
        trail=trail,
    )
    return Look(person("t", {}, {"t": state}), identity, NOON_MS, "en")


def looking_at(report: Assessment, identity: Identity | None = IDENTITY) -> Look:
    state = TokenState(reported=Reported(report, NOON_MS))
    return Look(person("t", {}, {"t": state}), identity, NOON_MS, "en")


def an_unscored(odd: Vital) -> Assessment:
    """Nothing usable came, only ``odd``."""
    return an_assessment(
        "t", "", basis="person", total=None, vitals=(), doubted=(odd,), reason="no_input"
    )


def test_a_result_comes_back_as_it_went_in() -> None:
    event = an_assessment("t", "e", probability=0.3, red_flags=("lactate_high",))
    kept = decode_detail(encode(detail(event)))
    assert risks_of(kept) == tuple(
        type(risk)(**{f: getattr(risk, f) for f in risk.__struct_fields__ if f != "contributions"},
                   contributions=tuple(sorted(risk.contributions,
                                              key=lambda one: -abs(one.attribution))))
        for risk in event.risks
    )  # fmt: skip
    assert vitals_of(kept) == event.vitals
    assert kept.scores == event.scores
    assert kept.red_flags == ("lactate_high",)
    epoch, at = decode_point(b"7;" + encode(point(event, NOON_MS, 3)))
    assert (epoch, at.total, at.probability, at.at_ms) == (7, 3, 0.3, event.as_of_ms)


def test_a_doubted_reading_is_kept_as_it_was_sent() -> None:
    odd = Vital(
        parameter="spo2", value=930, unit="", at_ms=AT_MS, text="930 %", finding="implausible"
    )
    kept = decode_detail(encode(detail(an_assessment("t", "e", doubted=(odd,)))))
    assert kept.doubted == (odd,)
    assert "spo2" not in {one.parameter for one in vitals_of(detail(an_unscored(odd)))}


def test_a_detail_of_an_older_version_can_be_read() -> None:
    kept = detail(an_assessment("t", "e"))
    old = msgspec.msgpack.encode(
        [getattr(kept, name) for name in kept.__struct_fields__ if name != "doubted"]
    )
    assert decode_detail(old) == kept


def test_a_row_says_what_was_sent_and_does_not_count() -> None:
    """SpO2 is usable at ``AT_MS`` in the report: what came later is newer, a lab is not needed."""
    odd = (
        Vital(parameter="temperature", value=370, unit="", at_ms=AT_MS - HOUR_MS, text="370 Cel"),
        Vital(parameter="sao2", value=9.4, unit="", at_ms=AT_MS + 1, finding="unit_unknown"),
        Vital(parameter="sao2", value=9.4, unit="", at_ms=AT_MS, finding="unit_unknown"),
        Vital(parameter="lactate", value=600, unit="", at_ms=AT_MS, finding="implausible"),
    )
    found = row(looking_at(an_assessment("t", "", basis="person", doubted=odd)))
    assert [(one.label, one.text, one.finding, one.needed_as) for one in found.doubted] == [
        ("Temperature", "370 Cel", "", "Temperature"),
        ("Arterial oxygen saturation", "", "unit_unknown", "SpO2"),
        ("Arterial oxygen saturation", "", "unit_unknown", ""),
        ("Lactate", "", "implausible", ""),
    ]
    assert found.news2 is not None
    assert found.doubted[0].needed_as in found.news2.missing
    assert [one.at_ms for one in found.doubted] == [
        NOON_MS - HOUR_MS,
        NOON_MS + 1,
        NOON_MS,
        NOON_MS,
    ]
    hidden = row(looking_at(an_assessment("t", "", basis="person", doubted=odd), identity=None))
    assert {one.at_ms for one in hidden.doubted} == {None}


@pytest.mark.parametrize("days", [1, 29, 30, 31, 182, 183, 184, 364, 365])
@pytest.mark.parametrize("token_days", [1, 100, 365])
@pytest.mark.parametrize(
    ("coarse", "first_ms", "name"),
    [
        ("year", 1_546_300_800_000, "2019"),
        ("month", 1_551_398_400_000, "2019-03"),
        ("month", 1_582_992_000_000 - 8 * HOUR_MS, "2020-03"),  # after a leap day, in China
    ],
)
def test_a_year_or_month_alone_is_shown_as_that(
    days: int, token_days: int, coarse: Coarse, first_ms: int, name: str
) -> None:
    """``days``: the shift of the identifier that it came under; the look is at another one's."""
    at_ms = moved_back(first_ms, coarse, days * DAY_MS)
    odd = Vital(parameter="spo2", value=93, unit="", at_ms=at_ms, at_precision=coarse)
    report = in_frame_of(an_unscored(odd), "u", days - token_days)
    report = msgspec.structs.replace(report, token="t")
    (shown,) = row(
        looking_at(report, msgspec.structs.replace(IDENTITY, shift_days=token_days))
    ).doubted
    assert (shown.at_ms, shown.at_period, shown.needed_as) == (None, name, "")


def test_a_period_that_is_not_told_or_not_known_is_not_shown() -> None:
    odd = Vital(parameter="spo2", value=93, unit="", at_ms=AT_MS, at_precision="unknown")
    (near,) = row(looking_at(an_unscored(odd))).doubted
    year = msgspec.structs.replace(odd, at_precision="year")
    (away,) = row(looking_at(an_unscored(year), identity=None)).doubted
    assert {(one.at_ms, one.at_period) for one in (near, away)} == {(None, "")}
    (exact,) = row(looking_at(an_unscored(msgspec.structs.replace(odd, at_precision="")))).doubted
    assert (exact.at_ms, exact.at_period) == (NOON_MS, "")


def test_a_row_with_nothing_usable_still_says_what_was_sent() -> None:
    odd = Vital(parameter="spo2", value=930, unit="", at_ms=AT_MS, text="930 %")
    found = row(looking_at(an_unscored(odd)))
    assert found.not_scored == "no_input"
    assert [one.text for one in found.doubted] == ["930 %"]


@pytest.mark.parametrize("parameter", BY_NAME)
def test_the_parameters_of_news2_s_inputs_are_those_of_the_score(parameter: str) -> None:
    fact = Fact(event_id="e", index=0, offset=0, parameter=parameter, value=1.0, at_ms=AT_MS)
    view = PatientView(token="t", age_years=70, sex="F", facts=(fact,), as_of_ms=AT_MS)
    (news2, *_) = find(view, Rules(load_tables(), HOUR_MS)).scores
    given = set(NEWS2_PARTS) - set(news2.missing)
    assert given == ({NEWS2_INPUTS[parameter]} if parameter in NEWS2_INPUTS else set())


def test_a_stored_result_is_small() -> None:
    event = an_assessment("t", "e")
    assert len(encode(point(event, NOON_MS, 3))) < 60
    assert len(encode(detail(event))) < 400


def test_a_row_without_identity_has_no_real_time() -> None:
    found = row(a_look(trail=a_trail(1, 2, 3), identity=None))
    assert (found.name, found.record_number) == (None, None)
    assert (found.admitted_ms, found.data_ms) == (None, None)
    assert found.spark == ((-2 * HOUR_MS, 1), (-HOUR_MS, 2), (0, 3))


def test_a_row_in_real_time() -> None:
    found = row(a_look(trail=a_trail(1, 2, 5)))
    assert found.data_ms == NOON_MS
    assert found.spark[-1] == (NOON_MS, 5)
    assert found.trend == "up"
    assert found.changed == "admitted"
    assert found.icu_risk is not None
    assert [one.label for one in found.icu_risk.top] == ["Lactate", "Heart rate"]


def test_a_score_that_still_stands_says_when_it_was() -> None:
    earlier = point(
        an_assessment("t", "e", at_ms=AT_MS - 13 * HOUR_MS, total=9, risk="high"), NOON_MS - 1, 0
    )
    score = Score(name="NEWS2", total=0, total_min=0, total_max=17, parts={"pulse": 0}, risk="low")
    report = an_assessment("t", "", basis="person", scores=(score,))
    state = TokenState(reported=Reported(report, NOON_MS), earlier=(earlier,))
    one = person("t", {}, {"t": state})
    shown = row(Look(one, IDENTITY, NOON_MS, "en"))
    assert shown.news2 is not None
    assert (shown.news2.band, shown.news2.total, shown.trend) == ("high", 0, "none")
    assert shown.news2.last == LastScoreView(
        total=9, total_min=9, total_max=12, at_ms=NOON_MS - 13 * HOUR_MS, scored_ms=NOON_MS - 1
    )
    assert shown.spark == ((NOON_MS - 13 * HOUR_MS, 9),)
    hidden = row(Look(one, None, NOON_MS, "en")).news2
    assert hidden is not None
    assert hidden.last is not None
    assert (hidden.last.at_ms, hidden.last.scored_ms) == (None, NOON_MS - 1)


def test_a_point_of_an_older_version_can_be_read() -> None:
    old = msgspec.msgpack.encode([AT_MS, NOON_MS, 3, 5, 5, 8, None])
    _, found = decode_point(b"1;" + old)
    assert (found.total, found.parts, BANDS[found.band]) == (5, NOT_TOLD, "unknown")
    assert not says_something(found)
    assert len(series((found,), [], 0, 100).news2) == 1  # still on the chart


def test_a_badge_goes_after_two_hours() -> None:
    look = a_look()
    later = Look(look.person, look.identity, NOON_MS + 2 * HOUR_MS + 1, "en")
    assert row(later).changed is None


def test_the_risk_is_compared_with_six_hours_before() -> None:
    assert delta_6h(a_look(trail=a_trail(1, 2, 3)).person) is None
    rising = a_trail(10, 20, 30, 40, 50, 60, 70)  # an hour apart: the first is six hours back
    found = delta_6h(a_look(trail=rising).person)
    assert found is not None
    assert round(found, 9) == 0.4


@given(st.lists(st.integers(0, 20), min_size=1, max_size=200))
def test_a_sparkline_keeps_the_last_and_the_worst(totals: list[int]) -> None:
    shown = spark(a_look(trail=a_trail(*totals, every_ms=60_000)))
    assert len(shown) <= 24
    assert shown[-1] == (NOON_MS, totals[-1])
    assert max(total for _, total in shown) == max(totals)
    assert list(shown) == sorted(shown)


@given(
    values=st.lists(st.floats(-100, 100), max_size=300), most=st.integers(min_value=3, max_value=50)
)
def test_thinning_keeps_extremes_order_and_the_last(values: list[float], most: int) -> None:
    items = list(enumerate(values))
    kept = thinned(items, most, lambda one: one[1])
    assert len(kept) <= most
    assert list(kept) == sorted(kept)
    if items:
        assert kept[-1] == items[-1]
        assert max(one[1] for one in kept) == max(values)
        assert min(one[1] for one in kept) == min(values)


def test_a_series_has_each_reading_once() -> None:
    vitals = [("heart_rate", 5, 80.0), ("heart_rate", 5, 80.0), ("heart_rate", 1, 70.0)]
    found = series(a_trail(1, 2), vitals, 1000, 100)
    assert found.vitals == {"heart_rate": ((1001, 70.0), (1005, 80.0))}
    assert len(found.news2) == 2


def test_a_total_over_no_input_is_no_point_of_the_chart() -> None:
    nothing = Point(AT_MS, NOON_MS, 9, 0, 0, 20, None, 0)
    assert len(series((*a_trail(1, 2), nothing), [], 0, 100).news2) == 2


def test_inputs_have_names_in_both_languages() -> None:
    for name in ("resp_rate", "spo2", "on_oxygen", "sbp", "pulse", "acvpu", "temp_c", "gcs"):
        assert label(name, "en") != name
        assert label(name, "zh") != label(name, "en")
    assert label("something_new", "en") == "something_new"


def test_an_admission_is_told_from_an_update() -> None:
    fresh = a_relation("t", "W1", from_ms=AT_MS, occurred_at_ms=AT_MS + 60_000)
    assert read_mark(relation_mark(fresh, NOON_MS)) == ("admitted", NOON_MS)
    old = a_relation("t", "W1", from_ms=AT_MS, occurred_at_ms=AT_MS + DAY_MS)
    assert read_mark(relation_mark(old, NOON_MS)) == ("", 0)
    assert relation_mark(a_relation("t", "W1", status="closed"), NOON_MS) == "|"
    assert relation_mark(a_relation("t", "a;b|c@d", from_ms=None), 1) == "|a b c d"


def test_the_bands_are_those_of_the_score() -> None:
    assert BANDS == ("high", "medium", "low-medium", "low", "unknown")
