"""Pure: identifiers by their form, in folded text of either language. Chinese: ``patterns_zh``.

Every expression has bounded repeats only, so its time grows with the text and no faster.
A check digit proves little: what stands beside a cue goes even when its check digit is wrong.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from services.privacy.pattern_checks import (
    YEAR,
    is_bare_number,
    is_cased_person,
    is_cued_number,
    is_cued_phone,
    is_ip,
    is_iso_date,
    is_long_number,
    is_named_site,
    is_numeric_date,
    is_old,
    is_person,
    is_town_before,
    no_unit,
)
from services.privacy.spans import Span
from services.privacy.starts import matches, starts_of
from services.privacy.words import NOT_NAMES, words

# ruff: noqa: E501  (an expression that is broken into lines cannot be read)

WORD_AFTER = re.compile(r"(?:, ?| )([^\W\d_]{2,30})")
Check = Callable[[re.Match[str]], bool]


class Pattern(NamedTuple):
    """A form of identifier. Only group ``of`` goes; ``check`` may still refuse a match; a text
    without one of ``needs`` is not searched.
    """

    label: str
    regex: re.Pattern[str]
    check: Check | None = None
    of: str | int = 0
    needs: tuple[str, ...] = ("",)


def find_patterns(folded: str, patterns: tuple[Pattern, ...]) -> Iterator[Span]:
    """Yield the spans of ``folded`` that have a form of ``patterns``."""
    for pattern in patterns:
        regex = pattern.regex
        yield from spans_of(pattern, folded, matches(regex, starts_of(regex), folded))


def spans_of(pattern: Pattern, folded: str, found: Iterator[re.Match[str]]) -> Iterator[Span]:
    """Yield the spans of the matches that a pattern does not refuse, where its needs are met."""
    for match in found if any(need in folded for need in pattern.needs) else ():
        start, end = match.span(pattern.of)
        if start < end and (pattern.check is None or pattern.check(match)):
            yield Span(start, _name_end(match[pattern.of], start, pattern.label), pattern.label)


def _name_end(found: str, start: int, label: str) -> int:
    """Where a name ends: before a later word that begins what follows (``Dr Smith Reviewed``)."""
    if label == "NAME":
        for word in WORD_AFTER.finditer(found):
            is_degree = (
                word[1].isupper() and len(word[1]) <= 5 and not found[: word.start()].isupper()
            )
            if word[1].casefold() in NOT_NAMES or is_degree:
                return start + word.start()
    return start + len(found)


def form(
    label: str, regex: str, check: Check | None = None, of: str | int = 0, flags: int = 0
) -> Pattern:
    """Return a pattern from its expression. ASCII: a Han character next to a word ends it."""
    return Pattern(label, re.compile(regex, flags | re.ASCII), check, of)


ANY_CASE = re.IGNORECASE
MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?"
    r"|Sep(?:t(?:ember)?)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\b\.?"
)
DAY = r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?"
CLOCK = (
    r"(?:T\s?\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:Z|[+-]\d{2}:?\d{2})?| \d{1,2}:\d{2}:\d{2})?"
)
WORD = r"[A-ZÆØĐŁÞŒ](?:[^\W\d_]|['’](?=[^\W\d_])){1,24}(?:-[^\W\d_]{2,24})?"
WORDS = rf"{WORD}(?:,? {{1,2}}(?:[A-Z]\b\.?|{WORD})){{0,3}}"
STATES = words(
    "AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY",
    "NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY DC PR ON QC BC AB MB SK NS NB NL PE UK",
) - {"MD", "OR", "PA", "DO", "ME", "IN", "CT", "HI", "ID"}
ID_CUE = (
    r"\b(?:MRN|M\.R\.N\.|medical rec(?:ord)?s?|med rec|record|chart|hosp(?:ital)?|patient|pt|account"
    r"|acct|visit|encounter|accession|case|episode|policy|member|insurance|subscriber|licen[cs]e"
    r"|passport|NHS|NPI|DEA|MBI|Medicare|Medicaid|health plan|beneficiary|serial|device|vehicle"
    r"|ins|ref(?:\.? code)?|HBN|plate|specimen|sample|study|order|SSN|social security|tax|ID|identifier|VIN|UDI)"
)

EMAIL = re.compile(
    r"[\w.+-]{1,64}(?: ?@ ?|\s?\[at\]\s?)[\w-]{1,63}(?:\.[\w-]{1,63}){1,6}", re.ASCII
)

PATTERNS: tuple[Pattern, ...] = (
    Pattern("EMAIL", EMAIL, needs=("@", "[at]")),
    form("URL", r"\b(?:https?|ftp|mllp)://[^\s<>\"'）)]{1,500}", flags=ANY_CASE)._replace(
        needs=("://",)
    ),
    form("URL", r"\b(?i:www)\.[\w-]{1,63}(?:\.[\w-]{1,63}){1,6}(?:/[^\s<>\"')]{0,300})?")._replace(
        needs=("ww.", "WW.", "wW.", "Ww.")
    ),
    form(
        "URL", r"\b[\w-]{2,63}\.(?:com|org|net|edu|gov|cn|io|info|co\.uk)\b(?:/[^\s<>\"')]{0,300})?"
    ),
    form("IP", r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.]\d)", is_ip),
    form("IP", r"(?<![\w:])(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}(?![\w:])", flags=ANY_CASE),
    form("IP", r"(?<![\w:])(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}(?![\w:])", flags=ANY_CASE),
    form(
        "IP",
        r"(?<![\w:])[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){1,6}::(?:[0-9a-f]{1,4})?(?![\w:])",
        flags=ANY_CASE,
    ),
    form("ID", r"(?<!\d)\d{3}[- ]\d{2}[- ]\d{4}(?!\d)"),
    form("ID", r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b"),
    form("ID", r"(?<!\d)\d{4}(?:[ -]\d{4}){3}(?!\d)"),
    form(
        "ID",
        ID_CUE + r"(?:\s?(?:number|num|no\b|nr|id|#))?\.?\s{0,2}(?:is\s|was\s)?[:#=]{0,2}\s{0,2}#?"
        r"(?P<v>[A-Z]{0,5}[-/]?\d[A-Z0-9]{0,20}(?:[-/][A-Z0-9]{1,12}){0,4})\b",
        is_cued_number,
        "v",
        ANY_CASE,
    ),
    form("ID", r"#\s?(?P<v>[A-Z]{0,5}-?\d{3,20}(?:-\d{2,12}){0,3})\b", is_cued_number, "v"),
    form("ID", r"\b[A-Z]{1,4}-?\d{6,12}\b"),
    form("ID", r"(?<![\d.,/])\d{7,40}(?!\d)", is_bare_number),
    form(
        "PHONE",
        r"(?<![\d.])\(\d{3}\) ?\d{3}[-. ]?\d{4}(?:\s?(?:x|ext\.?)\s?\d{1,6})?(?!\d)",
        flags=ANY_CASE,
    ),
    form(
        "PHONE",
        r"(?<![\d.-])(?:\+?1[-. ])?\d{3}[-. ]\d{3}[-. ]\d{4}(?:\s?(?:x|ext\.?)\s?\d{1,6})?(?![\d-])",
        no_unit,
        flags=ANY_CASE,
    ),
    form(
        "PHONE",
        r"(?<![\w+])(?:\+\d{1,3}|00\d{1,3}[-. ])(?:[-. ]?\(?\d{1,5}\)?){2,6}(?:x\d{1,6})?(?!\d)",
        is_long_number,
    ),
    form("PHONE", r"(?<!\d)0\d{2,4}[ -]\d{3,4}[ -]?\d{3,4}(?!\d)", no_unit),
    form(
        "PHONE",
        r"\b(?:tel|telephone|phone|cell|mobile|fax|pager|call|ext|extension|contact)(?:\s?(?:no|number|#))?"
        r"\.?\s?(?:is|at)?[:#]?\s{0,2}(?P<v>[+(]{0,2}\d[\d() .x-]{2,22}\d)",
        is_cued_phone,
        "v",
        ANY_CASE,
    ),
    form(
        "DATE",
        rf"\b{YEAR}(?P<s>[-/.])(?P<b>\d{{1,2}})(?P=s)(?P<c>\d{{1,2}}){CLOCK}(?![\d/])",
        is_iso_date,
    ),
    form("DATE", rf"(?<![\d./-]){YEAR}-(?P<b>\d{{2}})(?P<c>)(?![\d/.-])", is_iso_date),
    form(
        "DATE",
        rf"(?<!\d){YEAR}(?P<b>0[1-9]|1[0-2])(?P<c>[0-2]\d|3[01])(?:T?\d{{4,6}})?(?!\d)",
        is_iso_date,
    ),
    form(
        "DATE",
        rf"(?<![\d./-])(?P<a>\d{{1,2}})(?P<s>[-/.])(?P<b>\d{{1,2}})(?P=s)(?:{YEAR}|\d{{2}}){CLOCK}(?![\d/.-]\d|\d)",
        is_numeric_date,
    ),
    form("DATE", rf"(?<![\d./-])(?:0?[1-9]|1[0-2])/{YEAR}(?![\d/])"),
    form(
        "DATE",
        rf"(?<![\d.])\b(?:the (?={DAY} of))?{DAY}(?: of)?[ -]?{MONTH},?(?:[ -]+(?:{YEAR}|\d{{2}}\b))?",
        no_unit,
        flags=ANY_CASE,
    ),
    form(
        "DATE",
        rf"\b{MONTH} ?{DAY}\b(?: ?(?:-|–|to|thru|through|and|&) ?{DAY}\b)?(?:,? ?(?:of )?(?:{YEAR}|'\d\d))?(?![\d/])",
        no_unit,
    ),
    form(
        "DATE",
        rf"\b(?:JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEPT?|OCT|NOV|DEC)\.? {DAY}\b(?![\d/])",
        no_unit,
    ),
    form(
        "DATE",
        rf"\b{MONTH},? (?:the )?(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|\w{{3,7}}teenth|twentieth|thirtieth|(?:twenty|thirty)[ -]\w{{3,7}})\b",
        flags=ANY_CASE,
    ),
    form("DATE", rf"\b{MONTH}[ ,-]{{1,2}}(?:of )?{YEAR}\b", flags=ANY_CASE),
    form(
        "DATE",
        r"\b(?:on|dated|dob|d\.o\.b\.|born(?: on)?|date)[: ]{1,2}(?P<v>\d{1,2}[/.-]\d{1,2})(?![\d/.-]|\s?%)",
        of="v",
        flags=ANY_CASE,
    ),
    form(
        "AGE",
        r"(?<![\d.])(?P<years>\d{2,3})(?=[ -]{0,2}(?:y(?:ea)?rs?[ -]?old|y/?o\b|y\.o\.|yo\b|-?year|years? of age|岁|周岁))",
        is_old,
        "years",
        ANY_CASE,
    ),
    form(
        "AGE",
        r"\b(?:aged?|age(?: is|:)?|turned)[: ]{1,2}(?P<years>\d{2,3})(?!\d|\.\d|%)",
        is_old,
        "years",
        ANY_CASE,
    ),
    form("AGE", r"\b(?:nonagenarian|centenarian)\b", flags=ANY_CASE),
    form(
        "NAME",
        rf"\b(?:Mr|Mrs|Ms|Miss|Mx|Dr|Drs|Doctor|Prof|Professor|Nurse|Sister|Rev|Sir|Dame|Mister)\b\.? {{0,2}}(?P<name>{WORDS})",
        is_person,
        "name",
    ),
    form(
        "NAME",
        r"\b(?:mr|mrs|ms|dr)\b\.? (?P<name>[^\W\d_]{3,24})\b",
        lambda match: is_person(match) and not match["name"].isupper(),
        "name",
    ),
    form(
        "NAME",
        r"\b(?i:patient(?:'s)? name|full name|name|surname|last name|first name|given name|next of kin|nok"
        r"|guardian|signed(?: by)?|signature|dictated by|attending|provider|physician|consultant|spouse|contact"
        rf"|named|called|known as|wife|husband|son|daughter|mother|father|brother|sister)(?: is| was)?\s?[:=,]?\s{{1,3}}(?P<name>{WORDS})",
        is_person,
        "name",
    ),
    form(
        "NAME",
        rf"\b(?i:patient|pt|client|resident)[ :]{{1,3}}(?P<name>{WORD}(?: [A-Z]\.?| {WORD}){{1,3}})",
        is_person,
        "name",
    ),
    form(
        "NAME",
        rf"\b(?P<name>{WORD} [A-Z]\.)(?=[,;:)?!]|\s+[a-z(]|\s*$|\s+\d)",
        is_person,
        "name",
    ),
    form("NAME", rf"\b(?P<name>{WORD} (?!I\.)[A-Z]\. {WORD})\b", is_cased_person, "name"),
    form(
        "NAME",
        rf"\b(?i:male|female|man|woman|boy|girl|gentleman|lady|patient|pt|y/?o|[mf]),? (?P<name>{WORD} {WORD})(?=,| \(| who\b)",
        is_person,
        "name",
    ),
    form(
        "NAME",
        rf"\b(?P<name>{WORD} {WORD})(?=,? (?:who |DOB|D\.O\.B|\(?MRN|\(?DOB))",
        is_person,
        "name",
    ),
    form(
        "LOC",
        rf"(?<![\d.])(?:Plot |House |RR |No\. )?\d{{1,6}}[A-Z]? (?:[NSEW]\.? )?(?:{WORD} ){{1,4}}(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd"
        r"|Lane|Ln|Drive|Dr|Court|Ct|Circle|Cir|Way|Place|Pl|Terrace|Tce|Square|Sq|Highway|Hwy|Parkway|Pkwy|Close|Cottages?|Gardens|Gdns|Grove|Crescent|Cres|Walk|Row|Mews|View|Rise|Croft|Quay|Villas|Heights|Loop|Trail|Pike|Alley|Bungalows|Mansions|Esplanade|Parade|Embankment)\b\.?"
        r"(?:,? (?:Apt|Suite|Ste|Unit|Room|#)\.? ?\w{1,6})?",
    ),
    form("LOC", r"\bP\.? ?O\.? Box \d{1,7}\b", flags=ANY_CASE),
    form(
        "LOC",
        rf"\b{WORD}(?: {WORD})?, (?P<state>[A-Z]{{2}})(?: \d{{5}}(?:-\d{{4}})?)?\b(?=[\s,.;)?]|$)",
        lambda match: match["state"] in STATES and is_town_before(match[0].partition(",")[0]),
    ),
    form(
        "LOC",
        r"\b(?:zip ?code|zip|post ?code|postal code)[: ]{1,2}(?P<v>[A-Z0-9]{2,5}[ -]?(?=[A-Z]{0,3}\d)[A-Z0-9]{2,4})\b",
        of="v",
        flags=ANY_CASE,
    ),
    form("LOC", r"\b[A-Z]{2} \d{5}(?:-\d{4})?\b"),
    form("LOC", r"\b[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}\b"),
    form(
        "LOC",
        rf"\b(?:(?:St\.|Saint|Mount|Mt\.) )?(?:{WORD} ){{1,4}}(?:Hospital|Clinic|Infirmary|Hospice|Medical Cent(?:er|re)|Health Cent(?:er|re)"
        r"|Nursing Home|Care Home)\b",
        is_named_site,
    ),
)
