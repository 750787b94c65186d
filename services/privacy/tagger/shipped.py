"""Which tagger this release was tested with: its folder in the repository, and its digest."""

from pathlib import Path

SHIPPED_DIR = Path("data/taggers/deid/1.9.0")
SHIPPED_DIGEST = "8400d4eab7fcede7b653dbd17d7bdced346f7f9eebb9ad39f2a296d312b672ae"
STRICTEST = 0.02  # a site may go down to it; a little under, half of a Chinese text goes
LIMIT_MAX = 0.2  # a site may only lower a limit: a higher number is a slip
