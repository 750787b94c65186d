import pytest

from services.privacy.folding import squeeze
from services.privacy.repeats import find_repeats
from services.privacy.spans import Span

TEXT = "to Concord, says Concord. Back in Concord."


@pytest.mark.parametrize("kinds", [("LOC", "NAME"), ("NAME", "LOC")])
def test_of_two_kinds_of_one_value_the_first_is_that_of_all_in_every_process(
    kinds: tuple[str, str],
) -> None:
    spans = [Span(3, 10, kinds[0]), Span(17, 24, kinds[1])]
    found = find_repeats(TEXT, squeeze(TEXT), spans)
    assert {(one.start, one.label) for one in found} == {(at, kinds[0]) for at in (3, 17, 34)}
