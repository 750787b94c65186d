"""OBR, OBX, NTE, TXA: results with their values, units, times and corrections; notes."""

from typing import Final

import msgspec

from contracts.clinical import Finding, Order
from contracts.identified import Note
from contracts.loinc import parameter_of
from contracts.observation import Code, Observation
from services.ingest.codes import LOINC, code_of
from services.ingest.dialect import NULL, REPETITIONS_MAX, Dialect
from services.ingest.draft import Draft
from services.ingest.genomics import ROLES, WITHDRAWN
from services.ingest.patients import IDENTIFYING, has_chinese, put_staff_name, put_value
from services.ingest.times import Moment, clock_of, coarse_of, ms_of
from services.ingest.units import canonical, ucum_of
from services.ingest.values import (
    DELETED,
    NO_VALUE,
    SOMEBODYS,
    Value,
    flags_of,
    number_of,
    plain,
    span_of,
    structured,
    unit_as_sent,
    written,
)

QUANTITIES: Final = frozenset({"NM", "SN"})
CODED: Final = frozenset({"CE", "CWE", "CF", "CNE", "IS", "ID"})
TEXTS: Final = frozenset({"ST", "TX", "FT"})
TIMES: Final = frozenset({"DT", "TM", "TS", "DTM"})
ATTACHMENTS: Final = frozenset({"ED", "RP"})
# Results of a variant or genotype (``genomics`` reads them together).
GENOMIC: Final = frozenset(ROLES)
CODABLE: Final = frozenset({"quantity", "coded"})
LOCAL_CODE: Final = Finding(
    "info", "OBX-3", "local_code", "a result under a code of the site's own"
)
CANCELLED: Final = "CA"


def orc(draft: Draft, f: list[str]) -> None:
    """Read ORC: the order that the next segments belong to."""
    d = draft.dialect
    draft.order_control = d.first(f[1])
    draft.order_status = d.first(f[5])
    draft.order_at = draft.time(f[9], "ORC-9") if f[9] else None
    draft.series_prefix = d.first(f[3]) or d.first(f[2])
    draft.numbers += f[2:4]
    draft.note_about = -1
    draft.requested = -1
    draft.withdrawn = "X" if draft.is_cancelled else ""


def obr(draft: Draft, f: list[str]) -> None:
    """Read OBR: what was ordered, and when it was observed."""
    d = draft.dialect
    observed_at = draft.observed_at = draft.time(f[7], "OBR-7")
    if observed_at is not None and not observed_at.coarse:
        draft.moment = draft.moment or observed_at
    draft.series_prefix = d.first(f[3]) or d.first(f[2]) or f[7]
    draft.numbers += f[2:4]
    draft.note_about = -1
    draft.withdrawn = "X" if draft.is_cancelled else ""
    at = draft.observed_at or draft.order_at
    draft.orders.append(
        Order(
            code=code_of(d, f[4]),
            control=draft.order_control,
            status=f[25] or draft.order_status,
            at_ms=ms_of(at),
            at_precision=coarse_of(at),
        )
    )


def txa(draft: Draft, f: list[str]) -> None:
    """Read TXA: the kind of document, when it was made, who wrote it, whether it was cancelled
    (TXA-17 or TXA-19 CA, or the trigger T11).
    """
    d = draft.dialect
    if draft.is_cancelled or d.first(f[17]) == CANCELLED or d.first(f[19]) == CANCELLED:
        draft.is_cancelled, draft.withdrawn = True, "X"
        draft.find("TXA-17", "document_cancelled", "what it says is not passed on as said")
    draft.document_kind = d.first(f[2])
    draft.series_prefix = d.first(f[12])
    draft.numbers += f[12:16]  # its own, its parent's, those of its order
    if f[4]:
        draft.observed_at = draft.time(f[4], "TXA-4")
    for number in (5, 9, 10, 11, 22):
        if f[number]:
            put_staff_name(draft, f[number])


