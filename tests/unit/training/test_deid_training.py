import gzip
import random
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch

from services.privacy.tagger.alphabet import CHARS, UNKNOWN, WORDS, encode, encode_all
from services.privacy.tagger.network import LABELS, Shape
from training.deid.corpus import CHARS_MAX, Writer, cut, examples, hidden
from training.deid.dates import date_en, date_zh
from training.deid.feeding import Corpus
from training.deid.fit import Progress, Recipe, fit, new_network
from training.deid.grammar import Grammar
from training.deid.numbers import record_number, resident_id
from training.deid.plain_texts import read_plain
from training.deid.texts import Marked
from training.deid.told import Told

SMALL = Shape(char_width=4, word_width=4, width=8, dilations=(1, 2), context_layers=1)
needs_words = pytest.mark.skipif(
    find_spec("jieba") is None or find_spec("spellchecker") is None,
    reason="the word lists are in the training extra",
)


def test_a_grammar_chooses_nests_and_fills() -> None:
    groups = {"note": ["{a|{b|c}} $n, @tail"], "tail": ["end{|!}"]}
    grammar = Grammar(groups, {"n": lambda rng: str(rng.randrange(3))})
    rng = random.Random(1)
    texts = {grammar.write("note", rng) for _ in range(200)}
    assert {text[0] for text in texts} == {"a", "b", "c"}
    assert {text.partition(", ")[2] for text in texts} == {"end", "end!"}


def test_a_template_that_asks_for_nothing_that_is_there_is_refused() -> None:
    with pytest.raises(KeyError):
        Grammar({"note": ["$nobody"]}, {})
    with pytest.raises(ValueError, match="does not close"):
        Grammar({"note": ["{a|b"]}, {})


def test_labels_follow_the_folded_text() -> None:
    text = "🙂 Ｄｒ Øst 见"
    one = examples([Told(Marked("", "en", "s", text, ((5, 8, "NAME"),)))])[0]
    assert len(one.chars) == len(one.words) == len(one.labels)
    assert int((one.labels == LABELS.index("NAME")).sum()) == 3


def test_numbers_stay_within_the_tables() -> None:
    read = encode("".join(map(chr, [*range(1, 0x300), *range(0x4E00, 0x9FFF), 0x1F642])))
    chars, words = read.chars, read.words
    assert chars.max() < CHARS
    assert words.max() < WORDS
    assert chars.min() >= UNKNOWN


def test_a_word_has_one_number_and_a_han_character_that_of_its_pair() -> None:
    words = encode("Anna anna").words
    assert set(words[:4]) == set(words[5:])
    one, other = encode("张三李").words, encode("李张三").words
    assert one[0] == other[1]
    assert one[0] != one[1]


def test_hiding_changes_no_label_and_no_length() -> None:
    one = examples([Told(Marked("", "en", "s", "Ada Lowe came " * 90, ((0, 8, "NAME"),)))])[0]
    unread = hidden(one, np.random.default_rng(1))
    assert (unread.labels == one.labels).all()
    assert (unread.words == 0).any()
    assert (unread.rows[one.rows > 0] == 0).any()
    assert len(cut(one, random.Random(1)).chars) == CHARS_MAX


@pytest.mark.parametrize("write", [date_en, date_zh, record_number, resident_id])
def test_what_is_written_differs_and_comes_again_with_the_seed(write: object) -> None:
    def texts(seed: int) -> list[str]:
        rng = random.Random(seed)
        return [write(rng) for _ in range(50)]  # type: ignore[operator]  # each takes a generator

    assert texts(1) == texts(1)
    assert len(set(texts(1))) > 25


@needs_words
def test_every_text_is_well_marked_and_new(writer: Writer) -> None:
    texts = [writer.text() for _ in range(400)]
    assert {one.lang for one in texts} == {"zh", "en"}
    assert len({one.text for one in texts}) > 300
    assert {"NAME", "DATE", "PHONE", "ID", "LOC"} <= {s[2] for one in texts for s in one.spans}
    assert not any(sign in one.text for one in texts for sign in "⟦⟧${}")


@needs_words
def test_the_same_seed_gives_the_same_weights(writer: Writer) -> None:
    def trained() -> list[torch.Tensor]:
        writer.begin_again(5)
        network = new_network(SMALL, 5)
        recipe = replace(Recipe(), steps=3, chars=400, seed=5)
        fit(network, Corpus(writer, None), recipe, Progress(lambda _: None))
        return list(network.parameters())

    assert all(torch.equal(a, b) for a, b in zip(trained(), trained(), strict=True))


def test_many_texts_are_read_as_each_alone() -> None:
    texts = ["张三李四在北京市住院", "Seen in Leeds", "王五，男。住临泉县，由其子赵云飞代述"]
    for alone, together in zip(map(encode, texts), encode_all(texts), strict=True):
        assert (alone.words == together.words).all()
        assert np.allclose(alone.kinds, together.kinds, atol=1e-5)


def test_sentences_that_may_identify_are_no_plain_text(tmp_path: Path) -> None:
    folder = tmp_path / "case_vignettes"
    folder.mkdir()
    said = "He has a fever today. He lives in Wolverhampton. Seen on 4/5/2024. No rash was seen."
    with gzip.open(folder / "train.csv.gz", "wt", encoding="utf-8") as table:
        table.write(f'case_vignette,answer\n"{said}",x\n')
    plain = read_plain(tmp_path)
    assert plain.texts == {"en": [("He has a fever today.", "No rash was seen.")]}
    text, lang = plain.write(random.Random(1))
    assert lang == "en"
    assert text in said or text == "He has a fever today. No rash was seen."
