"""`auscult audit verify` on a log in memory, as its golden file says."""

import asyncio
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from cli.commands import audit
from contracts.audited import AUDIT, AuditEntry
from plumbing.audit_trail import Checkpoints
from plumbing.clock import SystemClock
from plumbing.event_log import Output
from plumbing.hash_chain import Chain
from plumbing.key_files import make_signing_pair, read_signing_key
from plumbing.memory_log import InMemoryLog

NOW_MS = SystemClock().now_ms()
GOLDEN = Path(__file__).parents[3] / "contracts" / "cli" / "audit.verify.output.jsonl"


class Log(InMemoryLog):
    """A log that is at any address; closing it ends nothing."""

    async def close(self) -> None:
        """Stay open for the test."""


class Site:
    """Keys, checkpoints and entries of two writers."""

    def __init__(self, folder: Path, log: InMemoryLog) -> None:
        self.folder, self.log = folder, log
        self.entries: dict[str, list[AuditEntry]] = {}
        for writer in audit.WRITERS:
            make_signing_pair(folder / f"{writer}.key", folder / f"{writer}.pub", os.urandom)
            key = read_signing_key(folder / f"{writer}.key")
            chain = Chain(writer, "20260101T000000", key)
            self.entries[writer] = [
                chain.add(AuditEntry, at_ms=NOW_MS + n, action="patient", viewer="s", token="t")
                for n in range(3)
            ]
            kept = Checkpoints(folder / writer)
            kept.prepare()
            kept.keep(chain.checkpoint(NOW_MS + 3))

    async def write(self, entries: Sequence[AuditEntry]) -> None:
        outputs = [Output(AUDIT.name, e.writer.encode(), AUDIT.encode(e)) for e in entries]
        await self.log.write(outputs)

    def verify(self, *more: str) -> Any:
        options = [*more]
        for writer in audit.WRITERS:
            options += ["--checkpoints", str(self.folder / writer)]
            options += ["--key", f"{writer}={self.folder / writer}.pub"]
        return CliRunner().invoke(audit.app, ["verify", *options])


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    log = Log([AUDIT.name])
    monkeypatch.setattr(audit, "KafkaReader", lambda _: log)
    return Site(tmp_path, log)


def goldens() -> list[Any]:
    return [json.loads(line) for line in GOLDEN.read_text(encoding="utf-8").splitlines()]


def write(site: Site, *, whole: bool) -> None:
    privacy, gateway = (site.entries[writer] for writer in audit.WRITERS)
    asyncio.run(site.write(privacy))
    if whole:
        asyncio.run(site.write(gateway))
        return
    changed = msgspec.structs.replace(gateway[1], token="other")
    asyncio.run(site.write([gateway[0], changed]))
    asyncio.run(site.log.write([Output(AUDIT.name, b"x", b"no entry")]))
    (site.folder / "gateway" / "half.json").write_bytes(b"{")


@pytest.mark.parametrize(("whole", "line"), [(True, 0), (False, 1)])
def test_it_answers_as_its_golden_file(site: Site, *, whole: bool, line: int) -> None:
    write(site, whole=whole)
    done = site.verify("--json")
    told = json.loads(done.stdout)
    told["broken_checkpoints"] = [Path(one).name for one in told["broken_checkpoints"]]
    assert told == goldens()[line]
    assert done.exit_code == (0 if whole else 1)


def test_for_people_it_is_the_same_in_lines(site: Site) -> None:
    write(site, whole=False)
    lines = site.verify().stdout.splitlines()
    assert lines[0] == f"bad_checkpoint: {site.folder / 'gateway' / 'half.json'} is no checkpoint"
    assert "altered: gateway 20260101T000000 entry 1" in lines
    assert "unreadable: 1 records are no audit entries" in lines
    assert lines[-1].endswith("NOT whole")


ADDED = (
    (b"{", b'{"viewer":"somebody else",'),  # of two the second is read
    (b"{", b'{"approved_by":"somebody else",'),
    (b'"sequence":1', b'"sequence": 1'),
    (b'"token"', b'"detail":{},"token"'),
)


@pytest.mark.parametrize(("old", "new"), ADDED)
def test_bytes_that_say_nothing_more_are_an_alteration(site: Site, old: bytes, new: bytes) -> None:
    privacy, gateway = (site.entries[writer] for writer in audit.WRITERS)
    asyncio.run(site.write([*privacy, gateway[0]]))
    value = AUDIT.encode(gateway[1]).replace(old, new, 1)
    assert AUDIT.decode(value) == gateway[1]
    asyncio.run(site.log.write([Output(AUDIT.name, b"gateway", value)]))
    asyncio.run(site.write(gateway[2:]))
    (fault,) = json.loads(site.verify("--json").stdout)["faults"]
    assert fault["kind"] == "altered"
    assert (fault["writer"], fault["sequence"]) == ("gateway", 1)


def test_entries_of_before_they_were_signed_are_whole(site: Site) -> None:
    for writer in audit.WRITERS:
        unsigned = [msgspec.structs.replace(one, signature="") for one in site.entries[writer]]
        asyncio.run(site.write(unsigned))
    assert json.loads(site.verify("--json").stdout)["whole"]
