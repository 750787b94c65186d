"""Short texts of a site: who is named in one is marked, and terms of medicine stay."""

# ruff: noqa: E501  (tables)
from pathlib import Path

import pytest

from services.privacy.fields import local_or_empty, place_or_empty
from services.privacy.free_text import TextCleaner
from services.privacy.tagger.manifest import load_tagger
from services.privacy.tagger.shipped import SHIPPED_DIGEST
from tests.unit.privacy.bad_inputs import EN_PID, message, sent, shown
from tests.unit.privacy.builders import MING, a_body, cleaner_of

TAGGERS = Path(__file__).parents[3] / "data/taggers/deid"
TERMS = """
Parkinson's disease|Hodgkin lymphoma|Behcet disease|Lou Gehrig disease|Guillain-Barre syndrome|Marshall-Smith syndrome|Crohn disease
Rocky Mountain spotted fever|Epstein-Barr virus Ab|Glasgow coma score total|Coombs test|Candida esophagitis|Helicobacter pylori Ab
Alanine aminotransferase|Hemoglobin [Mass/volume] in Blood|Chloride in Serum|Heart rate|Lipid Panel|Penicillin G|Augmentin|Lipitor
Amoxicillin 500 MG Oral Capsule|Fall on same level from slipping, tripping and stumbling|Pedestrian injured in collision with car
Problems in relationship with spouse or partner|ED Physician Notes|Progress note|Nightingale Ward|Medical Intensive Care Unit|3N
帕金森病|霍奇金淋巴瘤|白塞病|川崎病|艾迪生病|格林巴利综合征|阿莫西林|伊立替康|卡马西平|云南白药|高血压病3级 极高危|青霉素过敏|心血管内科二病区
10*3/uL|mmol/L|3.5-5.1|0.1-1.0|< 100|> 60 mL/min/1.73m2|twice daily|rash|皮疹
"""
NAMED = (
    ("Assaulted by neighbour Peter Grantham", "Grantham"),
    ("Head injury, coworker Peter Grantham", "Grantham"),
    ("Donor Peter Grantham crossmatch", "Grantham"),
    ("Penicillin per Dr Margaret Holloway", "Holloway"),
    ("reported by wife Margaret Holloway", "Holloway"),
    ("Letter about Peter Grantham", "Grantham"),
    ("Fall, found by Oluchi Ezenwa", "Ezenwa"),
    ("Fall in a 97-year-old woman", "97"),
    ("Injury on 3 March 2024", "March"),
    ("Fall, call 415-555-2671", "2671"),
    ("Pedestrian injured in collision with car LK67 XQD", "XQD"),
    ("Hit by van KJX-4482", "4482"),
    ("被苏A·K4482撞伤", "K4482"),
    ("被邻居张建军打伤", "张建军"),
    ("被其儿子张建军推倒", "张建军"),
    ("三月五日外伤", "三月五日"),
    ("97岁跌倒", "97"),
    ("Sister Ward rang", "Ward"),
    ("d/w Ward", "Ward"),
    ("carer Ward", "Ward"),
    ("reported by Wing", "Wing"),
    ("Midwife Ward rang", "Ward"),
)


@pytest.fixture(scope="module")
def cleaner() -> TextCleaner:
    (version,) = TAGGERS.iterdir()
    return TextCleaner(tagger=load_tagger(version, SHIPPED_DIGEST))


@pytest.mark.parametrize(
    "term", [one for line in TERMS.split("\n") for one in line.split("|") if one]
)
def test_a_term_of_medicine_stays(cleaner: TextCleaner, term: str) -> None:
    assert cleaner.label(term) == term


@pytest.mark.parametrize(("text", "secret"), NAMED)
def test_who_is_named_is_marked_and_the_rest_stays(
    cleaner: TextCleaner, text: str, secret: str
) -> None:
    label = cleaner.label(text)
    assert secret not in label
    assert "[" in label
    assert not cleaner.passes(text)


def test_a_text_is_tagged_once_whoever_the_patient_is() -> None:
    class Counting:
        texts = 0

        def find(self, _: str) -> list[object]:
            self.texts += 1
            return []

    tagger = Counting()
    for _ in range(3):
        assert TextCleaner(tagger=tagger).label("Sprain of ankle") == "Sprain of ankle"  # type: ignore[arg-type]  # finds none
    assert tagger.texts == 1


