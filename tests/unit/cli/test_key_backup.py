"""`auscult keys backup` and `restore` on files and a vault in memory, as their golden files say."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from cli.commands import key_backup
from cli.stack.process import StackError
from contracts.vault import VAULT, VaultEntry
from plumbing.event_log import Output
from plumbing.key_files import make_key, read_key
from plumbing.memory_log import InMemoryLog
from services.privacy.patient_keys import Kek

GOLDENS = Path(__file__).parents[3] / "contracts" / "cli"


class Log(InMemoryLog):
    """A log that is at any address; closing it ends nothing."""

    async def close(self) -> None:
        """Stay open for the test."""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two keys, which the commands run in."""
    for name in ("privacy/kek.key", "resolve.token"):
        make_key(tmp_path / "keys" / name, os.urandom)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def log(site: Path, monkeypatch: pytest.MonkeyPatch) -> InMemoryLog:
    """A vault of two entries, one of them written twice."""
    kek = Kek(read_key(site / "keys" / "privacy" / "kek.key"))
    kept = Log([VAULT.name])
    records = []
    for version, link in enumerate(("a", "b", "a"), 1):
        wrapped = kek.wrap(os.urandom(32), link, os.urandom)
        entry = VaultEntry(link=link, token="", kek_id=kek.id, wrapped_key=wrapped, version=version)
        records.append(Output(VAULT.name, link.encode(), VAULT.encode(entry)))
    asyncio.run(kept.write(records))
    monkeypatch.setattr(key_backup, "KafkaReader", lambda _: kept)
    monkeypatch.setattr(key_backup, "KafkaWriter", lambda _: kept)
    return kept


def run(*words: str) -> Any:
    app = typer.Typer()
    app.command("backup")(key_backup.backup_command)
    app.command("restore")(key_backup.restore_command)
    done = CliRunner().invoke(app, [*words, "--recovery-key", "recovery.key"])
    if done.exception is not None:
        raise done.exception
    return done


def golden(name: str) -> Any:
    return json.loads((GOLDENS / f"{name}.output.json").read_text(encoding="utf-8"))


def test_a_backup_and_its_restore_answer_as_their_golden_files(
    site: Path, log: InMemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = run("backup", "site.backup", "--dir", "keys", "--json")
    assert json.loads(made.stdout) == golden("keys.backup")
    assert "recovery key made" in made.stderr
    again = run("backup", "site.backup", "--dir", "keys", "--json")
    assert json.loads(again.stdout) == golden("keys.backup") | {"recovery_key_made": False}
    emptied = Log([VAULT.name])
    monkeypatch.setattr(key_backup, "KafkaReader", lambda _: emptied)
    monkeypatch.setattr(key_backup, "KafkaWriter", lambda _: emptied)
    back = run("restore", "site.backup", "--dir", "elsewhere", "--json")
    assert json.loads(back.stdout) == golden("keys.restore")
    kek = "privacy/kek.key"
    assert (site / "elsewhere" / kek).read_text() == (site / "keys" / kek).read_text()
    assert {record.key for record in emptied.records(VAULT.name)} == {b"a", b"b"}


@pytest.mark.usefixtures("site", "log")
def test_for_people_it_is_a_sentence_and_a_vault_with_records_of_its_own_is_refused() -> None:
    made = run("backup", "site.backup", "--dir", "keys")
    assert made.stdout == "2 key files, 2 vault records in site.backup\n"
    with pytest.raises(StackError, match="not of this backup"):
        run("restore", "site.backup", "--dir", "elsewhere", "--json")
    assert not Path("elsewhere").exists()  # refused before a key was written


@pytest.mark.usefixtures("log")
def test_a_backup_without_the_key_that_opens_its_vault_is_refused(site: Path) -> None:
    (site / "apart").mkdir()
    (site / "keys" / "privacy" / "kek.key").rename(site / "apart" / "kek.key")
    with pytest.raises(StackError, match="--kek-dir"):
        run("backup", "site.backup", "--dir", "keys")
    assert not (site / "site.backup").exists()
    told = "1 key files, 2 vault records in site.backup\n"  # of a token, which keeps its own keys
    assert run("backup", "site.backup", "--dir", "keys", "--in-token").stdout == told
    told = "2 key files, 2 vault records in site.backup\n"
    assert run("backup", "site.backup", "--dir", "keys", "--kek-dir", "apart").stdout == told
