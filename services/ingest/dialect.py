"""The delimiters of one HL7 v2 message, and how its values are read with them: repetitions,
components, subcomponents, escapes. Two readings of one dialect: ``Dialect`` for any message,
``PlainDialect`` for the many in which no escape and no HL7 null stands.
"""

import re
from time import sleep
from typing import Final

NULL: Final = '""'
NO_DELIMITER: Final = "\x00"
LONG_CHARS: Final = 65_536  # of a value: others have their turn while it is read
BREATH_ESCAPES: Final = 4_096
REPETITIONS_MAX: Final = 1_000  # of one field
FIELDS_MAX: Final = 70  # beyond the highest field that anything here reads (IN2-64)
DIALECTS_MAX: Final = 256
# So many empty fields or components, by their number.
EMPTY: Final = [[""] * missing for missing in range(FIELDS_MAX + 1)]


class Dialect:
    """The delimiters of one message, and how values are read with them."""

    __slots__ = (
        "_escapes", "_plain", "charset", "component", "escape", "field", "plain",
        "repeat", "sub",
    )  # fmt: skip

    def __init__(self, field: str, encoding: str, charset: str) -> None:
        """Take MSH-1, MSH-2 and the charset that was used (for hexadecimal escapes)."""
        padded = encoding[:4].ljust(4, NO_DELIMITER)
        self.field = field
        self.component, self.repeat, self.escape, self.sub = tuple(padded)
        self.charset = charset
        self._plain = {
            "F": field,
            "S": self.component,
            "T": self.sub,
            "R": self.repeat,
            "E": self.escape,
            "P": encoding[4:5] or "#",
            "H": "",
            "N": "",
        }
        mark = re.escape(self.escape)
        self._escapes = re.compile(
            f"{mark}([FSTREPHN]|X[0-9A-Fa-f]+|\\.[^{mark}]{{1,16}}|[CM][0-9A-Fa-f]{{4,6}}){mark}"
        )
        self.plain: Dialect = self

    def fields(self, segment: str) -> list[str]:
        """Return the fields by their number (name at 0), padded with empty ones."""
        found = segment.split(self.field)
        found.extend(EMPTY[FIELDS_MAX])
        return found

    def text(self, raw: str) -> str:
        """Return a value with its escapes resolved; HL7 null is the empty string."""
        if self.escape in raw:
            if len(raw) > LONG_CHARS:
                return self._long_text(raw)
            return self._escapes.sub(self._resolve, raw)
        return "" if raw == NULL else raw

    def first(self, raw: str) -> str:
        """Return the first subcomponent of the first component of the first repetition."""
        if not raw or raw.isalnum():  # no delimiter is a letter or a digit
            return raw
        return self.text(self._cut(raw))

    def _cut(self, raw: str) -> str:
        # Cheaper than ``partition``, which also makes what is not asked for; to ask is half a find.
        if self.repeat in raw:
            raw = raw[: raw.find(self.repeat)]
        if self.component in raw:
            raw = raw[: raw.find(self.component)]
        return raw[: raw.find(self.sub)] if self.sub in raw else raw

    def repetitions(self, raw: str) -> list[str]:
        """Return the repetitions that are there, the first ``REPETITIONS_MAX`` at most."""
        if not raw or raw == NULL:
            return []
        if self.repeat not in raw:
            return [raw]
        found = raw.split(self.repeat, REPETITIONS_MAX)
        del found[REPETITIONS_MAX:]
        for one in found:
            if not one:
                return [one for one in found if one]
        return found

    def components(self, raw: str, count: int) -> list[str]:
        """Return at least ``count`` components, each its first subcomponent, unescaped. What
        follows them is no component.
        """
        found = raw.split(self.component, count)
        if self.sub in raw:
            _cut_each(found, self.sub)
        if self.escape in raw or ('"' in raw and NULL in raw):
            found = [self.text(one) for one in found]
        if len(found) < count:
            found.extend(EMPTY[count - len(found)])
        return found

    def _long_text(self, raw: str) -> str:
        """As ``text``, by and by."""
        found: list[str] = []
        at = 0
        for number, match in enumerate(self._escapes.finditer(raw)):
            if number % BREATH_ESCAPES == BREATH_ESCAPES - 1:
                sleep(0)
            found += (raw[at : match.start()], self._resolve(match))
            at = match.end()
        found.append(raw[at:])
        return "".join(found)

    def _resolve(self, match: "re.Match[str]") -> str:
        sequence = match.group(1)
        plain = self._plain.get(sequence)
        if plain is not None:
            return plain
        if sequence[0] == "X":
            return _hexadecimal(sequence[1:], self.charset)
        # .br, .sp, .ce, .in and their kin start a new line; charset switches are taken out.
        return "\n" if sequence[0] == "." else ""


_dialects: Final[dict[tuple[str, str, str], Dialect]] = {}


class PlainDialect(Dialect):
    """The same delimiters in a message without an escape or an HL7 null: nothing to resolve."""

    __slots__ = ()

    def text(self, raw: str) -> str:
        """Return the value as it stands."""
        return raw

    def first(self, raw: str) -> str:
        """Return the first subcomponent of the first component of the first repetition."""
        return raw if not raw or raw.isalnum() else self._cut(raw)

    def components(self, raw: str, count: int) -> list[str]:
        """Return at least ``count`` components, each its first subcomponent."""
        found = raw.split(self.component, count)
        if self.sub in raw:
            _cut_each(found, self.sub)
        if len(found) < count:
            found.extend(EMPTY[count - len(found)])
        return found


def _cut_each(found: list[str], sub: str) -> None:
    """Leave the first subcomponent of each."""
    for place, one in enumerate(found):
        if sub in one:
            found[place] = one[: one.find(sub)]


def _hexadecimal(digits: str, charset: str) -> str:
    raw = bytes.fromhex(digits[: len(digits) & ~1])
    for codec in (charset, "utf-8"):
        try:
            return raw.decode(codec)
        except (UnicodeDecodeError, LookupError):
            continue
    return raw.decode("latin-1")


def dialect_of(field: str, encoding: str, charset: str) -> Dialect:
    """Return the dialect for these delimiters; messages of one sender share it."""
    said = (field, encoding, charset)
    found = _dialects.get(said)
    if found is None:
        found = Dialect(field, encoding, charset)
        found.plain = PlainDialect(field, encoding, charset)
        if len(_dialects) >= DIALECTS_MAX:
            _dialects.clear()
        _dialects[said] = found
    return found
