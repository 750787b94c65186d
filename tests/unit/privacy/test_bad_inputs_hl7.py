# ruff: noqa: E501  (a case is one line)
"""Each bad input of HL7 is cleaned, held back sealed or refused; nothing that was planted leaves.

docs/bad-inputs.md says which case answers which bad input; a test compares the two.
"""

import base64
import random
from dataclasses import dataclass
from urllib.parse import quote

import pytest

from tests.support.timing import assert_works_within, timed
from tests.unit.privacy.bad_inputs import (
    EN_PID,
    EN_SECRETS,
    ZH_PID,
    ZH_SECRETS,
    Fate,
    limit_s,
    message,
    sent,
    shown,
)

FULL = "Anna Vickers, MRN 10045678, 12 Elm Road, tel (555) 123-4567, 943-47-6582. Stable."
FULL_ZH = (
    "患者欧阳晓明，住院号ZY0098231，身份证110101196205031234，住建国路88号，电话13812345678。平稳。"
)
CYRILLIC = str.maketrans("aeicopAEOPC", "аеісорАЕОРС")
NAMES = [f"Zorq{chr(97 + n // 26)}{chr(97 + n % 26)}vel" for n in range(300)]
RTF = "{\\rtf1\\ansi Patient \\'41nna {\\b Vick}ers, MRN 1004\\'35678.}".replace("\\", "\\E\\")
CDA = (
    '<ClinicalDocument><patientRole><id extension="10045678"/><addr>12 Elm Road</addr>'
    '<telecom value="tel:+15551234567"/><name><given>Anna</given><family>Vickers</family></name>'
    "</patientRole></ClinicalDocument>"
)
B64 = base64.b64encode(FULL.encode()).decode()
B64_GB = base64.b64encode("患者欧阳晓明".encode("gb18030")).decode()
B64_LONG = base64.b64encode(b"x" * 4_494 + FULL.encode() + bytes(range(256)) * 20).decode()
HEX_GB = "欧阳晓明".encode("gb18030").hex()
PDF = base64.b64encode(b"%PDF-1.7 (Anna Vickers 10045678) Tj").decode()


@dataclass(frozen=True)
class Case:
    """One bad input. ``secrets`` beside those of the patient; ``kept`` must still be read."""

    name: str
    frame: str | bytes
    fate: Fate = "cleaned"
    secrets: tuple[str, ...] = ()
    kept: str = ""


def pid(name: str, number: str = "10045678") -> str:
    return EN_PID.replace("Vickers^Anna^Louise", name).replace("10045678", number)


