"""What Python compiles is kept: else each start of a process compiles all that it imports."""

import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "deploy" / "docker" / "Dockerfile"
ASKED = 'asked:\n\t@python3 -c "import sys; print(sys.dont_write_bytecode)"\n'


def test_what_make_starts_keeps_it_wherever_it_is_run() -> None:
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    command = ["make", "--silent", "--eval", ASKED, "asked"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "False\n"


def test_all_that_an_image_installs_is_compiled_in_it() -> None:
    """It may write nothing where it runs."""
    steps = re.sub(r"\\\n", " ", DOCKERFILE.read_text())
    installs = re.findall(r"uv pip install [^&\n]*/opt/auscult/[^&\n]*", steps)
    assert len(installs) == 2
    assert [one for one in installs if "--compile-bytecode" not in one] == []
