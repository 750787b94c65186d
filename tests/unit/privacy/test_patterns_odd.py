"""Addresses and names on a network, in forms that are rare in a chart."""

import pytest

from services.privacy.free_text import TextCleaner

CLEANER = TextCleaner()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ip 2001:db8::8a2e:370:7334 logged", "ip [IP-1] logged"),
        ("from FE80::1ff:fe23:4567:890a.", "from [IP-1]."),
        ("::ffff:10.0.0.5 seen", "[IP-1] seen"),
        ("监护仪地址2001:db8::1", "监护仪地址[IP-1]"),
        ("wechat: pgrantham88", "wechat: [ID-1]"),
        ("add WeChat ID pgrantham_8 please", "add WeChat ID [ID-1] please"),
        ("WhatsApp pgrantham", "WhatsApp [ID-1]"),
        ("on Telegram @p_grantham.", "on Telegram [ID-1]."),
        ("QQ no. 123456789", "QQ no. [ID-1]"),
    ],
)
def test_addresses_and_names_on_a_network_go(text: str, expected: str) -> None:
    assert CLEANER.clean(text).text == expected


@pytest.mark.parametrize(
    "text",
    [
        "grade I::II, ratio a::b, time 10::30",
        "WhatsApp call with daughter; a Telegram message came",
        "sent by WhatsApp yesterday, photo on whatsapp - wound clean",
        "wechat video consult, via wechat.",
        "qqh obs",
    ],
)
def test_what_only_speaks_of_a_network_stays(text: str) -> None:
    assert CLEANER.clean(text).text == text
