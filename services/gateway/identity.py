"""Who a token is: asked of privacy, kept in memory for five minutes at most, per viewer.

Per viewer, because privacy writes down each look before it answers: one viewer's answer is never
shown to another. When privacy is away the answer is None, never an error.
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import TypeVar

import httpx
import msgspec

from contracts.reidentify import (
    TOKENS_PER_CALL_MAX,
    FindAnswer,
    FindRequest,
    GlassReason,
    Identity,
    Purpose,
    ResolveAnswer,
    ResolveRequest,
    StaffAnswer,
    StaffRequest,
)
from plumbing import log
from plumbing.clock import Clock
from services.gateway import metrics

KEEP_MS = 270_000  # with a sweep every 15 s: never 5 minutes
KEEP_UNKNOWN_MS = 5_000
RETRY_MS = 2_000
CACHED_MAX = 200_000

Answer = TypeVar("Answer", bound=msgspec.Struct)
_log = log.get("gateway")


class PrivacyRefuses(Exception):
    """Privacy answered, and does not tell this viewer; ``status`` is why."""

    def __init__(self, status: int) -> None:
        """Keep the status."""
        super().__init__(str(status))
        self.status = status


@dataclass(slots=True)
class _Looked:
    """What one viewer was told: token to (until when, identity or None for an unknown token).

    ``told`` has the version at which what was told of a token last changed; ``born`` the version
    at which this memory began.
    """

    born: int
    version: int
    known: dict[str, tuple[int, Identity | None]] = field(default_factory=dict)
    told: dict[str, int] = field(default_factory=dict)
    available: bool = True
    busy: asyncio.Lock = field(default_factory=asyncio.Lock)


class Identities:
    """The client of privacy's resolve API with its short memory."""

    def __init__(self, http: httpx.AsyncClient, token: str, clock: Clock) -> None:
        """Use ``http`` (its base address is privacy's) with the shared service token."""
        self._http = http
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._clock = clock
        self._looked: dict[str, _Looked] = {}
        self._staff: dict[str, tuple[int, str]] = {}
        self._away_until_ms = 0
        self._versions = count(1)
        self._dropped: dict[int, set[str]] = {}

    def version(self, viewer: str) -> int:
        """Return a number that grows whenever what this viewer would be shown changes."""
        looked = self._looked.get(viewer)
        return looked.version if looked else 0

    def changed_since(self, viewer: str, version: int) -> set[str] | None:
        """Return the tokens of which something else was told since, None: that is not known."""
        looked = self._looked.get(viewer)
        if looked is None or version < looked.born:
            return None
        return {token for token, at in looked.told.items() if at > version}

    def settled(self, viewer: str, tokens: Iterable[str]) -> bool:
        """Say whether ``resolve`` would answer from memory alone (also that privacy is away)."""
        looked = self._looked.get(viewer)
        if looked is None:
            return False
        now_ms = self._now_ms()
        if not looked.available:
            return now_ms < self._away_until_ms
        known = looked.known
        return all(token in known and known[token][0] > now_ms for token in tokens)

    async def resolve(
        self,
        viewer: str,
        tokens: Sequence[str],
        role: str = "",
        units: Iterable[str] = (),
        reason: GlassReason = "",
    ) -> dict[str, Identity] | None:
        """Return the identities of the tokens that privacy knows and tells a viewer of that role
        and those units (with a ``reason``: whom the viewer broke the glass over), None when it
        cannot be asked.
        """
        looked = self._memory(viewer)
        async with looked.busy:
            now_ms = self._now_ms()
            wanted = [t for t in tokens if looked.known.get(t, (0, None))[0] <= now_ms]
            metrics.IDENTITY_LOOKUPS.labels("memory").inc(len(tokens) - len(wanted))
            for first in range(0, len(wanted), TOKENS_PER_CALL_MAX):
                portion = tuple(wanted[first : first + TOKENS_PER_CALL_MAX])
                request = ResolveRequest(
                    tokens=portion,
                    viewer=viewer,
                    purpose="ETREAT" if reason else "TREAT",
                    role=role,
                    units=tuple(sorted(units)),
                    reason=reason,
                    again=bool(reason),
                )
                with self._until_answered() as dropped:
                    answer = await self._ask("/v1/resolve", request, ResolveAnswer)
                if answer is None:
                    metrics.IDENTITY_LOOKUPS.labels("unavailable").inc(len(portion))
                    self._set_available(looked, available=False)
                    return None
                metrics.IDENTITY_LOOKUPS.labels("privacy").inc(len(portion))
                self._keep(looked, portion, answer, dropped)
            self._set_available(looked, available=True)
            found = ((token, looked.known.get(token, (0, None))[1]) for token in tokens)
            return {token: identity for token, identity in found if identity is not None}

    async def break_glass(
        self, viewer: str, token: str, role: str, reason: GlassReason
    ) -> Identity | None:
        """Return who a patient is whom the viewer has no relation to, None when that is not known
        now. Raises ``PrivacyRefuses``.
        """
        looked = self._memory(viewer)
        request = ResolveRequest(
            tokens=(token,), viewer=viewer, purpose="ETREAT", role=role, reason=reason
        )
        async with looked.busy:
            with self._until_answered() as dropped:
                answer = await self._reach("/v1/resolve", request, ResolveAnswer)
            if answer is None:
                return None
            self._keep(looked, (token,), answer, dropped)
            return looked.known.get(token, (0, None))[1]

    async def find(
        self, viewer: str, query: str, role: str = "", purpose: Purpose = "TREAT"
    ) -> tuple[str, ...] | None:
        """Return the tokens that a name or record number may mean, None: privacy is away."""
        request = FindRequest(query=query, viewer=viewer, purpose=purpose, role=role)
        answer = await self._ask("/v1/find", request, FindAnswer)
        return None if answer is None else answer.tokens

    def staff_known(self, subject: str) -> str:
        """Return the staff token of a staff number when it is in memory, else empty."""
        until_ms, known = self._staff.get(subject, (0, ""))
        return known if until_ms > self._now_ms() else ""

    async def staff(self, subject: str) -> str:
        """Return the staff token of a staff number, empty while it is not to be had."""
        now_ms = self._now_ms()
        until_ms, known = self._staff.get(subject, (0, ""))
        if until_ms > now_ms:
            return known
        answer = await self._ask("/v1/staff", StaffRequest(staff_id=subject), StaffAnswer)
        if answer is None:
            return known
        self._staff[subject] = (now_ms + KEEP_MS, answer.staff)
        return answer.staff

    def drop(self, tokens: Iterable[str]) -> None:
        """Forget these tokens for every viewer (a merge, an erasure)."""
        gone = list(tokens)
        for dropped in self._dropped.values():
            dropped.update(gone)
        for looked in self._looked.values():
            for token in gone:
                if looked.known.pop(token, None) is not None:
                    looked.version = looked.told[token] = next(self._versions)

    def forget(self, viewer: str) -> None:
        """Forget everything that a viewer was told (a logout)."""
        self._looked.pop(viewer, None)
        self._staff.pop(viewer, None)

    def sweep(self) -> None:
        """Drop what is too old to be used; everything, should it ever be too much."""
        now_ms = self._now_ms()
        for viewer, looked in list(self._looked.items()):
            looked.known = {t: one for t, one in looked.known.items() if one[0] > now_ms}
            if not looked.known and not looked.busy.locked():
                self._looked.pop(viewer)
        self._staff = {subject: one for subject, one in self._staff.items() if one[0] > now_ms}
        cached = sum(len(looked.known) for looked in self._looked.values())
        if cached > CACHED_MAX:
            self._looked.clear()
        metrics.IDENTITY_CACHED.set(cached)

    def _memory(self, viewer: str) -> _Looked:
        looked = self._looked.get(viewer)
        if looked is None:
            born = next(self._versions)
            looked = self._looked.setdefault(viewer, _Looked(born, born))
        return looked

    def _now_ms(self) -> int:
        """Return the time of a clock that nobody puts back, or a name would be kept for longer."""
        return int(self._clock.monotonic_s() * 1000)

    @contextmanager
    def _until_answered(self) -> Iterator[set[str]]:
        """Collect which tokens are dropped meanwhile: what is on its way tells of before."""
        number = next(self._versions)
        dropped = self._dropped[number] = set()
        try:
            yield dropped
        finally:
            del self._dropped[number]

    def _keep(
        self, looked: _Looked, tokens: Sequence[str], answer: ResolveAnswer, dropped: set[str]
    ) -> None:
        now_ms = self._now_ms()
        told = {identity.token: identity for identity in answer.identities}
        for token in (one for one in tokens if one not in dropped):
            identity = told.get(token)
            until_ms = now_ms + (KEEP_UNKNOWN_MS if identity is None else KEEP_MS)
            if looked.known.get(token, (0, None))[1] != identity:
                looked.version = looked.told[token] = next(self._versions)
            looked.known[token] = (until_ms, identity)

    def _set_available(self, looked: _Looked, *, available: bool) -> None:
        if looked.available != available:
            looked.available = available
            looked.version = next(self._versions)

    async def _ask(self, path: str, body: msgspec.Struct, kind: type[Answer]) -> Answer | None:
        try:
            return await self._reach(path, body, kind)
        except PrivacyRefuses:
            return None  # this viewer's matter: nobody else has to do without

    async def _reach(self, path: str, body: msgspec.Struct, kind: type[Answer]) -> Answer | None:
        """Return privacy's answer, None when it is away. Raises ``PrivacyRefuses``."""
        if self._now_ms() < self._away_until_ms:
            return None
        try:
            response = await self._http.post(
                path, content=msgspec.json.encode(body), headers=self._headers
            )
            response.raise_for_status()
            return msgspec.json.decode(response.content, type=kind)
        except (httpx.HTTPError, msgspec.DecodeError) as error:
            if isinstance(error, httpx.HTTPStatusError) and error.response.status_code < 500:
                _log.warning("privacy refused", route=path, status=error.response.status_code)
                raise PrivacyRefuses(error.response.status_code) from error
            self._away_until_ms = self._now_ms() + RETRY_MS
            _log.warning("privacy gave no answer", route=path, error=error)
            return None
