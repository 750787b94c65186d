"""NEWS2: the National Early Warning Score 2 of the Royal College of Physicians (2017)."""

from collections.abc import Mapping

from contracts.assessed import Score
from services.inference.scores.tables import News2Table, points_for

Inputs = Mapping[str, float | bool | str]
MEASURED = ("resp_rate", "spo2", "on_oxygen", "sbp", "pulse", "acvpu", "temp_c")


def score_news2(inputs: Inputs, table: News2Table) -> Score:
    """Return the score of ``inputs``: resp_rate, spo2, spo2_scale2, on_oxygen, sbp, pulse, acvpu
    (else confusion, else gcs), temp_c, and for its scope age and pregnant.

    An alert patient with new confusion is C of ACVPU, 3 points (RCP 2017). Confusion that is denied
    does not say that the patient is alert: without acvpu and gcs the level stays missing.
    """
    parts = _parts(inputs, table)
    given = parts.keys() | inputs.keys()  # on scale 2 the points of a known SpO2 may be unknown
    missing = tuple(name for name in MEASURED if name not in given)
    total = sum(parts.values())
    low, high = _unknown(inputs, parts, table)
    reason = out_of_scope(inputs, table)
    return Score(
        name=table.name,
        covered=not reason,
        reason=reason,
        total=total,
        total_min=total + low,
        total_max=total + high,
        complete=not missing,
        parts=parts,
        missing=missing,
        risk=_risk(parts, total, table),
    )


def out_of_scope(inputs: Inputs, table: News2Table) -> str:
    """Return why the score is not for this patient, or "". An absent age says nothing here."""
    age = inputs.get("age")
    if age is not None and float(age) < table.scope.age_years_min:
        return "under_16"
    return "pregnant" if inputs.get("pregnant") else ""


def altered(inputs: Inputs) -> bool | None:
    """Return whether consciousness is altered, or None when nobody looked."""
    if inputs.get("confusion"):
        return True
    level = inputs.get("acvpu")
    if level is not None:
        return level != "A"
    gcs = inputs.get("gcs")
    return None if gcs is None else float(gcs) < 15


def _parts(inputs: Inputs, table: News2Table) -> dict[str, int]:
    parts: dict[str, int] = {}
    for name in ("resp_rate", "sbp", "pulse", "temp_c"):
        if name in inputs:
            parts[name] = points_for(float(inputs[name]), table.steps[name], table.points[name])
    spo2 = _spo2(inputs, table)
    if len(spo2) == 1:
        parts["spo2"] = spo2.pop()
    if "on_oxygen" in inputs:
        parts["on_oxygen"] = table.oxygen_points if inputs["on_oxygen"] else 0
    level = altered(inputs)
    if level is not None:
        parts["acvpu"] = table.altered_points if level else 0
    return {name: parts[name] for name in MEASURED if name in parts}


def _spo2(inputs: Inputs, table: News2Table) -> set[int]:
    """Return the points that the saturation may mean: on scale 2 the oxygen decides."""
    if "spo2" not in inputs:
        return set()
    scales = ["spo2"]
    if inputs.get("spo2_scale2"):
        both = {False: "spo2_scale2_air", True: "spo2_scale2_oxygen"}
        known = inputs.get("on_oxygen")
        scales = list(both.values()) if known is None else [both[bool(known)]]
    value = float(inputs["spo2"])
    return {points_for(value, table.steps["spo2"], table.points[scale]) for scale in scales}


def _unknown(inputs: Inputs, parts: Mapping[str, int], table: News2Table) -> tuple[int, int]:
    """Return the least and the most that the missing parts can add."""
    high = 0
    for name in ("resp_rate", "sbp", "pulse", "temp_c", "spo2"):
        if name not in parts:
            high += max(points for _, points in table.points[name])
    high += table.altered_points * ("acvpu" not in parts)
    high += table.oxygen_points * ("on_oxygen" not in parts)
    if "spo2" in inputs and "spo2" not in parts:  # scale 2 above target, oxygen not known
        high += max(_spo2(inputs, table)) - max(p for _, p in table.points["spo2"])
    return 0, high


def _risk(parts: Mapping[str, int], total: int, table: News2Table) -> str:
    """Return the word for what is known; "" when nothing is."""
    if not parts:
        return ""
    single = max(parts.values())
    for band in table.bands:
        if band.total_min is not None and total >= band.total_min:
            return band.risk
        if band.single_min is not None and single >= band.single_min:
            return band.risk
    return ""
