"""Pure: ``clean(request) -> Cleaned``: one image's bytes in, its pixels or a reason out."""

import re
import struct
import warnings
import zlib
from datetime import UTC, datetime, timedelta, timezone
from io import BytesIO
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.multival import MultiValue

from services.privacy.imaging import dicom, lossless, refusals
from services.privacy.imaging.body_parts import is_photograph, subject_of
from services.privacy.imaging.burned_in import LETTERS_MIN, LETTERS_MIN_WARY, shows_text
from services.privacy.imaging.dicom import Patient
from services.privacy.imaging.pixels import Window, check_size, looked_at, one_channel, png_of
from services.privacy.imaging.refusals import ImageRefused

DICOM = "application/dicom"
PICTURES = {"image/png": "PNG", "image/jpeg": "JPEG"}
GREY_MODES = frozenset({"1", "L", "LA", "I;16", "I;16B", "I;16L", "I"})
DATES = (
    ("AcquisitionDate", "AcquisitionTime"),
    ("ContentDate", "ContentTime"),
    ("SeriesDate", "SeriesTime"),
    ("StudyDate", "StudyTime"),
)
BAD_BYTES = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    OSError,
    EOFError,
    SyntaxError,
    RuntimeError,
    AssertionError,
    struct.error,
    zlib.error,
    BytesLengthException,
    InvalidDicomError,
    Warning,
)  # what the two decoders are known to raise on them


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One image as sent, what its message says of it, and what the patient key gives for it."""

    content: bytes
    media_type: str
    said: tuple[str, ...] = ()
    shift_days: int
    uid_key: bytes
    bytes_max: int


class Cleaned(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The pixels as ``contracts.deidentified.CleanImage`` has them, or ``held``, the reason."""

    png: bytes = b""
    width: int = 0
    height: int = 0
    modality: str = ""
    body_part: str = ""
    view: str = ""
    laterality: str = ""
    acquired_at_ms: int | None = None
    study: str = ""
    series: str = ""
    held: str = ""


