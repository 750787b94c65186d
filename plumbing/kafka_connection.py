"""How to reach Kafka, in the words of each client library."""

import ssl
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from kafka.record import util as kafka_record_util


class SlowChecksum(Exception):
    """The ``crc32c`` wheel is missing: kafka-python would run at a tenth of its speed."""


@dataclass(frozen=True, kw_only=True)
class KafkaConnection:
    """Brokers, and the files of mutual TLS where the brokers ask for it (no ``ca_file``: plain)."""

    bootstrap: str
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""

    @cached_property
    def ssl_context(self) -> ssl.SSLContext | None:
        """Return the TLS context, or None for plain text."""
        if not self.ca_file:
            return None
        context = ssl.create_default_context(cafile=self.ca_file)
        if self.cert_file:
            context.load_cert_chain(self.cert_file, self.key_file or None)
        return context

    def options(self) -> dict[str, Any]:
        """Return the arguments every kafka-python client takes."""
        require_fast_checksum()
        return {
            "bootstrap_servers": self.bootstrap.split(","),
            "security_protocol": "PLAINTEXT" if self.ssl_context is None else "SSL",
            "ssl_context": self.ssl_context,
            "bootstrap_timeout_ms": 5_000,
            "reconnect_backoff_max_ms": 1_000,
        }


def require_fast_checksum() -> None:
    """Raise ``SlowChecksum`` when kafka-python fell back to its pure-Python CRC-32C."""
    if kafka_record_util.crc32c_c is None:
        raise SlowChecksum("install the crc32c wheel (a dependency of this project)")
