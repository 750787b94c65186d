"""The brokers that all integration tests lean on are real and safe by default."""

import pytest
import redis
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError

from contracts.pipeline import PIPELINE
from tests.support.brokers import KafkaServer, RedisServer, apply_topics


def test_pipeline_topics_exist_with_their_partitions(
    kafka_broker: str, topics: tuple[str, ...]
) -> None:
    admin = KafkaAdminClient(bootstrap_servers=kafka_broker)
    described = {topic["name"]: topic for topic in admin.describe_topics(list(topics))}
    admin.close()
    for topic in PIPELINE:
        assert len(described[topic.name]["partitions"]) == topic.partitions


def test_an_unknown_topic_is_not_made_by_writing_to_it(kafka_broker: str) -> None:
    producer = KafkaProducer(bootstrap_servers=kafka_broker, max_block_ms=1500)
    with pytest.raises(KafkaError):
        producer.send("never.applied.v1", b"x").get(timeout=3)
    producer.close()


def test_a_killed_broker_comes_back_with_what_it_confirmed(spare_kafka: KafkaServer) -> None:
    apply_topics(spare_kafka.bootstrap, partitions=1)
    producer = KafkaProducer(bootstrap_servers=spare_kafka.bootstrap, acks="all")
    confirmed = producer.send(PIPELINE[0].name, b"kept").get(timeout=10)
    producer.close()
    spare_kafka.kill()
    spare_kafka.start()
    consumer = KafkaConsumer(
        PIPELINE[0].name,
        bootstrap_servers=spare_kafka.bootstrap,
        auto_offset_reset="earliest",
        consumer_timeout_ms=10_000,
    )
    first = next(consumer)
    consumer.close()
    assert (first.offset, first.value) == (confirmed.offset, b"kept")


def test_redis_evicts_only_what_has_a_time_to_live(own_redis: RedisServer) -> None:
    with redis.Redis.from_url(own_redis.url) as client:
        assert client.config_get("maxmemory-policy")["maxmemory-policy"] == "volatile-lru"
