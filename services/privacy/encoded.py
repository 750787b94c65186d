"""Pure: finds known identifiers behind an encoding: base64, hex, percent, entities, escapes."""

import re
from base64 import b64decode
from binascii import Error
from collections.abc import Callable, Iterator
from html import unescape
from urllib.parse import unquote_to_bytes

from services.privacy.folding import fold, squeeze
from services.privacy.known import KnownTerms
from services.privacy.spans import Span

HEX = re.compile(r"(?<![0-9A-Za-z])(?:[0-9a-fA-F]{2}[ :]?){5,4000}(?![0-9A-Za-z])")
BASE64 = re.compile(r"[A-Za-z0-9+/_-]{8,6000}={0,2}")
PERCENT = re.compile(r"[\w.+~-]{0,200}(?:%[0-9a-fA-F]{2}[\w.+~-]{0,200}){1,400}")
ENTITIES = re.compile(r"[\w ]{0,100}(?:&#x?[0-9a-fA-F]{2,6};[\w ]{0,100}){1,400}")
ESCAPES = re.compile(r"[\w ]{0,100}(?:\\u[0-9a-fA-F]{4}[\w ]{0,100}){1,400}")


def find_encoded(folded: str, known: KnownTerms) -> Iterator[Span]:
    """Yield the runs of ``folded`` that decode to something that alone names a person."""
    for regex, needs, decodings in _FORMS:
        if needs not in folded:
            continue
        for match in regex.finditer(folded):
            texts = decodings(match[0])
            if any(known.holds_strong(squeeze(fold(text).folded).squeezed) for text in texts):
                yield Span(match.start(), match.end(), "ID")


def may_hide(folded: str) -> bool:
    """Return whether ``folded`` has a run that could be an encoding of something."""
    if any(sign in folded for sign in ("%", "&#", "\\u")) or HEX.search(folded):
        return True
    return any(not _is_word(run[0]) for run in BASE64.finditer(folded))


def _is_word(run: str) -> bool:
    """What is written as a word is one: text in base64 nearly always mixes cases or digits."""
    return run.islower() or run.istitle() or run.isupper() or run.isdecimal()


def _from_hex(run: str) -> Iterator[str]:
    digits = re.sub(r"[ :]", "", run)
    yield from _texts(bytes.fromhex(digits))


def _from_base64(run: str) -> Iterator[str]:
    if _is_word(run):
        return
    run = run.rstrip("=").replace("-", "+").replace("_", "/")
    for skip in range(4):
        rest = run[skip:]
        whole = rest[: len(rest) - (len(rest) % 4 == 1)]
        try:
            yield from _texts(b64decode(whole + "=" * (-len(whole) % 4)))
        except Error:
            continue


def _from_percent(run: str) -> Iterator[str]:
    yield from _texts(unquote_to_bytes(run))


def _from_entities(run: str) -> Iterator[str]:
    yield unescape(run)


def _from_escapes(run: str) -> Iterator[str]:
    yield re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), run)


def _texts(raw: bytes) -> Iterator[str]:
    yield raw.decode("utf-8", errors="ignore")
    if 0 in raw:
        yield raw.decode("utf-16-be", errors="ignore")
        yield raw.decode("utf-16-le", errors="ignore")


_FORMS: tuple[tuple[re.Pattern[str], str, Callable[[str], Iterator[str]]], ...] = (
    (HEX, "", _from_hex),
    (BASE64, "", _from_base64),
    (PERCENT, "%", _from_percent),
    (ENTITIES, "&#", _from_entities),
    (ESCAPES, "\\u", _from_escapes),
)
