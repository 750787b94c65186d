"""Pure: what scores call their inputs, and which parameters each is measured as."""

from collections.abc import Iterable
from typing import Literal

from contracts.assessed import Vital
from contracts.loinc import BY_NAME

Lang = Literal["en", "zh"]
# What scores call an input where contracts.loinc has no parameter of that name.
INPUT_LABELS: dict[str, dict[str, str]] = {
    "pulse": {"en": "Heart rate", "zh": "心率"},
    "temp_c": {"en": "Temperature", "zh": "体温"},
    "acvpu": {"en": "Level of consciousness", "zh": "意识水平"},
    "on_oxygen": {"en": "Oxygen", "zh": "吸氧"},
}
# The input of NEWS2 that a parameter is a reading of; held to the scores' own table by a test.
NEWS2_INPUTS: dict[str, str] = {
    "resp_rate": "resp_rate",
    "spo2": "spo2",
    "sao2": "spo2",
    "oxygen_flow": "on_oxygen",
    "fio2": "on_oxygen",
    "sbp": "sbp",
    "sbp_invasive": "sbp",
    "heart_rate": "pulse",
    "consciousness": "acvpu",
    "gcs": "acvpu",
    "temperature": "temp_c",
}


def label(parameter: str, lang: Lang) -> str:
    """Return what a person calls an input; its code when nobody named it."""
    known = BY_NAME.get(parameter)
    if known is not None:
        return known.zh if lang == "zh" else known.en
    return INPUT_LABELS.get(parameter, {}).get(lang, parameter)


def needed_as(doubted: Vital, usable: Iterable[Vital]) -> str:
    """Return the input of NEWS2 that a doubted reading is newer of than any usable one, or ""; of a
    year or a month alone that cannot be said.
    """
    if doubted.at_precision:
        return ""
    name = NEWS2_INPUTS.get(doubted.parameter, "")
    as_new = any(
        NEWS2_INPUTS.get(one.parameter) == name and one.at_ms >= doubted.at_ms for one in usable
    )
    return "" if as_new else name
