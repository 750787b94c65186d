"""Which tagger this release was tested with: its folder in the repository, and its digest."""

from pathlib import Path

SHIPPED_DIR = Path("data/taggers/deid/1.7.0")
SHIPPED_DIGEST = "4cb30cced13433583b9d6d4eb1a0511b4e463411b65eee12654788603d8375ca"
