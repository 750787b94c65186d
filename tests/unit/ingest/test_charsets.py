"""Charsets beyond the usual: Cyrillic, UTF-32, two-byte letters that look like separators, HTTP."""

import httpx
import pytest

from services.ingest.charset import split_frame
from services.ingest.conditions import conditions_of
from services.ingest.frames import parse_frame
from services.ingest.parse import Parsed, SourceProfile
from tests.unit.ingest.conftest import MakeBench
from tests.unit.ingest.test_mapping import KEYS

HEAD = "MSH|^~\\&|A|{facility}|C|D|20240501120000+0000||ORU^R01|C1|P|2.5.1|||AL|NE||{declared}\r"
OBX = 'PID|1||7^^^H^MR||{name}||""\rOBX|1|TX|x^y^L||{text}||||||F\r'


def message(declared: str, text: str, facility: str = "B", name: str = "Doe") -> str:
    head = HEAD.format(facility=facility, declared=declared)
    return head + OBX.format(name=name, text=text)


def parsed(raw: bytes, charset: str = "") -> Parsed:
    (found,) = parse_frame(raw, SourceProfile("test", charset), KEYS, 0).messages
    return found


def text_of(found: Parsed) -> str:
    assert found.code == "AA"
    return found.events[0].body.notes[0].text


def trail_pipe(codec: str) -> str:
    """Return a letter whose second byte in ``codec`` is that of the separator."""
    letters = (chr(number) for number in range(0x4E00, 0x9FFF))
    return next(one for one in letters if one.encode(codec, "ignore")[1:] == b"|")


@pytest.mark.parametrize(
    ("declared", "codec"),
    [
        ("WINDOWS-1251", "cp1251"), ("CP1251", "cp1251"), ("KOI8-R", "koi8-r"),
        ("KOI8-U", "koi8-u"), ("WINDOWS-1250", "cp1250"), ("windows-1257", "cp1257"),
        ("WINDOWS-874", "cp874"),
    ],
)  # fmt: skip
def test_pages_of_one_byte_are_read_as_declared(declared: str, codec: str) -> None:
    text = {"cp1250": "Łódź", "cp1257": "Šiauliai ąč", "cp874": "สวัสดี"}.get(codec, "Привет, мир")
    found = parsed(message(declared, text).encode(codec))
    assert (text_of(found), found.charset) == (text, codec)
    assert "charset_mismatch" not in [one.code for one in found.findings]


@pytest.mark.parametrize("codec", ["utf-32", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("declared", ["UNICODE UTF-32", ""])
def test_utf_32_is_read(codec: str, declared: str) -> None:
    raw = message(declared, "Grüße 北京").encode(codec)
    assert [len(split_frame(raw)[1])] == [1]
    found = parsed(raw)
    assert (text_of(found), found.charset) == ("Grüße 北京", "utf-32")
    assert conditions_of(raw) == ("AL", "NE")
    both = parse_frame((message("", "Ä") * 2).encode(codec), SourceProfile("test"), KEYS, 0)
    assert [text_of(one) for one in both.messages] == ["Ä", "Ä"]


@pytest.mark.parametrize(
    ("declared", "codec"),
    [("BIG-5", "big5hkscs"), ("GB 18030-2000", "gb18030"), ("GBK", "gb18030")],
)
def test_a_letter_that_holds_the_byte_of_the_separator_shifts_nothing(
    declared: str, codec: str
) -> None:
    letter = trail_pipe(codec)
    raw = message(declared, f"中{letter}文", f"{letter}院", f"王{letter}^大").encode(codec)
    found = parsed(raw)
    body = found.events[0].body
    assert text_of(found) == f"中{letter}文"
    assert (found.charset, body.facility, body.control_id) == (codec, f"{letter}院", "C1")
    assert body.patient.names[0].family == f"王{letter}"
    assert [one.where for one in body.findings if one.code == "null"] == ["PID-7"]
    assert conditions_of(raw) == ("AL", "NE")


@pytest.mark.parametrize(
    ("default", "declared", "sent", "text"),
    [
        ("gb18030", "", "\\XB1B1BEA9\\", "北京"),
        ("cp1252", "", "\\XFC\\", "ü"),
        ("gb18030", "UNICODE UTF-8", "\\XC3BC\\", "ü"),
        ("", "", "\\XC3BC\\", "ü"),
        ("no-such-codec", "", "\\XC3BC\\", "ü"),
    ],
)
def test_hexadecimal_escapes_of_an_ascii_message_are_in_the_doors_charset(
    default: str, declared: str, sent: str, text: str
) -> None:
    assert text_of(parsed(message(declared, sent).encode("ascii"), default)) == text


@pytest.mark.parametrize(
    ("content_type", "text"),
    [
        ("application/hl7-v2; charset=gb18030", "北京"),
        ('application/hl7-v2; charset="GB-18030"', "北京"),
        ("application/hl7-v2", "±±¾©"),
        ("application/hl7-v2; charset=no-such", "±±¾©"),
    ],
)
async def test_the_charset_of_http_is_read(
    make_bench: MakeBench, content_type: str, text: str
) -> None:
    async with make_bench() as bench, httpx.AsyncClient() as client:
        url = f"http://127.0.0.1:{bench.service.http_port}/hl7v2"
        raw = message("", "北京").encode("gb18030")
        answer = await client.post(url, content=raw, headers={"Content-Type": content_type})
        assert answer.status_code == 202
        assert [body.notes[0].text for body in bench.bodies()] == [text]
