"""The shared pipes: Kafka, logs, metrics, settings, sealing. No clinical word in here."""
