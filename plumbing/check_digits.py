"""Pure: check digits by international standards."""

from typing import Final

MOD_11_2: Final = "0123456789X"


def is_luhn(digits: str) -> bool:
    """Return whether the last of the ASCII ``digits`` checks the others (ISO/IEC 7812-1).

    >>> is_luhn("4111111111111111"), is_luhn("4111111111111112")
    (True, False)
    """
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def mod_11_2(digits: str) -> str:
    """Return what checks the ASCII ``digits``: a digit or X (ISO/IEC 7064, MOD 11-2).

    >>> mod_11_2("11010519491231002")
    'X'
    """
    held = 0
    for digit in digits:
        held = 2 * (held + int(digit)) % 11
    return MOD_11_2[(12 - held) % 11]
