"""Pure: where a result stands in a text: what was measured, and its numbers (``K 4.3``, ``GCS 9``).

In a line with little around it the tagger takes such a number for a day, a bed or a telephone, and
its symbol for a name; a plan that lost its potassium is dangerous. Only what stands between a known
name of a measurement and its last number is kept, and what is known of somebody goes all the same.
"""

# ruff: noqa: E501  (an expression that is broken into lines cannot be read)
import re
from collections.abc import Iterator

from services.privacy.marking import outside
from services.privacy.spans import Span
from services.privacy.words import words

# As they are written; in other letters some are names (``na``, ``Mg`` is a family).
SYMBOLS = words(
    "K Na Cl Ca Mg PO4 HCO3 BE pH PCO2 pCO2 PaCO2 PO2 pO2 PaO2 SpO2 SaO2 FiO2 Hb Hgb HGB Hct HCT WBC WCC RBC MCV MCH Plt PLT INR APTT aPTT",
    "CRP ESR PCT Cr Creat BUN Urea eGFR GFR ALT AST ALP GGT LDH CK CPK Alb Bili TBil TSH FT4 FT3 HbA1c A1c BNP proBNP NT-proBNP Trop TnT TnI",
    "HR RR BP SBP DBP MAP CVP GCS NEWS NEWS2 MEWS SOFA qSOFA T Temp LDL HDL TG Chol PSA AFP CEA EF FEV1 PEFR QTc BMI UO LVEF",
)
NAMES = words(
    "potassium sodium chloride calcium magnesium phosphate bicarbonate haemoglobin hemoglobin haematocrit hematocrit platelets neutrophils",
    "lymphocytes creatinine urea bilirubin albumin glucose sugar sugars lactate troponin ferritin amylase lipase procalcitonin digoxin",
    "vancomycin gentamicin tacrolimus temperature pulse sats sat saturation saturations d-dimer fibrinogen cholesterol triglycerides",
)
WORD = re.compile(r"(?<![\w.-])[A-Za-z][A-Za-z0-9]*(?:-[A-Za-z]+)?(?![\w-])", re.ASCII)
UNIT = r"(?: ?(?:%|[mµμun]?mol/L|[mµμunpk]?g/d?L|[mk]?U/L|mmHg|kPa|bpm|/min|x? ?10\^9/L|s|C|K)(?![\w]))?"
# Nothing that goes on as a day, a time or a longer number.
NUMBER = (
    rf"[<>≤≥~]? ?(?!0\d)\d{{1,5}}(?:\.\d{{1,3}})?(?![.,/:-]?\d| \d{{3}})(?![A-Za-z]{{2}}){UNIT}"
)
BEFORE = (
    r"(?: ?[:=<>≤≥~]{1,2} ?| (?:(?:is|was|of|now|still|only|again|today|level|count|reading)(?: of)? |up from |down from |up to |down to"
    r" |(?:trending|falling|rising|going)(?: up| down)?,? (?:now |to )?)?)"
)
BETWEEN = r"(?: ?(?:->|→|>|-|–) ?| to |,? ?\(?(?:was|prev(?:iously)?|up from|down from|from|then) | today,? | yesterday,? )"
AFTER = re.compile(rf"{BEFORE}{NUMBER}(?:{BETWEEN}{NUMBER}\)?)*")
# The upper one is more than a day of the month.
ONE_PRESSURE = r"(?:[4-9]\d|[12]\d\d)/\d{2,3}(?![\d/.])"
PRESSURE = re.compile(rf" ?[:=]? ?{ONE_PRESSURE}(?: ?(?:->|→|-|to|then) ?{ONE_PRESSURE})*")
PRESSURES = words("BP MAP")
# Between two measurements that are named together.
LISTED = re.compile(r" ?[,&/] ?(?:and )?| and ")
LEAD = re.compile(
    r"\b(?:low|high|raised|normal|serum|plasma|check|repeat|replace|recheck|chase|trend) \Z",
    re.IGNORECASE,
)
LEAD_CHARS = 10
# Before whom initials stand, which a symbol may look like (``d/w CK, TG``).
PEOPLE = re.compile(
    r"\b(?:Mrs?|Ms|Miss|Dr|Prof|Sr|nurse|patient|pt|by|with|d/w|from|to|son|wife|daughter|kin:?)\.? ?\(?\Z",
    re.IGNORECASE,
)


def outside_results(text: str, spans: list[Span]) -> list[Span]:
    """Return the tagger's spans but those within a result; an age of 90 and more goes all the
    same, since a symbol may be somebody's initials (``EF 93 from home``).
    """
    ages = [span for span in spans if span.label == "AGE"]
    others = [span for span in spans if span.label != "AGE"]
    return ages + (outside(result_spans(text), others) if others else [])


def result_spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield where results stand in a folded text, as (start, end); some overlap."""
    first, last = 0, -1  # of measurements that are named together
    for word in WORD.finditer(text):
        if word[0] not in SYMBOLS and word[0].lower() not in NAMES:
            continue
        start, end = word.span()
        numbers = PRESSURE.match(text, end) if word[0] in PRESSURES else None
        numbers = numbers or AFTER.match(text, end)
        # One letter before a whole number may be a ward, a block or a flat.
        if numbers and (end - start > 1 or "." in numbers[0]):
            yield start, numbers.end()
        closed = end + (text[end : end + 1] in {".", ","})  # which an initial may have
        if last > 0 and LISTED.fullmatch(text, last, start):
            if not PEOPLE.search(text, max(0, first - LEAD_CHARS), first):
                yield first, closed
        else:
            first = start
        last = end
        if LEAD.search(text, max(0, start - LEAD_CHARS), start):
            yield start, closed
