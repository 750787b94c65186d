"""Pure: days as charts write them beside a cue: at the begin of a line, before who came, feasts of
many countries, seasons and parts of a month, Roman months; in Chinese a bare day of the month.
"""

import re

# ruff: noqa: E501  (an expression that is broken into lines cannot be read)
from services.privacy.pattern_checks import YEAR
from services.privacy.patterns import ANY_CASE, DAY, MONTH, form
from services.privacy.patterns_notes import WEEKDAY

DURATIONS = frozenset({7, 12, 24, 52})  # below the line: days, months, hours, weeks
SCORES = frozenset({5, 6, 10, 12, 15})
FEASTS = (
    r"All Souls'?(?: Day)?|All Saints'?(?: Day)?|Candlemas|Ash Wed(?:s|nesday)?|Shrove Tues(?:day)?|Pancake (?:Day|Tuesday)|Palm Sunday|Maundy Thurs(?:day)?|Good Fri(?:day)?"
    r"|Easter(?: (?:Mon|Sun|Sat)(?:day)?| weekend| Eve)?|Whit(?:sun| (?:weekend|Monday|Sunday))|Pentecost|Corpus Christi|Mothering Sunday|Mother'?s'? Day|Father'?s'? Day|Valentine'?s?(?: Day)?"
    r"|Guy Fawkes(?: Night)?|Bonfire Night|Hallow(?:e'?en|een)|Hogmanay|Burns Night|Boxing Day|(?:St\.? )?(?:Patrick|Paddy|David|George|Andrew|Stephen|Nicholas|Brigid)'?s (?:Day|night|eve)"
    r"|Independence Day|Labou?r Day|Memorial Day|Veterans'? Day|Columbus Day|Presidents'? Day|MLK Day|Juneteenth|Mardi Gras|Thanksgiving(?: Day)?|4th of July|Fourth of July|Super Bowl Sunday"
    r"|Canada Day|Victoria Day|Australia Day|Anzac Day|Waitangi Day|Melbourne Cup(?: Day)?|Cup Day|Heritage Day|Freedom Day|Republic Day|Bastille Day"
    r"|Diwali|Deepavali|Holi|Dussehra|Dasara|Navratri|Durga Puja|Onam|Pongal|Bhogi|Baisakhi|Vaisakhi|Raksha Bandhan|Ganesh Chaturthi|Janmashtami|Thaipusam"
    r"|Eid(?: al-(?:Fitr|Adha)| ul-(?:Fitr|Adha))?|Hari Raya(?: Puasa| Haji)?|Vesak(?: Day)?|Rosh Hashanah|Yom Kippur|Passover|Hanukkah|Chanukah|Purim|Nowruz"
    r"|Chinese New Year|Lunar New Year|CNY(?: Day)?|Mid-?Autumn(?: Festival)?|Dragon Boat(?: Festival)?|Qing ?ming|Winter Solstice|Songkran|Tet|Chuseok|Seollal|Obon|Golden Week"
    r"|Martinmas|Michaelmas|Lammas|Whitsuntide|Sukkot|Shavuot|Pesach|Advent|Ascension Day|Epiphany|(?:Orthodox|Greek|Armenian|Coptic) (?:Easter|Christmas)|Lohri|Ugadi|Bihu|Vishu|Ram Navami|Maha Shivaratri"
    r"|Bak(?:ri|ra) Eid|Id-ul-\w{3,6}|Muharram|Ashura|Ramadan|Ramzan|Losar|Tihar|Dashain|Loy Krathong|Ching Ming|Hungry Ghost|Dongzhi|Syttende Mai|Midsummer(?:'s)?(?: (?:Day|Eve))?|Koningsdag|King's Day|Sinterklaas"
    r"|Oktoberfest|Fat Tuesday|Three Kings|Semana Santa|Family Day|Civic Holiday|Remembrance Day|Armistice Day|Matariki|Show Day|Grand Final(?: Day)?|Jamhuri Day|Mashujaa Day|Women's Day|Youth Day|Reconciliation Day"
    r"|Workers'? Day|May Day|Flag Day|Patriots'? Day|Groundhog Day|Black Friday|Election Day|Derby Day|July Fourth"
    r"|D[íi]a de (?:los )?Muertos|Day of the Dead|(?:King|Queen)'?s Birthday|Christmas(?: (?:Day|Eve|week))?|Xmas(?: (?:Day|Eve))?|New Year'?s?(?: (?:Day|Eve))?|(?:spring|summer|August|May|Easter|autumn) bank holiday|bank holiday (?:Mon|Fri)(?:day)?"
)
MONTH_ABROAD = (
    r"(?:janvier|f[ée]vrier|mars|avril|mai|juin|juillet|ao[uû]t|septembre|octobre|novembre|d[ée]cembre|enero|febrero|marzo|abril|mayo|junio|julio|agosto|sep?tiembre|octubre|noviembre|diciembre"
    r"|januari?|februari?|m[aä]rz|maart|mei|juni|juli|augustus|oktober|dezember)"
)
SPOKEN = r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|twenty(?:[ -](?:one|two|three|four|five|six|seven|eight|nine))?|thirty(?:[ -]one)?)"
# After an ordinal of these no day is meant.
NO_ORDINAL = r"(?! (?:(?:per)?centile|floor|time|grade|dose|day|week|year|cycle|toe|finger|digit|rib|ray|meta\w{4,6}|ventricle|nerve|degree|attempt|child|baby|line|and|to|CN|episode|admission|trimester|generation|intercostal|stage)\b| of (?!Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec))"
WHO = r"(?:Dr|Prof|Mr|Mrs|Ms|Miss|WR|W/R|ward round|PTWR|MDT|SB|S/B|seen|rv|reg|cons|SHO|SpR|FY\d|\d{4}h?\b|\d{1,2}[:.]\d{2})"
CUES = (
    r"(?:thru|through|till?|til|booked|LMP|EDD|EDC|DOA|DOD|DOS|DOP|TCI|appt|appointment|clinic|mtg|meeting|attempt|casting|adm(?:itted)?|d/c|discharged|op|OPD|surgery|theatre"
    r"|angio|angiogram|ECHO|echo|CT|MRI|US|USS|XR|CXR|scan|bloods?|done|given|started|stopped|out|passed|cert to|washout|removed|inserted|changed|last seen|taken|rec'?d|signed|reported|re-?check|repeat|next|again)"
)


