"""Coded values (CE, CWE, CNE) to ``Code``: LOINC wherever one of the two triplets carries it."""

from typing import Final

from contracts.observation import Code
from services.ingest.dialect import Dialect
from services.ingest.kept import Kept

LOINC_NAMES: Final = frozenset({"LN", "LOINC", "http://loinc.org", "2.16.840.1.113883.6.1"})
LOINC: Final = "LN"
_codes: Final[Kept[Code]] = Kept(16_384)


def code_of(dialect: Dialect, raw: str) -> Code:
    """Return the code of a field: LOINC if either triplet has it, else the first triplet."""
    found = _codes.get(dialect, raw)
    return found if found is not None else _codes.put(dialect, raw, _code_of(dialect, raw))


def _code_of(dialect: Dialect, raw: str) -> Code:
    if dialect.repeat in raw:
        raw = raw.partition(dialect.repeat)[0]
    c = dialect.components(raw, 6)
    if c[2] in LOINC_NAMES:
        return Code(LOINC, c[0], c[1])
    if c[5] in LOINC_NAMES and c[3]:
        return Code(LOINC, c[3], c[4] or c[1])
    if not c[2] and is_loinc(c[0]):
        return Code(LOINC, c[0], c[1])
    return Code(c[2], c[0], c[1])


def is_loinc(code: str) -> bool:
    """Return whether this looks like a LOINC code: digits, a dash, the right check digit."""
    number, dash, check = code.partition("-")
    if not dash or len(check) != 1 or not (number + check).isdigit() or not code.isascii():
        return False
    if not 2 <= len(number) <= 7:
        return False
    # Luhn: every second digit from the right counts double, with the digits of the product summed.
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return (10 - total % 10) % 10 == int(check)
