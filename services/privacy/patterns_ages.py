"""Pure: ages of 90 and over in words, years of birth, last digits of numbers, degrees of a place.

Folded text. Each form asks for a word that few notes have (``GATES``): most are never tried. Ages under 90, doses, shares, durations, angles and temperatures stay.
"""

import re
from collections.abc import Iterator

# ruff: noqa: E501  (an expression that is broken into lines cannot be read)
from services.privacy.pattern_checks import UNIT_AFTER
from services.privacy.patterns import ANY_CASE, Pattern, find_patterns, form
from services.privacy.patterns_zh import HAN, NUMERAL
from services.privacy.spans import Span

BEFORE_CHARS = 40
ONES = r"(?:one|two|three|four|five|six|seven|eight|nine)"
TEENS = r"(?:ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen)"
TENS = r"(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)"
# An age in words, and that no unit of measurement, no share and no other number goes on after it.
OLD = rf"(?P<years>ninety(?:[ -]{ONES})?|(?:a|one) hundred(?:(?: and)?[ -](?:{ONES}|{TEENS}))?)\b"
NO_QUANTITY = (
    rf"(?![ -]{{0,2}}(?:{ONES}\b|and (?:{ONES}|{TEENS}|{TENS}|a half)\b|%|/|\d|per ?cent|m[gl]\b|mcg|micro|milli|grams?\b|kilo|kgs?\b|lbs?\b|pounds?\b"
    r"|stones?\b|lit(?:er|re)|units?\b|cc\b|mls?\b|cms?\b|mms?\b|centi|inch|feet|foot|met(?:er|re)|miles?\b|yards?\b|mins?\b|minute|sec|hours?\b|hrs?\b"
    r"|days?\b|nights?\b|weeks?\b|wks?\b|months?\b|degree|beats?\b|bpm|breaths?\b|over\b|by\b|to\b|on\b|point\b|times?\b|tab|caps|puff|drops?\b|doses?\b"
    r"|dollar|pack|systolic|diastolic|sats?\b|saturat|hundred|thousand|years? (?:ago|pack)))"
)
ABOUT = r"(?:(?:now|well|over|just|about|around|already|at least|more than|approximately|reportedly|aged|at) ){0,3}"
PERSON = (
    r"(?:she|he|they|who|patient|pt|resident|client|mother|father|mum|mom|dad|husband|wife|spouse|partner|grand(?:mother|father)|gran|nan|sister"
    r"|brother|aunt|uncle|lady|gentleman|woman|man|male|female|person|widow(?:er)?|pensioner|neighbou?r)"
)
THEIRS = r"in (?:his|her|their|(?:the )?(?:patient|pt|resident)['’]s)"
YEAR_OF_BIRTH = (
    rf"(?:(?:18|19|20)\d\d|nineteen[ -](?:hundred|oh|{TENS}|{TEENS})(?:[ -](?:and )?{ONES})?)"
)
NO_BIRTH = re.compile(
    r"(?:hepatitis|hep|type|grade|stage|vitamin|vit|group|flu|influenza|class|part|plan|option|section|strep) $",
    re.IGNORECASE,
)
CARDS = re.compile(
    r"\b(?P<sure>SSN|social|card|account|acct|a/c|visa|master ?card|amex|nric|aadhaar|iban)\b[^.;\n]{0,30}\Z"
    r"|\b(?:debit|credit|medicare|medicaid|insurance|policy|member|passport|licen[cs]e|MRN|NHS|CHI|identity|number|pass|phone|mobile|mob|cell|tel|bank)\b[^.;\n]{0,30}\Z",
    re.IGNORECASE,
)
YEAR_ALONE = re.compile(r"(?:19|20)\d\d")


def _is_last_of(match: re.Match[str]) -> bool:
    """Return whether digits that something ends in are those of a number, by the words before; what
    may be a year only of a card or the like (``insurance ending 2024``).
    """
    if UNIT_AFTER.match(match.string, match.end("v")) is not None:
        return False
    cue = CARDS.search(match.string[max(0, match.start() - BEFORE_CHARS) : match.start()])
    return cue is not None and (cue["sure"] is not None or not _is_year(match))


