"""Pure: all forms of identifiers that free text is searched for, English and Chinese."""

from collections.abc import Iterator

from services.privacy.patterns import PATTERNS, Pattern, spans_of
from services.privacy.patterns_closing import CLOSING_EN
from services.privacy.patterns_context import CONTEXT_EN, CONTEXT_ZH
from services.privacy.patterns_days import DAYS_EN, DAYS_ZH
from services.privacy.patterns_marks import MARKS_EN
from services.privacy.patterns_named import NAMED_EN
from services.privacy.patterns_notes import NOTES_EN, NOTES_ZH
from services.privacy.patterns_odd import ODD_EN, ODD_ZH
from services.privacy.patterns_people import PEOPLE_EN
from services.privacy.patterns_places import PLACES_EN
from services.privacy.patterns_signed import SIGNED_EN
from services.privacy.patterns_towns import TOWNS_EN
from services.privacy.patterns_zh import PATTERNS_ZH
from services.privacy.spans import Span
from services.privacy.starts import Together


class Forms:
    """Many patterns: which of them a text can have is looked up for all at once."""

    def __init__(self, patterns: tuple[Pattern, ...]) -> None:
        """Read the expressions."""
        self.patterns = patterns
        self._together = Together([pattern.regex for pattern in patterns])

    def find(self, folded: str) -> Iterator[Span]:
        """Yield what ``find_patterns`` yields."""
        for number, found in self._together.matches(folded):
            yield from spans_of(self.patterns[number], folded, found)


FORMS = Forms((
    *PATTERNS, *NOTES_EN, *ODD_EN, *CONTEXT_EN, *PLACES_EN, *TOWNS_EN, *SIGNED_EN, *DAYS_EN,
    *MARKS_EN, *PEOPLE_EN, *NAMED_EN, *CLOSING_EN,
))  # fmt: skip
# Of texts that have Chinese.
FORMS_ZH = Forms((*PATTERNS_ZH, *NOTES_ZH, *ODD_ZH, *CONTEXT_ZH, *DAYS_ZH))