def spm(draft: Draft, f: list[str]) -> None:
    """Read SPM: the numbers of the specimen (SPM-2), by who asked for it and by the laboratory."""
    draft.numbers += f[2].split(draft.dialect.component, 1)


def obx(draft: Draft, f: list[str]) -> None:
    """Read OBX."""
    d = draft.dialect
    code = sent = code_of(d, f[3])
    system, symbol = sent.system, sent.code
    is_loinc, unit = system == LOINC, ""
    if draft.local_codes and not is_loinc and symbol:
        local = draft.local_codes.get((system, symbol))
        if local is not None:
            code, unit, is_loinc = Code(LOINC, local.loinc, sent.text), local.unit, True
    index = draft.note_about = len(draft.observations)
    status = _status(draft, f[11])
    loinc = "" if not is_loinc else symbol if code is sent else code.code
    found = _value(draft, f, code, loinc, unit)
    at = _observed_at(draft, f[14])
    series = draft.series_prefix or f[14] or draft.header.control_id
    observation = Observation(
        index=index,
        code=code,
        kind=found.kind,
        value=found.number,
        comparator=found.comparator,
        text=found.text,
        answer=found.answer,
        unit=found.unit,
        unit_sent=found.unit_sent,
        reference_range=d.text(f[7]) if f[7] else "",
        flags=flags_of(d, f[8]) if f[8] else (),
        status=status,
        at_ms=ms_of(at),
        at_precision=coarse_of(at),
        series=f"{series}|{system}|{symbol}|{f[4]}",
        finding=found.finding,
    )
    if not is_loinc and found.kind in CODABLE and not draft.has_local_code:
        draft.has_local_code = True
        draft.findings.append(LOCAL_CODE)
    if found.answer is not None and f[5].count(d.repeat) >= REPETITIONS_MAX:
        draft.find("OBX-5", "too_many_answers", "more repetitions than are read")
    if sent is not code or (found.answer is not None and d.repeat in f[5]):
        observation = _with_more(d, observation, f[5], sent)
    draft.observations.append(observation)
    if loinc in GENOMIC and d.repeat not in f[5]:
        draft.genomic.append((index, f"{draft.series_prefix}|{f[4]}"))


def _with_more(d: Dialect, one: Observation, raw: str, sent: Code) -> Observation:
    """Return an observation with the rest of a repeated answer (one result: a correction is of all
    of it), and with the site's own code where that was mapped.
    """
    further = d.repetitions(raw)[1:] if one.answer is not None else []
    return msgspec.structs.replace(
        one,
        further_answers=tuple([code_of(d, answer) for answer in further]),
        code_sent=None if sent is one.code else sent,
    )


def _status(draft: Draft, raw: str) -> str:
    """Return OBX-11, and have notes on it know whether it was taken back."""
    status = raw.strip() or "F"
    if status != "F" or draft.is_cancelled:
        if draft.is_cancelled and status not in WITHDRAWN:
            status = "X"
        draft.withdrawn = status if status in WITHDRAWN else ""
    else:
        draft.withdrawn = ""
    return status


def _observed_at(draft: Draft, own: str) -> Moment | None:
    """Return OBX-14, else OBR-7, else MSH-7."""
    at = draft.time(own, "OBX-14") if own else None
    return at or draft.observed_at or draft.sent_at


def _value(draft: Draft, f: list[str], code: Code, loinc: str, unit: str) -> Value:
    raw = f[5]
    if not raw or raw == NULL:
        return NO_VALUE if not raw else DELETED
    kind = f[2].strip().upper()
    if kind in QUANTITIES:
        return _quantity(draft, f, loinc, unit)
    if kind in TEXTS:
        return _text(draft, kind, raw, code)
    return _other(draft, kind, raw)


