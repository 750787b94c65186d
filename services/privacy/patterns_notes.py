"""Pure: identifiers as hurried people write them in notes: partial dates, cues without a colon,
signatures. Folded text; looser than ``patterns``, so each asks for more around it.
"""

import re

# ruff: noqa: E501  (an expression that is broken into lines cannot be read)
from services.privacy.pattern_checks import YEAR, no_unit
from services.privacy.patterns import ANY_CASE, DAY, MONTH, Check, form
from services.privacy.patterns_zh import HAN, NUMERAL, SURNAME
from services.privacy.words import words

WEEKDAY = r"(?:Mon|Tue(?:s)?|Wed(?:nes)?|Thu(?:r)?(?:s)?|Fri|Sat(?:ur)?|Sun)(?:day)?"
DURATIONS = frozenset({7, 52})  # 3/7: three days; 6/52: six weeks
NOT_SIGNED = words(
    "时间 时有 时常 何时 安全 安静 安好 安返 平稳 平车 高危 高热 常规 全天 全程 方案 方式 白天 白班",
    "任何 应用 计划 温度 明显 向前 向上 金属 石膏 左侧 左上 左下 于今 于昨 成人 成功 单纯 包扎 包块",
    "从未 满意 黄疸 黄染 房颤 许可 司机 关节 经治 习惯 农民 言语 言明 都有 都可 都是 来院 来诊 干净 干燥",
    "权衡 空腹 空白 相关 查体 查房 查血 通知 通畅 通过 能够 能动 易怒 别无 容易 和平 元旦 符合 强直 隆起",
    "支架 支持 库存 法定 全麻 全身 钱款 双肺 双下 项目 祝好 万元 连续 宁可 阴性 阳性 甘油 路面 冷敷 热敷",
    "水肿 水样 火罐 米汤 花费 沙眼 鱼刺 牛奶 国庆 占位 种植 展开 青霉 虎口 巨大 自述 自行 那时 那边",
)


def _is_day_and_month(match: re.Match[str]) -> bool:
    one, two = int(match["a"]), int(match["b"])
    if not (1 <= min(one, two) <= 12 and max(one, two) <= 31):
        return False
    return two not in DURATIONS or match["w"] is not None


def _is_han_signature(match: re.Match[str]) -> bool:
    return match["name"][:2] not in NOT_SIGNED


def _has_digits(least: int) -> Check:
    def check(match: re.Match[str]) -> bool:
        value = match["v"]
        is_year = re.fullmatch(YEAR, value) is not None
        return sum(char.isdecimal() for char in value) >= least and not is_year

    return check


