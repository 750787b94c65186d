"""Pure: which results tell an age or a birth: by their code, and by what a site calls them.

Sites write such a name as they like (``Age (yr)``, ``PT_AGE``, ``D.O.B.``, ``实足年龄``), in the
text or in the code. A name that only has the word in it may be of something else: it is not sure.
"""

import re
from typing import NamedTuple

from contracts.observation import Code, Observation
from plumbing.remembering import remembered
from services.privacy.words import words

# ruff: noqa: E501  (an expression that is broken into lines cannot be read)
LOINC, SNOMED = "LN", "SCT"
AGE_CODES = {
    LOINC: words("30525-0 21611-9 21612-7 29553-5 63900-5"),
    SNOMED: words("397669002 424144002"),
}
AGE_TEXT = re.compile(
    r"(?:(?:patient|pt|current|reported|calculated|estimated)'?s? )?age(?: \(?(?:in )?years\)?)?"
    r"(?: (?:at|of) (?:admission|death|diagnosis|event|menopause|onset|specimen collection|visit))?"
    r"|(?:患者|就诊|入院|发病|确诊|死亡)?年龄",
    re.IGNORECASE,
)
AGE_IN_NAME = re.compile(
    r"(?<![a-z])(?:(?:pt|pat|patient|client|person|current|curr)s?[ _]?)?age(?:_?(?:in_?)?(?:y|yrs?|years?|mos?|months?))?"
    r"(?![a-z])|(?<![a-z])years?[ _]old(?![a-z])|年龄|[周虚实]岁|岁数|年纪",
    re.IGNORECASE,
)
# Ages of what is nobody, of the unborn, and what is only told by an age.
AGE_OF_ELSE = re.compile(
    r"(?:gestational|menstrual|f(?:o)?etal|embryo\w*|ovulation|conception(?:al)?|bone|skeletal|dental|vascular|arterial"
    r"|heart|cardiac|lung|brain|biological|metabolic|fitness|mental|developmental|sample|specimen|for|per(?:centile)?)"
    r"[ _-]?age(?![a-z])"
    r"|(?<![a-z])age[ _-](?:adjusted|related|specific|matched|corrected|standardi[sz]ed|dependent|independent|appropriate|predicted"
    r"|of (?:the )?(?:sample|specimen|isolate|culture|blood|unit|graft|clot|h(?:a)?ematoma|infarct\w*|device|catheter|line|pacemaker))"
    r"|(?<![a-z])(?:per)?centile|(?<![a-z])[zt][ _-]?scores?|glycat"
    r"|(?:骨|胎|孕|妊娠|血管|心脏|肺|脑|生物学?|代谢|心理|智力|牙|标本|样本|同)年龄|年龄(?:相关|校正|标化|别)|百分位",
    re.IGNORECASE,
)
_MONTHS, _WEEKS, _DAYS, _HOURS = (
    r"mo(?:nth)?s?|mths?|mons?",
    "wks?|weeks?",
    "d|days?",
    "h|hrs?|hours?",
)
# What a number without a unit counts by the name, where it is not years.
AGE_UNITS = tuple(
    (
        unit,
        re.compile(
            rf"age[\s_(\[（-]*(?:in[\s_]+)?(?:completed )?(?:{latin})(?![a-z])"
            rf"|(?<![a-z])(?:{latin})[\s_](?:of[\s_])?age(?![a-z])|年龄[（(\[]?(?:{han})",
            re.IGNORECASE,
        ),
    )
    for unit, latin, han in (
        ("mo", _MONTHS, "个?月"), ("wk", _WEEKS, "周(?!岁)"), ("d", _DAYS, "[天日]"), ("h", _HOURS, "小?时"),
    )
)  # fmt: skip
BIRTH_CODES = {LOINC: words("21112-8"), SNOMED: words("184099003")}
BIRTH_IN_NAME = re.compile(
    r"(?<![a-z])(?:(?:pt|pat|patient)s? ?)?(?:[dy] ?o ?b|b(?:irth)? ?(?:date|day|year|dt)|(?:date|day|year)s? of birth"
    r"|(?:date|year|when) born|born (?:on|in))(?![a-z])"
    r"|出生(?:日期|时间|年份|[年月日号](?!龄))|(?<!出)生日(?!龄)|生于|\A ?出生 ?\Z",
    re.IGNORECASE,
)
BIRTH_TO_COME = re.compile(
    r"(?<![a-z])(?:expected|estimated|anticipated|due)(?![a-z])|预计|预产", re.IGNORECASE
)
SIGNS = re.compile(r"[\W_]+")
KEPT_MAX = 4_096


class Age(NamedTuple):
    """``unit``: what a number without one counts. ``is_sure``: it is an age whatever it says."""

    unit: str
    is_sure: bool


def age_of(found: Observation) -> Age | None:
    """Return whether a result is somebody's age, None when it is not."""
    told = _age_of(*_said(found.code))
    if told is None and found.code_sent is not None:
        told = _age_of(*_said(found.code_sent))
    return told


def is_birth(found: Observation) -> bool:
    """Return whether a result says when somebody was born."""
    codes = (found.code, found.code_sent) if found.code_sent else (found.code,)
    return any(_is_birth(*_said(code)) for code in codes)


def _said(code: Code) -> tuple[str, str, str]:
    return code.system, code.code, code.text


@remembered(KEPT_MAX)
def _age_of(system: str, code: str, text: str) -> Age | None:
    if code in AGE_CODES.get(system, frozenset()) or AGE_TEXT.fullmatch(text.strip()):
        return Age("a", is_sure=True)
    name = f"{text}\n{code}"
    if AGE_IN_NAME.search(name) is None or AGE_OF_ELSE.search(name) is not None:
        return None
    unit = next((unit for unit, form in AGE_UNITS if form.search(name)), "a")
    return Age(unit, is_sure=False)


@remembered(KEPT_MAX)
def _is_birth(system: str, code: str, text: str) -> bool:
    if code in BIRTH_CODES.get(system, frozenset()):
        return True
    names = (SIGNS.sub(" ", text), SIGNS.sub(" ", code))
    return any(BIRTH_IN_NAME.search(one) and not BIRTH_TO_COME.search(one) for one in names)
