"""The drill: everything is lost but a sealed file and its recovery key, and everybody is named."""

import os
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from contracts.vault import VAULT
from plumbing.errors import Unavailable
from plumbing.event_log import Output
from plumbing.memory_log import InMemoryLog
from services.privacy.backup import (
    Backup,
    BackupUnreadable,
    is_openable,
    restore_keys,
    restore_vault,
    seal,
    take,
    unseal,
)
from services.privacy.folding import term
from services.privacy.keks import FileKeks
from services.privacy.key_files import destroy_day_keys, make_day_keys
from tests.integration.test_privacy_erasure import (
    GONE,
    OTHERS,
    TOPICS,
    Site,
    a_peopled_site,
    a_visit,
    ask_for,
    site,
)
from tests.integration.test_privacy_stage import a_person
from tests.support.privacy import RETENTION_DAYS, TODAY, Ingest

__all__ = ["site"]
RECOVERY = os.urandom(32)


def brought_back(
    backup: Backup, folder: Path, kek_folder: Path | None = None, *, days: int = 0
) -> int:
    """Restore the keys, ``days`` after the backup."""
    today = TODAY + timedelta(days=days)
    return restore_keys(backup, folder, kek_folder, today=today, retention_days=RETENTION_DAYS)


async def test_keys_and_vault_come_back_from_one_file(tmp_path: Path, site: Site) -> None:
    replica, eraser, tokens = await a_peopled_site(site)
    await ask_for(eraser, replica, a_person(GONE))
    await eraser.work()
    raw = seal(await take(site.keys, site.log, 1), RECOVERY, os.urandom)
    for word in (b"Familyname1", b"privacy/kek", *(t.encode() for t in tokens.values())):
        assert word not in raw
    await replica.redis.flushall()
    new = Site(tmp_path / "new", site.redis_url, InMemoryLog(TOPICS), site.clock, site.ingest)
    found = unseal(raw, RECOVERY)
    assert brought_back(found, new.keys) == len(found.files) - 1  # kek.gone is no key
    assert await restore_vault(found, new.log, new.log) == len(found.entries)
    new.ingest = Ingest(new.keys)
    fresh, again = await new.process()
    for number in OTHERS:
        assert await fresh.vault.find_tokens(term(a_person(number).ids[0].value)) == [
            tokens[number]
        ]
    (event,) = await new.feed(fresh, a_visit(OTHERS[0], at_ms=site.clock.now_ms()))
    assert event.token == tokens[OTHERS[0]]
    assert await new.feed(fresh, a_visit(GONE)) == []  # the erased one stays erased
    assert await again.book.proof("e1")
    assert all(p.stat().st_mode & 0o077 == 0 for p in new.keys.rglob("*.key"))
    assert await restore_vault(found, new.log, new.log) == 0
    assert brought_back(found, new.keys) == 0  # overwrites nothing
    await new.close()


async def test_a_backup_from_before_an_erasure_brings_no_destroyed_key_back(site: Site) -> None:
    replica, eraser, _ = await a_peopled_site(site)
    await ask_for(eraser, replica, a_person(GONE))
    await eraser.work()
    older = await take(site.keys, site.log, 1)
    store = FileKeks(site.keys / "privacy", os.urandom)
    first = store.load().live[-1].id
    second = store.make()
    store.destroy(first)
    before = store.load()
    assert brought_back(older, site.keys) == 0
    after = store.load()
    assert [key.id for key in after.live] == [key.id for key in before.live] == [second]
    assert after.destroyed == before.destroyed
    assert first in after.destroyed


async def test_a_backup_that_lacks_the_key_of_its_vault_is_told(site: Site, tmp_path: Path) -> None:
    await a_peopled_site(site)
    assert is_openable(await take(site.keys, site.log, 1))
    apart = tmp_path / "apart"
    apart.mkdir()
    (site.keys / "privacy" / "kek.key").rename(apart / "kek.key")
    assert not is_openable(await take(site.keys, site.log, 1))
    assert is_openable(await take(site.keys, site.log, 1, apart))


