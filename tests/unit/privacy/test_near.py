"""Near misses of known identifiers: found by one error, never taken from ordinary language."""

import random
from collections.abc import Iterator

import pytest

from contracts.identified import Patient, PatientId, PersonName
from services.privacy.folding import fold, squeeze
from services.privacy.free_text import TextCleaner
from services.privacy.identity import KnownIdentity
from services.privacy.known import KnownTerms
from services.privacy.known_terms import Term, terms_of
from services.privacy.near import NearTerms, _Words
from services.privacy.pinyin import SOUNDS, is_pinyin
from tests.support.timing import assert_works_within, timed
from tests.unit.privacy.bad_inputs import EN_PID, message, sent
from tests.unit.privacy.builders import ANNA, MING, a_body, cleaner_of, known_of

KNOWING = cleaner_of(a_body())
ZH = TextCleaner(KnownTerms(terms_of(known_of(MING))))


@pytest.mark.parametrize(
    "written",
    ["Vikcers", "Vicers", "Vicckers", "Vickars", "Dickers", "ivckers", "VICKESR", "vickersx",
     "Okonkow", "Robret"],
)  # fmt: skip
def test_a_name_with_one_error_goes(written: str) -> None:
    assert KNOWING.clean(f"today {written} was well").text == "today [NAME-1] was well"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no 10045687.", "no [ID-1]."),
        ("no 10045578", "no [ID-1]"),
        ("no 1004567", "no [ID-1]"),
        ("no 100 456 79", "no [ID-1]"),
        ("no ACC778821", "no [ID-1]"),
        ("visit V-2024-919 ends", "visit [ID-1] ends"),
        ("under 943 47 6528", "under [ID-1]"),
    ],
)
def test_a_number_with_one_error_goes(text: str, expected: str) -> None:
    assert KNOWING.clean(text).text == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("欧阳小明诉腹痛", "[NAME-1]诉腹痛"),
        ("欧洋晓明诉腹痛", "[NAME-1]诉腹痛"),
        ("妻李贵芳代述", "妻[NAME-1]代述"),
        ("患者小明诉腹痛", "患者[NAME-1]诉腹痛"),
        ("Ouyang Xaioming came", "[NAME-1] [NAME-2] came"),
    ],
)
def test_a_chinese_name_by_its_sound_goes(text: str, expected: str) -> None:
    assert ZH.clean(text).text == expected


def near(patient: Patient, text: str) -> list[str]:
    folded = fold(text).folded
    found = NearTerms(KnownTerms(terms_of(known_of(patient))).terms).find(folded, squeeze(folded))
    return [folded[span.start : span.end] for span in found]


def named(*families: str) -> Patient:
    return Patient(ids=(PatientId("10045678"),), names=tuple(PersonName(f, "Q") for f in families))


@pytest.mark.parametrize(
    ("family", "text"),
    [
        ("Browne", "a brown rash; Brown sputum"),
        ("Fevers", "Fever today, fevers since"),
        ("Corey", "Coreg 6.25 mg"),
        ("Mitra", "Mitral valve"),
        ("Hodgkins", "known Hodgkin lymphoma"),
        ("Crohne", "Crohn disease"),
        ("Parkins", "a parking ticket"),
        ("Dallon", "gallon, Xallom"),  # the last: two errors
        ("Mann", "mane manns"),  # four letters: as much a word as a name
        ("Zofren", "Zofran 4 mg"),
        ("Grahame", "graham crackers"),
    ],
)
def test_a_word_that_is_nearly_a_name_stays(family: str, text: str) -> None:
    assert near(named(family), text) == []


@pytest.mark.parametrize(
    "text",
    [
        "PLT 10045687 cells",
        "1004567.8",
        "0.10045687",
        "10045687 mg",
        "10945687",  # two errors
        "45687",
    ],
)
def test_a_quantity_that_is_nearly_a_number_stays(text: str) -> None:
    assert near(ANNA, text) == []


def test_ordinary_chinese_that_sounds_alike_stays() -> None:
    names = (PersonName("高", "学亚"), PersonName("李", "明"), PersonName("吴", "理"))
    people = Patient(ids=(PatientId("10045678"),), names=names)
    assert near(people, "高血压病史，理明显好转，离鸣") == []
    assert near(people, "患者无理取闹") == []  # a word, though it sounds the same
    assert near(people, "患者黎明诉") == ["黎明"]


def one_error(word: str, rng: random.Random) -> Iterator[str]:
    for at in range(len(word)):
        yield word[:at] + word[at + 1 :]
        yield word[:at] + rng.choice("bcxz") + word[at:]
        yield word[:at] + rng.choice("bcxz") + word[at + 1 :]
        yield word[:at] + word[at + 1 : at + 2] + word[at] + word[at + 2 :]


