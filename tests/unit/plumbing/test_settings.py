"""Settings come from the environment once and never change."""

from pathlib import Path

import pytest
import structlog
from kafka.record import util
from pydantic import ValidationError
from pydantic_settings import SettingsConfigDict

from plumbing.kafka_connection import KafkaConnection, SlowChecksum
from plumbing.settings import ServiceSettings, unknown_variables


class ExampleSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="EXAMPLE_")


def test_read_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EXAMPLE_KAFKA_BOOTSTRAP", "a:1,b:2")
    monkeypatch.setenv("EXAMPLE_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("EXAMPLE_INSTANCE_ID", "example-3")
    settings = ExampleSettings()
    assert settings.kafka().options()["bootstrap_servers"] == ["a:1", "b:2"]
    stream = settings.stream("example")
    assert (stream.group, stream.instance_id, stream.state_dir) == (
        "example",
        "example-3",
        tmp_path,
    )


def test_frozen_in_subclasses_too() -> None:
    settings = ExampleSettings()
    with pytest.raises(ValidationError):
        settings.log_level = "DEBUG"


def test_a_misspelt_variable_is_named_and_its_value_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("EXAMPLE_KAFKA_BOOTSTRAP", "a:1")
    monkeypatch.setenv("EXAMPLE_KAFKA_CERTIFICATE", "/a/secret/path")
    monkeypatch.setenv("EXAMPLES_OF_ANOTHER", "x")
    assert unknown_variables(ExampleSettings) == ["EXAMPLE_KAFKA_CERTIFICATE"]
    with structlog.testing.capture_logs() as logs:
        ExampleSettings().warn_unknown()
    (line,) = logs
    assert (line["log_level"], line["setting"]) == ("warning", "EXAMPLE_KAFKA_CERTIFICATE")
    assert "/a/secret/path" not in repr(line)


def test_every_field_has_a_description() -> None:
    assert [n for n, f in ServiceSettings.model_fields.items() if not f.description] == []


def test_plain_text_without_certificates() -> None:
    options = KafkaConnection(bootstrap="a:1").options()
    assert (options["security_protocol"], options["ssl_context"]) == ("PLAINTEXT", None)


def test_refuses_the_slow_checksum(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(util, "crc32c_c", None)
    with pytest.raises(SlowChecksum):
        KafkaConnection(bootstrap="a:1").options()
