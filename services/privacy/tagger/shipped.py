"""Which tagger this release was tested with: its folder in the repository, and its digest."""

from pathlib import Path

SHIPPED_DIR = Path("data/taggers/deid/1.5.0")
SHIPPED_DIGEST = "f0cc72e49e340ff521d0dfd985c6428008d3ff9b74073169d12d063cb8b99ede"
