"""Initials of known people: where a person stands, never where medicine has an abbreviation."""

import pytest

from contracts.identified import Encounter, PersonName, Staff
from services.privacy.initials import find_initials, initials_of
from tests.unit.privacy.builders import MING, a_body, cleaner_of

STAFF = (
    Staff("D1", "attending", PersonName("Turner", "Kim")),
    Staff("D2", "consulting", PersonName("Evans", "Paul")),
)
KNOWING = cleaner_of(a_body(encounter=Encounter(number="V-2024-991", staff=STAFF)))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (PersonName("Smith", "Jane"), {"JS", "SJ"}),
        (PersonName("Smith", "Jane", "May"), {"JS", "SJ", "JMS", "SJM"}),
        (PersonName("van den Berg", "Jan"), {"JV", "VJ", "JB", "BJ"}),
        (PersonName("O'Brien", "Mary-Ann"), {"MO", "OM", "MAO", "OMA", "MAB", "BMA", "MB", "BM"}),
        (PersonName("王", "晓明"), {"WXM", "XMW"}),
        (PersonName("Smith"), set()),
    ],
)
def test_the_initials_of_a_name(name: PersonName, expected: set[str]) -> None:
    assert initials_of(name) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A.V. slept well.", "[NAME-1] slept well."),
        ("A. L. V. slept.", "[NAME-1] slept."),
        ("Plan d/w K.T. today", "Plan d/w [NAME-1] today"),
        ("Plan d/w KT.", "Plan d/w [NAME-1]."),
        ("dressing changed by KT.", "dressing changed by [NAME-1]."),
        ("Obs stable /KT\nfasting", "Obs stable /[NAME-1]\nfasting"),
        ("Fasting from midnight.\nKT", "Fasting from midnight.\n[NAME-1]"),
        ("Fasting. -- KT\n", "Fasting. -- [NAME-1]\n"),
        ("KT, 74 F, from home", "[NAME-1], 74 F, from home"),
        ("KT reviewed the film", "[NAME-1] reviewed the film"),
        ("P.E. informed", "[NAME-1] informed"),  # with points
        ("signed: PE", "signed: [NAME-1]"),
        ("d/w PE, agrees", "d/w [NAME-1], agrees"),
    ],
)
def test_initials_go_where_a_person_stands(text: str, expected: str) -> None:
    assert KNOWING.clean(text).text == expected


@pytest.mark.parametrize(
    "text",
    [
        "PE was excluded by CT.", "SOB/PE", "c/w PE.", "PE\nDVT", "- PE", "confirmed by PE.",
        "AV block; RV dilated; AV fistula, seen by RV.", "KT scale 4", "the KT line was flushed",
        "PE, 74 F", "ruled out PE.", "grade KTx, KT2", "I.V. fluids, P.O. intake",
    ],
)  # fmt: skip
def test_abbreviations_stay(text: str) -> None:
    kept = "AV block; RV dilated; AV fistula, seen by [NAME-1]."
    assert KNOWING.clean(text).text == (kept if "seen by" in text else text)


@pytest.mark.parametrize(
    "text",
    ["MI excluded by CT. d/w CT, GI and IR", "K. pneumoniae", "P.O. and I.V., M.D., R.N.",
     "reviewed by GI. d/w ID."],
)  # fmt: skip
def test_services_titles_and_routes_stay_whoever_is_known(text: str) -> None:
    known = {"MI", "CT", "GI", "IR", "PO", "IV", "MD", "RN", "ID"}
    assert [text[s.start : s.end] for s in find_initials(text, known)] == []


def test_the_initials_of_a_chinese_name_go() -> None:
    zh = cleaner_of(a_body(MING, encounter=None))
    assert zh.clean("护士签名:OYXM").text == "护士签名:[NAME-1]"
    assert zh.clean("by OYXM.").text == "by [NAME-1]."


def test_nothing_known_finds_nothing() -> None:
    assert list(find_initials("signed: KT, A.V.", frozenset())) == []
