"""Reading back what ingest laid apart: the bytes of a large message, part by part."""

import msgspec

from contracts.blobs import BLOBS
from contracts.identified import BlobRef
from plumbing.errors import MalformedEvent
from plumbing.event_log import EventReader
from services.privacy.seals import Seals


async def read_blob(reader: EventReader, seals: Seals, ref: BlobRef, now_ms: int) -> bytes:
    """Return the bytes that ``ref`` points at.

    Raises ``MalformedEvent``: ``blob_expired``, ``blob_undecodable``, or as ``Seals.unseal``;
    ``Unavailable``.
    """
    pieces: list[bytes] = []
    end = await reader.end_offset(BLOBS.name, ref.partition)
    async for records in reader.read(BLOBS.name, ref.partition, ref.offset, end):
        for record in records:
            try:
                part = BLOBS.decode(record.value or b"")
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise MalformedEvent("blob_undecodable") from error
            if part.blob_id == ref.blob_id and part.part == len(pieces):
                pieces.append(seals.unseal_part(part, now_ms))
            if len(pieces) == ref.parts:
                return b"".join(pieces)
    raise MalformedEvent("blob_expired")
