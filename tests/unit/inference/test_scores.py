"""NEWS2 and qSOFA: every boundary, what is missing, and the published tables."""

import json
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.inference.scores.news2 import score_news2
from services.inference.scores.qsofa import score_qsofa
from services.inference.scores.tables import TableUnreadable, load_tables
from tests.support.shared import DATA

TABLES = load_tables()
WELL: dict[str, float | bool | str] = {
    "resp_rate": 16,
    "spo2": 98,
    "on_oxygen": False,
    "sbp": 120,
    "pulse": 70,
    "acvpu": "A",
    "temp_c": 37.0,
}
BOUNDARIES: list[tuple[str, list[tuple[float, int]]]] = [
    ("resp_rate", [(8, 3), (9, 1), (11, 1), (12, 0), (20, 0), (21, 2), (24, 2), (25, 3)]),
    ("spo2", [(91, 3), (92, 2), (93, 2), (94, 1), (95, 1), (96, 0)]),
    ("sbp", [(90, 3), (91, 2), (100, 2), (101, 1), (110, 1), (111, 0), (219, 0), (220, 3)]),
    ("pulse", [(40, 3), (41, 1), (50, 1), (51, 0), (90, 0), (91, 1), (110, 1), (111, 2), (131, 3)]),
    ("temp_c", [(35.0, 3), (35.1, 1), (36.0, 1), (36.1, 0), (38.0, 0), (38.1, 1), (39.1, 2)]),
    ("temp_c", [(35.04, 3), (35.05, 1), (38.04, 0), (38.05, 1), (39.05, 2)]),  # half up
]


@pytest.mark.parametrize(
    ("name", "value", "points"),
    [(name, value, points) for name, rows in BOUNDARIES for value, points in rows],
)
def test_a_boundary_of_news2(name: str, value: float, points: int) -> None:
    score = score_news2(WELL | {name: value}, TABLES.news2)
    assert score.parts[name] == points
    assert score.total == points


@pytest.mark.parametrize(
    ("spo2", "oxygen", "points"),
    [
        *((83, False, 3), (84, True, 2), (86, False, 1), (88, True, 0), (92, True, 0)),
        *((93, False, 0), (99, False, 0), (93, True, 1), (94, True, 1), (95, True, 2)),
        *((96, True, 2), (97, True, 3)),
    ],
)
def test_scale_2_counts_only_where_it_is_prescribed(
    spo2: int,
    oxygen: bool,  # noqa: FBT001 - a row of the table
    points: int,
) -> None:
    inputs = WELL | {"spo2": spo2, "on_oxygen": oxygen}
    assert score_news2(inputs | {"spo2_scale2": True}, TABLES.news2).parts["spo2"] == points
    assert score_news2(inputs | {"spo2": 99}, TABLES.news2).parts["spo2"] == 0


@pytest.mark.parametrize(
    ("changed", "risk"),
    [
        ({}, "low"),
        ({"pulse": 95}, "low"),
        ({"acvpu": "C"}, "low-medium"),
        ({"resp_rate": 25, "pulse": 95, "temp_c": 38.5}, "medium"),
        ({"resp_rate": 25, "sbp": 85, "pulse": 95}, "high"),
    ],
)
def test_the_word_for_the_risk(changed: dict[str, float | str], risk: str) -> None:
    assert score_news2(WELL | changed, TABLES.news2).risk == risk


@given(kept=st.sets(st.sampled_from(sorted(WELL))), data=st.data())
def test_the_true_total_lies_in_the_range(kept: set[str], data: st.DataObject) -> None:
    whole: dict[str, float | bool | str] = {
        "resp_rate": data.draw(st.integers(4, 40)),
        "spo2": data.draw(st.integers(70, 100)),
        "on_oxygen": data.draw(st.booleans()),
        "spo2_scale2": data.draw(st.booleans()),
        "sbp": data.draw(st.integers(50, 260)),
        "pulse": data.draw(st.integers(20, 200)),
        "acvpu": data.draw(st.sampled_from("ACVPU")),
        "temp_c": data.draw(st.floats(33, 42)),
    }
    known = {name: whole[name] for name in whole if name in kept | {"spo2_scale2"}}
    part, true = score_news2(known, TABLES.news2), score_news2(whole, TABLES.news2)

    assert part.total_min is not None
    assert part.total_max is not None
    assert true.total is not None
    assert part.total_min <= true.total <= part.total_max
    assert set(part.missing) == set(WELL) - kept
    assert true.complete
    assert true.total == true.total_min == true.total_max == sum(true.parts.values())


