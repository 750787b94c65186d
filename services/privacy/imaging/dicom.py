"""Pure: a DICOM image by the Basic Profile: ``read``, ``refuse_unfit``, ``by_profile``."""

import hmac
import re
import warnings
from collections.abc import Iterator
from datetime import date, timedelta
from hashlib import sha256
from io import BytesIO
from typing import Any, NamedTuple

import pydicom
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence as DicomSequence
from pydicom.uid import UID

from services.privacy.imaging import refusals
from services.privacy.imaging.body_parts import CODES, PARTS, Subject, subject_of
from services.privacy.imaging.profile import (
    CAMERAS,
    DENTAL,
    DOCUMENT_CLASSES,
    IMAGE_CLASSES,
    MAMMOGRAM,
    MODALITIES,
    OFTEN_WITH_TEXT,
    PROFILE,
    RADIOGRAPHS,
    WORDS,
    Action,
)
from services.privacy.imaging.refusals import ImageRefused
from services.privacy.words import words

YEARS_MAX = 90  # stands for 90 and over
NUMBER_MAX = 1e6
VALUES_MAX = 3
ITEMS_MAX = 8
DEPTH_MAX = 3
ELEMENTS_MAX = 20_000
UID_FORM = re.compile(r"[0-9]+(\.[0-9]+)*", re.ASCII)
DATE_FORM = re.compile(r"(\d{4})\.?(\d{2})\.?(\d{2})", re.ASCII)
TIME_FORM = re.compile(r"([01]\d|2[0-3])([0-5]\d([0-5]\d(\.\d{1,6})?)?)?", re.ASCII)
ZONE_FORM = re.compile(r"[+-](0\d|1[0-4])[0-5]\d", re.ASCII)
AGE_FORM = re.compile(r"(\d{3})([DWMY])", re.ASCII)
CONVERTED = "ConversionType"  # made from a film, a screen or a video signal
DESCRIBING = words(
    """
    StudyDescription SeriesDescription ProtocolName RequestedProcedureDescription
    BodyPartExamined PerformedProcedureStepDescription ScheduledProcedureStepDescription
    CodeMeaning AcquisitionProtocolDescription AcquisitionProtocolName ImageComments
    StudyComments PerformedProcedureTypeDescription ReasonForStudy SequenceName ViewPosition
    AcquisitionDeviceProcessingDescription
    """
)


class Patient(NamedTuple):
    """What the patient key gives for images: days back, and a key for UIDs alone."""

    shift_days: int
    uid_key: bytes


def read(content: bytes) -> Dataset:
    """Return the data set of a DICOM file. Raises what pydicom raises on bad bytes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they quote values
        return pydicom.dcmread(BytesIO(content))


def refuse_unfit(sent: Dataset) -> None:
    """Raise ``ImageRefused`` for what is no image, or one that by its own word cannot pass."""
    kind = _text(sent, "SOPClassUID")
    if kind.startswith(DOCUMENT_CLASSES) or "EncapsulatedDocument" in sent:
        raise ImageRefused(refusals.DOCUMENT)
    modality = _text(sent, "Modality")
    if modality in CAMERAS:
        raise ImageRefused(refusals.PHOTOGRAPH)
    if modality in DENTAL or _text(sent, "RecognizableVisualFeatures").upper() == "YES":
        raise ImageRefused(refusals.SHOWS_FACE)
    if kind not in IMAGE_CLASSES or modality not in MODALITIES or "PixelData" not in sent:
        raise ImageRefused(refusals.UNSUPPORTED)
    if _text(sent, "BurnedInAnnotation").upper() not in {"", "NO"}:
        raise ImageRefused(refusals.SHOWS_TEXT)
    if _text(sent, "NumberOfFrames") not in {"", "0", "1"}:
        raise ImageRefused(refusals.UNSUPPORTED)


def subject(sent: Dataset, said: tuple[str, ...]) -> Subject:
    """Return what it shows, by all that describes it; ``said``: what its message says of it.

    Raises ``ImageRefused``: a head, or nothing that tells (of a mammogram its modality does).
    """
    phrases, codes = list(said), []
    for count, element in enumerate(sent.iterall()):
        if count >= ELEMENTS_MAX:
            raise ImageRefused(refusals.TOO_LARGE)
        if element.keyword in DESCRIBING:
            phrases.append(str(element.value))
        elif element.keyword == "CodeValue":
            codes.append(str(element.value))
    found = subject_of(_text(sent, "BodyPartExamined"), codes, phrases)
    modality = _text(sent, "Modality")
    is_radiograph = modality in RADIOGRAPHS
    if found.head or (found.near_head and not is_radiograph):
        raise ImageRefused(refusals.SHOWS_FACE)
    if not found.part and modality != MAMMOGRAM:
        raise ImageRefused(refusals.UNKNOWN_SUBJECT)
    return found


def is_often_with_text(sent: Dataset) -> bool:
    """Return whether such images often have letters in them: a screen, a scan, an ultrasound."""
    kinds = str(sent.get("ImageType", "")).upper()
    modality = _text(sent, "Modality")
    return modality in OFTEN_WITH_TEXT or CONVERTED in sent or "SCREEN" in kinds


def by_profile(sent: Dataset, patient: Patient) -> Dataset:
    """Return a new data set with what the profile keeps, without pixels."""
    kept = _profiled(sent, patient, 0)
    kept.PatientIdentityRemoved = "YES"
    kept.BurnedInAnnotation = "NO"
    kept.LongitudinalTemporalInformationModified = "MODIFIED"
    kept.DeidentificationMethod = "PS3.15 Basic Profile, allow-list"
    kept.DeidentificationMethodCodeSequence = DicomSequence(
        [_code(value, meaning) for value, meaning in METHODS]
    )
    return kept


# PS3.16 CID 7050
METHODS = (
    ("113100", "Basic Application Confidentiality Profile"),
    ("113101", "Clean Pixel Data Option"),
    ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
    ("113108", "Retain Patient Characteristics Option"),
)


def _code(value: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", meaning
    return item


def new_uid(uid: str, uid_key: bytes) -> str:
    """Return the patient's UID for another: 2.25. and 128 bits (PS3.5, B.2); "" for none."""
    if not UID_FORM.fullmatch(uid):
        return ""
    return f"2.25.{int.from_bytes(hmac.digest(uid_key, uid.encode(), sha256)[:16], 'big')}"


