"""What ingest is told from outside: environment variables ``INGEST_*``."""

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_settings import SettingsConfigDict

from plumbing.settings import ServiceSettings

ProcessingId = Literal["P", "T", "D"]


class DoorSettings(BaseModel):
    """One more door with a source profile of its own: an MLLP port, or a watched folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[A-Za-z0-9_.-]{1,40}$", description="In metrics and headers.")
    port: int | None = Field(default=None, ge=0, le=65_535)
    host: str = ""
    folder: Path | None = None
    charset: str = ""
    zone: str = "UTC"
    assigner: str = ""
    assigners: dict[str, str] = Field(default_factory=dict)
    strict: bool = True
    types: tuple[str, ...] = ()
    processing_ids: tuple[ProcessingId, ...] = ("P",)
    tls_cert_file: str = ""
    tls_key_file: str = ""
    tls_client_ca_file: str = ""

    @model_validator(mode="after")
    def _is_a_door(self) -> Self:
        if (self.port is None) == (self.folder is None):
            raise ValueError("a door has either a port or a folder")
        return self


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
    health_host: str = Field(
        default="127.0.0.1", description="Address of health and metrics on a port of their own."
    )
    health_port: int | None = Field(
        default=None,
        description=(
            "A port for health and metrics alone, which answers whatever senders do to the one of "
            "HTTP, where they are too; 0: a free one. Empty: none."
        ),
    )
    source: str = Field(
        default="mllp", description="Name of the listener in metrics and record headers."
    )
    charset: str = Field(
        default="", description="Charset (a Python codec) of senders that leave MSH-18 empty."
    )
    zone: str = Field(
        default="UTC", description="Time zone (IANA) of times that are sent without an offset."
    )
    assigners: dict[str, str] = Field(
        default_factory=dict,
        description=(
            "As JSON: the assigner (CX-4) that each FHIR identifier system (a URL) stands for, so "
            "that a patient is the same over both feeds."
        ),
    )
    assigner: str = Field(
        default="", description="Assigning authority of identifiers that are sent without one."
    )
    local_codes: Path | None = Field(
        default=None,
        description=(
            "CSV file that says what laboratories' own codes mean: `system,code,loinc,unit` (and "
            "`source`, the name of a door), with `system` and `code` as sent in OBX-3."
        ),
    )
    types: tuple[str, ...] = Field(
        default=(),
        description='Message types that are taken (`["ORU","ADT^A08"]`); others: AR. Empty: all.',
    )
    processing_ids: tuple[ProcessingId, ...] = Field(
        default=("P",),
        description=(
            "Processing ids (MSH-11, table 0103) that are taken: P production, T training, D "
            "debugging; others: AR with ERR 202. An empty MSH-11 counts as P."
        ),
    )
    doors: tuple[DoorSettings, ...] = Field(
        default=(),
        description=(
            "More doors, as JSON: a list of `{name, port or folder, host, charset, zone, assigner, "
            "strict, types, processing_ids, tls_cert_file, tls_key_file, tls_client_ca_file}`, as "
            "the settings of the first. What lies in a folder is taken in the order of names and "
            "moved to `done` or `refused` in it, with its answers beside it."
        ),
    )
    strict: bool = Field(
        default=True,
        description=(
            "Refuse a message with a line that is no segment (AE), no control id, results under a "
            "type that is not of HL7, or an event that ADT does not have (AR)."
        ),
    )
    frame_bytes_max: int = Field(
        default=16 * 1024 * 1024, description="Largest message in bytes; a larger one gets AR."
    )
    parser_process_bytes: int = Field(
        default=1024 * 1024,
        description=(
            "A message of so many bytes is parsed in a process beside this one, which starts with "
            "the first of them."
        ),
    )
    parser_memory_bytes_max: int = Field(
        default=768 * 1024 * 1024,
        description=(
            "Memory in bytes that this process may take; a message that needs more is not read: AE."
        ),
    )
    ack_deadline_s: float = Field(
        default=10.0, description="Longest wait for Kafka's confirmation; then AE with ERR 207."
    )
    in_flight_max: int = Field(
        default=64, description="Messages of one connection that may wait for their answer."
    )
    in_flight_bytes_max: int = Field(
        default=64 * 1024 * 1024,
        description=(
            "Bytes of all messages that may wait for Kafka; the same with all that was received of "
            "messages which are not whole yet."
        ),
    )
    connections_max: int = Field(
        default=256, description="Most MLLP connections at once of each listener."
    )
    http_connections_max: int = Field(
        default=256, description="Most HTTP connections at once; 503 beyond."
    )
    idle_timeout_s: float = Field(
        default=3600.0, description="A connection is closed after so long without a byte."
    )
    frame_timeout_s: float = Field(
        default=60.0,
        description=(
            "The same in the middle of a message; the longest a message may take where there is no "
            "room for more, and that the body of a request may take."
        ),
    )
    answers_max: int = Field(
        default=200_000, description="Answers kept in memory, against which resends are held."
    )
    group_timeout_s: float = Field(
        default=10.0,
        description="Longest wait for Kafka to commit a group of messages; then it is begun anew.",
    )
    drain_s: float = Field(
        default=15.0, description="Longest wait at the end for answers that are still owed."
    )
    tls_cert_file: str = Field(default="", description="Certificate (PEM) of the MLLP listener.")
    tls_key_file: str = Field(default="", description="Key (PEM) of that certificate.")
    tls_client_ca_file: str = Field(
        default="", description="CA (PEM) of client certificates; given, they are required."
    )
