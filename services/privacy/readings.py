"""Pure: the same text as somebody else would read it: without markup, with its lines joined.

A tag inside a word, a letter written as an entity or an escape, or a line break inside a number
hides what a reader of the page still sees. Each other reading is searched as well, and what is
found is found in the text.
"""

import re
from collections.abc import Callable, Iterator
from datetime import date
from html import unescape
from typing import NamedTuple

from services.privacy.folding import fold
from services.privacy.spans import Span

TAG = re.compile(r"</?[A-Za-z!?][^<>]{0,2000}>")
BLOCKS = re.compile(
    r"</?(?:p|br|div|li|tr|td|th|h[1-6]|table|ul|ol|section|title)\b", re.IGNORECASE
)
ENTITY = re.compile(r"&(?:#x?[0-9A-Fa-f]{1,6};?|[A-Za-z]{2,8};)")
ESCAPE = re.compile(r"[\\%]u([0-9A-Fa-f]{4})")
RTF = "{\\rtf"
RTF_PART = re.compile(
    r"\\'(?P<hex>[0-9A-Fa-f]{2})|\\u(?P<code>-?\d{1,6})\??|\\[a-z]{1,32}-?\d{0,10} ?|[{}]"
)
# Letters by bytes of another code page than the one that is read here, or with doubled fallbacks.
RTF_BYTES = re.compile(r"\\'[89A-Fa-f]")
RTF_FOREIGN = re.compile(r"\\ansicpg(?!1252\b)\d|\\fcharset(?!0\b|1\b)\d")
RTF_FALLBACKS = re.compile(r"\\uc[02-9]")
# Digits over a line break, with a hyphen beside it or without one.
BROKEN = re.compile(
    r"\+?\(?\d[\d().-]{0,24}[ -]?\n[ -]?[\d(][\d()-]{0,20}(?:\n-?\d[\d-]{0,12}){0,3}"
)
MOBILE = re.compile(r"(?:86)?1[3-9]\d{9}")
RESIDENT = re.compile(r"[1-9]\d{5}(?P<y>(?:18|19|20)\d\d)(?P<m>\d\d)(?P<d>\d\d)\d{4}")
PHONE_DIGITS = range(9, 14)


class Reading(NamedTuple):
    """A text as read otherwise; ``at[i]`` is the index of its character ``i`` in the text."""

    text: str
    at: list[int]

    def span_of(self, span: Span) -> Span:
        """Return where something found in the reading stands in the text."""
        return Span(self.at[span.start], self.at[span.end - 1] + 1, span.label)


def readings_of(folded: str) -> Iterator[Reading]:
    """Yield the other readings of ``folded``; of most texts there is none."""
    if "<" in folded and TAG.search(folded):
        yield _read(folded, TAG, _instead_of_tag)
    if RTF in folded:
        yield _read(folded, RTF_PART, _instead_of_rtf)
    elif "\\u" in folded or "%u" in folded:
        yield _read(folded, ESCAPE, _instead_of_escape)
    if "&" in folded and any(_hides(entity[0]) for entity in ENTITY.finditer(folded)):
        yield _read(folded, ENTITY, _instead_of_entity)


def is_unreadable(folded: str) -> bool:
    """Return whether a text is RTF whose letters are not read here: names in it cannot be found."""
    if RTF not in folded:
        return False
    is_foreign = RTF_FOREIGN.search(folded) and RTF_BYTES.search(folded)
    return bool(is_foreign or RTF_FALLBACKS.search(folded))


def find_broken(folded: str) -> Iterator[Span]:
    """Yield the telephone and resident numbers of ``folded`` that a line break stands in."""
    if "\n" not in folded:
        return
    for match in BROKEN.finditer(folded):
        label = _label_of(match[0])
        if label:
            yield Span(match.start(), match.end(), label)


def _label_of(broken: str) -> str:
    digits = "".join(char for char in broken if char.isdecimal())
    resident = RESIDENT.fullmatch(digits)
    if resident and _is_day(int(resident["y"]), int(resident["m"]), int(resident["d"])):
        return "ID"
    is_hyphened = "-\n" in broken or "\n-" in broken
    if MOBILE.fullmatch(digits) or (is_hyphened and len(digits) in PHONE_DIGITS):
        return "PHONE"
    return ""


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def _instead_of_tag(match: re.Match[str]) -> str:
    """A block ends a line; any other tag stands within one."""
    return "\n" if BLOCKS.match(match[0]) else ""


def _instead_of_entity(match: re.Match[str]) -> str:
    return fold(unescape(match[0])).folded


def _hides(entity: str) -> bool:
    """Say whether an entity is a letter, a digit or nothing to the eye: others part words."""
    said = fold(unescape(entity)).folded
    return not said or said[0].isalnum()


def _instead_of_escape(match: re.Match[str]) -> str:
    return fold(chr(int(match[1], 16))).folded


def _instead_of_rtf(match: re.Match[str]) -> str:
    if match["hex"]:
        return bytes.fromhex(match["hex"]).decode("cp1252", "replace")
    if match["code"]:
        return chr(int(match["code"]) & 0xFFFF)
    return "\n" if match[0].startswith(("\\par", "\\line")) else ""


def _read(text: str, parts: re.Pattern[str], instead: Callable[[re.Match[str]], str]) -> Reading:
    pieces: list[str] = []
    at: list[int] = []
    end = 0
    for match in parts.finditer(text):
        said = instead(match)
        pieces += [text[end : match.start()], said]
        at.extend(range(end, match.start()))
        at.extend([match.start()] * len(said))
        end = match.end()
    at.extend(range(end, len(text)))
    return Reading("".join([*pieces, text[end:]]), at)
