"""Where the shared data sets lie beside a working copy; tests that use them carry a mark."""

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
SHARED = REPOSITORY.parent / "shared"
DATA = SHARED / "data"
