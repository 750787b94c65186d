"""Identifiers planted in every field are searched for everywhere after privacy: none is there.

Two patients and a few more in `make test`; `make planted` sends a thousand.
"""

import asyncio
import urllib.request
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from contracts.pipeline import PIPELINE
from contracts.state import STATE
from simulator.day import Timed
from tests.support.crowd import crowd, found_of
from tests.support.planted import EN, ZH, Planted, encodings, found_in, messages
from tests.support.running_stack import RunningStack, fed, running_stack

AFTER_PRIVACY = [topic.name for topic in PIPELINE if not topic.identified]


@pytest.fixture(scope="module")
def people(pytestconfig: pytest.Config) -> list[Planted]:
    count = int(pytestconfig.getoption("--planted-patients"))
    return [EN, ZH, *crowd(count - 2)]


@pytest.fixture(scope="module")
def stack(
    tmp_path_factory: pytest.TempPathFactory, people: Sequence[Planted]
) -> Iterator[RunningStack]:
    with running_stack(tmp_path_factory.mktemp("planted")) as running:
        planted = [
            Timed(0, number, "PAS", who.mrn, "planted", payload)
            for who in people
            for number, payload in enumerate(messages(who))
        ]
        balance = fed(running, planted, per_s=50.0)
        assert balance.balanced
        assert balance.visible == len(planted)
        assert balance.refused == {}
        yield running


def topic_bytes(stack: RunningStack) -> list[bytes]:
    found: list[bytes] = []
    for topic in AFTER_PRIVACY:
        for record in asyncio.run(stack.records(topic)):
            headers = b"".join(name.encode() + b"=" + value for name, value in record.headers)
            found.append(b"\n".join((record.key or b"", record.value or b"", headers)))
            if topic == STATE.name and record.value:
                state = STATE.decode(record.value).state
                found.append(zlib.decompress(state) if state else b"")
    return found


def redis_bytes(stack: RunningStack) -> list[bytes]:
    with stack.redis() as client:
        found: list[bytes] = []
        for key in client.scan_iter(count=1000):
            found += [key, *_values(client, key)]
        return found


def _values(client: object, key: bytes) -> list[bytes]:
    kind = client.type(key)  # type: ignore[attr-defined]  # redis-py's types mix its two clients
    if kind == b"hash":
        pairs = client.hgetall(key)  # type: ignore[attr-defined]  # as above
        return [part for pair in pairs.items() for part in pair]
    if kind == b"zset":
        return list(client.zrange(key, 0, -1))  # type: ignore[attr-defined]  # as above
    if kind == b"set":
        return list(client.smembers(key))  # type: ignore[attr-defined]  # as above
    if kind == b"list":
        return list(client.lrange(key, 0, -1))  # type: ignore[attr-defined]  # as above
    return [client.get(key)]  # type: ignore[attr-defined]  # as above


def log_bytes(stack: RunningStack) -> list[bytes]:
    return [path.read_bytes() for path in stack.settings.log_dir.iterdir() if path.is_file()]


def metric_bytes(stack: RunningStack) -> list[bytes]:
    settings = stack.settings
    ports = (
        settings.ingest_port,
        settings.privacy_port,
        settings.inference_port,
        settings.gateway_metrics_port,
    )
    pages = []
    for port in ports:
        with urllib.request.urlopen(f"http://127.0.0.1:{settings.at(port)}/metrics") as answer:
            pages.append(answer.read())
    return pages


@pytest.mark.parametrize("look", [topic_bytes, redis_bytes, log_bytes, metric_bytes])
def test_no_planted_identifier_is_found(
    stack: RunningStack,
    people: Sequence[Planted],
    look: Callable[[RunningStack], list[bytes]],
    record_property: Callable[[str, object], None],
) -> None:
    haystacks: list[bytes] = look(stack)
    record_property("patients", len(people))
    record_property("bytes_searched", sum(len(one) for one in haystacks))
    assert any(haystacks)
    assert found_of(people, haystacks) == []


def test_the_clinical_content_is_still_there(stack: RunningStack) -> None:
    everything = b"\n".join(topic_bytes(stack)).decode(errors="replace")
    assert "Stable, continue" in everything
    assert "血压稳定" in everything
    assert "[NAME-1]" in everything
    assert "MICU" in everything


def test_the_search_finds_what_is_hidden() -> None:
    """The search itself is tried: each encoding of a secret is found again."""
    for needle in encodings(EN.family):
        assert EN.family in found_in([b"xx" + needle + b"yy"], EN)
    assert EN.mrn in found_in([b"<83920174>"], EN)
    assert found_in([b"nothing of the kind"], EN) == []
    some = crowd(2)
    for who in some:
        for secret in (who.full, who.mrn, who.street):
            for needle in encodings(secret):
                assert secret in found_of(some, [b"xx" + needle + b"yy"])
    assert found_of(some, [b"seen: GUO YANYAN"]) == ["guo yanyan"]
    assert found_of(some, [b"nothing of the kind"]) == []


def test_the_sealed_topics_hold_it_only_sealed(stack: RunningStack, tmp_path: Path) -> None:
    sealed = [topic.name for topic in PIPELINE if topic.identified]
    haystacks = [
        (record.value or b"") + (record.key or b"")
        for topic in sealed
        for record in asyncio.run(stack.records(topic))
    ]
    assert haystacks
    assert found_in(haystacks, EN) == []
    assert found_in(haystacks, ZH) == []
