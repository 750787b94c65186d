"""Pure: what each parameter did to a risk, as a clinician reads it.

The values are log-odds against a stated baseline patient; with ``OTHER`` they add up to the whole
difference but for rounding, which is reported as the completeness gap.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from contracts.assessed import Contribution
from contracts.loinc import BY_NAME

SHOWN_MAX = 12
DECIMALS = 4
SMALLEST = 0.5 * 10**-DECIMALS
OTHER = "other"
LABELS: dict[str, dict[str, str]] = {
    "age": {"en": "Age", "zh": "年龄"},
    "sex": {"en": "Sex", "zh": "性别"},
    "icu_type": {"en": "Kind of intensive care unit", "zh": "重症监护室类型"},
    "elapsed": {"en": "Time in intensive care", "zh": "入住重症监护室时间"},
    OTHER: {"en": "All other inputs", "zh": "其他输入"},
}
UNITS: dict[str, str] = {"age": "a", "elapsed": "h"}


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest value of a parameter that went into the score; ``at_ms`` None: not a fact."""

    value: float
    at_ms: int | None = None


def contributions(
    parameters: Sequence[str], attributions: Sequence[float], latest: Mapping[str, Latest]
) -> tuple[Contribution, ...]:
    """Return the strongest parameters first, the rest summed up as ``OTHER``.

    A parameter without a value in ``latest`` was not measured: that too can move a risk.
    """
    order = sorted(range(len(parameters)), key=lambda i: (-abs(attributions[i]), parameters[i]))
    shown = [i for i in order[:SHOWN_MAX] if abs(attributions[i]) >= SMALLEST]
    listed = [_one(parameters[i], attributions[i], latest.get(parameters[i])) for i in shown]
    rest = sum(attributions) - sum(attributions[i] for i in shown)
    if abs(rest) >= SMALLEST:
        listed.append(_one(OTHER, rest, None))
    return tuple(listed)


def completeness_gap(listed: Sequence[Contribution], difference: float) -> float:
    """Return what of ``difference`` (log-odds against the baseline) the list does not explain."""
    return round(difference - sum(one.attribution for one in listed), 6)


def _one(parameter: str, attribution: float, latest: Latest | None) -> Contribution:
    known = BY_NAME.get(parameter)
    return Contribution(
        feature=parameter,
        parameter=parameter,
        label={"en": known.en, "zh": known.zh} if known else LABELS[parameter],
        value=latest.value if latest else None,
        unit=known.unit if known else UNITS.get(parameter, ""),
        observed_at_ms=latest.at_ms if latest else None,
        attribution=round(attribution, DECIMALS),
    )
