"""Where the local stack keeps its state and listens; every port in one place."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class StackSettings(BaseSettings):
    """Settings of `auscult up`, `demo`, `status` and their kin. Everything is on loopback."""

    model_config = SettingsConfigDict(env_prefix="AUSCULT_", frozen=True)

    home: Path = Field(default=Path(".auscult"), description="Folder of all state, keys and logs.")
    port_offset: int = Field(
        default=0,
        ge=0,
        le=50_000,
        description="Added to every port, so that two stacks fit one machine.",
    )
    kafka_port: int = Field(default=9092, description="Kafka's clients connect here.")
    kafka_controller_port: int = Field(
        default=9093, description="Kafka's own controller listens here."
    )
    redis_port: int = Field(default=6379, description="Redis listens here.")
    mllp_port: int = Field(default=2575, description="Ingest takes HL7 v2 over MLLP here.")
    ingest_port: int = Field(
        default=8081, description="Ingest: HL7 v2 over HTTP, health and metrics."
    )
    privacy_port: int = Field(default=8082, description="Privacy: resolve API, health and metrics.")
    inference_port: int = Field(default=8083, description="Inference: health and metrics.")
    gateway_port: int = Field(default=8080, description="The clinician's page and its API.")
    gateway_metrics_port: int = Field(default=8084, description="Gateway: health and metrics.")
    issuer_port: int = Field(default=8090, description="The demo's login issuer.")
    partitions: int = Field(
        default=4,
        ge=1,
        le=64,
        description=(
            "Partitions of the event topics when they are made here: few, as a batch costs more "
            "than its records. `auscult topics apply` makes 12."
        ),
    )
    kafka_heap_mb: int = Field(default=512, ge=256, description="Kafka's heap in MiB.")
    redis_memory_mb: int = Field(default=1024, ge=64, description="Redis' memory limit in MiB.")
    ready_timeout_s: float = Field(
        default=120.0, gt=0, description="How long a process may take until it is ready."
    )

    @property
    def root(self) -> Path:
        """Return the state folder as an absolute path."""
        return self.home.absolute()

    @property
    def keys_dir(self) -> Path:
        """Return the folder of the keys."""
        return self.root / "keys"

    @property
    def log_dir(self) -> Path:
        """Return the folder of the processes' logs."""
        return self.root / "logs"

    @property
    def bootstrap(self) -> str:
        """Return what a Kafka client connects to."""
        return f"127.0.0.1:{self.at(self.kafka_port)}"

    @property
    def redis_url(self) -> str:
        """Return the URL of Redis."""
        return f"redis://127.0.0.1:{self.at(self.redis_port)}/0"

    @property
    def page_url(self) -> str:
        """Return the address of the clinician's page."""
        return f"http://127.0.0.1:{self.at(self.gateway_port)}"

    @property
    def ingest_url(self) -> str:
        """Return the address of ingest's HTTP door."""
        return f"http://127.0.0.1:{self.at(self.ingest_port)}"

    @property
    def issuer_url(self) -> str:
        """Return the address of the demo's login issuer."""
        return f"http://127.0.0.1:{self.at(self.issuer_port)}"

    def at(self, port: int) -> int:
        """Return ``port`` moved by the offset."""
        return port + self.port_offset
