"""What segments mean: units, corrections, times, people, merges, kinds of event."""

import pytest

from contracts.clinical import Finding
from contracts.identified import IdentifiedBody, PatientId
from contracts.loinc import PARAMETERS, parameter_of
from contracts.observation import Observation
from services.ingest.frames import parse_frame
from services.ingest.identity import Keys
from services.ingest.parse import Parsed, SourceProfile
from services.ingest.times import birth_date_of, reader_of
from services.ingest.units import FACTORS, UCUM, canonical
from tests.support.genomics import genomic, obx

KEYS = Keys(event=b"e" * 32, route=b"r" * 32)
PID = "PID|1||7^^^H^MR||Doe^Jane||19600101|F"


def parsed(kind: str, *segments: str, source: SourceProfile | None = None) -> Parsed:
    head = f"MSH|^~\\&|APP|FAC|||20240501120000+0000||{kind}|C1|P|2.5.1"
    raw = "\r".join((head, *segments)).encode()
    (found,) = parse_frame(raw, source or SourceProfile("test"), KEYS, 0).messages
    return found


def body(kind: str, *segments: str, source: SourceProfile | None = None) -> IdentifiedBody:
    return parsed(kind, *segments, source=source).events[0].body


def segment(name: str, fields: dict[int, str]) -> str:
    return "|".join([name, *(fields.get(number, "") for number in range(1, max(fields) + 1))])


def observation(obx: str) -> Observation:
    (found,) = body("ORU^R01", PID, "OBR|1||F9||||20240501110000+0000", obx).observations
    return found


@pytest.mark.parametrize(
    ("name", "value", "sent", "expected"),
    [
        ("temperature", 98.6, "[degF]", 37.0),
        ("temperature", 310.15, "K", 37.0),
        ("creatinine", 88.4, "umol/L", 1.0),
        ("bilirubin", 17.1, "µmol/L", 1.0),
        ("glucose", 5.55, "MMOLL", 100.0),
        ("bun", 3.57, "mmol/L", 10.0),
        ("cholesterol", 2.59, "mmol/l", 100.0),
        ("albumin", 40, "g/L", 4.0),
        ("hematocrit", 0.41, "L/L", 41.0),
        ("fio2", 40, "%", 0.4),
        ("fio2", 0.4, "", 0.4),
        ("fio2", 40, "", 0.4),
        ("pao2", 10, "kPa", 75.0),
        ("sbp", 120, "mmHg", 120),
        ("platelets", 250, "10^9/L", 250),
        ("wbc", 7500, "/uL", 7.5),
        ("wbc", 7.5, "K/uL", 7.5),
        ("sodium", 140, "mEq/L", 140),
        ("troponin_t", 14, "ng/L", 0.014),
        ("weight", 154.32, "lb", 70.0),
        ("height", 1.8, "m", 180),
        ("resp_rate", 18, "breaths/min", 18),
        ("heart_rate", 70, "次/分", 70),
        ("alt", 0.5, "ukat/L", 30),
        ("urine_volume", 1.5, "L", 1500),
        ("gcs", 14, "anything", 14),
    ],
)
def test_units_become_canonical(name: str, value: float, sent: str, expected: float) -> None:
    parameter = next(one for one in PARAMETERS if one.name == name)
    found, unit, finding = canonical(parameter, value, sent)
    assert found == pytest.approx(expected, rel=0.002)
    assert unit == parameter.unit
    assert finding in {"", "unit_assumed"}


@pytest.mark.parametrize(
    ("name", "value", "finding"),
    [
        ("heart_rate", 135, ""),
        ("resp_rate", 30, ""),
        ("spo2", 85, ""),
        ("spo2", 0.97, "unit_assumed"),  # a fraction
        ("hematocrit", 41, ""),
        ("hematocrit", 0.41, "unit_assumed"),
        ("sbp", 120, ""),
        ("map", 65, ""),
        ("sbp", 16, "unit_assumed"),  # kPa
        ("pao2", 12, "unit_assumed"),
        ("pao2", 90, "unit_assumed"),  # kPa, on oxygen
        ("temperature", 39.5, ""),
        ("temperature", 98.6, "implausible"),  # degrees Fahrenheit
        ("temperature", 310.0, "implausible"),
        ("fio2", 0.4, ""),
        ("fio2", 40, ""),
        ("fio2", 4, "unit_assumed"),  # litres a minute in the wrong field
        ("creatinine", 88, "implausible"),
        ("creatinine", 1.1, "unit_assumed"),
        ("glucose", 5.5, "unit_assumed"),
        ("oxygen_flow", 4, "unit_assumed"),
        ("weight", 70, "unit_assumed"),
        ("heart_rate", 900, "implausible"),
    ],
)
def test_a_unit_is_assumed_without_doubt_only_where_there_is_no_other(
    name: str, value: float, finding: str
) -> None:
    parameter = next(one for one in PARAMETERS if one.name == name)
    found, unit, odd = canonical(parameter, value, "")
    assert (unit, odd) == (parameter.unit, finding)
    assert found == pytest.approx(0.4 if (name, value) == ("fio2", 40) else found)


