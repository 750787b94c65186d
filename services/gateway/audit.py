"""The gateway's own audit: each look and each decision is on the log before anything is shown."""

from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contracts.audited import AUDIT
from contracts.reidentify import Purpose
from plumbing.audit_trail import AuditTrail, AuditWriter, Checkpoints, Look
from plumbing.clock import Clock
from plumbing.event_log import EventWriter

WRITER = "gateway"
PURPOSE: Purpose = "TREAT"
EMERGENCY: Purpose = "ETREAT"


class Auditor:
    """Writes down what is about to be shown, and what was decided."""

    def __init__(
        self,
        log: EventWriter,
        key: Ed25519PrivateKey,
        checkpoints: Checkpoints,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        """Begin a chain, whose heads ``key`` signs."""
        writer = AuditWriter(AUDIT, WRITER, log)
        self._trail = AuditTrail(writer, key, checkpoints, clock, random_bytes)

    async def look(
        self,
        viewer: str,
        action: str,
        token: str = "",
        detail: dict[str, str] | None = None,
        purpose: Purpose = PURPOSE,
    ) -> None:
        """Record that ``viewer`` (staff token) looked; once in 15 minutes. Raises ``Unavailable``
        when it could not be written: then nothing may be shown.
        """
        await self._trail.look([Look(viewer, action, token, purpose)], "shown", detail)

    async def broke_glass(self, viewer: str, token: str, reason: str) -> None:
        """Record that the glass over a patient was broken, each time. Raises ``Unavailable``."""
        look = Look(viewer, "break_glass", token, EMERGENCY)
        await self._trail.note(look, "broken", {"reason": reason})

    async def decided(self, viewer: str, token: str, detail: dict[str, str]) -> None:
        """Record a decision, each time. Raises ``Unavailable``."""
        await self._trail.note(Look(viewer, "review", token, PURPOSE), "decided", detail)
