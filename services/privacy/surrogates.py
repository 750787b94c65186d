"""Pure: invented values in the place of removed ones, for research exports alone.

In the stream identifiers become marks; an export may read better, and hides what was missed among
what was invented. The same value becomes the same surrogate wherever it stands in an export (one
key), of the same language, shape and length class; the dates of one subject move by one number of
days, so that intervals stay. No surrogate is a value that stood in the same text or is known of its
patient, nor has a name that one of them has; it is drawn again, and after some draws it is a mark.
"""

import hmac
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256

from services.privacy.dates import AGE_YEARS_MAX
from services.privacy.folding import fold, squeeze
from services.privacy.spans import Span
from services.privacy.words import DOUBLE_SURNAMES

HAN = re.compile("[\u3400-\u9fff]")
DAYS_BACK_MAX = 365
REDRAWS_MAX = 20
# Frequent names, so that none points at anybody.
ZH_FAMILY = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
ZH_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰涛明超秀霞平刚文华玲辉建国志红梅丹"
EN_GIVEN = ("Alex", "Casey", "Dana", "Ellis", "Frances", "Jamie", "Jordan", "Kim", "Lee", "Morgan",
            "Noel", "Pat", "Robin", "Sam", "Terry", "Val")  # fmt: skip
EN_FAMILY = ("Adams", "Barnes", "Carter", "Dixon", "Ellison", "Foster", "Gibson", "Harris", "Irwin",
             "Jenkins", "Keller", "Lawson", "Miller", "Norton", "Parker", "Rogers")  # fmt: skip
ZH_PLACES = ("平江市", "清河区中山路8号", "东湖县人民医院", "新安镇", "长宁街道")
EN_PLACES = ("Springfield", "12 Mill Lane", "Riverside Hospital", "Ashford", "Lakeview")
FIXED = {
    "EMAIL": "person{n}@example.org",
    "URL": "https://example.org/{n}",
    "IP": "192.0.2.{n}",  # RFC 5737: for documentation
}
AGE_OLD = {True: "90岁以上", False: "aged 90 or over"}
PARTED = ("NAME", "LOC")
HAN_RUN = re.compile("[\u3400-\u9fff]+")
COMPACT_DATE = re.compile(r"(\d{4})()(\d{2})()(\d{2})")
NUMERIC_DATE = re.compile(r"(\d{4})([-/.年])(\d{1,2})([-/.月])(\d{1,2})(日|号)?")


LATIN_WORD = re.compile(r"[^\W\d_]{2,}")
DOUBLE = frozenset(DOUBLE_SURNAMES.split())


@dataclass(frozen=True)
class Real:
    """What no surrogate may be: whole values, the names and words in them, and known days."""

    wholes: frozenset[str]
    parts: frozenset[str]
    days: frozenset[date]

    def has(self, label: str, invented: str) -> bool:
        """Say whether an invented value is a real one, or names a part of one."""
        whole = _plain(invented)
        if whole in self.wholes:
            return True
        if label in PARTED and not self.parts.isdisjoint(_parts(invented)):
            return True
        longer = (one for one in self.wholes if len(one) > 1)
        return label == "LOC" and any(one in whole or whole in one for one in longer)


