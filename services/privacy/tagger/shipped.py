"""Which tagger this release was tested with: its folder in the repository, and its digest."""

from pathlib import Path

SHIPPED_DIR = Path("data/taggers/deid/1.6.0")
SHIPPED_DIGEST = "be783480eb168813304994bff74d7234c7491410abd1f14b03e0faa0171e2d7d"