@pytest.mark.parametrize(
    ("code", "value", "unit", "expected"),
    [
        ("14682-9", 88.4, "umol/L", ("creatinine", 1.0)),
        ("14749-6", 5.55, "mmol/L", ("glucose", 100.0)),
        ("15074-8", 5.55, "mmol/L", ("glucose", 100.0)),
        ("14631-6", 17.1, "umol/L", ("bilirubin", 1.0)),
        ("22664-7", 5.0, "mmol/L", ("bun", 14.0)),
        ("14937-7", 5.0, "mmol/L", ("bun", 14.0)),
        ("2601-3", 0.82, "mmol/L", ("magnesium", 2.0)),
        ("14647-2", 5.0, "mmol/L", ("cholesterol", 193.3)),
    ],
)
def test_si_codes_are_read(code: str, value: float, unit: str, expected: tuple[str, float]) -> None:
    found = observation(f"OBX|1|NM|{code}^x^LN||{value}|{unit}||||F")
    parameter = parameter_of(found.code.code)
    assert parameter is not None
    assert (parameter.name, parameter.unit, found.finding) == (expected[0], found.unit, "")
    assert found.value == pytest.approx(expected[1], rel=0.01)


def test_every_factor_is_of_a_known_parameter_and_unit() -> None:
    names = {parameter.name for parameter in PARAMETERS}
    assert set(FACTORS) <= names
    assert {unit for units in FACTORS.values() for unit in units} <= set(UCUM.values())
    for parameter in PARAMETERS:
        assert parameter.unit in UCUM.values() or not parameter.unit


def test_a_unit_that_cannot_be_converted_is_kept_and_said() -> None:
    found = observation("OBX|1|NM|2160-0^Creatinine^LN||3|furlong||||F")
    assert (found.value, found.unit, found.unit_sent) == (3, "", "furlong")
    assert found.finding == "unit_unknown"


def test_an_implausible_value_is_flagged_not_dropped() -> None:
    found = body("ORU^R01", PID, "OBX|1|NM|8867-4^HR^LN||900|/min||||F")
    assert found.observations[0].value == 900
    assert found.observations[0].finding == "implausible"
    assert Finding("warn", "OBX-5", "implausible") in found.findings


@pytest.mark.parametrize(
    ("obx", "kind", "value", "comparator", "text"),
    [
        ("OBX|1|NM|X||5.5", "quantity", 5.5, "", ""),
        ("OBX|1|NM|X||+1e2", "quantity", 100.0, "", ""),
        ("OBX|1|NM|X||<5", "quantity", 5.0, "<", ""),
        ("OBX|1|NM|X||1_000", "text", None, "", "1_000"),
        ("OBX|1|NM|X||nan", "text", None, "", "nan"),
        ("OBX|1|NM|X||None", "text", None, "", "None"),
        ("OBX|1|SN|X||>=^3", "quantity", 3.0, ">=", ""),
        ("OBX|1|SN|X||^182", "quantity", 182.0, "", ""),
        ("OBX|1|SN|X||^1^:^128", "text", None, "", "1:128"),
        ("OBX|1|ST|X||12", "text", None, "", "12"),
        ("OBX|1||X||12", "text", None, "", "12"),
        ("OBX|1|TX|X||a~b", "text", None, "", "a\nb"),
        ("OBX|1|DT|X||20240101", "time", None, "", "20240101"),
        ("OBX|1|ED|X||^image^png^Base64^AAAA", "attachment", None, "", ""),
        ('OBX|1|NM|X||""', "empty", None, "", ""),
        ("OBX|1|NM|X||", "empty", None, "", ""),
    ],
)
def test_values(obx: str, kind: str, value: float | None, comparator: str, text: str) -> None:
    found = observation(obx)
    assert (found.kind, found.value, found.comparator) == (kind, value, comparator)
    assert found.text == text


