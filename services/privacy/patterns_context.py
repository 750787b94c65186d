"""Pure: names and places of English notes by the word before them and what word lists say of them.

Relations and staff are named without a title (``niece Prudence``, ``RN Cass``); towns stand after
``in`` or ``lives``. What is an ordinary word by the lists stays, whatever stands before it.
"""

import re

# ruff: noqa: E501  (an expression that is broken into lines cannot be read)
from services.privacy.gazetteers import GIVEN_NAMES
from services.privacy.name_words import EPONYMS, NAMED_SIGNS, ORGANISMS, is_word_and_name
from services.privacy.patterns import WORD, Pattern, form
from services.privacy.patterns_notes import NOT_SIGNED
from services.privacy.patterns_zh import HAN, SURNAME
from services.privacy.tagger.doubts import CHART_WORDS, LANGUAGES
from services.privacy.tagger.hints import (
    COMMON,
    FAMILY,
    GIVEN,
    ORDINARY,
    PLACE,
    UNLISTED,
    hint_of_word,
    is_han_word,
)
from services.privacy.words import (
    NEVER_NAMES,
    NOT_NAMES,
    RARE_SURNAMES,
    SURNAMES,
    WORD_NAMES,
    words,
)

LETTERS = re.compile(r"[^\W\d_]+")
DEVICES = frozenset(
    {"jackson pratt", "swan ganz", "austin moore", "kirschner wire", "hickman broviac"}
)
SPECIALTIES = words(
    "general plastic day oral eye breast vascular cardiac thoracic spinal hand bariatric colorectal orthopaedic orthopedic",
    "trauma emergency elective minor major robotic keyhole laparoscopic open previous prior recent cataract neuro brain",
    "heart bowel knee hip back post pre for after before had her his no any local primary secondary high middle",
)
NOT_TOWNS = words(
    "framingham corlette banff bogota leiden maisonneuve coxsackie norwalk marburg lyme hendra zika bombay mantoux epworth norco parkland beighton"
)
SIDES = "LR"
RELATION = (
    r"(?:niece|nephew|aunt(?:ie|y)?|uncle|mum|mom|mam|mummy|mommy|dad(?:dy)?|gran(?:dma|dpa|dad|ny)?|nana?|grandson|granddaughter|sibling"
    r"|sibs?|sis|bro|sister|brother|partner|fianc[ée]e?|girlfriend|boyfriend|hubby|spouse|wife|husband|son|daughter|mother|father"
    r"|friend|neighbou?r|carer|caregiver|(?:room|house|flat)mate|colleague|cousin|step(?:son|dad|mum|mom)|stepdaughter|ex|twin|kid|bros?|pal|bestie|godmother|godfather|godson|fella|missus|chach[ai]|bhai|didi|mami|kaka|amma|appa|akka|tante|oom|abuel[ao]|t[íi][ao]|herman[ao]|espos[ao]|lola|lolo|kuya|nanay|tatay)"
)
STAFF = (
    r"(?:RN|SN|S/N|RMN|ODP|ANP|HCA|SHO|SpR|HO|CNS|LPN|CDE|NNP|scribe|sonographer|sono|radiographer|interpreter|translator|pharmacist|dieti[ct]ian"
    r"|physio|midwife|paramedic|coordinator|psychologist|therapist|detective|sgt|anaesthetist|anesthesiologist|surgeon|operator"
    r"|registrar|fellow|chaplain|social worker|case manager|nurse|tech|reg|cons|medic|doula|driver|RMO|HMO|resident|intern|matron|warden|key ?worker|CPN|OT|SLT|SALT|dietician|podiatrist|optometrist|orthotist|phlebotomist|porter|rep|ordering|crew|signed|s/d|cc|attn|dear|goes by|called)"
)
PERSON = rf"(?P<name>(?!(?:Dr|Mr|Mrs|Ms|Miss|Prof|Sr|St|Mdm)\b)(?:[A-Z]\.? )?{WORD}(?:[ -]{WORD}){{0,2}})"


