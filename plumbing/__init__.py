"""The shared pipes: Kafka, logs, metrics, settings, sealing; blind to what a record says."""
