"""Pure: the edges of spans: without titles, degrees, cues, relations and times of day.

``Dr Okafor RN`` is a name with a title and a degree, ``MRN 12345`` a number with its cue, ``3 May 0210h``
a date with a time. Layers join them; readers of the note need them. Initials
beside a name go with it.
"""

import re
from collections.abc import Callable, Iterator

from services.privacy.name_words import is_listed_name
from services.privacy.spans import Span
from services.privacy.tagger.doubts import is_shorthand
from services.privacy.words import DOUBLE_SURNAMES, RARE_SURNAMES, SURNAMES

# ruff: noqa: E501  (an expression that is broken into lines cannot be read)
# Degrees, grades and posts: before a name and after it.
POSTS = (
    r"RN[A-Z]?(?:-[A-Z]{2,3})?|SN|BSN|MSN|EN|RGN|RMN|LPN|LVN|CPN|KRCHN|RPA-?C|PA(?:-?C)?|M\.?D\.?|D\.?O|[ACDEF]?NP(?:-[A-Z]{1,2})?|APRN(?:-NP)?|RANP|CRNA|CRNP|CNM|CNS|TVN|ESN|CMC"
    r"|LCSW|LMFT|LPCC?|MSW|SW|BHC|JD|PhD|RPh|PharmD|RRT|RVT|RDMS|RDN?|CDE|CDCES|IBCLC|DPT|OTR|SLT|CHPN|CPAN|OCN|FACC|FACOG|FRCPC|FRC[PSR]|MRC[PSG]"
    r"|S?HO|S?RMO|HMO|AMO|MOI?|CO|C\.O|SpR|SR|JR(?:-\d)?|F[12]|FY\d|ST\d|CT\d|IMT\d?|PGY-?\d|R\d|GP|PCP|POA|HCPOA|EMT|ALS|ED|NSGY|ENT|LA|PTWR"
)
LEADS = (
    r"Drs?|Mr|Mrs|Ms|Miss|Prof|Mdm|Smt|Shri|Sri|Pt|Sr|Fr|Coroner|Psychol|Constable|Const|Cousin|Auntie?|Uncle|Nana|Nan|Granny|Gran|Gramma|Papaw|Mamaw|Sis|Alhaji|Alhaja|Hajiya|Mbuya|Gogo|Cik|Encik|Puan"
    r"|Mum|Mom|Dad|Mummy|Mommy|Daddy|MawMaw|PawPaw|Fianc[ée]e?|Grandfather|Grandmother|Grandma|Grandpa|Deacon|Chief|Rav|Lic|P[èe]re|M[èe]re|Do[ñn]a|Don|Garda|Tech|Rev'?d|Rev|Officer|Ofc|Deputy|Sgt|Signed|Prosector|Solicitor|Hajji|Haji|Ustaz|Pastor|Elder"
    r"|Dieti[ct]ian|Sonographer|Radiographer|Pharmacist|Interpreter|Translator|Anes|Anaes|Ref|[Pp]relim"
)
TITLES = re.compile(
    rf"(?:(?:{LEADS}|{POSTS})\b\.?[ \n]{{1,2}})+(?=\w\w|\w[. ])"
    rf"|[子女母父儿](?=[{SURNAMES}{RARE_SURNAMES}][\u4e00-\u9fff]{{1,2}}$)"
    r"|(?:之[子女父母夫妻]|其表?[兄弟姐妹]|司机|车长|接诊|彩超|公安) ?(?=[\u4e00-\u9fff·]{1,5}$|[A-ZА-Я])"
    r"|(?:患者|护士长?|医师|医生|家属|工友|室友|同寝|战友|保姆|其[弟妹兄姐子女母父孙儿夫妻]|[次长幼][子女](?=[\u4e00-\u9fff]{2})|[弟妹夫妻侄嫂姐兄])(?=[\u4e00-\u9fff·]{2,6}$)"
)
# Degrees, colleges and posts in capitals behind a name that is not: ``Marlene Fitch ARNP``.
CAPITALS = r"(?<=[a-z]),? [A-Z]{3,7}(?:-[A-Z]{1,3})?"
POSTS_AFTER = re.compile(
    rf"(?:,? (?:{POSTS}|MA|DN|DC|OR|Reg|Anes|Mob|Cons|cc|rgn|pa-c|enp|[a-z]|Dermatology|Stroke|Surgery|Medicine)|{CAPITALS}|['’]s)\.?$"
)
# A small letter behind a name in small letters is an initial: ``nkosi z``.
POSTS_AFTER_SMALL = re.compile(r"(?:,? (?:cc|rgn|pa-c|enp)|['’]s)\.?$")
# Words in small letters at the edges of a name in capitals, none that joins its parts.
SMALL_BEFORE = re.compile(
    r"(?:(?!(?:de|da|di|du|del|la|le|van|von|der|den|bin|ibn|al|el|ter|ten|te|ap|ab|ferch|abu|ould|zu|dos|das|af|av|st)\b)[a-z]{2,12}\.? )+(?=[A-Z])"
)
SMALL_WORD = re.compile(r"[a-z]{3,}")
SMALL_AFTER = re.compile(r"(?<=[a-z.])(?: [a-z]{3,12})+$")
TITLES_AFTER = re.compile(
    r"(?<=.)(?:副?主任|主?治?医师|医生|大夫|护士长?|治疗师|科长|老板|太太|师傅|大爷|教授|老师|先生|女士|阿姨|大[哥姐]|之[子女]"
    rf"|(?<=^[{SURNAMES}{RARE_SURNAMES}])[总叔哥姐])$"
)
VERBS = re.compile(
    rf"[找报接呼看遵嘱托](?=(?:{'|'.join(DOUBLE_SURNAMES.split())}|[{SURNAMES}{RARE_SURNAMES}]))"
)
HAN_TITLE = re.compile("副?主任|医师|医生|大夫|护士|教授|老师|先生|女士")
CUES = re.compile(
    r"(?:(?:[Ss]/?[Nn]|LOT|[Ll]ot|ref|REF|PO|PC|MR|DME|PNR|police|kit|op|doc|Doc|pgr|is)[ :.#]|GRID|RIS|HSN|IHS|UNOS|PHIN|BVN|ULI|HRN|DOB|(?:[A-Z]{2} )?DL|MRN|NPI|CSN|URN?|DVA|UMRN|Aadhaar|PRF|IHI|HCN|PPSN|PHN|NHS|CHI|NRIC|ACC|ID|N[oO]|CCN|QQ|微信号?|护照号?|车牌号?|车号|身份证号?|殡?[仪]?车|条形?码|序列?号?|[卡盒单号])[ #:.]{0,3}(?=[A-Z]{0,3}\d|[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Z])"
)
PHONE_CUES = re.compile(
    r"\s?(?:ext(?:ension|n)?|x|ph|tel|phone|mob|或|分机)[.: #]{0,2}(?=[\d(+])", re.IGNORECASE
)
# Before a date: a time, what joins it to the sentence, letters that are no month.
DATE_LEADS = re.compile(
    r"(?:DOB:? |(?:[01]\d|2[0-3])[0-5]\d(?:[-–](?:[01]\d|2[0-4])[0-5]\d)? +(?=\d|[JFMASOND])|\d{1,2}(?:[:.]\d\d)? ?[ap]m,? |(?:of|an|in|at|sch|final|Rex|RVT) |(?:week(?:end)? of |evening of )(?=\d|[A-Z]))+"
)
AGE_TAILS = re.compile(r"(?<=\d) ?(?:y/?o|yrs?|year[ -]?old)\b.*$")
ASCII_RUN = re.compile(
    r"[!-~]+ ?@ ?[A-Za-z][!-~]*|[!-~]+"
)  # an address of mail or the web, in a Chinese sentence
HAN_STOP = re.compile(r"[,。、;:](?=[\u4e00-\u9fff]|$)|(?<=[\u4e00-\u9fff])[,。、;:]")
DATE_TAILS = re.compile(r"(?<=[a-z\d]) (?:weekend|week|lunch|BTB)$")
# A time to the second stays with its date: such a pair is looked up easily.
TIMES = re.compile(
    r"[ ,(@]{1,3}(?:(?:[01]?\d|2[0-3])(?::[0-5]\dh?|[0-5]\dh)|(?<=\d )(?!(?:19|20)\d\d)(?:[01]\d|2[0-3])[.:]?[0-5]\d)$"
    r"|(?<=[日号\d])(?:[前后晚晨]| ?\d{1,2}[时点](?:\d{1,2}分)?)$|(?<=[\d]夜)$|(?<=[阳秋节午夕明春至夏])[前后晚晨]$"
)
# Behind a place of English text: what it is used for, no part of its name.
SMALL_SITES = re.compile(
    r"(?:,| \()? (?:center|centre|office|bus|library|schools?|garage|farm|lab|plant|pharmacy|campus|infusion|yard|races|branch|depot|site|lands|main|rm|so|residential)$|\.? (?:Dietitian|PS|SNF|Vets)$"
)
SMALL_LEADS = re.compile(
    r"(?:[Tt]he|THE|Gen Med,|nr|CT|XR|MRI|Peds|GP|Pediatrician|Disposition|wing,|flat|blk|walk|OSH|HOSPICE|OF|in|at|of|from|to) \(?(?=[A-Z])|(?:OSH) \("
)
# A unit by its letters (two may be a state), before a place and after it: ``Letterkenny Hospital AMAU``.
UNIT_BEFORE = re.compile(r"(?P<unit>[A-Z]{3,6}|E[DR]),? (?=[A-Z][a-z])")
UNIT_AFTER = re.compile(r"(?<=[a-z]),? (?P<unit>[A-Z]{3,6}|E[DR])$")
# Before and after a place of Chinese text: what is no part of it.
PLACE_LEADS = re.compile(
    r"(?:现居住?|现住|户籍|地点|途经|嫁至|家乡可就近|或就近|址|自(?!贡|流井|治)|从(?!化|江)|居(?!庸|巢)|含(?!山)|抵|系|至|或|经(?!开))(?=[\u4e00-\u9fff]{2})"
)
PLACE_TAILS = re.compile(r"(?<=[\u4e00-\u9fff]{2})(?:附近|家[中里]|一带|租住|打工|农牧民|人)$")


