import pytest

from bench.bad_texts import repeated
from contracts.identified import Patient, PatientId, PersonName
from services.privacy.free_text import TextCleaner
from services.privacy.known import KnownTerms
from services.privacy.known_terms import Term, terms_of
from tests.support.timing import assert_works_within, timed
from tests.unit.privacy.builders import ANNA, MING, known_of

BLIND = TextCleaner()
KNOWING = TextCleaner(KnownTerms(terms_of(known_of(ANNA))))
ZH = TextCleaner(KnownTerms(terms_of(known_of(MING))))

REMOVED = [
    ("Seen on 03/05/2024 by Dr. Chidi Okonkwo.", "Seen on [DATE-1] by Dr. [NAME-1]."),
    ("Born 5th of March 1950", "Born [DATE-1]"),
    ("Mar 5, 2024 at clinic", "[DATE-1] at clinic"),
    ("admitted 2024-03-05T10:20:00Z", "admitted [DATE-1]"),
    ("MRN: 00-12345", "MRN: [ID-1]"),
    ("SSN 943-47-6582", "SSN [ID-1]"),
    ("call (617) 555-0199 ext. 12", "call [PHONE-1]"),
    ("mail a.b@c.org or https://x.org/p?id=7", "mail [EMAIL-1] or [URL-1]"),
    ("from 10.1.20.3", "from [IP-1]"),
    ("a 93-year-old man", "a [AGE-1]-year-old man"),
    ("92 y/o and age 104", "[AGE-1] y/o and age [AGE-2]"),
    ("lives at 221 Baker Street, Apt 4", "lives at [LOC-1]"),
    ("transferred from St. Mary Hospital", "transferred from [LOC-1]"),
    ("Name: OKONKWO, Chidi", "Name: [NAME-1]"),
    ("Robert B., diagnosed with sepsis", "[NAME-1], diagnosed with sepsis"),
    ("于2024年3月5日入院", "于[DATE-1]入院"),
    ("二〇二四年三月五日出院", "[DATE-1]出院"),
    ("3月5日复查", "[DATE-1]复查"),
    ("住院号：ZY123456", "住院号：[ID-1]"),
    ("身份证110101196205031234", "身份证[ID-1]"),
    ("电话：010-66778899", "电话：[PHONE-1]"),
    ("手机13812345678", "手机[PHONE-1]"),
    ("患者赵云飞，男，45岁", "患者[NAME-1]，男，45岁"),
    ("姓名：孙丽华 性别：女", "姓名：[NAME-1] 性别：女"),
    ("医师签名：钱学文", "医师签名：[NAME-1]"),
    ("周建平主任医师查房", "[NAME-1]主任医师查房"),
    ("家住江苏省南京市鼓楼区中山路18号", "家住[LOC-1]"),
    ("九十三岁", "[AGE-1]岁"),
    ("于2023-04-12在门诊", "于[DATE-1]在门诊"),
    ("邮箱a.b@c.org，IP为10.1.20.3。", "邮箱[EMAIL-1]，IP为[IP-1]。"),
    ("由Dr. Smith签名", "由Dr. [NAME-1]签名"),
    ("seen by Dr Sørensen", "seen by Dr [NAME-1]"),
    ("٢٠٢٤-٠٣-٠٥", "[DATE-1]"),
    ("病人李某诉头痛", "病人[NAME-1]诉头痛"),
]

KEPT = [
    "BP 120/80, HR 88, RR 16, T 36.8, SpO2 97% on 2 L/min",
    "10-20-30 mg three times daily; NPH 10-0-12 units",
    "ICD E11.9, I10; LOINC 2345-7; G2P1; TNM T2N1M0",
    "Penicillin G 2400000 units IM, vancomycin 1000 mg q12h",
    "Na 140, K 4.1, creatinine 1.2 mg/dL (0.6-1.3), pH 7.35, INR 2.5",
    "2/6 systolic murmur, strength 5/5, GCS 14/15, NEWS2 5",
    "Parkinson disease, Graves disease, Crohn disease; Foley catheter",
    "72-year-old woman, 3 weeks ago, every 8 hours, in 2019",
    "Vitamin D. given; Hepatitis B. vaccine due; Type A. influenza",
    "may be discharged; will follow; rose to 38.5 C",
    "Patient Denies chest pain. Nurse Manager informed.",
    "体温38.5℃，血压120/80mmHg，心率88次/分，WBC 12.3×10^9/L",
    "患者高热3天，伴咳嗽、咳痰，无胸痛。白细胞升高，黄疸不明显。",
    "患者于昨日出现腹痛，5日前曾服用阿莫西林胶囊0.5g，每日3次",
    "请心内科会诊，住院医师已查看，主治医师意见同前",
    "患者何时发病不详，平时体健，时有头晕，易怒，严重乏力",
    "72岁，女，NEWS2评分5分，GCS 14分",
]


