"""Pure: the edges of spans: without titles, cues and times of day, and with initials.

``Dr Okafor`` is a name with a title, ``MRN 12345`` a number with its cue, ``3 May 0210h`` a date
with a time. Layers join them; readers of the note need them. Initials beside a name go with it.
"""

import re

from services.privacy.spans import Span

# ruff: noqa: E501  (an expression that is broken into lines cannot be read)
TITLES = re.compile(
    r"(?:(?:Dr|Drs|Mr|Mrs|Ms|Miss|Prof|Mdm|Smt|SpR|SHO|RN|SN|Pt|Sr|Coroner|Psychol)\b\.?[ \n]{1,2})+(?=\w)"
    r"|(?:患者|护士长?|医师|医生|家属|工友|室友|同寝|其[弟妹兄姐子女母父]|[弟妹夫妻])(?=[\u4e00-\u9fff]{2,3}$)"
)
CUES = re.compile(
    r"(?:MRN|NPI|CSN|URN?|DVA|PPSN|PHN|NHS|CHI|NRIC|ACC|ID|No|QQ|微信|护照号?|车牌号?|车号|身份证号?)[ #:.]{0,3}(?=[A-Z]{0,3}\d)"
)
# A time to the second stays with its date: such a pair is looked up easily.
TIMES = re.compile(r"[ ,(]{1,3}(?:[01]?\d|2[0-3])(?::[0-5]\dh?|[0-5]\dh)$")


def trimmed(folded: str, span: Span) -> Span:
    """Return the span without title, cue or time at its edge; never empty."""
    found = folded[span.start : span.end]
    if span.label == "NAME":
        lead = TITLES.match(found)
    elif span.label == "ID":
        lead = CUES.match(found)
    elif span.label == "DATE":
        time = TIMES.search(found)
        return Span(span.start, span.start + time.start(), "DATE") if time else span
    else:
        return span
    if lead is None or lead.end() == len(found):
        return span
    return Span(span.start + lead.end(), span.end, span.label)


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
