"""Which tagger this release was tested with."""

SHIPPED_DIGEST = "242a3f3fa025c504609f2536d43efd1c11d6b7c302c8dd295b9cf350f91ca1be"
