"""Nothing serves that is not what was promoted, signed and proven: each way to cheat is refused."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np
import pytest
from safetensors.numpy import load, save

from services.inference import manifest as manifests
from services.inference.icu_mortality import NAME
from services.inference.manifest import Manifest
from services.inference.model import ModelRefused
from services.inference.registry import (
    MANIFEST,
    WEIGHTS,
    ModelRegistry,
    trusted_keys,
)
from tests.support.models import SITE_KEY, a_fact, a_model_folder, a_view

PUBLIC = manifests.public_key_of(SITE_KEY)
TRUSTED = {manifests.key_id_of(PUBLIC): PUBLIC}
OTHER_KEY = bytes(range(1, 33))


@dataclass
class Memory:
    """A cache that remembers; ``away`` makes it fail as Redis does when it is down."""

    held: dict[str, bytes] = field(default_factory=dict)
    away: bool = False

    def get(self, key: str) -> bytes | None:
        if self.away:
            raise OSError
        return self.held.get(key)

    def put(self, key: str, value: bytes, ttl_s: int) -> None:
        assert ttl_s > 0
        if self.away:
            raise OSError
        self.held[key] = value


def refused(registry: ModelRegistry, digest: str) -> str:
    with pytest.raises(ModelRefused) as caught:
        registry.load(NAME, "1.0.0", digest)
    return caught.value.code


def rewrite(
    root: Path, change: Callable[[Manifest], Manifest], key: bytes | None = SITE_KEY
) -> Manifest:
    """Change a manifest on disk; sign it again, or leave it unsigned by ``key`` None."""
    path = root / NAME / "1.0.0" / MANIFEST
    manifest = change(manifests.decode(path.read_bytes()))
    if key is not None:
        manifest = manifests.signed(manifest, key)
    path.write_bytes(manifests.encode(manifest))
    return manifest


def test_a_sound_model_serves(tmp_path: Path) -> None:
    manifest = a_model_folder(tmp_path)
    model = ModelRegistry(tmp_path, TRUSTED).load(NAME, "1.0.0", manifest.digest)
    assert (model.name, model.version, model.digest) == (NAME, "1.0.0", manifest.digest)
    assert model.assess([a_view(a_fact(1, "gcs", 9.0, 5))])[0].digest == manifest.digest


def test_the_digest_is_the_same_after_a_file_and_after_another_signature(tmp_path: Path) -> None:
    manifest = a_model_folder(tmp_path)
    read = manifests.decode((tmp_path / NAME / "1.0.0" / MANIFEST).read_bytes())
    assert read == manifest
    assert manifests.signed(read, OTHER_KEY).digest == manifest.digest
    assert manifests.signed(read, OTHER_KEY).signature != manifest.signature


def test_a_model_that_is_not_there(tmp_path: Path) -> None:
    registry = ModelRegistry(tmp_path, TRUSTED)
    assert refused(registry, "0" * 64) == "missing"
    for name in ("..", "", "a/b", "a\\b"):
        with pytest.raises(ModelRefused):
            registry.folder(name, "1.0.0")


def test_another_digest_than_the_promoted_one(tmp_path: Path) -> None:
    a_model_folder(tmp_path)
    assert refused(ModelRegistry(tmp_path, TRUSTED), "0" * 64) == "digest"


def test_a_key_that_nobody_trusts(tmp_path: Path) -> None:
    manifest = a_model_folder(tmp_path, key=OTHER_KEY)
    assert refused(ModelRegistry(tmp_path, TRUSTED), manifest.digest) == "signature"


def test_a_manifest_altered_after_signing(tmp_path: Path) -> None:
    a_model_folder(tmp_path)
    changed = rewrite(
        tmp_path, lambda m: msgspec.structs.replace(m, golden_tolerance=1.0), key=None
    )
    assert refused(ModelRegistry(tmp_path, TRUSTED), changed.digest) == "signature"


@pytest.mark.parametrize("signature", ["", "zz", "00" * 64])
def test_no_signature_and_nonsense_for_one(tmp_path: Path, signature: str) -> None:
    a_model_folder(tmp_path)
    changed = rewrite(tmp_path, lambda m: msgspec.structs.replace(m, signature=signature), key=None)
    assert refused(ModelRegistry(tmp_path, TRUSTED), changed.digest) == "signature"


@pytest.mark.parametrize(
    ("field_name", "value", "code"),
    [
        ("architecture", "os.system", "architecture"),
        ("name", "another_task", "architecture"),
        ("feature_schema_sha256", "0" * 64, "features"),
        ("golden", (), "golden"),
    ],
)
def test_a_signed_manifest_that_does_not_fit_this_code(
    tmp_path: Path, field_name: str, value: object, code: str
) -> None:
    a_model_folder(tmp_path)
    changed = rewrite(tmp_path, lambda m: msgspec.structs.replace(m, **{field_name: value}))
    assert refused(ModelRegistry(tmp_path, TRUSTED), changed.digest) == code


def test_altered_weights(tmp_path: Path) -> None:
    manifest = a_model_folder(tmp_path)
    path = tmp_path / NAME / "1.0.0" / WEIGHTS
    weights = bytearray(path.read_bytes())
    weights[-1] ^= 1
    path.write_bytes(bytes(weights))
    assert refused(ModelRegistry(tmp_path, TRUSTED), manifest.digest) == "digest"


@pytest.mark.parametrize("cheat", ["not a tensor file", "no bias", "feature out of range", "nan"])
def test_weights_that_are_no_forest_though_signed(tmp_path: Path, cheat: str) -> None:
    import hashlib

    a_model_folder(tmp_path)
    path = tmp_path / NAME / "1.0.0" / WEIGHTS
    tensors = load(path.read_bytes())
    if cheat == "no bias":
        del tensors["bias"]
    if cheat == "feature out of range":
        tensors["feature"] = tensors["feature"] + 10_000
    if cheat == "nan":
        tensors["value"] = np.full_like(tensors["value"], np.nan)
    weights = b"\x80\x04pickle" if cheat == "not a tensor file" else save(tensors)
    path.write_bytes(weights)
    changed = rewrite(
        tmp_path,
        lambda m: msgspec.structs.replace(m, weights_sha256=hashlib.sha256(weights).hexdigest()),
    )
    assert refused(ModelRegistry(tmp_path, TRUSTED), changed.digest) == "weights"


def test_golden_outputs_that_are_not_reproduced(tmp_path: Path) -> None:
    a_model_folder(tmp_path)

    def shifted(manifest: Manifest) -> Manifest:
        first = manifest.golden[0]
        moved = msgspec.structs.replace(first, probability=first.probability + 1e-4)
        return msgspec.structs.replace(manifest, golden=(moved, *manifest.golden[1:]))

    changed = rewrite(tmp_path, shifted)
    assert refused(ModelRegistry(tmp_path, TRUSTED), changed.digest) == "golden"


def test_a_new_worker_starts_from_the_cache_alone(tmp_path: Path) -> None:
    cache = Memory()
    manifest = a_model_folder(tmp_path / "first")
    ModelRegistry(tmp_path / "first", TRUSTED, cache).load(NAME, "1.0.0", manifest.digest)
    assert all(key.startswith("inf:m:") for key in cache.held)
    elsewhere = ModelRegistry(tmp_path / "empty", TRUSTED, cache)
    assert elsewhere.load(NAME, "1.0.0", manifest.digest).digest == manifest.digest


def test_a_poisoned_cache_is_passed_over(tmp_path: Path) -> None:
    cache = Memory()
    manifest = a_model_folder(tmp_path)
    registry = ModelRegistry(tmp_path, TRUSTED, cache)
    registry.load(NAME, "1.0.0", manifest.digest)
    for key in cache.held:
        cache.held[key] = b"\x00" + cache.held[key]
    assert registry.load(NAME, "1.0.0", manifest.digest).digest == manifest.digest
    unsigned = msgspec.structs.replace(manifest, signature="00" * 64)
    cache.held[f"inf:m:{manifest.digest}:manifest"] = manifests.encode(unsigned)
    assert registry.load(NAME, "1.0.0", manifest.digest).digest == manifest.digest


def test_without_redis_the_folder_serves(tmp_path: Path) -> None:
    manifest = a_model_folder(tmp_path)
    registry = ModelRegistry(tmp_path, TRUSTED, Memory(away=True))
    assert registry.load(NAME, "1.0.0", manifest.digest).digest == manifest.digest


def test_models_are_listed_by_version_number(tmp_path: Path) -> None:
    for version in ("1.10.0", "1.9.0", "0.1.0"):
        a_model_folder(tmp_path, version=version)
    found = list(ModelRegistry(tmp_path, TRUSTED).listed())
    assert found == [(NAME, "0.1.0"), (NAME, "1.9.0"), (NAME, "1.10.0")]


def test_key_files(tmp_path: Path) -> None:
    good, bad = tmp_path / "a.pub", tmp_path / "b.pub"
    good.write_text(PUBLIC.hex() + "\n")
    assert trusted_keys([good, tmp_path / "absent.pub"]) == TRUSTED
    bad.write_text("abc")
    with pytest.raises(ValueError, match=r"hexadecimal|fromhex"):
        trusted_keys([bad])
    bad.write_text("abcd")
    with pytest.raises(ValueError, match="32 bytes"):
        trusted_keys([bad])
