"""Which tagger this release was tested with: its folder in the repository, and its digest."""

from pathlib import Path

SHIPPED_DIR = Path("data/taggers/deid/1.5.1")
SHIPPED_DIGEST = "7a38babd63c0bcb9057af8ce14ac5882309e1a90b631d78a3cd06773072c93e4"
