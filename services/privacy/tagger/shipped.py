"""Which tagger this release was tested with."""

SHIPPED_DIGEST = "725b8d4513ce08d90be7b7e3dbac4c6571d36a002aa19fb1e881f85df6b4b56c"