def _is_listed_person(match: re.Match[str]) -> bool:
    """The first long word is no ordinary one, or is a given name that stands with a relation."""
    if match["name"].isupper() and len(match["name"]) <= 4:
        return False  # a degree
    found = next((w for w in LETTERS.findall(match["name"]) if len(w) > 2), "")
    if match["name"].istitle() and is_word_and_name(match["name"]):
        return True  # ``case manager Joy``
    return _reads_as_name(found)


def _reads_as_name(word: str) -> bool:
    lowered = word.lower()
    if len(word) < 3 or lowered in NOT_NAMES or lowered in NEVER_NAMES or lowered in ORGANISMS:
        return False
    hint = hint_of_word(lowered)
    return hint == UNLISTED or not hint & ORDINARY or bool(hint & GIVEN)


def _is_rare_name(match: re.Match[str]) -> bool:
    """A word that is written seldom or never, and no organism's second name."""
    lowered = match["family"].lower()
    hint = hint_of_word(lowered)
    is_ordinary = bool(hint & ORDINARY) and hint != UNLISTED
    return not (
        is_ordinary or lowered in ORGANISMS or lowered in NOT_NAMES or lowered in WORD_NAMES
    )


def _is_initialled(match: re.Match[str]) -> bool:
    """``M. Beauchamp``, but no tablet: ``T. Cordarone 200``."""
    after = match.string[match.end() : match.end() + 6].lstrip("-ABCDEFVX ")
    is_drug = match["name"][0] in "TCSI" and after[:1].isdecimal()
    if match["name"][0] in SIDES and match.string[: match.start()].rstrip(" ")[-1:].isdecimal():
        return False
    if match["name"][:2] == "I." and match.string[: match.start()].rstrip(" ")[-1:].isalpha():
        return False  # ``Cat I.``, ``98 % on 2 L. Abdo soft``, ``VA 6/9 R. Fluorescein``
    family = match["family"].lower()
    is_sign = family in CHART_WORDS or (match["name"][0] in SIDES and family in NAMED_SIGNS)
    return not is_drug and not is_sign and _is_rare_name(match)


def _is_family(match: re.Match[str]) -> bool:
    hint = hint_of_word(match["family"].lower())
    return hint != UNLISTED and bool(hint & FAMILY) and match["family"].lower() not in NOT_NAMES


def _is_no_heading(match: re.Match[str]) -> bool:
    return match[0].split()[0].casefold() not in NOT_NAMES


def _is_whole_name(match: re.Match[str]) -> bool:
    """A given name that is no word, and a word that is written seldom or never."""
    if f"{match['first']} {match['family']}".lower() in DEVICES:
        return False
    return _is_given(match["first"].lower()) and _is_rare_name(match)


def _is_given_name(match: re.Match[str]) -> bool:
    return _is_given(match["name"].lower())


def _is_known_given_name(match: re.Match[str]) -> bool:
    return match["name"].capitalize() in GIVEN_NAMES or _is_given_name(match)


def _is_rare_listed(match: re.Match[str]) -> bool:
    """A name of persons by the lists, no word, and nobody's sign or disease."""
    words_in = [word.lower() for word in LETTERS.findall(match["name"])]
    hints = [hint_of_word(word) for word in words_in]
    is_listed = any(hint != UNLISTED and hint & (GIVEN | FAMILY) for hint in hints)
    is_word = any(hint != UNLISTED and hint & ORDINARY for hint in hints)
    return (
        is_listed
        and not is_word
        and not any(w in NAMED_SIGNS or w in CHART_WORDS or w in WORD_NAMES for w in words_in)
    )


def _is_given(lowered: str) -> bool:
    hint = hint_of_word(lowered)
    is_listed = hint != UNLISTED and bool(hint & GIVEN) and not hint & ORDINARY
    return is_listed and lowered not in EPONYMS and lowered not in CHART_WORDS


def _is_town(match: re.Match[str]) -> bool:
    hint = hint_of_word(match["town"].lower())
    is_place = hint != UNLISTED and bool(hint & PLACE) and not hint & COMMON
    if match["town"].lower() in LANGUAGES:
        return False
    return is_place and not (hint & ORDINARY and hint & (GIVEN | FAMILY))


def is_place_word(word: str) -> bool:
    """Return whether a word is a place by the lists, and neither a word nor a name of persons."""
    return hint_of_word(word.lower()) == PLACE


