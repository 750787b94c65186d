"""Pure: fields that are codes, names of things and places: which pass whole, marked, or not."""

import re
from typing import Literal, Protocol

from plumbing.remembering import remembered
from services.privacy.free_text import Cleaned

CODE_FORM = re.compile(r"[A-Za-z0-9<>=~][A-Za-z0-9<>=~._:/+^-]{0,63}", re.ASCII)
# A coding system's own number, arcs of it short; four short ones are an address of a network.
OID = re.compile(r"(?!(?:\d{1,3}\.){3}\d{1,3}\Z)[0-2](?:\.(?:0|[1-9]\d{0,6})){3,15}", re.ASCII)
DIGITS_MAX = 6  # of a site's code: more are a number of somebody
LOCAL_CHARS_MAX = 200
HAN = re.compile("[\u3400-\u9fff]")
# Parts and houses of a hospital, which the tagger takes for places or people (三区, 江北院区).
# Nothing that stands in an address or a sentence.
WARD_ZH = re.compile(
    "[^\\W\\d_省市县州镇乡村路街巷号弄家患者人由从自转在被与和]{0,10}"
    "(?:[东西南北中上下一二三四五六七八九十内外婴A-Z]区|病[区房]|路?院区|(?<!医)院|楼[东西南北]?)"
)


class Cleaner(Protocol):
    """What is needed of the text scrub, primed with who is known."""

    def clean(self, text: str) -> Cleaned:
        """Return free text with marks, or held back."""

    def label(self, text: str) -> str:
        """Return a short text with marks, or "" when it is held back."""

    def passes(self, text: str) -> bool:
        """Return whether a short text has nothing in it that must go."""

    def is_unknown(self, text: str) -> bool:
        """Return whether a code holds no record number, whole name or telephone of the event."""

    def is_code(self, text: str) -> bool:
        """Return whether a site's code holds neither these nor anybody's number or name."""


def code_or_empty(value: str, cleaner: Cleaner) -> str:
    """Return what has the form of a code and holds nothing known; else as ``local_or_empty``."""
    form = _form_of(value)
    if form == "oid":
        return value if cleaner.is_unknown(value) else ""
    if form == "code":
        return value if cleaner.is_code(value) else ""
    return local_or_empty(value, cleaner)


@remembered(65_536)
def _form_of(value: str) -> Literal["oid", "code", "text"]:
    if OID.fullmatch(value):
        return "oid"
    is_short = sum(map(str.isdecimal, value)) <= DIGITS_MAX
    return "code" if is_short and CODE_FORM.fullmatch(value) else "text"


def place_or_empty(value: str, cleaner: Cleaner) -> str:
    """Return a ward, room or bed whole or ""; one word stays, for wards are called after people.

    In Chinese a sentence is one word too, and searched as one but for parts of a hospital.
    """
    if value.isalpha() and len(value) <= LOCAL_CHARS_MAX and HAN.search(value) is None:
        return value if cleaner.is_unknown(value) else ""
    if WARD_ZH.fullmatch(value) and cleaner.is_code(value):
        return value
    return code_or_empty(value, cleaner)


def local_or_empty(value: str, cleaner: Cleaner) -> str:
    """Return a site's short text whole, or "" when it is long or anything is found in it."""
    if not value:
        return ""
    return value if len(value) <= LOCAL_CHARS_MAX and cleaner.passes(value) else ""


def label_or_empty(value: str, cleaner: Cleaner) -> str:
    """Return what a thing is called with marks in place of who is named in it, "" when long."""
    return cleaner.label(value) if 0 < len(value) <= LOCAL_CHARS_MAX else ""
