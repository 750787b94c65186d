"""Which tagger this release was tested with."""

SHIPPED_DIGEST = "23f3fc2bfd637c5088cc921250e77a456a3deed28219f40c99992bc23291591c"
