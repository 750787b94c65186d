"""The scrubs of patients are kept, up to a number, and not of who was erased."""

import pytest

from services.privacy import scrubs
from services.privacy.identity import NOBODY, grow
from services.privacy.people import Person
from services.privacy.scrubs import Scrubs
from tests.unit.privacy.builders import ANNA, KEY, a_body

BODY = a_body()


def a_person(link: str) -> Person:
    return Person(link=link, key=KEY, known=grow(NOBODY, ANNA), version=1)


def test_a_scrub_is_kept_for_the_next_event_and_forgotten_with_its_patient() -> None:
    kept = Scrubs(None, None)
    first = kept.of(a_person("a"), BODY)
    assert kept.of(a_person("a"), BODY) is first
    kept.forget(["a"], [KEY.token])
    assert kept.is_erased(KEY.token)
    assert not kept.is_erased("another")
    assert kept.of(a_person("a"), BODY) is not first


def test_the_scrub_used_least_recently_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scrubs, "KEPT_MAX", 2)
    kept = Scrubs(None, None)
    a, b = (kept.of(a_person(link), BODY) for link in "ab")
    assert kept.of(a_person("a"), BODY) is a
    kept.of(a_person("c"), BODY)
    assert kept.of(a_person("a"), BODY) is a
    assert kept.of(a_person("b"), BODY) is not b
