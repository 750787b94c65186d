"""Pure: dates and ages in forms that are rare in a chart and tell all the same. Folded text."""

# ruff: noqa: E501  (an expression that is broken into lines cannot be read)
from services.privacy.patterns import ANY_CASE, form
from services.privacy.patterns_zh import NUMERAL

STEMS = "[甲乙丙丁戊己庚辛壬癸][子丑寅卯辰巳午未申酉戌亥]"
MOON = rf"[闰正腊冬]?(?:{NUMERAL}{{1,2}}|\d{{1,2}})?月"
VISIT = r"(?:来诊|就诊|复查|复诊|入院|出院|转入|门诊|急诊|手术|住院|拆线|换药)"
TENS = r"(?:ninety|ninetieth|nineties|hundred)"
# Days that no scale and no Snellen fraction has below its line.
DAY_NO_SCORE = r"(?:1[3479]|2[1235679]|31)"

ODD_EN = (
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