def parted(folded: str, span: Span) -> Iterator[Span]:
    """Yield the parts of a Chinese name between which the sentence goes on: ``邬查房,蓝天``."""
    if span.label != "NAME":
        yield span
        return
    start = span.start
    for stop in HAN_STOP.finditer(folded, span.start, span.end):
        if stop.start() > start:
            yield Span(start, stop.start(), span.label)
        start = stop.end()
    if start < span.end:
        yield Span(start, span.end, span.label)


def trimmed(folded: str, span: Span) -> Span:
    """Return the span without title, cue or time at its edges; never empty."""
    found = folded[span.start : span.end]
    start, end = (
        EDGES[span.label](found, folded[span.end : span.end + 4])
        if span.label in EDGES
        else (0, len(found))
    )
    if start >= end:
        return span
    return Span(span.start + start, span.start + end, span.label)


def _name(found: str, after: str) -> tuple[int, int]:
    start, end = 0, len(found)
    if found[:1] < "\u3400" and not found.islower():
        start = _small_before(found)
        end = _small_after(found, start)
        found = found[:end]
    lead = TITLES.match(found, start) or (HAN_TITLE.match(after) and VERBS.match(found))
    if lead and lead.end() < end:
        start = lead.end()
    posts = POSTS_AFTER_SMALL if found.islower() else POSTS_AFTER
    tail = (TITLES_AFTER if found[:1] > "\u3400" else posts).search(found, start + 1)
    while tail and any(map(str.isalpha, found[start : tail.start()])):
        end = tail.start()
        tail = posts.search(found, start + 1, end)
    return start, end


