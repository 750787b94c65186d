"""Pure: what looks like an identifier and is none by what stands around it: a town that is a scale
(``Boston Naming``), an organism (``E. coli``), a title alone, a time of day, a language, a floor.

Layers over form, lists and tagger find them; what is known of somebody is never asked here. Folded text.
"""

import re
from collections.abc import Iterable, Iterator

# ruff: noqa: E501  (an expression that is broken into lines cannot be read)
from services.privacy.name_words import GENERA, ORGANISMS
from services.privacy.spans import Span
from services.privacy.tagger.doubts import EPONYMS, LANGUAGES, is_medical_by_form, is_only_said
from services.privacy.tagger.hints import FAMILY, GIVEN, LISTS, UNLISTED, hint_of_word
from services.privacy.words import RARE_SURNAMES, SURNAMES, words

PROPER = frozenset({"NAME", "LOC"})
LETTERS = re.compile(r"[^\W\d_]+")
AROUND_CHARS = 24
PLACE_LEADS = ("in ", "at ", "from ", "to ", "of ", "near ")
# Towns after which scales, scores, classes and mutations are called.
SCALES = words(
    "berlin boston ottawa tokyo lugano oswestry tampa lille bethesda denver vineland mississippi vancouver philadelphia glasgow edinburgh paris milan rome lund bristol rotterdam",
    "cambridge geneva toronto kansas maastricht atlanta chicago barcelona warwick norton sydney melbourne montreal dublin baltimore seattle salford framingham leeds salzburg nottingham",
    "copenhagen stockholm hamburg heidelberg nijmegen amsterdam leiden oxford rancho ranchos liverpool manchester birmingham newcastle sheffield bath snellen rochester memphis minnesota",
    "california michigan wisconsin stanford vienna brussels prague madrid lisbon toulouse lyon bern zurich basel helsinki bogota",
)
AFTER_SCALE = re.compile(
    r"[ -](?:[IV]{1,3}[ABab]?\b|\d{1,3}(?:[ .,;/%)]|$)|(?:[Cc]oma|[Nn]aming|[Ss]cale|[Ss]core|[Cc]riteria|[Cc]lass|[Gg]rade|[Ss]tage|[Ii]ndex|[Tt]ool|ankle|knee|brace|mod|mild|severe|neg|pos|CMR|delayed|pending"
    r"|to be done|consensus|classification|chromosome|ADL|[Dd]isability|[Ss]tool|hip|fracture|sleep|pain|carcinoma|system|protocol|catheter|bag|virus|definition|lymphoma|type|wire|vtx|sign|test|lines?|bodies)\b)"
)
AFTER_EPONYM = re.compile(
    r"(?:[ -](?:[IVB]{1,3}[ABab]?\b|\d{1,2}[ab]?(?:[ .,;/%)+]|$)|(?:lines?(?! manager)|sign|test|score|class|grade|stage|type|neg|pos|nil|procedure|criteria|ext|exercises|lift|stain|index|vtx|manoeuvre|maneuver|ratio|bodies|boot)\b)|['’]s (?:sign|test|hump|resolving|disease|triangle|point|pouch))"
)
# After whom more is called, by our own list: only what stands around them tells.
SIGNS = EPONYMS | words((LISTS / "signs.txt").read_text(encoding="ascii"))
# Many of these are surnames of many: of the longer list, only before what is said of nobody.
AFTER_SIGN = re.compile(
    r"[ -](?:sign|exercises|ext(?! ?\d)|test(?! results?\b)|score|criteria|procedure|stain|index|manoeuvre|maneuver|ratio|bodies|(?:grade|stage|type) (?:[IV]{1,3}|\d)[abAB]?(?![\w/]))\b|['’]s (?:sign|test|triangle|point|pouch)"
)
AGE_OR_DATE = re.compile(
    r" \d{1,2}(?:/\d|[ymdwh]\b| ?(?:y/?o|wk|mos?|yrs?|hrs?|years?|months?|weeks?|days?|[ap]m)\b)"
)
# Two figures behind a surname are an age (``Anderson 54 NSTEMI``), but for these scores and sizes.
AGE = re.compile(r" (?:[1-9]\d)(?![\d.])")
SCORED = words("apgar barthel bishop braden foley glasgow gleason mayo norton waterlow")
# Several in one (``Howell-Jolly``) are one however they stand, where one is no surname or by
# these; in Chinese, one before these.
EPONYM_PAIR = re.compile(r"[A-Z][^\W\d_]+(?:[-–/][A-Z][^\W\d_]+)+")
PAIRS = words(
    "adams-stokes austin-flint bland-altman braxton-hicks brown-sequard charcot-marie cheyne-stokes child-pugh epstein-barr graham-steell howell-jolly jackson-pratt",
    "lambert-eaton mallory-weiss miller-fisher osgood-schlatter parkinson-white ramsay-hunt salter-harris stevens-johnson stokes-adams sturge-weber weber-christian",
)
AFTER_EPONYM_ZH = re.compile(
    r" ?(?:征|氏|试验|分[级期型]|评分|量表|病|综合征|骨折|法|瘤|环|支具|三角|食管|结节|线|[A-DIV]{1,3}型|[IVX]{1,4}[级期度])"
)
# Half a drug: what stands behind it is the other half, or how it is taken.
AFTER_DRUG_ZH = re.compile(r"列净|沙坦|他汀|替尼|拉唑|西林|沙星|普利|洛尔|地平|霉素|列汀|鲁肽|双胍")
# A drug may stand behind who takes it (``予王芳胰岛素``) as well as behind its other half.
DRUG_ZH = re.compile(
    r"单抗|净(?![\u4e00-\u9fff])|胰岛素|降压片|[片丸](?![\u4e00-\u9fff])|胶囊|颗粒|口服液|注射液"
)
PERSON_ZH = re.compile(
    rf"[予给为]?(?:[{SURNAMES}{RARE_SURNAMES}小老阿][\u4e00-\u9fff]{{1,2}}|([\u4e00-\u9fff])\1)"
)
# Our own lists: what stands in Chinese charts and nobody and no place is called.
SAID_ZH = words((LISTS / "said_zh.txt").read_text(encoding="utf-8"))
SITES_ZH = SAID_ZH | words((LISTS / "no_sites_zh.txt").read_text(encoding="utf-8"))
SAID_CHARS_MAX = 6
# Behind these stands somebody, whatever the word: a field, and (a surname) a post.
NAMED_ZH = re.compile(r"(?:姓名|联系人|签名|签字)[: ]{1,3}$")
SURNAME_WORDS = frozenset("余曾于时单")
POST_ZH = re.compile(r"(?:医师|医生|主任|主治|大夫|教授|护士长?)$")
LANGUAGE_BEFORE = re.compile(
    r"\b(?:speaks?|spoken?|speaking|in|from|into|via|fluent|year-old|y/?o|yo|retired|an?|school|letters?|mother|interpreter:?) $"
)
LANGUAGE_AFTER = re.compile(
    r"[ -](?:speaking|interp\w*|language|woman|man|lady|gentleman|health|mainly|only|first|translat\w+|spoken|heritage|descent|origin|ancestry)\b"
)
TITLES = words(
    "mr mrs ms miss mx dr drs doctor prof professor sir madam lady rev fr father sr sister brother mum mom mummy mommy dad daddy nan nana nanny gran granny grandma grandpa grandad mama papa",
    "aunt aunty auntie uncle cousin wife husband partner fiance fiancee rav rabbi imam pastor deacon chief chef pere don dona garda nurse tech recep payee lic atty pt patient baby twin infant",
    "geriatrician neurologist ophthalmologist haematologist hematologist endoscopist paediatrician pediatrician obstetrician physician surgeon churchwarden",
    "resident registrar consultant dermatology hematology haematology oncology dietitian godparent diener prosector landline",
)
PERSON_BEFORE = re.compile(
    r"\b(?:mr|mrs|ms|miss|mx|dr|prof|professor|husband|wife|partner|fiancee?|boyfriend|girlfriend|friend|brother|sister|son|daughter|aunt|uncle|cousin|nephew|niece)\.? $",
    re.IGNORECASE,
)
WORD_BEFORE = re.compile(r"([^\W\d_]+)\.? $")
GENUS = re.compile(r"(?:[^\W\d_]+, )?[A-Z]\.?")
SPECIES = re.compile(r"\.? ?(?P<species>[a-z]{4,16})\b")
TIME = re.compile(
    r"(?:[01]\d|2[0-3])(?:[0-5]\dh?|\.[0-5]\d)(?:[-–](?:[01]\d|2[0-4])(?:[0-5]\d|\.[0-5]\d))?"
)
# What is called by four figures stands behind these.
NUMBERED = re.compile(
    r"(?:\b(?:x|ext|extn|p|pgr|pager|bleeps?|beep|beeper|pg|ph|tel|phone|dect|vocera|mob|no|nos|number|code|pin|ID|MRN|NHS|collar|badge|tag|op|lot|locker|fax|ref|is|or|at|on|(?<!on )(?<!PERT )call|ring|end(?:ing|s)(?: in)?)[ :.#]{0,3}|[#\d][ -]?|/ ?|\()$",
    re.IGNORECASE,
)
FLOOR = re.compile(
    r"\d{1,2}(?:st|nd|rd|th)|\d{1,2} (?:North|South|East|West|Tower|Main)|bay \d{1,2}|(?:\d{1,2} (?:North|South|East|West) )?(?:[Rr]m|[Rr]oom|RM)\.? ?\d{1,4}[A-Z]?(?:-[A-Z\d])?"
)
TWIN = re.compile(
    r"\b(?:[Tt]win|ABO|[Hh]epatitis|[Vv]it(?:amin)?|type|group|Hb|Factor|grade|class|bed|unit|[Tt]eam|TEAM|Cat|cat|antigen|[Pp]en)\.? $"
)
ORDINAL = re.compile(r"\d{1,2}(?:st|nd|rd|th)")
AFTER_ORDINAL = re.compile(
    r"\)? (?:OFC|wt|ht|%|(?:per)?centile|fl\b|floor|year|yr|ray|toe|finger|rib|digit|episode|annual|amp|dose|cycle|time|grade|on )"
)
# Variants of genes, pregnancies, registered trials.
NOMENCLATURE = re.compile(
    r"C\d+[A-Z]/C\d+[A-Z]|G\d{1,2}P\d{1,4}|NCT\d{8}|[cp]\.[A-Z]?\d+[A-Za-z>]+"
)


