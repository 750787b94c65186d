"""Pure: who is named in a short text: a diagnosis, a test, an allergy, a ward, a unit.

People type them, so a neighbour may stand in them. But they are terms more often than sentences, and
the tagger learnt from notes: bare, it takes one term in four for a name. So it reads a text as a
line of a note, and what it finds counts where a word of it can be a name or a place by the lists.
An eponym before its noun (`Marshall-Smith syndrome`, `Nightingale ward`) is nobody's name.
Decision 0085 has the figures.
"""

import re

from plumbing.remembering import remembered
from services.privacy.folding import fold
from services.privacy.name_words import EPONYMS, ORGANISMS
from services.privacy.pinyin import is_pinyin
from services.privacy.refusing import TITLES
from services.privacy.spans import Finder, Span
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
from services.privacy.words import CLINICAL_WORDS, words

LABELS_MAX = 65_536  # a site's short texts are few and come back all the time
FRAMES = tuple(
    tuple(fold(part).folded for part in frame)
    for frame in (("Diagnosis: ", ". Continue present care.\n"), ("诊断：", "。继续目前治疗。\n"))
)
HAN = re.compile("[\u3400-\u9fff]")
READABLE = re.compile("[^\\W\\d_]{3}|[\u3400-\u9fff]{2}")
WORD = re.compile(r"[^\W\d_]+")
# Two words of a code; those that a hyphen joins are an eponym as often: ``Stevens-Johnson``.
BESIDE = re.compile(r"(?<![^\W\d_])([^\W\d_]{2,})[._^+/~]+(?=([^\W\d_]{2,})(?![^\W\d_]))")
GIVEN_CHARS_MIN, PINYIN_CHARS_MIN = 4, 5  # of a given name
NUMBER = re.compile(r"(?:\d[ -]?){5}")
DAY = re.compile(r"\d.*[年月日号]|[正一二三四五六七八九十]月.*[日号]|[年月]底")
NAMED = frozenset({"NAME", "LOC"})
NAME_BITS = GIVEN | FAMILY | PLACE
# ruff: noqa: E501  (an expression that is broken into lines cannot be read)
# What eponyms and names of wards stand before.
NOUN = re.compile(
    r"(?:-[A-Z][\w-]+|'s?|s)? (?:(?:[a-z]+(?:al|ic|ar|ive|ous|oid|less|ed)|spotted|muscular|virus|blood|bone"
    r"|clotting|coma|cell|skin|type|like) )*"
    r"(?:disease|syndrome|disorder|anomaly|sign|phenomenon|reaction|reflex|test|stain|smear|score|scale|index|criteria|classification"
    r"|palsy|chorea|ataxia|dystrophy|an(?:a)?emia|tumou?r|fever|virus|fracture|contracture|hernia|ulcer|cyst|node|nodule|lesion|body|bodies"
    r"|pupil|murmur|crisis|point|line|law|method|time|rate|antigen|antibody|ab|ag|factor|flu|measles|procedure|operation|repair|position"
    r"|catheter|tube|drain|splint|phalan\w+|metacarpal|finger|toe|neuropathy|deficiency|defect|mutation|variant|strain|infection|polyposis"
    r"|dwarfism|spots?|rings?|triad|tetrad|pentad|hearing|[a-z]*(?:itis|osis|oma|pathy|plasia|trophy|algia|emia|uria|spasm|plegia|penia"
    r"|asthenia|sclerosis|lymphoma|sarcoma))\b",
    re.IGNORECASE,
)
WARD = re.compile(
    r" (?:\w+ )?(?:ward|unit|wing|suite|theatre|lounge|floor|bay|annexe?|icu)\b", re.IGNORECASE
)
# Words of medicine that no list has, by their end; a name that ends so is listed.
TERM = re.compile(
    r"[a-z]{2,}(?:itis|os[ie]s|a?emia|uria|omas?|path(?:y|ies|ic)|algia|tomy|plasty|scopy|graph[yi]c?|grams?|troph(?:y|ic)|plasia|penia"
    r"|philia|ly(?:sis|tic)|gen(?:ic|esis)|rrh(?:o?ea|age|agic)|megaly|stenosis|cytes?|blasts?|phage|ases?|ides?|ines?|ates?|oles?|ols?"
    r"|prils?|artans?|statins?|mab|nib|vir|cillins?|mycins?|cyclines?|floxacins?|penem|xaban|gatran|gli(?:ptin|flozin|tazone)|tide|ones?"
    r"|enes?|anes?|yl|ic|[ein]al|ous|oids?|i?um|chezia|ism|ity|ness|ion|ive|opsia|phasia|phagia|pnea|pnoea|thorax|cele|derma|ptosis)"
)
EPONYM_ZH = re.compile(
    "帕金森|阿尔茨海默|霍奇金|白塞|川崎|克罗恩|格林[-·]?巴利|吉兰[-·]?巴雷|桥本|威尔逊|马凡|唐氏|艾迪生|阿狄森|库欣|雷诺|格雷夫斯|卡波西|亨廷顿|韦格纳|特纳"
    "|舍格伦|干燥综合|梅尼埃|美尼尔|贝尔|杜氏|巴雷特|幽门螺|莱姆|埃博拉|寨卡|登革|格拉斯哥|巴宾斯基|墨菲|布鲁|沙门|李斯特|志贺|埃希|爱泼斯坦|柯萨奇|埃可|考克斯"
)
# How drugs and remedies end that are written by their sound or hold a herb.
TERM_ZH = re.compile(
    "(?:替康|西平|[那巴]韦|韦|司特|西汀|普坦|普生|列汀|列净|普利|唑仑|他汀|洛尔|沙坦|地平|单抗|替尼|司琼|沙星|西林|[三羟]嗪|[霉毒]素|酶|酮|碱|丸|片|胶囊|颗粒|膏|散|汤|酒"
    "|口服液|注射液|冲剂|搽剂|滴剂|穴|杆菌|球菌|菌|病|征|症|炎|瘤|癌|痘|疹|(?<=云南)白药)$"
)
HAN_RUN = re.compile("[\u3400-\u9fff]+")
WARD_NAME_CHARS_MIN = 3
TERM_ZH_MAX = 8  # characters: longer ones are sentences
TERMS = words("blood rocky mountain candida dublin borne")  # names and words of medicine
CODED = CLINICAL_WORDS | ORGANISMS | EPONYMS | TERMS  # names that are codes of findings
NAMER = ("被", "与", "由", "跟", "遭", "和", "对", "为")