def test_a_coded_answer_and_flags_and_range() -> None:
    found = observation("OBX|1|CWE|67775-7^LOC^LN||A^Alert^L||x-y|A~HH^odd|||C")
    assert found.answer is not None
    assert (found.answer.code, found.answer.text) == ("A", "Alert")
    assert (found.flags, found.status, found.reference_range) == (("A", "HH"), "C", "x-y")


def test_a_correction_bears_the_series_of_what_it_corrects() -> None:
    first = observation("OBX|1|NM|2345-7^Glucose^LN|a|5|mmol/L|||||F")
    corrected = observation("OBX|4|NM|2345-7^Glucose^LN|a|6|mmol/L|||||C")
    other = observation("OBX|1|NM|2345-7^Glucose^LN|b|5|mmol/L|||||F")
    assert first.series == corrected.series != other.series


def test_the_time_of_a_result_is_its_own_else_its_orders_else_unknown() -> None:
    found = body(
        "ORU^R01", PID, "OBX|1|ST|X||0", "OBR|1||F||||20240501100000+0200", "OBX|1|ST|X||1",
        "OBX|2|ST|X||2|||||||||20240501093000+0200", "OBR|2||F||||", "OBX|1|ST|X||3",
    )  # fmt: skip
    at = [one.at_ms for one in found.observations]
    assert at == [1714564800000, 1714550400000, 1714548600000, 1714564800000]


def test_times_with_precision_and_zone() -> None:
    reader = reader_of("Asia/Shanghai")

    def shanghai(raw: str) -> tuple[int, str, str] | None:
        moment = reader.read(raw)
        return None if moment is None else (moment.ms, moment.precision, moment.zone)

    assert shanghai("20240501120000+0200") == (1714557600000, "second", "sent")
    assert shanghai("202405011200") == (1714536000000, "minute", "assumed")
    assert shanghai("20240501") == (1714492800000, "day", "assumed")
    assert shanghai("2024") == (1704038400000, "year", "assumed")
    assert shanghai("20240501120000.1234-0430^x") == (1714581000123, "second", "sent")
    assert shanghai("20180709163256171") is not None
    for wrong in ("", '""', "today", "20241301", "20240230", "2024050112+99", "٢٠٢٤", "19"):
        assert shanghai(wrong) is None


def test_birth_dates_are_cut_to_what_is_a_date() -> None:
    assert birth_date_of("19600412") == ("1960-04-12", True)
    assert birth_date_of("19600412083000") == ("1960-04-12", True)
    assert birth_date_of("196004") == ("1960-04", True)
    assert birth_date_of("1960") == ("1960", True)
    assert birth_date_of("19620352") == ("1962-03", False)
    assert birth_date_of("64121968") == ("6412", False)
    assert birth_date_of("unknown") == ("", False)


def test_the_preferred_identifier_and_a_default_assigner() -> None:
    pid = "PID|1||9^^^GOV^SS~8^^^^PI~7^^^&1.2.3&ISO^MR||Doe^Jane"
    found = body("ADT^A08", pid, source=SourceProfile("x", assigner="HOSP")).patient
    assert found.ids == (
        PatientId("7", "1.2.3", "MR"), PatientId("8", "HOSP", "PI"), PatientId("9", "GOV", "SS"),
    )  # fmt: skip


def test_an_identifier_of_old_versions() -> None:
    found = body("ADT^A08", "PID|1|55||99")
    assert found.patient.ids[0].value == "55"
    assert "PID-3" in {one.where for one in found.findings}


