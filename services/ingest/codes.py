"""Coded values (CE, CWE, CNE) to ``Code``: LOINC wherever one of the two triplets carries it; what
else a field says the same by; and the codes that say that there is nothing.
"""

from typing import Final

import msgspec

from contracts.observation import Code
from plumbing.check_digits import is_luhn
from services.ingest.dialect import Dialect
from services.ingest.kept import Kept

LOINC_NAMES: Final = frozenset({"LN", "LOINC", "http://loinc.org", "2.16.840.1.113883.6.1"})
LOINC: Final = "LN"
# What is sent in the place of an allergy by who asked and heard of none: by text, and by SNOMED CT.
NO_ALLERGY_TEXTS: Final = frozenset(
    {
        "NKDA", "NKA", "NKMA", "NKFA", "NO KNOWN ALLERGIES", "NO KNOWN ALLERGY", "NO ALLERGIES",
        "NO KNOWN DRUG ALLERGIES", "NO KNOWN DRUG ALLERGY", "NO DRUG ALLERGIES", "NONE KNOWN",
        "NO KNOWN MEDICATION ALLERGIES", "NO KNOWN FOOD ALLERGIES", "NIL KNOWN", "NONE",
        "无过敏史", "无药物过敏史", "无已知过敏", "无已知药物过敏", "否认过敏史", "否认药物过敏史",
        "否认药物及食物过敏史", "否认食物药物过敏史",
    }
)  # fmt: skip
NO_ALLERGY_CODES: Final = frozenset({"716186003", "409137002", "429625007", "160244002"})


class LocalCode(msgspec.Struct, frozen=True, gc=False):
    """What a site's own code means: a LOINC code, and the unit of values sent without one."""

    loinc: str
    unit: str = ""


LocalCodes = dict[tuple[str, str], LocalCode]  # by system and code, as sent
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


def further_codes_of(dialect: Dialect, raw: str, first: Code) -> tuple[Code, ...]:
    """Return the other codes of a field that says one thing by several: the second triplet and the
    repetitions, without ``first``.
    """
    if dialect.repeat not in raw and raw.count(dialect.component) < 3:
        return ()
    found: list[Code] = []
    seen = {(first.code, first.system)}
    for one in dialect.repetitions(raw):
        c = dialect.components(one, 6)
        for code in (code_of(dialect, one), Code(c[2], c[0], c[1]), Code(c[5], c[3], c[4])):
            if code.code and (code.code, code.system) not in seen:
                seen.add((code.code, code.system))
                found.append(code)
    return tuple(found)


def says_no_allergy(code: Code) -> bool:
    """Return whether an allergy says that none is known."""
    if code.code in NO_ALLERGY_CODES:
        return True
    return _plain(code.text) in NO_ALLERGY_TEXTS or _plain(code.code) in NO_ALLERGY_TEXTS


def _plain(text: str) -> str:
    return " ".join(text.upper().replace(".", "").replace("-", " ").split())


def is_loinc(code: str) -> bool:
    """Return whether this looks like a LOINC code: digits, a dash, the right check digit."""
    number, dash, check = code.partition("-")
    if not dash or len(check) != 1 or not (number + check).isdigit() or not code.isascii():
        return False
    if not 2 <= len(number) <= 7:
        return False
    return is_luhn(number + check)
