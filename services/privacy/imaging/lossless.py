"""Pure: the values of JPEG lossless and JPEG-LS, which radiographs are often kept in.

By imagecodecs (liblj92, CharLS), where it is installed. What the code stream says of its size is
compared with the file's own word first: a decoder makes room by it.
"""

import importlib
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import get_frame

from services.privacy.imaging import refusals
from services.privacy.imaging.refusals import ImageRefused

NEAR_LOSSLESS = "1.2.840.10008.1.2.4.81"
SYNTAXES = {
    "1.2.840.10008.1.2.4.57": "ljpeg",
    "1.2.840.10008.1.2.4.70": "ljpeg",
    "1.2.840.10008.1.2.4.80": "jpegls",
    NEAR_LOSSLESS: "jpegls",
}
FRAME_HEADERS = {0xC3: "ljpeg", 0xF7: "jpegls"}  # SOF3, SOF55
SEGMENTS_MAX = 100


def is_readable(syntax: str) -> bool:
    """Return whether ``syntax`` is one of these, and can be read here."""
    return syntax in SYNTAXES and find_spec("imagecodecs") is not None


def decoded(sent: Dataset) -> NDArray[Any]:
    """Return the values of the one frame. Raises ``ImageRefused``, and what imagecodecs raises."""
    syntax = sent.file_meta.TransferSyntaxUID
    if syntax == NEAR_LOSSLESS and sent.PixelRepresentation:
        raise ImageRefused(refusals.UNSUPPORTED)  # an error of one level may turn white to black
    frame = get_frame(sent.PixelData, 0, number_of_frames=1)
    if _frame_header(frame) != (SYNTAXES[syntax], sent.Rows, sent.Columns, 1):
        raise ImageRefused(refusals.UNDECODABLE)
    decode = getattr(importlib.import_module("imagecodecs"), f"{SYNTAXES[syntax]}_decode")
    values: NDArray[Any] = np.asarray(decode(frame))
    if values.shape != (sent.Rows, sent.Columns) or values.dtype.kind != "u":
        raise ImageRefused(refusals.UNDECODABLE)
    bits = int(sent.BitsStored)  # above them old overlays may lie
    values = values.astype(np.int32) & ((1 << bits) - 1)
    if sent.PixelRepresentation:
        values = np.where(values >= 1 << (bits - 1), values - (1 << bits), values)
    return values


def _frame_header(frame: bytes) -> tuple[str, int, int, int]:
    """Return process, lines, signs a line and components, as the code stream says (ITU-T T.81,
    B.2.2); ``ImageRefused`` where it says nothing.
    """
    at = 2
    for _ in range(SEGMENTS_MAX):
        marker, size = frame[at + 1], int.from_bytes(frame[at + 2 : at + 4], "big")
        if frame[at] != 0xFF or size < 2:
            break
        if marker in FRAME_HEADERS:
            lines = int.from_bytes(frame[at + 5 : at + 7], "big")
            signs = int.from_bytes(frame[at + 7 : at + 9], "big")
            return FRAME_HEADERS[marker], lines, signs, frame[at + 9]
        at += 2 + size
    raise ImageRefused(refusals.UNDECODABLE)