class Surrogates:
    """Invents values under ``key`` (32 bytes); without the key nobody can invent the same."""

    def __init__(self, key: bytes, now_year: int = 0) -> None:
        """Keep the key. Dates more than 89 years before ``now_year`` are marked."""
        self._key = key
        self._year_min = now_year - AGE_YEARS_MAX

    def put(
        self, text: str, spans: Sequence[Span], subject: str, known: Collection[str] = ()
    ) -> str:
        """Return ``text`` with a surrogate for each span (in order, not overlapping). The dates
        of one ``subject`` move alike. ``known`` is what is known of the patient.
        """
        stood = _real([*(text[span.start : span.end] for span in spans), *known], known)
        pieces, position = [], 0
        for span in spans:
            invented = self._invent(span.label, text[span.start : span.end], subject, stood)
            pieces += [text[position : span.start], invented]
            position = span.end
        return "".join([*pieces, text[position:]])

    def _invent(self, label: str, value: str, subject: str, stood: Real) -> str:
        if label == "DATE":
            return self._moved(value, subject, stood.days)
        for attempt in range(REDRAWS_MAX):
            draw = hmac.digest(self._key, f"{label}|{attempt}|{_plain(value)}".encode(), sha256)
            invented = _drawn(label, value, draw)
            if not stood.has(label, invented):
                return invented
        return f"[{label}]"

    def _moved(self, value: str, subject: str, known: Collection[date]) -> str:
        """Move a whole date; one that has no year, is not written in numbers, or would become a
        known one is marked.
        """
        match = NUMERIC_DATE.fullmatch(value.strip())
        if match is None or int(match[1]) <= self._year_min:
            return "[DATE]"
        digest = hmac.digest(self._key, f"shift|{subject}".encode(), sha256)
        days = 1 + int.from_bytes(digest[:8], "big") % DAYS_BACK_MAX
        try:
            day = date(int(match[1]), int(match[3]), int(match[5])) - timedelta(days)
        except (ValueError, OverflowError):
            return "[DATE]"
        if day in known:
            return "[DATE]"
        month, number = (
            f"{part:0{len(match[at])}d}" for part, at in ((day.month, 3), (day.day, 5))
        )
        return f"{day.year}{match[2]}{month}{match[4]}{number}{match[6] or ''}"


def _real(values: Iterable[str], known: Iterable[str]) -> Real:
    values = list(values)
    return Real(
        wholes=frozenset(_plain(value) for value in values),
        parts=frozenset(part for value in values for part in _parts(value)),
        days=frozenset(day for value in known if (day := _day(value)) is not None),
    )


def _parts(value: str) -> set[str]:
    """Return the names and words of a value: 王 and 伟芳 of 王伟芳, anna of Anna."""
    parts = {_plain(word) for word in LATIN_WORD.findall(value) if not HAN.search(word)}
    for run in HAN_RUN.findall(value):
        size = 2 if run[:2] in DOUBLE else 1
        parts |= {run, run[:size], run[size:]}
    return parts - {""}


def _day(value: str) -> date | None:
    match = NUMERIC_DATE.search(value) or COMPACT_DATE.fullmatch(value.strip())
    try:
        return match and date(int(match[1]), int(match[3]), int(match[5]))
    except ValueError:
        return None


def _plain(value: str) -> str:
    return squeeze(fold(value).folded).squeezed


def _drawn(label: str, value: str, draw: bytes) -> str:
    is_han = bool(HAN.search(value))
    if label == "NAME":
        return _han_name(value, draw) if is_han else _latin_name(value, draw)
    if label == "LOC":
        places = ZH_PLACES if is_han else EN_PLACES
        return places[draw[0] % len(places)]
    if label == "AGE":
        return AGE_OLD[is_han]
    if label in FIXED:
        return FIXED[label].format(n=1 + draw[0] % 254)
    if label in {"ID", "PHONE"}:
        return _same_shape(value, draw)
    return f"[{label}]"


def _han_name(value: str, draw: bytes) -> str:
    length = max(2, min(4, len(HAN.findall(value))))
    given = [ZH_GIVEN[byte % len(ZH_GIVEN)] for byte in draw[1:length]]
    return ZH_FAMILY[draw[0] % len(ZH_FAMILY)] + "".join(given)


def _latin_name(value: str, draw: bytes) -> str:
    words = re.findall(r"[^\W\d_][\w'\N{RIGHT SINGLE QUOTATION MARK}.-]*", value)
    family = EN_FAMILY[draw[0] % len(EN_FAMILY)]
    given = [EN_GIVEN[byte % len(EN_GIVEN)] for byte in draw[1 : max(1, min(3, len(words)))]]
    name = f"{family}, {' '.join(given)}" if "," in value and given else " ".join([*given, family])
    return name.upper() if value.isupper() else name.lower() if value.islower() else name


def _same_shape(value: str, draw: bytes) -> str:
    """Digits for digits and letters for letters; all else stays."""
    stream = iter(
        b"".join(hmac.digest(draw, bytes([n]), sha256) for n in range(1 + len(value) // 32))
    )
    invented = []
    for sign in value:
        if sign.isdecimal():
            invented.append(str(next(stream) % 10))
        elif sign.isalpha():
            letter = chr(ord("a") + next(stream) % 26)
            invented.append(letter.upper() if sign.isupper() else letter)
        else:
            invented.append(sign)
    return "".join(invented)
