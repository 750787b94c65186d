"""Pure: the area of a postcode: three digits, and none of them where few people live.

45 CFR 164.514(b)(2)(i)(B): the first three digits may stay where all postcodes that share them hold
more than 20,000 people; else they are 000. Such a count is known for the United States alone.
"""

import re

from services.privacy.words import words

ZIP = re.compile(r"(\d{3})\d{2}(?:-?\d{4})?", re.ASCII)
UNITED_STATES = frozenset({"US", "USA", "840", "UNITED STATES", "UNITED STATES OF AMERICA"})
# 20,000 people or fewer by the census of 2000 (the Office for Civil Rights' guidance of 2012) or by
# that of 2010: in either, it is 000.
SMALL = words(
    "036 059 063 102 202 203 204 205 369 556 692 753 772 790 821 823 830 831 878 879 884 890 893"
)
WITHHELD = "000"


def area_of(postcode: str, country: str) -> str:
    """Return the area, ``000`` where it is small, "" where nothing is known of it."""
    match = ZIP.fullmatch(postcode)
    if match is None or country.strip().upper() not in UNITED_STATES:
        return ""
    return WITHHELD if match[1] in SMALL else match[1]
