"""Who was told who a token is: on the audit trail before the answer."""

from collections.abc import Callable, Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contracts.audited import AUDIT
from plumbing.audit_trail import AuditTrail, AuditWriter, Checkpoints, Look
from plumbing.clock import Clock
from plumbing.event_log import EventWriter

WRITER = "privacy"


class Answers:
    """Writes down what is about to be told."""

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

    async def looked(self, viewer: str, action: str, tokens: Sequence[str], purpose: str) -> None:
        """Record that ``viewer`` was told of ``tokens``: each once in 15 minutes and purpose.

        Without tokens, that nothing was found. Raises ``Unavailable``: then nothing may be told.
        """
        looks = [Look(viewer, action, token, purpose) for token in tokens or ("",)]
        await self._trail.look(looks, "found" if tokens else "nothing_found")

    async def acted(
        self,
        viewer: str,
        action: str,
        name: str,
        purpose: str,
        outcome: str = "done",
        detail: dict[str, str] | None = None,
    ) -> None:
        """Record an act on a record, each time. Raises ``Unavailable``: then it may not be done."""
        await self._trail.note(Look(viewer, action, name, purpose), outcome, detail)