def kept(folded: str, spans: Iterable[Span]) -> Iterator[Span]:
    """Yield the spans that are an identifier by what stands in and around them."""
    is_cased = any(map(str.isupper, folded))
    for span in spans:
        is_word = is_cased and span.label in PROPER and _is_ordinary(folded, span)
        if not is_word and not _is_none(folded, span):
            yield span


def _is_ordinary(folded: str, span: Span) -> bool:
    """In a text with capitals, small letters only, no title or relation before, and each word is one that
    nobody is called.
    """
    found = folded[span.start : span.end]
    if not found.isascii() or not found.islower():
        return False
    if PERSON_BEFORE.search(folded[max(0, span.start - AROUND_CHARS) : span.start]):
        return False
    return all(map(is_only_said, LETTERS.findall(found)))


def _is_none(folded: str, span: Span) -> bool:
    found = folded[span.start : span.end]
    before = folded[max(0, span.start - AROUND_CHARS) : span.start]
    after = folded[span.end : span.end + AROUND_CHARS]
    if span.label in PROPER:
        said = SAID_ZH if span.label == "NAME" else SITES_ZH
        is_said = found[:1] > "\u3400" and _is_within(folded, span, said)
        if is_said and _is_called(found, before):
            return False
        return is_said or _is_no_proper(found, before, after)
    if span.label in {"ID", "PHONE"} and TIME.fullmatch(found):
        return NUMBERED.search(before) is None
    if span.label == "ID" and NOMENCLATURE.fullmatch(found):
        return True
    if span.label == "DATE" and ORDINAL.fullmatch(found):
        return AFTER_ORDINAL.match(after) is not None
    return False


