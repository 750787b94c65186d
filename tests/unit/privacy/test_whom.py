"""When the person of an erasure is another than at the request."""

import pytest

from contracts.erasures import Others
from services.privacy.erasure_book import About
from services.privacy.identity import NOBODY
from services.privacy.patient_keys import PatientKey
from services.privacy.people import Person
from services.privacy.whom import Whom, is_changed

ONE, TWO, THREE = (Person(f"l{n}", PatientKey(bytes([n]) * 32), NOBODY, 1) for n in range(3))


def about(*people: Person, others: Others = "", asked: str = ONE.key.token) -> About:
    tokens, links = [one.key.token for one in people], [one.link for one in people]
    return About(tuple(tokens), tuple(links), asked=asked, others=others)


def test_the_same_people_in_another_order_are_no_change() -> None:
    assert not is_changed(about(ONE, TWO), Whom((TWO, ONE)))


@pytest.mark.parametrize("now", [(ONE,), (ONE, TWO, THREE), (ONE, THREE), ()])
def test_one_more_one_less_and_another_are(now: tuple[Person, ...]) -> None:
    assert is_changed(about(ONE, TWO), Whom(now))


def test_who_shares_an_identifier_was_told_or_it_is_a_change() -> None:
    now = Whom((ONE,), (TWO,))
    assert is_changed(about(ONE), now)
    assert not is_changed(about(ONE, others="keep"), now)
    assert is_changed(about(ONE, others="erase"), Whom((ONE, TWO)))


def test_an_erasure_asked_for_before_that_was_kept_is_judged_by_its_tokens() -> None:
    assert not is_changed(about(ONE, asked=""), Whom((ONE,), (TWO,)))
    assert is_changed(about(ONE, asked=""), Whom((ONE, TWO)))
