# ruff: noqa: E501  (a case is one line)
"""Every kind of identifier that HIPAA's Safe Harbor and PIPL name: gone from a note, without being known
from anywhere, and every person and number of every segment: gone from the fields and the notes.
"""

import pytest

from services.privacy.free_text import TextCleaner
from tests.unit.privacy.bad_inputs import EN_PID, message, sent, shown

SAFE_HARBOR = {  # 45 CFR 164.514(b)(2)(i), (A) to (R)
    "A-names": (
        "Seen by Mrs Zorquel with Dr Tannith Marchetti.",
        ["Zorquel", "Tannith", "Marchetti"],
    ),
    "B-geography": (
        "Lives at 221 Baker Street, Apt 4, Springfield, IL 62704.",
        ["221 Baker", "Springfield", "62704"],
    ),
    "C-dates": (
        "Admitted 03/05/2024, born March 7, 1950, aged 93.",
        ["03/05/2024", "March 7", "93"],
    ),
    "D-telephone": ("Phone (617) 555-0199.", ["555-0199"]),
    "E-fax": ("Fax: 617-555-0188.", ["555-0188"]),
    "F-mail": ("Mail tannith.z@example.org.", ["tannith.z"]),
    "G-social-security": ("SSN 943-47-6582.", ["943-47-6582"]),
    "H-record": ("MRN: 00-12345, chart no 887766.", ["00-12345", "887766"]),
    "I-plan": (
        "Health plan beneficiary number 1EG4-TE5-MK73, Medicaid ID 8827364.",
        ["1EG4", "8827364"],
    ),
    "J-account": ("Account number 4451-2287, acct 998877.", ["4451", "998877"]),
    "K-licence": (
        "License no. D1234567; DEA BX1234563; NPI 1234567893.",
        ["D1234567", "BX1234563", "1234567893"],
    ),
    "L-vehicle": (
        "VIN 1HGCM82633A004352, plate number ABC-1234.",
        ["1HGCM82633A004352", "ABC-1234"],
    ),
    "M-device": (
        "Pacemaker serial number SN-884213, UDI 00884838000865.",
        ["884213", "00884838000865"],
    ),
    "N-url": (
        "See https://portal.example/p/7?t=abc and www.zorquel.example.",
        ["portal.example", "zorquel"],
    ),
    "O-ip": ("From 10.1.20.3 and 2001:db8:85a3:0:0:8a2e:370:7334.", ["10.1.20.3", "2001:db8"]),
    "R-other": ("Study ID TRX-100294, specimen 24-887123.", ["100294", "887123"]),
}  # P and Q, biometrics and photographs, are attachments: below
PIPL = {  # Articles 28, 29, 73, and the kinds of GB/T 35273-2020, annex A
    "name": ("患者赵云飞，男。", ["赵云飞"]),
    "resident-id": ("身份证号110101196205031234。", ["110101196205031234"]),
    "phone": ("手机13812345678，座机010-66778899。", ["13812345678", "66778899"]),
    "address": ("现住江苏省南京市鼓楼区中山路18号3栋201室。", ["鼓楼区", "中山路18号", "201室"]),
    "passport": ("护照号E12345678。", ["E12345678"]),
    "officer-card": ("军官证号军字第2001988号，证件号码2001988。", ["2001988"]),
    "social-security-card": ("社保卡号320100199001。医保卡号A88771234。", ["320100199001", "A88771234"]),
    "bank-card": ("银行卡号6222021234567890123。", ["6222021234567890123"]),
    "wechat-and-qq": ("微信号zhao_yf88，QQ号88123477。", ["zhao_yf88", "88123477"]),
    "mail": ("邮箱zhao.yf@example.cn。", ["zhao.yf"]),
    "plate": ("车牌号苏A·12345。", ["12345"]),
    "birth-date": ("1962年5月3日出生。", ["1962年5月3日", "5月3日"]),
    "record-number": ("住院号ZY123456，病案号00887766。", ["ZY123456", "00887766"]),
}  # fmt: skip


def staff(which: str) -> str:
    return f"D77{which}^Stafford{which}^Ulmanda"


def segment(name: str, fields: dict[int, str]) -> str:
    """Return a segment with these fields, by their numbers."""
    return "|".join([name, *(fields.get(number, "") for number in range(1, max(fields) + 1))])