LUNAR = r"(?:初[一二三四五六七八九十]|十[一二三四五六七八九]|二十|廿[一二三四五六七八九]|三十)"
NOTES_EN = (
    form(
        "DATE",
        rf"\b(?:(?P<w>{WEEKDAY}),? |(?:on|since|until|til|by|from|due|return(?:s|ed)?|expires?|finishing|back|closed|review|exchange|dated|f/u|last|next)[: ])(?P<v>(?P<a>\d{{1,2}})[/.](?P<b>\d{{1,2}}))(?!\d|[/.]\d|\s?%)",
        _is_day_and_month,
        "v",
        ANY_CASE,
    ),
    form("DATE", r"(?<![\d/.-])(?:1[3-9]|2[0-9]|3[01])/(?:0?[1-689]|1[01])(?![\d/%]|\.\d|-\d)"),
    form("DATE", r"\b[Tt]he (?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|\w{3,7}teenth|twentieth|twenty-\w{4,7}|thirtieth)(?=[.,;]|$| of \b)"),
    form("DATE", rf"\b{WEEKDAY},? (?:the )?{DAY}(?: {MONTH})?(?: (?:{YEAR}|'\d\d))?\b", flags=ANY_CASE),
    form("DATE", rf"\bthe {DAY} (?:inst|ult)\b", flags=ANY_CASE),
    form("DATE", rf"\b{YEAR}-{MONTH}-\d{{1,2}}\b"),
    form(
        "DATE",
        r"\b(?:Christmas(?: Day| Eve)?|Boxing Day|Easter(?: Sunday| Monday)?|Good Friday|New Year'?s (?:Day|Eve)|Thanksgiving"
        rf"|Leap Day|(?:St )?Pad(?:dy|rick)'s Day|Diwali|Cinco de Mayo|CNY)\b(?: {YEAR})?",
    ),
    form("DATE", r"\b(?i:in|by|til|of|since|early|late|mid) (?P<v>(?:Jan|Feb|Aug|Sept?|Oct|Nov|Dec|February|January|August|September|October|November|December)\b)(?! \d)", of="v"),
    form(
        "ID",
        r"\b(?:HCN|OHIP|PHN|MCR|HCPC|GMC|NMC|CHI|(?-i:URN?)|s/?n|tag|reg(?:istration)?|lot|asset|badge|lab|spec(?:imen)?|CLIA|claim|PRF|log|pass|locker|bike|para reg|HICN|PIN|crash|incident|ticket|Reg\.?)(?![A-Z])"
        r"(?: (?:no|number|nr))?\.?\s?[:#]?\s{0,2}(?P<v>[A-Z]{0,4}[-/ ]?\d[A-Z0-9]{0,12}(?:[-/ ][A-Z]{0,3}\d[A-Z0-9]{1,10}|[ -](?-i:[A-Z]{2,3})\b){0,4})\b",
        _has_digits(3),
        "v",
        ANY_CASE,
    ),
    form("ID", r"#\s?(?P<v>[A-Z0-9]{1,6}(?:[-/][A-Z0-9]{1,8}){1,3})\b", _has_digits(3), "v"),
    form("ID", r"\b(?:NHS|MRN|CHI)\s?(?:no\.?)?:? (?P<v>\d{3} \d{3,4} \d{3,4})\b", _has_digits(6), "v"),
    form("ID", r"(?<![\w./-])(?!BP\d|G\d{1,2}P\d|[TM]\d{5}\b)(?=[\d/-]{0,20}[A-Z])(?=(?:[A-Z/-]{0,8}\d){5})[A-Z0-9]{1,16}(?:[-/][A-Z0-9]{1,12}){0,4}(?![\w%]|\.\d)", no_unit),
    form("URL", r"\b[a-z][\w-]{1,63}(?:\.[\w-]{1,63}){0,4}\.(?:[a-z]{2,4}/[^\s<>\"'，。)]{1,300}|(?:co|ac|org|nhs|gov|edu|com|net|police|gc|mil)\.[a-z]{2}\b|(?:app|health|link|site|online|dev|xyz|int|mil|care|clinic)\b)"),
    form("PHONE", r"\b(?:ph|bleep|bleeps|dect|x|ext|hp|mob|cell|clinic|tel|PA|at|on)\.? (?P<v>\d{2,4}[ -]\d{3,4}(?:[ -]\d{3,4})?(?: x\d{2,5})?)\b(?! ?(?:m|k)g)", _has_digits(6), "v", ANY_CASE),
    form("PHONE", r"\b(?:bleep|bleeps|pager|dect|ext)\.?:? ?(?P<v>#?\d{3,6})\b", of="v", flags=ANY_CASE),
    form("NAME", r"(?:\n|[.:;] )(?:[-—–/ ]{0,4})(?P<name>[A-Z]\. ?[A-Z][a-z]{2,20}(?:-[A-Z][a-z]{2,20})?),? (?:MD|RN|NP|PA-C|DO|FRCS|FRCP|SpR|SHO|ST\d|FY\d)\b", of="name"),
    form("NAME", r"(?P<name>[A-Z][a-zé'’-]{1,20}(?: [A-Z]\.)? [A-Z][A-Za-zé'’-]{1,20}),? (?:MD|RN|NP|PA-C|DO|FRCS|FRCP|FRCR|SpR|SHO|LPN|CNS|FY\d|ST\d)\b", of="name"),
)  # fmt: skip
NOTES_ZH = (
    form("DATE", rf"(?:正|腊|冬|闰?{NUMERAL}{{1,2}})月{LUNAR}(?:日|夜)?"),
    form("DATE", r"除夕|大?年初[一二三四五六七]|大年三十|元宵节?|清明节|端午节?|中秋节?|重阳节|国庆节|元旦|春节|腊八节?|圣诞节|平安夜"),
    form("DATE", r"(?:19|20)\d\d年(?:初|底|末|春|夏|秋|冬)(?:季|天)?"),
    form("DATE", r"(?<![\d.-])(?:19|20)\d\d[.-/](?:0?[1-9]|1[0-2])(?=植入|置入|查|行|$|[\s,。;)])"),
    form("DATE", r"(?<!\d)(?:1[0-2]|0?[1-9])月(?:3[01]|[12]\d|0?[1-9])(?![\d月个日号天])"),
    form("DATE", rf"(?:[\n(]|[\s,。/、]{HAN}{{1,4}}[\s/])(?P<v>(?:1[0-2]|0?[1-9])[/.-](?:3[01]|[12]\d|0?[1-9]))(?=\s*(?:\Z|\n|\)))", of="v"),
    form("DATE", r"(?:\A|[\n。;,:、)(])\s?(?P<v>(?:1[0-2]|0?[1-9])[/-](?:3[01]|[12]\d|0?[1-9]))(?=[ \n])", of="v"),
    form("DATE", r"(?<=[\s:,。、)(于])(?:1[0-2]|[1-9])/(?:1[3-9]|2[0-46-9]|31)(?=[(,。、;\s])"),
    form("DATE", r"(?:昭和|平成|令和|康德)\s?\d{1,2}年(?:\d{1,2}月(?:\d{1,2}日)?)?"),
    form("PHONE", r"(?:分机|短号|内线|小号|转)[:号 ]?(?P<v>\d{3,6})(?!\d)", of="v"),
    form("DATE", r"(?:预约|下次\S{0,3}|复诊|拆线|换药|改约|暂定|随访)[:于 ]?(?P<v>(?:1[0-2]|[0-3]?\d)[/.-](?:3[01]|[012]?\d))(?![\d/.-]|次|片|粒|mg|g|%)", of="v"),
    form(
        "ID",
        r"(?:[\u4e00-\u9fff]号|编号|条码|工牌|批准单|新农合卡|移植卡|残疾证|军官证|记录盒|船名|机组|ID|SN|No\.?)[\s:为是(]{0,3}(?P<v>(?:[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Z][·.]?)?[A-Za-z0-9][A-Za-z0-9+]{0,16}(?:[-/·][A-Za-z0-9]{1,14}){0,4}急?)(?![A-Za-z0-9])",
        _has_digits(3),
        "v",
    ),
    form("ID", r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Z][·. ]?[A-Z0-9]{4,6}[急警学港]?"),
    form(
        "NAME",
        r"(?:父亲?|母亲?|妻子?|丈夫|爱人|老伴|配偶|夫|长子|次子|儿子|女儿|[长次]女|儿媳|女婿|外甥女?|侄[子女]|孙[子女]|弟弟?|妹妹?|兄|哥哥|姐姐?|姨妈|舅舅|叔叔?|[大二三]姐|[大二三]哥|工友|同事|室友|邻居|房东|陪护|护工|翻译|药师|技师|治疗师|康复师|进修|主刀|经治|二线|送检|车长|机长|组长|记录|审核|报告|读片|检验者|分析员|主管|器械|巡回|麻醉)"
        rf"\s?[:(、]?\s?(?P<name>{SURNAME}{HAN}{{1,2}}?)(?=[\s,、。;:()\[\]<>/\d]|代|陪|签|均|患|有|死|已|在|说|电|送|同|均|\Z)",
        _is_han_signature,
        "name",
    ),
    form("NAME", rf"(?P<name>{SURNAME}{HAN}{{1,2}})(?=[\s(:]{{0,2}}1[3-9]\d[ -]?\d{{4}}[ -]?\d{{4}})", _is_han_signature, "name"),
    form("NAME", rf"(?:护工|接收|车组|康复师|负责人|伤者|取名|名叫|改名|协调员|社工|翻译员|班长|教练|老支书|村长|秘书|研究生)\s?[:、]?(?P<name>{SURNAME}{HAN}{{1,2}})(?=[\s,、。;:()\[\]/\d]|接|陪|送|制作|复核|到场|来|已)", _is_han_signature, "name"),
    form("NAME", rf"[\n。;)][\s—-]{{0,4}}(?P<name>{SURNAME}{HAN}{{0,2}})(?:[\s/,]{{1,2}}\S{{3,18}})?\s*\Z", _is_han_signature, "name"),
    form("NAME", rf"[\s/→](?P<name>{SURNAME}{HAN}{{0,2}})\s*\Z", _is_han_signature, "name"),
)  # fmt: skip
