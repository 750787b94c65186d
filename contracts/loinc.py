"""The parameters that scores and models read: their LOINC code, canonical UCUM unit and names.

Codes are LOINC (loinc.org; LOINC is copyright Regenstrief Institute, Inc.); the names here are
short descriptions, not the official ones. ``name`` is how the rest of the code calls it.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Parameter:
    """One measured quantity. ``low`` and ``high`` bound what is physically plausible."""

    name: str
    loinc: str
    unit: str
    en: str
    zh: str
    low: float
    high: float


PARAMETERS: tuple[Parameter, ...] = (
    Parameter("heart_rate", "8867-4", "/min", "Heart rate", "心率", 0, 350),
    Parameter("resp_rate", "9279-1", "/min", "Respiratory rate", "呼吸频率", 0, 120),
    Parameter("temperature", "8310-5", "Cel", "Temperature", "体温", 20, 45),
    Parameter("spo2", "59408-5", "%", "SpO2", "血氧饱和度", 0, 100),
    Parameter("sbp", "8480-6", "mm[Hg]", "Systolic pressure", "收缩压", 0, 350),
    Parameter("dbp", "8462-4", "mm[Hg]", "Diastolic pressure", "舒张压", 0, 300),
    Parameter("map", "8478-0", "mm[Hg]", "Mean pressure", "平均动脉压", 0, 330),
    Parameter("sbp_invasive", "76215-3", "mm[Hg]", "Arterial systolic", "有创收缩压", 0, 350),
    Parameter("dbp_invasive", "76213-8", "mm[Hg]", "Arterial diastolic", "有创舒张压", 0, 300),
    Parameter("map_invasive", "76214-6", "mm[Hg]", "Arterial mean", "有创平均压", 0, 330),
    Parameter("gcs", "9269-2", "{score}", "Glasgow coma score", "格拉斯哥昏迷评分", 3, 15),
    Parameter("consciousness", "67775-7", "", "Level of consciousness", "意识水平", 0, 4),
    Parameter("oxygen_flow", "3151-8", "L/min", "Oxygen flow", "吸氧流量", 0, 100),
    Parameter("fio2", "3150-6", "1", "Inspired oxygen fraction", "吸入氧浓度", 0, 1),
    Parameter("ventilated", "20124-4", "1", "Mechanical ventilation", "机械通气", 0, 1),
    Parameter("sao2", "2708-6", "%", "Arterial oxygen saturation", "动脉血氧饱和度", 0, 100),
    Parameter("pao2", "2703-7", "mm[Hg]", "PaO2", "动脉氧分压", 0, 800),
    Parameter("paco2", "2019-8", "mm[Hg]", "PaCO2", "动脉二氧化碳分压", 0, 250),
    Parameter("ph", "2744-1", "[pH]", "Arterial pH", "动脉血pH", 6, 8.5),
    Parameter("urine_volume", "9187-6", "mL", "Urine output", "尿量", 0, 20000),
    Parameter("weight", "29463-7", "kg", "Weight", "体重", 0.2, 500),
    Parameter("height", "8302-2", "cm", "Height", "身高", 20, 260),
    Parameter("albumin", "1751-7", "g/dL", "Albumin", "白蛋白", 0, 10),
    Parameter("alp", "6768-6", "U/L", "Alkaline phosphatase", "碱性磷酸酶", 0, 10000),
    Parameter("alt", "1742-6", "U/L", "ALT", "谷丙转氨酶", 0, 50000),
    Parameter("ast", "1920-8", "U/L", "AST", "谷草转氨酶", 0, 50000),
    Parameter("bilirubin", "1975-2", "mg/dL", "Bilirubin", "总胆红素", 0, 100),
    Parameter("bun", "3094-0", "mg/dL", "Urea nitrogen", "尿素氮", 0, 400),
    Parameter("cholesterol", "2093-3", "mg/dL", "Cholesterol", "总胆固醇", 0, 2000),
    Parameter("creatinine", "2160-0", "mg/dL", "Creatinine", "肌酐", 0, 60),
    Parameter("glucose", "2345-7", "mg/dL", "Glucose", "血糖", 0, 3000),
    Parameter("bicarbonate", "1963-8", "mmol/L", "Bicarbonate", "碳酸氢根", 0, 80),
    Parameter("hematocrit", "4544-3", "%", "Hematocrit", "红细胞压积", 0, 90),
    Parameter("potassium", "2823-3", "mmol/L", "Potassium", "血钾", 0, 20),
    Parameter("lactate", "2524-7", "mmol/L", "Lactate", "乳酸", 0, 50),
    Parameter("magnesium", "19123-9", "mg/dL", "Magnesium", "血镁", 0, 20),
    Parameter("sodium", "2951-2", "mmol/L", "Sodium", "血钠", 80, 220),
    Parameter("platelets", "777-3", "10*3/uL", "Platelets", "血小板", 0, 5000),
    Parameter("wbc", "6690-2", "10*3/uL", "White cells", "白细胞", 0, 1000),
    Parameter("troponin_i", "10839-9", "ng/mL", "Troponin I", "肌钙蛋白I", 0, 1000),
    Parameter("troponin_t", "6598-7", "ng/mL", "Troponin T", "肌钙蛋白T", 0, 1000),
)

BY_LOINC: dict[str, Parameter] = {parameter.loinc: parameter for parameter in PARAMETERS}
BY_NAME: dict[str, Parameter] = {parameter.name: parameter for parameter in PARAMETERS}
# Other codes that hospitals send for the same quantity.
ALIASES: dict[str, str] = {
    "2710-2": "spo2",
    "76534-7": "sbp",
    "76535-4": "dbp",
    "76536-2": "map",
    "8331-1": "temperature",
    "8310-5": "temperature",
    "3141-9": "weight",
    "80288-4": "consciousness",
    "14627-4": "bicarbonate",
    "2028-9": "bicarbonate",
    "2339-0": "glucose",
    "32693-4": "lactate",
    "6299-2": "bun",
    # The same quantities as an amount of substance (SI); ``services.ingest.units`` converts.
    "14682-9": "creatinine",
    "14749-6": "glucose",
    "15074-8": "glucose",
    "14631-6": "bilirubin",
    "22664-7": "bun",  # urea: as many moles as of urea nitrogen (N2)
    "14937-7": "bun",
    "2601-3": "magnesium",
    "14647-2": "cholesterol",
    "26515-7": "platelets",
    "26464-8": "wbc",
    "6598-7": "troponin_t",
}


def parameter_of(loinc: str) -> Parameter | None:
    """Return the parameter that a LOINC code measures, or None when nothing here reads it."""
    found = BY_LOINC.get(loinc)
    if found is not None:
        return found
    name = ALIASES.get(loinc)
    return BY_NAME[name] if name else None
