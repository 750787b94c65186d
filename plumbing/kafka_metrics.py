"""What the Kafka writer tells about itself."""

from plumbing.metrics import counter, gauge, histogram

RECORDS_WRITTEN = counter(
    "log_records_written_total", "Records confirmed by Kafka (acks=all).", labels=("topic",)
)
WRITES_FAILED = counter(
    "log_writes_failed_total", "Calls of write() that Kafka did not confirm in time."
)
WRITE_SECONDS = histogram(
    "log_write_seconds",
    "From write() to the confirmation of its last record, waiting for room included.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
BYTES_IN_HAND = gauge(
    "log_writer_bytes", "Bytes handed to the writer and not yet confirmed; bounded."
)
GROUP_RECORDS = histogram(
    "log_group_records",
    "Records that one transaction committed together.",
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000),
)
