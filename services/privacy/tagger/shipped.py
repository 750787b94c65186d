"""Which tagger this release was tested with."""

SHIPPED_DIGEST = ""