def _is_day(match: re.Match[str]) -> bool:
    """Day and month in either order, and no number of days, weeks, months or score."""
    one, two = int(match["a"]), int(match["b"])
    return 1 <= min(one, two) <= 12 and 1 <= max(one, two) <= 31 and two not in DURATIONS


def _is_day_no_score(match: re.Match[str]) -> bool:
    return (
        _is_day(match)
        and int(match["b"]) not in SCORES
        and not int(match["a"]) < int(match["b"]) <= 5
    )


PAIR = r"(?P<v>(?P<a>\d{1,2})/(?P<b>\d{1,2}))(?![\d/]|\.\d|\s?%|-\d)"
DOTTED = r"(?P<v>(?P<a>0?[1-9]|[12]\d|3[01])\.(?P<b>0[1-9]|1[0-2]|[1-9]))(?![\d.%]|\s?(?:m?g|k?g|m?l|mmol|cm|mm|x|×|%|/|-\d))"
DAYS_EN = (
    form("DATE", rf"(?:\A|\n)[\s\-*•>]{{0,3}}{PAIR}(?= ?[:–—-] | ?:|,? {WHO}| [A-Z]{{2}})", _is_day, "v"),
    form("DATE", rf"(?:(?<=[\s(,;])|\A){PAIR}(?=,? {WHO}\b)", _is_day_no_score, "v"),
    form("DATE", rf"\b(?i:{CUES})[:,]? {PAIR}", _is_day_no_score, "v"),
    form("DATE", rf"\b(?i:LMP|EDD|EDC|TCI|DOA|DOD|DOS|appt|mtg|meeting|OPD|seen|cert to|next|on|admitted|discharged|rv|review) {DOTTED}", _is_day, "v"),
    form("DATE", rf"(?:\A|\n){DOTTED}(?=,? {WHO}\b)", _is_day, "v"),
    form("DATE", rf"\b(?:{FEASTS})\b(?! (?:disease|tree|factor|score|\d{{1,2}}[A-Z]))(?:,? {YEAR})?"),
    form("DATE", rf"\b(?:spring|summer|autumn|fall|winter)(?: of)?,? {YEAR}\b|\b{YEAR} (?:spring|summer|autumn|winter)\b", flags=ANY_CASE),
    form("DATE", rf"\b(?:(?i:early|mid|late|end|start|beginning|middle|first days|(?:first|second|latter) (?:half|week|part))(?: of)?[ -]{MONTH})(?! \d)(?: {YEAR})?"),
    form("DATE", r"(?<![\d/.-])(?:0?[1-9]|[12]\d|3[01])(?P<s>[-/.]| (?![xX] ))(?:x?i{1,3}|i?[vx]|vi{1,3}|I{1,3}|I?[VX]|VI{1,3}|XI{1,2})(?P=s)(?:\d{2}|(?:19|20)\d\d)(?!\d)"),
    form("DATE", r"(?<![\d/.-])(?P<a>\d{1,2}) / (?P<b>\d{1,2}) / (?:\d{2}|(?:19|20)\d\d)(?!\d)", _is_day),
    form("DATE", r"(?:\A|\n)\s?(?P<v>\d{1,2}(?:st|nd|rd|th))(?=\s*(?:\n|:))", of="v"),
    form("DATE", r"\b(?:(?:on|of|by|from|until|til|till|after|before) )?(?P<v>(?:\bthe |(?<=\b(?:on|of|by) )|(?<=\b(?:from|till) )|(?<=\buntil )|(?<=\btil )|(?<=\bafter )|(?<=\bbefore ))(?:[12]?\d|3[01])(?:st|nd|rd|th))\b(?=(?: inst| ult)?(?:[.,;:)\n]| (?:at|with|for|and|to|not|but|per|if|pm|am|@|or|she|he|they|was|we|when|\d{4}h?)\b)|\Z)", of="v"),
    form("DATE", r"\b(?:[12]?\d|3[01])(?:st|nd|rd|th) (?:inst|ult)\b"),
    form("DATE", rf"\b(?:{DAY}|1er)\.? (?:de )?{MONTH_ABROAD}\b(?:(?: de)? {YEAR})?", flags=ANY_CASE),
    form("DATE", rf"(?<![\d./-])(?P<v>{DAY}) ?(?:&|and|or|/|,|to|-|–|\+|thru|through) ?(?={DAY} ?{MONTH})", of="v"),
    form("DATE", rf"\b(?P<v>{MONTH}) (?:and|or|to|through|thru|&) {MONTH}", of="v"),
    form("DATE", rf"\b(?:TCI|appt|due|booked|next|on|until|till|until|by|from|since|before|after) (?P<v>the (?:[12]?\d|3[01])(?:st|nd|rd|th))\b{NO_ORDINAL}", of="v"),
    form("DATE", rf"\b(?:first|second|third|fourth|last|1st|2nd|3rd|4th) {WEEKDAY} (?:in|of) {MONTH}"),
    form("DATE", r"\b[Dd][.:]? ?(?P<v>\d{1,2}/\d{1,2})(?= {1,3}[Tt][.:]? ?\d{1,2}/\d)", of="v"),
    form("DATE", r"(?<=\d) {1,3}[Tt][.:]? ?(?P<v>\d{1,2}/\d{1,2})(?![\d/])", of="v"),
    form("DATE", rf"\b{SPOKEN} slash {SPOKEN}(?: slash {SPOKEN}(?: {SPOKEN})?)?\b"),
    form("DATE", r"\b(?:the )?(?i:feast|eve|vigil) of (?:St\.? |Saint |the )?[A-Z][a-z]{2,15}|\b(?:[Ee]rev|[Mm]otzei) [A-Z][a-z]{2,15}(?: [A-Z][a-z]{2,15})?"),
    form("DATE", r"\b(?:CNY|Chinese New Year|Lunar New Year) [Dd]ay (?P<v>\d{1,2})\b", of="v"),
    form("DATE", rf"\bw/c (?P<v>\d{{1,2}}(?:st|nd|rd|th)? {MONTH})", of="v", flags=ANY_CASE),
)  # fmt: skip
HAN_DAY = r"(?P<v>(?:3[01]|[12]\d|[1-9])[日号])"
HAN_AFTER_DAY = r"(?=上午|下午|中午|凌晨|清晨|早晨|晚上|晚|夜|早|\d{1,2}[:：]\d{2}|复查|复诊|门诊|手术|出院|入院|转|拔|起|停|回|可回|查|会诊|收据|颅超|上机|结束|掉|再|自行|拆线|换药|到|送|行|做|CT|MR)"
NUMBER_ZH = "(?:十[一二]?|[一二三四五六七八九])"
LUNAR_DAY = r"(?:初[一二三四五六七八九十]|廿[一二三四五六七八九]|卅)"
DAYS_ZH = (
    form("DATE", rf"(?<![\d月第前后共隔每近达.天周])(?<!\d[-~—至、])(?<!嗜睡)(?<!余){HAN_DAY}{HAN_AFTER_DAY}", of="v"),
    form("DATE", rf"(?:今|昨|于|至|从|自|定于|约|周[一二三四五六日]\(?|[;。\n]){HAN_DAY}(?![内后前龄间\d])", of="v"),
    form("DATE", rf"(?<![月\u4e00]){LUNAR_DAY}(?=出|入|再|回|晚|早|上午|下午|好转|复|来|住|手术|夜)"),
    form("DATE", r"(?:五一|十一|五四|六一|八一|寒食|三月三|小年夜?|寒假|暑假|中元节?|寒衣节|下元节|上元节?|麦收|秋收|元宵|立春|雨水|惊蛰|春分|谷雨|小满|芒种|小暑|大暑|处暑|白露|秋分|寒露|霜降|小雪|大雪|小寒|大寒)(?=前|后|期间|扎营|当天|节|假|回|那天|夜|时|晚|早|起|上|下|里|在)"),
    form("DATE", r"(?:清明|重阳|端午|中秋|元旦|国庆|春节|除夕|冬至|夏至|立[春夏秋冬])(?:前|后|节|当|期|上|那|夜|晚|次|回|去|来|时|假)?(?:[天日晚夜前后]|坟)?", lambda match: len(match[0]) > 2),
    form("DATE", rf"(?<![一二三四五六七八九十\d第前后]){NUMBER_ZH}月(?:末|底|初|中旬|上旬|下旬)"),
    form("DATE", rf"(?<![\d./-]){YEAR}/(?:1[0-2]|0?[1-9])(?![\d/])"),
    form("DATE", r"[,;。 ](?P<v>(?:1[0-2]|[1-9])\.(?:3[01]|[12]\d|[1-9]))(?=请|来|在|复|行|做|眼科|入|出|起|回|去|拆|门诊|手术|\s*超声)", of="v"),
    form("DATE", r"(?:预产期|末次月经|定于|回访|拟于|LMP|EDC|EDD)[: ]?(?P<v>(?:1[0-2]|0?[1-9])[./-](?:3[01]|[12]\d|0?[1-9]))(?![\d./-])", of="v"),
)  # fmt: skip
