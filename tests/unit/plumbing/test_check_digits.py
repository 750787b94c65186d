"""Check digits, against numbers that others published."""

import pytest

from plumbing.check_digits import is_luhn, mod_11_2

# ISO/IEC 7812-1's own example, cards that makers publish for tests, and two LOINC codes.
LUHN = ("79927398713", "4111111111111111", "378282246310005", "88674", "576983")
# GB 11643-1999's own examples, and one of ISO/IEC 7064 as an ISNI and an ORCID write it.
MOD_11_2 = ("11010519491231002X", "440524188001010014", "000000012146438X", "0000000218250097")


@pytest.mark.parametrize("number", LUHN)
def test_luhn_finds_one_wrong_digit(number: str) -> None:
    assert is_luhn(number)
    wrong = [number[:-1] + last for last in "0123456789" if last != number[-1]]
    assert not any(map(is_luhn, wrong))


@pytest.mark.parametrize("number", MOD_11_2)
def test_mod_11_2_gives_the_last_sign(number: str) -> None:
    assert mod_11_2(number[:-1]) == number[-1]
