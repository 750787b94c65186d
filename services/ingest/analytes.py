"""Laboratory quantities beyond the parameters of ``contracts.loinc``: canonical units, conversions.

Scores and models do not read them; a clinician does, and compares what two laboratories sent. The
factors are of molar masses in g/mol: haemoglobin (monomer) 16114, calcium 40.078, phosphorus
30.974, urate 168.11, triglycerides 885.4, cholesterol 386.65, iron 55.845, ammonia 17.031,
thyroxine 776.87, calcidiol 400.64, cobalamin 1355.4, folate 441.4. HbA1c: NGSP % = 0.09148 x IFCC
mmol/mol + 2.152 (ngsp.org). LOINC: see ``contracts.loinc``.
"""

from dataclasses import dataclass, field

from contracts.loinc import parameter_of
from services.ingest.units import canonical, ucum_of

CELLS = {"10*9/L": 1.0, "/uL": 1e-3}
ENZYME = {"ukat/L": 60.0}
LIPID = {"mmol/L": 38.665, "g/L": 100.0}
HBA1C_SLOPE, HBA1C_OFFSET = 0.09148, 2.152


@dataclass(frozen=True)
class Analyte:
    """One quantity: its LOINC codes, of these the ones whose name says another unit (``implied``),
    canonical UCUM unit, plausible range in it, and factors to it from other units.
    """

    name: str
    loinc: tuple[str, ...]
    unit: str
    low: float
    high: float
    factors: dict[str, float] = field(default_factory=dict)
    implied: dict[str, str] = field(default_factory=dict)


ANALYTES: tuple[Analyte, ...] = (
    Analyte("hemoglobin", ("718-7",), "g/dL", 0.5, 30, {"g/L": 0.1, "mmol/L": 1.6114},
            {"59260-0": "mmol/L"}),
    Analyte("hba1c", ("4548-4", "17856-6"), "%", 2, 25, {}, {"59261-8": "mmol/mol"}),
    Analyte("calcium", ("17861-6",), "mg/dL", 1, 30, {"mmol/L": 4.0078}, {"2000-8": "mmol/L"}),
    Analyte("calcium_ionized", ("1994-3",), "mmol/L", 0.1, 6, {"mg/dL": 0.249513}),
    Analyte("phosphate", ("2777-1",), "mg/dL", 0.1, 40, {"mmol/L": 3.0974}, {"14879-1": "mmol/L"}),
    Analyte("urate", ("3084-1",), "mg/dL", 0.1, 60, {"umol/L": 0.016811, "mmol/L": 16.811},
            {"14933-6": "umol/L"}),
    Analyte("triglycerides", ("2571-8",), "mg/dL", 1, 20000, {"mmol/L": 88.54, "g/L": 100.0},
            {"14927-8": "mmol/L"}),
    Analyte("hdl", ("2085-9",), "mg/dL", 1, 300, LIPID, {"14646-4": "mmol/L"}),
    Analyte("ldl", ("13457-7", "18262-6", "2089-1"), "mg/dL", 1, 1500, LIPID,
            {"22748-8": "mmol/L"}),
    Analyte("protein", ("2885-2",), "g/dL", 0.5, 20, {"g/L": 0.1}),
    Analyte("bilirubin_direct", ("1968-7",), "mg/dL", 0, 80, {"umol/L": 0.0584662},
            {"14629-0": "umol/L"}),
    Analyte("crp", ("1988-5", "30522-7"), "mg/L", 0, 1000, {"mg/dL": 10.0}),
    Analyte("procalcitonin", ("33959-8",), "ng/mL", 0, 2000, {"ug/L": 1.0}),
    Analyte("ferritin", ("2276-4",), "ng/mL", 0, 200_000, {"ug/L": 1.0}),
    Analyte("iron", ("2498-4",), "ug/dL", 1, 2000, {"umol/L": 5.5845}, {"14798-3": "umol/L"}),
    Analyte("ammonia", ("16362-6",), "umol/L", 1, 3000, {"ug/dL": 0.587164}),
    Analyte("chloride", ("2075-0",), "mmol/L", 40, 200, {"meq/L": 1.0}),
    Analyte("fibrinogen", ("3255-7",), "mg/dL", 5, 2000, {"g/L": 100.0}),
    Analyte("erythrocytes", ("789-8", "26453-1"), "10*6/uL", 0.2, 15, {"10*12/L": 1.0}),
    Analyte("neutrophils", ("751-8", "26499-4"), "10*3/uL", 0, 500, CELLS),
    Analyte("lymphocytes", ("731-0", "26474-7"), "10*3/uL", 0, 1000, CELLS),
    Analyte("inr", ("6301-6", "34714-6"), "1", 0.3, 50),
    Analyte("tsh", ("3016-3", "11580-8"), "m[IU]/L", 0, 1000, {"u[IU]/mL": 1.0}),
    Analyte("thyroxine_free", ("3024-7",), "ng/dL", 0.01, 30, {"pmol/L": 0.077687},
            {"14920-3": "pmol/L"}),
    Analyte("vitamin_d", ("1989-3",), "ng/mL", 0.5, 500, {"nmol/L": 0.400641}),
    Analyte("vitamin_b12", ("2132-9",), "pg/mL", 10, 20_000, {"pmol/L": 1.3554, "ng/L": 1.0},
            {"14685-2": "pmol/L"}),
    Analyte("folate", ("2284-8",), "ng/mL", 0.1, 200, {"nmol/L": 0.4414, "ug/L": 1.0},
            {"14732-2": "nmol/L"}),
    Analyte("ggt", ("2324-2",), "U/L", 0, 20_000, ENZYME),
    Analyte("ldh", ("2532-0", "14804-9"), "U/L", 0, 50_000, ENZYME),
    Analyte("creatine_kinase", ("2157-6",), "U/L", 0, 500_000, ENZYME),
    Analyte("amylase", ("1798-8",), "U/L", 0, 50_000, ENZYME),
    Analyte("lipase", ("3040-3",), "U/L", 0, 100_000, ENZYME),
)  # fmt: skip
BY_LOINC: dict[str, Analyte] = {
    code: analyte for analyte in ANALYTES for code in (*analyte.loinc, *analyte.implied)
}
# What the name of a code says of its unit: it stands where none is sent, and is then assumed.
IMPLIED: dict[str, str] = {
    code: unit for analyte in ANALYTES for code, unit in analyte.implied.items()
} | {
    "14682-9": "umol/L",  # creatinine
    "14749-6": "mmol/L",  # glucose
    "15074-8": "mmol/L",
    "14631-6": "umol/L",  # bilirubin
    "22664-7": "mmol/L",  # urea
    "14937-7": "mmol/L",
    "2601-3": "mmol/L",  # magnesium
    "14647-2": "mmol/L",  # cholesterol
}


