"""What every stream stage tells about itself: lag in records and in seconds, progress, refusals."""

from plumbing.metrics import counter, gauge, histogram

RECORDS_DONE = counter(
    "stream_records_done_total",
    "Records whose outputs are all confirmed; refused ones included.",
    labels=("topic",),
)
RECORDS_REJECTED = counter(
    "stream_records_rejected_total",
    "Records written to the rejected topic, by reason.",
    labels=("topic", "code"),
)
BATCH_RECORDS = histogram(
    "stream_batch_records",
    "Records per batch handed to the stage.",
    labels=("topic",),
    buckets=(1, 3, 10, 30, 100, 300, 1_000, 3_000),
)
HANDLE_SECONDS = histogram(
    "stream_handle_seconds",
    "From taking a batch in hand to its last confirmation.",
    labels=("topic",),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
LAG_RECORDS = gauge(
    "stream_lag_records", "Records of the assigned partitions not yet done.", labels=("topic",)
)
LAG_SECONDS = gauge(
    "stream_lag_seconds",
    "Age of the oldest record not yet done, the greatest of the assigned partitions.",
    labels=("topic",),
)
LAST_PROGRESS = gauge(
    "stream_last_progress_timestamp_seconds",
    "When a batch was last done, or a partition seen to be caught up, in Unix time.",
    labels=("topic",),
)
RETRIES = counter(
    "stream_retries_total",
    "Batches tried again because something outside was unavailable.",
    labels=("topic",),
)
PARTITIONS_ASSIGNED = gauge(
    "stream_partitions_assigned", "Partitions this replica works on.", labels=("topic",)
)
PARTITIONS_PAUSED = gauge(
    "stream_partitions_paused",
    "Partitions stopped because refusals passed the limit and the records could not be set aside.",
    labels=("topic",),
)
SOURCES_PAUSED = gauge(
    "stream_sources_paused",
    "Sources whose refusals passed the limit: their records are set aside on the rejected topic.",
)
BUFFERED_BYTES = gauge("stream_buffered_bytes", "Bytes fetched and not yet done; bounded.")
COMMITS_FAILED = counter(
    "stream_commits_failed_total", "Offset commits that Kafka did not take; tried again."
)
CRASHES = counter(
    "stream_crashes_total", "Batches that raised an unexpected exception.", labels=("topic",)
)
QUARANTINED = counter(
    "stream_records_quarantined_total",
    "Records rejected because they crashed the process again and again.",
    labels=("topic",),
)
