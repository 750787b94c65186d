"""Synthetic chest radiographs, with letters in them or without, as pixels, PNG and DICOM.

They look like a radiograph to a detector of letters and to nobody else: a body, two lungs, ribs,
a spine, a heart, texture, noise, and at times a collimator's edge, a lead and a side marker.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian
from scipy import ndimage

Grey = NDArray[np.float32]

CHEST_CR = "1.2.840.10008.5.1.4.1.1.1"


@dataclass(frozen=True)
class Print:
    """Letters to put into an image: their height, contrast (None: full), writing direction."""

    text: str
    letter_pixels: int
    contrast: float | None = None
    is_turned: bool = False
    font: Path | None = None  # None: the one that comes with Pillow, which is Latin


def radiograph(rng: np.random.Generator, edge_pixels: int) -> Grey:
    """Return a square image, 0 to 255, without letters but for one at times."""
    n = edge_pixels
    y, x = (np.mgrid[0:n, 0:n] / n).astype(np.float32)
    grey = 20 + 140 * np.exp(-(((x - 0.5) / 0.38) ** 4 + ((y - 0.55) / 0.5) ** 4))
    for centre in (0.32, 0.68):
        lung = ((x - centre) / 0.13) ** 2 + ((y - 0.48) / 0.26) ** 2
        grey -= 90 * np.exp(-(lung**2))
    ribs = rng.integers(7, 11)
    for rib in range(ribs):
        line = 0.2 + 0.65 * rib / ribs + 0.12 * np.abs(x - 0.5) * rng.uniform(0.6, 1.3)
        bone = np.exp(-(((y - line) / rng.uniform(0.006, 0.014)) ** 2))
        grey += rng.uniform(10, 28) * bone * (np.abs(x - 0.5) < 0.38)
    spine = np.exp(-(((x - 0.5) / 0.035) ** 2))
    grey += 30 * spine * (1 + 0.4 * np.sin(y * rng.uniform(70, 110)))
    grey += 40 * np.exp(-(((x - 0.56) / 0.1) ** 2 + ((y - 0.62) / 0.13) ** 2))
    for scale, strength in ((150, 6), (60, 8)):
        texture = ndimage.gaussian_filter(rng.normal(size=(n, n)).astype(np.float32), n / scale)
        grey += strength * texture / texture.std()
    grey += rng.normal(0, rng.uniform(0.5, 5), (n, n)).astype(np.float32)
    return _with_things(rng, np.clip(grey, 0, 255).astype(np.float32))


def _with_things(rng: np.random.Generator, grey: Grey) -> Grey:
    """Return the image with what lies on a patient, or on the plate."""
    n = len(grey)
    if rng.random() < 0.6:  # the collimator
        edge = max(1, int(n * rng.uniform(0.02, 0.08)))
        outside = np.ones((n, n), dtype=bool)
        outside[edge:-edge, edge:-edge] = False
        grey = np.where(outside, rng.uniform(0, 5), grey).astype(np.float32)
    image = Image.fromarray(grey.astype(np.uint8))
    draw = ImageDraw.Draw(image)
    if rng.random() < 0.5:  # a lead or a tube
        along = np.linspace(0, 1, 400)
        across = 0.3 + 0.3 * np.sin(along * rng.uniform(2, 6)) + rng.uniform(-0.1, 0.1)
        points = [(float(a) * n, float(b) * n) for a, b in zip(along, across, strict=True)]
        draw.line(points, fill=int(rng.uniform(200, 255)), width=max(1, n // 300))
    if rng.random() < 0.5:
        marker = str(rng.choice(["L", "R"]))
        draw.text((n * 0.08, n * 0.1), marker, fill=255, font=ImageFont.load_default(n / 14))
    return np.asarray(image, dtype=np.float32)


def with_print(rng: np.random.Generator, grey: Grey, what: Print) -> Grey:
    """Return the image with a line of letters near its upper or lower edge."""
    image = Image.fromarray(grey.astype(np.uint8))
    if what.is_turned:
        image = image.transpose(Image.Transpose.ROTATE_90)
    draw = ImageDraw.Draw(image)
    size = what.letter_pixels
    font = ImageFont.truetype(what.font, size) if what.font else ImageFont.load_default(float(size))
    width, height = image.size
    long = draw.textlength(what.text, font=font)
    x = rng.uniform(2, max(3.0, width - long - 2))
    y = rng.choice([rng.uniform(1, height * 0.15), rng.uniform(height * 0.8, height - size * 1.4)])
    under = np.asarray(image)[int(y) : int(y) + size, int(x) : int(x + long)].mean()
    sign = 1 if under < 150 else -1
    far = 255 if sign > 0 else 0
    fill = far if what.contrast is None else int(np.clip(under + sign * what.contrast, 0, 255))
    draw.text((float(x), float(y)), what.text, fill=fill, font=font)
    if what.is_turned:
        image = image.transpose(Image.Transpose.ROTATE_270)
    return np.asarray(image, dtype=np.float32)


def as_png(grey: Grey) -> bytes:
    """Return the image as an 8-bit PNG."""
    file = BytesIO()
    Image.fromarray(grey.astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


def as_dicom(grey: Grey, attributes: Mapping[str, Any], syntax: str = "") -> bytes:
    """Return the image as a DICOM file, 12 bits stored in 16; ``attributes`` by keyword."""
    image = Dataset()
    image.SOPClassUID, image.SOPInstanceUID = CHEST_CR, "1.2.276.0.7230010.3.1.4.1"
    image.Modality, image.PatientName, image.PatientID = "CR", "", ""
    image.Rows, image.Columns = grey.shape
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.BitsAllocated, image.BitsStored, image.HighBit = 16, 12, 11
    image.PixelRepresentation = 0
    image.PixelData = (grey * 16).astype("<u2").tobytes()
    image["PixelData"].VR = "OW"
    with disable_value_validation():  # devices send what the standard does not allow
        for keyword, value in attributes.items():
            setattr(image, keyword, value)
        return file_of(image, syntax or ExplicitVRLittleEndian)


def file_of(image: Dataset, syntax: str) -> bytes:
    """Return a data set as a DICOM file."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = UID(syntax)
    meta.MediaStorageSOPClassUID = image.SOPClassUID
    meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID
    file = BytesIO()
    whole = FileDataset(file, image, file_meta=meta, preamble=b"\0" * 128)
    whole.save_as(file, enforce_file_format=True)
    return file.getvalue()
