"""Which tagger this release was tested with."""

SHIPPED_DIGEST = "0225d0a2db7b52196fe659674e2bbb4280527f5e595bd91099b20e6656a82336"
