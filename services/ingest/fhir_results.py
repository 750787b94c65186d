"""Observation, DiagnosticReport, FamilyMemberHistory: results with values, units, corrections."""

from functools import partial
from typing import Any

from contracts.clinical import Genotype, Order, Variant
from contracts.loinc import parameter_of
from contracts.observation import Code, Observation
from services.ingest import fhir_notes
from services.ingest.fhir_bundle import Entry
from services.ingest.fhir_codes import (
    LOINC,
    RESULT_STATUS,
    code_of,
    plain_code,
    status_of,
    words_of,
)
from services.ingest.fhir_draft import FhirDraft
from services.ingest.fhir_json import Node, node, nodes, number, text
from services.ingest.fhir_people import person_name
from services.ingest.genomics import METABOLISM, ROLES, genomics_of
from services.ingest.images import named
from services.ingest.patients import written
from services.ingest.times import Moment, coarse_of, ms_of
from services.ingest.units import canonical, ucum_of
from services.ingest.values import Value

UCUM_SYSTEM = "http://unitsofmeasure.org"
COMPARATORS = frozenset({"<", "<=", ">=", ">"})
FAMILY_HISTORY = Code(LOINC, "8670-2", "History of family member diseases")
VARIANT = "69548-6"  # genetic variant assessment
NOT_FOUND = frozenset({"LA9634-2", "LA18198-4", "LA11884-6"})  # absent, no call, indeterminate
EFFECT = "53040-2"  # the variation's effect on drug metabolism
NOTE_CHARS = 200  # a longer string, or one with lines, is read as a note too
YES_NO = {True: Code("HL70136", "Y", "Yes"), False: Code("HL70136", "N", "No")}


def observation(draft: FhirDraft, entry: Entry) -> None:
    """Read Observation: its own value, then each component as an observation of its own."""
    resource = entry.resource
    first = len(draft.observations)
    at = _observed_at(draft, entry)
    name = _series(entry)
    group = _group(draft, entry)
    components = nodes(resource.get("component"))
    has_value = any(field.startswith("value") for field in resource)
    if has_value or not (components or "hasMember" in resource):
        _put(draft, entry, (resource, entry.path, name, group), at)
    for place, component in enumerate(components):
        path = f"{entry.path}.component[{place}]"
        _put(draft, entry, (component, path, f"{name}|{place}", group), at)
    fhir_notes.annotations(draft, entry, first if len(draft.observations) > first else -1)
    _contained(draft, entry, "hasMember")


def diagnostic_report(draft: FhirDraft, entry: Entry) -> None:
    """Read DiagnosticReport: the panel as an order, as OBR is; conclusion and forms as notes."""
    resource = entry.resource
    code = code_of(resource.get("code"))
    status = RESULT_STATUS.get(status_of(resource), "")
    at = _observed_at(draft, entry)
    draft.orders.append(
        Order(code=code, status=status, at_ms=ms_of(at), at_precision=coarse_of(at))
    )
    kind = code.text or code.code
    fhir_notes.note(draft, text(resource.get("conclusion")), kind)
    for place, form in enumerate(nodes(resource.get("presentedForm"))):
        path = f"{entry.path}.presentedForm[{place}]"
        read = fhir_notes.attachment(draft, form, (entry, path, kind))
        fhir_notes.note(draft, read, kind)
    fhir_notes.author_names(
        draft,
        entry,
        [*nodes(resource.get("performer")), *nodes(resource.get("resultsInterpreter"))],
    )
    _contained(draft, entry, "result")


def family_history(draft: FhirDraft, entry: Entry) -> None:
    """Read FamilyMemberHistory: one coded observation for each condition, with whose it is."""
    resource = entry.resource
    at = draft.time(resource.get("date"), f"{entry.path}.date")
    relative = words_of(resource.get("relationship"))
    name = person_name({"text": resource.get("name")})
    if name is not None:
        draft.other("NAME", written(name))
    status = "W" if status_of(resource) == "entered-in-error" else "F"
    for place, condition in enumerate(nodes(resource.get("condition"))):
        draft.observations.append(
            Observation(
                index=len(draft.observations),
                code=FAMILY_HISTORY,
                kind="coded",
                answer=code_of(condition.get("code")),
                text=relative,
                status=status,
                at_ms=ms_of(at),
                at_precision=coarse_of(at),
                series=f"{_series(entry)}|{place}",
            )
        )
    if not nodes(resource.get("condition")):
        draft.find(f"{entry.path}.condition", "101", "a family history without a condition")
    fhir_notes.annotations(draft, entry, -1)


