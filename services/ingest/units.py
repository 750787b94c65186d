"""Units as sent to UCUM, and values to the canonical unit of their parameter.

Factors are of the substances' molar masses (creatinine 113.12, bilirubin 584.66, glucose 180.16,
urea nitrogen 28.01, cholesterol 386.65, lactate 90.08, magnesium 24.305 g/mol).
"""

from contracts.loinc import Parameter
from plumbing.remembering import remembered

# Written forms that mean the same UCUM unit; compared in lower case without blanks and braces.
WRITTEN: dict[str, tuple[str, ...]] = {
    "/min": ("/min", "1/min", "bpm", "beats/min", "breaths/min", "brpm", "rpm", "次/分", "次/min"),
    "Cel": ("cel", "c", "degc", "°c", "℃", "celsius", "摄氏度"),
    "[degF]": ("[degf]", "f", "degf", "°f", "℉", "fahrenheit"),
    "K": ("k", "kelvin"),
    "%": ("%", "percent", "vol%"),
    "1": ("1", "fraction", "ratio", "l/l", "inr"),
    "mm[Hg]": ("mm[hg]", "mmhg", "torr", "毫米汞柱"),
    "kPa": ("kpa",),
    "mg/dL": ("mg/dl", "mg%"),
    "g/dL": ("g/dl", "gm/dl", "g%"),
    "g/L": ("g/l", "gm/l"),
    "mg/L": ("mg/l",),
    "umol/L": ("umol/l", "µmol/l", "μmol/l", "umoll", "micromol/l", "mcmol/l"),
    "mmol/L": ("mmol/l", "mmoll"),
    "meq/L": ("meq/l",),
    "nmol/L": ("nmol/l",),
    "pmol/L": ("pmol/l",),
    "mmol/mol": ("mmol/mol", "mmol/molhb", "mmol/molhgb"),
    "ug/dL": ("ug/dl", "µg/dl", "μg/dl", "mcg/dl"),
    "ng/dL": ("ng/dl",),
    "m[IU]/L": ("m[iu]/l", "miu/l", "mu/l"),
    "u[IU]/mL": ("u[iu]/ml", "uiu/ml", "µiu/ml", "μiu/ml", "uu/ml"),
    "10*6/uL": (
        "10*6/ul", "10^6/ul", "x10^6/ul", "x10e6/ul", "10e6/ul", "m/ul", "10*6/mm3", "mil/ul",
        "10*6/µl", "10^6/µl",
    ),
    "10*12/L": ("10*12/l", "10^12/l", "x10^12/l", "x10*12/l", "x10e12/l", "10e12/l", "t/l"),
    "U/L": ("u/l", "[iu]/l", "iu/l"),
    "ukat/L": ("ukat/l", "µkat/l", "μkat/l"),
    "10*3/uL": (
        "10*3/ul", "10^3/ul", "x10^3/ul", "x10e3/ul", "10e3/ul", "k/ul", "k/mm3", "10*3/mm3",
        "th/mm3", "thou/ul", "k/mcl", "10*3/µl", "10*3/μl", "10^3/µl", "10^3/μl",
    ),
    "10*9/L": (
        "10*9/l", "10^9/l", "x10^9/l", "x10*9/l", "x10e9/l", "10e9/l", "giga/l", "giga.l-1",
    ),
    "10*6/L": ("10*6/l", "10^6/l"),
    "/uL": ("/ul", "cells/ul", "/mm3", "/cumm"),
    "ng/mL": ("ng/ml",),
    "ug/L": ("ug/l", "µg/l", "μg/l", "mcg/l"),
    "ng/L": ("ng/l",),
    "pg/mL": ("pg/ml",),
    "L/min": ("l/min", "lpm", "litres/min", "liters/min", "升/分"),
    "mL/min": ("ml/min", "mlmin"),
    "mL": ("ml", "cc", "毫升"),
    "L": ("l", "升"),
    "kg": ("kg", "kilogram", "kgs", "公斤", "千克"),
    "g": ("g", "gm", "gram", "克"),
    "[lb_av]": ("[lb_av]", "lb", "lbs"),
    "cm": ("cm", "厘米"),
    "m": ("m", "meter"),
    "[in_i]": ("[in_i]", "in", "inch"),
    "[pH]": ("[ph]", "ph"),
    "{score}": ("score", "points", "分"),
}  # fmt: skip
UCUM: dict[str, str] = {form: unit for unit, forms in WRITTEN.items() for form in forms}

