"""Erase one of 200 patients on a running stack under load, and try to find them afterwards.

The attacker has every record of every topic, all of Redis, and every key file that exists then.
What is looked for is what the patient's messages said: names, numbers, address, telephone.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice, takewhile
from pathlib import Path
from typing import Any, TypeVar

import httpx
import msgspec
import redis

from contracts.deidentified import DEIDENTIFIED
from contracts.erasures import ErasureAnswer, ErasureRequest, ErasureStep
from contracts.pipeline import PIPELINE
from contracts.reidentify import FindAnswer, FindRequest, ResolveAnswer, ResolveRequest
from contracts.vault import VAULT
from plumbing.clock import Clock
from plumbing.event_log import EventReader, Record, whole_topic
from services.privacy.key_files import load_privacy_keys
from services.privacy.patient_keys import KeyUnreadable
from services.privacy.proof import read_proof
from simulator.day import Timed, hospital_day
from simulator.run import Target, plan_for, run_rate

OTHERS = 199
RATE_PER_S = 120.0
MESSAGES = 12_000  # more than are sent while an erasure waits out its grace
BEFORE = 1_800  # by then all are in
NUMBER, FAMILY, GIVEN, PHONE = "90817263", "Quillfeather", "Zenobia", "+44 20 7946 0991"
WORDS = (NUMBER, FAMILY, GIVEN, "7946 0991", "79460991", "Marzipan Row")
SETTLE_S = 60.0
QUIET_S = 3.0
POLL_S = 0.25
Answer = TypeVar("Answer", bound=msgspec.Struct)


@dataclass(frozen=True)
class Reach:
    """Where a running stack is, and its keys."""

    feed: Target
    privacy_url: str
    redis_url: str
    keys_dir: Path


async def run(reach: Reach, reader: EventReader, clock: Clock) -> dict[str, Any]:
    """Feed, erase, attack; return the figures."""
    now_ms = clock.now_ms()
    plan = plan_for(OTHERS, MESSAGES, seed=7)
    day = iter(hospital_day(plan, now_ms - round(plan.hours * 3_600_000)))
    async with httpx.AsyncClient(base_url=reach.privacy_url, timeout=60) as http:
        api = _Api(http, reach.keys_dir)
        await run_rate(reach.feed, _stay(now_ms), clock, per_s=20.0, on_answer=lambda _: None)
        first = islice(day, BEFORE)
        await run_rate(reach.feed, first, clock, per_s=2 * RATE_PER_S, on_answer=lambda _: None)
        token = await _found(api, clock)
        before = await _settled(reach, clock)
        people = await api.names([t for t in before if t != token])
        over = asyncio.Event()
        load = takewhile(lambda _: not over.is_set(), day)
        feeding = asyncio.create_task(
            run_rate(reach.feed, load, clock, per_s=RATE_PER_S, on_answer=lambda _: None)
        )
        began_s = clock.monotonic_s()
        proof_bytes = await api.erase(clock)
        took_s = clock.monotonic_s() - began_s
        under_load = not feeding.done()
        over.set()
        await feeding
        after = await _settled(reach, clock)
        still = await api.names(list(people))
        refound = await api.find()
    public = load_privacy_keys(reach.keys_dir).audit.public_key()
    proof = read_proof(proof_bytes, public)
    records = await _records(reader)
    return {
        "patients": len(people) + 1,
        "erase_s": round(took_s, 1),
        "finished_under_load": under_load,
        "entries_verified": proof.entries_verified,
        "found_by_number_afterwards": len(refound),
        "identities_opened": len(_opened(reach.keys_dir, records)),
        "words_found": _words(reach, records),
        "token_keys_in_redis": _token_in_redis(reach, token),
        "tombstones_last": _last_is_tombstone(records, token),
        "others_resolved_as_before": sum(still.get(t) == name for t, name in people.items()),
        "others": len(people),
        "results_before": sum(len(one) for t, one in before.items() if t != token),
        "results_changed": _changed(before, after, token),
        "identifying_until": {one.topic: one.until_ms for one in proof.expires if one.identifies},
    }


class _Api:
    """Privacy's API as a clinician and two officers see it."""

    def __init__(self, http: httpx.AsyncClient, keys: Path) -> None:
        self._http, self._keys = http, keys

    async def find(self) -> tuple[str, ...]:
        asked = FindRequest(query=NUMBER, viewer="B1", purpose="TREAT", role="clinician")
        return (await self._ask("find", asked, FindAnswer, "resolve.token")).tokens

    async def names(self, tokens: Sequence[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for first in range(0, len(tokens), 200):
            asked = ResolveRequest(
                tokens=tuple(tokens[first : first + 200]),
                viewer="B1",
                purpose="TREAT",
                role="clinician",
                units=("*",),
            )
            answer = await self._ask("resolve", asked, ResolveAnswer, "resolve.token")
            found |= {one.token: f"{one.name}|{one.record_number}" for one in answer.identities}
        return found

    async def erase(self, clock: Clock) -> bytes:
        asked = ErasureRequest(viewer="O1", purpose="PATRQT", number=NUMBER)
        first, second = "erasure/request.token", "erasure/confirm.token"
        answer = await self._ask("erasures/request", asked, ErasureAnswer, first)
        step = ErasureStep(viewer="O2", erasure=answer.erasure)
        await self._ask("erasures/confirm", step, ErasureAnswer, second)
        deadline = clock.monotonic_s() + 3 * SETTLE_S
        while answer.state != "done":
            if clock.monotonic_s() > deadline or answer.state == "refused":
                raise RuntimeError(f"the erasure is {answer.state} {answer.refusal}")
            await asyncio.sleep(POLL_S)
            answer = await self._ask("erasures/show", step, ErasureAnswer, first)
        return answer.proof

    async def _ask(
        self, path: str, asked: msgspec.Struct, kind: type[Answer], secret: str
    ) -> Answer:
        bearer = (self._keys / secret).read_text(encoding="ascii").strip()
        answer = await self._http.post(
            f"/v1/{path}",
            content=msgspec.json.encode(asked),
            headers={"Authorization": f"Bearer {bearer}"},
        )
        answer.raise_for_status()
        return msgspec.json.decode(answer.content, type=kind)


async def _found(api: _Api, clock: Clock) -> str:
    deadline = clock.monotonic_s() + SETTLE_S
    while clock.monotonic_s() < deadline:
        for token in await api.find():
            return token
        await asyncio.sleep(POLL_S)
    raise RuntimeError("the patient never arrived")


async def _settled(reach: Reach, clock: Clock) -> dict[str, dict[bytes, bytes]]:
    """Return the results that show, by token, once no more come."""
    deadline, quiet_since, last = clock.monotonic_s() + SETTLE_S, clock.monotonic_s(), -1
    with redis.Redis.from_url(reach.redis_url) as client:
        while clock.monotonic_s() < deadline:
            keys = [f"gw:evt:{n}" for n in range(DEIDENTIFIED.partitions)]
            count = sum(int(client.hlen(key)) for key in keys)
            if count != last:
                last, quiet_since = count, clock.monotonic_s()
            elif clock.monotonic_s() - quiet_since > QUIET_S:
                break
            await asyncio.sleep(POLL_S)
        names = list(client.scan_iter("gw:point:*", count=1_000))
        found: Any = {name.decode().rpartition(":")[2]: client.hgetall(name) for name in names}
        return dict(found)


async def _records(reader: EventReader) -> list[Record]:
    found: list[Record] = []
    for topic in PIPELINE:
        async for records in whole_topic(reader, topic.name):
            found += records
    return found


def _opened(keys_dir: Path, records: Sequence[Record]) -> list[bytes]:
    """Return the identities of the erased patient that open with any key that exists."""
    keks = load_privacy_keys(keys_dir).keks.load().live
    found = []
    for record in records:
        if record.topic != VAULT.name or record.value is None or (record.key or b"")[:1] == b"@":
            continue
        entry = VAULT.decode(record.value)
        for kek in keks:
            with suppress(KeyUnreadable):
                key = kek.unwrap(entry.wrapped_key, entry.link)
                plain = kek.open_identity(key, entry.identity, entry.link)
                if any(word.encode() in plain for word in WORDS):
                    found.append(plain)
    return found


def _words(reach: Reach, records: Sequence[Record]) -> int:
    """Return in how many stored things a word of the patient stands in clear; what the proof lists
    as sealed is searched as well.
    """
    things = [repr((one.key, one.value, one.headers)) for one in records]
    with redis.Redis.from_url(reach.redis_url) as client:
        for name in client.scan_iter("*", count=1_000):
            things.append(repr(name))
            if client.type(name) == b"hash":
                things.append(repr(client.hgetall(name)))
    return sum(any(word in thing for word in WORDS) for thing in things)


def _token_in_redis(reach: Reach, token: str) -> int:
    with redis.Redis.from_url(reach.redis_url) as client:
        hashes = [n for n in client.scan_iter("*", count=1_000) if client.type(n) == b"hash"]
        named = [name for name in hashes if token.encode() in name]
        held = [name for name in hashes if client.hexists(name, token)]
    return len(named) + len(held)


def _last_is_tombstone(records: Sequence[Record], token: str) -> dict[str, bool]:
    last: dict[str, bool] = {}
    for record in records:
        if record.key == token.encode():
            last[record.topic] = record.value is None
    return last


def _changed(
    before: Mapping[str, Mapping[bytes, bytes]],
    after: Mapping[str, Mapping[bytes, bytes]],
    token: str,
) -> int:
    """Return how many results of others differ from before, or are gone."""
    return sum(
        after.get(other, {}).get(event) != point
        for other, points in before.items()
        if other != token
        for event, point in points.items()
    )


def _stay(now_ms: int) -> list[Timed]:
    """Return the stay of the patient to erase: in, measured, and out again."""

    def at(minutes: int) -> str:
        moment = datetime.fromtimestamp(now_ms / 1000 - 60 * minutes, UTC)
        return moment.strftime("%Y%m%d%H%M%S+0000")

    who = f"{FAMILY}^{GIVEN}||19480512|F|||1 Marzipan Row^^LEEDS||{PHONE}"
    pid = f"PID|1||{NUMBER}^^^GENERAL^MR||{who}"
    pv1 = "PV1|1|I|MICU^1^A|||||||||||||||||V-ERASE"

    def message(number: int, kind: str, minutes: int, *segments: str) -> Timed:
        head = f"MSH|^~\\&|BENCH|GENERAL|||{at(minutes)}||{kind}|ERASE{number}|P|2.5"
        event = f"EVN||{at(minutes)}"
        text = "\r".join([head, event, pid, pv1, *segments]) + "\r"
        return Timed(now_ms, number, "BENCH", NUMBER, "adt", text.encode())

    vitals = [
        f"OBR|1|||VITALS|||{at(40)}",
        f"OBX|1|NM|8867-4^Heart rate^LN||88|/min|||||F|||{at(40)}",
        f"OBX|2|NM|9279-1^Respiratory rate^LN||18|/min|||||F|||{at(40)}",
    ]
    return [
        message(1, "ADT^A01", 60),
        message(2, "ORU^R01", 40, *vitals),
        message(3, "ADT^A03", 20),
    ]