def _is_within(folded: str, span: Span, said: frozenset[str]) -> bool:
    """It is a word of the list, or part of one that stands there: ``帕金`` of ``帕金森病``."""
    least = 3 if span.end - span.start == 1 else 2
    return any(
        folded[start:end] in said
        for start in range(max(0, span.end - SAID_CHARS_MAX), span.start + 1)
        for end in range(max(span.end, start + least), start + SAID_CHARS_MAX + 1)
    )


def _is_called(found: str, before: str) -> bool:
    """What stands before says that a Chinese word is somebody: ``姓名:高原``, ``医师余``查体."""
    may_be_surname = len(found) == 1 or found[0] in SURNAME_WORDS
    return bool(NAMED_ZH.search(before) or (may_be_surname and POST_ZH.search(before)))


def _is_no_proper(found: str, before: str, after: str) -> bool:
    said = [word.lower() for word in LETTERS.findall(found)]
    if said == ["s"] or FLOOR.fullmatch(found):
        return True  # of ``Sinha's``
    if found[-1] > "\u3400" and _is_half_a_drug(found, after):
        return True
    if not said:
        return False
    return _is_said_of_all(found, said, before, after) or _is_organism(found, said, before, after)


def _is_said_of_all(found: str, said: list[str], before: str, after: str) -> bool:
    """All words are a title, a sign, a disease, a language or a town after which something is called."""
    if all(word in TITLES for word in said):
        return True
    if all(word in LANGUAGES for word in said):
        return bool(LANGUAGE_BEFORE.search(before) or LANGUAGE_AFTER.match(after))
    if all(word in SIGNS for word in said) and _is_sign(found, said, before, after):
        return True
    if all(hint_of_word(word) == UNLISTED and is_medical_by_form(word) for word in said):
        return True
    after_scale = AFTER_SCALE.match(after) or AFTER_EPONYM_ZH.match(after)
    is_scale = len(said) == 1 and said[0] in SCALES and after_scale is not None
    return is_scale and not before.endswith(PLACE_LEADS)