def _is_only_place(match: re.Match[str]) -> bool:
    """A place by the lists, and neither a word nor a name of persons."""
    lowered = match["town"].lower()
    is_place = hint_of_word(lowered) == PLACE
    return is_place and lowered not in NOT_TOWNS and lowered not in CHART_WORDS


def _is_han_person(match: re.Match[str]) -> bool:
    """Not a word of the list, and nothing that begins as what notes say there."""
    name = match["name"]
    if is_han_word(name) or name[:2] in NOT_SIGNED or name in NEVER_NAMES or name in FIELDS:
        return False
    before = match.string[match.start("name") - 1 : match.start("name")]
    return not (NO_NAME.search(name) or (before == "子" and name[0] == "宫"))


def _is_han_signed(match: re.Match[str]) -> bool:
    """After a colon also a name that is a word or has no family name, as minorities have."""
    name = match["name"]
    if match["sign"].strip() == ":":
        return name not in FIELDS and not NO_NAME.search(name)
    return (name[0] in FAMILY_SIGNS or "·" in name) and _is_han_person(match)


def _is_latin_person(match: re.Match[str]) -> bool:
    first = next(iter(LETTERS.findall(match["name"])), "")
    return not match["name"].isupper() and _reads_as_name(first)


def _is_before_title(match: re.Match[str]) -> bool:
    """A family name, or what no list calls a word: minorities' names have no family name."""
    name = match["name"]
    if any(sign in name for sign in NOT_IN_TITLED) or not _is_han_person(match):
        return False
    if name[0] in FAMILY_SIGNS:
        return len(name) <= 3
    return len(name) >= 2 and not any(is_han_word(name[at : at + 2]) for at in range(len(name) - 1))


def _is_before_phone(match: re.Match[str]) -> bool:
    name = match["name"]
    return not any(is_han_word(name[at : at + 2]) for at in range(len(name) - 1)) and not any(
        sign in name for sign in "电话机号联系方式码人微信母父妻夫子女兄弟姐妹"
    )


def _is_site(match: re.Match[str]) -> bool:
    first = match["site"].split()[0].casefold()
    return first not in NOT_NAMES and first not in SPECIALTIES


CONTEXT_EN: tuple[Pattern, ...] = (
    form("NAME", rf"\b(?i:{RELATION})(?![^\W\d_])(?: is| was| called)?[:,]? ?[(\"“=-]? ?{PERSON}", _is_listed_person, "name"),
    form("NAME", rf"\b(?i:{STAFF})\b[.:,]? {{1,2}}[(\"“]?{PERSON}", _is_listed_person, "name"),
    form("NAME", r"(?<![\w.&-])(?P<name>[A-Z]\. ?(?:[A-Z]\. ?)?(?P<family>[A-Z][a-z]{2,20}(?:[-’'][A-Z][a-z]{1,20})?))\b", _is_initialled, "name"),
    form("NAME", r"(?:/ |[:(,&\n] ?|\A|\b(?:by|with|and|from|to) )(?P<name>[A-Z] (?P<family>[A-Z][a-z]{2,20}(?:[-’'][A-Z][a-z]{1,20})?))(?= ?[/,;).&\n]|\Z)", _is_rare_name, "name"),
    form("NAME", r"\b(?P<name>(?P<family>[A-Z][A-Za-z'’-]{2,20}), ?[A-Z]\.(?: ?[A-Z]\.)?)(?!\w| [A-Z][a-z])", _is_rare_name, "name"),
    form("NAME", r"\b(?P<name>(?P<first>[A-Z][a-z]{2,15})(?: [A-Z]\.?)?[ -](?P<family>[A-Z][A-Za-z]{2,20}(?:[-’'][A-Z][a-z]{1,20})?))\b(?!['’]s)", _is_whole_name, "name"),
    form("NAME", r"\b(?P<name>[A-Z][a-z]{2,15})\b(?!['’]s? (?:sign|disease|test|syndrome|criteria|score))", _is_given_name, "name"),
    form("NAME", r"\b(?P<name>(?P<family>[A-Z][A-Za-z'’-]{2,20}), ?[A-Z])(?=[\s;)\"”]|\Z)(?! [A-Z]?[a-z])", _is_family, "name"),
    form("NAME", rf"\b{RELATION} (?P<name>[a-z]{{3,12}})\b", _is_known_given_name, "name"),
    form("NAME", r"\b(?i:by|per|d/w|w/|with|via|thanks|cheers|rgds|regards|best),? (?P<name>[A-Z][a-z]{2,15}(?:-[A-Z][a-z]{2,15})?)\b(?!['’]s)", _is_rare_listed, "name"),
    form("DATE", r"\b(?:b|DOB|dob)\.? ?(?P<v>\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4})\b", of="v"),
    form("LOC", rf"\b(?:{WORD} ){{0,2}}(?:Hospital|Infirmary|University|College) of (?:the )?{WORD}\b", _is_no_heading),
    form("LOC", r"\b(?i:in|at|from|near|nr|lives|lived|living|born in|@) (?P<town>[A-Z][a-z]{3,20})\b(?!['’])", _is_town, "town"),
    form("LOC", r"\b(?P<town>[A-Z][a-z]{4,20})\b(?!['’]|[ -](?:coma|scale|score|stool|criteria|virus|disease|syndrome|fever|classification|index|brace|test|forceps|tube|drain)\b)", _is_only_place, "town"),
    form("LOC", rf"\b(?P<site>(?:{WORD} ){{1,3}}(?:Surgery|Elementary|Primary School|High School|Middle School|University|College|Medical Practice|Group Practice|Pediatrics|Paediatrics|Pharmacy|Regional|Academy|Care Centre|Care Center|Retirement Village))\b", _is_site, "site"),
    form("LOC", r"\b(?:St\.? [A-Z][a-z]{2,15}(?:['’]s)|(?:Mount|Mt\.?) [A-Z][a-z]{3,15})\b(?! wort)"),
)  # fmt: skip