def test_strings_that_tell_on_the_patient_are_kept_for_the_scrub() -> None:
    found = body(
        "ADT^A01",
        "PID|1|ALT1|7^^^H^MR||Müller^José||19600101|F|Mia^M|||||(206)555-0101|||||ACC1|SSN1",
        "NK1|1|王^大力|FTH|Oak Street 5^^Town|555 0199",
        "GT1|1||Payer^Pat",
        segment("IN1", {16: "Insured^Ina", 18: "19550505", 36: "POL77"}),
        "PV1|1|I|||PRE1",
    ).patient.others
    assert {"José Müller"}.isdisjoint(found["NAME"])
    assert set(found["NAME"]) == {"M Mia", "王大力", "Pat Payer", "Ina Insured"}
    assert set(found["ID"]) == {"ALT1", "ACC1", "SSN1", "POL77", "PRE1"}
    assert set(found["PHONE"]) == {"(206)555-0101", "555 0199"}
    assert set(found["LOC"]) == {"Oak Street 5", "Town"}
    assert found["DATE"] == ("1955-05-05",)


def test_names_of_staff_are_known_to_the_scrub_when_there_are_notes() -> None:
    obr = segment("OBR", {3: "F", 16: "5^Gray^Meredith"})
    segments = [PID, obr, "NTE|1||Seen by Dr Gray."]
    assert body("ORU^R01", *segments).patient.others == {"STAFF": ("Meredith Gray",)}
    assert body("ORU^R01", *segments[:2]).patient.others == {}


@pytest.mark.parametrize(
    ("name", "number", "sent", "told"),
    [
        ("ORC", 2, "PL-88231^EHR", ("PL-88231",)),
        ("ORC", 3, "FI-88231^LAB", ("FI-88231",)),
        ("OBR", 2, "PL-88231^EHR", ("PL-88231",)),
        ("OBR", 3, "88231^LAB", ("88231",)),
        ("SPM", 2, "S-101^^^&EHR", ("S-101",)),
        ("SPM", 2, "PS-0101&EHR^FS-0101&LAB", ("PS-0101", "FS-0101")),
        ("TXA", 12, "DOC-4711^HIS", ("DOC-4711",)),
        ("TXA", 14, "PL-88231^EHR", ("PL-88231",)),
        ("OBR", 3, "8823^LAB", ()),
        ("OBR", 3, "F\\S\\88231^LAB", ("F^88231",)),
    ],
)
def test_numbers_of_orders_specimens_and_documents_are_told_when_there_are_words(
    name: str, number: int, sent: str, told: tuple[str, ...]
) -> None:
    segments = [PID, segment(name, {number: sent}), "NTE|1||see PL-88231"]
    found = body("ORU^R01", *segments)
    assert found.numbers == told
    assert "ID" not in found.patient.others
    assert body("ORU^R01", *segments[:2]).numbers == ()


def test_each_number_is_told_once_and_each_patient_has_their_own() -> None:
    twice = ["ORC|RE|PL-88231|FI-88231", "OBR|1|PL-88231|FI-88231", "NTE|1||see FI-88231"]
    events = parsed("ORU^R01", PID, *twice, "PID|2||8^^^H^MR", "OBR|1||F-55555", "NTE|1||x").events
    told = [event.body.numbers for event in events]
    assert told == [("PL-88231", "FI-88231"), ("F-55555",)]


@pytest.mark.parametrize(
    ("name", "number", "sent"),
    [
        ("PV1", 52, "5^Gray^Meredith"),
        ("OBR", 32, "5&Gray&Meredith^20240305^20240306"),
        ("OBR", 35, "5^Gray^Meredith"),
        ("OBX", 25, "5^Gray^Meredith"),
        ("DG1", 16, "5^Gray^Meredith"),
        ("PR1", 11, "5^Gray^Meredith"),
        ("RXA", 10, "5^Gray^Meredith"),
        ("RXE", 13, "5^Gray^Meredith"),
        ("RXD", 10, "5^Gray^Meredith"),
        ("RXO", 14, "5^Gray^Meredith"),
        ("ROL", 4, "5^Gray^Meredith"),
        ("PRT", 5, "5^Gray^Meredith"),
    ],
)
def test_staff_of_any_segment_are_known_to_the_scrub(name: str, number: int, sent: str) -> None:
    found = body("ORU^R01", PID, segment(name, {number: sent}), "NTE|1||Seen by Dr Gray.")
    assert found.patient.others == {"STAFF": ("Meredith Gray",)}


