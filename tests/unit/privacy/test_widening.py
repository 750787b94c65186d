"""A name or place that was found in part is whole afterwards, and no further word goes with it."""

import pytest

from services.privacy.spans import Span
from services.privacy.widening import widened


def _found(text: str, *parts: tuple[str, str]) -> set[str]:
    spans = []
    for part, label in parts:
        start = text.index(part)
        spans.append(Span(start, start + len(part), label))
    return {text[span.start : span.end] for span in widened(text, spans)}


@pytest.mark.parametrize(
    ("text", "part", "label", "whole"),
    [
        ("seen by midwife Comfort Okonjo today", "Okonjo", "NAME", "Comfort Okonjo"),
        ("told Jean Quist by phone", "Jean", "NAME", "Jean Quist"),
        ("then Dr Okonjo came", "Okonjo", "NAME", "Okonjo"),
        ("told Jean Zosyn was stopped", "Jean", "NAME", "Jean"),
        ("told Jean Metformin was stopped", "Jean", "NAME", "Jean"),
        ("seen at Larkspur Sleep for this", "Larkspur", "LOC", "Larkspur Sleep"),
        ("taken to Larkspur hospital, given", "Larkspur", "LOC", "Larkspur hospital"),
        ("lives in Larkspur since", "Larkspur", "LOC", "Larkspur"),
        ("seen in Larkspur DGH, home", "Larkspur", "LOC", "Larkspur DGH"),
        ("seen at Larkspur Genomics today", "Larkspur", "LOC", "Larkspur Genomics"),
        ("told Okonjo PR was done", "Okonjo", "NAME", "Okonjo"),
    ],
)
def test_a_name_or_place_is_made_whole(text: str, part: str, label: str, whole: str) -> None:
    assert _found(text, (part, label)) == {whole}


def test_what_stands_between_two_places_goes_with_them() -> None:
    text = "Our Lady of Larkspur, then home"
    assert " of " in _found(text, ("Our Lady", "LOC"), ("Larkspur", "LOC"))
    text = "Larkspur the Martyr, then home"
    assert " the " in _found(text, ("Larkspur", "LOC"), ("Martyr", "LOC"))
    assert _found("Larkspur, Hull", ("Larkspur", "LOC"), ("Hull", "LOC")) == {"Larkspur", "Hull"}