@remembered(LABELS_MAX)
def named_in(folded: str, tagger: Finder) -> tuple[Span, ...]:
    """Return the spans of a short folded text that the tagger finds, and that can be names."""
    if READABLE.search(folded) is None:
        return ()
    before, after = FRAMES[HAN.search(folded) is not None]
    first, last = len(before), len(before) + len(folded)
    found = [
        Span(max(span.start, first) - first, min(span.end, last) - first, span.label)
        for span in tagger.find(f"{before}{folded}{after}")
        if span.end > first and span.start < last
    ]
    return tuple(span for span in found if _can_identify(folded, span))


def without_terms(folded: str, spans: list[Span]) -> list[Span]:
    """Return the spans without names that are part of a term, such as an eponym."""
    return [span for span in spans if span.label not in NAMED or not _is_eponym(folded, span)]


def may_name(code: str) -> bool:
    """Return whether a code holds a name by the lists that is no word and no term, or a whole one,
    given name beside family name, of which each may be a word.
    """
    lowered = code.lower()
    return any(
        bits & (GIVEN | FAMILY) and not bits & (ORDINARY | COMMON) and word not in CODED
        for word in WORD.findall(lowered)
        if len(word) > 3
        for bits in (hint_of_word(word),)
    ) or any(
        _is_whole_name(*pair) or _is_whole_name(*pair[::-1]) for pair in BESIDE.findall(lowered)
    )


def _is_whole_name(family: str, given: str) -> bool:
    bits, others = hint_of_word(family), hint_of_word(given)
    if not bits & FAMILY or family in CODED or given in CODED:
        return False
    if others == UNLISTED:
        return len(given) >= PINYIN_CHARS_MIN and is_pinyin(family, given)
    return bool(others & GIVEN) and len(given) >= GIVEN_CHARS_MIN and not bits & others & COMMON


def _can_identify(folded: str, span: Span) -> bool:
    found = folded[span.start : span.end]
    if span.label == "DATE":
        return DAY.search(found) is not None
    if span.label not in NAMED:
        return NUMBER.search(found) is not None
    if HAN.search(found):
        return _is_han_name(folded, span, found)
    return _is_latin_name(folded, found)


def _is_han_name(folded: str, span: Span, found: str) -> bool:
    if len(found) < 2:
        return False
    if any(one.start() < span.end and span.start < one.end() for one in EPONYM_ZH.finditer(folded)):
        return False
    for run in HAN_RUN.finditer(folded):
        if run.start() <= span.start and span.end <= run.end() and _is_term_zh(run[0]):
            return False
    return not is_han_word(found) or folded.endswith(NAMER, 0, span.start)


def _is_term_zh(run: str) -> bool:
    return len(run) <= TERM_ZH_MAX and not run.startswith(NAMER) and TERM_ZH.search(run) is not None


def _is_latin_name(folded: str, found: str) -> bool:
    """A listed name or place in it, or a word with a capital that no list has and is no term."""
    is_alone = WORD.fullmatch(folded) is not None
    for word in WORD.findall(found):
        lowered = word.lower()
        bits = hint_of_word(lowered)
        is_word = bool(bits & (ORDINARY | COMMON))
        if len(word) < 3 or lowered in CLINICAL_WORDS or lowered in ORGANISMS:
            continue
        if bits & NAME_BITS and not (is_word and (is_alone or word.islower())):
            return True
        if bits == UNLISTED and word[0].isupper() and not is_alone and not TERM.fullmatch(lowered):
            return True
    return False


def _is_eponym(folded: str, span: Span) -> bool:
    found = folded[span.start : span.end]
    if HAN.search(found):
        return False
    rest = folded[span.end :]
    if NOUN.search(found) or WARD.search(found) or WARD.match(rest) or _is_ward(folded, span):
        return True
    lowered = WORD.findall(found.lower())
    if all(word in CLINICAL_WORDS or word in ORGANISMS or word in TERMS for word in lowered):
        return True
    is_person = " " in found and bool(hint_of_word(lowered[0]) & GIVEN)
    return not is_person and NOUN.match(rest) is not None


def _is_ward(folded: str, span: Span) -> bool:
    """The second word of `Nightingale Ward`, found alone; not that of `Sister Ward`."""
    if WARD.fullmatch(folded, span.start - 1, span.end) is None:
        return False
    before = WORD.findall(folded[: span.start])
    name = before[-1] if before else ""
    bits = hint_of_word(name.lower())
    if len(name) < WARD_NAME_CHARS_MIN or not name[0].isupper() or name.lower() in TITLES:
        return False
    return bits == UNLISTED or bool(bits & (FAMILY | PLACE) and not bits & GIVEN)
