"""What scores and models look at: one patient, seen at one moment, in facts. Pure values.

Times are epoch milliseconds UTC after privacy's shift; only differences between them mean anything.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from contracts.periods import Coarse

# Unit codes that are intensive care, and PhysioNet 2012's number for each.
ICU_TYPES: dict[str, int] = {"CCU": 1, "CSRU": 2, "MICU": 3, "ICU": 3, "SICU": 4}


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """One measured value that stands (not corrected away, not taken back).

    ``event_id`` and ``index`` are its key; ``offset`` is where its event first arrived and
    ``said_ms`` when it was said (which orders corrections).
    ``parameter`` is a name of ``contracts.loinc``, ``value`` in that parameter's unit; ``text`` is
    what was sent beside it. ``series`` ties versions of one result together. ``flagged``: somebody
    upstream doubts it (implausible, wrong unit); it may be shown, it is never scored; ``finding``
    is the code that says why. ``at_precision`` as in ``Observation``: "" of all that is usable.
    ``ahead``: it is flagged for its time alone, by the fence of
    ``facts_of``, and counts as said with its event.
    """

    event_id: str
    index: int
    offset: int
    parameter: str
    value: float
    at_ms: int
    said_ms: int = 0
    text: str = ""
    status: str = "F"
    series: str = ""
    flagged: bool = False
    ahead: bool = False
    finding: str = ""
    at_precision: Coarse = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientView:
    """One patient as of one moment.

    ``facts`` are sorted by (at_ms, offset, event_id, index) after corrections; flagged ones are in
    it. ``as_of_ms`` is the newest clinical time among them. ``icu_unit`` is a key of ``ICU_TYPES``
    ("" when the patient has no intensive care stay in this encounter), ``icu_admitted_ms`` the
    moment it began (None when nobody said), ``icu_left_ms`` its end. ``age_years`` 90 means 90+.
    ``deceased``: the feed says so. ``pregnant`` None is unknown. ``spo2_scale2``: somebody
    prescribed the 88-92 % target.
    """

    token: str
    age_years: int | None
    sex: str
    encounter: str = ""
    unit: str = ""
    icu_unit: str = ""
    icu_admitted_ms: int | None = None
    icu_left_ms: int | None = None
    deceased: bool = False
    pregnant: bool | None = None
    spo2_scale2: bool = False
    facts: tuple[Fact, ...]
    as_of_ms: int


def icu_unit_of(unit: str) -> str:
    """Return the intensive care code of a unit (``MICU-2`` is ``MICU``), or "" when it is none."""
    head = unit.strip().upper().split("-")[0].split("_")[0].split(" ")[0]
    return head if head in ICU_TYPES else ""


def newest(facts: Sequence[Fact], parameter: str) -> Fact | None:
    """Return the newest usable fact of a parameter, or None."""
    for fact in reversed(facts):
        if fact.parameter == parameter and not fact.flagged:
            return fact
    return None
