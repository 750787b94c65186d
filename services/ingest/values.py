"""What a result holds, and parts of it as text to numbers, comparators, units and flags."""

from math import isfinite
from typing import Final

from contracts.observation import Code, ObservationKind
from services.ingest.dialect import Dialect
from services.ingest.kept import Kept
from services.ingest.units import ucum_of

COMPARATORS: Final = frozenset({"<", ">", "<=", ">=", "="})
SIGNS_BEFORE: Final = COMPARATORS | {"", "<>", "~"}
SIGNS_BETWEEN: Final = frozenset({"", "-", "+", "/", ":", ".", "\u2013"})

_units: Final[Kept[str]] = Kept(4096)
_flagged: Final[Kept[tuple[str, ...]]] = Kept(4096)


class Value:
    """OBX-5 as it was read, with its unit."""

    __slots__ = (
        "answer", "comparator", "finding", "kind", "number", "text", "unit", "unit_sent",
    )  # fmt: skip

    def __init__(  # noqa: PLR0913 - the fields of an observation
        self,
        kind: ObservationKind,
        number: float | None = None,
        *,
        comparator: str = "",
        text: str = "",
        answer: Code | None = None,
        unit: str = "",
        unit_sent: str = "",
        finding: str = "",
    ) -> None:
        """Take the parts."""
        self.kind: ObservationKind = kind
        self.number, self.comparator, self.text, self.answer = number, comparator, text, answer
        self.unit, self.unit_sent, self.finding = unit, unit_sent, finding


NO_VALUE: Final = Value("empty")
DELETED: Final = Value("empty", finding="null")
SOMEBODYS: Final = Value("empty", finding="identifying_value")  # a value type of people, numbers


def structured(c: list[str]) -> tuple[str, str]:
    """Return comparator and digits of SN, none of them where it is no single number."""
    # SN: comparator ^ number ^ separator ^ number; a ratio or a range is no single number.
    if c[2] or c[3]:
        return "", ""
    return (c[0].strip() if c[0].strip() in COMPARATORS else ""), c[1]


def written(c: list[str]) -> str:
    """Return an SN that is no single number as one writes it: ``1:128``, ``5-10``, ``2+``.

    One that holds something else than these is told apart: what identifies somebody is found as a
    word of its own.
    """
    parts = [part.strip() for part in c[:4]]
    is_signed = parts[0] in SIGNS_BEFORE and parts[2] in SIGNS_BETWEEN
    if is_signed and _may_be_number(parts[1]) and _may_be_number(parts[3]):
        return "".join(parts)
    return " ".join([part for part in parts if part])


def _may_be_number(part: str) -> bool:
    return not part or number_of(part) is not None


def span_of(c: list[str]) -> str:
    """Return what such an SN is: a ``range`` (5-10), a ``ratio`` (1:128) or a ``category`` (2+)."""
    sign = c[2].strip()
    return "range" if sign == "-" else "ratio" if sign in {":", "/"} else "category"


def plain(text: str) -> tuple[str, str]:
    """Return comparator and digits of NM: some senders put the one into the other."""
    text = text.strip()
    if text[:1] in "<>":
        size = 2 if text[1:2] == "=" else 1
        return text[:size], text[size:]
    return "", text


def number_of(text: str) -> float | None:
    """Return a finite number, or None."""
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if isfinite(value) and "_" not in text else None


def unit_as_sent(dialect: Dialect, raw: str) -> str:
    """Return the unit of OBX-6 as it was sent: its code, or its text where that is a unit."""
    found = _units.get(dialect, raw)
    return found if found is not None else _units.put(dialect, raw, _unit_of(dialect, raw))


def _unit_of(dialect: Dialect, raw: str) -> str:
    if dialect.component not in raw:
        return dialect.text(raw).strip()
    c = dialect.components(raw, 2)
    code, text = c[0].strip(), c[1].strip()
    # ``CD:289^mg/dL``: a local code says nothing where the text is a unit.
    return text if text and (not code or (not ucum_of(code) and ucum_of(text))) else code


def flags_of(dialect: Dialect, raw: str) -> tuple[str, ...]:
    """Return the abnormal flags of OBX-8."""
    known = _flagged.get(dialect, raw)
    if known is not None:
        return known
    flags = [flag for one in dialect.repetitions(raw) if (flag := dialect.first(one))]
    return _flagged.put(dialect, raw, tuple(flags))
