"""Key-encryption keys in a folder: one wraps, older ones open, destroyed ones are gone."""

import os
from datetime import date
from pathlib import Path

import pytest

from cli.commands.keys import generate
from plumbing.key_files import KeyMissing
from services.privacy.keks import FileKeks, KeyRing
from services.privacy.patient_keys import Kek, KeyUnreadable, PatientKey

SECRET = bytes(range(100, 132))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    generate(tmp_path, date(2024, 3, 5))
    return tmp_path / "privacy"


def a_store(folder: Path) -> FileKeks:
    return FileKeks(folder, os.urandom)


def test_the_newest_wraps_and_older_ones_open(folder: Path) -> None:
    ring = KeyRing(a_store(folder))
    first = ring.current
    wrapped = first.wrap(SECRET, "link", os.urandom)
    another = KeyRing(a_store(folder))  # another replica, which has read the keys before
    made = a_store(folder).make()
    assert made == ring.current.id == another.current.id != first.id
    found = another.find(first.id)
    assert found is not None
    assert found.unwrap(wrapped, "link").token == PatientKey(SECRET).token
    with pytest.raises(KeyUnreadable):
        another.current.unwrap(wrapped, "link")
    with pytest.raises(KeyUnreadable):
        found.unwrap(wrapped, "another")


def test_a_destroyed_key_is_gone_from_the_folder_and_from_every_replica(folder: Path) -> None:
    ring, another = KeyRing(a_store(folder)), KeyRing(a_store(folder))
    first = ring.current.id
    old = (folder / "kek.key").read_bytes().strip()
    a_store(folder).make()
    assert a_store(folder).destroy(first) == 0
    assert a_store(folder).destroy(first) == 0
    assert ring.find(first) is None is another.find(first)
    assert all(old not in path.read_bytes() for path in folder.rglob("*") if path.is_file())
    with pytest.raises(KeyUnreadable):
        ring.find("00" * 8)


@pytest.mark.parametrize("cut", ["named", "overwritten"])
def test_a_destruction_that_was_cut_short_is_finished(folder: Path, cut: str) -> None:
    first = KeyRing(a_store(folder)).current.id
    a_store(folder).make()
    (folder / "kek.gone").write_text(f"{first}\n", encoding="ascii")
    if cut == "overwritten":
        (folder / "kek.key").write_text("0" * 64, encoding="ascii")
    keks = a_store(folder).load()
    assert first not in {kek.id for kek in keks.live}
    assert not (folder / "kek.key").exists()


def test_the_first_key_is_never_made_again(folder: Path) -> None:
    first = KeyRing(a_store(folder)).current.id
    made = a_store(folder).make()
    a_store(folder).destroy(first)
    generate(folder.parent, date(2024, 3, 5))
    assert [kek.id for kek in a_store(folder).load().live] == [made]


def test_what_is_known_goes_on_opening_while_the_folder_is_away(folder: Path) -> None:
    ring = KeyRing(a_store(folder))
    known = ring.current.id
    folder.rename(folder.with_name("away"))
    assert ring.current.id == known
    with pytest.raises((KeyMissing, OSError)):
        KeyRing(a_store(folder))


def test_an_identity_opens_with_both_keys_only(folder: Path) -> None:
    kek, key = KeyRing(a_store(folder)).current, PatientKey(SECRET)
    sealed = kek.seal_identity(key, b"who", "link", os.urandom)
    assert kek.open_identity(key, sealed, "link") == b"who"
    for other in (Kek(os.urandom(32)), Kek(SECRET)):
        with pytest.raises(KeyUnreadable):
            other.open_identity(key, sealed, "link")
    with pytest.raises(KeyUnreadable):
        kek.open_identity(PatientKey(bytes(32)), sealed, "link")
    with pytest.raises(KeyUnreadable):
        key.open_identity(sealed, "link")  # nor as before 1.1


def test_search_fields_cannot_be_named_without_the_key() -> None:
    kek, index = Kek(SECRET), os.urandom(32)
    field = kek.field("i", index, "vickers")
    assert field == Kek(SECRET).field("i", index, "vickers")
    assert field != Kek(os.urandom(32)).field("i", index, "vickers")
    assert field != kek.field("i", os.urandom(32), "vickers")
    assert field != kek.field("t", index, "vickers")


def test_a_secret_mounted_read_only_is_never_followed_by_a_key_that_would_be_lost(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, access = a_store(folder), os.access
    assert store.can_change()
    monkeypatch.setattr(os, "access", lambda path, mode: path.is_dir() and access(path, mode))
    assert not store.can_change()
    with pytest.raises(PermissionError):
        store.make()
    assert [path.name for path in folder.glob("kek*")] == ["kek.key"]
