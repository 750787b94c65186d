"""One observation (an OBX), the same shape before and after de-identification."""

from typing import Literal

import msgspec

from contracts.periods import Coarse

ObservationKind = Literal["quantity", "coded", "text", "time", "attachment", "empty"]


class Code(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A code of a code system; ``system`` is ``LN`` for LOINC, else as sent; ``text`` as sent."""

    system: str
    code: str
    text: str = ""


class Observation(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One result.

    ``index`` is the position in its event: with ``event_id`` it is the key of the fact.
    ``value`` is set only for OBX-2 NM and SN, in ``unit`` (UCUM); ``unit_sent`` is what came.
    ``code_sent`` is the site's own code that ``code`` was mapped from.
    ``further_answers`` are those beside ``answer`` where a coded value is repeated (two organisms).
    ``status`` is OBX-11: F final, P preliminary, C corrects, D and W and X take back.
    ``series`` ties a correction to what it corrects (filler order, OBX-3, OBX-4); after privacy it
    is a keyed hash. ``at_ms`` is milliseconds since 1970 UTC, shifted after privacy; with an
    ``at_precision`` it stands for a whole year or month (``periods``), and none is told of one that
    is "unknown".
    """

    index: int
    code: Code
    kind: ObservationKind
    value: float | None = None
    comparator: str = ""
    text: str = ""
    answer: Code | None = None
    unit: str = ""
    unit_sent: str = ""
    reference_range: str = ""
    flags: tuple[str, ...] = ()
    status: str = "F"
    at_ms: int | None = None
    series: str = ""
    finding: str = ""
    further_answers: tuple[Code, ...] = ()
    code_sent: Code | None = None
    at_precision: Coarse = ""

    @property
    def answers(self) -> tuple[Code, ...]:
        """Return all coded values, none where it has none."""
        return (self.answer, *self.further_answers) if self.answer else self.further_answers
