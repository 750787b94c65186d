"""ingest -> privacy -> inference -> gateway. No service imports another; the arrows are topics."""
