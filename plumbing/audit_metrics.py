"""What an audit trail tells about itself."""

from plumbing.metrics import counter

AUDIT_ENTRIES = counter(
    "audit_entries_total", "Audit entries confirmed by Kafka, their checkpoint kept."
)
AUDIT_FAILURES = counter(
    "audit_write_failures_total",
    "Audit entries that could not be written: what they were for was refused.",
)
