"""The shared pipes: Kafka, logs, metrics, settings, sealing. What a record says is none of its business."""
