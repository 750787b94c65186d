"""Which tagger this release was tested with: its folder in the repository, and its digest."""

from pathlib import Path

SHIPPED_DIR = Path("data/taggers/deid/1.5.0")
SHIPPED_DIGEST = "51d7d7c95c126cab39b670d483c58cc4fb339e21b0403b26a547f33bebc5ac66"
