"""inference: clinical.deidentified.v1 in, clinical.assessed.v1 out."""
