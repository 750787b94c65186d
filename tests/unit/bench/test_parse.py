"""The parse benchmark: which messages it takes, and its arithmetic."""

import time
from pathlib import Path

import pytest

from bench import parse as bench
from services.ingest import compiled

MESSAGE = "MSH|^~\\&|A|F|||20240501||ADT^A08|{}|P|2.5\rPID|1||7^^^H^MR\r"


def spin() -> None:
    until = time.process_time() + 0.002
    while time.process_time() < until:
        pass


def test_a_rate_is_of_processor_time() -> None:
    rate = max(bench.rate_of(spin, count=1, seconds=0.05) for _ in range(5))
    assert 250 < rate <= 500


def test_the_messages_of_a_folder_are_those_that_are_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "two.hl7").write_text(MESSAGE.format(1) + MESSAGE.format(2))
    (tmp_path / "wrong.txt").write_text(MESSAGE.format(""))
    (tmp_path / "other.json").write_text("{}")
    monkeypatch.setattr(bench, "SECONDS", 0.01)
    monkeypatch.setattr(bench, "_hapi", lambda _: [])
    found = bench.run(tmp_path)
    assert found["messages"] == 2
    assert found["parser"] == ("compiled" if compiled.in_use() else "python")
    names = [one["parser"] for one in found["parsers"]]  # type: ignore[attr-defined] # a JSON list
    assert names == ["ours", "ours", "ours", "python-hl7", "hl7apy"]


def test_ours_is_told_in_each_depth_and_the_deeper_is_the_slower(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bench, "SECONDS", 0.25)
    ours = bench._ours([MESSAGE.format(one).encode() for one in range(50)])
    assert [one.does for one in ours] == [bench.PARSE, bench.FRAME, bench.RECORD]
    rates = [one.per_s or 0 for one in ours]
    assert rates[0] > rates[2] > 0


def test_without_a_folder_the_messages_are_simulated() -> None:
    assert len(bench._accepted(bench._simulated())) >= 100


def test_without_maven_hapi_is_skipped_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    assert {one.note for one in bench._hapi([])} == {"skipped: no mvn here"}


def test_ours_is_told_as_a_multiple_of_each_peer() -> None:
    ours = {bench.PARSE: 1000.0, bench.FRAME: 500.0}
    found = bench._compared(ours, bench.Rate("peer", "parse", 250.0))
    assert (found.ours_is, found.frame_is) == (4.0, 2.0)
    assert bench._compared(ours, bench.Rate("peer", "parse", note="skipped")).ours_is is None
