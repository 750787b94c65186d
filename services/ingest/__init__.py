"""ingest: MLLP and HTTP in, clinical.identified.v1 out."""