def normalised(loinc: str, value: float, sent: str) -> tuple[float, str, str]:
    """Return the value in canonical units, that unit, and a finding code or "".

    As ``units.canonical``, for the analytes here and, where no unit was sent, for the parameters
    whose code implies one. A code that neither knows keeps its value, with the unit's UCUM form.
    """
    assumed = "" if sent else IMPLIED.get(loinc, "")
    analyte = BY_LOINC.get(loinc)
    if analyte is None:
        parameter = parameter_of(loinc)
        if parameter is None:
            return value, ucum_of(sent or assumed), ""
        value, unit, finding = canonical(parameter, value, sent or assumed)
    else:
        value, unit, finding = _analyte(analyte, value, sent or assumed)
    return value, unit, finding or ("unit_assumed" if assumed else "")


def _analyte(analyte: Analyte, value: float, sent: str) -> tuple[float, str, str]:
    if not sent:
        finding = "" if analyte.unit == "1" else "unit_assumed"
        return value, analyte.unit, _plausible(analyte, value) or finding
    unit = ucum_of(sent)
    if unit != analyte.unit:
        if analyte.name == "hba1c" and unit == "mmol/mol":
            value = value * HBA1C_SLOPE + HBA1C_OFFSET
        elif unit in analyte.factors:
            value *= analyte.factors[unit]
        else:
            return value, unit, "unit_unknown"
        value = float(f"{value:.9g}")
    return value, analyte.unit, _plausible(analyte, value)


def _plausible(analyte: Analyte, value: float) -> str:
    return "" if analyte.low <= value <= analyte.high else "implausible"
