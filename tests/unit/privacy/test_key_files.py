import itertools
import os
import random
from datetime import date, timedelta
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from typer.testing import CliRunner

from cli.commands.keys import SECRETS, SIGNING_PAIRS, KeyLost, generate
from cli.commands.keys import app as keys_app
from plumbing.key_files import (
    SAMPLES,
    KeyMissing,
    read_key,
    read_public_key,
    read_signing_key,
    write_new,
)
from plumbing.sealing import unwrap, wrap
from services.gateway.keys import read_keys
from services.ingest.app import load_keys
from services.ingest.settings import IngestSettings
from services.privacy.key_files import (
    destroy_day_keys,
    last_public_day,
    load_privacy_keys,
    make_day_keys,
    private_path,
)

TODAY = date(2024, 3, 5)


def test_generate_makes_all_once_for_the_owner_alone(tmp_path: Path) -> None:
    made = generate(tmp_path, TODAY)
    assert set(SECRETS) <= set(made)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert all(path.stat().st_mode & 0o077 == 0 for path in before)
    assert generate(tmp_path, TODAY) == []
    assert {path: path.read_bytes() for path in before} == before
    assert len({path.read_bytes() for path in before}) == len(before)
    assert len(load_privacy_keys(tmp_path).resolve_token) == 64


@pytest.mark.parametrize(("private", "public"), SIGNING_PAIRS)
def test_a_signing_pair_fits_together(tmp_path: Path, private: str, public: str) -> None:
    generate(tmp_path, TODAY)
    signature = read_signing_key(tmp_path / private).sign(b"head")
    read_public_key(tmp_path / public).verify(signature, b"head")
    with pytest.raises(InvalidSignature):
        read_public_key(tmp_path / public).verify(signature, b"another")
    (tmp_path / public).unlink()
    generate(tmp_path, TODAY)
    read_public_key(tmp_path / public).verify(signature, b"head")


def test_a_day_pair_fits_together(tmp_path: Path) -> None:
    assert make_day_keys(tmp_path, TODAY, 2, os.urandom) == ["2024-03-05", "2024-03-06"]
    public = read_key(tmp_path / "sealing" / "public" / "2024-03-05.pub")
    private = read_key(private_path(tmp_path, "2024-03-05"))
    assert unwrap(wrap(bytes(32), public, os.urandom), private) == bytes(32)


def test_day_keys_go_when_their_records_have_expired(tmp_path: Path) -> None:
    make_day_keys(tmp_path, TODAY, 10, os.urandom)
    assert destroy_day_keys(tmp_path, TODAY + timedelta(days=8), 7) == []
    assert destroy_day_keys(tmp_path, TODAY + timedelta(days=9), 7) == ["2024-03-05"]
    assert not private_path(tmp_path, "2024-03-05").exists()
    assert not (tmp_path / "sealing" / "public" / "2024-03-05.pub").exists()
    assert private_path(tmp_path, "2024-03-06").exists()


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_no_day_key_goes_while_one_of_the_last_three_days_has_none(
    tmp_path: Path, missing: int
) -> None:
    make_day_keys(tmp_path, TODAY, 40, os.urandom)
    today = TODAY + timedelta(days=20)
    private_path(tmp_path, (today - timedelta(days=missing)).isoformat()).unlink()
    assert destroy_day_keys(tmp_path, today, 7) == []
    make_day_keys(tmp_path, today - timedelta(days=2), 3, os.urandom)
    assert len(destroy_day_keys(tmp_path, today, 7)) == 12


def test_sealing_keys_reach_to_the_first_day_without_one(tmp_path: Path) -> None:
    assert last_public_day(tmp_path, TODAY) is None
    make_day_keys(tmp_path, TODAY, 2, os.urandom)
    make_day_keys(tmp_path, TODAY + timedelta(days=30), 2, os.urandom)
    assert last_public_day(tmp_path, TODAY) == TODAY + timedelta(days=1)
    assert last_public_day(tmp_path, TODAY + timedelta(days=5)) == TODAY + timedelta(days=1)
    assert last_public_day(tmp_path, TODAY - timedelta(days=1)) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "00" * 31,
        "00" * 32,
        "zz" * 32,
        "00ff" * 16,
        "ab" * 33,
        bytes(range(32)).hex(),
        bytes(range(64, 0, -2)).hex(),
        b"correct horse battery staple 1234".hex()[:64],
        "0123456789abcdef" * 4,
        "c3a1f0027be94d8855016a" * 2 + "c3a1f0027be94d885501",
        "密码密码密码密码密码xy".encode().hex()[:64],
        "0011223344556677889900a1b2c3d4e5e5d4c3b2a10099887766554433221100",
        *(key.hex() for key in SAMPLES),
    ],
)
def test_a_weak_key_is_refused(tmp_path: Path, text: str) -> None:
    generate(tmp_path, TODAY)
    (tmp_path / "privacy" / "kek.key").write_text(text)
    with pytest.raises(KeyMissing, match=r"kek\.key"):
        load_privacy_keys(tmp_path)


