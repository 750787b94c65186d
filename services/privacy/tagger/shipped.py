"""Which tagger this release was tested with: its folder in the repository, and its digest."""

from pathlib import Path

SHIPPED_DIR = Path("data/taggers/deid/1.4.0")
SHIPPED_DIGEST = "ff07b0175557d2de9e8c473023b9b48385222641f6a63f96fb379b3be94096d4"
