"""Which tagger this release was tested with: its folder in the repository, and its digest."""

from pathlib import Path

SHIPPED_DIR = Path("data/taggers/deid/1.7.1")
SHIPPED_DIGEST = "c791a55cb3b2267f544e9de7a65b25f443943ee8ad5687d2e9edee2c938bd0cd"
