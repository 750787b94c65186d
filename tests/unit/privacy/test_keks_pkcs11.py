"""Key-encryption keys in a real PKCS#11 module (SoftHSM 2), with a token for each test."""

import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.commands.keys import app
from cli.stack.process import StackError
from plumbing.key_files import KeyMissing
from services.privacy.app import _keks
from services.privacy.keks import KeyRing
from services.privacy.keks_pkcs11 import GONE_LABEL, LABEL, Pkcs11Keks, read_pin
from services.privacy.patient_keys import KeyUnreadable, PatientKey
from services.privacy.settings import PrivacySettings
from tests.support.hsm import PIN

SECRET = bytes(range(100, 132))


def a_store(module: Path, token: str, pin: str = PIN) -> Pkcs11Keks:
    return Pkcs11Keks(module, token, pin)


def test_the_newest_wraps_and_older_ones_open(hsm_module: Path, hsm_token: str) -> None:
    a_store(hsm_module, hsm_token).make()
    ring, another = KeyRing(a_store(hsm_module, hsm_token)), KeyRing(a_store(hsm_module, hsm_token))
    first = ring.current
    wrapped = first.wrap(SECRET, "link", os.urandom)
    made = a_store(hsm_module, hsm_token).make()
    assert made == ring.current.id == another.current.id != first.id
    found = another.find(first.id)
    assert found is not None
    assert found.unwrap(wrapped, "link").token == PatientKey(SECRET).token
    with pytest.raises(KeyUnreadable):
        another.current.unwrap(wrapped, "link")


def test_the_same_key_is_computed_by_another_process(hsm_module: Path, hsm_token: str) -> None:
    made = a_store(hsm_module, hsm_token).make()
    told = "from pathlib import Path; from services.privacy.keks_pkcs11 import Pkcs11Keks as K;"
    told += f"print(K(Path({str(hsm_module)!r}), {hsm_token!r}, {PIN!r}).load().live[0].id)"
    done = subprocess.run([sys.executable, "-c", told], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == made


def test_a_destroyed_key_can_be_computed_no_more_by_any_replica(
    hsm_module: Path, hsm_token: str
) -> None:
    store = a_store(hsm_module, hsm_token)
    store.make()
    ring, another = KeyRing(a_store(hsm_module, hsm_token)), KeyRing(a_store(hsm_module, hsm_token))
    first = ring.current.id
    store.make()
    assert store.destroy(first) == 0
    assert store.destroy(first) == 0
    assert ring.find(first) is None is another.find(first)
    assert first not in {kek.id for kek in a_store(hsm_module, hsm_token).load().live}
    with pytest.raises(KeyUnreadable):
        ring.find("00" * 8)


def test_a_destruction_that_was_cut_short_is_finished(hsm_module: Path, hsm_token: str) -> None:
    store = a_store(hsm_module, hsm_token)
    first, second = store.make(), store.make()
    store._name_gone(store._open(), first)
    keks = a_store(hsm_module, hsm_token).load()
    assert [kek.id for kek in keks.live] == [second]
    assert keks.destroyed == {first}
    assert len(list(store._secrets(store._open()))) == 1


def test_a_secret_can_neither_be_read_nor_taken_out(hsm_module: Path, hsm_token: str) -> None:
    pkcs11: Any = importlib.import_module("pkcs11")
    store = a_store(hsm_module, hsm_token)
    store.make()
    (secret,) = store._secrets(store._open())
    for attribute in (pkcs11.Attribute.SENSITIVE, pkcs11.Attribute.PRIVATE):
        assert secret[attribute]
    assert not secret[pkcs11.Attribute.EXTRACTABLE]
    with pytest.raises(pkcs11.exceptions.PKCS11Error):
        secret[pkcs11.Attribute.VALUE]
    assert (secret.label, GONE_LABEL) == (LABEL, f"{LABEL}-gone")


# The library closes a search of a session that has ended, and complains of that to nobody.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_session_that_ended_is_begun_again(hsm_module: Path, hsm_token: str) -> None:
    store = a_store(hsm_module, hsm_token)
    made = store.make()
    store._open().close()
    assert [kek.id for kek in store.load().live] == [made]
    store.close()
    assert store.can_change()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"token": "another"}, "NoSuchToken"),
        ({"module": Path("/nonexistent.so")}, "another|nonexistent|PKCS11Error|RuntimeError"),
    ],
)
def test_what_cannot_be_reached_is_an_oserror(
    hsm_module: Path, hsm_token: str, changes: dict[str, Any], why: str
) -> None:
    with pytest.raises(OSError, match=why):
        a_store(**{"module": hsm_module, "token": hsm_token, **changes}).load()


def test_a_wrong_pin_is_told_and_not_shown(hsm_module: Path, hsm_token: str) -> None:
    told = "from pathlib import Path; from services.privacy.keks_pkcs11 import Pkcs11Keks as K;"
    told += f"K(Path({str(hsm_module)!r}), {hsm_token!r}, '999999').load()"
    done = subprocess.run([sys.executable, "-c", told], check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert f"OSError: the PKCS#11 token {hsm_token}: PinIncorrect" in done.stderr
    assert "999999" not in done.stderr.splitlines()[-1]


def test_a_token_without_a_key_is_refused_until_the_command_made_one(
    hsm_module: Path, hsm_token: str, tmp_path: Path
) -> None:
    (tmp_path / "pkcs11.pin").write_text(f"{PIN}\n")
    settings = PrivacySettings(keys_dir=tmp_path, pkcs11_module=hsm_module, pkcs11_token=hsm_token)
    store = _keks(settings)
    assert store is not None
    with pytest.raises(KeyMissing, match="auscult keys hsm"):
        store.load()
    words = ["hsm", "--module", str(hsm_module), "--token", hsm_token]
    words += ["--pin-file", str(tmp_path / "pkcs11.pin")]
    made = CliRunner().invoke(app, words)
    (kek,) = store.load().live
    assert made.stdout == f"key-encryption key {kek.id} made in {hsm_token}\n"
    assert CliRunner().invoke(app, words).stdout == f"{hsm_token} has its keys; nothing made\n"
    words[-1] = str(tmp_path / "none.pin")
    assert isinstance(CliRunner().invoke(app, words).exception, StackError)


@pytest.mark.parametrize("content", [None, "", " \n"])
def test_no_pin_is_no_key(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "pkcs11.pin"
    if content is not None:
        file.write_text(content)
    with pytest.raises(KeyMissing):
        read_pin(file)


def test_without_the_library_it_says_which_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    with pytest.raises(KeyMissing, match="extra `pkcs11`"):
        Pkcs11Keks(tmp_path, "t", "p")