@pytest.mark.parametrize(
    "said",
    [
        "OBX|1|ST|C^^L||notified gray||||||F",
        "OBX|1|CWE|C^^L||A^told gray^L||||||F",
        "OBX|1|IS|C^^L||GRAY||||||F",
        "OBX|1|NM|C^told gray^L||5||||||F",
        "OBX|1|NM|C^^L||5||see gray|||||F",
        "OBX|1|NM|C^^L||5|||gray||||F",
        "OBR|2|||X^told gray^L",
        "DG1|1||X^told gray^L",
        "AL1|1||X^told gray^L",
    ],
)
def test_staff_and_orders_are_known_wherever_there_are_words(said: str) -> None:
    order = segment("OBR", {2: "PL-88231", 4: "X", 16: "5^Gray^Meredith"})
    found = body("ORU^R01", PID, order, said)
    assert found.patient.others == {"STAFF": ("Meredith Gray",)}
    assert found.numbers == ("PL-88231",)


def test_bare_numbers_are_told_no_staff() -> None:
    order = segment("OBR", {2: "PL-88231", 4: "X", 16: "5^Gray^Meredith"})
    found = body("ORU^R01", PID, order, "OBX|1|NM|8867-4^^LN||80|/min|||||F|||||5^Gray^Meredith")
    assert (found.patient.others, found.numbers) == ({}, ())


def test_notes_of_many_patients_know_all_staff_though_others_of_them_have_words_too() -> None:
    many = []
    for number in range(70):
        order = segment("OBR", {4: "X^y", 16: f"{number}^Gray{number}^M"})
        many += [f"PID|1||{number}^^^H^MR", order]
    first, *_, last = parsed("ORU^R01", *many, "NTE|1||told gray0").events
    assert first.body.patient.others["STAFF"] == ("M Gray0",)
    assert len(last.body.patient.others["STAFF"]) == 70


def test_notes_follow_what_they_are_about_and_lines_are_one_note() -> None:
    found = body(
        "ORU^R01", PID, "NTE|1||about her", "OBR|1||F", "OBX|1|NM|X||1", "NTE|1||about it",
        "NTE|2||and more", "OBX|2|TX|R^Report||line one", "OBX|3|TX|R^Report||line two",
        "OBX|4|TX|Q^Other||alone",
    ).notes  # fmt: skip
    assert [(one.about, one.text) for one in found] == [
        (-1, "about her"), (0, "about it\nand more"), (1, "line one\nline two"), (3, "alone"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "event_type", "status"),
    [
        ("ADT^A01", "encounter.admit", "open"),
        ("ADT^A02", "encounter.transfer", "open"),
        ("ADT^A03", "encounter.discharge", "closed"),
        ("ADT^A04", "encounter.register", "open"),
        ("ADT^A05", "encounter.pre_admit", "planned"),
        ("ADT^A08", "encounter.update", "open"),
        ("ADT^A11", "encounter.cancel_admit", "cancelled"),
        ("ADT^A12", "encounter.cancel_transfer", "open"),
        ("ADT^A13", "encounter.cancel_discharge", "open"),
        ("ADT^A28", "person.update", "open"),
        ("ADT^A31", "person.update", "open"),
        ("ADT^Z99", "encounter.update", "open"),
        ("ORU^R01", "observation.result", "open"),
        ("OUL^R22", "observation.result", "open"),
        ("ORM^O01", "order", "open"),
        ("RDE^O11", "medication.order", "open"),
        ("MDM^T02", "document", "open"),
        ("VXU^V04", "immunization", "open"),
        ("PPR^PC1", "problem", "open"),
        ("REF^I12", "referral", "open"),
        ("SIU^S12", "non_clinical", "open"),
        ("DFT^P03", "non_clinical", "open"),
        ("ACK", "non_clinical", "open"),
    ],
)
def test_kinds_of_event(kind: str, event_type: str, status: str) -> None:
    found = body(kind, PID, "PV1|1|I|MICU-2^1^2^H")
    assert found.event_type == event_type
    assert found.encounter is not None
    assert (found.encounter.status, found.encounter.unit) == (status, "MICU-2")


def test_a_discharge_time_closes_the_visit_but_for_a_cancelled_discharge() -> None:
    pv1 = segment("PV1", {2: "I", 45: "20240501"})
    for kind, status in (("ORU^R01", "closed"), ("ADT^A13", "open"), ("ADT^A03", "closed")):
        encounter = body(kind, PID, pv1).encounter
        assert encounter is not None
        assert encounter.status == status


