"""What the ladder says at its end, where only the last lines are seen."""

import shutil
import subprocess
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "deploy/setup/rungs.sh"
MAKEFILE = """
good:
\t@echo well
bad:
\t@echo before; echo "FAILED tests/x.py::test_y - 3 s, asked 1"; exit 1
"""


def climbed(root: Path, *rungs: str) -> subprocess.CompletedProcess[str]:
    (root / "deploy/setup").mkdir(parents=True)
    shutil.copy(SCRIPT, root / "deploy/setup")
    (root / "Makefile").write_text(MAKEFILE)
    script = root / "deploy/setup" / SCRIPT.name
    return subprocess.run([script, *rungs], capture_output=True, text=True, timeout=60, check=False)


def test_what_failed_is_said_last_and_the_others_ran(tmp_path: Path) -> None:
    done = climbed(tmp_path, "bad", "good")
    assert done.returncode == 1
    assert "good | well" in done.stdout
    assert "== good: ok" in done.stdout
    *_, title, test = done.stdout.splitlines()
    assert title == "== failed: bad"
    assert test == "FAILED tests/x.py::test_y - 3 s, asked 1"
    assert done.stdout.count("before") == 2  # as it ran, and among its last lines


def test_nothing_more_is_said_where_all_is_well(tmp_path: Path) -> None:
    done = climbed(tmp_path, "good")
    assert done.returncode == 0
    assert "failed" not in done.stdout
