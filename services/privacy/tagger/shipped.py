"""Which tagger this release was tested with."""

SHIPPED_DIGEST = "d76eb2f73d23d92afbe6d776d556e1c8320c9bb2171a0d27e776f0677e17cfd1"