def _is_sign(found: str, said: list[str], before: str, after: str) -> bool:
    """Those of the lists are called so here: not ``Mr Wright 45 y/o``, not ``Taylor-Young``."""
    names = [bool(hint_of_word(word) & (GIVEN | FAMILY)) for word in said]
    is_name, word_before = all(names), WORD_BEFORE.search(before)
    if any(names) and word_before and word_before[1].lower() in TITLES:
        return False
    if len(said) > 1 and EPONYM_PAIR.fullmatch(found) and (not is_name or "-".join(said) in PAIRS):
        return True
    is_listed = all(word in EPONYMS for word in said) or not is_name
    follows = AFTER_EPONYM if is_listed else AFTER_SIGN
    if AGE_OR_DATE.match(after) or (is_name and said[0] not in SCORED and AGE.match(after)):
        return False
    return bool(follows.match(after) or AFTER_EPONYM_ZH.match(after))


def _is_half_a_drug(found: str, after: str) -> bool:
    is_person = PERSON_ZH.fullmatch(found) is not None
    return bool(AFTER_DRUG_ZH.match(after) or (not is_person and DRUG_ZH.match(after)))


def _is_organism(found: str, said: list[str], before: str, after: str) -> bool:
    if said[0] in GENERA and (len(said) == 1 or found.split()[1][:1].islower()):
        return True
    species = SPECIES.match(after)
    if GENUS.fullmatch(found) and species and (found[-1] == "." or species[0][0] == "."):
        said_next = species["species"]
        return said_next in ORGANISMS or hint_of_word(said_next) == UNLISTED
    return len(found) == 1 and TWIN.search(before) is not None