def test_a_clinical_message_without_a_patient_is_counted_not_refused() -> None:
    found = parsed("ORU^R01", "OBX|1|NM|X||1")
    assert found.code == "AA"
    assert found.events[0].body.event_type == "non_clinical"
    assert len(found.events[0].body.observations) == 1
    assert "no_patient" in {one.code for one in found.findings}


@pytest.mark.parametrize("trigger", ["A18", "A30", "A34", "A36", "A39", "A40", "A43", "A47"])
def test_merges_link_the_prior_identifier(trigger: str) -> None:
    found = body(f"ADT^{trigger}", PID, "MRG|6^^^H^MR~123^^^GOV^SS")
    assert found.event_type == "identity.merged"
    (link,) = found.links
    assert (link.other, link.link, link.trigger) == (PatientId("6", "H", "MR"), True, trigger)


def test_a_merge_of_two_groups_is_two_events() -> None:
    found = parsed(
        "ADT^A40", "EVN|A40|20240501", PID, "MRG|6^^^H^MR", "PID|2||17^^^H^MR", "MRG|16^^^H^MR"
    ).events
    assert [one.body.links[0].other.value for one in found] == ["6", "16"]
    assert len({one.event_id for one in found}) == 2
    assert len({one.body.occurred_at_ms for one in found}) == 1


@pytest.mark.parametrize(("trigger", "link"), [("A24", True), ("A37", False)])
def test_a_pair_is_one_event_with_a_link(trigger: str, *, link: bool) -> None:
    (event,) = parsed(f"ADT^{trigger}", PID, "PV1|1|I", "PID|2||9^^^H^MR", "PV1|1|I").events
    assert event.body.patient.ids[0].value == "7"
    assert [(one.other.value, one.link) for one in event.body.links] == [("9", link)]


def test_a_merge_into_itself_links_nothing() -> None:
    found = body("ADT^A40", PID, "MRG|7^^^H^MR")
    assert found.links == ()
    assert "no_prior_id" in {one.code for one in found.findings}


def test_medication_of_an_order_is_the_encoded_one() -> None:
    found = body(
        "RDE^O11", PID, "ORC|NW|1", "RXO|a^A^L|1||g", "RXE||b^B^L|2||mg", "RXR|IV",
        "ORC|DC|2", "RXE||c^C^L|3||mg",
    ).medications  # fmt: skip
    assert [(one.code.code, one.dose, one.route, one.status) for one in found] == [
        ("b", 2.0, "IV", "NW"), ("c", 3.0, "", "DC"),
    ]  # fmt: skip


def test_conditions_and_allergies() -> None:
    found = body(
        "ADT^A01", PID, "DG1|1||J18.9^Pneumonia^I10||20240430|A", "DG1|2|||Old text",
        "AL1|1|DA|7980^Penicillin^RXNORM|SV|Rash~Wheeze", "IAM|1|DA|x^X^L|MO||D",
        "PRB|DE|20240101|k^K^L|p",
    )  # fmt: skip
    assert [(one.code.code, one.code.text, one.status) for one in found.conditions] == [
        ("J18.9", "Pneumonia", "A"), ("", "Old text", ""), ("k", "K", "DE"),
    ]  # fmt: skip
    (allergy,) = found.allergies
    assert (allergy.severity, allergy.reaction) == ("SV", "Rash; Wheeze")


def test_the_same_patient_has_the_same_route_whatever_the_message() -> None:
    keys = {
        parsed("ADT^A08", PID).events[0].route_key,
        parsed("ORU^R01", PID.replace("Doe", "Dee"), "OBX|1|ST|X||1").events[0].route_key,
    }
    assert len(keys) == 1
    assert parsed("ADT^A08", PID.replace("7^", "8^")).events[0].route_key not in keys


def test_parameters_are_found_by_alias() -> None:
    found = observation("OBX|1|NM|2710-2^SpO2^LN||97|%||||F")
    assert parameter_of(found.code.code) is not None
    assert found.unit == "%"


def test_null_deletes_and_is_not_a_value() -> None:
    found = body("ADT^A08", 'PID|1||7^^^H^MR||""||""|""|||""')
    assert (found.patient.birth_date, found.patient.sex, found.patient.names) == ("", "", ())
    told = [(one.where, one.code) for one in found.findings]
    assert told == [(f"PID-{number}", "null") for number in (7, 5, 8, 11)]


