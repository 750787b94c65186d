import numpy as np
import pytest

from services.privacy.folding import fold
from services.privacy.spans import Span
from services.privacy.tagger.doubts import is_doubtful
from services.privacy.tagger.hints import FILES, LISTS, row_of_word
from services.privacy.tagger.identifying import Scores, identifying, words_of
from services.privacy.tagger.lexical import KINDS, lexical_reader
from services.privacy.tagger.meanings import MEANING_WIDTH, packed, unpacked, word_meanings
from services.privacy.tagger.network import LABELS, CharacterTagger, Shape
from services.privacy.tagger.ordinary import is_ordinary
from services.privacy.tagger.products import in_32_bits
from services.privacy.tagger.reading import Reader
from services.privacy.tagger.second_look import Said
from services.privacy.tagger.tagger import Tagger, spans_of

PERSON, PLACE, ORGANISATION, TIME = range(4)  # the first groups of the analyser's kinds


def spans_in(text: str, scores: Scores, threshold: float) -> list[Span]:
    return list(spans_of(text, scores, identifying(text, words_of(text), scores), threshold))


def likeness(one: str, other: str) -> float:
    rows = word_meanings()[[row_of_word(one), row_of_word(other)]]
    return float(rows[0] @ rows[1] / np.prod(np.linalg.norm(rows, axis=1)))


def test_every_word_of_the_list_has_its_meaning() -> None:
    words = (LISTS / FILES[0]).read_text(encoding="utf-8").splitlines()
    assert word_meanings().shape == (len(words) + 1, MEANING_WIDTH)
    assert not word_meanings()[0].any()
    assert row_of_word("xqzvb") == 0


def test_names_places_and_drugs_are_near_their_like() -> None:
    assert likeness("leeds", "sheffield") > likeness("leeds", "aspirin") + 0.3
    assert likeness("midazolam", "diazepam") > likeness("midazolam", "leeds") + 0.3


def test_packing_keeps_a_meaning() -> None:
    rows = np.linspace(-3, 3, 4 * MEANING_WIDTH, dtype=np.float32).reshape(4, MEANING_WIDTH)
    assert np.allclose(unpacked(packed(rows))[1:], rows, atol=1 / 64)


def test_the_analyser_tells_people_places_and_times_apart() -> None:
    text = fold("患者赵云飞2024年3月5日在喀什市医院住院").folded
    kinds = lexical_reader().read(text).argmax(axis=1) // 2
    assert set(kinds[text.index("赵") :][:3]) == {PERSON}
    assert set(kinds[text.index("喀") :][:3]) <= {PLACE, ORGANISATION}
    assert set(kinds[text.index("2024") :][:9]) == {TIME}


def test_what_the_analyser_says_sums_to_one_and_only_of_chinese_clauses() -> None:
    text = "No fever today.\n患者无发热;Dr Okafor seen\n"
    found = lexical_reader().read(text)
    assert found.shape == (len(text), KINDS)
    assert not found[: text.index("患")].any()
    assert np.allclose(found[text.index("患") : text.index(";")].sum(axis=1), 1, atol=1e-4)


def test_a_clause_is_read_the_same_wherever_it_stands() -> None:
    clause = "患者古丽巴哈尔住喀什市。"
    alone = lexical_reader().read(clause)
    among = lexical_reader().read("予头孢曲松2g。" * 40 + clause + "诉腹痛。" * 40)
    at = 40 * len("予头孢曲松2g。")
    assert np.allclose(among[at : at + len(clause)], alone, atol=1e-4)


def test_ordinary_words_brands_and_eponyms_are_doubted_names_are_not() -> None:
    for word in ("Recommendations", "Toradol", "NKDA", "Janeway", "tachycardia"):
        assert is_doubtful(word, is_cased=True)
    for word in ("Okafor", "Priya", "Wolverhampton"):
        assert not is_doubtful(word, is_cased=True)


def test_a_doubted_word_must_be_surer() -> None:
    text = "by Toradol, by Okafor"
    scores = np.zeros((len(text), len(LABELS)), dtype=np.float32)
    scores[3:10, LABELS.index("NAME")] = 0.4
    scores[15:21, LABELS.index("NAME")] = 0.4
    assert [text[s.start : s.end] for s in spans_in(text, scores, 0.3)] == ["Okafor"]
    scores[3:10, LABELS.index("NAME")] = 0.9
    assert len(spans_in(text, scores, 0.3)) == 2


@pytest.mark.parametrize(
    ("found", "label", "is_dropped"),
    [
        ("59", "AGE", True),
        ("93", "AGE", False),
        ("Sunday", "DATE", True),
        ("Day 9", "DATE", True),
        ("14/16", "DATE", True),
        ("101.2", "DATE", True),
        ("14/6", "DATE", False),
        ("2019年", "DATE", True),
        ("3月", "DATE", False),
        ("Zoloft", "NAME", True),
        ("MDT", "LOC", True),
        ("PM", "NAME", False),
        ("Okonjo", "NAME", False),
        ("Leeds", "LOC", False),
    ],
)
def test_what_is_nobodys_is_dropped(found: str, label: str, is_dropped: bool) -> None:  # noqa: FBT001 - a column
    text = f"x {found} y"
    assert is_ordinary(text, Span(2, 2 + len(found), label)) is is_dropped


@pytest.mark.parametrize(
    ("text", "found", "label", "is_dropped"),
    [
        ("K < 3.5 & falling", "3", "DATE", True),
        ("K < 3.5 & falling", "3.5", "DATE", True),
        ("keep SpO2 >= 90 on air", "90", "AGE", True),
        ("keep SpO2 >90", "90", "AGE", True),
        ("aged > 92", "92", "AGE", False),
        ("patients > 92 years old", "92", "AGE", False),
        ("年龄>92", "92", "AGE", False),
        ("seen < 3/5", "3/5", "DATE", False),
        ("seen 3.5 & again", "3.5", "DATE", False),
        ("bed > 12", "12", "ID", False),
    ],
)
def test_what_a_result_is_above_or_below_is_nobodys(
    text: str,
    found: str,
    label: str,
    is_dropped: bool,  # noqa: FBT001 - a column
) -> None:
    at = text.index(found)
    assert is_ordinary(text, Span(at, at + len(found), label)) is is_dropped


@pytest.mark.parametrize(("probability", "found"), [(0.9, ["bill"]), (0.7, [])])
def test_a_word_in_small_letters_is_a_name_where_the_network_is_sure(
    probability: float, found: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "Sonographer, chap bill here"
    scores = np.zeros((len(text), len(LABELS)), dtype=np.float32)
    scores[18:22, LABELS.index("NAME")] = probability
    said = Said(scores, np.zeros((len(text), 2), dtype=np.float32))
    monkeypatch.setattr(Tagger, "said", lambda *_: said)
    tagger = Tagger(Reader(CharacterTagger(Shape()), in_32_bits), Shape(), 0.1, 0.1)
    assert [text[span.start : span.end] for span in tagger.find(text)] == found