def test_the_range_is_no_wider_than_it_has_to_be() -> None:
    totals = [
        score_news2(WELL | {"acvpu": level, "on_oxygen": oxygen}, TABLES.news2).total or 0
        for level, oxygen in product("AV", (False, True))
    ]
    known = {name: value for name, value in WELL.items() if name not in {"acvpu", "on_oxygen"}}
    score = score_news2(known, TABLES.news2)
    assert (score.total_min, score.total_max) == (min(totals), max(totals))


@pytest.mark.parametrize(
    ("said", "points"),
    [
        *((({"acvpu": level}), 0 if level == "A" else 3) for level in "ACVPU"),
        ({"acvpu": "A", "confusion": True}, 3),  # alert with new confusion is C
        ({"acvpu": "A", "confusion": False}, 0),
        ({"acvpu": "V", "confusion": False}, 3),
        ({"confusion": True}, 3),
        ({"confusion": True, "gcs": 15}, 3),
        ({"confusion": False, "gcs": 15}, 0),
        ({"gcs": 14}, 3),
        ({"confusion": False}, None),  # nobody said that the patient is alert
    ],
)
def test_level_of_consciousness(said: dict[str, float | str], points: int | None) -> None:
    inputs = {name: value for name, value in WELL.items() if name != "acvpu"}
    score = score_news2(inputs | said, TABLES.news2)
    assert score.parts.get("acvpu") == points
    assert ("acvpu" in score.missing) == (points is None)


def test_scope() -> None:
    assert score_news2(WELL | {"age": 15}, TABLES.news2).reason == "under_16"
    assert score_news2(WELL | {"age": 30, "pregnant": True}, TABLES.news2).reason == "pregnant"
    assert score_news2(WELL | {"age": 16}, TABLES.news2).covered
    assert score_qsofa(WELL | {"age": 17}, TABLES.qsofa).reason == "adult_only"


@pytest.mark.parametrize(
    ("inputs", "total", "most", "positive"),
    [
        ({"resp_rate": 22, "sbp": 100, "gcs": 15}, 2, 2, True),
        ({"resp_rate": 21, "sbp": 101, "gcs": 14}, 1, 1, False),
        ({"resp_rate": 22, "acvpu": "V"}, 2, 3, True),
        ({"resp_rate": 21, "sbp": 120}, 0, 1, False),
        ({"resp_rate": 22}, 1, 3, None),
        ({"resp_rate": 22, "acvpu": "A", "confusion": True}, 2, 3, True),
    ],
)
def test_qsofa(inputs: dict[str, Any], total: int, most: int, positive: bool | None) -> None:  # noqa: FBT001 - a row
    score = score_qsofa(inputs, TABLES.qsofa)
    assert (score.total, score.total_max, score.positive) == (total, most, positive)


def test_a_table_that_is_not_one_stops_the_start(tmp_path: Any) -> None:
    (tmp_path / "news2.json").write_text('{"name": "NEWS2"}')
    with pytest.raises(TableUnreadable):
        load_tables(tmp_path)


@pytest.mark.shared_data
def test_our_thresholds_are_the_published_ones() -> None:
    published = json.loads((DATA / "knowledge" / "scores" / "news2.json").read_text())
    bands = published["bands_inclusive"]
    names = {
        "resp_rate": "resp_rate_per_min",
        "spo2": "spo2_scale1_percent",
        "sbp": "systolic_bp_mmhg",
        "pulse": "pulse_per_min",
        "temp_c": "temp_c",
    }
    for ours, theirs in names.items():
        expected = [(band["max"], band["points"]) for band in bands[theirs]]
        assert [tuple(row) for row in TABLES.news2.points[ours]] == expected
    assert published["max"] == score_news2({}, TABLES.news2).total_max
    assert TABLES.news2.oxygen_points == bands["air_or_oxygen"]["oxygen"]
    assert {TABLES.news2.altered_points} == set(bands["consciousness_acvpu"].values()) - {0}
