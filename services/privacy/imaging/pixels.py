"""Pure: pixels in, the 8-bit grey picture that a model needs out; as PNG without anything else."""

import struct
import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from services.privacy.imaging import refusals
from services.privacy.imaging.burned_in import Grey
from services.privacy.imaging.refusals import ImageRefused

PIXELS_MAX = 25_000_000  # the largest detectors have 23 million
EDGE_PIXELS_MIN = 16
LOOKED_EDGE_MAX = 1024  # what letters are looked for in: twice what leaves, so that what can be
OUT_EDGE_MAX = 512  # read there was large enough to be found
SMALLER = (1.0, 0.75, 0.5, 0.375, 0.25)  # tried in turn until the file fits
COLOUR_LEVELS = 12  # of 255, by which the channels of a grey pixel may differ
COLOURED_SHARE_MAX = 0.001
TAILS = (0.5, 99.5)  # per cent: the window of an image that brings none
SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY_8_BIT = bytes((8, 0, 0, 0, 0))  # depth, colour type, compression, filter, interlace


class Window(NamedTuple):
    """How stored values become grey: slope, intercept, centre and width (None: by the values)."""

    slope: float = 1.0
    intercept: float = 0.0
    centre: float | None = None
    width: float | None = None
    is_inverted: bool = False


def check_size(width: int, height: int) -> None:
    """Raise ``ImageRefused`` for an image that is too large, or too small to be one."""
    if width * height > PIXELS_MAX:
        raise ImageRefused(refusals.TOO_LARGE)
    if min(width, height) < EDGE_PIXELS_MIN:
        raise ImageRefused(refusals.UNDECODABLE)


def one_channel(values: NDArray[Any]) -> NDArray[Any]:
    """Return (height, width) of an image whose channels say the same; else it is a photograph."""
    if values.ndim == 2:
        return values
    if values.ndim != 3 or values.shape[2] != 3:
        raise ImageRefused(refusals.UNSUPPORTED)
    spread = values.max(axis=2).astype(np.int64) - values.min(axis=2)
    limit = COLOUR_LEVELS * (1 if values.dtype.itemsize == 1 else 257)
    if (spread > limit).mean() > COLOURED_SHARE_MAX:
        raise ImageRefused(refusals.PHOTOGRAPH)
    return np.asarray(values[:, :, 1])


def looked_at(values: NDArray[Any], window: Window) -> Grey:
    """Return the picture as grey levels 0 to 255, at most 1024 pixels an edge.

    What leaves is made of this picture alone.
    """
    grey = _shrunk(values) * np.float32(window.slope) + np.float32(window.intercept)
    if not np.isfinite(grey).all():
        raise ImageRefused(refusals.UNDECODABLE)
    low, high = _limits(grey, window)
    grey = np.clip((grey - low) / (high - low), 0, 1) * 255
    return np.asarray(np.rint(255 - grey if window.is_inverted else grey), dtype=np.float32)


def png_of(grey: Grey, bytes_max: int) -> tuple[bytes, int, int]:
    """Return the picture as PNG with its width and height, at most 512 pixels an edge.

    It is made smaller until it fits ``bytes_max``; ``ImageRefused`` where it does not.
    """
    sent = Image.fromarray(grey.astype(np.uint8))
    for scale in _scales(max(sent.size)):
        width, height = (max(1, round(edge * scale)) for edge in sent.size)
        size = (width, height)
        picture = sent if scale == 1 else sent.resize(size, Image.Resampling.BOX)
        file = BytesIO()
        Image.fromarray(np.asarray(picture)).save(file, "PNG")
        if file.tell() <= bytes_max:
            return file.getvalue(), *picture.size
    raise ImageRefused(refusals.NO_ROOM)


def is_bare_png(png: bytes, width: int, height: int) -> bool:
    """Return whether this is a whole 8-bit grey PNG of that size with pixels and nothing else.

    For who does not trust the maker: no other chunk, none after the end, each sum right, as many
    pixels as the header says.
    """
    if not png.startswith(SIGNATURE) or not 0 < width <= OUT_EDGE_MAX >= height > 0:
        return False
    at, names, data = len(SIGNATURE), [], b""
    while at + 12 <= len(png):
        size, name = struct.unpack_from(">I4s", png, at)
        body = png[at + 8 : at + 8 + size]
        if png[at + 8 + size : at + 12 + size] != struct.pack(">I", zlib.crc32(name + body)):
            return False
        if name == b"IHDR" and body != struct.pack(">II", width, height) + GREY_8_BIT:
            return False
        data += body if name == b"IDAT" else b""
        names.append(name)
        at += 12 + size
    is_framed = names[:1] == [b"IHDR"] and names[-1:] == [b"IEND"] and at == len(png)
    return is_framed and set(names[1:-1]) == {b"IDAT"} and _holds(data, (width + 1) * height)


def _holds(data: bytes, count: int) -> bool:
    unpacker = zlib.decompressobj()
    try:
        found = unpacker.decompress(data, count + 1)
    except zlib.error:
        return False
    return len(found) == count and unpacker.eof and not unpacker.unused_data


def _scales(edge: int) -> Iterator[float]:
    first = min(1.0, OUT_EDGE_MAX / edge)
    return (first * smaller for smaller in SMALLER)


def _shrunk(values: NDArray[Any]) -> Grey:
    factor = -(-max(values.shape) // LOOKED_EDGE_MAX)
    if factor == 1:
        return values.astype(np.float32)
    height, width = (edge // factor for edge in values.shape)
    if min(height, width) < 1:
        raise ImageRefused(refusals.UNDECODABLE)
    blocks = values[: height * factor, : width * factor].reshape(height, factor, width, factor)
    return np.asarray(blocks.mean(axis=(1, 3), dtype=np.float32))


def _limits(grey: Grey, window: Window) -> tuple[float, float]:
    if window.centre is not None and window.width is not None and window.width >= 1:
        low = window.centre - 0.5 - (window.width - 1) / 2  # PS3.3, C.11.2.1.2.1
        high = low + max(window.width - 1, 1)
        if ((grey > low) & (grey < high)).any():
            return low, high
    low, high = (float(edge) for edge in np.percentile(grey, TAILS))
    return (low, high) if high > low else (low, low + 1)
