"""Where models come from: a folder, or Redis; nothing serves before all of it is verified.

A model folder is ``<root>/<name>/<version>/`` with ``weights.safetensors``, ``manifest.json`` and
``card.md``. Verified are the digest that was promoted, the signature by a key this site trusts, the
architecture and feature schema against this code, the weights' SHA-256, and the golden outputs.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import msgspec
import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors

from services.inference import manifest as manifests
from services.inference.features import FEATURES, PARAMETER_OF, SERIES, SERIES_INDEX, Patients, Rows
from services.inference.icu_mortality import NAME, IcuMortality
from services.inference.manifest import Golden, Manifest
from services.inference.model import ModelRefused
from services.inference.networks.boosted_trees import ARCHITECTURE, LEAVES, NODES, Trees
from services.inference.view import ICU_TYPES

MANIFEST = "manifest.json"
WEIGHTS = "weights.safetensors"
CHUNK_BYTES = 1 << 20
CHUNKS_MAX = 4096
CACHE_TTL_S = 7 * 24 * 3600
KEY_BYTES = 32


class WeightCache(Protocol):
    """The part of a blocking Redis client that carries weights; it may raise ``OSError``."""

    def get(self, key: str) -> bytes | None:
        """Return the value, or None."""

    def put(self, key: str, value: bytes, ttl_s: int) -> None:
        """Keep the value for a while."""


class NoCache:
    """No Redis: everything is a miss."""

    def get(self, key: str) -> bytes | None:  # noqa: ARG002 - it knows nothing of any key
        """Return None."""
        return None

    def put(self, key: str, value: bytes, ttl_s: int) -> None:
        """Keep nothing."""


@dataclass(frozen=True)
class ModelRegistry:
    """Loads models of ``root``. ``trusted`` maps key ids to Ed25519 public keys (32 raw bytes)."""

    root: Path
    trusted: Mapping[str, bytes]
    cache: WeightCache = field(default_factory=NoCache)

    def load(self, name: str, version: str, digest: str) -> IcuMortality:
        """Return the model, verified and warm; raise ``ModelRefused``. Blocks: call in a thread."""
        code = "missing"
        for source in (self._cached_manifest, self._stored_manifest):
            content = source(name, version, digest)
            manifest = _decoded(content)
            if content is None or manifest is None:
                continue
            code = self._objection(manifest, digest)
            if not code:
                return self._verified(manifest, content)
        raise ModelRefused(code)

    def verify(self, name: str, version: str) -> IcuMortality:
        """Return the model of the folder as it is there, verified; raise ``ModelRefused``."""
        return self.load(name, version, self.manifest(name, version).digest)

    def manifest(self, name: str, version: str) -> Manifest:
        """Return what the folder's manifest says, unverified; raise ``ModelRefused``."""
        manifest = _decoded(self._stored_manifest(name, version, ""))
        if manifest is None:
            raise ModelRefused("missing")
        return manifest

    def listed(self) -> Iterator[tuple[str, str]]:
        """Yield (name, version) of every model folder, by name and then by version number."""
        found = (path.parent for path in self.root.glob(f"*/*/{MANIFEST}"))
        yield from sorted(
            ((path.parent.name, path.name) for path in found),
            key=lambda one: (one[0], [part.zfill(9) for part in one[1].split(".")]),
        )

    def folder(self, name: str, version: str) -> Path:
        """Return the folder of a model; a name that would leave ``root`` is refused."""
        if any(part in {"", ".", ".."} or set(part) & set("/\\\0") for part in (name, version)):
            raise ModelRefused("missing")
        return self.root / name / version

    def _objection(self, manifest: Manifest, digest: str) -> str:
        """Return why this is not the manifest that was promoted, or ""."""
        if manifest.digest != digest:
            return "digest"
        key = self.trusted.get(manifest.key_id)
        return "" if key and manifests.signature_holds(manifest, key) else "signature"

    def _verified(self, manifest: Manifest, content: bytes) -> IcuMortality:
        if manifest.name != NAME or manifest.architecture != ARCHITECTURE:
            raise ModelRefused("architecture")
        if manifest.feature_schema_sha256 != feature_schema_sha256():
            raise ModelRefused("features")
        weights = self._weights(manifest)
        model = IcuMortality(manifest, trees_of(weights))
        check_golden(model)
        self._remember(manifest, content, weights)
        return model

    def _weights(self, manifest: Manifest) -> bytes:
        cached = self._cached_weights(manifest.weights_sha256)
        if cached is not None:
            return cached
        path = self.folder(manifest.name, manifest.version) / WEIGHTS
        try:
            weights = path.read_bytes()
        except OSError as error:
            raise ModelRefused("missing") from error
        if hashlib.sha256(weights).hexdigest() != manifest.weights_sha256:
            raise ModelRefused("digest")
        return weights

    def _cached_weights(self, sha256: str) -> bytes | None:
        """Return the weights when the cache has all of them and they are what they should be."""
        parts: list[bytes] = []
        while len(parts) < CHUNKS_MAX:
            part = self._get(f"inf:m:{sha256}:{len(parts)}")
            if part is None:
                break
            parts.append(part)
        weights = b"".join(parts)
        return weights if hashlib.sha256(weights).hexdigest() == sha256 else None

    def _remember(self, manifest: Manifest, content: bytes, weights: bytes) -> None:
        chunks = [weights[at : at + CHUNK_BYTES] for at in range(0, len(weights), CHUNK_BYTES)]
        try:
            for index, chunk in enumerate(chunks):
                key = f"inf:m:{manifest.weights_sha256}:{index}"
                self.cache.put(key, chunk, CACHE_TTL_S)
            self.cache.put(f"inf:m:{manifest.digest}:manifest", content, CACHE_TTL_S)
        except OSError:
            return  # a cache that cannot be written costs time, nothing else

    def _get(self, key: str) -> bytes | None:
        try:
            return self.cache.get(key)
        except OSError:
            return None

    def _cached_manifest(self, _name: str, _version: str, digest: str) -> bytes | None:
        return self._get(f"inf:m:{digest}:manifest")

    def _stored_manifest(self, name: str, version: str, _digest: str) -> bytes | None:
        try:
            return (self.folder(name, version) / MANIFEST).read_bytes()
        except OSError:
            return None