def _small_before(found: str) -> int:
    """Return where words in small letters before a name in capitals end, or the first name begins."""
    small = SMALL_BEFORE.match(found)
    if small is None:
        return 0
    return next((word.start() for word in _names_in(found, *small.span())), small.end())


def _small_after(found: str, start: int) -> int:
    """Return where words in small letters behind it begin, or the last name of them ends."""
    small = SMALL_AFTER.search(found, start + 1)
    if small is None:
        return len(found)
    return max((word.end() for word in _names_in(found, *small.span())), default=small.start())


def _names_in(found: str, start: int, end: int) -> Iterator[re.Match[str]]:
    """Yield the words in small letters that are names by the lists."""
    return (word for word in SMALL_WORD.finditer(found, start, end) if is_listed_name(word[0]))


def _lead(cue: re.Pattern[str]) -> Callable[[str, str], tuple[int, int]]:
    def edges(found: str, _: str) -> tuple[int, int]:
        lead = cue.match(found)
        return (lead.end() if lead else 0), len(found)

    return edges


def _date(found: str, _: str) -> tuple[int, int]:
    lead = DATE_LEADS.match(found)
    time = TIMES.search(found) or DATE_TAILS.search(found)
    start, end = (lead.end() if lead else 0), (time.start() if time else len(found))
    return (start, end) if any(map(str.isalnum, found[start:end])) else (0, len(found))


