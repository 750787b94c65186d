"""Takes the pictures of the page that the documents show; the people in them are invented.

``python -m tests.support.page_screenshots [DIRECTORY]``, by default ``docs/screenshots``.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser

from tests.support.page_browser import NARROW, WIDE, launched, visiting, ward_on_its_own_redis
from tests.support.page_people import WARD
from tests.support.shared import REPOSITORY

PATIENT = f"/patients/{WARD[0].token}"
SHOTS: dict[str, tuple[str, dict[str, Any]]] = {
    "worklist-en": ("/", {}),
    "worklist-zh": ("/?lang=zh", {}),
    "worklist-dark": ("/", {"color_scheme": "dark"}),
    "worklist-narrow": ("/", {"viewport": NARROW}),
    "patient-en": (PATIENT, {}),
    "patient-zh": (f"{PATIENT}?lang=zh", {}),
    "patient-dark": (PATIENT, {"color_scheme": "dark"}),
    "patient-narrow": (PATIENT, {"viewport": NARROW}),
}


def take(browser: Browser, directory: Path) -> list[Path]:
    """Take all pictures; return their paths."""
    directory.mkdir(parents=True, exist_ok=True)
    taken = []
    with (
        tempfile.TemporaryDirectory() as state,
        ward_on_its_own_redis(Path(state)) as server,
    ):
        for name, (address, options) in SHOTS.items():
            with visiting(browser, server, **({"viewport": WIDE} | options)) as visit:
                page = visit.open(address)
                if address.startswith("/patients/"):
                    page.wait_for_selector("#charts .strip")
                path = directory / f"{name}.png"
                page.screenshot(path=path, full_page=options.get("viewport") is not NARROW)
                taken.append(path)
    return taken


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else REPOSITORY / "docs" / "screenshots"
    with launched() as chromium:
        for shot in take(chromium, target):
            sys.stdout.write(f"{shot}\n")
