"""Bad input is one clear line and the right exit code, never a traceback or a hang."""

import gzip
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.timing import assert_within, timed

ROOT = Path(__file__).parents[3]


def auscult(*arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("replay", "README.md", "--to", "mllp://127.0.0.1:99999"), 2, "expected mllp://host:port"),
        (("topics", "apply", "--bootstrap", "foo:bar"), 2, "expected host:port"),
        (("bench", "pipeline", "--rates", "abc"), 2, "expected numbers"),
        (("bench", "parse", "--data", "/nope"), 2, "is not there"),
        (("bench", "deid", "--tagger", "/nope"), 2, "no tagger: manifest"),
        (("train", "deid", "--data", ".", "--device", "abacus"), 2, "no such device"),
        (("models", "list", "--models", "/nope"), 1, "holds no model"),
        (("parse", "README.md", "--charset", "klingon"), 2, "is not a charset"),
        (("replay", "README.md", "--to", "mllp://127.0.0.1:1"), 1, "nobody takes messages"),
        (("simulate", "--to", "mllp://127.0.0.1:1"), 1, "nobody takes messages"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
@timed
def test_one_clear_line(arguments: tuple[str, ...], code: int, said: str) -> None:
    began_s = time.monotonic()
    found, line = auscult(*arguments)
    assert (found, said in line) == (code, True), line
    assert "Traceback" not in line
    assert "internal" not in line
    assert_within(time.monotonic() - began_s, 30)


@pytest.mark.parametrize("command", [("parse",), ("deidentify", "--input")])
def test_a_cut_archive_is_named(command: tuple[str, ...], tmp_path: Path) -> None:
    cut = tmp_path / "cut.gz"
    cut.write_bytes(gzip.compress(b"{}" * 5_000)[:-12])
    code, line = auscult(*command, str(cut))
    assert code == 1
    assert "cut.gz: the compressed file is cut or damaged" in line
