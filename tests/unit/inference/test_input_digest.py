"""The digest of a view depends on what is in it, not on what was asked before."""

from dataclasses import replace
from random import Random

import msgspec

from services.inference.input_digest import InputDigests
from tests.support.models import a_fact, a_view

FACTS = [a_fact(number, "HR", 60.0 + number, number) for number in range(60)]


def test_a_digest_is_the_same_whatever_was_asked_before() -> None:
    chance, kept = Random(3), InputDigests(patients_max=2)
    for _ in range(300):
        chosen = [fact for fact in FACTS if chance.random() < 0.9][: chance.randint(0, 60)]
        view = replace(a_view(*chosen), token=chance.choice(("a", "b", "c")))
        assert kept.of(view) == InputDigests().of(view)


def test_growing_by_one_fact_at_a_time_gives_the_digest_of_the_whole() -> None:
    kept = InputDigests()
    for count in range(1, 60):
        assert kept.of(a_view(*FACTS[:count])) == InputDigests().of(a_view(*FACTS[:count]))


def test_offsets_do_not_count_and_every_other_content_does() -> None:
    view = a_view(*FACTS)
    moved = [msgspec.structs.replace(fact, offset=fact.offset + 7) for fact in FACTS]
    assert InputDigests().of(a_view(*moved)) == InputDigests().of(view)
    changes: list[dict[str, object]] = [
        {"value": 1.5}, {"parameter": "RR"}, {"flagged": True}, {"index": 3}, {"event_id": "x"},
    ]  # fmt: skip
    digests = {InputDigests().of(view), InputDigests().of(replace(view, age_years=71))}
    for change in changes:
        other = [*FACTS[:-1], msgspec.structs.replace(FACTS[-1], **change)]
        digests.add(InputDigests().of(a_view(*other)))
    assert len(digests) == len(changes) + 2
