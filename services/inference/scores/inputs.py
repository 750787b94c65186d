"""Pure: a patient's view -> the named inputs of the scores.

A measurement counts while it is not older than the window, looking back from the view's moment.
"""

from collections.abc import Mapping, Sequence

from services.inference.view import Fact, PatientView

ROOM_AIR = 0.21
_LEVELS = "ACVPU"
# Each input from the first group that has a value, and from its newest: a cuff and an arterial line
# measure the same pressure; arterial saturation stands in only where there is no SpO2.
_SOURCES: dict[str, tuple[tuple[str, ...], ...]] = {
    "resp_rate": (("resp_rate",),),
    "spo2": (("spo2",), ("sao2",)),
    "sbp": (("sbp", "sbp_invasive"),),
    "pulse": (("heart_rate",),),
    "temp_c": (("temperature",),),
    "gcs": (("gcs",),),
}

Latest = Mapping[str, Fact]


def latest_of(facts: Sequence[Fact]) -> dict[str, Fact]:
    """Return the newest usable fact of each parameter; ``facts`` are sorted by time."""
    return {fact.parameter: fact for fact in facts if not fact.flagged}


def recent_of(latest: Latest, as_of_ms: int, window_ms: int) -> dict[str, Fact]:
    """Return those that are not older than the window."""
    since_ms = as_of_ms - window_ms
    return {name: fact for name, fact in latest.items() if fact.at_ms >= since_ms}


def inputs_of(view: PatientView, recent: Latest) -> dict[str, float | bool | str]:
    """Return the inputs that are known; the names are those of ``auscult score``."""
    found = {name: _measured(names, recent) for name, names in _SOURCES.items()}
    said: dict[str, float | bool | str | None] = {
        **found,
        "on_oxygen": _on_oxygen(recent),
        "acvpu": _level(recent) or None,
        "age": view.age_years,
        "pregnant": view.pregnant or None,
        "spo2_scale2": view.spo2_scale2 or None,
    }
    return {name: value for name, value in said.items() if value is not None}


def _measured(sources: Sequence[Sequence[str]], recent: Latest) -> float | None:
    """Return the newest value of the first source that has one."""
    for parameters in sources:
        there = [recent[parameter] for parameter in parameters if parameter in recent]
        if there:
            return max(there, key=lambda fact: (fact.at_ms, fact.parameter)).value
    return None


def _on_oxygen(recent: Latest) -> bool | None:
    flow, fraction = recent.get("oxygen_flow"), recent.get("fio2")
    if flow is None and fraction is None:
        return None
    breathing = fraction is not None and fraction.value > ROOM_AIR
    return breathing or (flow is not None and flow.value > 0)


def _level(recent: Latest) -> str:
    """Return the letter of ACVPU, unless a newer coma score speaks instead."""
    level, gcs = recent.get("consciousness"), recent.get("gcs")
    if level is None or (gcs is not None and gcs.at_ms > level.at_ms):
        return ""
    return _LEVELS[int(level.value)]