def test_a_genomic_result_keeps_its_loinc_codes_and_what_belongs_together() -> None:
    found = genomic(
        obx(1, "CWE", "48018-6", "1a", "HGNC:2623^CYP2C19^HGNC"),
        obx(2, "ST", "84413-4", "1a", "*1/*2"),
        obx(3, "CWE", "53040-2", "1a", "LA10315-2^Intermediate^LN"),
        obx(4, "CWE", "48018-6", "2a", "HGNC:1748^EGFR^HGNC"),
        obx(5, "ST", "48004-6", "2a", "c.2573T>G"),
    ).observations
    assert [one.code.system for one in found] == ["LN"] * 5
    first, diplotype, status, second, variant = found
    assert first.answer is not None
    assert second.answer is not None
    assert status.answer is not None
    assert (first.answer.text, diplotype.text, status.answer.text) == (
        "CYP2C19", "CYP2C19 *1/*2", "Intermediate",
    )  # fmt: skip
    assert (second.answer.text, variant.text) == ("EGFR", "c.2573T>G")
    assert [one.series.rsplit("|", 1)[1] for one in found] == ["1a", "1a", "1a", "2a", "2a"]


@pytest.mark.parametrize("escaped", ["Gray\\T\\Co^Meredith", "Gray^Meredith"])
def test_only_segments_with_an_escape_are_resolved(escaped: str) -> None:
    family = escaped.partition("^")[0].replace("\\T\\", "&")
    found = body(
        "ORU^R01", PID.replace("Doe", "A\\E\\B"), f"NK1|1|{escaped}|MTH|1 Oak\\F\\St",
        f"OBR|1||F|||||||||||||5^{escaped}", "NTE|1||a\\F\\b", "OBX|1|ST|X||plain",
    )  # fmt: skip
    assert found.patient.names[0].family == "A\\B"
    assert found.patient.others["NAME"] == (f"Meredith {family}",)
    assert found.patient.others["LOC"] == ("1 Oak|St",)
    assert found.notes[0].text == "a|b"
    assert found.observations[0].text == "plain"


@pytest.mark.parametrize("kind", ["SIU^S12", "BAR^P01", "DFT^P03"])
def test_messages_of_business_say_nothing_clinical_but_are_stored(kind: str) -> None:
    found = parsed(kind, PID, "FT1|1|||20240501||CG|x^X^L", "AIS|1||y^Y^L")
    assert (found.code, found.events[0].body.event_type) == ("AA", "non_clinical")
    assert found.events[0].body.patient.ids[0].value == "7"


@pytest.mark.parametrize("trigger", ["A24", "A37"])
def test_the_visit_of_a_pairs_second_patient_is_not_the_first_ones(trigger: str) -> None:
    found = body(
        f"ADT^{trigger}",
        "PID|1||111^^^H^MR||First^One",
        "PV1|1|I|W1^1^1||||||||||||||||V1",
        "PID|2||222^^^H^MR||Second^Two",
        "PV1|1|I|W2^2^2||||||||||||||||V2",
    )
    assert found.encounter is not None
    assert (found.encounter.unit, found.encounter.number) == ("W1", "V1")
    assert found.links[0].other.value == "222"


def test_identifiers_that_differ_in_where_they_are_cut_have_different_keys() -> None:
    one = parsed("ORU^R01", r"PID|1||C^^^A\F\B^MR")
    two = parsed("ORU^R01", r"PID|1||B\F\C^^^A^MR")
    assert one.events[0].body.patient.ids[0] == PatientId("C", "A|B", "MR")
    assert two.events[0].body.patient.ids[0] == PatientId("B|C", "A", "MR")
    assert one.events[0].route_key != two.events[0].route_key


@pytest.mark.parametrize(
    ("declared", "escaped"),
    [("UNICODE UTF-8", "E78E8BE4BC9F"), ("GB18030", "CDF5CEB0"), ("", "E78E8BE4BC9F")],
)
def test_hexadecimal_escapes_are_in_the_declared_charset(declared: str, escaped: str) -> None:
    head = (
        f"MSH|^~\\&|A|B|C|D|20240501||ORU^R01|1|P|2.5|||||{'' if not declared else '|' + declared}"
    )
    text = f"{head}\rPID|1||111^^^H^MR||\\X{escaped}\\^X\r"
    (message,) = parse_frame(text.encode(), SourceProfile("t"), KEYS, 0).messages
    assert message.events[0].body.patient.names[0].family == "王伟"
