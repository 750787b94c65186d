"""What every service is told from outside: read once from the environment, frozen, passed down."""

from pathlib import Path
from socket import gethostname

from pydantic import Field
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict

from plumbing import log
from plumbing.audit_trail import Checkpoints
from plumbing.kafka_connection import KafkaConnection
from plumbing.stream_settings import StreamSettings

_log = log.get("settings")


def unknown_variables(settings: type[BaseSettings]) -> list[str]:
    """Return the environment variables that have the prefix of ``settings`` and set nothing."""
    prefix = str(settings.model_config.get("env_prefix", "")).upper()
    known = {f"{prefix}{name}".upper() for name in settings.model_fields}
    told = EnvSettingsSource(settings, case_sensitive=True).env_vars
    return sorted(name for name in told if name.upper().startswith(prefix) and name not in known)


class ServiceSettings(BaseSettings):
    """The common part; a service adds its fields and its ``env_prefix``."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    kafka_bootstrap: str = Field(
        default="127.0.0.1:9092", description="Kafka brokers, `host:port`, comma separated."
    )
    kafka_ca_file: str = Field(
        default="", description="CA certificates (PEM) of the brokers; empty: no TLS."
    )
    kafka_cert_file: str = Field(
        default="", description="This service's certificate (PEM) for mutual TLS."
    )
    kafka_key_file: str = Field(
        default="", description="The key (PEM) of this service's certificate."
    )
    state_dir: Path = Field(
        default=Path("state"),
        description="Folder for the crash ledger; must survive a restart of the process.",
    )
    instance_id: str = Field(
        default_factory=gethostname,
        description=(
            "Name of this replica, unique within its service and the same after a restart: its "
            "partitions are then taken over at once. Default: the host's name."
        ),
    )
    health_host: str = Field(
        default="127.0.0.1", description="Address on which health and metrics are served."
    )
    log_level: str = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR.")

    def warn_unknown(self) -> None:
        """Log the variables that were meant for this service and set nothing: by name only.

        Call it once, after the logs are configured. A misspelt setting must not pass in silence:
        the default it leaves in force may be the less safe one.
        """
        for name in unknown_variables(type(self)):
            _log.warning("Unknown setting, ignored", setting=name)

    def kafka(self) -> KafkaConnection:
        """Return how to reach Kafka."""
        return KafkaConnection(
            bootstrap=self.kafka_bootstrap,
            ca_file=self.kafka_ca_file,
            cert_file=self.kafka_cert_file,
            key_file=self.kafka_key_file,
        )

    def stream(self, group: str) -> StreamSettings:
        """Return the settings of this service's stream app; ``group`` is its consumer group."""
        return StreamSettings(
            connection=self.kafka(),
            group=group,
            instance_id=self.instance_id,
            state_dir=self.state_dir,
        )


class AuditedSettings(ServiceSettings):
    """What a service that keeps an audit trail is told besides."""

    audit_dir: Path | None = Field(
        default=None,
        description=(
            "Folder of the signed audit checkpoints, which must outlive the process and its host; "
            "default: `audit` in `state_dir`."
        ),
    )

    def checkpoints(self) -> Checkpoints:
        """Return where the audit checkpoints are kept."""
        return Checkpoints(self.audit_dir or self.state_dir / "audit")
