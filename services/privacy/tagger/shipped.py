"""Which tagger this release was tested with: its folder in the repository, and its digest."""

from pathlib import Path

SHIPPED_DIR = Path("data/taggers/deid/1.9.0")
SHIPPED_DIGEST = "8e7e5a86ec96e11285d5368faabe4a98fa4cf2c5c4e9139bafea847eb4a494c1"
