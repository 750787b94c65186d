"""What inference is told from outside: environment variables ``INFERENCE_*``."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from plumbing.settings import ServiceSettings
from services.inference.scores.tables import TABLES


class InferenceSettings(ServiceSettings):
    """Read once in ``__main__``, passed down."""

    model_config = SettingsConfigDict(env_prefix="INFERENCE_", frozen=True, extra="ignore")

    health_port: int = Field(default=8083, description="Port of health and metrics; 0: a free one.")
    redis_url: str = Field(
        default="redis://127.0.0.1:6379/0", description="Redis with states, results and weights."
    )
    redis_timeout_s: float = Field(
        default=5.0, description="Wait for an answer of Redis before the batch is tried again."
    )
    keys_dir: Path = Field(
        default=Path("keys"), description="Folder with `models/signing.pub` of this site."
    )
    models_dir: Path = Field(
        default=Path("data/models"), description="Folder of models: `<task>/<version>/`."
    )
    scores_dir: Path = Field(default=TABLES, description="Folder of the score tables.")
    device: Literal["auto", "cpu", "cuda"] = Field(
        default="auto", description="Where models run; auto: CUDA where there is one, else CPU."
    )
    vitals_window_s: int = Field(
        default=12 * 3600,
        description="How old a measurement may be to count in a score, before the newest fact.",
    )
    batch_rows_max: int = Field(default=64, description="Rows in one forward of a model.")
    batch_bytes_max: int = Field(
        default=16 * 1024 * 1024, description="Bytes of facts in one forward of a model."
    )
    batch_wait_s: float = Field(
        default=0.001, description="Wait of the first row of a batch for others."
    )
    results_ttl_s: int = Field(
        default=24 * 3600, description="How long a model's answer is kept by content; +-10 %."
    )
    state_cache_bytes_max: int = Field(
        default=64 * 1024 * 1024,
        description="Encoded bytes of the states that are kept decoded in memory (x10 decoded).",
    )
    snapshot_s: float = Field(
        default=30.0, description="Time between snapshots of a partition's changed states."
    )
    snapshot_events: int = Field(
        default=2_000, description="Events of a partition after which a snapshot comes sooner."
    )
