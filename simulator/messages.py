"""HL7 v2.5.1 messages about invented patients: ADT, ORU, MDM and RDE, as bytes in UTF-8."""

from dataclasses import dataclass
from datetime import UTC, datetime

from contracts.loinc import BY_NAME
from simulator.people import DOCTORS, Person

ASSIGNER = "WESTBROOK"
MINUTE_MS = 60_000
ESCAPES = {"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "&": "\\T\\"}
CONSCIOUSNESS = {"A": "Alert", "C": "Confused", "V": "Voice", "P": "Pain", "U": "Unresponsive"}


@dataclass(frozen=True)
class Visit:
    """One hospital stay: where the patient lies and who looks after them."""

    person: Person
    number: str
    unit: str
    room: str
    bed: str
    admitted_ms: int
    doctor: int
    patient_class: str = "I"


def timestamp(at_ms: int) -> str:
    """Return an HL7 TS with its zone: the demo hospital lives in UTC."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y%m%d%H%M%S") + "+0000"


def header(application: str, message_type: str, control_id: str, at_ms: int) -> str:
    """Return MSH."""
    return (
        f"MSH|^~\\&|{application}|{ASSIGNER}|AUSCULT|{ASSIGNER}|{timestamp(at_ms)}||"
        f"{message_type}|{control_id}|P|2.5.1||||||UNICODE UTF-8"
    )


def patient_segments(person: Person) -> list[str]:
    """Return PID and NK1."""
    return [
        (
            f"PID|1||{person.mrn}^^^{ASSIGNER}^MR~{person.national_id}^^^GOV^SS||"
            f"{person.family}^{person.given}||{person.birth_date}|{person.sex}|||"
            f"{person.street}^^{person.city}^^{person.postcode}||{person.phone}"
        ),
        f"NK1|1|{person.kin_family}^{person.kin_given}|SPO||{person.kin_phone}",
    ]


def visit_segment(visit: Visit, discharged_ms: int | None = None) -> str:
    """Return PV1 with location, attending doctor, visit number and times."""
    number, family, given = DOCTORS[visit.doctor]
    fields = [""] * 46
    fields[0], fields[1], fields[2] = "PV1", "1", visit.patient_class
    fields[3] = f"{visit.unit}^{visit.room}^{visit.bed}^{ASSIGNER}"
    fields[7] = f"{number}^{family}^{given}"
    fields[19] = visit.number
    fields[44] = timestamp(visit.admitted_ms)
    fields[45] = timestamp(discharged_ms) if discharged_ms is not None else ""
    return "|".join(fields).rstrip("|")


def adt(trigger: str, control_id: str, visit: Visit, at_ms: int, other_mrn: str = "") -> bytes:
    """Return an ADT; ``other_mrn`` is MRG-1 of a merge or the second PID-3 of an unlink (A37)."""
    structure = {"A40": "ADT_A39", "A37": "ADT_A37"}.get(trigger, f"ADT_{trigger}")
    segments = [
        header("PAS", f"ADT^{trigger}^{structure}", control_id, at_ms),
        f"EVN|{trigger}|{timestamp(at_ms)}",
        *patient_segments(visit.person),
    ]
    if trigger == "A40":
        segments[3:] = [f"MRG|{other_mrn}^^^{ASSIGNER}^MR"]
    elif trigger == "A37":
        segments[3:] = [f"PID|2||{other_mrn}^^^{ASSIGNER}^MR"]
    else:
        segments.append(visit_segment(visit, at_ms if trigger == "A03" else None))
    return _join(segments)


def vitals(control_id: str, visit: Visit, at_ms: int, found: dict[str, float], level: str) -> bytes:
    """Return an ORU^R01 of bedside observations; ``level`` is a letter of ACVPU."""
    segments = _result_head("MONITOR", control_id, visit, at_ms, "85353-1^Vital signs^LN")
    for number, (name, value) in enumerate(found.items(), 1):
        segments.append(_numeric(number, name, value, at_ms))
    last = len(found) + 1
    segments.append(
        f"OBX|{last}|CWE|67775-7^Level of responsiveness^LN||{level}^{CONSCIOUSNESS[level]}^L"
        f"||||||F|||{timestamp(at_ms)}"
    )
    return _join(segments)


def labs(control_id: str, visit: Visit, at_ms: int, found: dict[str, float]) -> bytes:
    """Return an ORU^R01 of laboratory results."""
    segments = _result_head("LIS", control_id, visit, at_ms, "24323-8^Metabolic panel^LN")
    segments += [
        _numeric(i, name, value, at_ms) for i, (name, value) in enumerate(found.items(), 1)
    ]
    return _join(segments)


def note(control_id: str, visit: Visit, at_ms: int, severity: float) -> bytes:
    """Return an MDM^T02 progress note in the patient's language, with names and numbers in it."""
    person = visit.person
    number, family, given = DOCTORS[visit.doctor]
    kind = "11506-3^Progress note^LN"
    text = (_note_zh if person.lang == "zh" else _note_en)(person, severity)
    return _join(
        [
            header("EHR", "MDM^T02^MDM_T02", control_id, at_ms),
            f"EVN|T02|{timestamp(at_ms)}",
            *patient_segments(person)[:1],
            visit_segment(visit),
            f"TXA|1|PN|TX|{timestamp(at_ms)}|{number}^{family}^{given}|||||||{control_id}N|||||AU",
            f"OBX|1|TX|{kind}||{_escape(text)}||||||F|||{timestamp(at_ms)}",
        ]
    )


def medication(control_id: str, visit: Visit, at_ms: int, code: str, name: str, dose: str) -> bytes:
    """Return an RDE^O11 pharmacy order, coded in RxNorm."""
    number, family, given = DOCTORS[visit.doctor]
    return _join(
        [
            header("PHARM", "RDE^O11^RDE_O11", control_id, at_ms),
            *patient_segments(visit.person)[:1],
            visit_segment(visit),
            f"ORC|NW|{control_id}O||||||||||{number}^{family}^{given}",
            f"RXE|1^^^{timestamp(at_ms)}|{code}^{name}^RXNORM|{dose}||mg",
            "RXR|IV^Intravenous^HL70162",
        ]
    )


def _result_head(
    application: str, control_id: str, visit: Visit, at_ms: int, panel: str
) -> list[str]:
    return [
        header(application, "ORU^R01^ORU_R01", control_id, at_ms),
        patient_segments(visit.person)[0],
        visit_segment(visit),
        f"OBR|1||{control_id}F|{panel}|||{timestamp(at_ms)}",
    ]


def _numeric(number: int, name: str, value: float, at_ms: int) -> str:
    parameter = BY_NAME[name]
    shown = f"{value:g}"
    return (
        f"OBX|{number}|NM|{parameter.loinc}^{parameter.en}^LN||{shown}|{parameter.unit}"
        f"|||||F|||{timestamp(at_ms)}"
    )


def _note_en(person: Person, severity: float) -> str:
    state = "deteriorating, please review early" if severity > 0.5 else "stable overnight"
    return (
        f"Reviewed {person.spoken} (MRN {person.mrn}) on the ward round. "
        f"{person.given} is {state}. "
        f"BP and respiratory rate charted. Spoke to {person.kin_given} {person.kin_family} on "
        f"{person.kin_phone}. Continue paracetamol 1 g, heparin 5000 units. Graves disease noted."
    )


def _note_zh(person: Person, severity: float) -> str:
    state = "病情加重，请尽早查看" if severity > 0.5 else "夜间病情平稳"
    return (
        f"查房记录：患者{person.spoken}，住院号{person.mrn}，{state}。"
        f"已与家属{person.kin_family}{person.kin_given}（电话{person.kin_phone}）沟通。"
        f"住址{person.city}{person.street}。继续头孢曲松 2 g 静滴，监测血压、呼吸。无白血病史。"
    )


def _escape(text: str) -> str:
    return (
        text.replace("\\", "\\E\\")
        .replace("|", "\\F\\")
        .replace("^", "\\S\\")
        .replace("&", "\\T\\")
    )


def _join(segments: list[str]) -> bytes:
    return ("\r".join(segments) + "\r").encode()
