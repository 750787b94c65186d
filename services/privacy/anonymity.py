"""How many patients share what describes them without a name: k of k-anonymity, watched.

A class is a band of ages, a sex and one of these: a place of the hospital, the area somebody lives
in (three digits of a postcode), a condition, or area and condition. Whoever is alone in a class may
be recognised by who knows as much. An age that is not known is a band of its own. Counted over the
patients that this process has seen in a day; with several replicas each sees a part, so k is rather
too small.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterable

from contracts.deidentified import Age, DeidentifiedEvent
from contracts.observation import Code
from services.privacy import metrics

WINDOW_S = 86_400.0
PATIENTS_MAX = 200_000
CONDITIONS_MAX = 16
K_MIN = 5
SHOW_EVERY_S = 5.0
BAND_YEARS = 10
CODE_CHARS = 3  # the category of an ICD code; codes of other systems count whole
ICD = frozenset({"I9", "I9C", "I9CDX", "I10", "I10C", "I10P", "ICD10", "ICD10CM"})
KINDS = ("place", "area", "condition", "area_condition")

Class = tuple[str, ...]


class Anonymity:
    """The classes of the patients seen in the last day."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self._seen: OrderedDict[str, tuple[float, frozenset[Class]]] = OrderedDict()
        self._members: Counter[Class] = Counter()
        self._due_s = 0.0

    def saw(self, event: DeidentifiedEvent, now_s: float) -> None:
        """Count the event's patient into the classes that it describes, and those from before."""
        _, before = self._seen.pop(event.token, (0.0, frozenset[Class]()))
        after = _together(before, _classes_of(event))
        self._members.subtract(before - after)
        self._members.update(after - before)
        self._seen[event.token] = (now_s, after)
        while self._seen and (len(self._seen) > PATIENTS_MAX or self._is_old(now_s)):
            _, (_, gone) = self._seen.popitem(last=False)
            self._members.subtract(gone)

    def sizes(self, kind: str) -> list[int]:
        """Return how many patients each class of a kind has."""
        return [size for name, size in self._members.items() if name[0] == kind and size > 0]

    def show(self, now_s: float) -> None:
        """Set the gauges, every few seconds: it goes through all classes."""
        if now_s < self._due_s:
            return
        self._due_s = now_s + SHOW_EVERY_S
        self._members = +self._members
        for kind in KINDS:
            sizes = self.sizes(kind)
            small = [size for size in sizes if size < K_MIN]
            metrics.ANONYMITY_SMALLEST.labels(kind).set(min(sizes, default=0))
            metrics.ANONYMITY_CLASSES.labels(kind, "below").set(len(small))
            metrics.ANONYMITY_CLASSES.labels(kind, "at_least").set(len(sizes) - len(small))
            metrics.ANONYMITY_PATIENTS.labels(kind).set(sum(small))

    def _is_old(self, now_s: float) -> bool:
        at_s, _ = next(iter(self._seen.values()))
        return now_s - at_s >= WINDOW_S


def _classes_of(event: DeidentifiedEvent) -> list[Class]:
    who = (_band(event.age), event.sex)
    places = [event.stay.unit] if event.stay is not None and event.stay.unit else []
    codes = dict.fromkeys(_category(one.code) for one in event.conditions if one.code.code)
    return [
        *(("place", *who, place) for place in places),
        *(("area", *who, area) for area in [event.area] if area),
        *(("condition", *who, code) for code in codes),
    ]


def _category(code: Code) -> str:
    return code.code[:CODE_CHARS] if code.system in ICD else code.code


def _together(before: Iterable[Class], fresh: list[Class]) -> frozenset[Class]:
    """Return the classes of a patient: the newest place and area, and the conditions, a bounded
    number, by themselves and with the area.
    """
    found: dict[str, list[Class]] = {}
    for kind in ("place", "area"):
        found[kind] = [one for one in fresh if one[0] == kind] or [
            one for one in before if one[0] == kind
        ]
    conditions = list(dict.fromkeys(one for one in (*fresh, *before) if one[0] == "condition"))
    kept = conditions[:CONDITIONS_MAX]
    both = [("area_condition", *area[1:], one[3]) for area in found["area"] for one in kept]
    return frozenset([*found["place"], *found["area"], *kept, *both])


def _band(age: Age | None) -> str:
    """Return the band: under 2 years, then ten years each, 90 and over."""
    if age is None:
        return "unknown"
    if age.days is not None:
        return "under 2"
    return str(age.years // BAND_YEARS * BAND_YEARS)
