"""Refused messages are kept sealed; operators list, open and send them again through privacy."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import typer

from cli.commands.rejected import Asking, list_command, replay_command, show_command
from cli.commands.replay import Doors
from cli.stack.process import StackError
from contracts.audited import AUDIT
from contracts.identified import IDENTIFIED
from contracts.refused import RefusedList, RefusedMessage, RefusedReplay
from contracts.rejection import Rejection, rejected
from plumbing.errors import Unavailable
from plumbing.event_log import Check, Output, Place
from plumbing.http_server import WebServer
from services.privacy.app import Privacy
from services.privacy.settings import PrivacySettings
from tests.support.privacy import make_keys
from tests.unit.ingest.conftest import Bench, MakeBench, msa, sender
from tests.unit.ingest.test_mllp import oru

REJECTED = rejected(IDENTIFIED)
GOLDENS = Path(__file__).parents[3] / "contracts" / "cli"
BAD = oru("BAD-1", "SECRET-MRN") + b"not a segment\r"


async def kept(bench: Bench, number: int) -> list[Rejection]:
    async with asyncio.timeout(30):
        while True:
            found = [REJECTED.decode(r.value or b"") for r in bench.log.records(REJECTED.name)]
            if len(found) >= number:
                return found
            await asyncio.sleep(0.02)


async def test_each_refused_content_is_kept_once_and_sealed(make_bench: MakeBench) -> None:
    batch = b"BHS|^~\\&\r" + oru("C1") + BAD.replace(b"BAD-1", b"BAD-2") + b"BTS|2\r"
    async with make_bench() as bench, sender(bench.service.mllp.port) as link:
        for content in (BAD, BAD, b"hello", batch):
            await link.send(content)
        assert msa(await link.send(oru("C2"))) == ("AA", "C2")
        found = await kept(bench, 3)
        assert [(one.code, one.stage, one.offset) for one in found] == [("100", "ingest", -1)] * 3
        bodies = [bench.keys.open(IDENTIFIED.decode(one.payload)) for one in found]
        assert [body.raw for body in bodies[:2]] == [BAD, b"hello"]
        assert bodies[2].raw.startswith(BAD.replace(b"BAD-1", b"BAD-2"))
        assert [body.control_id for body in bodies] == ["BAD-1", "", "BAD-2"]
        assert all(body.findings[0].code == "100" for body in bodies)
        for record in bench.log.records(REJECTED.name):
            assert b"SECRET" not in (record.value or b"")
            assert dict(record.headers)["source"] == b"mllp"
        assert sorted(body.control_id for body in bench.bodies()) == ["C1", "C2"]


async def test_what_was_only_not_stored_is_not_kept(make_bench: MakeBench) -> None:
    async with make_bench(ack_deadline_s=0.2) as bench, sender(bench.service.mllp.port) as link:
        bench.log.available = False
        assert msa(await link.send(oru("C1"))) == ("AE", "C1")
        bench.log.available = True
        assert msa(await link.send(oru("C1"))) == ("AA", "C1")
        assert bench.log.records(REJECTED.name) == []


async def test_waiting_refusals_are_bounded_in_bytes(make_bench: MakeBench) -> None:
    async with make_bench() as bench:
        refusals = bench.service._intake._parts.refusals
        parsed = bench.service._intake._parse(b"hello", bench.service.mllp.door, 0).messages[0]
        for number in range(40):
            refusals.keep(parsed, b"%02d" % number + b"x" * 500_000, "mllp", 0)
        assert 1 <= refusals.waiting <= 16


async def test_refusals_that_cannot_be_written_do_not_stand_in_the_way(
    make_bench: MakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with make_bench() as bench, sender(bench.service.mllp.port) as link:
        commit = bench.log.commit

        async def without_that_topic(outputs: Sequence[Output], check: Check) -> Sequence[Place]:
            if any(output.topic == REJECTED.name for output in outputs):
                raise Unavailable("no such topic")
            return await commit(outputs, check)

        monkeypatch.setattr(bench.log, "commit", without_that_topic)
        assert msa(await link.send(BAD)) == ("AE", "BAD-1")
        async with asyncio.timeout(30):
            while msa(await link.send(oru("C1"))) != ("AA", "C1"):
                pass
        assert [body.control_id for body in bench.bodies()] == ["C1"]


@asynccontextmanager
async def privacy_over(bench: Bench, keys: Path, **said: Any) -> AsyncIterator[str]:
    """Privacy's web application on the log of a running ingest; no Redis is asked."""
    settings = PrivacySettings(
        keys_dir=keys, state_dir=keys / "state", redis_url="redis://none", **said
    )
    bench.log.create(AUDIT.name, 1)
    privacy = Privacy(settings, bench.log, bench.log, bench.clock)
    web = WebServer(privacy.web(), "127.0.0.1", 0)
    await web.begin()
    try:
        yield f"http://127.0.0.1:{web.port}"
    finally:
        await web.end()
        await privacy.redis.aclose()


