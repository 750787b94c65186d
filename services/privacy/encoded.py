"""Pure: finds known identifiers behind an encoding: base64, hex, percent, quoted-printable,
entities, escapes; in UTF-8 and UTF-16, and Chinese names in GB 18030 too.

What is decoded is mostly no text (a file, a token), so it is looked at as bytes first.
"""

import re
from base64 import b64decode
from binascii import Error
from collections.abc import Callable, Iterator
from html import unescape
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from services.privacy.folding import fold, squeeze
from services.privacy.known import KnownTerms
from services.privacy.readings import ESCAPE
from services.privacy.spans import Span

HEX = re.compile(r"(?<![0-9A-Za-z])(?:0x)?(?:[0-9a-fA-F]{2}[ :]?){5,100000}(?![0-9A-Za-z])")
BASE64 = re.compile(r"[A-Za-z0-9+/_-]{8,}={0,2}")
PERCENT = re.compile(r"(?:%[0-9a-fA-F]{2}[\w.+~-]{0,200})+")
QUOTED = re.compile(r"(?:=[0-9a-fA-F]{2}[\w.+~-]{0,200})+")
ENTITIES = re.compile(r"(?:&#x?[0-9a-fA-F]{2,6};?[\w ]{0,100}){1,400}")
ESCAPES = re.compile(r"(?:[\\%]u[0-9a-fA-F]{4}[\w ]{0,100}){1,400}")
BYTES = re.compile(r"(?:\\x[0-9a-fA-F]{2}[\w.+~-]{0,200})+")
# What may stand before the first sign of a run, and is read with it.
ADDRESS = re.compile(r"[\w.+~-]{0,200}\Z")
WORDS = re.compile(r"[\w ]{0,100}\Z")
BEFORE_CHARS_MAX = 200
LOWER = bytes(range(256)).lower()
NO_WORD = bytes(byte for byte in range(256) if not bytes((byte,)).isalnum())
LOST_BYTES_MAX = 6  # of a text that was cut: parts of its first and last letter


def find_encoded(folded: str, known: KnownTerms) -> Iterator[Span]:
    """Yield the runs of ``folded`` that decode to something that alone names a person."""
    for form in _FORMS:
        if form.sign not in folded:
            continue
        end = 0
        for match in form.regex.finditer(folded):
            start = match.start() - _chars_before(folded, end, match.start(), form.before)
            end = match.end()
            if any(_names(said, known) for said in form.decodings(folded[start:end])):
                yield Span(start, end, "ID")


def _chars_before(folded: str, first: int, start: int, form: re.Pattern[str] | None) -> int:
    if form is None:
        return 0
    found = form.search(folded[max(first, start - BEFORE_CHARS_MAX) : start])
    return len(found[0]) if found else 0


def may_hide(folded: str) -> bool:
    """Return whether ``folded`` has a run that could be an encoding of something."""
    if any(sign in folded for sign in _SIGNS) or HEX.search(folded):
        return True
    return any(not _is_word(run[0]) for run in BASE64.finditer(folded))


def _names(said: str | bytes, known: KnownTerms) -> bool:
    if isinstance(said, str):
        return known.holds_strong(squeeze(fold(said).folded).squeezed)
    if known.holds_strong(said.translate(LOWER, NO_WORD).decode("ascii")):  # of UTF-16 too
        return True
    if said.isascii():
        return False
    charsets = ("utf-8", "gb18030") if known.han_bytes else ("utf-8",)
    if any(_names(text, known) for charset in charsets if (text := _text(said, charset))):
        return True
    return any(name in said for name in known.han_bytes)


def _text(raw: bytes, charset: str) -> str:
    """Return bytes that are text but for their ends, "" of others."""
    text = raw.decode(charset, errors="ignore")
    lost = len(raw) - len(text.encode(charset))
    return text if lost <= min(LOST_BYTES_MAX, len(raw) // 4) else ""


def _is_word(run: str) -> bool:
    """What is written as a word is one: text in base64 nearly always mixes cases or digits."""
    return run.islower() or run.istitle() or run.isupper() or run.isdecimal()


def _from_hex(run: str) -> Iterator[bytes]:
    yield bytes.fromhex(re.sub(r"0x|[ :]", "", run))


def _from_base64(run: str) -> Iterator[bytes]:
    if _is_word(run):
        return
    run = run.rstrip("=").replace("-", "+").replace("_", "/")
    for skip in range(4):
        rest = run[skip:]
        whole = rest[: len(rest) - (len(rest) % 4 == 1)]
        try:
            yield b64decode(whole + "=" * (-len(whole) % 4))
        except Error:
            continue


def _from_percent(run: str) -> Iterator[bytes]:
    yield unquote_to_bytes(run)


def _from_quoted(run: str) -> Iterator[bytes]:
    yield unquote_to_bytes(run.replace("=", "%"))


def _from_bytes(run: str) -> Iterator[bytes]:
    yield unquote_to_bytes(run.replace("\\x", "%"))


def _from_entities(run: str) -> Iterator[str]:
    yield unescape(run)


def _from_escapes(run: str) -> Iterator[str]:
    yield ESCAPE.sub(lambda found: chr(int(found[1], 16)), run)


class _Form(NamedTuple):
    regex: re.Pattern[str]
    sign: str  # without which no run is in a text
    before: re.Pattern[str] | None
    decodings: Callable[[str], Iterator[str | bytes]]


_FORMS = (
    _Form(HEX, "", None, _from_hex),
    _Form(BASE64, "", None, _from_base64),
    _Form(PERCENT, "%", ADDRESS, _from_percent),
    _Form(QUOTED, "=", ADDRESS, _from_quoted),
    _Form(ENTITIES, "&#", WORDS, _from_entities),
    _Form(ESCAPES, "\\u", WORDS, _from_escapes),
    _Form(ESCAPES, "%u", WORDS, _from_escapes),
    _Form(BYTES, "\\x", ADDRESS, _from_bytes),
)
_SIGNS = tuple({form.sign: None for form in _FORMS if form.sign})
