"""One HL7 message in over MLLP, one assessment out over HTTP to a signed-in clinician."""

import asyncio
import html
import json
import random
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts.assessed import ASSESSED
from contracts.audited import AUDIT
from contracts.deidentified import DEIDENTIFIED
from plumbing.clock import SystemClock
from simulator.messages import MINUTE_MS, Visit, adt, vitals
from simulator.mllp_client import MllpSender, Outgoing
from simulator.people import a_person
from tests.support.running_stack import HOST, RunningStack, running_stack

# NEWS2 by the Royal College's table: 3 + 3 + 2 (oxygen) + 3 + 3 + 2 + 3 (new confusion).
VERY_ILL = {
    "resp_rate": 27.0,
    "spo2": 90.0,
    "oxygen_flow": 6.0,
    "sbp": 85.0,
    "dbp": 50.0,
    "heart_rate": 135.0,
    "temperature": 39.4,
}
NEWS2_TOTAL = 19
HIDDEN = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    with running_stack(tmp_path_factory.mktemp("one")) as running:
        yield running


def a_visit(now_ms: int) -> Visit:
    person = a_person(random.Random(5), 1, today_year=2020)
    return Visit(person, "V1", "MICU", "03", "B", now_ms - 90 * MINUTE_MS, doctor=0)


async def send(stack: RunningStack, *payloads: bytes) -> list[str]:
    """Send messages one after the other; return their answers' codes."""
    settings = stack.settings
    sender = MllpSender(HOST, settings.at(settings.mllp_port), SystemClock())
    answers = [await sender.send(Outgoing(payload, "one")) for payload in payloads]
    await sender.close()
    return [one.code for one in answers]


@asynccontextmanager
async def signed_in(stack: RunningStack, login: str) -> AsyncIterator[httpx.AsyncClient]:
    """Sign in as a clinician does: through the gateway, at the issuer, and back."""
    users = json.loads((stack.settings.root / "issuer" / "users.json").read_text())
    password = next(user["password"] for user in users if user["login"] == login)
    address = stack.settings.page_url
    async with httpx.AsyncClient(base_url=address, follow_redirects=True) as client:
        form = await client.get("/auth/login")
        fields = {name: html.unescape(value) for name, value in HIDDEN.findall(form.text)}
        given = fields | {"login": login, "password": password}
        back = await client.post(f"{stack.settings.issuer_url}/authorize", data=given)
        assert back.status_code == 200, back.text
        yield client


async def worklist(client: httpx.AsyncClient, wanted: int) -> dict[str, Any]:
    """Return the worklist once it has ``wanted`` rows with a whole early-warning score."""
    for _ in range(200):
        found: dict[str, Any] = (await client.get("/v1/worklist")).json()
        if (
            sum(bool(row["news2"] and row["news2"]["complete"]) for row in found["patients"])
            == wanted
        ):
            return found
        await asyncio.sleep(0.1)
    raise AssertionError(found)


async def test_a_message_becomes_a_row_that_its_clinician_reads(stack: RunningStack) -> None:
    now_ms = SystemClock().now_ms()
    visit = a_visit(now_ms)
    admitted = adt("A01", "C1", visit, visit.admitted_ms)
    measured = vitals("C2", visit, now_ms - MINUTE_MS, VERY_ILL, "C")
    assert await send(stack, admitted, measured, measured) == ["AA", "AA", "AA"]

    async with signed_in(stack, "dr.lin") as clinician:
        (row,) = (await worklist(clinician, 1))["patients"]
        assert visit.person.family in (row["name"] or "")
        assert row["record_number"] == visit.person.mrn
        assert (row["unit"], row["bed"]) == ("MICU", "03-B")
        assert row["news2"]["total"] == NEWS2_TOTAL
        assert (row["news2"]["band"], row["news2"]["complete"]) == ("high", True)
        assert row["qsofa"]["positive"] is True
        assert abs(row["data_ms"] - (now_ms - MINUTE_MS)) < 1000
        assert abs(row["admitted_ms"] - visit.admitted_ms) < 1000

        page = (await clinician.get(f"/v1/patients/{row['id']}")).json()
        assert {one["parameter"]: one["value"] for one in page["vitals"]}["heart_rate"] == 135.0
        again = await clinician.get("/v1/worklist")
        known = {"If-None-Match": again.headers["etag"]}
        assert (await clinician.get("/v1/worklist", headers=known)).status_code == 304

    async with httpx.AsyncClient(base_url=stack.settings.page_url) as stranger:
        assert (await stranger.get("/v1/worklist")).status_code == 401


async def test_each_stage_wrote_each_event_once(stack: RunningStack) -> None:
    balance = await stack.settled()
    assert balance.balanced
    assert (balance.accepted, balance.visible, balance.redelivered) == (2, 2, 0)
    for topic in (DEIDENTIFIED, ASSESSED):
        records = await stack.records(topic.name)
        assert len(records) == 2
        traces = [dict(record.headers)["traceparent"] for record in records]
        assert all(re.fullmatch(rb"00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]", one) for one in traces)


async def test_who_looked_is_in_the_audit(stack: RunningStack) -> None:
    records = await stack.records(AUDIT.name)
    entries = [AUDIT.decode(record.value) for record in records if record.value is not None]
    assert {entry.writer.split(":")[0].split("-")[0] for entry in entries} >= {"privacy"}
    assert all(entry.entry_hash for entry in entries)


async def test_a_refused_message_says_why_and_leaves_nothing(stack: RunningStack) -> None:
    before = await stack.settled()
    assert await send(stack, b"PID|1||7\r") == ["AR"]
    assert await stack.settled() == before


def test_nobody_gets_a_password_from_a_log(stack: RunningStack) -> None:
    users = json.loads((stack.settings.root / "issuer" / "users.json").read_text())
    logs = "".join(path.read_text() for path in Path(stack.settings.log_dir).glob("*.log"))
    assert logs
    assert [user["login"] for user in users if user["password"] in logs] == []