def genomics(draft: FhirDraft) -> tuple[tuple[Genotype, ...], tuple[Variant, ...]]:
    """Return the genotypes and variants of all results, by LOINC as in HL7 v2: of one Observation
    and its components, a metabolism with the genotype that it is derived from (the guide of
    genomics reporting, hl7.org/fhir/uv/genomics-reporting).
    """
    codes = draft.observations
    in_order = sorted(draft.genomic, key=lambda one: ROLES[codes[one[0]].code.code] == METABOLISM)
    return genomics_of(codes, in_order, partial(draft.find, "Observation"))


def _group(draft: FhirDraft, entry: Entry) -> str:
    """Return what the genomic results of an Observation share; "" where it says that a variant was
    not found, or not looked for.
    """
    resource = entry.resource
    code, said = code_of(resource.get("code")), code_of(resource.get("valueCodeableConcept"))
    if (code.system, code.code) == (LOINC, VARIANT) and said.code in NOT_FOUND:
        return ""
    if (code.system, code.code) == (LOINC, EFFECT):
        for reference in nodes(resource.get("derivedFrom")):
            found = draft.follow(reference, entry)
            if found is not None and found.kind == "Observation":
                return _series(found)
    return _series(entry)


def _put(
    draft: FhirDraft, entry: Entry, said: tuple[Node, str, str, str], at: Moment | None
) -> None:
    part, path, series, group = said
    code = sent = code_of(part.get("code"))
    local = draft.source.local_codes.get((code.system, code.code))
    if local is not None and code.system != LOINC:
        code = Code(LOINC, local.loinc, code.text)
    value = _value(draft, part, path, code, local.unit if local is not None else "")
    status = status_of(entry.resource)
    if status not in RESULT_STATUS:
        draft.find(f"{entry.path}.status", "103" if status else "101", "no known status")
    if code.system != LOINC and value.kind in {"quantity", "coded"}:
        draft.local_code(path)
    flags = [plain_code(one) for one in nodes(part.get("interpretation"))]
    if value.kind == "text" and (len(value.text) > NOTE_CHARS or "\n" in value.text):
        fhir_notes.note(draft, value.text, code.text or code.code, len(draft.observations))
    if group and code.system == LOINC and code.code in ROLES:
        draft.genomic.append((len(draft.observations), group))
    draft.observations.append(
        Observation(
            index=len(draft.observations),
            code=code,
            kind=value.kind,
            value=value.number,
            comparator=value.comparator,
            text=value.text,
            answer=value.answer,
            unit=value.unit,
            unit_sent=value.unit_sent,
            reference_range=_range(node(part.get("referenceRange"))),
            flags=tuple(flag for flag in flags if flag),
            status=RESULT_STATUS.get(status, "R" if status else "F"),
            at_ms=ms_of(at),
            at_precision=coarse_of(at),
            series=f"{series}|{sent.system}|{sent.code}",
            finding=value.finding,
            code_sent=None if sent is code else sent,
        )
    )


def _observed_at(draft: FhirDraft, entry: Entry) -> Moment | None:
    resource = entry.resource
    period = node(resource.get("effectivePeriod"))
    timing = node(resource.get("effectiveTiming")).get("event")
    first = timing[0] if isinstance(timing, list) and timing else None
    return draft.first_time(
        entry,
        **{
            "effectiveDateTime": resource.get("effectiveDateTime"),
            "effectiveInstant": resource.get("effectiveInstant"),
            "effectivePeriod.end": period.get("end"),
            "effectivePeriod.start": period.get("start"),
            "effectiveTiming.event[0]": first,
            "issued": resource.get("issued"),
        },
    )


def _series(entry: Entry) -> str:
    """Return what a later version of this resource shares with it: its number, else its id."""
    for identifier in nodes(entry.resource.get("identifier")):
        value = text(identifier.get("value"))
        if value:
            return f"{text(identifier.get('system'))}|{value}"
    return entry.id or entry.full_url or entry.path