def _profiled(sent: Dataset, patient: Patient, depth: int) -> Dataset:
    kept = Dataset()
    for keyword, row in PROFILE.items():
        if keyword not in sent:
            continue
        value = sent[keyword].value
        if row.action is Action.ITEMS:
            items = list(_items(value, patient, depth))
            if items:
                setattr(kept, keyword, DicomSequence(items))
        else:
            setattr(kept, keyword, _kept(keyword, row.action, value, patient))
    return kept


def _items(value: Any, patient: Patient, depth: int) -> Iterator[Dataset]:
    if depth >= DEPTH_MAX or not isinstance(value, DicomSequence):
        return
    for item in list(value)[:ITEMS_MAX]:
        kept = _profiled(item, patient, depth + 1)
        if len(kept):
            yield kept


def _kept(keyword: str, action: Action, value: Any, patient: Patient) -> Any:
    if action is Action.NUMBER:
        return _numbers(value)
    text = "" if value is None or isinstance(value, MultiValue) else str(value).strip()
    if action is Action.WORD:
        return _word(keyword, text)
    if action is Action.UID:
        return new_uid(text, patient.uid_key)
    if action is Action.CLASS:
        return text if UID_FORM.fullmatch(text) and UID(text).name != text else ""
    if action is Action.CODE:
        return text if text in CODES else ""
    return _moved(action, text, patient.shift_days)


def _word(keyword: str, text: str) -> str:
    if keyword == "BodyPartExamined":
        return text if text in PARTS else ""
    if keyword == "TimezoneOffsetFromUTC":
        return text if ZONE_FORM.fullmatch(text) else ""
    return text if text in WORDS[keyword] else ""


def _moved(action: Action, text: str, days: int) -> str:
    if action is Action.DATE:
        return _shifted(text, days)
    if action is Action.TIME:
        return text if TIME_FORM.fullmatch(text) else ""
    if action is Action.DATE_TIME:
        moved, time = _shifted(text[:8], days), text[8:]
        zone = ZONE_FORM.fullmatch(time[-5:])
        clock = time[:-5] if zone else time
        return moved + time if moved and TIME_FORM.fullmatch(clock) else moved
    if action is Action.AGE:
        return _age(text)
    return ""


def _shifted(text: str, days: int) -> str:
    parts = DATE_FORM.fullmatch(text)
    try:
        day = date(*(int(part) for part in parts.groups())) if parts else None
        return f"{day - timedelta(days=days):%Y%m%d}" if day else ""
    except (ValueError, OverflowError):
        return ""


def _age(text: str) -> str:
    found = AGE_FORM.fullmatch(text)
    if not found:
        return ""
    count, unit = int(found[1]), found[2]
    years = {"D": 365, "W": 52, "M": 12, "Y": 1}[unit]
    return f"{YEARS_MAX:03}Y" if count >= YEARS_MAX * years else text


def _numbers(value: Any) -> Any:
    many = list(value)[:VALUES_MAX] if isinstance(value, MultiValue) else [value]
    kept = [number for one in many if (number := _number(one)) is not None]
    return kept if len(kept) > 1 else kept[0] if kept else None


def _number(value: Any) -> int | float | None:
    if value is None or value == "":
        return None
    number = float(value)
    if not abs(number) <= NUMBER_MAX:
        return None
    return int(number) if isinstance(value, int) else float(f"{number:.6g}")


def _text(sent: Dataset, keyword: str) -> str:
    value = sent.get(keyword)
    return "" if value is None else str(value).strip()
