"""What is kept of the texts of senders takes a bounded memory."""

import gc
import tracemalloc

import pytest

from contracts.observation import Code, Observation
from plumbing.remembering import CHARS_MAX, remembered
from services.privacy.code_systems import is_of_system
from services.privacy.fields import code_or_empty
from services.privacy.free_text import TextCleaner
from services.privacy.genotypes import names_variant
from tests.unit.privacy.builders import a_body
from tests.unit.privacy.test_deidentify import clean

LONG = "x y" * 1_000


@pytest.mark.parametrize(("size", "times"), [(CHARS_MAX, 1), (CHARS_MAX + 1, 3)])
def test_a_long_text_is_not_kept(size: int, times: int) -> None:
    asked = []

    @remembered(10)
    def answered(text: str, *, is_loud: bool) -> str:
        asked.append(len(text))
        return text.upper() if is_loud else text

    for _ in range(3):
        assert answered("a" * size, is_loud=True) == "A" * size
    assert asked == [size] * times


def test_long_codes_and_names_of_results_leave_nothing_in_memory() -> None:
    def ask(first: int, last: int) -> None:
        for number in range(first, last):
            long = f"{number}{LONG}"
            code = Code("L", long, long)
            found = Observation(index=0, code=code, kind="coded", answer=code, unit_sent=long)
            clean(a_body(observations=(found,)))
            is_of_system(long, "SCT")
            names_variant(long)
            code_or_empty(long, TextCleaner())

    ask(0, 10)
    gc.collect()
    tracemalloc.start()
    ask(10, 210)
    gc.collect()
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 200 * len(LONG) / 2  # a beginning of each may be kept, and no whole one
