"""The command line as a user meets it: help, bad usage, one line for what goes wrong."""

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.main import COMMANDS, main, overview


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Done]


@pytest.fixture
def auscult(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["auscult", *arguments])
        try:
            main()
            code = 0
        except SystemExit as ended:
            code = int(ended.code or 0)
        said = capsys.readouterr()
        return Done(code, said.out, said.err)

    return run


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_there(name: str) -> None:
    assert importlib.util.find_spec(f"cli.commands.{COMMANDS[name].module}") is not None
    assert f"  {name} " in overview()


@pytest.mark.parametrize("name", ["up", "replay", "simulate", "demo", "topics"])
def test_every_command_explains_itself(auscult: Run, name: str) -> None:
    done = auscult(name, "--help")
    assert done.returncode == 0
    assert f" {name} " in done.stdout
    assert done.stderr == ""


def test_no_command_lists_them(auscult: Run) -> None:
    done = auscult()
    assert done.returncode == 0
    assert "replay" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("replay",),
        ("replay", "--to", "http://x", __file__),
        ("simulate", "--rate", "fast"),
        ("topics", "remove"),
    ],
)
def test_bad_usage_is_exit_code_2_without_a_traceback(
    auscult: Run, arguments: tuple[str, ...]
) -> None:
    done = auscult(*arguments)
    assert done.returncode == 2
    assert done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_that_is_not_there_is_one_line_and_exit_code_1(auscult: Run, tmp_path: Path) -> None:
    done = auscult("replay", str(tmp_path / "none.hl7"))
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"auscult: {tmp_path / 'none.hl7'}: No such file or directory"
    ]


def test_a_closed_pipe_is_no_failure() -> None:
    command = f"{sys.executable} -m cli.main --help | head -1"
    done = subprocess.run(command, shell=True, check=False, capture_output=True, text=True)  # noqa: S602  a pipe is what is tested
    assert (done.returncode, done.stderr) == (0, "")


def test_only_who_works_with_models_waits_for_torch() -> None:
    with_models = {"deidentify", "train", "predict", "models"}
    light = {
        f"cli.commands.{one.module}" for name, one in COMMANDS.items() if name not in with_models
    }
    assert "cli.commands.stack" in light
    program = f"import sys, {', '.join(sorted(light))}; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout == b"False\n"
