"""What ingest counts. Sources are the names of listeners, never of senders or patients."""

from functools import lru_cache
from typing import NamedTuple

from prometheus_client import Counter, Gauge, Histogram

from plumbing.metrics import counter, gauge, histogram

MESSAGES = counter(
    "ingest_messages_total",
    "Messages answered, by kind of event (or `refused`) and by answer.",
    ("source", "event_type", "answer"),
)
EVENTS = counter(
    "ingest_events_total", "Events written, one for each patient of a message.", ("source",)
)
BYTES = counter("ingest_bytes_total", "Bytes of the messages that came in.", ("source",))
FINDINGS = counter("ingest_findings_total", "What was odd in messages, by code.", ("code",))
RESENDS = counter(
    "ingest_resends_total", "Messages that had been answered before, or are on their way."
)
CONTROL_ID_REUSES = counter(
    "ingest_control_id_reuses_total", "Messages whose control id came before with other content."
)
NOT_STORED = counter("ingest_not_stored_total", "Messages that were not stored in time (AE, 207).")
PARSE_FAILURES = counter(
    "ingest_parse_failures_total", "Messages that the parser could not handle: a fault of ours."
)
PARSER_DEATHS = counter(
    "ingest_parser_deaths_total",
    "Deaths of the process that parses large messages: the message it had was answered AE, 207.",
)
CONTESTED = counter(
    "ingest_contested_groups_total",
    "Groups undone because another listener was first with one of their messages.",
)
CATCH_UP_FAILURES = counter(
    "ingest_catch_up_failures_total", "Tries to read what other listeners answered that failed."
)
ACK_SECONDS = histogram(
    "ingest_ack_seconds",
    "Time from a frame's last byte to its answer.",
    ("source",),
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30),
)
IN_FLIGHT_BYTES = gauge("ingest_in_flight_bytes", "Bytes of messages that wait for Kafka.")
HALF_RECEIVED_BYTES = gauge(
    "ingest_half_received_bytes", "Bytes received of messages that are not whole yet."
)
HALF_FRAMES_DROPPED = counter(
    "ingest_half_frames_dropped_total",
    "Connections closed because their message was not whole in time while others needed the room.",
    ("source",),
)
CONNECTIONS = gauge("ingest_connections", "Open MLLP connections.", ("source",))
CONNECTIONS_REFUSED = counter(
    "ingest_connections_refused_total", "Connections beyond the limit.", ("source",)
)
UNFRAMED_BYTES = counter(
    "ingest_unframed_bytes_total", "Bytes outside any finished MLLP frame.", ("source",)
)
LAST_MESSAGE = gauge(
    "ingest_last_message_timestamp_seconds",
    "When the last message came, seconds since 1970: a feed that falls silent shows here.",
    ("source",),
)
SILENCE = gauge(
    "ingest_silence_seconds",
    "For how long nothing came, since the start of ingest at most; `sender` is a keyed hash of "
    "MSH-3 and MSH-4, empty for all of the source.",
    ("source", "sender"),
)
SILENCE_LIMIT = gauge(
    "ingest_silence_limit_seconds",
    "A silence longer than this is against the habit at this time of day; 0: none is known yet.",
    ("source", "sender"),
)
ANSWERS_KEPT = gauge("ingest_answers_kept", "Answers in memory, against which resends are held.")
BLOBS = counter("ingest_blobs_total", "Messages whose bytes were put apart because they are large.")
REFUSALS_KEPT = counter(
    "ingest_refusals_kept_total", "Refused messages kept sealed on the rejected topic."
)
REFUSALS_DROPPED = counter(
    "ingest_refusals_dropped_total",
    "Refused messages that were answered but not kept: too many or too large.",
)
FOLDER_FAILURES = counter(
    "ingest_folder_failures_total",
    "Looks at a watched folder that failed: not there, not readable, not writable.",
    ("source",),
)


class OfSource(NamedTuple):
    """The metrics of one source that every message touches."""

    last_message: Gauge
    bytes: Counter
    events: Counter
    ack_seconds: Histogram


@lru_cache(maxsize=256)
def of_source(source: str) -> OfSource:
    """Return the metrics of a source: looking labels up costs as much as counting."""
    return OfSource(
        LAST_MESSAGE.labels(source),
        BYTES.labels(source),
        EVENTS.labels(source),
        ACK_SECONDS.labels(source),
    )


@lru_cache(maxsize=4_096)
def answered(source: str, event_type: str, code: str) -> Counter:
    """Return the counter of messages of one kind with one answer."""
    return MESSAGES.labels(source, event_type, code)


@lru_cache(maxsize=1_024)
def found(code: str) -> Counter:
    """Return the counter of one kind of finding."""
    return FINDINGS.labels(code)
