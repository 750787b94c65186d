"""A site moves from key files to a real PKCS#11 token (SoftHSM 2); killed anywhere, it goes on."""

import asyncio
import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from kafka import KafkaConsumer
from msgspec.structs import replace
from typer.testing import CliRunner

from cli.commands import key_move
from cli.commands.keys import app
from cli.stack.process import StackError
from plumbing.kafka_admin import KafkaAdmin
from plumbing.kafka_connection import KafkaConnection
from plumbing.key_files import KeyMissing
from services.privacy.folding import term
from services.privacy.keks import FileKeks
from services.privacy.keks_pkcs11 import Pkcs11Keks
from services.privacy.moving import CannotMove, Moved, move
from services.privacy.settings import PrivacySettings
from tests.integration.test_privacy_erasure import (
    GONE,
    OTHERS,
    Site,
    a_peopled_site,
    a_visit,
    ask_for,
    site,
)
from tests.integration.test_privacy_stage import a_person
from tests.support.erasing import Fuel, FuelledWriter, Killed
from tests.support.hsm import PIN

__all__ = ["site"]


class FuelledToken(Pkcs11Keks):
    """A token whose user is killed before or after a change."""

    fuel = Fuel()

    def make(self) -> str:
        self.fuel.step()
        made = super().make()
        self.fuel.step()
        return made

    def remember_destroyed(self, kek_ids: Sequence[str]) -> None:
        self.fuel.step()
        super().remember_destroyed(kek_ids)
        self.fuel.step()


async def moved(site: Site, token: Pkcs11Keks, fuel: Fuel | None = None) -> Moved:
    settings = PrivacySettings(keys_dir=site.keys, redis_url=site.redis_url)
    writer = FuelledWriter(site.log, fuel or Fuel())
    return await move(settings, token, (writer, site.log), site.clock, os.urandom)


def key_files(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "privacy").glob("kek*.key"))


async def assert_named_as_before(site: Site, tokens: dict[int, str]) -> None:
    """A process that has the token alone names everybody, and their tokens are the same."""
    replica, _ = await site.process()
    for number in OTHERS:
        number_sent = term(a_person(number).ids[0].value)
        assert await replica.vault.find_tokens(number_sent) == [tokens[number]]
    (event,) = await site.feed(replica, a_visit(OTHERS[0], at_ms=site.clock.now_ms()))
    assert event.token == tokens[OTHERS[0]]


async def test_all_opens_under_the_token_and_the_files_are_gone(
    site: Site, hsm_module: Path, hsm_token: str
) -> None:
    replica, eraser, tokens = await a_peopled_site(site)
    await eraser.change_key()  # so that a key was destroyed before, and old bytes are on the topic
    erasure = await ask_for(eraser, replica, a_person(GONE))
    await eraser.book.put(replace(erasure, state="requested"))  # that waits for a second person
    (before,) = FileKeks(site.keys / "privacy", os.urandom).load().live
    destroyed_before = FileKeks(site.keys / "privacy", os.urandom).destroyed()
    await site.close()
    token = Pkcs11Keks(hsm_module, hsm_token, PIN)
    done = await moved(site, token)
    assert done.destroyed == (before.id,)
    assert [kek.id for kek in token.load().live] == [done.kek_id]
    assert token.destroyed() == {*destroyed_before, before.id}
    assert len(destroyed_before) == 1
    assert key_files(site.keys) == []
    site.keks = token
    await assert_named_as_before(site, tokens)
    _, again = await site.process()
    assert tokens[GONE] in again.book.about((await again.book.read())["e1"]).tokens
    with pytest.raises(CannotMove, match="nothing is to be moved"):
        await moved(site, token)
    site.keks = None
    with pytest.raises(KeyMissing):
        await site.process()


async def test_killed_anywhere_it_goes_on(site: Site, hsm_module: Path, hsm_token: str) -> None:
    _, _, tokens = await a_peopled_site(site)
    await site.close()
    token = FuelledToken(hsm_module, hsm_token, PIN)
    kills = 0
    while key_files(site.keys):
        fuel = token.fuel = Fuel(kills)  # each time a step further
        with contextlib.suppress(Killed):
            await moved(site, token, fuel)
            break
        kills += 1
    assert kills >= 4
    assert key_files(site.keys) == []
    assert len(token.load().live) == 1
    site.keks = Pkcs11Keks(hsm_module, hsm_token, PIN)
    await assert_named_as_before(site, tokens)


async def test_it_waits_for_an_erasure_that_is_under_way(
    site: Site, hsm_module: Path, hsm_token: str
) -> None:
    replica, eraser, _ = await a_peopled_site(site)
    await ask_for(eraser, replica, a_person(GONE))
    token = Pkcs11Keks(hsm_module, hsm_token, PIN)
    with pytest.raises(CannotMove, match="an erasure is under way"):
        await moved(site, token)
    assert token.state() == ((), 0)
    assert key_files(site.keys) == ["kek.key"]


def test_the_command_refuses_while_privacy_runs_and_says_what_it_did(
    site: Site,
    kafka_broker: str,
    hsm_module: Path,
    hsm_token: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The broker is asked who is in the group; the vault's records stand in a log in memory, for
    that topic of the session's broker has those of others.
    """
    tokens = asyncio.run(_peopled(site))
    group = f"privacy-{hsm_token}"
    monkeypatch.setattr(key_move, "GROUP", group)
    for name in ("BatchWriter", "KafkaReader"):
        monkeypatch.setattr(key_move, name, lambda *_, **__: site.log)
    (tmp_path / "pin").write_text(PIN)
    words = ["move-to-hsm", "--dir", str(site.keys), "--module", str(hsm_module)]
    words += ["--token", hsm_token, "--pin-file", str(tmp_path / "pin")]
    environment = {"PRIVACY_KAFKA_BOOTSTRAP": kafka_broker, "PRIVACY_REDIS_URL": site.redis_url}
    consumer = KafkaConsumer("any", group_id=group, bootstrap_servers=kafka_broker)
    with KafkaAdmin(KafkaConnection(bootstrap=kafka_broker)) as admin:
        while not admin.members(group):
            consumer.poll(200)
    refused = CliRunner().invoke(app, words, env=environment)
    consumer.close()
    assert isinstance(refused.exception, StackError)
    assert "privacy runs (1 in its group)" in str(refused.exception)
    assert key_files(site.keys) == ["kek.key"]
    done = CliRunner().invoke(app, words, env=environment)
    assert done.exception is None, done.exception
    (kek,) = Pkcs11Keks(hsm_module, hsm_token, PIN).load().live
    assert f"{len(tokens)} entries under {kek.id} of {hsm_token}; destroyed: " in done.stdout
    assert key_files(site.keys) == []
    again = CliRunner().invoke(app, words, env=environment)
    assert "nothing is to be moved" in str(again.exception)


async def _peopled(site: Site) -> dict[int, str]:
    _, _, tokens = await a_peopled_site(site)
    await site.close()
    return tokens


def test_without_a_module_it_asks_which(tmp_path: Path) -> None:
    refused = CliRunner().invoke(app, ["move-to-hsm", "--dir", str(tmp_path)])
    assert "which token?" in str(refused.exception)
