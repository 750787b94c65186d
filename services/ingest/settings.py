"""What ingest is told from outside: environment variables ``INGEST_*``."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from plumbing.settings import ServiceSettings


class IngestSettings(ServiceSettings):
    """Read once in ``__main__``, passed down."""

    model_config = SettingsConfigDict(env_prefix="INGEST_", frozen=True, extra="ignore")

    keys_dir: Path = Field(
        default=Path("keys"),
        description="Folder with `ingest/event.key`, `ingest/route.key` and `sealing/public/`.",
    )
    mllp_host: str = Field(default="127.0.0.1", description="Address of the MLLP listener.")
    mllp_port: int = Field(default=2575, description="Port of the MLLP listener; 0: a free one.")
    http_host: str = Field(
        default="127.0.0.1", description="Address of `POST /hl7v2`, health and metrics."
    )
    http_port: int = Field(default=8081, description="Its port; 0: a free one.")
    source: str = Field(
        default="mllp", description="Name of the listener in metrics and record headers."
    )
    charset: str = Field(
        default="", description="Charset (a Python codec) of senders that leave MSH-18 empty."
    )
    zone: str = Field(
        default="UTC", description="Time zone (IANA) of times that are sent without an offset."
    )
    assigner: str = Field(
        default="", description="Assigning authority of identifiers that are sent without one."
    )
    strict: bool = Field(
        default=True,
        description="Refuse a message with a line that is no segment (AE) or no control id (AR).",
    )
    frame_bytes_max: int = Field(
        default=4 * 1024 * 1024, description="Largest message in bytes; a larger one gets AR."
    )
    ack_deadline_s: float = Field(
        default=10.0, description="Longest wait for Kafka's confirmation; then AE with ERR 207."
    )
    in_flight_max: int = Field(
        default=64, description="Messages of one connection that may wait for their answer."
    )
    in_flight_bytes_max: int = Field(
        default=64 * 1024 * 1024, description="Bytes of all messages that may wait for Kafka."
    )
    connections_max: int = Field(default=256, description="Most MLLP connections at once.")
    idle_timeout_s: float = Field(
        default=3600.0, description="A connection is closed after so long without a byte."
    )
    frame_timeout_s: float = Field(default=60.0, description="The same in the middle of a message.")
    answers_max: int = Field(
        default=200_000, description="Answers kept in memory, against which resends are held."
    )
    drain_s: float = Field(
        default=15.0, description="Longest wait at the end for answers that are still owed."
    )
    tls_cert_file: str = Field(default="", description="Certificate (PEM) of the MLLP listener.")
    tls_key_file: str = Field(default="", description="Key (PEM) of that certificate.")
    tls_client_ca_file: str = Field(
        default="", description="CA (PEM) of client certificates; given, they are required."
    )
