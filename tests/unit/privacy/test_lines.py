"""Texts of one event: cleaned as one, and one that cannot be cleaned is held back alone."""

import pytest

from contracts.observation import Code, Observation
from services.privacy.deidentify import deidentify
from services.privacy.free_text import TEXT_CHARS_MAX, Cleaned
from services.privacy.lines import clean_lines
from tests.unit.privacy.builders import KEY, NOON_MS, a_body, cleaner_of, known_of

CLEAN = cleaner_of(a_body()).clean
BAD = "seenannavickersnow"
NOTHING_FOUND = "lungs clear and heart regular "


def told(*texts: str) -> list[str]:
    """Each text as cleaned, or why it was held back."""
    return [
        one.text if one.text is not None else f"!{one.held}" for one in clean_lines(texts, CLEAN)
    ]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (BAD, "!residual_identifier"),
        ("a\x00b", "!undecodable"),
        ("##fileformat=VCFv4.2", "!raw_genome"),
        ("x" * (TEXT_CHARS_MAX + 1), "!too_long"),
    ],
)
def test_a_text_that_cannot_be_cleaned_is_held_back_alone(bad: str, reason: str) -> None:
    assert told("no fever", "Anna Vickers ate", bad, "Mrs Vick", "ers slept") == [
        "no fever",
        "[NAME-1] ate",
        reason,
        "Mrs [NAME-1]",
        "[NAME-1] slept",
    ]


def test_each_of_several_is_held_back_and_no_other() -> None:
    found = told(BAD, "no fever", "a\x00b", BAD, "well", BAD)
    held = "!residual_identifier"
    assert found == [held, "no fever", "!undecodable", held, "well", held]


def test_what_lies_across_texts_is_not_shown_in_halves() -> None:
    assert told("no", "seenanna", "vickersnow") == ["!residual_identifier"] * 3
    across = told("no", "seenanna", "vickersnow", BAD, "well")
    assert across == ["!residual_identifier"] * 4 + ["well"]


def test_texts_that_are_too_long_together_are_cleaned_in_portions() -> None:
    long = NOTHING_FOUND * (150_000 // len(NOTHING_FOUND))
    assert told("no", long, long, "Anna ate") == ["no", long, long, "[NAME-1] ate"]


def test_what_lies_across_two_portions_is_held_back() -> None:
    long = NOTHING_FOUND * (TEXT_CHARS_MAX // len(NOTHING_FOUND) - 10)
    first, second = long + " then Anna Vick", "ers ate " + NOTHING_FOUND * 20
    assert told("no", first, second, "well")[1:] == ["!too_long", "!too_long", "well"]


def test_no_text_is_cleaned_more_than_three_times() -> None:
    sizes: list[int] = []

    def clean(text: str) -> Cleaned:
        sizes.append(len(text))
        return Cleaned(None if "bad" in text else text, held="x" if "bad" in text else "")

    texts = ["good line"] * 50 + ["bad"] + ["good line"] * 49 + ["bad"]
    found = clean_lines(texts, clean)
    assert [one.held for one in found] == ["x" if text == "bad" else "" for text in texts]
    assert sum(sizes) <= 3 * (sum(map(len, texts)) + len(texts))


def test_the_other_results_of_the_event_keep_their_texts() -> None:
    texts = ("no fever", BAD, "Anna ate")
    body = a_body(
        observations=tuple(
            Observation(index=at, code=Code("L", "TXT"), kind="text", text=text)
            for at, text in enumerate(texts)
        )
    )
    event = deidentify(
        body,
        event_id="e",
        key=KEY,
        known=known_of(body.patient),
        cleaner=cleaner_of(body),
        now_ms=NOON_MS,
    )
    assert [(one.text, one.finding) for one in event.observations] == [
        ("no fever", ""),
        ("", "residual_identifier"),
        ("[NAME-1] ate", ""),
    ]