@pytest.mark.parametrize(("text", "expected"), REMOVED)
def test_identifiers_go_by_their_form(text: str, expected: str) -> None:
    assert BLIND.clean(text).text == expected


@pytest.mark.parametrize("text", KEPT)
def test_medicine_stays(text: str) -> None:
    assert BLIND.clean(text).text == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("vickers, anna and A. Vickers", "[NAME-1] and [NAME-2]"),
        ("Anna's cannabis use; Hanna came", "[NAME-1]'s cannabis use; Hanna came"),
        ("AnnaVickers ok", "[NAME-1] ok"),
        ("no 100 456 78 here", "no [ID-1] here"),
        ("Robert brought her", "[NAME-1] brought her"),
        ("DOB 7 March 1950 or 03071950", "DOB [DATE-1] or [DATE-2]"),
        ("of 12 elm road, springfield.", "of [LOC-1], [LOC-2]."),
        ("ring 123 4567", "ring [PHONE-1]"),
    ],
)
def test_known_identifiers_go_however_written(text: str, expected: str) -> None:
    assert KNOWING.clean(text).text == expected


@pytest.mark.parametrize(
    ("known", "text", "expected"),
    [
        (("欧阳", "晓明"), "歐陽曉明今日訴頭痛", "[NAME-1]今日訴頭痛"),
        (("歐陽", "曉明"), "欧阳晓明今日诉头痛", "[NAME-1]今日诉头痛"),
        (("歐陽", "晓明"), "家属见歐阳曉明好转", "家属见[NAME-1]好转"),
    ],
)
def test_a_name_goes_in_traditional_and_in_simplified_characters(
    known: tuple[str, str], text: str, expected: str
) -> None:
    patient = Patient(ids=(PatientId("7"),), names=(PersonName(*known),))
    cleaner = TextCleaner(KnownTerms(terms_of(known_of(patient))))
    assert cleaner.clean(text).text == expected
    assert not cleaner.passes(text)


def test_known_chinese_identifiers_go() -> None:
    found = ZH.clean("晓明诉腹痛，妻李桂芳代述，住院号zy 0098231。")
    assert found.text == "[NAME-1]诉腹痛，妻[NAME-2]代述，住院号[ID-1]。"


def test_marks_are_numbered_per_value() -> None:
    found = KNOWING.clean("Vickers ate. VICKERS slept. Robert sat. Vickers left.")
    assert found.text == "[NAME-1] ate. [NAME-1] slept. [NAME-2] sat. [NAME-1] left."


def test_spans_are_code_points_of_the_input() -> None:
    text = "𝔄 Ａｎｎａ Ｖｉｃｋｅｒｓ came"
    (span,) = KNOWING.clean(text).spans
    assert text[span.start : span.end] == "Ａｎｎａ Ｖｉｃｋｅｒｓ"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("caf\ufffd", "undecodable"),
        ("a\x00b", "undecodable"),
        ("\ud800", "undecodable"),
        ("a" * 200_001, "too_long"),
        ("seenannavickersnow", "residual_identifier"),
    ],
)
def test_what_cannot_be_cleaned_is_held_back(text: str, code: str) -> None:
    found = KNOWING.clean(text)
    assert (found.text, found.held, found.spans) == (None, code, ())


@pytest.mark.parametrize(
    "unit",
    ["1 ", "a.", "1-1-", "@", "a@a.", "Aaa ", "王", "1", "患者一二三", "Dr. A", " ", "name: ", "a:",
     "12/", "A1", "王某在市区路", "Aaa Bbb Ccc 12 ", "\u200b", "MRN ", "20240305", "x\u0301",
     "12/5 ",
     "Dr. May Rose, may ", "妻李三 13812345678 ", "A1-"],
)  # fmt: skip
@timed
def test_no_text_takes_long(unit: str) -> None:
    text = repeated(unit, 100_000)
    KNOWING.clean(unit)
    assert_works_within(2.0, lambda: KNOWING.clean(text))


def test_a_name_of_any_length_is_found_whole_and_stops_no_process() -> None:
    """Python dies of an automaton that is as deep as a megabyte is long."""
    long = "".join(f"word{number}" for number in range(250_000))
    cleaner = TextCleaner(KnownTerms([Term(long, "NAME", is_strong=True)]))
    begin = long[:2_998]
    assert cleaner.clean(f"seen {begin} today").text == "seen [NAME-1] today"
    whole = TextCleaner(KnownTerms([Term(long[:4_321], "NAME", is_strong=True)]))
    assert whole.clean(f"seen {long[:4_321]} today").text == "seen [NAME-1] today"