PRIVATE = (
    "privacy/kek.key",
    "privacy/link.key",
    "privacy/index.key",
    "privacy/staff.key",
    "privacy/audit.ed25519",
    "resolve.token",
    "operator.token",
    "erasure/request.token",
    "erasure/confirm.token",
)


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(PRIVATE, 2)))
def test_one_value_for_two_keys_is_refused(tmp_path: Path, one: str, other: str) -> None:
    generate(tmp_path, TODAY)
    (tmp_path / other).write_text((tmp_path / one).read_text())
    with pytest.raises(KeyMissing, match="the same as"):
        load_privacy_keys(tmp_path)


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o644, 0o660, 0o602, 0o444, 0o666])
@pytest.mark.parametrize("name", PRIVATE)
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, name: str, mode: int) -> None:
    generate(tmp_path, TODAY)
    (tmp_path / name).chmod(mode)
    with pytest.raises(KeyMissing, match=f"others can read it .mode {mode:o}"):
        load_privacy_keys(tmp_path)


def test_keys_mounted_for_the_group_of_a_pod_are_taken(tmp_path: Path) -> None:
    generate(tmp_path, TODAY)
    for number, name in enumerate(PRIVATE):
        (tmp_path / name).chmod((0o400, 0o440)[number % 2])
    load_privacy_keys(tmp_path)
    for name in PRIVATE:  # a claim whose folders kubelet gave to the pod's group
        (tmp_path / name).parent.chmod(0o2770)
        (tmp_path / name).chmod(0o660)
    load_privacy_keys(tmp_path)
    (tmp_path / PRIVATE[0]).chmod(0o664)
    with pytest.raises(KeyMissing, match="others can read it"):
        load_privacy_keys(tmp_path)


def test_random_keys_are_hardly_ever_taken_for_samples(tmp_path: Path) -> None:
    drawn = random.Random(5)
    path = tmp_path / "a.key"
    for _ in range(300):
        path.unlink(missing_ok=True)
        write_new(path, key := drawn.randbytes(32))
        assert read_key(path) == key


def test_a_missing_key_is_refused(tmp_path: Path) -> None:
    generate(tmp_path, TODAY)
    (tmp_path / "privacy" / "link.key").unlink()
    with pytest.raises(KeyMissing, match=r"link\.key"):
        load_privacy_keys(tmp_path)


def test_a_lost_key_is_never_made_anew_unasked(tmp_path: Path) -> None:
    generate(tmp_path, TODAY)
    kek = tmp_path / "privacy" / "kek.key"
    kek.unlink()
    with pytest.raises(KeyLost, match=r"privacy/kek\.key is missing"):
        generate(tmp_path, TODAY)
    assert not kek.exists()
    assert generate(tmp_path, TODAY, ["privacy/kek.key"]) == ["privacy/kek.key"]


def test_keys_are_rotated_only_where_there_are_keys(tmp_path: Path) -> None:
    told = CliRunner().invoke(keys_app, ["rotate", "--dir", str(tmp_path / "wrong")])
    assert (told.exit_code, told.stdout) == (1, "")
    assert "is no keys folder" in told.stderr
    assert not (tmp_path / "wrong").exists()


@pytest.mark.parametrize("one", ["ingest/event.key", "gateway/session.key", "resolve.token"])
def test_ingest_and_the_gateway_refuse_the_same(tmp_path: Path, one: str) -> None:
    generate(tmp_path, TODAY)
    others = {"ingest/event.key": "ingest/route.key", "gateway/session.key": "resolve.token"}
    settings = IngestSettings(keys_dir=tmp_path)

    def load() -> None:
        if one.startswith("ingest"):
            load_keys(settings)
        else:
            read_keys(tmp_path)

    load()
    (tmp_path / one).chmod(0o644)
    with pytest.raises(KeyMissing, match="others can read it"):
        load()
    (tmp_path / one).chmod(0o600)
    if one in others:
        (tmp_path / others[one]).write_text((tmp_path / one).read_text())
        with pytest.raises(KeyMissing, match="the same as"):
            load()
