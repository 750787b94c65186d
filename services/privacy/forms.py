"""Pure: all forms of identifiers that free text is searched for, English and Chinese."""

from services.privacy.patterns import PATTERNS
from services.privacy.patterns_closing import CLOSING_EN
from services.privacy.patterns_context import CONTEXT_EN, CONTEXT_ZH
from services.privacy.patterns_days import DAYS_EN, DAYS_ZH
from services.privacy.patterns_marks import MARKS_EN
from services.privacy.patterns_notes import NOTES_EN, NOTES_ZH
from services.privacy.patterns_odd import ODD_EN, ODD_ZH
from services.privacy.patterns_people import PEOPLE_EN
from services.privacy.patterns_places import PLACES_EN
from services.privacy.patterns_signed import SIGNED_EN
from services.privacy.patterns_towns import TOWNS_EN
from services.privacy.patterns_zh import PATTERNS_ZH

FORMS = (
    *PATTERNS, *NOTES_EN, *ODD_EN, *CONTEXT_EN, *PLACES_EN, *TOWNS_EN, *SIGNED_EN, *DAYS_EN,
    *MARKS_EN, *PEOPLE_EN, *CLOSING_EN,
)  # fmt: skip
FORMS_ZH = (*PATTERNS_ZH, *NOTES_ZH, *ODD_ZH, *CONTEXT_ZH, *DAYS_ZH)  # of texts that have Chinese
