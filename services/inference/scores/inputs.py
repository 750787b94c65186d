"""Pure: a patient's view -> the named inputs of the scores.

A measurement counts while it is not older than the window, looking back from the view's moment.
"""

from collections.abc import Mapping, Sequence

from services.inference.view import Fact, PatientView

ROOM_AIR = 0.21
_LEVELS = "ACVPU"
# Each input from the newest of its parameters, of two at one time from the one that stands last: a
# cuff and an arterial line measure the same pressure, an oximeter and a blood gas the saturation.
_SOURCES: dict[str, tuple[str, ...]] = {
    "resp_rate": ("resp_rate",),
    "spo2": ("sao2", "spo2"),
    "sbp": ("sbp", "sbp_invasive"),
    "pulse": ("heart_rate",),
    "temp_c": ("temperature",),
}

Latest = Mapping[str, Fact]


def newest_of(facts: Sequence[Fact]) -> tuple[dict[str, Fact], dict[str, Fact]]:
    """Return the newest usable fact of each parameter, and the newest flagged one where that is
    newer; ``facts`` are sorted by time. One of a year or a month alone stands for nothing else.
    """
    latest: dict[str, Fact] = {}
    flagged: dict[str, Fact] = {}
    coarse: dict[str, Fact] = {}
    for fact in facts:
        place = latest if not fact.flagged else coarse if fact.at_precision else flagged
        place[fact.parameter] = fact
    doubted = {name: fact for name, fact in coarse.items() if name not in latest}
    doubted |= {
        name: fact
        for name, fact in flagged.items()
        if name not in latest or fact.at_ms > latest[name].at_ms
    }
    return latest, doubted


def recent_of(latest: Latest, as_of_ms: int, window_ms: int) -> dict[str, Fact]:
    """Return those that are not older than the window."""
    since_ms = as_of_ms - window_ms
    return {name: fact for name, fact in latest.items() if fact.at_ms >= since_ms}


def inputs_of(view: PatientView, recent: Latest) -> dict[str, float | bool | str]:
    """Return the inputs that are known; the names are those of ``auscult score``."""
    found = {name: _measured(names, recent) for name, names in _SOURCES.items()}
    level, gcs = _newer(recent.get("consciousness"), recent.get("gcs"))
    said: dict[str, float | bool | str | None] = {
        **found,
        "gcs": None if gcs is None else gcs.value,
        "on_oxygen": _on_oxygen(recent),
        "acvpu": None if level is None else _LEVELS[int(level.value)],
        "age": view.age_years,
        "pregnant": view.pregnant or None,
        "spo2_scale2": view.spo2_scale2 or None,
    }
    return {name: value for name, value in said.items() if value is not None}


def _measured(parameters: Sequence[str], recent: Latest) -> float | None:
    """Return the newest value of the parameters."""
    there = [recent[parameter] for parameter in reversed(parameters) if parameter in recent]
    return max(there, key=lambda fact: fact.at_ms).value if there else None


def _newer(one: Fact | None, other: Fact | None) -> tuple[Fact | None, Fact | None]:
    """Return both facts, without the one that the other has made old; of one time both stand."""
    if one is None or other is None or one.at_ms == other.at_ms:
        return one, other
    return (one, None) if one.at_ms > other.at_ms else (None, other)


def _on_oxygen(recent: Latest) -> bool | None:
    flow, fraction = _newer(recent.get("oxygen_flow"), recent.get("fio2"))
    if flow is None and fraction is None:
        return None
    breathing = fraction is not None and fraction.value > ROOM_AIR
    return breathing or (flow is not None and flow.value > 0)