def _is_last_digits(match: re.Match[str]) -> bool:
    """Return whether they are no quantity; a year only where a number is spoken of."""
    has_unit = UNIT_AFTER.match(match.string, match.end("v")) is not None
    return not has_unit and (not _is_year(match) or _is_last_of(match))


def _is_year(match: re.Match[str]) -> bool:
    return YEAR_ALONE.fullmatch(match["v"]) is not None


def _is_year_of_birth(match: re.Match[str]) -> bool:
    """Return whether what follows ``born`` is no weight (``born 2010 g``)."""
    return UNIT_AFTER.match(match.string, match.end("v")) is None


def _is_birth(match: re.Match[str]) -> bool:
    """Return whether ``b. 1931`` is no hepatitis."""
    return NO_BIRTH.search(match.string[: match.start()][-12:]) is None


LAST = r"(?:last|final) (?:(?:four|4|five|5|six|6|three|3)(?: ?(?:digits|numbers|nos?\b))?|digits)"
NUMBERS = r"(?:SSN|SS|social(?: security)?|card|account|acct|phone|mobile|ID|NHS|medicare)"
ANGLE = r"\d{1,3}(?:\.\d{1,8})?\s?[°度](?:\s?\d{1,2}(?:\.\d{1,6})?\s?['′’分](?:\s?\d{1,2}(?:\.\d{1,4})?\s?(?:[\"″”秒]|['′’]{2}))?)?"
MINUTES = r"\d{1,3}\s?°\s?\d{1,2}(?:\.\d{1,6})?\s?['′’](?:\s?\d{1,2}(?:\.\d{1,4})?\s?(?:[\"″”]|['′’]{2}))?\s?[NSEW]\b"
APART = r"[,;/ ]{0,3}"
AGES = (
    form("AGE", rf"\baged?(?: is| was| of|:|,| -)? ?{ABOUT}{OLD}{NO_QUANTITY}", of="years", flags=ANY_CASE),
    form("AGE", rf"\b(?:{PERSON}(?:['’]s| is| was| has turned| turned| turns|,)|(?:Mr|Mrs|Ms|Miss|Dr)\.? \w{{2,24}}(?: is| was)|turned|turning|died at|died aged|lived to) {ABOUT}{OLD}{NO_QUANTITY}", of="years", flags=ANY_CASE),
    form("AGE", rf"\b{PERSON} (?:of|aged|over|well over|just over) {ABOUT}{OLD}{NO_QUANTITY}", of="years", flags=ANY_CASE),
    form("AGE", rf"(?:\A|[.;(\n] ?)(?:well |just )?over {OLD}(?=\s{{0,2}}(?:[,.;)\n]|\Z|and\b|now\b|with\b|who\b|lives?\b|living\b))", of="years", flags=ANY_CASE),
    form("AGE", rf"\b{OLD}(?=[ -]{{1,2}}(?:y(?:ea)?rs?[ -]{{1,2}}(?:old|of age|young)|y/?o\b|y\.o\.))", of="years", flags=ANY_CASE),
    form("AGE", r"\b(?:ninetieth|(?:ninety|hundred(?: and)?)[ -](?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth)|hundredth)(?= birthday)", flags=ANY_CASE),
    form("AGE", rf"\b{THEIRS} (?P<years>(?:(?:early|mid|late|mid to late)[ -])?nineties)\b", of="years", flags=ANY_CASE),
)  # fmt: skip
BIRTHS = (
    form("DATE", rf"\bborn(?: in| on| circa| about| around| c\.|:)? {{0,2}}(?P<v>(?:in )?{YEAR_OF_BIRTH}|['’]\d\d)(?!\d|h\b| ?hrs?\b| ?hours\b)", _is_year_of_birth, "v", ANY_CASE),
    form("DATE", r"\b[Bb]orn (?:at|in) (?:[A-Z][\w'’-]{1,20},? ){1,4}(?:in |on )?(?P<v>(?:18|19|20)\d\d)(?!\d)", of="v"),
    form("DATE", r"(?<![\d./-])(?:18|19|20)\d\d(?=[ -]born\b)", flags=ANY_CASE),
)  # fmt: skip
DATES_OF_BIRTH = (
    form("DATE", r"\b(?:YOB|DOB|D\.O\.B\.?|Y\.O\.B\.?|(?:year|yr|date) of birth|birth ?(?:year|date))(?: is| was)?\s?[:=,-]{0,2}\s{0,2}(?P<v>(?:18|19|20)\d\d)(?![\d/.-]\d|\d)", of="v", flags=ANY_CASE),
)  # fmt: skip
MASKED = (
    form("ID", r"(?<![\w,])(?:x{2,5}-?(?:x{1,4}-?){1,4}\d{4}|x{2,4}(?: x{2,4}){1,3} \d{4})(?!\d)", flags=ANY_CASE),
    form("ID", r"(?:[*•]{2,4}-[*•]{2,4}(?:-[*•]{2,4}){0,2}-|[*•]{3,4}(?: [*•]{2,4}){1,3} |[*•]{4,12})\d{4}(?![\d*])"),
)  # fmt: skip
LAST_DIGITS = (
    form("ID", rf"\b{LAST}(?: (?:of )?(?:(?:the|her|his|their|my) )?{NUMBERS}\b(?: (?:number|no\.?))?)?(?: is| are| was)?(?: ?[:#=] ?| )(?P<v>\d{{4,6}}|\d{{3}}[A-Z])\b(?![/:-]\d|\.\d|[, ]{{1,2}}\d)", _is_last_digits, "v", ANY_CASE),
    form("ID", r"(?<![\d./])\d{4}(?= ?[(,]? ?(?:is |are |= )?(?:the )?last (?:four|4)\b)", flags=ANY_CASE),
)  # fmt: skip
ENDINGS = (
    form("ID", r"\b(?:ending|ends)(?: (?:in|with|on))?[:# ]{1,3}(?P<v>\d{3,6}[A-Z]?)\b(?![/:]\d|\.\d)", _is_last_of, "v", ANY_CASE),
)  # fmt: skip
DEGREES = (
    form("LOC", rf"(?<![\d.]){MINUTES}(?:{APART}{MINUTES})?"),
    form("LOC", rf"(?<![\d.])\d{{1,3}}(?:\.\d{{1,8}})?\s?°\s?[NS]{APART}\d{{1,3}}(?:\.\d{{1,8}})?\s?°\s?[EW]\b"),
    form("LOC", rf"\b[NS]\s?{ANGLE}{APART}[EW]\s?{ANGLE}"),
)  # fmt: skip
OLD_ZH = r"(?:九十[一二三四五六七八九]?|一?百零?[一二三四五六七八九])"
END_ZH = r"(?=[\s,.、。;:)(\]了有]|岁|\Z)"
YEAR_ZH = rf"(?:(?:18|19|20)\d\d|(?:一[八九]|二[〇零]){NUMERAL}{{2}})\s?年"
AGES_ZH = (
    form("AGE", r"(?:九十|9\d|一?百)[余多来几](?=\s?岁)"),
    form("AGE", rf"(?:年[逾过届满已]|(?<![\u4e00-\u9fff])年|年龄\s?[:为是]?\s?|高龄|高寿|享年|虚岁|周岁|现年|寿)(?P<years>{OLD_ZH}){END_ZH}", of="years"),
    form("AGE", rf"(?:老?[父母]亲?|奶奶|爷爷|外[公婆]|姥[姥爷]|祖[父母]|老人|老太太?|老伴|老汉|老翁|老者)[已今也都快有]?经?[,(]?(?P<years>{OLD_ZH}){END_ZH}", of="years"),
    form("AGE", r"九秩"),
)  # fmt: skip
BIRTHS_ZH = (
    form("DATE", rf"(?<!\d)(?:{YEAR_ZH}|\d\d年)(?=\s?(?:生人|出生(?!缺陷|率|人口)))"),
    form("DATE", rf"(?<!\d){YEAR_ZH}(?=\s?生(?:[\s,.、。;)(\]于]|\Z))"),
    form("DATE", rf"(?:出生(?:于|年份|年月|日期|年)?|(?<!{HAN})生于|(?<=[他她者人其])生于|诞生于|生年)\s?[:为是约]?\s{{0,2}}(?P<v>{YEAR_ZH}|(?:18|19|20)\d\d(?![\d./-]|\s?(?:g|克)))", of="v"),
)  # fmt: skip
# The forms of each line are tried where one of its words stands in the text, in small letters.
GATES: tuple[tuple[tuple[str, ...], tuple[Pattern, ...]], ...] = (
    (("ninet", "hundred"), AGES),
    (("th birthday", "st birthday", "nd birthday", "rd birthday"), (form("AGE", r"(?<![\d.])(?:9\d|1[01]\d)(?:st|nd|rd|th)(?= birthday)", flags=ANY_CASE),)),
    (("90s", "90's", "90’s", "100s"), (form("AGE", rf"\b{THEIRS} (?P<years>(?:(?:early|mid|late|mid to late)[ -])?(?:90|100)['’]?s)\b", of="years", flags=ANY_CASE),)),
    ((" of 9", " of 1"), (form("AGE", r"\b(?:wo)?(?:man|gentleman|lady|widow|widower|male|female) of (?P<years>9\d|1[01]\d)\b(?! ?(?:%|kg|cm|lb|g\b|\d))", of="years", flags=ANY_CASE),)),
    (("age/", "age /"), (form("AGE", r"\bage ?/ ?(?:sex|gender)[ :]{0,3}(?P<years>9\d|1[01]\d)(?!\d)", of="years", flags=ANY_CASE),)),
    (("born ", "born:", " born", "-born"), BIRTHS),
    (("birth", "yob", "dob", "y.o.b", "d.o.b"), DATES_OF_BIRTH),
    (("b. 1", "b. 2", "b.1", "b.2", "(b "), (form("DATE", r"(?:\bb\. ?|\(b )(?P<v>(?:18|19|20)\d\d)(?!\d)", _is_birth, "v"),)),
    (("xx", "***", "•••", "**-"), MASKED),
    (("ending ", "ends in", "ends with"), ENDINGS),
    (("last four", "last 4", "last digits", "last five", "last 5", "last six", "last 6", "last 3", "final four"), LAST_DIGITS),
    (("°",), DEGREES),
    (("gps", "coordinates", "latitude"), (form("LOC", r"\b(?:GPS|coordinates|latitude)\b[^\d\n-]{0,15}(?P<v>-?\d{1,2}\.\d{2,8} ?[NS]?[,;/ ]{1,3}(?:long?(?:itude)?[:. ]{0,2})?-?\d{1,3}\.\d{2,8} ?[EW]?)", of="v", flags=ANY_CASE),)),
    (("九十", "百", "九秩", "余岁", "多岁", "来岁", "几岁"), AGES_ZH),
    (("年生", "年出生", "出生", "生于", "生年"), BIRTHS_ZH),
    (("四位", "尾数"), (form("ID", r"(?:[后末]四位|尾数)(?:数字?|号码?)?\s?[为是:]?\s?(?P<v>\d{4})(?!\d|\.\d)", of="v"),)),
    (("北纬", "南纬", "东经", "西经"), (form("LOC", rf"[东西南北][经纬]\s?[:为]?\s?{ANGLE}(?:[,;、/ ]{{0,3}}[东西南北][经纬]\s?[:为]?\s?{ANGLE})?"),)),
)  # fmt: skip


def find_ages(folded: str) -> Iterator[Span]:
    """Yield the ages of 90 and over, years of birth, last digits and places in degrees."""
    small = folded.lower()
    for needs, patterns in GATES:
        for need in needs:
            if need in small:
                yield from find_patterns(folded, patterns)
                break