AT = "20240305115900+0000"
NOTE = (
    "Kinsworth and Contactson rang (555) 700-0001; Guarantson and Insuredson pay, POL887123. Staffordpda, Staffordrol, "
    "Staffordprt, Staffordorca, Staffordorcb, Staffordorcc, Staffordobra, Staffordobrb, Staffordobrc, Staffordobx agree: stable"
)
PEOPLE = [
    segment("PD1", {4: staff("pda")}),
    segment("NK1", {1: "1", 2: "Kinsworth^Obelia", 3: "SPO", 4: "9 Kinlane^^Kinham", 5: "(555) 700-0001", 6: "(555) 700-0002",
                    12: "KIN88123^^^K", 30: "Contactson^Wilmot", 31: "(555) 700-0003", 33: "KIN99123"}),
    segment("GT1", {1: "1", 2: "GT771188", 3: "Guarantson^Perla", 5: "8 Guarlane", 6: "(555) 700-0004", 8: "19510203", 12: "908-11-2233"}),
    segment("IN1", {1: "1", 2: "PLAN", 3: "CO1", 4: "INS CO", 16: "Insuredson^Milo", 18: "19520304", 19: "7 Inslane", 36: "POL887123", 49: "SUB776612"}),
    segment("IN2", {1: "EMP771234", 2: "908-44-5566"}),
    segment("ROL", {1: "1", 2: "AD", 3: "PP", 4: staff("rol")}),
    segment("PRT", {1: "1", 2: "AD", 4: "AT", 5: staff("prt")}),
    segment("ORC", {1: "RE", 2: "PLACER88123", 3: "FILLER88123", 10: staff("orca"), 11: staff("orcb"), 12: staff("orcc")}),
    segment("OBR", {1: "2", 2: "PLACER99123", 3: "FILLER99123", 4: "85353-1^Vital signs^LN", 7: AT, 10: staff("obra"), 16: staff("obrb"), 28: staff("obrc")}),
    segment("OBX", {1: "9", 2: "NM", 3: "8867-4^Heart rate^LN", 5: "88", 6: "/min", 11: "F", 14: AT, 16: staff("obx")}),
    segment("NTE", {1: "1", 3: NOTE}),
    segment("ZPI", {1: "1", 2: "ZVALUE88123", 3: "Zedson^Ada"}),
]  # fmt: skip
OF_PEOPLE = (
    "Kinsworth", "Obelia", "9 Kinlane", "Kinham", "(555) 700-0001", "(555) 700-0002", "KIN88123", "Contactson",
    "(555) 700-0003", "KIN99123", "GT771188", "Guarantson", "8 Guarlane", "(555) 700-0004", "908-11-2233",
    "Insuredson", "7 Inslane", "POL887123", "SUB776612", "EMP771234", "908-44-5566", "PLACER88123", "FILLER88123",
    "PLACER99123", "FILLER99123", "ZVALUE88123", "Zedson", "19510203", "19520304", "D77pda", "D77rol", "D77prt",
    "D77orca", "D77obra", "D77obx", "D4411", "V2024991",
    *(f"Stafford{which}" for which in ("pda", "rol", "prt", "orca", "orcb", "orcc", "obra", "obrb", "obrc", "obx")),
)  # fmt: skip


@pytest.mark.parametrize("kind", [*SAFE_HARBOR, *PIPL])
def test_every_kind_goes_by_its_form(kind: str) -> None:
    text, gone = (SAFE_HARBOR | PIPL)[kind]
    cleaned = TextCleaner().clean(text)
    assert cleaned.text is not None
    assert [one for one in gone if one in cleaned.text] == []


@pytest.mark.parametrize(
    "kind", ["application^jpeg", "image^png", "application^octet-stream", "application^dicom"]
)
def test_biometrics_and_photographs_do_not_pass(kind: str) -> None:
    left = sent(message(("ED", f"APP^{kind}^Base64^/9j/4AAQSkZJRgABAQEAYABgAAD")))
    assert left.fate == "cleaned"
    assert "4AAQSk" not in left.out


def test_people_and_numbers_of_every_segment_go_from_fields_and_notes() -> None:
    left = sent(message("ok", pid=EN_PID, more=PEOPLE))
    assert shown(left, OF_PEOPLE) == []
    assert "stable" in "\n".join(left.texts)
    assert [one.value for one in left.events[0].observations if one.value] == [88.0]
