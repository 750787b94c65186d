"""Which tagger this release was tested with: its folder in the repository, and its digest."""

from pathlib import Path

SHIPPED_DIR = Path("data/taggers/deid/1.7.1")
SHIPPED_DIGEST = "481ed486a8462221c6b9484614d947977fca11edad53b525d7cf07652debe6c8"
