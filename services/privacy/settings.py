"""What privacy is told from outside: environment variables ``PRIVACY_*``."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from contracts.identified import IDENTIFIED
from contracts.topic import DAY_MS
from plumbing.settings import AuditedSettings
from services.privacy.tagger.shipped import SHIPPED_DIGEST


class PrivacySettings(AuditedSettings):
    """Read once in ``__main__``, passed down."""

    model_config = SettingsConfigDict(env_prefix="PRIVACY_", frozen=True, extra="ignore")

    keys_dir: Path = Field(
        default=Path("keys"),
        description="Folder with `privacy/`, `sealing/` and `resolve.token` (`auscult keys`).",
    )
    redis_url: str = Field(
        default="redis://127.0.0.1:6379/0", description="Redis, `rediss://` for TLS."
    )
    redis_timeout_s: float = Field(
        default=5.0, description="Longest wait for an answer of Redis; then the batch is retried."
    )
    http_host: str = Field(
        default="127.0.0.1", description="Address of the resolve API, health and metrics."
    )
    http_port: int = Field(default=8082, description="Its port; 0: a free one.")
    tagger_dir: Path = Field(
        default=Path("data/taggers/deid/1.1.0"),
        description="Folder of the tagger of notes: weights and manifest.",
    )
    tagger_digest: str = Field(
        default=SHIPPED_DIGEST,
        description="Digest that its manifest must have: this release's, or that of a site's own.",
    )
    uses_tagger: bool = Field(
        default=True,
        description="False: notes are cleaned by known identifiers and rules alone.",
    )
    sealed_days: int = Field(
        default=IDENTIFIED.retention_ms // DAY_MS,
        description=(
            "Days that sealed events are kept on `clinical.identified.v1`; a sealing key is "
            "destroyed one day after the last event it sealed has expired."
        ),
    )
    makes_sealing_keys: bool = Field(
        default=True,
        description=(
            "Make each day's sealing keys in `keys_dir` and destroy those that ran out; false "
            "where `auscult keys rotate` does it from outside and the folder is read-only here."
        ),
    )
    patients_per_hour_max: int = Field(
        default=2_000, description="Different patients that a viewer is told of in an hour."
    )
    searches_per_hour_max: int = Field(
        default=300, description="Different searches of a viewer in an hour."
    )
    glass_per_hour_max: int = Field(
        default=10,
        description="Patients that a viewer without a care relation is told of in an hour.",
    )
    kek_dir: Path | None = Field(
        default=None,
        description=(
            "Folder of the key-encryption keys, which privacy changes and destroys: writable, "
            "shared by all replicas, on an encrypted volume; default: `privacy` in `keys_dir`."
        ),
    )
    erasure_grace_s: float = Field(
        default=30.0,
        description=(
            "How long a write may be under way that began before an erasure; longer than Kafka's "
            "delivery timeout."
        ),
    )
