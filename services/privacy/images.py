"""The images of an event: found in its raw bytes, cleaned in the decoding process, or held back."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from contracts.deidentified import DEIDENTIFIED, CleanImage, DeidentifiedEvent
from contracts.identified import IdentifiedBody, Image
from contracts.observation import Observation
from plumbing.clock import Clock
from plumbing.errors import MalformedEvent
from plumbing.event_log import EventReader
from services.privacy import metrics
from services.privacy.blobs import read_blob
from services.privacy.dates import AGE_MS_MAX
from services.privacy.fitting import EVENT_BYTES_MAX, fitted
from services.privacy.image_time import ImageTime
from services.privacy.imaging import refusals
from services.privacy.imaging.cleaning import Cleaned, Request
from services.privacy.imaging.decoder import Decoder
from services.privacy.patient_keys import PatientKey
from services.privacy.raw_images import images_in
from services.privacy.seals import Seals
from services.privacy.vault import Vault, Wanted

IMAGES_MAX = 8  # of an event; more are held back
IMAGE_BYTES_MAX = 256 * 1024
EVENT_IMAGES_BYTES_MAX = 384 * 1024  # shared in equal parts by the images of an event
FOR_NOTHING = frozenset({refusals.TOO_SLOW, refusals.DECODER_FAILED})


@dataclass(frozen=True)
class ImageDesk:
    """What images are cleaned with."""

    reader: EventReader
    seals: Seals
    decoder: Decoder
    clock: Clock
    event_s: float
    busy: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def cleaned(
        self, body: IdentifiedBody, key: PatientKey, time: ImageTime, source: str
    ) -> tuple[CleanImage, ...]:
        """Return the images of an event, each with its pixels or the reason why without.

        Raises ``Unavailable`` when the raw bytes lie apart and Kafka cannot be read.
        """
        wanted = body.images[:IMAGES_MAX]
        contents = await self._contents(body, wanted, self.clock.now_ms())
        done = []
        spent_s = 0.0
        for image in wanted:
            request = _request(image, contents.get(image.sha256), body, key, len(wanted))
            if request is None:
                done.append(held(image, refusals.NOT_HERE))
                continue
            left_s = time.left_s(source, spent_s)
            if left_s <= 0:
                done.append(held(image, refusals.NO_TIME))
                continue
            with metrics.IMAGE_SECONDS.time():
                found, took_s = await self._cleaned(request, left_s)
            spent_s += took_s
            if found.held in FOR_NOTHING:
                time.lost(source, took_s)
            done.append(clean_image(image, found, body.occurred_at_ms - key.shift_ms))
        return (*done, *(held(image, refusals.NO_ROOM) for image in body.images[IMAGES_MAX:]))

    async def _cleaned(self, request: Request, seconds_max: float) -> tuple[Cleaned, float]:
        """Return what became of an image and what that took, the wait for others not counted."""
        async with self.busy:
            begun_s = self.clock.monotonic_s()
            found = await asyncio.to_thread(self.decoder.clean, request, seconds_max)
            return found, self.clock.monotonic_s() - begun_s

    async def _contents(
        self, body: IdentifiedBody, wanted: Sequence[Image], now_ms: int
    ) -> Mapping[str, bytes]:
        raw = body.raw
        if body.raw_blob is not None:
            try:
                raw = await read_blob(self.reader, self.seals, body.raw_blob, now_ms)
            except MalformedEvent:
                return {}
        hashes = {image.sha256 for image in wanted}
        return await asyncio.to_thread(images_in, raw, hashes, body.charset)


def held(image: Image, reason: str) -> CleanImage:
    """Return an image without its pixels."""
    return CleanImage(about=image.about, held=reason)


Images = dict[tuple[int, str], tuple[CleanImage, ...]]  # by offset and token of their event


class Opened(Protocol):
    """An event that was opened, as the stage has it."""

    @property
    def offset(self) -> int:
        """Where it stands."""

    @property
    def body(self) -> IdentifiedBody:
        """What it says."""

    @property
    def link(self) -> str:
        """The vault's name for its patient."""

    @property
    def source(self) -> str:
        """Who sent it."""


class Site(Protocol):
    """What the stage has that images need; without ``images`` none passes."""

    @property
    def images(self) -> ImageDesk | None:
        """Where they are cleaned."""

    @property
    def vault(self) -> Vault:
        """Where the patient keys are."""


async def images_of(
    opened: Sequence[Opened], site: Site, wanted: Wanted, joins: Sequence[tuple[str, str]]
) -> Images:
    """Return the images of the events that have some: most have none. Raises ``Unavailable``."""
    with_some = [item for item in opened if item.body.images]
    if not with_some:
        return {}
    people, _ = await site.vault.people(wanted, joins)
    time = ImageTime(site.images.event_s if site.images else 0)
    found = {}
    for item in with_some:
        if item.link in people:
            key, body = people[item.link].key, item.body
            found[item.offset, key.token] = (
                tuple(held(image, refusals.OFF) for image in body.images)
                if site.images is None
                else await site.images.cleaned(body, key, time, item.source)
            )
    return found


def with_images(
    event: DeidentifiedEvent, body: IdentifiedBody, images: tuple[CleanImage, ...] | None
) -> tuple[DeidentifiedEvent, bytes]:
    """Return the event with its images, and its record: the last are held back if it is large, then
    its longest texts.

    Without any (its patient got another key meanwhile) those of ``body`` are held back.
    """
    if images is None:
        images = tuple(held(image, refusals.NOT_HERE) for image in body.images)
    event = msgspec.structs.replace(event, images=images)
    value = DEIDENTIFIED.encode(event)
    for at in reversed(range(len(images))):
        if len(value) <= EVENT_BYTES_MAX:
            break
        if event.images[at].png is not None:
            bare = CleanImage(about=images[at].about, held=refusals.NO_ROOM)
            kept = (*event.images[:at], bare, *event.images[at + 1 :])
            event = msgspec.structs.replace(event, images=kept)
            value = DEIDENTIFIED.encode(event)
    return fitted(event, value)


def count_images(event: DeidentifiedEvent) -> None:
    """Count what became of each image of an event."""
    for image in event.images:
        metrics.IMAGES.labels(image.held or "passed").inc()


def _request(
    image: Image, content: bytes | None, body: IdentifiedBody, key: PatientKey, among: int
) -> Request | None:
    if content is None:
        return None
    about = next((one for one in body.observations if one.index == image.about), None)
    return Request(
        content=content,
        media_type=image.media_type,
        said=(image.kind, *_said(about)),
        shift_days=key.shift_days,
        uid_key=bytes.fromhex(key.pseudonym("image", "uids")),
        bytes_max=min(IMAGE_BYTES_MAX, EVENT_IMAGES_BYTES_MAX // among),
    )


def _said(about: Observation | None) -> tuple[str, ...]:
    return () if about is None else (about.code.text, about.code.code)


def clean_image(image: Image, found: Cleaned, occurred_at_ms: int) -> CleanImage:
    """Return what leaves of an image of an event at ``occurred_at_ms``, moved as its own time is;
    without that time where it tells an age over 89.
    """
    if found.held:
        return held(image, found.held)
    at_ms = found.acquired_at_ms
    is_told = at_ms is not None and occurred_at_ms - at_ms < AGE_MS_MAX
    return CleanImage(
        about=image.about,
        png=found.png,
        width=found.width,
        height=found.height,
        modality=found.modality,
        body_part=found.body_part,
        view=found.view,
        laterality=found.laterality,
        acquired_at_ms=at_ms if is_told else None,
        study=found.study,
        series=found.series,
    )
