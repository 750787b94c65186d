import pytest

from services.privacy.free_text import TextCleaner
from services.privacy.gazetteers import find_places_zh
from services.privacy.patterns import find_patterns
from services.privacy.patterns_context import CONTEXT_EN, CONTEXT_ZH
from tests.support.timing import assert_works_within, timed

GOES = [
    ("Lives with niece Perpetua and her cat", "Perpetua"),
    ("handover to SN Ogunleye at 0700", "Ogunleye"),
    ("films reviewed by K. Szymborska today", "K. Szymborska"),
    ("agreed with the plan / H Adebisi, para", "H Adebisi"),
    ("Consent: Trevelyan, J.M. in the presence of", "Trevelyan, J.M."),
    ("seen by Siobhan Kavanagh before lunch", "Siobhan Kavanagh"),
    ("told that Gwendoline will visit", "Gwendoline"),
    ("moved in with a cousin in Wolverhampton", "Wolverhampton"),
    ("records came from Tullamore today", "Tullamore"),
    ("pupil at Larkfield Primary School", "Larkfield Primary School"),
    ("confirmed at St Agatha's, last month", "St Agatha's"),
    ("记录：古丽夏提", "古丽夏提"),
    ("女婿蔺守则陪同来院", "蔺守则"),
    ("室友Chinedu Eze代述病史", "Chinedu Eze"),
    ("联系护工小邬，已到", "邬"),
    ("肝胆外科佟远山会诊：建议保守", "佟远山"),
    ("冯守田，68岁，反复咳嗽", "冯守田"),
    ("。糜主任查房：继续原方案", "糜"),
    ("请阿依努尔医生看过", "阿依努尔"),
    ("自称姓佘，无证件", "佘"),
    ("予饮水。洛桑加措 8.21", "洛桑加措"),
    ("扎西顿珠 13908917445", "扎西顿珠"),
    ("家在贵南县，放牧", "贵南县"),
    ("已通知家属。8/14", "8/14"),
    ("于5-21在腰麻下手术", "5-21"),
    ("6月复查胸片", "6月"),
]
STAYS = [
    "T. Cordarone 200 OD, T. Glycomet 500 BD; C. Doxy 100",
    "blood grew E. Coli, later S. Aureus and K. Pneumoniae",
    "Son reports no fever. Wife Today absent. Nurse Reviewed the chart.",
    "D/C Foley, Framingham risk 12 %, Bogota bag, Factor V Leiden",
    "General Surgery, Plastic Surgery and Secondary School leavers",
    "vitamin D. Continue with it, hepatitis B. Vaccine given",
    "诊断：肺炎。记录：无。会诊：暂无。核对：正常",
    "患儿母乳喂养，子宫切除术后，外周血片见幼稚粒细胞",
    "主任医师查房，上级医师查房，管床医师，值班医生到场",
    "云南白药喷剂外用，2月余，3个月前，体重6.5kg",
]


@pytest.mark.parametrize(("text", "goes"), GOES)
def test_who_or_where_is_told_by_what_stands_before(text: str, goes: str) -> None:
    cleaned = TextCleaner().clean(text)
    assert goes in {text[span.start : span.end] for span in cleaned.spans}


@pytest.mark.parametrize("text", STAYS)
def test_ordinary_words_and_medicine_stay(text: str) -> None:
    assert TextCleaner().clean(text).text == text


@pytest.mark.parametrize(
    "piece",
    ["A. ", "Aa ", "son ", "Aa Aa Surger", "李", "医师:", "护士Aa ", "王主任", "1380013", "王·"],
)
@timed
def test_time_grows_with_the_text_and_no_faster(piece: str) -> None:
    text = (piece * 30_000)[:30_000]

    def find() -> None:
        for _ in (*find_patterns(text, (*CONTEXT_EN, *CONTEXT_ZH)), *find_places_zh(text)):
            pass

    assert_works_within(0.6, find)  # 2 s for 100 KB
