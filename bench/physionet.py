"""Recorded intensive care stays through the whole pipeline: the page's risk is the model's own.

Stays of PhysioNet 2012 become HL7 messages, go in over MLLP in order of time, and what the
gateway's API shows at the end for each is compared with what the model says offline of the same
rows: its score, or why it gives none.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import msgspec
import numpy as np

from contracts.reidentify import FindAnswer, FindRequest
from plumbing.clock import Clock
from services.gateway.sessions import Claims, Sessions
from services.inference.features import SERIES
from services.inference.icu_mortality import NAME, IcuMortality
from simulator.mllp_client import Answered
from simulator.physionet import RecordedStay, record_number, replayed
from simulator.run import Target, run_rate
from training.physionet import Stays

TOLERANCE = 1e-4
STAYS_PER_VIEWER = 100
VIEWER = "D1001"
SEXES = {1.0: "M", 0.0: "F"}
SESSION_S = 3600
SETTLE_S = 120.0
POLL_S = 1.0
DAYS_AGO_MS = 3 * 86_400_000

Said = float | str


@dataclass(frozen=True)
class Reach:
    """Where a running stack is, and the folder of its keys (for a viewer's session)."""

    feed: Target
    gateway_url: str
    privacy_url: str
    keys_dir: Path


@dataclass(frozen=True)
class Compared:
    """One stay: the model's offline probability or why it gives none, and what the page shows."""

    record_id: str
    offline: Said
    shown: Said | None

    @property
    def equal(self) -> bool:
        """Return whether the page shows the model's score, to ``TOLERANCE``, or the same reason."""
        if isinstance(self.offline, str) or isinstance(self.shown, str):
            return self.offline == self.shown
        return self.shown is not None and abs(self.shown - self.offline) <= TOLERANCE


@dataclass(frozen=True)
class Proof:
    """The outcome of one replay."""

    messages: int
    accepted: int
    stays: tuple[Compared, ...]

    @property
    def holds(self) -> bool:
        """Return whether every message was accepted and every stay agrees."""
        return self.accepted == self.messages and all(one.equal for one in self.stays)

    @property
    def worst(self) -> float:
        """Return the largest difference among the stays that show a risk."""
        apart = [
            abs(one.shown - one.offline)
            for one in self.stays
            if isinstance(one.shown, float) and isinstance(one.offline, float)
        ]
        return max(apart, default=float("nan"))


async def prove(
    reach: Reach, model: IcuMortality, stays: Stays, clock: Clock, per_s: float
) -> Proof:
    """Replay ``stays`` (adults of known age) into a running stack and compare every risk."""
    recorded = recorded_stays(stays)
    scores = model.probabilities(stays.rows, stays.patients)
    reasons = model.reasons(stays.rows, stays.patients)
    answers: list[Answered] = []
    timed = list(replayed(recorded, clock.now_ms() - DAYS_AGO_MS))
    await run_rate(reach.feed, timed, clock, per_s=per_s, on_answer=answers.append)
    wanted: dict[str, Said] = {
        stay.record_id: why or float(score)
        for stay, score, why in zip(recorded, scores, reasons, strict=True)
    }
    shown: dict[str, Said | None] = {}
    for share in range(0, len(recorded), STAYS_PER_VIEWER):
        looked_at = recorded[share : share + STAYS_PER_VIEWER]
        async with _page(reach, clock, f"{VIEWER}-{share}") as page:
            tokens = {stay.record_id: await page.find(record_number(stay)) for stay in looked_at}
            shown |= await _settled(page, tokens, wanted, clock)
    return Proof(
        messages=len(timed),
        accepted=sum(one.code == "AA" for one in answers),
        stays=tuple(
            Compared(record, offline=value, shown=shown[record]) for record, value in wanted.items()
        ),
    )


def recorded_stays(stays: Stays) -> list[RecordedStay]:
    """Return the stays as the simulator takes them."""
    patients, rows = stays.patients, stays.rows
    facts: list[list[tuple[int, str, float]]] = [[] for _ in stays.record_ids]
    for stay, minute, series, value in zip(
        rows.stay, rows.minute, rows.series, rows.value, strict=True
    ):
        facts[stay].append((int(minute), SERIES[series].parameter, float(value)))
    return [
        RecordedStay(
            record_id=record,
            age_years=int(patients.age_years[place]),
            sex=SEXES.get(float(patients.male[place]), "U"),
            icu_type=int(patients.icu_type[place]),
            facts=facts[place],
        )
        for place, record in enumerate(stays.record_ids)
    ]


def adults(stays: Stays, model: IcuMortality, count: int) -> Stays:
    """Return the first ``count`` stays of adults of known age in a known unit, measured or not."""
    reasons = model.reasons(stays.rows, stays.patients)
    known_unit = stays.patients.icu_type > 0
    chosen = [
        place
        for place, why in enumerate(reasons)
        if known_unit[place] and why not in {"age_unknown", "adult_only"}
    ]
    return stays.some(np.array(chosen[:count], dtype=np.int64))


@dataclass(frozen=True)
class _Page:
    """The gateway as a signed-in clinician sees it, and privacy's search by record number.

    No clinician may look up so many people in an hour: ``viewer`` is one of several.
    """

    viewer: str
    gateway: httpx.AsyncClient
    privacy: httpx.AsyncClient

    async def find(self, number: str) -> str:
        """Return the token of a record number, "" when nobody has it."""
        request = FindRequest(query=number, viewer=self.viewer, purpose="TREAT", role="clinician")
        answer = await self.privacy.post("/v1/find", content=msgspec.json.encode(request))
        answer.raise_for_status()
        tokens = msgspec.json.decode(answer.content, type=FindAnswer).tokens
        return tokens[0] if tokens else ""

    async def risk(self, token: str) -> Said | None:
        """Return the probability that the patient's page shows, or why there is none, or None."""
        answer = await self.gateway.get(f"/v1/patients/{token}")
        if answer.status_code != httpx.codes.OK:
            return None
        for risk in answer.json().get("risks") or ():
            if risk.get("model") == NAME:
                shown = risk.get("probability")
                return str(risk.get("reason")) if shown is None else float(shown)
        return None


async def _settled(
    page: _Page, tokens: dict[str, str], wanted: dict[str, Said], clock: Clock
) -> dict[str, Said | None]:
    """Ask until every page shows what is wanted, or nothing more can be expected."""
    deadline = clock.monotonic_s() + SETTLE_S
    while True:
        shown = {
            record: await page.risk(token) if token else None for record, token in tokens.items()
        }
        if all(Compared(one, wanted[one], shown[one]).equal for one in tokens):
            return shown
        if clock.monotonic_s() > deadline:
            return shown
        await asyncio.sleep(POLL_S)


@asynccontextmanager
async def _page(reach: Reach, clock: Clock, viewer: str) -> AsyncIterator[_Page]:
    session_key = bytes.fromhex(_key(reach.keys_dir / "gateway" / "session.key"))
    sessions = Sessions(session_key, SESSION_S, clock, secrets.token_hex)
    cookie = sessions.begin(Claims(viewer, "Bench", frozenset({"clinician"}), frozenset({"*"})))
    bearer = {"Authorization": f"Bearer {_key(reach.keys_dir / 'resolve.token')}"}
    async with (
        httpx.AsyncClient(
            base_url=reach.gateway_url, cookies={"auscult_session": cookie}, timeout=30
        ) as gateway,
        httpx.AsyncClient(base_url=reach.privacy_url, headers=bearer, timeout=30) as privacy,
    ):
        yield _Page(viewer, gateway, privacy)


def _key(path: Path) -> str:
    return path.read_text(encoding="ascii").strip()
