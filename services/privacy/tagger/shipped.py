"""Which tagger this release was tested with: its folder in the repository, and its digest."""

from pathlib import Path

SHIPPED_DIR = Path("data/taggers/deid/1.8.0")
SHIPPED_DIGEST = "c6ce9e73727de1dd5472271e5e876ab888965d188f98a0fd0e0a50a48e9f79d0"
