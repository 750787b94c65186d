"""Who was told who a token is: chained on ``audit.v1`` and signed beside it, before the answer."""

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contracts.audited import AUDIT, AuditEntry
from plumbing.clock import Clock
from plumbing.errors import Unavailable
from plumbing.event_log import EventWriter, Output
from plumbing.hash_chain import Chain, Checkpoint
from services.privacy import metrics

WRITER = "privacy"
SAME_LOOK_MS = 15 * 60_000
LOOKS_MAX = 200_000

Look = tuple[str, str, str, str]  # viewer, action, token, purpose


class Checkpoints:
    """The signed head of each chain, one small file per start, replaced whole."""

    def __init__(self, folder: Path) -> None:
        """Make the folder."""
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def keep(self, checkpoint: Checkpoint) -> None:
        """Replace the head of its chain."""
        path = self._folder / f"{checkpoint.writer}-{checkpoint.start}.json"
        draft = path.with_suffix(".draft")
        draft.write_bytes(msgspec.json.encode(checkpoint))
        os.replace(draft, path)  # noqa: PTH105  # the atomic replace, by its own name

    def all(self) -> Iterator[Checkpoint]:
        """Yield the heads that were kept; a file that is none raises ``msgspec.DecodeError``."""
        for path in sorted(self._folder.glob("*.json")):
            yield msgspec.json.decode(path.read_bytes(), type=Checkpoint)


@dataclass
class _Waiting:
    """Entries of one caller on their way to the log."""

    entries: Sequence[dict[str, Any]]
    written: "asyncio.Future[None]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class AuditTrail:
    """Writes entries of one chain. Callers during a write share the next one."""

    def __init__(
        self,
        writer: EventWriter,
        key: Ed25519PrivateKey,
        checkpoints: Checkpoints,
        clock: Clock,
        new_start: Callable[[], str],
    ) -> None:
        """Begin a chain; ``new_start`` gives each start of one a name of its own."""
        self._writer = writer
        self._key = key
        self._checkpoints = checkpoints
        self._clock = clock
        self._new_start = new_start
        self._chain = Chain(WRITER, new_start())
        self._waiting: list[_Waiting] = []
        self._busy = asyncio.Lock()
        self._looks: dict[Look, int] = {}

    async def looked(self, viewer: str, action: str, tokens: Sequence[str], purpose: str) -> None:
        """Record that ``viewer`` was told of ``tokens``: each once in 15 minutes and purpose.

        Without tokens, that nothing was found. Raises ``Unavailable``: then nothing may be told.
        """
        now_ms = self._clock.now_ms()
        looks = [(viewer, action, token, purpose) for token in tokens or ("",)]
        fresh = [look for look in dict.fromkeys(looks) if self._looks.get(look, 0) <= now_ms]
        if not fresh:
            return
        outcome = "found" if tokens else "nothing_found"
        await self._write([_entry(look, now_ms, outcome) for look in fresh])
        if len(self._looks) + len(fresh) > LOOKS_MAX:
            self._looks = {look: end for look, end in self._looks.items() if end > now_ms}
        self._looks |= dict.fromkeys(fresh, now_ms + SAME_LOOK_MS)

    async def _write(self, entries: Sequence[dict[str, Any]]) -> None:
        mine = _Waiting(entries)
        self._waiting.append(mine)
        async with self._busy:
            if not mine.written.done():
                batch, self._waiting = self._waiting, []
                await self._flush(batch)
        await mine.written

    async def _flush(self, batch: Sequence[_Waiting]) -> None:
        error: Exception | None = Unavailable("the audit was interrupted")
        chained = [self._chain.add(AuditEntry, **said) for one in batch for said in one.entries]
        try:
            outputs = [Output(AUDIT.name, WRITER.encode(), AUDIT.encode(e)) for e in chained]
            await self._writer.write(outputs)
            self._checkpoints.keep(self._chain.checkpoint(self._key, self._clock.now_ms()))
            metrics.AUDIT_ENTRIES.inc(len(chained))
            error = None
        except (Unavailable, OSError) as reason:
            error = Unavailable("the audit cannot be written")
            error.__cause__ = reason
        finally:
            if error is not None:
                # Unsure what of it was written: that chain ends here, another begins.
                self._chain = Chain(WRITER, self._new_start())
                metrics.AUDIT_FAILURES.inc()
            for one in batch:
                with contextlib.suppress(asyncio.InvalidStateError):
                    _settle(one.written, error)


def _settle(written: "asyncio.Future[None]", error: Exception | None) -> None:
    if error is None:
        written.set_result(None)
    else:
        written.set_exception(error)


def _entry(look: Look, now_ms: int, outcome: str) -> dict[str, Any]:
    viewer, action, token, purpose = look
    return {
        "at_ms": now_ms,
        "action": action,
        "viewer": viewer,
        "token": token,
        "purpose": purpose,
        "outcome": outcome,
    }
