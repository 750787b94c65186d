"""The test ladder: unit, contracts, architecture, integration, end to end."""
