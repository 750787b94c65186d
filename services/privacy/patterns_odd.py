"""Pure: dates, ages, addresses and names on a network in forms that are rare in a chart and tell
all the same. Folded text.
"""

# ruff: noqa: E501  (an expression that is broken into lines cannot be read)
import re
from ipaddress import AddressValueError, IPv6Address

from services.privacy.near import is_word
from services.privacy.patterns import ANY_CASE, form
from services.privacy.patterns_zh import NUMERAL

STEMS = "[甲乙丙丁戊己庚辛壬癸][子丑寅卯辰巳午未申酉戌亥]"
MOON = rf"[闰正腊冬]?(?:{NUMERAL}{{1,2}}|\d{{1,2}})?月"
VISIT = r"(?:来诊|就诊|复查|复诊|入院|出院|转入|门诊|急诊|手术|住院|拆线|换药)"
TENS = r"(?:ninety|ninetieth|nineties|hundred)"
# Days that no scale and no Snellen fraction has below its line.
DAY_NO_SCORE = r"(?:1[3479]|2[1235679]|31)"
CHATS = (
    "echat", "eChat", "ECHAT", "eixin", "hatsapp", "hatsApp", "HATSAPP", "elegram", "ELEGRAM",
    "kype", "KYPE", "qq", "QQ",
)  # fmt: skip
IP_CHARS_MIN, IP_GROUPS_MIN = 6, 4


def _is_ipv6(match: re.Match[str]) -> bool:
    """Return whether it is a shortened address of IPv6 (RFC 4291, 2.2) and no ``a::b`` or ``10::30``."""
    said = match["v"]
    try:
        IPv6Address(said)
    except AddressValueError:
        return False
    is_mixed = any(map(str.isalpha, said)) and any(map(str.isdecimal, said))
    return len(said) >= IP_CHARS_MIN and (is_mixed or len(said.split(":")) > IP_GROUPS_MIN)


def _is_handle(match: re.Match[str]) -> bool:
    """Return whether what follows a service for messages is no word: ``WhatsApp call``."""
    return not is_word(match["v"].casefold())


ODD_EN = (
    form("IP", r"(?<![\w:.])(?P<v>[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?:(?:\.\d{1,3}){3})?)(?![\w:])", _is_ipv6, of="v", flags=ANY_CASE)._replace(needs=("::",)),
    form("ID", r"\b(?:wechat|weixin|whats ?app|telegram|skype|qq)\b(?: ?(?:id|no\.?|number|handle|user ?name|user|account|name|contact)\b)?(?: is)?\s?[:=#]?\s?(?P<v>@?[a-z0-9](?:[\w.-]{2,30}\w))(?![\w@])", _is_handle, of="v", flags=ANY_CASE)._replace(needs=CHATS),
    form("DATE", rf"(?<![\d/.-])(?:0?[1-9]|1[0-2])/{DAY_NO_SCORE}(?![\d/%]|\.\d|-\d)"),
    form("DATE", r"(?<![\d./-])(?:1[3-9]|2\d|3[01])\.(?:0[1-9]|1[0-2])\.(?!\d)"),
    form("DATE", r"\b(?:on|am|vom|bis|since|until|from|dated|seen|due) (?P<v>(?:0?[1-9]|1[0-2])\.(?:0[1-9]|1[0-2])\.)(?!\d)", of="v", flags=ANY_CASE),
    form("AGE", rf"\b(?:in (?:his|her|their) {TENS}|{TENS}(?:[ -](?:one|two|three|four|five|six|seven|eight|nine))?[ -]years?(?:[ -]old| of age)|one hundred(?: and \w{{3,9}})?[ -]years?[ -]old)", flags=ANY_CASE),
    form("AGE", r"(?<![\d.])(?P<years>9\d|1[01]\d)\+?(?=[ -]{0,2}(?:yrs?\b|y\.?o\b))", of="years", flags=ANY_CASE),
)  # fmt: skip
ODD_ZH = (
    form("DATE", rf"(?:民国|民國){NUMERAL}{{1,4}}年(?:{MOON}(?:初?{NUMERAL}{{1,3}}[日号]?)?)?"),
    form("DATE", rf"{STEMS}年{MOON}(?:初?{NUMERAL}{{1,3}}[日号]?)?"),
    form("DATE", rf"(?:(?:19|20)\d\d|[〇零一二三四五六七八九]{{4}})年[闰正腊冬]{NUMERAL}{{0,2}}月(?:初?{NUMERAL}{{1,3}}[日号]?)?"),
    form("DATE", rf"(?<![\d./-])(?:1[0-2]|0?[1-9])[/.-](?:3[01]|[12]\d|0?[1-9])(?=\s?{VISIT})"),
    form("AGE", r"(?:年[逾近届]|已过?)?(?:九旬|百岁|期颐|九十有[一二三四五六七八九])"),
)  # fmt: skip
