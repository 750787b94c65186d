"""The composition root of privacy: the one place that knows all its parts."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

from redis.asyncio import Redis

from contracts.identified import IDENTIFIED
from contracts.relations import RELATIONS
from plumbing import log
from plumbing.clock import Clock
from plumbing.errors import Unavailable
from plumbing.event_log import EventReader, EventWriter
from plumbing.http_server import WebServer
from plumbing.stage import Subscription
from plumbing.stream import StreamApp, build_stream_app, run_stream
from services.privacy.audit import Answers
from services.privacy.entitled import Allowance
from services.privacy.erasing import Eraser
from services.privacy.erasure_book import ErasureBook
from services.privacy.erasure_desk import ErasureDesk
from services.privacy.images import ImageDesk
from services.privacy.imaging.decoder import Decoder
from services.privacy.keks import KekStore, KeyRing
from services.privacy.keks_pkcs11 import Pkcs11Keks, read_pin
from services.privacy.key_files import PrivacyKeys, load_privacy_keys
from services.privacy.links import LinkBook
from services.privacy.mirror import Mirror, last_stands
from services.privacy.people import PeopleCodec
from services.privacy.rejected import RejectedDesk
from services.privacy.resolve import Desk, Limits, build_http
from services.privacy.rewrap import Rewrap
from services.privacy.rotation import Rotation
from services.privacy.seals import Seals
from services.privacy.settings import GROUP, PrivacySettings
from services.privacy.site_recognizers import load_recognizers
from services.privacy.spans import Finder, ManyFinder
from services.privacy.stage import DeidentifyStage, Parts
from services.privacy.tagger.manifest import load_tagger
from services.privacy.vault import Vault

RETRY_S = 1.0

_log = log.get("privacy")


class Privacy:
    """The running service."""

    def __init__(
        self, settings: PrivacySettings, writer: EventWriter, reader: EventReader, clock: Clock
    ) -> None:
        """Read the keys (``KeyMissing``) and the tagger (``TaggerRefused``), the site's
        recognisers (``RecognizersRefused``), and wire the parts; nothing is connected yet.
        """
        self.settings = settings
        self._writer, self._reader, self.clock = writer, reader, clock
        self._keys = load_privacy_keys(settings.keys_dir, settings.kek_dir, _keks(settings))
        self.redis = Redis.from_url(
            settings.redis_url,
            socket_timeout=settings.redis_timeout_s,
            socket_connect_timeout=settings.redis_timeout_s,
        )
        self._codec = codec = PeopleCodec(KeyRing(self._keys.keks), self._keys.index, os.urandom)
        self.vault = Vault(self.redis, writer, reader, codec)
        self.links = LinkBook(self.redis, writer, reader)
        self._decoder = Decoder(settings.image_timeout_s, settings.image_memory_bytes_max)
        self.relations = Mirror(RELATIONS.name, self.redis, writer, reader, last_stands)
        seals = Seals(settings.keys_dir, settings.sealed_days)
        self.stage = DeidentifyStage(_parts(self, self._keys, seals))
        self.rotation = Rotation(
            settings.keys_dir,
            settings.sealed_days,
            clock,
            os.urandom,
            makes_keys=settings.makes_sealing_keys,
        )
        self.eraser = self._eraser()
        self._http: WebServer | None = None
        self._stream: StreamApp | None = None

    @property
    def http_port(self) -> int:
        """The port of the resolve API once it listens."""
        return self._http.port if self._http else 0

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until ``stop`` is set, then drain. Raises what the stream raises."""
        settings = self.settings
        self.rotation.turn()
        self._http = WebServer(self.web(), settings.http_host, settings.http_port)
        await self._http.begin()
        tasks = [_beside(self.rotation.keep(), stop)]
        try:
            if await self.open_mirrors(stop):
                tasks.append(_beside(self.eraser.keep(), stop))
                subscription = Subscription(IDENTIFIED, self.stage.handle)
                self._stream = build_stream_app(
                    settings.stream(GROUP), [subscription], self._writer, self.clock
                )
                _log.info("De-identifying", port=self.http_port)
                await run_stream(self._stream, stop)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            await self._http.end()
        for task in tasks:
            if not task.cancelled():
                task.result()

    async def close(self) -> None:
        """Close the connections."""
        self._decoder.close()
        await self._writer.close()
        await self._reader.close()
        await self.redis.aclose()

    async def open_mirrors(self, stop: asyncio.Event) -> bool:
        """Catch up with the vault, links and relations; False when told to stop meanwhile."""
        while not stop.is_set():
            try:
                await self.vault.open()
                await self.links.mirror.open()
                await self.relations.open()
            except Unavailable as error:
                _log.warning("The vault cannot be read yet", error=error)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), RETRY_S)
            else:
                return True
        return False

    def _streams(self) -> bool:
        return self._stream is not None and self._stream.ready

    def web(self) -> Callable[..., object]:
        """Return the web application, with an audit chain of its own."""
        kept = self.settings.checkpoints()
        kept.prepare()
        answers = Answers(self._writer, self._keys.audit, kept, self.clock, os.urandom)
        checks = {
            "vault": lambda: self.vault.mirror.is_open and self.links.mirror.is_open,
            "stream": self._streams,
        }
        keys, clock = self._keys, self.clock
        seals = Seals(self.settings.keys_dir, self.settings.sealed_days)
        desk = Desk(
            self.vault, self.links, self.relations, answers, keys.staff, clock, self._limits()
        )
        opened = Allowance(self.settings.rejected_per_hour_max)
        refused = RejectedDesk(
            self._reader, self._writer, seals, answers, keys.staff, clock, opened
        )
        book, eraser = self.eraser.book, self.eraser
        wanted = Allowance(self.settings.erasures_per_hour_max)
        erasures = ErasureDesk(
            book, self.vault, self.links, eraser, answers, keys.staff, clock, os.urandom, wanted
        )
        routes = [
            *desk.routes(keys.resolve_token),
            *refused.routes(keys.operator_token),
            *erasures.routes(keys.officer_tokens),
        ]
        return build_http(routes, checks, clock)

    def image_desk(self, seals: Seals) -> ImageDesk | None:
        """Return where images are cleaned, None where none passes."""
        if not self.settings.uses_images:
            return None
        event_s = self.settings.image_event_timeout_s
        return ImageDesk(self._reader, seals, self._decoder, self.clock, event_s)

    def _limits(self) -> Limits:
        settings = self.settings
        return Limits(
            patients=Allowance(settings.patients_per_hour_max),
            searches=Allowance(settings.searches_per_hour_max),
            glass=Allowance(settings.glass_per_hour_max),
        )

    def _eraser(self) -> Eraser:
        settings, clock = self.settings, self.clock
        grace_s = settings.erasure_grace_s
        return Eraser(
            book=ErasureBook(self.vault, self._codec, self.redis),
            vault=self.vault,
            links=self.links,
            relations=self.relations,
            stage=self.stage,
            rewrap=Rewrap(self.vault, self._codec, self._reader, clock, grace_s),
            writer=self._writer,
            reader=self._reader,
            redis=self.redis,
            clock=clock,
            key=self._keys.audit,
            sealed_days=settings.sealed_days,
        )


