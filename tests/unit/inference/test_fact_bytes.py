"""The bytes of a fact are those of its content, however often and in what order they are asked."""

import msgspec

from services.inference.fact_bytes import FactBytes
from tests.support.models import a_fact


def test_the_same_content_gives_the_same_bytes_whichever_object_holds_it() -> None:
    facts = [a_fact(number, "HR", 60.0 + number, number) for number in range(50)]
    copies = [msgspec.structs.replace(fact, offset=fact.offset + 7) for fact in facts]
    kept = FactBytes(kept_max=10)
    first = kept.of(facts)
    assert kept.of(facts) == first == FactBytes().of(copies)
    assert kept.of(facts[::-1]) != first


def test_another_value_gives_other_bytes_and_a_place_is_never_another_facts() -> None:
    kept = FactBytes()
    seen = set()
    for number in range(2_000):
        seen.add(kept.of([a_fact(1, "HR", float(number), 1)]))  # the object is gone at once
    assert len(seen) == 2_000