def audited_fully(bench: Bench) -> list[tuple[str, str, str]]:
    entries = [AUDIT.decode(r.value or b"") for r in bench.log.records(AUDIT.name)]
    return [(entry.action, entry.purpose, entry.outcome) for entry in entries]


def audited(bench: Bench) -> list[tuple[str, str]]:
    return [(action, purpose) for action, purpose, _ in audited_fully(bench)]


async def test_operators_list_show_and_replay_and_are_audited(
    make_bench: MakeBench, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    keys = make_keys(tmp_path / "site")
    token = keys / "operator.token"
    async with make_bench(keys_dir=keys) as bench, privacy_over(bench, keys) as url:
        told: dict[str, Any] = {"viewer": "operator 1", "privacy": url, "token": token}
        when: dict[str, Any] = {"since": "2023-01-01", "until": "2024-01-01"}
        async with sender(bench.service.mllp.port) as link:
            await link.send(BAD)
            await link.send(b"MSH|^~\\&|LAB|HOSP|||20240501||ORU^R01|C9|P|3.0\rPID|1\r")
        await kept(bench, 2)
        capsysbinary.readouterr()  # what the service logged
        await asyncio.to_thread(list_command, **told, **when, code=None)
        lines = [json.loads(line) for line in capsysbinary.readouterr().out.splitlines()]
        assert {line["code"] for line in lines} == {"100", "203"}
        assert {(line["stage"], line["source"]) for line in lines} == {("ingest", "mllp")}
        await asyncio.to_thread(list_command, **told, **when, code=["203"])
        assert len(capsysbinary.readouterr().out.splitlines()) == 1
        await asyncio.to_thread(list_command, **told, since="2022-01-01", until="2023-01-01")
        assert capsysbinary.readouterr().out == b""

        first = next(line for line in lines if line["code"] == "100")
        place = f"{first['partition']}:{first['offset']}"
        await asyncio.to_thread(show_command, place, **told)
        shown = capsysbinary.readouterr()
        assert shown.out == BAD
        assert json.loads(shown.err)["findings"][0]["code"] == "100"

        to = f"mllp://127.0.0.1:{bench.service.mllp.port}"
        with pytest.raises(typer.Exit):  # it is as bad as it was
            await asyncio.to_thread(replay_command, [place], **told, to=to)
        assert json.loads(capsysbinary.readouterr().out)["ack"] == "AE"
        assert audited(bench) == [
            ("rejected_list", "HOPERAT"),
            ("rejected_show", "HOPERAT"),
            ("rejected_replay", "HOPERAT"),
        ]


async def test_a_message_goes_again_through_the_listener_it_came_by(
    make_bench: MakeBench,
    tmp_path: Path,
    capsysbinary: pytest.CaptureFixture[bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The listener in Beijing assumes GB18030; through another one the names would be others."""
    keys = make_keys(tmp_path / "site")
    bad = oru("BAD-1") + "PID|1||7^^^H^MR||王^芳\rjunk\r".encode("gb18030")
    doors = [{"name": "beijing", "port": 0, "charset": "gb18030"}]
    async with (
        make_bench(keys_dir=keys, doors=doors) as bench,
        privacy_over(bench, keys) as url,
    ):
        told: dict[str, Any] = {"viewer": "o", "privacy": url, "token": keys / "operator.token"}
        told["since"] = "2023-01-01"
        beijing = bench.service.listeners["beijing"].port
        async with sender(beijing) as link:
            assert msa(await link.send(bad)) == ("AE", "BAD-1")
        await kept(bench, 1)
        monkeypatch.setattr("cli.listeners.doors_of", lambda *_: Doors(("127.0.0.1", 9), ""))
        monkeypatch.setenv("INGEST_DOORS", json.dumps([doors[0] | {"port": beijing}]))
        capsysbinary.readouterr()
        with pytest.raises(typer.Exit):  # it is as bad as it was
            await asyncio.to_thread(replay_command, [], **told)
        said = capsysbinary.readouterr()
        assert json.loads(said.out.splitlines()[-1])["ack"] == "AE"
        assert b"warning" not in said.err

        mllp = bench.service.mllp.port
        monkeypatch.setattr("cli.listeners.doors_of", lambda *_: Doors(("127.0.0.1", mllp), ""))
        monkeypatch.delenv("INGEST_DOORS")
        with pytest.raises(typer.Exit):
            await asyncio.to_thread(replay_command, [], **told)
        said = capsysbinary.readouterr()
        assert b"source beijing goes to the default listener" in said.err
        with pytest.raises(typer.Exit):
            await asyncio.to_thread(replay_command, [], **told, to=f"mllp://127.0.0.1:{mllp}")
        assert b"warning" not in capsysbinary.readouterr().err


async def test_the_answers_are_those_of_the_golden_files(
    make_bench: MakeBench, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """``contracts/cli/rejected.*``; what a run of its own makes (place, time, id) is masked."""
    keys = make_keys(tmp_path / "site")
    sent = (GOLDENS / "rejected.input.hl7").read_bytes().replace(b"\n", b"\r")
    async with make_bench(keys_dir=keys) as bench, privacy_over(bench, keys) as url:
        told: dict[str, Any] = {"viewer": "operator 1", "privacy": url}
        told["token"] = keys / "operator.token"
        async with sender(bench.service.mllp.port) as link:
            await link.send(sent)
        await kept(bench, 1)
        capsysbinary.readouterr()
        await asyncio.to_thread(list_command, since="2023-01-01", until="2024-01-01", **told)
        (listed,) = lines_of(capsysbinary.readouterr().out)
        place = f"{listed['partition']}:{listed['offset']}"
        await asyncio.to_thread(show_command, place, **told)
        shown = capsysbinary.readouterr()
        assert shown.out == sent
        to = f"mllp://127.0.0.1:{bench.service.mllp.port}"
        with pytest.raises(typer.Exit):
            await asyncio.to_thread(replay_command, [place], **told, to=to)
        (replayed,) = lines_of(capsysbinary.readouterr().out)
    (said,) = lines_of(shown.err)
    for name, line in (("list", listed), ("show", said), ("replay", replayed)):
        schema = json.loads((GOLDENS / f"rejected.{name}.schema.json").read_bytes())
        jsonschema.validate(line, schema)
        (golden,) = lines_of((GOLDENS / f"rejected.{name}.output.jsonl").read_bytes())
        assert masked(line) == masked(golden)


def lines_of(said: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in said.splitlines()]


def masked(line: dict[str, Any]) -> dict[str, Any]:
    masks = dict.fromkeys(("partition", "offset", "at_ms", "event_id"), "*")
    nested = {"entry": masked(line["entry"])} if "entry" in line else {}
    return line | {name: mask for name, mask in masks.items() if name in line} | nested


async def test_what_privacy_refused_goes_back_to_the_stream(
    make_bench: MakeBench, tmp_path: Path
) -> None:
    keys = make_keys(tmp_path / "site")
    async with make_bench(keys_dir=keys) as bench, privacy_over(bench, keys) as url:
        async with sender(bench.service.mllp.port) as link:
            await link.send(oru("C1"))
        (record,) = bench.log.records(IDENTIFIED.name)
        value = Rejection(
            code="crashed",
            stage="privacy",
            topic=IDENTIFIED.name,
            partition=record.partition,
            offset=record.offset,
            payload=record.value or b"",
        )
        refused = Output(REJECTED.name, record.key, REJECTED.encode(value), record.headers)
        await bench.log.write([refused])
        asking = Asking("operator 1", url, keys / "operator.token")
        (entry,) = asking_list(await asyncio.to_thread(asking.listed, "2023-01-01", "", ()))
        place = asking.place(*entry)
        found = await asyncio.to_thread(asking.ask, "replay", place, RefusedReplay)
        assert found.to == "stream"
        again = bench.log.records(IDENTIFIED.name)
        assert [(one.key, one.value, one.headers) for one in again] == [
            (record.key, record.value, record.headers)
        ] * 2


def asking_list(found: RefusedList) -> list[tuple[int, int]]:
    return [(entry.partition, entry.offset) for entry in found.entries]


async def test_without_the_token_or_the_record_there_is_nothing(
    make_bench: MakeBench, tmp_path: Path
) -> None:
    keys = make_keys(tmp_path / "site")
    wrong = tmp_path / "wrong.token"
    wrong.write_text("00" * 32)
    async with make_bench(keys_dir=keys) as bench, privacy_over(bench, keys) as url:
        bench.log.create(REJECTED.name)
        for token, status in ((wrong, "401"), (keys / "operator.token", "404")):
            asking = Asking("operator 1", url, token)
            with pytest.raises(StackError, match=status):
                await asyncio.to_thread(asking.ask, "show", asking.place(0, 5), RefusedMessage)
        assert audited(bench) == []


async def test_the_gateways_secret_another_role_or_too_many_open_nothing(
    make_bench: MakeBench, tmp_path: Path
) -> None:
    keys = make_keys(tmp_path / "site")
    async with (
        make_bench(keys_dir=keys) as bench,
        privacy_over(bench, keys, rejected_per_hour_max=2) as url,
    ):
        async with sender(bench.service.mllp.port) as link:
            for number in range(3):
                await link.send(BAD.replace(b"BAD-1", b"BAD-%d" % number))
        await kept(bench, 3)

        async def refused(asking: Asking, number: int, path: str = "show") -> str:
            places = [(r.partition, r.offset) for r in bench.log.records(REJECTED.name)]
            kind = RefusedReplay if path == "replay" else RefusedMessage
            with pytest.raises(StackError) as told:
                await asyncio.to_thread(asking.ask, path, asking.place(*places[number]), kind)
            return str(told.value)

        gateway = Asking("D1", url, keys / "resolve.token")
        for path in ("show", "replay"):
            assert "401" in await refused(gateway, 0, path)
        with pytest.raises(StackError, match="401"):
            await asyncio.to_thread(gateway.listed, "2023-01-01", "", ())
        token = keys / "operator.token"
        for path, role in itertools.product(("show", "replay"), ("", "clinician", "model-admin")):
            assert "403" in await refused(Asking("o", url, token, role), 0, path)
        with pytest.raises(StackError, match="403"):
            await asyncio.to_thread(Asking("o", url, token, "").listed, "2023-01-01", "", ())
        assert {outcome for *_, outcome in audited_fully(bench)} == {"refused_role"}

        for number in (0, 1, 0):  # one that was seen counts once
            asking = Asking(f"o{number}", url, token, "privacy-officer")
            (*entries,) = asking_list(await asyncio.to_thread(asking.listed, "2023-01-01", "", ()))
            place = asking.place(*entries[number])
            shown = await asyncio.to_thread(asking.ask, "show", place, RefusedMessage)
            assert shown.control_id.startswith("BAD-")
        assert "429" in await refused(Asking("another", url, token), 2)
        assert "429" in await refused(Asking("another", url, token), 2, "replay")
        assert audited_fully(bench)[-1] == ("rejected_replay", "HOPERAT", "refused_too_many")


async def test_without_the_operators_secret_nobody_opens_what_was_refused(
    make_bench: MakeBench, tmp_path: Path
) -> None:
    keys = make_keys(tmp_path / "site")
    (keys / "operator.token").rename(tmp_path / "operator.token")
    async with make_bench(keys_dir=keys) as bench, privacy_over(bench, keys) as url:
        for token in (tmp_path / "operator.token", keys / "resolve.token"):
            with pytest.raises(StackError, match="401"):
                await asyncio.to_thread(Asking("o", url, token).listed, "2023-01-01", "", ())
