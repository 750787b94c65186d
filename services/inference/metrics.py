"""The metrics of inference; label values are from closed sets."""

from plumbing.metrics import counter, gauge, histogram

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

ASSESSMENTS = counter(
    "inference_assessments_total",
    "Assessments made, by what they are of and how they ended.",
    ("basis", "status"),
)
REQUESTS = counter(
    "inference_requests_total",
    "Rows a model was asked about: scored, not covered, or unavailable.",
    ("model", "version", "result"),
)
BATCH_SIZE = histogram(
    "inference_batch_size", "Rows in one forward.", buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
)
DISPATCH = counter(
    "inference_batch_dispatch_total",
    "Why a batch went to the model: full, bytes, deadline or drain.",
    ("reason",),
)
QUEUE_DELAY = histogram(
    "inference_queue_delay_seconds", "Wait of a row for its batch.", buckets=_SECONDS
)
COMPUTE = histogram(
    "inference_compute_seconds",
    "Time in one batch of a partition, by phase.",
    ("phase",),
    buckets=_SECONDS,
)
PENDING = gauge("inference_pending", "Rows waiting for the model.")
FALLBACK = counter(
    "inference_fallback_total", "Moves of a model to a slower device.", ("from", "to")
)
MODEL_INFO = gauge(
    "model_info",
    "1 for each model in force, with where it runs.",
    ("model", "version", "digest", "role", "device"),
)
MODEL_LOADS = counter(
    "model_loads_total", "Attempts to load a promoted model, by result.", ("model", "result")
)
MODEL_LOAD_SECONDS = histogram(
    "model_load_duration_seconds", "Time to load and verify a model.", buckets=_SECONDS
)
MODEL_EPOCH = gauge("model_epoch", "Offset of the newest promotion in force.")
CACHE_REQUESTS = counter(
    "inference_cache_requests_total", "Reads of a cache, by cache and result.", ("cache", "result")
)
STATE_BYTES = histogram(
    "state_bytes",
    "Size of a written patient state.",
    buckets=(256, 1024, 4096, 16384, 65536, 262144, 1048576),
)
STATE_RESTORES = counter(
    "state_restores_total",
    "Partitions whose state was found wanting and brought back, by what was wrong.",
    ("reason",),
)
STATE_RESTORE_SECONDS = histogram(
    "state_restore_duration_seconds", "Time to bring a partition's state back.", buckets=_SECONDS
)
STATE_INCOMPLETE = counter(
    "state_incomplete_total",
    "Restorations that lacked events because the log no longer held them.",
)
SNAPSHOTS = counter("state_snapshots_total", "Patient states written to the snapshot topic.")
PERSON_REPORTS = counter(
    "person_reports_total", "Reports of a person written, by cause.", ("cause",)
)
END_TO_END = histogram(
    "inference_end_to_end_latency_seconds",
    "From ingest's receipt of a message to the hand-over of its assessment.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
)
PROBABILITY = histogram(
    "inference_probability",
    "Probabilities given, by model.",
    ("model", "version"),
    buckets=(0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0),
)
