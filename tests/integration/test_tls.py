"""TLS to Kafka and Redis as the settings say it; with another authority or with none: refused."""

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis as RedisClient
from redis.exceptions import RedisError

from cli.stack.kafka import KafkaNode, kafka_answers, redis_command
from cli.stack.scratch import free_ports
from contracts.audited import AUDIT
from plumbing.batch_writer import BatchWriter
from plumbing.event_log import Output
from plumbing.kafka_connection import KafkaConnection
from plumbing.kafka_log import KafkaReader, KafkaWriter
from services.privacy.settings import PrivacySettings
from tests.support.brokers import Server, apply_topics, free_port
from tests.support.certificates import Authority, Pair

TOPIC = AUDIT.name
WAIT_S = 1.0


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "site")


def settings_of(bootstrap: str, ca: Path | None, pair: Pair | None) -> KafkaConnection:
    """Return what the settings of a service make of these files."""
    return PrivacySettings(
        kafka_bootstrap=bootstrap,
        kafka_ca_file=str(ca or ""),
        kafka_cert_file=str(pair.certificate if pair else ""),
        kafka_key_file=str(pair.key if pair else ""),
    ).kafka()


@pytest.fixture
def tls_broker(tmp_path: Path, authority: Authority) -> Iterator[str]:
    """A broker that asks its clients for a certificate, on a listener beside the plain one."""
    port, plain_port, controller_port = free_ports(3)
    node = KafkaNode(tmp_path / "kafka", plain_port, controller_port, quick=True)
    node.prepare()
    said = node.properties.read_text()
    pair = authority.issue("broker")

    def pem(path: Path) -> str:
        return path.read_text().replace("\n", "\\n")

    extra = {
        "listeners": f"PLAINTEXT://127.0.0.1:{node.port},CONTROLLER://127.0.0.1:"
        f"{node.controller_port},SSL://127.0.0.1:{port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{node.port},SSL://127.0.0.1:{port}",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL",
        "ssl.client.auth": "required",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.certificate.chain": pem(pair.certificate),
        "ssl.keystore.key": pem(pair.key),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.certificates": pem(authority.file),
    }
    lines = [line for line in said.splitlines() if line.partition("=")[0] not in extra]
    lines += [f"{name}={value}" for name, value in extra.items()]
    node.properties.write_text("\n".join(lines) + "\n")
    server = Server(node.command(), tmp_path, lambda: kafka_answers(node.bootstrap)).start()
    apply_topics(node.bootstrap, partitions=1)
    yield f"127.0.0.1:{port}"
    server.stop()


async def test_kafka_takes_a_client_with_a_certificate_and_no_other(
    tmp_path: Path, tls_broker: str, authority: Authority
) -> None:
    """The three clients that this project has; a broker of its own, since it is set up for TLS."""
    mine = authority.issue("privacy")
    right = settings_of(tls_broker, authority.file, mine)
    batches, records, reader = BatchWriter(right), KafkaWriter(right), KafkaReader(right)
    await batches.write([Output(TOPIC, b"k", b"one")])
    await records.write([Output(TOPIC, b"k", b"two")])
    values = [r.value async for found in reader.read(TOPIC, 0, 0, 2) for r in found]
    assert values == [b"one", b"two"]
    foreign = Authority(tmp_path, "foreign")
    refused = [
        settings_of(tls_broker, None, None),  # plain text to a TLS port
        settings_of(tls_broker, authority.file, None),  # no certificate of its own
        settings_of(tls_broker, foreign.file, mine),  # does not know the broker's authority
        settings_of(tls_broker, authority.file, foreign.issue("stranger")),
    ]

    assert await is_taken(right)
    assert await asyncio.gather(*map(is_taken, refused)) == [False] * len(refused)
    for one in (batches, records, reader):
        await one.close()


async def is_taken(connection: KafkaConnection) -> bool:
    """Say whether a connection made with these settings stays open (a broker speaks when asked)."""
    host, _, port = connection.bootstrap.partition(":")
    try:
        stream, sink = await asyncio.open_connection(host, int(port), ssl=connection.ssl_context)
    except OSError:
        return False
    try:
        sink.write(b"" if connection.ssl_context else bytes(64))
        await asyncio.wait_for(stream.read(1), WAIT_S)  # its end, or an alert
    except TimeoutError:
        return True
    except OSError:
        return False
    else:
        return False
    finally:
        sink.close()
        with contextlib.suppress(OSError):
            await sink.wait_closed()


@pytest.fixture
def tls_redis(tmp_path: Path, authority: Authority) -> Iterator[int]:
    pair, port = authority.issue("redis"), free_port()
    directory = tmp_path / "redis"
    directory.mkdir()
    command = [
        *redis_command(0, directory),
        *("--tls-port", str(port), "--tls-auth-clients", "no"),
        *("--tls-cert-file", str(pair.certificate), "--tls-key-file", str(pair.key)),
        *("--tls-ca-cert-file", str(authority.file)),
    ]
    log = directory / "log.txt"
    server = Server(
        command, directory, lambda: "Ready to accept" in log.read_text(errors="replace")
    )
    try:
        server.start()
    except RuntimeError:
        if "TLS" in log.read_text(errors="replace") or "tls" in log.read_text(errors="replace"):
            pytest.skip("this redis-server was built without TLS")
        raise
    yield port
    server.stop()


async def test_redis_over_tls_as_the_setting_says(
    tmp_path: Path, tls_redis: int, authority: Authority
) -> None:
    foreign = Authority(tmp_path, "foreign")

    async def answers(url: str) -> bool:
        settings = PrivacySettings(redis_url=url)
        with RedisClient.from_url(settings.redis_url, socket_timeout=5) as client:
            try:
                return bool(await asyncio.to_thread(client.set, "k", "v"))
            except RedisError:
                return False

    here = f"127.0.0.1:{tls_redis}/0"
    assert await answers(f"rediss://{here}?ssl_ca_certs={authority.file}")
    assert not await answers(f"rediss://{here}?ssl_ca_certs={foreign.file}")
    assert not await answers(f"rediss://{here}")  # the host's own authorities do not know it
    assert not await answers(f"redis://{here}")
