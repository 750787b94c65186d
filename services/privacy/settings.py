"""What privacy is told from outside: environment variables ``PRIVACY_*``."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from contracts.identified import IDENTIFIED
from contracts.topic import DAY_MS
from plumbing.settings import AuditedSettings
from services.privacy.tagger.shipped import LIMIT_MAX, SHIPPED_DIGEST, SHIPPED_DIR, STRICTEST

GROUP = "privacy"  # the consumer group


class PrivacySettings(AuditedSettings):
    """Read once in ``__main__``, passed down."""

    model_config = SettingsConfigDict(env_prefix="PRIVACY_", frozen=True, extra="ignore")

    keys_dir: Path = Field(
        default=Path("keys"),
        description="Folder with `privacy/`, `sealing/`, `*.token` (`auscult keys`).",
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
        default=SHIPPED_DIR,
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
    tagger_limit: float | None = Field(
        default=None,
        ge=STRICTEST,
        le=LIMIT_MAX,
        description=(
            f"What identifies somebody with more than this (from {STRICTEST}) goes, where the "
            "tagger's own limits are higher: fewer notes keep an identifier, and more of what is "
            "nobody's goes (`docs/privacy.md` has what each costs)."
        ),
    )
    uses_images: bool = Field(
        default=True,
        description="False: no image passes; each is held back as `off`.",
    )
    image_timeout_s: float = Field(
        default=10.0, description="Longest time for an image; then it is held back as `too_slow`."
    )
    image_event_timeout_s: float = Field(
        default=20.0,
        gt=0,
        description=(
            "Longest time for all images of an event, and of a sender's in a batch for those that "
            "came to nothing; the rest is held back as `no_time`."
        ),
    )
    image_memory_bytes_max: int = Field(
        default=1024 * 1024 * 1024,
        description="Address space of the process that decodes images, its libraries included.",
    )
    presidio_recognizers: Path | None = Field(
        default=None,
        description=(
            "YAML file of the site's own recognisers, in the format of Presidio's registry: "
            "patterns and lists of words that go from notes beside all else; extra `presidio`."
        ),
    )
    presidio_seconds_max: float = Field(
        default=2.0,
        gt=0,
        description="Longest that they may take for one note; then the note is held back.",
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
    rejected_per_hour_max: int = Field(
        default=500,
        description=(
            "Refused messages that are opened in an hour (`auscult rejected show`, and `replay` of "
            "what ingest refused), by all operators together."
        ),
    )
    erasures_per_hour_max: int = Field(
        default=100,
        description=(
            "Different numbers and tokens that an erasure or a legal hold is asked for in an hour, "
            "by all officers together."
        ),
    )
    kek_dir: Path | None = Field(
        default=None,
        description=(
            "Folder of the key-encryption keys, which privacy changes and destroys: writable, "
            "shared by all replicas, on an encrypted volume; default: `privacy` in `keys_dir`."
        ),
    )
    pkcs11_module: Path | None = Field(
        default=None,
        description=(
            "Library of a hardware security module that holds the key-encryption keys instead of "
            "`kek_dir`; extra `pkcs11`, `auscult keys hsm`."
        ),
    )
    pkcs11_token: str = Field(default="auscult", description="Label of its token.")
    pkcs11_pin_file: Path | None = Field(
        default=None,
        description="File with the PIN of the token's user; default: `pkcs11.pin` in `keys_dir`.",
    )
    erasure_grace_s: float = Field(
        default=30.0,
        description=(
            "How long a write may be under way that began before an erasure; longer than Kafka's "
            "delivery timeout."
        ),
    )
