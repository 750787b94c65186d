"""Who is silent: each listener from the start, senders by a keyed hash, also over a restart."""

import re
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from contracts.identified import IDENTIFIED
from plumbing.clock import ManualClock
from services.ingest import metrics
from services.ingest.habit import DAY_S
from services.ingest.identity import Keys
from services.ingest.parse import Parsed, SourceProfile, parse
from services.ingest.silence import FILE, SENDERS_MAX, Habits
from tests.unit.ingest.conftest import MakeBench, msa, sender

KEYS = Keys(event=b"e" * 32, route=b"r" * 32)
PROFILE = SourceProfile("silence-test")
GAP_S = 600.0
SILENCE, LIMIT = "auscult_ingest_silence_seconds", "auscult_ingest_silence_limit_seconds"


@pytest.fixture(autouse=True)
def no_series() -> None:
    metrics.SILENCE.clear()
    metrics.SILENCE_LIMIT.clear()


def said(application: str, number: int = 1) -> tuple[Parsed, ...]:
    text = f"MSH|^~\\&|{application}|WARD|||20240501||ADT^A08|{number}|P|2.5\rPID|1||7^^^H^MR\r"
    return (parse(text.encode(), PROFILE, KEYS, 1),)


def series(name: str) -> dict[str, float]:
    return {
        sample.labels["sender"]: sample.value
        for metric in REGISTRY.collect()
        for sample in metric.samples
        if sample.name == name and sample.labels["source"] == PROFILE.name
    }


async def test_a_sender_has_one_name_in_the_alert_and_in_the_headers_of_its_records(
    make_bench: MakeBench,
) -> None:
    message = (
        b"MSH|^~\\&|LAB^1.2.3^ISO|H\\T\\W^4.5^ISO|||20240501||ADT^A08|1|P|2.5\rPID|1||7^^^H^MR\r"
    )
    async with make_bench(source=PROFILE.name) as bench, sender(bench.service.mllp.port) as link:
        assert msa(await link.send(message)) == ("AA", "1")
        (record,) = bench.log.records(IDENTIFIED.name)
        assert dict(record.headers)["source"].decode() in series(SILENCE)


class Feeds:
    """Habits on a clock that the test moves."""

    def __init__(self, folder: Path, clock: ManualClock) -> None:
        self.clock = clock
        self.habits = Habits(KEYS, clock, folder)
        self.habits.expect(PROFILE)

    def run(self, seconds: float, *applications: str) -> None:
        until_s = self.now_s + seconds
        while self.now_s < until_s:
            self.clock.advance(GAP_S)
            for application in applications:
                self.habits.came(PROFILE.name, said(application), self.now_s)

    @property
    def now_s(self) -> float:
        return self.clock.now_ms() / 1000


def test_one_of_two_senders_on_a_listener_that_falls_silent_is_seen(tmp_path: Path) -> None:
    feeds = Feeds(tmp_path, ManualClock())
    feeds.run(5 * DAY_S, "LAB", "RIS")
    feeds.run(4 * GAP_S, "RIS")
    silence, limit = series(SILENCE), series(LIMIT)
    assert silence[""] < limit[""]
    late = [who for who in silence if who and silence[who] > limit[who]]
    assert len(silence) == 3
    assert len(late) == 1
    assert re.fullmatch(r"silence-test/[0-9a-f]{12}", late[0])


def test_a_feed_that_does_not_come_back_after_a_restart_is_seen(tmp_path: Path) -> None:
    feeds = Feeds(tmp_path, ManualClock())
    feeds.run(5 * DAY_S, "LAB")
    before = series(LIMIT)
    last_s = feeds.now_s
    feeds.habits.write(feeds.habits.encoded())
    feeds.clock.advance(7_000)
    again = Feeds(tmp_path, feeds.clock)
    assert set(series(SILENCE).values()) == {0.0}
    told = REGISTRY.get_sample_value(
        "auscult_ingest_last_message_timestamp_seconds", {"source": PROFILE.name}
    )
    assert told == last_s
    again.clock.advance(4 * GAP_S)
    silence, limit = series(SILENCE), series(LIMIT)
    assert len(limit) == len(before) == 2
    assert all(silence[who] > limit[who] > 0 for who in limit)


def test_no_more_senders_are_watched_than_the_limit(tmp_path: Path) -> None:
    feeds = Feeds(tmp_path, ManualClock())
    feeds.run(5 * DAY_S, "LAB")
    lab = next(who for who in series(LIMIT) if who)
    for number in range(3 * SENDERS_MAX):
        feeds.clock.advance(1.0)
        feeds.habits.came(PROFILE.name, said(f"X{number}"), feeds.now_s)
    assert len(series(SILENCE)) == SENDERS_MAX + 1
    assert lab in series(SILENCE)


def test_who_is_refused_makes_up_no_sender(tmp_path: Path) -> None:
    feeds = Feeds(tmp_path, ManualClock())
    refused = (parse(b"MSH|^~\\&|Doe^Jane|||||ADT^A08|1|P|9", PROFILE, KEYS, 1),)
    feeds.habits.came(PROFILE.name, refused, feeds.now_s)
    assert set(series(SILENCE)) == {""}


def test_senders_who_have_long_gone_are_forgotten(tmp_path: Path) -> None:
    feeds = Feeds(tmp_path, ManualClock())
    feeds.run(GAP_S, "OLD", "LAB")
    feeds.clock.advance(22 * DAY_S)
    feeds.habits.came(PROFILE.name, said("LAB"), feeds.now_s)
    feeds.habits.encoded()
    assert len(series(SILENCE)) == 2


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff"])
def test_a_file_that_cannot_be_read_is_learnt_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    feeds = Feeds(tmp_path, ManualClock())
    assert series(LIMIT) == {"": 0.0}
    feeds.habits.write(feeds.habits.encoded())
    assert (tmp_path / FILE).read_bytes() != content


def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    Feeds(tmp_path / "file", ManualClock()).habits.write(b"{}")
    assert not (tmp_path / "file" / FILE).exists()


async def test_ingest_keeps_what_it_learnt(make_bench: MakeBench) -> None:
    async with make_bench(source=PROFILE.name) as bench, sender(bench.service.mllp.port) as link:
        assert series(SILENCE)[""] == 0
        answer = await link.send(
            b"MSH|^~\\&|LAB|WARD|||20240501||ADT^A08|1|P|2.5\rPID|1||7^^^H^MR\r"
        )
        assert b"|AA|" in answer or b"MSA|AA" in answer
        assert len(series(SILENCE)) == 2
    assert b'"silence-test/' in (bench.settings.state_dir / FILE).read_bytes()