async def test_a_backup_that_lacks_one_of_two_keys_is_told(site: Site) -> None:
    """The old key was destroyed after half of the vault was read and before the files were."""
    _, eraser, _ = await a_peopled_site(site)
    early = await take(site.keys, site.log, 1)
    await eraser.change_key()
    late = await take(site.keys, site.log, 2)
    read = early.entries[: len(early.entries) // 2]
    rest = [one for one in late.entries if one[0] not in {key for key, *_ in read}]
    torn = Backup(taken_at_ms=1, files=late.files, entries=[*read, *rest])
    assert is_openable(early)
    assert is_openable(late)
    assert not is_openable(torn)


async def test_a_restore_that_was_killed_can_be_finished(site: Site) -> None:
    await a_peopled_site(site)
    backup = await take(site.keys, site.log, 1)
    new = InMemoryLog(TOPICS)

    class Dies(InMemoryLog):
        async def write(self, outputs: Sequence[Output]) -> tuple[int, ...]:
            await new.write(outputs[:2])
            raise Unavailable("killed")

    with pytest.raises(Unavailable):
        await restore_vault(backup, new, Dies(()))
    assert await restore_vault(backup, new, new) == len(backup.entries) - 2
    last = {record.key: record.value for record in new.records(VAULT.name)}
    assert last == {key: value for key, value, _ in backup.entries}
    assert await restore_vault(backup, new, new) == 0
    await new.write([Output(VAULT.name, b"1" * 32, None)])
    with pytest.raises(FileExistsError):
        await restore_vault(backup, new, new)


async def test_a_restore_brings_no_sealing_key_back_whose_time_is_over(site: Site) -> None:
    make_day_keys(site.keys, TODAY, 10, os.urandom)
    backup = await take(site.keys, site.log, 1)
    pair = ("privacy/sealing/2023-11-14.key", "sealing/public/2023-11-14.pub")
    later = TODAY + timedelta(days=RETENTION_DAYS + 2)
    assert destroy_day_keys(site.keys, later, RETENTION_DAYS) == ["2023-11-14"]
    assert brought_back(backup, site.keys, days=RETENTION_DAYS + 2) == 0
    assert not any((site.keys / name).exists() for name in pair)
    assert brought_back(backup, site.keys, days=RETENTION_DAYS + 1) == 2
    assert all((site.keys / name).exists() for name in pair)


async def test_without_its_recovery_key_a_backup_is_nothing(tmp_path: Path, site: Site) -> None:
    await a_peopled_site(site)
    (site.keys / "pkcs11.pin").write_text("Ab123\n")
    backup = await take(site.keys, site.log, 1)
    raw = seal(backup, RECOVERY, os.urandom)
    for bad in (raw[:-1], raw[:40] + b"x" + raw[41:], b"", b"auscult-backup/1", b"{}"):
        with pytest.raises(BackupUnreadable):
            unseal(bad, RECOVERY)
    with pytest.raises(BackupUnreadable):
        unseal(raw, os.urandom(32))
    kek_folder = tmp_path / "volume"
    brought_back(backup, tmp_path / "apart", kek_folder)
    assert [path.name for path in kek_folder.iterdir()] == ["kek.key"]
    assert not list((tmp_path / "apart" / "privacy").glob("kek*"))
    restored = tmp_path / "apart"
    files = [path for path in restored.rglob("*") if path.is_file()]
    assert {str(one.relative_to(restored)): one.read_bytes() for one in files} == {
        name: raw for name, raw in backup.files.items() if not name.startswith("privacy/kek")
    }
    assert all(one.stat().st_mode & 0o077 == 0 for one in files)
    (site.keys / "privacy" / "kek.key").unlink()
    again = await take(site.keys, site.log, 1, kek_folder)
    assert again.files == backup.files
    escaping = type(backup)(taken_at_ms=1, files={"../out.key": b"00" * 32}, entries=[])
    with pytest.raises(BackupUnreadable):
        brought_back(escaping, tmp_path / "new")
    assert not (tmp_path / "out.key").exists()
