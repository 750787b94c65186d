"""The gateway's own audit: each look and each decision is on the log before anything is shown."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from contracts.audited import AUDIT, AuditEntry
from plumbing.clock import Clock
from plumbing.errors import Unavailable
from plumbing.event_log import EventWriter, Output
from plumbing.hash_chain import Chain
from services.gateway import metrics

WRITER = "gateway"
SAME_LOOK_MS = 15 * 60_000
LOOKS_MAX = 100_000

Look = tuple[str, str, str]  # viewer, action, token


@dataclass
class _Waiting:
    """Entries of one caller on their way to the log."""

    entries: list[dict[str, Any]]
    written: "asyncio.Future[None]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Auditor:
    """Writes chained entries. Callers that come while a write is under way share the next one."""

    def __init__(self, writer: EventWriter, clock: Clock, new_start: Callable[[], str]) -> None:
        """Begin a chain; ``new_start`` names each start of it anew."""
        self._writer = writer
        self._clock = clock
        self._new_start = new_start
        self._chain = Chain(WRITER, new_start())
        self._waiting: list[_Waiting] = []
        self._busy = asyncio.Lock()
        self._looks: dict[Look, int] = {}

    async def look(
        self, viewer: str, action: str, token: str = "", detail: dict[str, str] | None = None
    ) -> None:
        """Record that ``viewer`` (staff token) looked; once in 15 minutes. Raises ``Unavailable``
        when it could not be written: then nothing may be shown.
        """
        now_ms = self._clock.now_ms()
        key = (viewer, action, token)
        if self._looks.get(key, 0) > now_ms:
            return
        await self._write([self._entry(viewer, action, token, "shown", detail)])
        if len(self._looks) >= LOOKS_MAX:
            self._looks = {look: until for look, until in self._looks.items() if until > now_ms}
        self._looks[key] = now_ms + SAME_LOOK_MS

    async def decided(self, viewer: str, token: str, detail: dict[str, str]) -> None:
        """Record a decision, each time. Raises ``Unavailable``."""
        await self._write([self._entry(viewer, "review", token, "decided", detail)])

    def _entry(
        self, viewer: str, action: str, token: str, outcome: str, detail: dict[str, str] | None
    ) -> dict[str, Any]:
        return {
            "at_ms": self._clock.now_ms(),
            "action": action,
            "viewer": viewer,
            "token": token,
            "purpose": "TREAT",
            "outcome": outcome,
            "detail": detail or {},
        }

    async def _write(self, entries: list[dict[str, Any]]) -> None:
        mine = _Waiting(entries)
        self._waiting.append(mine)
        async with self._busy:
            if not mine.written.done():
                batch, self._waiting = self._waiting, []
                await self._flush(batch)
        await mine.written

    async def _flush(self, batch: list[_Waiting]) -> None:
        chained = [self._chain.add(AuditEntry, **fields) for one in batch for fields in one.entries]
        key = WRITER.encode()
        try:
            await self._writer.write(
                [Output(AUDIT.name, key, AUDIT.encode(entry)) for entry in chained]
            )
        except Unavailable as error:
            # Unsure what of it was written: that chain stays as it is, a new one begins.
            self._chain = Chain(WRITER, self._new_start())
            metrics.AUDIT_FAILURES.inc(len(chained))
            for one in batch:
                one.written.set_exception(error)
            return
        for one in batch:
            one.written.set_result(None)
