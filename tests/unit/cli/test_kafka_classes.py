"""A broker starts from the classes that set-up kept, and without them."""

from pathlib import Path

import pytest

from cli import kafka_classes
from cli.stack import programs
from cli.stack.kafka import KafkaNode

FLAG = "-XX:SharedArchiveFile="


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "kafka.jsa"
    monkeypatch.setattr(programs, "kafka_classes", lambda: file)
    return file


def test_a_broker_reads_the_kept_classes_where_there_are_some(kept: Path, tmp_path: Path) -> None:
    node = KafkaNode(tmp_path, 1, 2)
    assert not [one for one in node.command() if one.startswith(FLAG)]
    kept.touch()
    assert f"{FLAG}{kept}" in node.command()


def test_a_java_that_keeps_none_is_one_line(
    kept: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(KafkaNode, "prepare", lambda node: node.directory.mkdir())
    monkeypatch.setattr(KafkaNode, "command", lambda _: ["false"])
    kafka_classes.main()
    assert not kept.exists()
    assert capsys.readouterr().out.splitlines()[-1].startswith("setup: not kept")


def test_what_was_kept_is_not_made_again(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept.touch()
    kafka_classes.main()
    assert capsys.readouterr().out == ""
