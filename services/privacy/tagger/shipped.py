"""Which tagger this release was tested with."""

SHIPPED_DIGEST = "81a20fa0563565c40b9e98952c90eff58085e1d8ecc3e0e1f5b7cbe47feaf60b"