@pytest.mark.parametrize(
    ("lines", "secrets"),
    [
        (("DG1|1||S06^Assaulted by neighbour Peter Grantham^I10||20240301|A",), ("Grantham",)),
        (("DG1|1||S06^被邻居张建军打伤^I10||20240301|A",), ("张建军",)),
        (("AL1|1|DA|^Latex gloves of Margaret Holloway^L|SV|Margaret Holloway noticed rash",), ("Holloway",)),
    ],
)  # fmt: skip
def test_nobody_leaves_by_a_diagnosis_or_an_allergy(
    cleaner: TextCleaner, lines: tuple[str, ...], secrets: tuple[str, ...]
) -> None:
    frame = message(kind="ADT^A01^ADT_A01", pid=EN_PID, more=lines)
    left = sent(frame, cleaner._tagger)
    assert left.fate == "cleaned"
    assert shown(left, secrets) == []


@pytest.mark.parametrize(
    "line",
    [
        "OBX|1|NM|X1^Donor Peter Grantham crossmatch^L||80||||||F",
        "OBX|1|CWE|X1^Donor^L||D1^Peter Grantham^L||||||F",
        "OBX|1|NM|X1^x^L||80|Peter Grantham|1-2|H|||F",
        "OBX|1|NM|X1^x^L||80|u|per Dr Peter Grantham|H|||F",
    ],
)
def test_nobody_leaves_by_what_a_result_is_called(cleaner: TextCleaner, line: str) -> None:
    left = sent(message(more=(line,)), cleaner._tagger)
    assert left.fate == "cleaned"
    assert shown(left, ("Grantham",)) == []


def test_a_ward_of_one_word_is_called_after_somebody_and_of_more_is_searched(
    cleaner: TextCleaner,
) -> None:
    ward, named = (
        sent(message().replace("MICU^1^A", unit), cleaner._tagger).events[0].stay
        for unit in ("Nightingale^1^A", "Praxis Dr Margaret Holloway^1^A")
    )
    assert ward is not None
    assert named is not None
    assert (ward.unit, named.unit) == ("Nightingale", "")


WARDS_ZH = (
    "心血管内科二病区 重症医学科 神经外科一区 新生儿重症监护室 呼吸内科三区 东区 南楼 三楼东 逸夫楼 江北院区 爱婴区 一病区 病房 加床 手术室 卒中单元"
    " 急诊留观 林巧稚病房 华西病区 黄河路院区 宁养院 东院 ICU ICU一区 MICU Nightingale"
)
NO_WARDS_ZH = (
    "患者张建军转自苏州工业园区 浙江省杭州市西湖区文三路 张伟医生 北京市朝阳区建国路八十八号张建军家 张建军 张建军主任科室 李医生办公室 西湖区 王芳室 李小明床"
    " 建国门内大街一区 患者王芳病区 王芳女士病房 南山医院"
)


@pytest.mark.parametrize("place", WARDS_ZH.split())
def test_a_ward_stays(cleaner: TextCleaner, place: str) -> None:
    assert place_or_empty(place, cleaner) == place


@pytest.mark.parametrize("place", NO_WARDS_ZH.split())
def test_a_sentence_an_address_or_somebody_is_no_ward(cleaner: TextCleaner, place: str) -> None:
    assert place_or_empty(place, cleaner) == ""
    left = sent(message().replace("MICU^1^A", f"{place}^{place}^{place}"), cleaner._tagger)
    assert place not in left.out


def test_a_ward_that_is_called_as_the_patient_does_not_leave() -> None:
    knowing = cleaner_of(a_body(MING))
    assert place_or_empty("欧阳晓明三区", knowing) == ""
    assert place_or_empty("逸夫楼", knowing) == "逸夫楼"


@pytest.mark.parametrize(
    "text", ["seen by \u202esrekciV\u202c", "Zorq\ufffdvel Tannith rash", "a\x00b rash", "a\ud800b"]
)
def test_a_short_text_that_cannot_be_read_is_held(cleaner: TextCleaner, text: str) -> None:
    assert cleaner.label(text) == ""
    assert not cleaner.passes(text)
    assert local_or_empty(text, TextCleaner()) == ""