def _other(draft: Draft, kind: str, raw: str) -> Value:
    if kind in CODED:
        return Value("coded", answer=code_of(draft.dialect, raw))
    if kind in ATTACHMENTS:
        draft.has_attachment = True
        return Value("attachment")
    if kind in TIMES:
        said = draft.dialect.first(raw)
        return Value("time", text=clock_of(said) if kind == "TM" else said)
    if kind in IDENTIFYING:
        put_value(draft, kind, raw)
        return SOMEBODYS
    draft.find("OBX-2", "103" if kind else "101", "value type missing or not known")
    finding = "type_unknown" if kind else "type_missing"
    return Value("text", text=draft.dialect.text(raw), finding=finding)


def _quantity(draft: Draft, f: list[str], loinc: str, unit_meant: str) -> Value:
    d = draft.dialect
    raw = f[5]
    finding = ""
    sent = unit_as_sent(d, f[6]) if f[6] else ""
    if d.repeat in raw:
        raw, finding = raw.partition(d.repeat)[0], "repeated"
    if f[2].strip().upper() == "SN":
        parts = d.components(raw, 4)
        comparator, digits = structured(parts)
        if not digits and (parts[2] or parts[3]):
            return Value("text", text=written(parts), unit_sent=sent, finding=span_of(parts))
    else:
        comparator, digits = plain(d.text(raw))
    number = number_of(digits)
    if number is None:
        draft.find("OBX-5", "102", "not a number")
        return Value("text", text=d.text(f[5]), finding="not_a_number")
    parameter = parameter_of(loinc) if loinc else None
    if parameter is None:
        unit = ucum_of(sent or unit_meant)
    else:
        number, unit, odd = canonical(parameter, number, sent or unit_meant)
        finding = odd or finding
        if odd and odd != "unit_assumed":
            draft.find("OBX-5" if odd == "implausible" else "OBX-6", odd)
    return Value(
        "quantity", number, comparator=comparator, unit=unit, unit_sent=sent, finding=finding
    )


def _text(draft: Draft, kind: str, raw: str, code: Code) -> Value:
    d = draft.dialect
    text = d.text(raw.replace(d.repeat, "\n") if d.repeat in raw else raw)
    if kind != "ST" or draft.is_document:
        _note(draft, text, draft.note_about, draft.document_kind or code.text or code.code)
    return Value("text", text=text)


def nte(draft: Draft, f: list[str]) -> None:
    """Read NTE: a note about the result before it, or about the patient."""
    d = draft.dialect
    raw = f[3]
    if raw and raw != NULL:
        text = d.text(raw.replace(d.repeat, "\n") if d.repeat in raw else raw)
        _note(draft, text, draft.note_about, "NTE")


def _note(draft: Draft, text: str, about: int, kind: str) -> None:
    # A document comes in lines, one OBX or NTE each, and a name may break over two of them: lines
    # that follow one another are one note.
    if not text.strip():
        return
    if draft.withdrawn and kind != "NTE":
        if not draft.findings or draft.findings[-1].code != "note_withdrawn":
            draft.tell("OBX-11", "note_withdrawn", "the text of what was taken back is no note")
        return
    lines = draft.note_lines
    next_line = about == draft.note_last or (about == draft.note_last + 1 and kind != "NTE")
    if not (lines and kind == draft.note_kind and next_line):
        close_note(draft)
        lines = draft.note_lines
        draft.note_first, draft.note_kind = about, kind
        draft.note_status = draft.withdrawn
    lines.append(text)
    draft.note_last = about


def close_note(draft: Draft) -> None:
    """Make the lines of the note in hand one note."""
    if draft.note_lines:
        text = "\n".join(draft.note_lines)
        draft.notes.append(
            Note(
                text=text,
                about=draft.note_first,
                kind=draft.note_kind,
                lang=language_of(text),
                status=draft.note_status,
            )
        )
        draft.note_lines = []


def language_of(text: str) -> str:
    """Return ``zh`` where Chinese characters stand, ``en`` for ASCII, else empty."""
    if text.isascii():
        return "en"
    return "zh" if has_chinese(text) else ""