def _place(found: str, _: str) -> tuple[int, int]:
    if found[:1] < "\u3400":
        lead, tail = SMALL_LEADS.match(found), SMALL_SITES.search(found, 1)
        start, end = (lead.end() if lead else 0), (tail.start() if tail else len(found))
        unit = UNIT_BEFORE.match(found, start)
        start = unit.end() if unit and is_shorthand(unit["unit"]) else start
        unit = UNIT_AFTER.search(found, start + 1, end)
        return start, (unit.start() if unit and is_shorthand(unit["unit"]) else end)
    lead, tail = PLACE_LEADS.match(found), PLACE_TAILS.search(found)
    return (lead.end() if lead else 0), (tail.start() if tail else len(found))


def _ascii(found: str, _: str) -> tuple[int, int]:
    runs = [match.span() for match in ASCII_RUN.finditer(found) if match[0][0] != "@"]
    return max(runs, key=_length, default=(0, len(found)))


def _length(edges: tuple[int, int]) -> int:
    return edges[1] - edges[0]


def _age(found: str, _: str) -> tuple[int, int]:
    tail = AGE_TAILS.search(found)
    return 0, (tail.start() if tail else len(found))


EDGES = {
    "AGE": _age,
    "EMAIL": _ascii,
    "URL": _ascii,
    "NAME": _name,
    "ID": _lead(CUES),
    "PHONE": _lead(PHONE_CUES),
    "DATE": _date,
    "LOC": _place,
}

INITIAL_AFTER = re.compile(
    r" [A-Z]\b\.?(?=[,;)/\n]|$)|, ?[A-Z](?:\.(?: ?[A-Z]\.)?)?(?=[\n;)\"”]|$)"
)
# Without a point no A or I (words), no L or R (sides).
INITIAL_BEFORE = re.compile(
    r"(?:^|[\s,(;:]|/ )(?P<initial>(?:[A-Z]-)?(?:[A-Z]\. ?|[B-HJKM-QS-Z] )|Md\.? )$"
)
LATIN_NAME = re.compile(r"[A-Z][^\W\d_]+(?:[ '’-][^\W\d_]+){0,3}")


def with_initials(folded: str, span: Span) -> Span:
    """Return a name with the initial before or after it: ``M Tuck``, ``CHURCH W,``."""
    if span.label != "NAME" or LATIN_NAME.fullmatch(folded, span.start, span.end) is None:
        return span
    start, end = span.start, span.end
    after = INITIAL_AFTER.match(folded, end)
    if after:
        end = after.end()
    before = INITIAL_BEFORE.search(folded[max(0, start - 6) : start])
    if before:
        start -= len(before["initial"])
    return Span(start, end, span.label)
