"""Pure: two numbers that are a day because the note writes its days so (``BCx 11/4`` beside 30/10/24).

What is written in full, or cannot be read otherwise, tells which of the two numbers is the month and
about which months the note is. A pair of these months, or of a neighbouring one, is a day then,
where no score, dose or duration stands. Folded text.
"""

import re

from services.privacy.spans import Span

# ruff: noqa: E501  (an expression that is broken into lines cannot be read)
FULL = re.compile(r"(?<![\d./-])(\d{1,2})[/.-](\d{1,2})[/.-](?:20)?\d\d(?![\d/-]|\.\d)")
PAIR = re.compile(
    r"(?:(?<=[\s(,;→>?=+])|(?<=\n)|\A)(?P<a>0?[1-9]|[12]\d|3[01])/(?P<b>0?[1-9]|[12]\d|3[01])(?![\d/]|\.\d|-\d|\s?(?:%|mg|ml|mcg|g\b|kg|mm|cm|NS\b|day|hour|hr|pt|full))"
)
# What stands before a score, a power, a reading or a duration.
SCORED = re.compile(
    r"(?<![^\W\d_])(?:pain|power|VAS|NRS|GCS|score|scale|MMSE|MoCA|MOCA|AMTS?|4AT|ESAS|PHQ\S{0,3}|GAD\S{0,3}|Apgars?|APGARs?|ACT|ESS|CAT|BISAP|MRC|mRS|strength|murmur|RASS|Beighton|Barthel|Waterlow|Braden|Borg|tear|grade|stage"
    r"|D5|pulses?|VA|OD|OS|LE|RE|IOP|CDR|BP|PEEP|PC|PSV|PS|BiPAP|CPAP|SIMV|AUDIT-C|over|x|mood|energy|sleep|is|of|at a|about|a|for|every|q|to|than|only|leads?|in|[±+-])[:=]? ?$",
    re.IGNORECASE,
)
# A day stands after these whatever the numbers are (``Restaging CT 2/10``), no part of a score.
CUED = re.compile(
    r"\b(?:CT[AP]?|CAP|CTPA|MRI|MRCP|MRA|USS?|XR|CXR|KUB|PET|[Ee]cho|TTE|TEE|TOE|EEG|EMG|EGD|ERCP|LP|[Bb]iopsy|[Cc]ulture|[Ll]abs|CBC|BMP|CMP|ordered|called|scheduled|last dose|last BM|LBM"
    r"|PICC|PEG|placed|inserted|removed|sent|rec'd|received|faxed|signed|admitted|extubated|intubated|discharged|transferred|RIP|[Dd]ict\.?|[Dd]ictated|[Aa]ddendum by [A-Z][a-z]{2,15}"
    r"|D0|Day 0|DOS|visit|expires|exp|lapsed|OSH) $"
)
CUE_CHARS = 34
HYPHENED = re.compile(
    r"(?<= )(?P<a>0?[1-9]|[12]\d|3[01])-(?P<b>0?[1-9]|[12]\d|3[01])(?![\d/-]|\.\d|\s?(?:%|mg|ml|mcg|g\b|kg|mm|cm|d\b|day|hour|hr|h\b|wk|week|x\b|month|yr|min))"
)
# In Chinese: month and day with a point between, at the begin of a clause or before what was done.
DOTTED_ZH = re.compile(
    r"(?:(?<=[\n,。;、(→于至自左右])|\A)(?P<a>1[0-2]|[1-9])\.(?P<b>3[01]|[12]\d|[1-9])(?![\d.])(?=→|[ )]?[\u4e00-\u9fff](?<![分次片粒岁元度厘毫年周个小倍万月天公支克升以左米升降]))"
)
MONTH_ZH = re.compile(
    r"(?:(?:20)?\d\d[.年/-])?(1[0-2]|0?[1-9])(?:月|[./-])(?=\d|\b|[上中下初末底])"
)
DURATIONS = frozenset({7, 12, 24, 52})
PARTS_OF = frozenset({2, 3, 4, 5, 6, 10})
MONTHS = 12
NAMED = re.compile(r"\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)", re.IGNORECASE)
MONTH_NUMBER = {
    name: at
    for at, name in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
        start=1,
    )
}


def find_pairs(folded: str, spans: list[Span]) -> list[Span]:
    """Return the pairs that are days by what ``spans`` found and by the days written in full."""
    pairs = list(PAIR.finditer(folded)) if "/" in folded else []
    pairs += [match for match in HYPHENED.finditer(folded) if _is_cued(match)]
    dotted = list(DOTTED_ZH.finditer(folded))
    if not pairs and not dotted:
        return []
    months = _months(folded, spans)
    found = [match for match in pairs if _is_day(match, months)]
    if dotted:
        months_zh = _months_zh(folded, spans)
        found += [match for match in dotted if int(match["a"]) in months_zh]
    return [Span(*match.span(), "DATE") for match in found]


def _months_zh(folded: str, spans: list[Span]) -> set[int]:
    """The months of the days that were found: ``3.12`` in a note about March is one more.

    A dose or a value of a laboratory is seldom written so.
    """
    dates = (span for span in spans if span.label == "DATE")
    found = (MONTH_ZH.search(folded, date.start, date.end) for date in dates)
    return {int(match[1]) for match in found if match}


def _months(folded: str, spans: list[Span]) -> set[tuple[bool, int]]:
    """The months about which the note is, with their neighbours, and whether they stand first."""
    dates = [folded[span.start : span.end] for span in spans if span.label == "DATE"]
    pairs = [(int(m[1]), int(m[2])) for m in FULL.finditer(folded)]
    pairs += [(int(m["a"]), int(m["b"])) for one in dates if (m := PAIR.fullmatch(one))]
    told = {a <= MONTHS for a, b in pairs if max(a, b) > MONTHS >= min(a, b)}
    orders = told if len(told) == 1 else {True, False}
    found = {(is_first, a if is_first else b) for a, b in pairs for is_first in orders}
    named = {MONTH_NUMBER[m[1].lower()] for one in dates if (m := NAMED.search(one))}
    found |= {(is_first, month) for month in named for is_first in orders}
    return {
        (is_first, (month + step - 1) % MONTHS + 1)
        for is_first, month in found
        if month <= MONTHS
        for step in (-1, 0, 1)
    }


def _is_day(match: re.Match[str], months: set[tuple[bool, int]]) -> bool:
    one, two = int(match["a"]), int(match["b"])
    is_month = (True, one) in months or (False, two) in months
    if _is_cued(match):
        # What is joined by a hyphen is a range mostly: only in a month of the note.
        return is_month or (match[0].find("-") < 0 and _may_be_day(one, two))
    if SCORED.search(match.string[max(0, match.start() - 12) : match.start()]) or one == two:
        return False
    if one < two and two in PARTS_OF:
        return False  # ``3/10``: a score; ``1/3``: a part
    if two in DURATIONS:
        return (True, one) in months and not any(not is_first for is_first, _ in months)
    return is_month


def _is_cued(match: re.Match[str]) -> bool:
    return CUED.search(match.string, max(0, match.start() - CUE_CHARS), match.start()) is not None


def _may_be_day(one: int, two: int) -> bool:
    return min(one, two) <= MONTHS and one != two
