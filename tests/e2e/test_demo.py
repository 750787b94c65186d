"""`auscult demo --once`: one command from nothing to a balanced day, and nothing left behind."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cli.stack.orphans import orphans
from cli.stack.settings import StackSettings
from tests.support.running_stack import settings_at

PLAIN = {"NO_COLOR": "1", "COLUMNS": "120"}


def auscult(settings: StackSettings, *arguments: str) -> subprocess.CompletedProcess[str]:
    told = {
        f"AUSCULT_{name}".upper(): str(getattr(settings, name))
        for name in ("home", *(one for one in StackSettings.model_fields if one.endswith("_port")))
    }
    command = [sys.executable, "-m", "cli.main", *arguments]
    environment = os.environ | told | PLAIN
    return subprocess.run(command, check=False, capture_output=True, text=True, env=environment)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_demo_day_is_balanced_and_leaves_nothing_behind(tmp_path: Path) -> None:
    settings = settings_at(tmp_path / "home")
    try:
        done = auscult(settings, "demo", "--once", "--duration", "10", "--patients", "15")
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stderr == ""
        assert row(done.stdout, "lost") == row(done.stdout, "doubled") == "0"
        assert row(done.stdout, "refused") == row(done.stdout, "not answered") == "0"
        assert row(done.stdout, "accepted (AA), distinct") == row(done.stdout, "stored, distinct")
        assert int(row(done.stdout, "visible")) > 200
        assert "dr.lin" in done.stdout
        assert done.stdout.splitlines()[-1] == f"page: {settings.page_url}"

        again = auscult(settings, "up")
        assert again.returncode == 0, again.stderr
        shown = auscult(settings, "status")
        assert shown.returncode == 0, shown.stdout
        assert "no" not in {cell.strip() for cell in shown.stdout.split("│")}
    finally:
        down = auscult(settings, "down")
    assert down.stdout == "down\n"
    assert orphans(settings.root) == ()
    assert auscult(settings, "status").returncode == 1


def row(output: str, name: str) -> str:
    found = re.search(rf"│ {re.escape(name)} +│ +(\S+) +│", output)
    assert found, f"{name} is not in:\n{output}"
    return found.group(1)
