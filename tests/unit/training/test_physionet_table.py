"""The long table: read whole, named as the stream names, refused with the line that is wrong."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from contracts.loinc import BY_NAME
from services.inference.features import SERIES, SERIES_INDEX
from training.physionet import PARAMETER_NAMES, BadTable, joined, read_outcomes, read_stays

TABLE = """RecordID,minute,parameter,value
7,0,Age,54.0
7,0,Gender,0.0
7,0,Height,-1.0
7,0,ICUType,4.0
7,7,GCS,15.0
7,7,GCS,15.0
7,61,SysABP,92.5
7,61,Unheard,1.0
3,0,Age,90.0
3,0,Gender,-1.0
3,0,ICUType,1.0
"""


def written(folder: Path, text: str = TABLE, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


def test_every_series_of_the_model_has_a_name_there() -> None:
    assert set(PARAMETER_NAMES.values()) == {one.parameter for one in SERIES}
    assert set(PARAMETER_NAMES.values()) <= set(BY_NAME)


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz"])
def test_a_table_is_read_whole(tmp_path: Path, name: str) -> None:
    stays = read_stays(written(tmp_path, name=name))
    assert stays.record_ids == ("7", "3")
    assert stays.patients.age_years.tolist() == [54.0, 90.0]
    assert stays.patients.male[0] == 0.0
    assert np.isnan(stays.patients.male[1])
    assert stays.patients.icu_type.tolist() == [4, 1]
    named = [SERIES[place].parameter for place in stays.rows.series]
    assert named == ["height", "gcs", "gcs", "sbp_invasive"]
    assert stays.rows.minute.tolist() == [0, 7, 7, 61]


def test_a_stay_is_cut_at_a_minute(tmp_path: Path) -> None:
    stays = read_stays(written(tmp_path))
    assert stays.until(60).rows.value.tolist() == [-1.0, 15.0, 15.0]
    assert stays.until(np.array([0, 0])).rows.value.tolist() == [-1.0]
    assert stays.until(0).record_ids == stays.record_ids


def test_stays_are_chosen_and_joined(tmp_path: Path) -> None:
    stays = read_stays(written(tmp_path))
    turned = stays.some(np.array([1, 0]))
    assert turned.record_ids == ("3", "7")
    assert set(turned.rows.stay.tolist()) == {1}
    twice = joined([stays, turned])
    assert twice.record_ids == ("7", "3", "3", "7")
    assert set(twice.rows.stay.tolist()) == {0, 3}
    assert twice.patients.icu_type.tolist() == [4, 1, 1, 4]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "line 1"),
        ("a,b,c\n", "line 1"),
        (TABLE + "7,x,HR,80\n", "line 13"),
        (TABLE + "7,5,HR\n", "line 13"),
        (TABLE + "7,5,HR,high\n", "line 13"),
    ],
)
def test_a_bad_table_names_the_line(tmp_path: Path, text: str, where: str) -> None:
    with pytest.raises(BadTable, match=where):
        read_stays(written(tmp_path, text))


def test_what_is_no_table_at_all(tmp_path: Path) -> None:
    path = tmp_path / "t.csv.gz"
    path.write_bytes(b"not gzip")
    with pytest.raises(BadTable, match="readable"):
        read_stays(path)


def test_only_the_label_is_read_of_the_outcomes(tmp_path: Path) -> None:
    path = tmp_path / "o.csv"
    path.write_text("RecordID,SAPS-I,In-hospital_death\n7,20,1\n3,1,0\n")
    assert read_outcomes(path) == {"7": 1, "3": 0}


def test_names_lead_to_places() -> None:
    assert SERIES[SERIES_INDEX[PARAMETER_NAMES["HR"]]].parameter == "heart_rate"