@contextlib.asynccontextmanager
async def running(
    settings: PrivacySettings, writer: EventWriter, reader: EventReader, clock: Clock
) -> AsyncIterator[Privacy]:
    """Yield the service, wired; close its connections at the end."""
    service = Privacy(settings, writer, reader, clock)
    try:
        yield service
    finally:
        await service.close()


def _beside(work: Coroutine[Any, Any, None], stop: asyncio.Event) -> asyncio.Task[None]:
    """Start ``work``, which ends of an unexpected error only: then everything stops."""
    task = asyncio.create_task(work)
    task.add_done_callback(lambda _: stop.set())
    return task


def _parts(service: Privacy, keys: PrivacyKeys, seals: Seals) -> Parts:
    return Parts(
        seals=seals,
        vault=service.vault,
        links=service.links,
        relations=service.relations,
        link_key=keys.link,
        staff_key=keys.staff,
        clock=service.clock,
        random_bytes=os.urandom,
        tagger=_tagger(service.settings),
        site=_site(service.settings, service.clock),
        images=service.image_desk(seals),
    )


def _keks(settings: PrivacySettings) -> KekStore | None:
    if settings.pkcs11_module is None:
        return None
    pin = read_pin(settings.pkcs11_pin_file or settings.keys_dir / "pkcs11.pin")
    return Pkcs11Keks(settings.pkcs11_module, settings.pkcs11_token, pin)


def _tagger(settings: PrivacySettings) -> ManyFinder | None:
    if not settings.uses_tagger:
        _log.warning("Notes are cleaned without the tagger")
        return None
    tagger = load_tagger(settings.tagger_dir, settings.tagger_digest).stricter(
        settings.tagger_limit
    )
    _log.info("Limits of the tagger", others=tagger.threshold, chinese=tagger.threshold_han)
    return tagger


def _site(settings: PrivacySettings, clock: Clock) -> Finder | None:
    if settings.presidio_recognizers is None:
        return None
    return load_recognizers(settings.presidio_recognizers, clock, settings.presidio_seconds_max)
