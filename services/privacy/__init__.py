"""privacy: clinical.identified.v1 in, clinical.deidentified.v1 out; the keeper of identities."""
