"""The event log on Kafka. kafka-python is imported only in ``plumbing/kafka_*.py``."""

from plumbing.kafka_connection import KafkaConnection, SlowChecksum, require_fast_checksum
from plumbing.kafka_reader import KafkaReader
from plumbing.kafka_transactions import KafkaTransactions
from plumbing.kafka_writer import KafkaWriter

__all__ = [
    "KafkaConnection",
    "KafkaReader",
    "KafkaTransactions",
    "KafkaWriter",
    "SlowChecksum",
    "require_fast_checksum",
]
