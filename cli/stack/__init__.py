"""The whole stack on one machine: a real Kafka, a real Redis and the four services."""