BLOOD_CELLS = {"10*9/L": 1.0, "/uL": 1e-3, "10*6/L": 1e-3}
GASES = {"kPa": 7.500617}
IONS = {"meq/L": 1.0}
ENZYMES = {"ukat/L": 60.0}
TROPONINS = {"ug/L": 1.0, "ng/L": 1e-3, "pg/mL": 1e-3}
# parameter -> unit sent -> factor to the canonical unit
FACTORS: dict[str, dict[str, float]] = {
    "creatinine": {"umol/L": 0.0113122, "mmol/L": 11.3122, "mg/L": 0.1},
    "bilirubin": {"umol/L": 0.0584662, "mg/L": 0.1},
    "glucose": {"mmol/L": 18.0156, "g/L": 100.0},
    "bun": {"mmol/L": 2.8013},
    "cholesterol": {"mmol/L": 38.665, "g/L": 100.0},
    "magnesium": {"mmol/L": 2.4305, "meq/L": 1.21525},
    "lactate": {"mg/dL": 0.111012},
    "albumin": {"g/L": 0.1},
    "hematocrit": {"1": 100.0},
    "fio2": {"%": 0.01},
    "spo2": {"1": 100.0},
    "sao2": {"1": 100.0},
    "platelets": BLOOD_CELLS,
    "wbc": BLOOD_CELLS,
    "pao2": GASES,
    "paco2": GASES,
    "sbp": GASES,
    "dbp": GASES,
    "map": GASES,
    "sbp_invasive": GASES,
    "dbp_invasive": GASES,
    "map_invasive": GASES,
    "sodium": IONS,
    "potassium": IONS,
    "bicarbonate": IONS,
    "alp": ENZYMES,
    "alt": ENZYMES,
    "ast": ENZYMES,
    "troponin_i": TROPONINS,
    "troponin_t": TROPONINS,
    "weight": {"g": 1e-3, "[lb_av]": 0.45359237},
    "height": {"m": 100.0, "[in_i]": 2.54},
    "urine_volume": {"L": 1000.0},
    "oxygen_flow": {"mL/min": 1e-3},
}
# Units that go without saying, unless the value makes sense in another unit too.
PLAIN = frozenset({"/min", "%", "mm[Hg]", "Cel"})
FIO2_PERCENT = (21.0, 100.0)  # from room air; below it a number may be a flow in L/min
DIMENSIONLESS = frozenset({"1", "{score}", "[pH]", ""})


@remembered(4096)
def ucum_of(sent: str) -> str:
    """Return the UCUM unit for a unit as sent; empty when it is not known."""
    squeezed = sent.lower().replace(" ", "")
    found = UCUM.get(squeezed)
    if found is None:
        found = UCUM.get(squeezed.replace("{", "").replace("}", ""), "")
    return found


def canonical(parameter: Parameter, value: float, sent: str) -> tuple[float, str, str]:
    """Return the value in the parameter's unit, that unit, and a finding code or ``""``.

    A unit that cannot be converted is left: (value, its UCUM form or "", "unit_unknown").
    Without a unit the canonical one is taken, a fraction above 1 as percent; "unit_assumed" says
    that the sender may have meant another one.
    """
    if not sent:
        return _without_unit(parameter, value)
    unit = ucum_of(sent)
    if unit != parameter.unit:
        converted = _converted(parameter, value, unit)
        if converted is None:
            return value, unit, "unit_unknown"
        value = converted
    return value, parameter.unit, _plausible(parameter, value)


def _without_unit(parameter: Parameter, value: float) -> tuple[float, str, str]:
    finding = "" if _goes_without_saying(parameter, value) else "unit_assumed"
    if parameter.name == "fio2" and value > 1:
        low, high = FIO2_PERCENT
        finding = "" if low <= value <= high else "unit_assumed"
        value = float(f"{value * 0.01:.9g}")
    return value, parameter.unit, _plausible(parameter, value) or finding


def _goes_without_saying(parameter: Parameter, value: float) -> bool:
    """Return whether a bare number can only be in the parameter's unit.

    A respiratory rate of 30 can; a saturation of 0.97 may be a fraction, a pressure of 12 in kPa.
    """
    if parameter.unit in DIMENSIONLESS:
        return True
    others = {"[degF]", "K"} if parameter.name == "temperature" else FACTORS.get(parameter.name, {})
    readings = (_converted(parameter, value, unit) for unit in others)
    return parameter.unit in PLAIN and all(
        other is None or _plausible(parameter, other) for other in readings
    )


def _converted(parameter: Parameter, value: float, unit: str) -> float | None:
    if parameter.name == "temperature" and unit in {"[degF]", "K"}:
        celsius = (value - 32) * 5 / 9 if unit == "[degF]" else value - 273.15
        return round(celsius, 4)
    factor = FACTORS.get(parameter.name, {}).get(unit)
    if factor is not None:
        return float(f"{value * factor:.9g}")
    # A score or a pH is the same number whatever its unit is called.
    return value if parameter.unit in {"{score}", "[pH]", ""} else None


def _plausible(parameter: Parameter, value: float) -> str:
    return "" if parameter.low <= value <= parameter.high else "implausible"