CASES = (
    # What is no message, or not in the charset that it says.
    Case("empty", b"", "refused"),
    Case("blank", b"\r\n \r\n", "refused"),
    Case("not-hl7", b"Anna Vickers 10045678", "refused"),
    Case("not-utf8", message(FULL).encode().replace(b"Stable", b"Stable \xff\xfe\xc3("), kept="Stabl"),
    Case(
        "gb18030",
        message(FULL_ZH, pid=ZH_PID, charset="GB 18030-2000").encode("gb18030"),
        kept="平稳",
    ),
    Case("gb18030-undeclared", message(FULL_ZH, pid=ZH_PID, charset="").encode("gb18030"), "held"),
    Case(
        "big5",
        message("患者歐陽曉明，平穩。", pid=pid("歐陽^曉明"), charset="BIG-5").encode("big5"),
        secrets=("歐陽曉明",),
        kept="平穩",
    ),
    Case(
        "latin1",
        message("Zoë Müller-Brontë is well.", pid=pid("Müller-Brontë^Zoë"), charset="8859/1").encode(
            "latin-1"
        ),
        secrets=("Müller", "Brontë", "Zoë"),
        kept="is well",
    ),
    Case("lone-surrogate", message("\ud800 " + FULL), kept="Stable"),
    Case("nul", message("a\x00b " + FULL), "held"),
    Case("bom", b"\xef\xbb\xbf" + message(FULL).encode(), kept="Stable"),
    Case("crlf", message(FULL).replace("\r", "\r\n"), kept="Stable"),
    Case("lf", message(FULL).replace("\r", "\n"), kept="Stable"),
    Case("utf16", message(FULL).encode("utf-16"), kept="Stable"),
    # Size and repetition.
    Case("one-megabyte-text", message((FULL + " ") * 13_000), "held"),
    Case("one-megabyte-token", message("Vickers" * 150_000), "held"),
    Case("dots", message("a." * 20_000 + FULL)),
    Case("hyphens", message("1-" * 20_000 + FULL)),
    Case("at-signs", message("@" * 40_000 + FULL)),
    # Writing that hides.
    Case("emoji", message("🙂 Anna 🙂 Vickers 👩‍⚕️ 10045678 🙂 stable"), kept="stable"),
    Case("combining-marks", message("A\u0301nna Vi\u0308cke\u0323rs stable"), kept="stable"),
    Case(
        "full-width",
        message("Ａｎｎａ Ｖｉｃｋｅｒｓ １００４５６７８ （５５５）１２３－４５６７ ok"),
        secrets=("Ｖｉｃｋｅｒｓ", "１００４５６７８"),
        kept="ok",
    ),
    Case(
        "full-width-unknown-phone",
        message("ring ６１７－５５５－０１９９ ok"),
        secrets=("6175550199",),
        kept="ok",
    ),
    Case("zero-width", message("\u200b".join("Anna Vickers 10045678") + " ok"), kept="ok"),
    Case("soft-hyphens", message("\u00ad".join("Vickers") + " ok"), kept="ok"),
    Case("blank-letters", message("Vick\u3164ers and An\u2800na, 1004\u115f5678 ok"), kept="ok"),
    Case("bidi-isolates", message("\u2067Anna\u2069 \u200fVickers\u200e \u202bok\u202c"), kept="ok"),
    Case("bidi-override", message("\u202esrekciV annA\u202c seen"), "held", secrets=("srekciV",)),
    Case(
        "homoglyphs",
        message("Ms " + "Vickers and Anna".translate(CYRILLIC) + " ok"),
        secrets=("Vickers".translate(CYRILLIC),),
        kept="ok",
    ),
    Case(
        "homoglyphs-unknown-name",
        message("Mrs " + "Zorcopea".translate(CYRILLIC) + " ok"),
        secrets=("Zorcopea", "Zorcopea".translate(CYRILLIC)),
        kept="ok",
    ),
    Case("mathematical-letters", message("𝐕𝐢𝐜𝐤𝐞𝐫𝐬 and 𝔸𝕟𝕟𝕒 ok"), kept="ok"),
    # HL7's own ways to break a value.
    Case(
        "escape-splits-phone",
        message(r"(555) 123\.br\-4567 or 555\T\123\S\4567 or 555\X20\123\X2D\4567 ok"),
        kept="ok",
    ),
    Case(
        "escape-splits-unknown-phone",
        message(r"ring 617\.br\-555\.br\-0199 ok"),
        secrets=("617-555-0199",),
        kept="ok",
    ),
    Case("escape-splits-name", message(r"Vick\X65\rs, \X416E6E61\ ok"), kept="ok"),
    Case("split-over-text-segments", message("call Vick", "ers, 1004", "5678 ok"), kept="ok"),
    Case(
        "split-over-string-segments",
        message(("ST", "call Vick"), ("ST", "ers, 1004"), ("ST", "5678 ok")),
        kept="ok",
    ),
    Case(
        "split-over-segments-unknown-phone",
        message("ring 617-555-", "0199, mobile 138", "12349876 ok"),
        secrets=("617-555-0199", "13812349876"),
        kept="ok",
    ),
    Case("split-over-repeats", message(("ST", "call Vick~ers, 1004~5678 ok")), kept="ok"),
    Case("split-over-notes", message(("NM", "5"), notes=("Vick", "ers 1004", "5678 ok")), kept="ok"),
    Case("wrong-delimiters-empty", message(FULL, delimiters=""), "refused"),
    Case("wrong-delimiters-letters", message(FULL, delimiters="abcd"), "refused"),
    Case("wrong-delimiters-repeated", message(FULL, delimiters="^^^^"), "refused"),
    Case("wrong-delimiters-swapped", message(FULL, delimiters="~^\\&"), "refused"),
    Case(
        "wrong-delimiters-in-name",
        message("Anna Vickers ok; VICKERS; Anna came", pid=pid("Vickers#Anna")),
        kept="ok",
    ),
    Case(
        "other-delimiters",
        message("Anna Vickers ok").replace("^", "#").replace("~", "@"),
        kept="ok",
    ),
    # Nobody, or nobody's name.
    Case("pid-missing", message(FULL, pid="ZZZ|1"), "nobody"),
    Case("pid-empty", message(FULL, pid="PID"), "nobody"),
    Case("pid-null", message(FULL, pid='PID|1||""||""||""'), "nobody"),
    Case("name-null", message("MRN 10045678 ok", pid='PID|1||10045678||""||""'), kept="ok"),
    Case("name-test", message("The test was ok", pid=pid("TEST")), kept="The test was ok"),
    Case("name-na", message("Na 140, NA of joint: ok", pid=pid("NA^NA")), kept="Na 140, NA of joint: ok"),
    Case("name-single-letter", message("A plan b ok", pid=pid("A^B")), kept="A plan b ok"),
    Case("name-stop-word", message("The plan of the day: ok", pid=pid("the^of")), kept="The plan of the day: ok"),
    Case("name-thousand-times", message("Anna ok", pid=pid("~".join(["Vickers^Anna"] * 1_000))), kept="ok"),
    Case("name-long", message("Zorq" * 250 + " seen", pid=pid("Zorq" * 250)), secrets=("ZorqZorq",)),
    Case(
        "name-many",
        message(f"{NAMES[70]}, {NAMES[299]} and {NAMES[0]} ok", pid=pid("~".join(NAMES))),
        secrets=tuple(NAMES),
        kept="ok",
    ),
    Case(
        "name-metacharacters",
        message("seen: a+b*(c)[d and d{2} ok (a+b)", pid=pid("a+b*(c)[d^x{9}.*$")),
        secrets=("a+b*(c)[d",),
        kept="ok (a+b)",
    ),
    Case("name-markup", message("[NAME-1] was marked before, ok", pid=pid("[NAME-1]")), kept="ok"),
    Case(
        "newborn",
        message("BB of Zorquel; mother Tannith tired, ok.", pid=pid("BB of Zorquel") + "||||||||Zorquel^Tannith",
                more=("NK1|1|Zorquel^Tannith|MTH",)),
        secrets=("Zorquel", "Tannith"),
        kept="ok",
    ),
    Case("newborn-girl", message("Baby girl Zorquel ok", pid=pid("Zorquel^Baby Girl")), secrets=("Zorquel",), kept="ok"),
    Case(
        "family-with-comma",
        message("John Smythewick, smythewick john Q ok", pid=pid("Smythewick,John^Q")),
        secrets=("Smythewick", "John"),
        kept="ok",
    ),
    Case("lower-case", message(FULL.lower()), kept="stable"),
    Case("all-capitals", message(FULL.upper()), kept="STABLE"),
    Case(
        "pinyin",
        message("Ouyang Xiaoming, XIAOMING OUYANG, Ōuyáng Xiǎomíng, Ou-yang Xiao ming ok", pid=ZH_PID),
        secrets=("Ouyang", "Xiaoming"),
        kept="ok",
    ),
    # What is attached.
    Case("attached-base64-text", message(("ED", f"APP^TEXT^PLAIN^Base64^{B64}"))),
    Case("attached-pdf", message(("ED", f"APP^application^pdf^Base64^{PDF}"))),
    Case("attached-rtf", message(("ED", f"APP^text^rtf^A^{RTF}"))),
    Case("attached-cda", message(("ED", f"APP^text^xml^A^{CDA}"))),
    Case("attached-pointer", message(("RP", "https://pacs.example/Vickers/10045678^APP"))),
    Case("base64-in-text", message(f"see {B64} ok"), secrets=(B64[:40],), kept="ok"),
    Case("pdf-in-text", message(f"see {PDF} ok"), secrets=(PDF,), kept="ok"),
    Case("hex-in-text", message(f"see {FULL[:22].encode().hex()} ok"), kept="ok"),
    Case("base64-gb18030", message(f"see {B64_GB} ok", pid=ZH_PID), secrets=(B64_GB,), kept="ok"),
    Case("base64-long", message(f"see {B64_LONG} ok"), secrets=(B64_LONG[:40],), kept="ok"),
    Case("hex-gb18030", message(f"see {HEX_GB} ok", pid=ZH_PID), secrets=(HEX_GB,), kept="ok"),
    Case("hex-long", message(f"see {'00' * 9_000}{FULL.encode().hex()} ok"), kept="ok"),
    Case("hex-utf16", message(f"see {'欧阳晓明'.encode('utf-16-be').hex()} ok", pid=ZH_PID), kept="ok"),
    Case("percent-gb18030", message(f"see {quote('欧阳晓明', encoding='gb18030')} ok", pid=ZH_PID),
         secrets=("%C5%B7%D1%F4",), kept="ok"),
    Case("quoted-printable", message("see =E6=AC=A7=E9=98=B3=E6=99=93=E6=98=8E ok", pid=ZH_PID),
         secrets=("=E6=AC=A7",), kept="ok"),
    Case("bytes-in-text", message("see \\E\\xe6\\E\\xac\\E\\xa7\\E\\xe9\\E\\x98\\E\\xb3\\E\\xe6\\E\\x99\\E\\x93\\E\\xe6\\E\\x98\\E\\x8e ok", pid=ZH_PID),
         secrets=("\\xac",), kept="ok"),
    Case("rtf-in-text", message(RTF), secrets=("'41nna", "Vick}ers"), kept="Patient"),
    Case("cda-in-text", message(CDA), kept="patientRole"),
    Case("html-in-text", message("<p>An<b>na</b> Vick<i>ers</i></p><td>1004<br/>5678</td> ok"),
         secrets=("Vick<i>ers", "An<b>na"), kept="ok"),
    Case("html-unknown-name", message("<p>Mrs Zor<wbr>quel called</p>"), secrets=("Zor<wbr>quel",), kept="called"),
    Case("entities-in-text", message("&#65;nna Vick&#101;rs 1004&#x35;678 ok".replace("&", "\\T\\")),
         secrets=("Vick&#101;rs",)),
    Case("entity-in-one-name", message(r"Mrs V\T\iacute;ckers, Vick\T\shy;ers, V\E\u0069ckers ok"),
         secrets=("ckers", "Vick&shy;ers"), kept="ok"),
    Case("entity-in-unknown-phone", message(r"ring \T\#54;17-555-01\T\#x39;9 ok"), secrets=("17-555-01",), kept="ok"),
    Case(
        "url-with-token",
        message("https://portal.example/p?mrn=10045678\\T\\name=anna%20vickers\\T\\token=eyJhbGciOiJI ok"),
        secrets=("eyJhbGciOiJI", "anna%20vickers"),
        kept="ok",
    ),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@timed
def test_a_bad_message_lets_nothing_out(case: Case) -> None:
    secrets = (*EN_SECRETS, *ZH_SECRETS, *case.secrets)
    left = sent(case.frame)
    assert left.fate == case.fate
    assert shown(left, secrets) == []
    assert case.kept in "\n".join(left.texts)
    size = len(
        case.frame if isinstance(case.frame, bytes) else case.frame.encode("utf-8", "replace")
    )
    assert_works_within(limit_s(size), lambda: sent(case.frame))


def test_what_is_held_back_says_why_and_nothing_else() -> None:
    held = [sent(case.frame) for case in CASES if case.fate == "held"]
    assert held
    for left in held:
        (event,) = left.events
        assert {note.held for note in event.notes} <= {
            "too_long",
            "undecodable",
            "residual_identifier",
        }
        assert all(note.text is None for note in event.notes)
        assert not any(left.texts)


def test_the_same_message_twice_is_the_same_event() -> None:
    frame = message(FULL)
    first, again = sent(frame), sent(frame.replace("20240305120000+0000", "20240305120459+0000", 1))
    assert first.events[0].event_id == again.events[0].event_id
    assert first.out.replace(str(first.events[0].occurred_at_ms), "") == again.out.replace(
        str(again.events[0].occurred_at_ms), ""
    )


def test_the_search_sees_what_would_be_left() -> None:
    """The tests above can fail: each way of showing a secret is seen."""
    left = sent(message("ok"))
    for text in ("Vickers", "V.I.C.K.E.R.S", B64, FULL.encode().hex()):
        spoilt = type(left)(left.fate, left.events, left.out + text)
        assert shown(spoilt, EN_SECRETS) != []


PLANTS = (
    FULL, "Anna Vickers", "VICKERS^ANNA", "Vickers", "10045678", "943-47-6582", "ACC778812", "12 Elm Road",
    "(555) 123-4567", "anna.vickers@example.org", "An\u200bna Vick\u00aders", base64.b64encode(b"Anna Vickers 10045678").decode(),
)  # fmt: skip
SEGMENTS = (
    "EVN|A01|20240305120000|||D1^Doc|20240305", "PV1|1|I|MICU^1^A||P|X^1|D1^Doc|D2^Doc|D3^Doc|SUR||||||||D4^Doc|IP|V1|C",
    "PV2||P|R^Reason|||||||||||||||||||||ORG", "DG1|1|I10|E11.9^Diabetes^I10|Diabetes|20240305|A", "AL1|1|DA|X1^Penicillin^L|SV|Rash~Itch",
    "IAM|1|DA|X2^Latex^L|MO|Rash|A", "PRB|AD|20240305|I10^Hypertension^I10|P1|E1||20240305|||||||A",
    "ORC|RE|P1|F1||CM||||20240305|D1^Doc", "OBR|1|P1|F1|85353-1^Vital signs^LN|||20240305115900||||||||D1^Doc|||||||||F",
    "OBX|1|NM|8867-4^Heart rate^LN|1|88|/min|60-100|N|||F|||20240305115900", "OBX|2|CWE|X^Y^L||A^Alert^L|u|r|A~B|||F",
    "OBX|3|SN|X^Y^L||>^5|mg|1-2|H|||C", "OBX|4|ST|X^Y^L||text||||||P", "OBX|5|DT|X^Y^L||20240301||||||F",
    "OBX|6|XX|X^Y^L||odd||||||F", "NTE|1|L|note", "RXE|1|R1^Drug^L|5||mg", "RXR|PO^Oral^L", "RXA|0|1|20240305||C1^Vaccine^CVX|1|ml",
    "TXA|1|PN|TX|20240305|D1^Doc|||||||DOC1", "ZXX|1|2|3",
)  # fmt: skip


@pytest.mark.parametrize("seed", range(25))
def test_nothing_planted_in_any_field_of_any_segment_leaves(seed: int) -> None:
    chance = random.Random(seed)

    def planted(segment: str) -> str:
        name, *fields = segment.split("|")
        keep = {1, 2} if name == "OBX" else set()  # which value type it is
        return "|".join([name, *(
            field if number in keep else "^".join(
                chance.choice(PLANTS) if chance.random() < 0.3 else part for part in field.split("^")
            )
            for number, field in enumerate(fields, 1)
        )])  # fmt: skip

    left = sent(message("ok", more=[planted(one) for one in SEGMENTS]))
    assert left.fate in {"cleaned", "held"}
    assert shown(left, EN_SECRETS[:-2]) == []
