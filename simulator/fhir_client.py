"""A sender of FHIR over HTTP: one request at a time, sent again until it is safe.

The same rules as over MLLP: 202 is AA, 400 and 413 are AR, other refusals are AE; no answer or 5xx
means the same bytes again until ``give_up_s`` is over.
"""

import asyncio

import httpx

from plumbing.clock import Clock
from simulator.mllp_client import PAUSE_S, Answered, Outgoing

FHIR = "application/fhir+json"
REFUSED = frozenset({400, 413})


class FhirSender:
    """``POST /fhir`` on one server."""

    def __init__(
        self, base_url: str, clock: Clock, *, answer_s: float = 30.0, give_up_s: float = 120
    ) -> None:
        """Keep the address; nothing is opened yet."""
        self._url = f"{base_url.rstrip('/')}/fhir"
        self._clock, self._give_up_s = clock, give_up_s
        self._http = httpx.AsyncClient(timeout=answer_s, trust_env=False)

    async def send(self, outgoing: Outgoing) -> Answered:
        """Return the final answer to one body."""
        started = self._clock.monotonic_s()
        attempts = 0
        while True:
            attempts += 1
            sent = self._clock.monotonic_s()
            status, text = await self._try(outgoing.payload)
            now = self._clock.monotonic_s()
            asks_again = status == 0 or status >= 500
            if not asks_again or now - started > self._give_up_s:
                took_ms = (now - sent) * 1000
                return Answered(outgoing, answer_code(status), text, attempts, took_ms)
            await asyncio.sleep(PAUSE_S[min(attempts, len(PAUSE_S)) - 1])

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _try(self, payload: bytes) -> tuple[int, bytes]:
        try:
            answer = await self._http.post(
                self._url, content=payload, headers={"Content-Type": FHIR}
            )
        except httpx.HTTPError:
            return 0, b""
        return answer.status_code, answer.content


def answer_code(status: int) -> str:
    """Return the acknowledgement code that an HTTP status stands for, empty for no answer."""
    if status == 0:
        return ""
    if 200 <= status < 300:
        return "AA"
    return "AR" if status in REFUSED else "AE"
