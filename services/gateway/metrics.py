"""The gateway's metrics; every label value comes from a closed set."""

from plumbing.metrics import counter, gauge, histogram

HTTP_REQUESTS = counter(
    "http_requests_total", "Requests answered.", labels=("route", "method", "code")
)
HTTP_SECONDS = histogram(
    "http_request_duration_seconds",
    "Time from a request to the start of its answer.",
    labels=("route",),
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.3, 1, 3, 10),
)
EVENTS_VISIBLE = counter(
    "gateway_events_visible_total", "Results that became visible, each event once."
)
EVENTS_AGAIN = counter(
    "gateway_events_again_total", "Results that came again for a visible event and changed nothing."
)
EVENTS_SUPERSEDED = counter(
    "gateway_events_superseded_total", "Results replaced by one of a newer set of models."
)
REBUILDS = counter(
    "gateway_rebuilds_total", "Replays of a partition into the read model.", labels=("kind",)
)
REBUILDING = gauge("gateway_rebuilding", "Partitions that are being replayed now.")
BEHIND_SECONDS = gauge(
    "gateway_behind_seconds", "How old the newest shown data may be; 0 when caught up."
)
ROWS = gauge("gateway_worklist_rows", "Persons on the worklist, over all units.")
BOARD_REFRESH_SECONDS = histogram(
    "gateway_board_refresh_seconds", "Time to take changed rows over from the read model."
)
END_TO_END_SECONDS = histogram(
    "event_end_to_end_latency_seconds",
    "Time from the receipt of a message to its result being visible.",
    labels=("stage",),
    buckets=(0.02, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 60, 300),
)
IDENTITY_LOOKUPS = counter(
    "gateway_identity_lookups_total",
    "Identities wanted: from memory, from privacy, or not to be had.",
    labels=("result",),
)
IDENTITY_CACHED = gauge("gateway_identity_cached", "Identities in memory (5 minutes at most).")
AUTHN_FAILURES = counter("authn_failures_total", "Sign-ins and tokens refused.", labels=("reason",))
AUTHZ_DECISIONS = counter(
    "authz_decisions_total", "Access decisions by rule.", labels=("decision", "rule")
)
GLASS_BROKEN = counter(
    "glass_broken_total",
    "Times a viewer without a care relation opened a patient.",
    labels=("reason",),
)
FEEDBACK = counter(
    "feedback_total", "Decisions of clinicians on a report.", labels=("outcome", "reason")
)
SSE_CLIENTS = gauge("gateway_sse_clients", "Browsers on the live stream.")