def _contained(draft: FhirDraft, entry: Entry, field: str) -> None:
    for reference in nodes(entry.resource.get(field)):
        if text(reference.get("reference")).startswith("#") and entry.resource is entry.sent:
            found = draft.follow(reference, entry)
            if found is not None and found.kind == "Observation":
                observation(draft, found)


def _value(draft: FhirDraft, part: Node, path: str, code: Code, unit: str) -> Value:
    field = next((name for name in part if name.startswith("value")), "")
    raw = part.get(field)
    if field in {"valueQuantity", "valueInteger", "valueDecimal"}:
        quantity = node(raw) if field == "valueQuantity" else {"value": raw}
        return _quantity(draft, quantity, f"{path}.{field}", code, unit)
    if field in {"valueCodeableConcept", "valueCoding"}:
        return Value("coded", answer=code_of(raw))
    if field == "valueBoolean" and isinstance(raw, bool):
        return Value("coded", answer=YES_NO[raw])
    if field in {"valueDateTime", "valueTime", "valueDate"}:
        return Value("time", text=text(raw))
    if field in {"valueAttachment", "valueSampledData"}:
        content = fhir_notes.decoded(node(raw).get("data")) or b""
        draft.take_images(named(content, len(draft.observations)), path)
        return Value("attachment")
    return _as_text(draft, field, raw, path)


def _as_text(draft: FhirDraft, field: str, raw: Any, path: str) -> Value:
    if not field:
        return Value("empty")
    if field == "valueString":
        return Value("text", text=text(raw))
    value = node(raw)
    if field == "valueRange":
        return Value("text", text=_range(value))
    if field == "valueRatio":
        parts = (node(value.get("numerator")), node(value.get("denominator")))
        return Value("text", text=":".join(_written(part) for part in parts))
    if field == "valuePeriod":
        return Value("time", text=text(value.get("start")))
    draft.find(f"{path}.value[x]", "103", "value type not known")  # a sender can make names up
    return Value("empty", finding="type_unknown")


def _quantity(draft: FhirDraft, quantity: Node, path: str, code: Code, unit_meant: str) -> Value:
    value = number(quantity.get("value"))
    sent = _unit_sent(quantity)
    if value is None:
        if quantity.get("value") is None:
            return Value("empty", unit_sent=sent)
        draft.find(f"{path}.value", "102", "not a number")
        return Value("text", text=text(quantity.get("value")), finding="not_a_number")
    comparator = text(quantity.get("comparator"))
    if comparator and comparator not in COMPARATORS:
        draft.find(f"{path}.comparator", "103", "comparator not known")
        comparator = ""
    finding = ""
    parameter = parameter_of(code.code) if code.system == LOINC else None
    if parameter is None:
        is_ucum = text(quantity.get("system")) == UCUM_SYSTEM
        unit = ucum_of(sent or unit_meant) or (text(quantity.get("code")) if is_ucum else "")
    else:
        value, unit, finding = canonical(parameter, value, sent or unit_meant)
        if finding and finding != "unit_assumed":
            draft.find(path, finding)
    return Value(
        "quantity", value, comparator=comparator, unit=unit, unit_sent=sent, finding=finding
    )


def _unit_sent(quantity: Node) -> str:
    code, unit = text(quantity.get("code")), text(quantity.get("unit"))
    # The code is UCUM where its system says so; a local one says nothing where the unit is known.
    return unit if unit and (not code or (not ucum_of(code) and ucum_of(unit))) else code


def _range(found: Node) -> str:
    low, high = node(found.get("low")), node(found.get("high"))
    if low and high:
        return f"{_number(low)}-{_number(high)}"
    if low or high:
        return f">={_number(low)}" if low else f"<={_number(high)}"
    return text(found.get("text"))


def _written(quantity: Node) -> str:
    return f"{text(quantity.get('comparator'))}{_number(quantity)} {_unit_sent(quantity)}".strip()


def _number(quantity: Node) -> str:
    value = number(quantity.get("value"))
    return "" if value is None else f"{value:.10g}"
