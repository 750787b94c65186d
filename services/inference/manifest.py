"""A model's manifest: what it is, what it may be used for, and who signed that.

The digest is the SHA-256 of the canonical JSON without signature and key id: it names the content,
so a site that signs a model with its own key keeps the digest. The signature (Ed25519) covers the
canonical JSON with the key id and without the signature.
"""

import hashlib

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from services.inference.calibration import Calibration


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """One parameter that the model reads; outside ``low``..``high`` it counts as missing."""

    parameter: str
    loinc: str
    unit: str
    low: float
    high: float
    imputation: str = "none: a missing value is a branch of its own"


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """Who may be scored and when; outside it the answer is not covered."""

    age_min_years: int
    units: tuple[str, ...]
    horizon_minutes: int
    statement: dict[str, str]


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """The patient that explanations compare with, up to ``until_minute`` of the stay.

    ``features`` in the order of the feature schema, None where not measured.
    """

    until_minute: int
    statement: dict[str, str]
    features: tuple[float | None, ...]


class Golden(msgspec.Struct, frozen=True, kw_only=True):
    """A made-up stay and the probability that the model gives it; facts are
    (minute since admission, parameter, value).
    """

    age_years: int
    sex: str
    icu_unit: str
    facts: tuple[tuple[int, str, float], ...]
    probability: float


class TrainingData(msgspec.Struct, frozen=True, kw_only=True):
    """What the model learnt from; ``sha256`` is over the files' bytes in the order named."""

    name: str
    files: tuple[str, ...]
    sha256: str
    stays: int
    died: int
    licence: str
    attribution: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about a model but its weights."""

    schema_version: str = "1.0"
    name: str
    version: str
    created: str
    outcome: str
    architecture: str
    weights_sha256: str
    feature_schema_sha256: str
    inputs: tuple[Input, ...]
    scope: Scope
    calibration: Calibration
    baselines: tuple[Baseline, ...]
    golden: tuple[Golden, ...]
    golden_tolerance: float
    training: TrainingData
    figures: dict[str, float]
    recipe: dict[str, float]
    key_id: str = ""
    signature: str = ""

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the content, in hex."""
        bare = msgspec.structs.replace(self, key_id="", signature="")
        return hashlib.sha256(_canonical(bare)).hexdigest()


def key_id_of(public_key: bytes) -> str:
    """Return the short name of a public key (32 raw bytes)."""
    return hashlib.sha256(public_key).hexdigest()[:16]


def public_key_of(private_key: bytes) -> bytes:
    """Return the public half (32 raw bytes) of an Ed25519 private key (32 raw bytes)."""
    private = Ed25519PrivateKey.from_private_bytes(private_key)
    return private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def signed(manifest: Manifest, private_key: bytes) -> Manifest:
    """Return the manifest with this key's id and signature."""
    key_id = key_id_of(public_key_of(private_key))
    unsigned = msgspec.structs.replace(manifest, key_id=key_id, signature="")
    signature = Ed25519PrivateKey.from_private_bytes(private_key).sign(_canonical(unsigned))
    return msgspec.structs.replace(unsigned, signature=signature.hex())


def signature_holds(manifest: Manifest, public_key: bytes) -> bool:
    """Return whether the manifest was signed by the holder of ``public_key`` and not altered."""
    unsigned = msgspec.structs.replace(manifest, signature="")
    try:
        signature = bytes.fromhex(manifest.signature)
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, _canonical(unsigned))
    except (InvalidSignature, ValueError):
        return False
    return True


def encode(manifest: Manifest) -> bytes:
    """Return the manifest as a file's bytes, for people to read."""
    return msgspec.json.format(_canonical(manifest), indent=1) + b"\n"


def decode(content: bytes) -> Manifest:
    """Return the manifest in ``content``; raise ``msgspec.DecodeError`` when it is not one."""
    return msgspec.json.decode(content, type=Manifest)


def _canonical(manifest: Manifest) -> bytes:
    """Return the bytes that are hashed and signed: the same before and after a file."""
    read_back = msgspec.json.decode(msgspec.json.encode(manifest), type=Manifest)  # 1 becomes 1.0
    return msgspec.json.encode(msgspec.to_builtins(read_back), order="sorted")
