"""Pure: whether a code has the form of the public system that it says it is of.

A sender's word alone would let any number pass as a SNOMED code.
"""

import re

from plumbing.remembering import remembered

_ICD10 = r"[A-Z]\d[0-9A-Z](?:\.?[0-9A-Zx]{1,4}(?:x\d{3})?)?[+*]?"  # with China's own digits
# By section and body system, so that few telephone numbers are one; of letters alone, as words are,
# only some of one section.
_ICD10_PCS = (
    r"(?=[A-Z]*\d)(?:0[0-9B-DF-HJ-NP-Y]|10|2[WY]|30(?=2..[A-Z])|3[CE]|4[AB]|[56]A|7W|8[CE]|9W"
    r"|[BCDFX][0-9A-HJ-NP-Z]|HZ)[0-9A-HJ-NP-Z]{5}|GZ[0-9A-HJ][0-9A-HJ-NP-Z]Z{3}"
)
_ICD9 = r"[VE]?\d{2,3}(?:\.?\d{1,2})?"
_SNOMED = r"\d{3,15}(?:[01][012])\d"
_LOINC = r"\d{1,5}-\d|L[AGLP]\d{1,6}-\d"
_RXNORM = r"\d{1,8}"
FORMS = {
    name: re.compile(form, re.ASCII)
    for names, form in (
        ("LN", _LOINC),
        ("SCT", _SNOMED),
        ("SNM SNOMED", rf"{_SNOMED}|[A-Z]-?[0-9A-F]{{4,6}}"),
        ("I9 I9C I9CDX ICD9 ICD9CM", _ICD9),
        ("I10 I10C ICD10 ICD10CM", _ICD10),
        ("I10P", _ICD10_PCS),
        ("RXNORM RXN", _RXNORM),
        (
            "NDC",
            r"\d{4}-\d{4}-\d\d|\d{5}-(?:\d{3}-\d\d|\d{4}-\d\d?)|\d{11}",
        ),  # 21 CFR 207.33, and HIPAA's 11
        ("CVX", r"\d{1,3}"),
        ("ATC", r"[A-Z](?:\d\d(?:[A-Z](?:[A-Z](?:\d\d)?)?)?)?"),
        ("C4 HCPCS", r"[A-Z]?\d{4}[A-Z0-9]?"),
    )
    for name in names.split()
}
CHECKED = frozenset({"SCT", "SNM", "SNOMED"})

# Verhoeff's scheme: the dihedral group D5, and the permutation of each place.
_TIMES = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
    "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
)  # fmt: skip
_MOVED = (
    "0123456789", "1576283094", "5803796142", "8916043527",
    "9453126870", "4286573901", "2793806415", "7046913258",
)  # fmt: skip


@remembered(65_536)
def is_of_system(code: str, system: str) -> bool:
    """Return whether ``code`` can be one of a public ``system``; False of any other system."""
    form = FORMS.get(system)
    if form is None or form.fullmatch(code) is None:
        return False
    return system not in CHECKED or not code.isdecimal() or is_verhoeff(code)


def is_verhoeff(number: str) -> bool:
    """Return whether the last digit of ``number`` checks the others by Verhoeff's scheme."""
    held = 0
    for place, digit in enumerate(reversed(number)):
        held = int(_TIMES[held][int(_MOVED[place % 8][int(digit)])])
    return held == 0
