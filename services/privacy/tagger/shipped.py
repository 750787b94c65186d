"""Which tagger this release was tested with: its folder in the repository, and its digest."""

from pathlib import Path

SHIPPED_DIR = Path("data/taggers/deid/1.5.0")
SHIPPED_DIGEST = "8c0d59d4e444f170cccd5e70d8ba7bffb660477e2f9e9563c36b531a849ecb6f"
