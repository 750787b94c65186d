from pathlib import Path

import pytest

from training.deid.scoring import Tally
from training.deid.texts import SHOWN, BadGold, Half, Marked, half_of, parse_gold, read_gold

GOLD = Path(__file__).parents[3] / "data" / "gold_notes"
NOTE = """=== xx-letter-002
known NAME Ada Lowe | 陆根生
known DATE 1957-09-14
---
Seen: ⟦NAME:Ada Lowe⟧ of ⟦LOC:1 Elm Road,
Ely⟧, ⟦AGE:93⟧.
"""


def test_a_gold_note_is_its_text_with_spans_and_what_is_known() -> None:
    (note,) = parse_gold(NOTE, "en", "letter")
    assert note.text == "Seen: Ada Lowe of 1 Elm Road,\nEly, 93."
    assert [(note.text[a:b], label) for a, b, label in note.spans] == [
        ("Ada Lowe", "NAME"),
        ("1 Elm Road,\nEly", "LOC"),
        ("93", "AGE"),
    ]
    assert note.known == {"NAME": ("Ada Lowe", "陆根生"), "DATE": ("1957-09-14",)}


@pytest.mark.parametrize(
    "broken",
    ["=== a-002\nno dashes\n", "=== a-002\nknown NAME\n---\nx", "=== a-002\n---\n⟦NAME:x"],
)
def test_a_broken_gold_file_is_refused(broken: str) -> None:
    with pytest.raises(BadGold):
        list(parse_gold(broken, "en", "letter"))


@pytest.mark.parametrize(("lang", "notes"), [("zh", 304), ("en", 152)])
def test_the_halves_share_no_note_and_are_all_there_is(lang: str, notes: int) -> None:
    halves = {half: {note.id for note in read_gold(GOLD, lang, half)} for half in Half}
    assert not halves[Half.DEVELOPMENT] & halves[Half.HELD_OUT]
    assert sum(map(len, halves.values())) == notes - 1  # one of each language was shown
    assert all(half_of(note_id) is half for half, ids in halves.items() for note_id in ids)
    assert not SHOWN & (halves[Half.DEVELOPMENT] | halves[Half.HELD_OUT])


def test_an_even_number_is_for_development() -> None:
    assert half_of("zh-admission-002") is Half.DEVELOPMENT
    assert half_of("en-letter-019") is Half.HELD_OUT


def test_the_sums_are_of_characters_that_count() -> None:
    gold = Marked("a", "en", "s", "Ada Lowe, aged 93, of Ely", ((0, 8, "NAME"), (22, 25, "LOC")))
    tally = Tally()
    tally.add(gold, [(0, 4, "NAME"), (10, 14, "OTHER"), (22, 25, "LOC")], "[NAME-1]Lowe of Ely")
    row = tally.row()
    assert (row["NAME"], row["LOC"], row["leaky"]) == (round(3 / 7, 4), 1.0, 1.0)
    assert row["precision"] == 0.6  # 6 of 10 removed letters were marked
    assert row["survivors"] == 0  # Ely has three letters


def test_a_removed_string_that_stands_in_the_output_is_a_survivor() -> None:
    gold = Marked("a", "en", "s", "Lowe came", ((0, 4, "NAME"),))
    tally = Tally()
    tally.add(gold, [(0, 4, "NAME")], "[NAME-1] came, Lowe")
    assert tally.row()["survivors"] == 1
