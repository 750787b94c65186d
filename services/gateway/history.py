"""Pure: stored points and details -> the series of a chart, thinned with the extremes kept."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from services.gateway.stored import Detail, Point
from services.gateway.views import History

Item = TypeVar("Item")


def series(
    points: Sequence[Point],
    vitals: Iterable[tuple[str, int, float]],
    base_ms: int,
    points_max: int,
) -> History:
    """Return the chart of a person. ``points`` are by time, ``vitals`` are (parameter, ms, value)
    in any order and repeated; ``base_ms`` is added to every time.
    """
    news2 = [
        (
            one.at_ms + base_ms,
            one.total,
            _or(one.total_min, one.total),
            _or(one.total_max, one.total),
        )
        for one in points
        if one.total is not None and one.parts != 0  # over no input at all it is no 0
    ]
    risks = [
        (one.at_ms + base_ms, one.probability) for one in points if one.probability is not None
    ]
    return History(
        news2=tuple(thinned(news2, points_max, lambda one: one[1])),
        icu_risk=tuple(thinned(risks, points_max, lambda one: one[1])),
        vitals={
            name: tuple(thinned(values, points_max, lambda one: one[1]))
            for name, values in _by_parameter(vitals, base_ms).items()
        },
    )


def readings(detail: Detail, delta_ms: int) -> list[tuple[str, int, float]]:
    """Return the (parameter, ms, value) of the vitals of one result."""
    return [(name, at_ms + delta_ms, value) for name, value, _, at_ms, _ in detail.vitals]


def thinned(
    items: Sequence[Item], count_max: int, value: Callable[[Item], float]
) -> Sequence[Item]:
    """Return at most ``count_max`` of the items in order: the lowest and highest of each stretch,
    and the last.
    """
    if len(items) <= count_max:
        return items
    stretches = max(1, (count_max - 1) // 2)
    size = len(items) / stretches
    chosen = {len(items) - 1}
    for number in range(stretches):
        stretch = range(round(number * size), round((number + 1) * size))
        chosen.add(min(stretch, key=lambda place: value(items[place])))
        chosen.add(max(stretch, key=lambda place: value(items[place])))
    return [items[place] for place in sorted(chosen)]


def _by_parameter(
    vitals: Iterable[tuple[str, int, float]], base_ms: int
) -> dict[str, list[tuple[int, float]]]:
    """One value per parameter and moment, the last one told, by time."""
    found: dict[str, dict[int, float]] = {}
    for name, at_ms, value in vitals:
        found.setdefault(name, {})[at_ms + base_ms] = value
    return {name: sorted(values.items()) for name, values in sorted(found.items())}


def _or(value: int | None, other: int) -> int:
    return other if value is None else value
