"""Pure: a span without what stands at its edge and identifies nobody: titles, cues, times of day.

``Dr Okafor`` is a name with a title, ``MRN 12345`` a number with its cue, ``3 May 0210h`` a date
with a time. Layers join them; readers of the note need them.
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
TIMES = re.compile(r"[ ,(]{1,3}(?:[01]?\d|2[0-3])(?::[0-5]\d(?::[0-5]\d)?h?|[0-5]\dh)$")


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
