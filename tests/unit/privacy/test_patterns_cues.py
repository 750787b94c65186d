"""Days, places, marks of things and signatures by their cue: all invented, written apart from the
notes that they were made for.
"""

import pytest

from services.privacy.free_text import TextCleaner
from services.privacy.patterns import find_patterns
from services.privacy.patterns_days import DAYS_EN, DAYS_ZH
from services.privacy.patterns_marks import MARKS_EN
from services.privacy.patterns_places import PLACES_EN
from services.privacy.patterns_signed import SIGNED_EN

GOES = [
    ("plan as above\n9/4 WR Hughes: stable", "9/4"),
    ("clips out 9/3 Dr to review", "9/3"),
    ("LMP 11.03, urine neg", "11.03"),
    ("fell at Hogmanay, did not present", "Hogmanay"),
    ("first seen in spring 2021 with cough", "spring 2021"),
    ("booked for the second half of October", "second half of October"),
    ("dressing changed 4-xi-23 at home", "4-xi-23"),
    ("back on the 19th with results", "the 19th"),
    ("admitted on March eleventh with a cough", "March eleventh"),
    ("in Thornbury unit Feb. 3 to 19, then home", "Feb. 3 to 19"),
    ("PSG DEC 12 shows", "DEC 12"),
    ("at 4 Heron Cottages since", "4 Heron Cottages"),
    ("for home. QV ENP", "QV"),
    ("settled overnight\nqv rgn", "qv"),
    ("Kind regards\nQVH:bs", "QVH:bs"),
    ("D&T 10/31 qv", "qv"),
    ("plan as above. P McQ ST4", "P McQ"),
    ("line sited by QV, good flow", "QV"),
    ("rang from tag 0228 on", "0228"),
    ("骨穿18日上午做", "18日"),
    ("于7号复查胸片", "7号"),
    ("三月末起咳嗽", "三月末"),
    ("address: 9 Kite Walk, Hull", "9 Kite Walk, Hull"),
    ("lives in Suite 412 of the block", "Suite 412"),
    ("my zip code is 40118", "40118"),
    ("transferred from KTPH overnight", "KTPH"),
    ("knocked down, RTC on the A127", "A127"),
    ("was admitted to Cedars-Sinai last week", "Cedars-Sinai"),
    ("records of Stanford Health", "Stanford Health"),
    ("theatre list at the Brompton", "Brompton"),
    ("exhibit MN 44821 sealed", "MN 44821"),
    ("taxi no TN 07 BX 1182 seen leaving", "TN 07 BX 1182"),
    ("hit by a silver van, LK67 XQD, at 30 mph", "LK67 XQD"),
    ("struck by AB12 CVE", "AB12 CVE"),
    ("RTC vs vehicle 7KXR482", "7KXR482"),
    ("MVA: car KJX-4482 left the scene", "KJX-4482"),
    ("pedestrian hit by bus 4482 KJX", "4482 KJX"),
    ("thrown from car, A482 KJX", "A482 KJX"),
    ("seen leaving, reg. LK 67 XQD", "LK 67 XQD"),
    ("driver of M-XK 4482, air bag went off", "M-XK 4482"),
    ("his motorbike 191-D-44821", "191-D-44821"),
    ("骑车时被京A1234警撞倒", "京A1234警"),
    ("nhs no 4 0 9 1 1 8 2 2 7 5 checked", "4 0 9 1 1 8 2 2 7 5"),
    ("bleep 4471 if worse", "4471"),
    ("Sonographer QV. Machine ok", "QV"),
    ("dressing done by J.K. today", "J.K."),
    ("letter typed by jw2", "jw2"),
    ("message from dr_adeyemi at noon", "dr_adeyemi"),
    ("ok for home, dr tunnicliffe aware", "tunnicliffe"),
]
STAYS = [
    "power 4/5 in both legs, reflexes 2/4; pain 7/10, GCS 14/15",
    "for 3/7, then review in 6/52 or 2/12",
    "seen by ED, reviewed by ICU; reported by CT; done by IR",
    "pH 7.11, K 5.4, INR 1.2 and WBC 11.03",
    "admitted to Medicine, transferred to Stepdown; seen at Orthopaedics",
    "RTC, GCS 150, car at 100 MPH, ISS 250; driver, BAC 250 mg/dL; MVA 2019 CTA; van at 100 KPH",
    "CD34 NEG, KI67 POS, IL17 RAB; seen from the car, room 12 B, HLA-B*57:01",
    "2nd toe, 5th metacarpal, the 3rd ventricle; 10th percentile",
    "发热3日，第2日起咳嗽，嗜睡2日",
    "EXAMINATION: MAMMOGRAM, KIDNEYS normal, EXTREMITY cold",
    "Urea 14 Cr 132, urine 300, passed 5 stools",
    "lobe 48 x 18 x 16 mm, IS 1250 x10/h",
    "VA 6/9 R, 6/5 L. Fluorescein neg; on 2 L. Abdo soft; EFW ok Cat I. Vtx",
    "Breast Clinic, Fracture Clinic; Norco 5/325; RBBB+LAFB, PR 212",
    "for home today. TED on. ABG ok. CT MD",
    "Nearest Station known. At the Bedside: calm",
]


@pytest.mark.parametrize(("text", "goes"), GOES)
def test_a_cue_tells(text: str, goes: str) -> None:
    cleaned = TextCleaner().clean(text)
    assert goes in {text[span.start : span.end] for span in cleaned.spans}


@pytest.mark.parametrize("text", STAYS)
def test_scores_durations_and_departments_stay(text: str) -> None:
    assert TextCleaner().clean(text).text == text


@pytest.mark.parametrize(
    "piece", ["seen by ", "1/2 ", "address: A ", "at the A", "A B ", "20日", "No 4 "]
)
def test_long_texts_take_no_longer_than_their_length(piece: str) -> None:
    patterns = DAYS_EN + DAYS_ZH + MARKS_EN + PLACES_EN + SIGNED_EN
    text = piece * (20_000 // len(piece))
    assert len(list(find_patterns(text, patterns))) <= len(text)
