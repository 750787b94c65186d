import random
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from services.privacy.tagger.alphabet import encode
from services.privacy.tagger.hints import (
    HINTS,
    PLACE,
    RARE,
    RARE_NAME,
    UNLISTED,
    ZH_PLACE,
    ZH_WORD,
)
from training.deid.corpus import Learnt, Writer
from training.deid.note_checks import flaws, read_both_ways
from training.deid.renaming import Renaming
from training.deid.texts import Half, Marked, parse_gold, read_gold, read_notes, unmark
from training.deid.variants import Variants, marked_text

DATA = Path(__file__).parents[3] / "data"
pytestmark = pytest.mark.skipif(
    find_spec("jieba") is None or find_spec("spellchecker") is None,
    reason="the word lists are in the training extra",
)
NOTE_EN = """=== en-002
---
⟦NAME:Dana OKAFOR⟧ (MRN ⟦ID:AB 12-345⟧) of ⟦LOC:12 Elm Road, Ely⟧, seen ⟦DATE:5 March 2024⟧.
Mrs ⟦NAME:Okafor⟧'s son ⟦NAME:Lee⟧ rang ⟦PHONE:01353 662 118⟧. Babinski absent. ⟦AGE:93 yo⟧ aunt.
"""
NOTE_ZH = """=== zh-002
---
⟦NAME:欧阳桂芳⟧，女，住⟦LOC:临泉县迎仙镇3组⟧，⟦DATE:2024年3月5日⟧入院。⟦NAME:桂芳⟧之夫⟦NAME:李根⟧，⟦PHONE:13812345678⟧。⟦NAME:李⟧
"""


@pytest.fixture(scope="module")
def writer() -> Writer:
    return Writer(seed=3)


def note(content: str, lang: str) -> Marked:
    return next(iter(parse_gold(content, lang, "letter")))


def renamed(content: str, lang: str, writer: Writer, seed: int) -> Marked:
    text = marked_text(
        note(content, lang), Renaming(random.Random(seed), lang, writer.people, writer.names)
    )
    return Marked("x", lang, "x", *unmark(text, "x"))


def values(text: Marked, label: str) -> list[str]:
    return [text.text[a:b] for a, b, kind in text.spans if kind == label]


@pytest.mark.parametrize("seed", range(8))
def test_the_same_person_has_one_other_name_within_a_note(writer: Writer, seed: int) -> None:
    english = renamed(NOTE_EN, "en", writer, seed)
    whole, family, _ = values(english, "NAME")
    assert whole.split()[-1] == family.upper()
    assert whole != "Dana OKAFOR"
    whole, given, husband, sign = values(renamed(NOTE_ZH, "zh", writer, seed), "NAME")
    assert whole.endswith(given)
    assert husband.startswith(sign)


def test_values_keep_their_shape_and_the_rest_its_words(writer: Writer) -> None:
    texts = [renamed(NOTE_EN, "en", writer, seed) for seed in range(40)]
    assert all("Babinski absent." in one.text and "'s son" in one.text for one in texts)
    assert all(values(one, "AGE")[0].endswith(" yo") for one in texts)
    assert all(90 <= int(values(one, "AGE")[0][:-3]) < 104 for one in texts)
    assert sum("Road" in values(one, "LOC")[0] for one in texts) == len(texts)
    assert len({values(one, "ID")[0] for one in texts}) > 35
    assert all(values(one, "PHONE")[0][0] == "0" for one in texts)
    chinese = [renamed(NOTE_ZH, "zh", writer, seed) for seed in range(40)]
    assert sum("县" in values(one, "LOC")[0] for one in chinese) == len(chinese)


def test_what_is_learnt_from_is_marked_and_never_twice_the_same(writer: Writer) -> None:
    notes = {"en": [note(NOTE_EN, "en")], "zh": [note(NOTE_ZH, "zh")]}
    variants = Variants(notes, writer.people, writer.names)
    rng = random.Random(1)
    written = {variants.write(rng) for _ in range(300)}
    assert len(written) > 200
    for marked, _ in written:
        text, spans = unmark(marked, "x")  # a mark that was cut would raise
        assert all(start < end <= len(text) for start, end, _ in spans)
    assert any(Learnt(variants, (), 1.0).draw(rng).marked.spans for _ in range(20))


def test_the_training_notes_are_many_well_marked_and_no_gold_notes() -> None:
    meant = read_both_ways(DATA / "training_notes")
    for lang in ("en", "zh"):
        notes = read_notes(DATA / "training_notes", lang)
        assert len(notes) > 150
        assert len({one.id for one in notes}) == len(notes)
        assert [flaw for one in notes for flaw in flaws(one, meant)] == []
        gold = {one.text for half in Half for one in read_gold(DATA / "gold_notes", lang, half)}
        assert not gold & {one.text for one in notes}


@pytest.mark.parametrize(
    ("marked", "flaw"),
    [
        ("⟦NAME:Dana Okafor⟧ came; Okafor left", "x-2: unmarked: Okafor"),
        ("⟦NAME:Dr Okafor⟧", "x-2: a title within a name: Dr Okafor"),
        ("⟦AGE:45⟧", "x-2: an age under 90: 45"),
        ("⟦NAMES:Okafor⟧", "x-2: no such kind: NAMES"),
        ("⟦NAME:李桂芳⟧入院，李桂芳诉痛", "x-2: unmarked: 李桂芳"),
    ],
)
def test_a_doubtful_mark_is_named(marked: str, flaw: str) -> None:
    text, spans = unmark(marked, "x")
    assert list(flaws(Marked("x-2", "en", "x", text, spans))) == [flaw]


def test_lists_tell_of_a_character_what_it_may_be() -> None:
    text = "Wolverhampton Okonkwo xqzvb 临泉县 患者"
    hints = encode(text).hints
    assert hints[0] & PLACE
    assert hints[text.index("O")] == RARE + RARE_NAME
    assert hints[text.index("x")] == UNLISTED
    assert list(hints[text.index("临") :][:3]) == [ZH_PLACE, ZH_PLACE + 1, ZH_PLACE + 1]
    assert list(hints[-2:]) == [ZH_WORD, ZH_WORD + 1]
    assert int(np.max(hints)) < HINTS
