"""Which tagger this release was tested with: its folder in the repository, and its digest."""

from pathlib import Path

SHIPPED_DIR = Path("data/taggers/deid/1.5.0")
SHIPPED_DIGEST = "3933c70595a8f36d411375dd8bb1727f90dec962e1ddcc5b39baebb957efba44"
