"""A synthetic hospital day as HL7 v2, and a login issuer for the demo only."""
