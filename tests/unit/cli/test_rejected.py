"""What was set aside goes back as it was; the source of a sender can be told from its name."""

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.commands.keys import app as keys
from cli.commands.set_aside import release
from contracts.identified import IDENTIFIED, IdentifiedEvent
from contracts.rejection import Rejection, rejected
from plumbing.event_log import Output
from plumbing.key_files import write_new
from plumbing.memory_log import InMemoryLog
from services.ingest.identity import Keys, sender

BIN = rejected(IDENTIFIED)


def sealed(event_id: str) -> bytes:
    return IDENTIFIED.encode(
        IdentifiedEvent(
            event_id=event_id,
            event_type="observation.result",
            source="mllp",
            key_id="k",
            key_day="2026-01-01",
            wrapped_key=b"w",
            nonce=b"n",
            sealed=b"s",
        )
    )


def refused(
    key: bytes, event_id: str, code: str, source: str, *, payload: bytes | None = None
) -> Output:
    value = Rejection(
        code=code,
        stage="privacy",
        topic=IDENTIFIED.name,
        partition=0,
        offset=0,
        event_id=event_id,
        payload=sealed(event_id) if payload is None else payload,
    )
    headers = (("event_id", event_id.encode()), ("source", source.encode()))
    return Output(BIN.name, key, BIN.encode(value), headers)


@pytest.fixture
def log() -> InMemoryLog:
    return InMemoryLog([BIN.name, IDENTIFIED.name])


async def test_what_was_set_aside_goes_back_in_its_order(log: InMemoryLog) -> None:
    told = [refused(b"p%d" % (n % 3), str(n), "source_paused", "mllp/a") for n in range(60)]
    await log.write(
        [
            *told[:30],
            refused(b"p1", "odd", "seal_broken", "mllp/a"),
            refused(b"p1", "empty", "source_paused", "mllp/a", payload=b""),
            *told[30:],
        ]
    )
    found = await release(log, log, "source_paused", "")
    assert found == {"mllp/a": 60}
    records = log.records(IDENTIFIED.name)
    for key in (b"p0", b"p1", b"p2"):
        ids = [dict(one.headers)["event_id"] for one in records if one.key == key]
        assert ids == sorted(ids, key=int)
    assert {one.value for one in records} == {sealed(str(n)) for n in range(60)}


async def test_one_source_or_another_code_can_be_asked_for(log: InMemoryLog) -> None:
    await log.write(
        [
            refused(b"p", "1", "source_paused", "mllp/a"),
            refused(b"p", "2", "source_paused", "mllp/b"),
            refused(b"p", "3", "seal_broken", "mllp/b"),
        ]
    )
    assert await release(log, log, "source_paused", "mllp/b") == {"mllp/b": 1}
    assert await release(log, log, "seal_broken", "") == {"mllp/b": 1}
    ids = [dict(one.headers)["event_id"] for one in log.records(IDENTIFIED.name)]
    assert ids == [b"2", b"3"]


def test_a_senders_source_is_printed(tmp_path: Path) -> None:
    key = os.urandom(32)
    folder = tmp_path / "ingest"
    folder.mkdir()
    write_new(folder / "route.key", key)
    command = ["source", "LAB", "HOSP", "--listener", "door", "--dir", str(tmp_path)]
    done = CliRunner().invoke(keys, command)
    assert done.exit_code == 0
    assert done.output.strip() == sender(Keys(b"", key), "door", "LAB", "HOSP")
    (folder / "route.key").unlink()
    again = CliRunner().invoke(keys, command)
    assert again.exit_code == 1
    assert "route.key" in again.output