NO_NAME = re.compile(
    r"^患者|^患儿|^病人|^入院|^同意|[医查术癌症炎楼床血药尿痛食饲宫孕喂]|主[任治]|护士|老师|第"
)
FAMILY_SIGNS = frozenset(SURNAMES + RARE_SURNAMES)
NOT_IN_TITLED = "科病院室部上级班我本该请由经向予待转与和及送在管责任主副实习进修床总外内专值教"
STAFF_ZH = (
    r"(?:医师|医生|医|护士长|护士|护师|护|技师|技士|记录者|记录|(?<!日)记|审核|报告者|报告|签名|签字|经手|经治|主治|科主任|主任|二线|一线|住院医师?"
    r"|药师|翻译员?|会诊者|会诊|夜班|白班|值班|巡回|器械|助产士|车组|接收|督导|主刀|[一二]助|麻醉|陪护|护工|康复师|协调员|读片|检验者|整理"
    r"|主持|参加|联系人|访视人|评估人|执行人|操作者|采集人|带教|组长|辅导员|秘书|社工)"
)
KIN_ZH = (
    r"(?:护士|医师|医生|家属|室友|同寝|房东|闺女|大?儿子|继父|继母|奶奶|婆婆|公公|爷爷|外公|外婆|姥姥|姥爷|妻子?|夫|女儿?|子|母亲?|父亲?|姐|妹|弟"
    r"|兄|孙子?|外甥女?|妹夫|姐夫|嫂子?|女友|男友|同伴|司机|助产士|护士长|药师|翻译|辅导员|老支书|支书|村医|工友|同事|邻居|女婿|儿媳|老伴|爱人|丈夫)"
)
NAME_END = r"(?=[\s,、。;:()\[\]<>/\"”\dA-Za-z→]|即|是|商|谈|争|孕|干|前|之|因|曾|做|代|陪|签|均|已|说|电|送|会诊|看|完成|复核|解释|协助|接|来|交|负责|接受|知|要求|询问|\Z)"
FIELDS = words(
    "男 女 患者本人 腰穿 姓名 性别 年龄 日期 时间 签名 签字 科室 床号 无 未 暂无 不详 同前 同上 本人 患者 家属 正常 阴性 阳性 如下 如上"
)
TITLED = r"(?=副?主任医师|主治医师|医师查房|医师|医生|大夫|护士(?!站)|教授|老师|先生|女士|治疗师|副?主任|阿婆|老太|大娘|大妈|师傅|伯伯|秘书|医 ?\d)"
LATIN_NAME = r"(?P<name>[A-ZА-Я][A-Za-zА-Яа-я.'’-]{1,20}(?: [A-ZА-Я][A-Za-zА-Яа-я.'’-]{0,20}){0,3})"
DAY_OF_MONTH = (
    r"(?:(?:1[0-2]|0?[1-9])[./-](?:3[01]|[12]\d|0?[1-9])|(?:3[01]|[12]\d)/(?:1[0-2]|0?[1-9]))"
)
CONTEXT_ZH: tuple[Pattern, ...] = (
    form("NAME", rf"{STAFF_ZH}(?P<sign>[: /]{{1,3}})(?P<name>[\u4e00-\u9fff]{{1,4}}(?:[·•][\u4e00-\u9fff]{{1,8}})?)(?=[\s,、。;()/\d→]|\Z)", _is_han_signed, "name"),
    form("NAME", rf"{KIN_ZH}(?P<name>{SURNAME}{HAN}{{1,2}}?){NAME_END}", _is_han_person, "name"),
    form("NAME", rf"(?:{KIN_ZH}|{STAFF_ZH})[( ]?{LATIN_NAME}", _is_latin_person, "name"),
    form("NAME", rf"(?:{KIN_ZH}|{STAFF_ZH}|联系人)[小老阿](?P<name>{SURNAME})", of="name"),
    form("NAME", rf"(?:[科组室线])(?P<name>{SURNAME}{HAN}{{0,2}}?)(?=:|会诊|主任|老师)", _is_han_person, "name"),
    form("NAME", rf"(?:\A|[\n:。,;])\s?(?P<name>{SURNAME}{HAN}{{1,2}})(?=[ ,(]{{0,2}}(?:[男女][ ,\d)]|[MF] ?\d|\d{{1,3}} ?(?:岁|y|个?月)))", _is_han_person, "name"),
    form("NAME", rf"(?:\A|[\n。])(?P<name>{SURNAME}{HAN}{{0,2}}?)(?=副?(?:主任|主治)?医师查房|主任:|主任查房|老师查房)", _is_han_person, "name"),
    form("NAME", rf"(?:\A|[\n。;,、:(\s“\"]|请|找|由|经|本院|通知|联系)(?P<name>[\u4e00-\u9fff]{{1,4}}?){TITLED}", _is_before_title, "name"),
    form("NAME", rf"(?:\A|\n)(?P<name>{SURNAME})(?=:)", of="name"),
    form("NAME", rf"姓(?P<name>{SURNAME})(?![名\u4e00-\u9fff])", of="name"),
    form("NAME", rf"[\s。)](?P<name>[\u4e00-\u9fff]{{2,4}}) {{1,3}}{DAY_OF_MONTH}\s*\Z", _is_han_person, "name"),
    form("NAME", rf"[\d日号] ?(?P<name>{SURNAME}{HAN}{{0,2}})\s*\Z", _is_han_person, "name"),
    form("NAME", r"(?P<name>[\u4e00-\u9fff]{2,5}(?:·[\u4e00-\u9fff]{1,6})?)(?=[ (:]{0,2}1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?!\d))", _is_before_phone, "name"),
    form("DATE", rf"[。;,][ ]?(?P<v>{DAY_OF_MONTH})(?=\s*(?:\Z|\n))", of="v"),
    form("DATE", rf"(?:于|至)(?P<v>{DAY_OF_MONTH})(?=[在行出入])", of="v"),
    form("DATE", r"(?<![\d.个])(?:1[0-2]|[1-9])月(?=做|在|复查|随访|再来)|(?<![\d.个])(?:1[0-2]|[1-9])月(?:末|底|初|[上中下]旬)"),
    form("DATE", r"立春|立冬|立夏|立秋|冬至|夏至|三八节|劳动节|儿童节|七夕|藏历新年|古尔邦节|开斋节|泼水节|火把节|那达慕"),
)  # fmt: skip