def trusted_keys(paths: Sequence[Path]) -> dict[str, bytes]:
    """Return the public keys in these files (hex text) by key id; a missing file is passed over.

    Raises ``ValueError`` for a file that is not a key.
    """
    keys = [read_key(path) for path in paths if path.is_file()]
    return {manifests.key_id_of(key): key for key in keys}


def read_key(path: Path) -> bytes:
    """Return the 32 bytes in a key file; raise ``ValueError`` when it is not one."""
    key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    if len(key) != KEY_BYTES:
        raise ValueError(f"{path.name} does not hold {KEY_BYTES} bytes of hex")
    return key


def feature_schema_sha256() -> str:
    """Return the digest of what the features are: names, parameters and ranges of this code."""
    ranges = [[one.parameter, one.low, one.high] for one in SERIES]
    schema = json.dumps([FEATURES, PARAMETER_OF, ranges], separators=(",", ":"))
    return hashlib.sha256(schema.encode()).hexdigest()


def trees_of(weights: bytes) -> Trees:
    """Return the forest in a safetensors file's bytes; raise ``ModelRefused``."""
    try:
        tensors = load_tensors(weights)
        trees = Trees(
            feature=tensors["feature"].astype(np.int64),
            threshold=tensors["threshold"].astype(np.float64),
            missing_left=tensors["missing_left"].astype(np.bool_),
            value=tensors["value"].astype(np.float64),
            bias=tensors["bias"].astype(np.float64),
        )
    except (SafetensorError, KeyError) as error:
        raise ModelRefused("weights") from error
    if not _sound(trees):
        raise ModelRefused("weights")
    return trees


def check_golden(model: IcuMortality) -> None:
    """Raise ``ModelRefused`` unless the model says of each golden stay what its manifest says."""
    golden = model.manifest.golden
    said = golden_probabilities(model, golden)
    expected = np.array([one.probability for one in golden])
    if not golden or np.abs(said - expected).max() > model.manifest.golden_tolerance:
        raise ModelRefused("golden")


def golden_probabilities(model: IcuMortality, golden: Sequence[Golden]) -> np.ndarray:
    """Return what the model says of each golden stay, ``(stays,)``."""
    facts = [(stay, fact) for stay, one in enumerate(golden) for fact in one.facts]
    rows = Rows(
        stay=np.array([stay for stay, _ in facts], dtype=np.int64),
        minute=np.array([minute for _, (minute, _, _) in facts], dtype=np.int64),
        series=np.array([SERIES_INDEX[name] for _, (_, name, _) in facts], dtype=np.int64),
        value=np.array([value for _, (_, _, value) in facts], dtype=np.float64),
    )
    patients = Patients(
        age_years=np.array([float(one.age_years) for one in golden]),
        male=np.array([1.0 if one.sex == "M" else 0.0 for one in golden]),
        icu_type=np.array([ICU_TYPES[one.icu_unit] for one in golden], dtype=np.int64),
    )
    return model.probabilities(rows, patients)


def _sound(trees: Trees) -> bool:
    count = len(trees.feature)
    shapes = {(count, NODES): (trees.feature, trees.threshold, trees.missing_left)}
    return (
        all(array.shape == shape for shape, arrays in shapes.items() for array in arrays)
        and trees.value.shape == (count, LEAVES)
        and trees.bias.shape == (1,)
        and bool((trees.feature >= 0).all() and (trees.feature < len(FEATURES)).all())
        and bool(np.isfinite(trees.value).all() and np.isfinite(trees.bias).all())
    )


def _decoded(content: bytes | None) -> Manifest | None:
    try:
        return manifests.decode(content) if content is not None else None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
