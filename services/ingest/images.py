"""Which attachments are images, by their first bytes, and what names one. Pure."""

import hashlib
from typing import Final

from contracts.identified import Image

# Of one patient in one message: privacy cleans eight of an event and names why it held the others.
IMAGES_MAX: Final = 64
TOO_MANY_IMAGES: Final = "too_many_images"
TOO_MANY_TEXT: Final = "more attachments than are looked at: they stay in the raw message"

PNG, JPEG, DICOM, DICOM_AT = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"DICM", 128


def named(content: bytes, about: int, kind: str = "") -> list[Image]:
    """Return what names an image: its kind, size and hash; nothing for what is none."""
    media_type = _media_type(content)
    if not media_type:
        return []
    digest = hashlib.sha256(content).hexdigest()
    return [Image(about=about, media_type=media_type, bytes=len(content), sha256=digest, kind=kind)]


def _media_type(content: bytes) -> str:
    if content.startswith(PNG):
        return "image/png"
    if content.startswith(JPEG):
        return "image/jpeg"
    is_dicom = content[DICOM_AT : DICOM_AT + len(DICOM)] == DICOM
    return "application/dicom" if is_dicom else ""
