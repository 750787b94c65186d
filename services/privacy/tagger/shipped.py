"""Which tagger this release was tested with: its folder in the repository, and its digest."""

from pathlib import Path

SHIPPED_DIR = Path("data/taggers/deid/1.8.0")
SHIPPED_DIGEST = "7b9c7c86e674530642b82c2f7c04315238c4fc79e747fb9cf69cb147907e3b32"
