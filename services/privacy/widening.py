"""Pure: spans that end too soon: the other half of a name, a place that goes on, two that are one.

``midwife Comfort Okafor`` is one name, though its first half is a word; ``Our Lady of Lourdes`` one
place, ``Spokane Sleep`` a clinic. Folded text.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise

from services.privacy.patterns_towns import is_town_word
from services.privacy.spans import Span
from services.privacy.tagger.doubts import CHART_WORDS
from services.privacy.tagger.hints import COMMON, FAMILY, MEDICAL, UNLISTED, hint_of_word
from services.privacy.trimming import TITLES
from services.privacy.words import NOT_NAMES, words

# ruff: noqa: E501  (an expression that is broken into lines cannot be read)
NEXT_WORD = re.compile(r" (?P<word>[A-Z][a-z]{2,15}(?:-[A-Z][a-z]{2,15})?)\b(?!['’])")
WORD_BEFORE = re.compile(r"(?<=[a-z] )(?P<word>[A-Z][a-z]{2,11}) $")
ONE_WORD = re.compile(r"[A-Z][a-z'’-]+(?:-[A-Z][a-z]+)?")
JOINED = re.compile(r" (?:(?:of|de|del|de la|for|in|on|at|near) (?:the )?|the )")
# What goes on after the name of a place.
SITES = re.compile(
    r"(?: (?:Cardiology|Ped(?:iatric)?s|Paediatrics|Family|Behavioral|Behavioural|Sleep|Lutheran|Baptist|Methodist|Presbyterian|AME|Specialists|Associates|Ortho(?:pa?edics)?|Heart|Cancer|Kidney|Renal|Lung|Eye|Dental|Rehab"
    r"|Urology|Oncology|Dermatology|Neurology|Women'?s|Children'?s|Community|Memorial|Regional|General|District|County|Uni|Campus|Village|Marketplace|Market|Society|Parish|Convent|NH|HC|CHC|PHC|MC|RMC|CBOC|MIU|DGH|BHU|THQ|DHQ|Genomics|Pathology"
    r"|Health(?: Cent(?:er|re))?|Medical|Med|Mosque|Temple|hospital|mosque|convent|market|surgery))+\b"
)
TOWN_AFTER = re.compile(
    r", (?P<town>[A-Z][a-z]{3,15}(?:[- ][A-Z][a-z]{2,15})?)(?=[,.;:)\n]|\Z| [a-z(])"
)
ROLES = words(
    "midwife sister matron porter orderly rheum haem anaes paeds called consultant registrar",
    "resident charge dear thanks regards cheers signed discussed with from per informed message",
    "handover locum duty visit baby boy girl twin officer constable chaplain rabbi pastor imam",
    "madame mme mama papa father mother bed room",
)


def widened(folded: str, spans: Iterable[Span]) -> list[Span]:
    """Return the spans, those that end too soon made whole, and what joins two places."""
    found = [_widened(folded, span) for span in spans]
    places = sorted((s for s in found if s.label == "LOC"), key=lambda span: span.start)
    joined = [
        Span(one.end, two.start, "LOC")
        for one, two in pairwise(places)
        if JOINED.fullmatch(folded, one.end, two.start)
    ]
    return found + joined + list(_towns(folded, places))


def _towns(folded: str, places: Iterable[Span]) -> Iterator[Span]:
    """The town behind a house or a street."""
    for place in places:
        town = TOWN_AFTER.match(folded, place.end)
        if town and is_town_word(town["town"].split()[0]):
            yield Span(*town.span("town"), "LOC")


def _widened(folded: str, span: Span) -> Span:
    if span.label == "LOC":
        more = SITES.match(folded, span.end) if folded[span.start].isupper() else None
        return Span(span.start, more.end(), "LOC") if more else span
    if span.label != "NAME" or ONE_WORD.fullmatch(folded, span.start, span.end) is None:
        return span
    after = NEXT_WORD.match(folded, span.end)
    if after and _is_family(after["word"]):
        return Span(span.start, after.end(), "NAME")
    before = WORD_BEFORE.search(folded, max(0, span.start - 16), span.start)
    if before and _may_be_given(before["word"].lower()):
        return Span(before.start("word"), span.end, "NAME")
    return span


def _is_family(word: str) -> bool:
    lowered = word.lower()
    hint = hint_of_word(lowered)
    is_name = hint == UNLISTED or bool(hint & FAMILY and not hint & (COMMON | MEDICAL))
    return is_name and lowered not in CHART_WORDS and lowered not in NOT_NAMES


def _may_be_given(lowered: str) -> bool:
    hint = hint_of_word(lowered)
    is_said = lowered in CHART_WORDS or lowered in NOT_NAMES or lowered in ROLES
    is_said = is_said or TITLES.match(f"{lowered.capitalize()} Xx") is not None
    return not is_said and not hint & MEDICAL
