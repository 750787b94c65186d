"""A test of time is looked at again where it was too slow, and for nothing else."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TESTS = """
from tests.support.timing import assert_within, timed

looks = []

@timed
def test_slow_once() -> None:
    looks.append(0)
    assert_within(2 - len(looks), 0.5)

@timed
def test_wrong() -> None:
    looks.append(1)
    assert looks.count(1) > 1
"""


def test_only_what_was_too_slow_is_looked_at_again(tmp_path: Path) -> None:
    file = tmp_path / "test_looks.py"
    file.write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "--rootdir", str(tmp_path), "-rA", str(file)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert "1 failed, 1 passed, 1 rerun" in done.stdout, done.stdout
    assert re.search(r"FAILED \S+::test_wrong", done.stdout)
