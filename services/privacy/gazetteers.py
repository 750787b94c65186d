"""Pure: the third layer: places by a list, names by a list of given names and a capital after.

`lists/places.txt` is our own; `lists/given_names.txt` are those of Faker (MIT; US and British
statistics) that are no English word. Small on purpose: a list of rare names finds more words than
names, and the tagger reads what stands around them.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import ahocorasick

from services.privacy.spans import Span
from services.privacy.tagger.hints import HAN, han_places
from services.privacy.words import NOT_NAMES

BEFORE_PLACE = re.compile(
    r"(?:住|久居|生于|长于|来自|转自|返回|老家|家在|籍贯|原籍|抵|赴|现在|由|回|去|在)[:是]?$"
)
AFTER_PLACE = re.compile(r"人[,。;、 (\n]|籍|打工|务工|转来|户籍|[市县区镇乡村旗]")
# A site of the place: nothing between them that a sentence goes on with.
SITE_AFTER = re.compile(
    r"[^\W\d_a-zA-Z于在就诊转来到至我本某外赴去往由被曾后前因患及和与]{0,9}?(?:医院|卫生院|卫生站|服务中心|疾控中心|急救中心|保健院|敬老院|养老院"
    r"|福利院|研究所|学院|大学|中学|小学|幼儿园|监狱|机场|火车站|广场|码头|工业园|采石场|滑雪场|农场|林场|煤矿|水库|公园|教堂)"
)
PLACE_ENDS = "市县区镇乡村州旗省"
NOT_AFTER_PLACE = ("白药", "降压", "竹叶青", "综合征", "病毒", "脑炎", "评分", "量表", "标准")
LISTS = Path(__file__).with_name("lists")
AFTERGIVEN_NAMES = re.compile(r"(?: [A-Z]\.?)? [A-Z][^\W\d_]*(?:['’-][A-Z][^\W\d_]+)?")


def find_listed(folded: str) -> Iterator[Span]:
    """Yield the listed places of folded text, and the names that begin with a listed one."""
    for last, word in _LISTED.iter_long(folded):
        start, end = last - len(word) + 1, last + 1
        if _is_han(word):
            if not folded.startswith(NOT_AFTER_PLACE, end):
                yield Span(start, end, "LOC")
        elif _is_whole(folded, start, end):
            if word not in GIVEN_NAMES:
                yield Span(start, end, "LOC")
                continue
            family = AFTERGIVEN_NAMES.match(folded, end)
            if family and family[0].split()[-1].casefold() not in NOT_NAMES:
                yield Span(start, family.end(), "NAME")


def find_places_zh(folded: str) -> Iterator[Span]:
    """Yield the places of the long list that stand where a place stands, or say what they are."""
    for start, end in han_places(folded):
        after = folded[end : end + 3]
        if after.startswith(NOT_AFTER_PLACE):
            continue
        site = SITE_AFTER.match(folded, end)
        if site:
            yield Span(start, site.end(), "LOC")
            continue
        is_told = BEFORE_PLACE.search(folded, max(0, start - 3), start) is not None
        is_named = end - start >= 3 and folded[end - 1] in PLACE_ENDS
        if is_told or is_named or AFTER_PLACE.match(after):
            yield Span(start, end, "LOC")


def _is_han(text: str) -> bool:
    return HAN.search(text) is not None


def _is_whole(folded: str, start: int, end: int) -> bool:
    before, after = folded[start - 1 : start], folded[end : end + 1]
    return not (before.isalnum() or after.isalnum()) or _is_han(before) or _is_han(after)


def _lines(name: str) -> list[str]:
    return (LISTS / name).read_text(encoding="utf-8").split("\n")[:-1]


GIVEN_NAMES = frozenset(_lines("given_names.txt"))
_LISTED = ahocorasick.Automaton()
for _word in (*GIVEN_NAMES, *_lines("places.txt")):
    _LISTED.add_word(_word, _word)
_LISTED.make_automaton()
