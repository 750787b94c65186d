"""Fixtures for all tests: real brokers per session, marks by folder, shared data when present."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.brokers import KafkaServer, RedisServer, apply_topics
from tests.support.hsm import make_tokens, softhsm
from tests.support.kafka_sockets import close_quietly
from tests.support.shared import DATA

TESTS = Path(__file__).parent

# An example that takes long says that the machine is busy; tests of speed measure CPU time.
settings.register_profile("auscult", deadline=None)
settings.load_profile("auscult")

close_quietly()


def pytest_addoption(parser: pytest.Parser) -> None:
    """`make chaos` breaks three days; `make test` one. `make fuzz` goes on for ten minutes."""
    parser.addoption("--chaos-seeds", default="1", help="seeds of the days to break: 1,2,3")
    parser.addoption("--month-messages", default="1500", help="a month of resends; 100000: whole")
    parser.addoption("--planted-patients", default="8", help="`make planted` sends 1000")
    parser.addoption("--fuzz-seconds", default="6", help="how long tests/fuzz looks for trouble")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One chaos test for each seed asked for."""
    if "chaos_seed" in metafunc.fixturenames:
        seeds = str(metafunc.config.getoption("--chaos-seeds")).split(",")
        metafunc.parametrize("chaos_seed", [int(seed) for seed in seeds])
    if "month_messages" in metafunc.fixturenames:
        metafunc.parametrize("month_messages", [int(metafunc.config.getoption("--month-messages"))])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark by folder, and skip what needs shared data where there is none."""
    for item in items:
        rung = item.path.relative_to(TESTS).parts[0]
        if rung in {"integration", "e2e"}:
            item.add_marker(rung)
        if item.get_closest_marker("shared_data") and not DATA.is_dir():
            item.add_marker(pytest.mark.skip(reason="needs ../shared/data, which is not here"))


@pytest.fixture(scope="session")
def kafka_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    """The session's broker. A test that stops or kills one takes ``own_kafka``."""
    server = KafkaServer(tmp_path_factory.mktemp("kafka")).start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def kafka_broker(kafka_server: KafkaServer) -> str:
    """The bootstrap address of the session's broker."""
    return kafka_server.bootstrap


@pytest.fixture(scope="session")
def topics(kafka_broker: str) -> tuple[str, ...]:
    """The names of the pipeline's topics, made on the session's broker (they hold what other tests
    of the session wrote: use own keys and group names)."""
    return apply_topics(kafka_broker)


@pytest.fixture
def own_kafka(tmp_path: Path) -> Iterator[KafkaServer]:
    """A broker of this test alone, with no topics: it may be killed and started again."""
    directory = tmp_path / "kafka"
    directory.mkdir()
    server = KafkaServer(directory).start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def second_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    """The broker behind ``spare_kafka``."""
    server = KafkaServer(tmp_path_factory.mktemp("kafka")).start()
    yield server
    server.stop()


@pytest.fixture
def spare_kafka(second_kafka: KafkaServer) -> KafkaServer:
    """As ``own_kafka``, but the same one for all such tests, which saves each of them seconds: it
    runs, and the topics of those before are gone. Their consumer groups are not: where the members
    of one were killed, it is not at once another test's.
    """
    return second_kafka.emptied()


@pytest.fixture(scope="session")
def hsm_module() -> Path:
    """The library of a real PKCS#11 module."""
    return softhsm()


@pytest.fixture(scope="session")
def hsm_tokens(hsm_module: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Labels of its fresh tokens."""
    assert hsm_module.exists()
    return iter(make_tokens(tmp_path_factory.mktemp("hsm")))


@pytest.fixture
def hsm_token(hsm_tokens: Iterator[str]) -> str:
    """A token of this test alone."""
    return next(hsm_tokens)


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """The session's Redis."""
    server = RedisServer(tmp_path_factory.mktemp("redis")).start()
    yield server
    server.stop()


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """The URL of the session's Redis, emptied for this test."""
    redis_server.flush()
    return redis_server.url


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis of this test alone: it may be killed, started again, given an older dump."""
    directory = tmp_path / "redis"
    directory.mkdir()
    server = RedisServer(directory).start()
    yield server
    server.stop()