def clean(request: Request) -> Cleaned:
    """Return the image without who it is of, or the reason why not. Any bytes have an answer."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            if request.media_type == DICOM:
                return _dicom(request)
            if request.media_type in PICTURES:
                return _picture(request)
    except ImageRefused as refused:
        return Cleaned(held=refused.code)
    except (MemoryError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        return Cleaned(held=refusals.TOO_LARGE)
    except BAD_BYTES:
        return Cleaned(held=refusals.UNDECODABLE)
    return Cleaned(held=refusals.UNSUPPORTED)


def _dicom(request: Request) -> Cleaned:
    sent = dicom.read(request.content)
    dicom.refuse_unfit(sent)
    shown = dicom.subject(sent, request.said)
    kept = dicom.by_profile(sent, Patient(request.shift_days, request.uid_key))
    grey = looked_at(_stored(sent), _window(kept))
    _refuse_text(grey, is_wary=dicom.is_often_with_text(sent))
    png, width, height = png_of(grey, request.bytes_max)
    return Cleaned(
        png=png,
        width=width,
        height=height,
        modality=kept.Modality,
        body_part=shown.part,
        view=kept.get("ViewPosition") or "",
        laterality=kept.get("ImageLaterality") or kept.get("Laterality") or "",
        acquired_at_ms=_acquired_at_ms(kept),
        study=str(kept.get("StudyInstanceUID") or ""),
        series=str(kept.get("SeriesInstanceUID") or ""),
    )


def _stored(sent: Dataset) -> NDArray[Any]:
    """Return the stored values, the bits above them (in which old overlays lie) taken off."""
    check_size(sent.Columns, sent.Rows)
    if sent.PhotometricInterpretation == "PALETTE COLOR":
        raise ImageRefused(refusals.PHOTOGRAPH)
    syntax = sent.file_meta.TransferSyntaxUID
    is_lossless = lossless.is_readable(syntax)
    if syntax not in READ and not is_lossless:
        raise ImageRefused(refusals.UNSUPPORTED)
    values = lossless.decoded(sent) if is_lossless else one_channel(np.asarray(sent.pixel_array))
    stored, allocated = int(sent.BitsStored), int(sent.BitsAllocated)
    if not 1 < stored <= allocated <= 16 or sent.HighBit != stored - 1:
        raise ImageRefused(refusals.UNSUPPORTED)
    if stored == allocated or syntax not in NATIVE:
        return values
    values = values & ((1 << stored) - 1)
    if sent.PixelRepresentation:
        values = np.where(values >= 1 << (stored - 1), values - (1 << stored), values)
    return values


NATIVE = frozenset(
    {
        "1.2.840.10008.1.2",
        "1.2.840.10008.1.2.1",
        "1.2.840.10008.1.2.1.99",
        "1.2.840.10008.1.2.2",
        "1.2.840.10008.1.2.5",
    }
)  # implicit, explicit, deflated, big endian, RLE
READ = NATIVE | {
    "1.2.840.10008.1.2.4.50",
    "1.2.840.10008.1.2.4.51",
    "1.2.840.10008.1.2.4.90",
    "1.2.840.10008.1.2.4.91",
}  # JPEG baseline and extended, JPEG 2000


def _window(kept: Dataset) -> Window:
    slope, intercept = _first(kept, "RescaleSlope"), _first(kept, "RescaleIntercept")
    return Window(
        slope=1.0 if slope is None or slope == 0 else slope,
        intercept=intercept or 0.0,
        centre=_first(kept, "WindowCenter"),
        width=_first(kept, "WindowWidth"),
        is_inverted=kept.get("PhotometricInterpretation") == "MONOCHROME1",
    )


def _first(kept: Dataset, keyword: str) -> float | None:
    value = kept.get(keyword)
    if value is None:
        return None
    return float(value[0] if isinstance(value, MultiValue) else value)


def _acquired_at_ms(kept: Dataset) -> int | None:
    """Return when it was made, days moved already; a time without a zone counts as UTC."""
    both = str(kept.get("AcquisitionDateTime") or "")
    said = [(both[:8], re.split(r"[+-]", both[8:])[0])] if both else []
    said += [(str(kept.get(day) or ""), str(kept.get(time) or "")) for day, time in DATES]
    day, time = next(((day, time) for day, time in said if day), ("", ""))
    if not day:
        return None
    zone = str(kept.get("TimezoneOffsetFromUTC") or "+0000")
    if both and both[-5] in "+-":
        zone = both[-5:]
    minutes = int(zone[:1] + "1") * (int(zone[1:3]) * 60 + int(zone[3:]))
    clock = (time.split(".")[0] + "000000")[:6]
    at = datetime.strptime(day + clock, "%Y%m%d%H%M%S")  # noqa: DTZ007 - the zone comes next
    at = at.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    return round((at - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)


def _picture(request: Request) -> Cleaned:
    """Return a PNG or JPEG, which itself says nothing of what it shows: its message has to."""
    shown = subject_of("", (), request.said)
    if shown.head:
        raise ImageRefused(refusals.SHOWS_FACE)
    if not shown.part:
        raise ImageRefused(refusals.UNKNOWN_SUBJECT)
    if is_photograph(request.said):
        raise ImageRefused(refusals.PHOTOGRAPH)
    with Image.open(BytesIO(request.content), formats=[PICTURES[request.media_type]]) as sent:
        check_size(*sent.size)
        if getattr(sent, "n_frames", 1) != 1:
            raise ImageRefused(refusals.UNSUPPORTED)
        sent.load()
        grey = looked_at(_values(ImageOps.exif_transpose(sent)), _full_range(sent.mode))
    _refuse_text(grey, is_wary=False)
    png, width, height = png_of(grey, request.bytes_max)
    return Cleaned(png=png, width=width, height=height, body_part=shown.part)


def _values(sent: Image.Image) -> NDArray[Any]:
    if sent.mode in {"1", "LA"}:
        sent = sent.convert("L")
    if sent.mode not in GREY_MODES:
        sent = sent.convert("RGB")
    return one_channel(np.asarray(sent))


def _full_range(mode: str) -> Window:
    """Return the window of an 8-bit picture, all of it; of 16 bits by the values."""
    return Window() if mode.startswith("I") else Window(centre=128.0, width=256.0)


def _refuse_text(grey: NDArray[np.float32], *, is_wary: bool) -> None:
    if shows_text(grey, LETTERS_MIN_WARY if is_wary else LETTERS_MIN):
        raise ImageRefused(refusals.SHOWS_TEXT)