def test_every_single_error_is_found_and_no_second_one() -> None:
    rng = random.Random(5)
    for word in ("abdul", "okonjo", "wiseman", "schroder", "featherstonehaugh"):
        words = _Words([Term(word, "NAME")])
        for wrong in one_error(word, rng):
            assert bool(words._nearest(wrong)) == (wrong != word), wrong
        for wrong in ("qq" + word, word + "qq", "q" + word + "q", word[2:], "qy" + word[2:]):
            assert words._nearest(wrong) is None


@pytest.mark.parametrize(
    "unit", ["vikcers ", "v2024919 ", "V-2024-919 ", "abcde{} ", "1 2 3 ", "欧洋晓"]
)
@timed
def test_made_up_names_and_texts_take_no_time(unit: str) -> None:  # fmt: skip
    """As many names as are kept, all of one half; a text of words that are nearly all of them."""
    families = [f"abcd{first}{second}" for first in "efghijkl" for second in "mnopqrst"]
    cleaner = TextCleaner(KnownTerms(terms_of(known_of(named(*families)))))
    units = 100_000 // len(unit.encode())
    text = "".join(unit.format(number) for number in range(units))[:100_000]
    assert_works_within(2.0, lambda: cleaner.clean(text))


SPELT = known_of(Patient(ids=(PatientId("7"),), names=(PersonName("OUYANG", "XIAO MING"),)))
WANG = known_of(Patient(ids=(PatientId("7"),), names=(PersonName("Wang", "Fang"),)))


@pytest.mark.parametrize(
    ("known", "text", "expected"),
    [
        (SPELT, "今日欧阳晓明诉头痛,晓明睡眠可", "今日[NAME-1]诉头痛,[NAME-2]睡眠可"),
        (SPELT, "今日歐陽小銘诉头痛", "今日[NAME-1]诉头痛"),
        (WANG, "王芳今日诉头痛", "[NAME-1]今日诉头痛"),
        (WANG, "已告知汪方女士", "已告知[NAME-1]女士"),
    ],
)
def test_a_name_known_in_pinyin_goes_in_chinese_characters(
    known: KnownIdentity, text: str, expected: str
) -> None:
    rules = NearTerms(KnownTerms(terms_of(known)).terms)
    folded = fold(text).folded
    assert list(rules.find(folded, squeeze(folded))) != []
    assert TextCleaner(KnownTerms(terms_of(known))).clean(text).text == expected


def test_a_name_that_stands_first_is_as_one_string_too() -> None:
    others = Patient(ids=(PatientId("7"),), others={"NAME": ("Xiaoming Ouyang", "Li, Jianmin")})
    cleaner = TextCleaner(KnownTerms(terms_of(known_of(others))))
    assert cleaner.clean("其夫欧阳晓明,其子李建民").text == "其夫[NAME-1],其子[NAME-2]"


@timed
@pytest.mark.parametrize("family", ["uai" * 8 + "b", "an" * 20 + "b", "iu" * 14 + "b", "A" * 1_100])
def test_a_name_of_many_vowels_is_read_at_once_and_is_no_pinyin(family: str) -> None:
    frame = message("患者平稳", pid=EN_PID.replace("Vickers^Anna^Louise", f"{family}^An"))
    assert_works_within(0.5, lambda: sent(frame))
    left = sent(frame)
    assert (left.fate, left.texts[-1]) == ("cleaned", "患者平稳")
    assert not is_pinyin(family, "an")


def test_a_part_of_a_name_in_pinyin_has_two_syllables_at_most() -> None:
    assert is_pinyin("zhuang", "zhuangzhuang")
    assert not is_pinyin("zhuang", "zhuangzhuangan")
    assert not is_pinyin("", "an")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (("Wang", "Fan"), "患者往返两地,血压波动"),
        (("Gao", "Xueya"), "高血压三级,今日高血压药停用"),
        (("Zhou", "Yizhi"), "周一至周五服药"),
        (("Shi", "Yong"), "石永久留置"),
        (("Lee", "Ann"), "累及肝脏"),
        (("Yu", "Shi"), "于是复查,予试用抗生素"),
        (("Chang", "Qi"), "长期卧床,常期随访"),
    ],
)
def test_words_that_sound_like_a_name_in_pinyin_stay(name: tuple[str, str], text: str) -> None:
    known = known_of(Patient(ids=(PatientId("7"),), names=(PersonName(*name),)))
    folded = fold(text).folded
    found = NearTerms(KnownTerms(terms_of(known)).terms).find(folded, squeeze(folded))
    assert [folded[span.start : span.end] for span in found] == []


def test_the_sounds_of_all_characters_are_there_before_a_note_is() -> None:
    assert SOUNDS.of_char[ord("芳")] == SOUNDS.of_char[ord("方")] == SOUNDS.of_syllable["fang"]
    assert len(SOUNDS.of_char) > 20_000
