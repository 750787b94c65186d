"""The compiled parser says what its sources say, and never hides a source that was edited."""

import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from cli import compile_parser
from services.ingest import compiled
from simulator.day import hospital_day
from simulator.run import plan_for
from tests.fuzz.test_parser import PIECES
from tests.support.shared import DATA, REPOSITORY

NOW_MS = 1_700_000_000_000
MADE_UP = 3_000
MARKED = "from services.ingest import times; print(hasattr(times, 'MARK'))"


def needs_compiled() -> None:
    if not any(compiled.folder().glob("parse.*")):
        pytest.skip("the parser is not compiled here: `make setup` does it where a compiler is")


def said(form: str, frames: list[bytes]) -> list[bytes]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.parser_forms", form],
        input=msgspec.json.encode(frames),
        cwd=REPOSITORY,
        capture_output=True,
        check=True,
    )
    return done.stdout.splitlines()


def made_up() -> list[bytes]:
    """Messages of a simulated day, each also cut and pasted, and heaps of pieces."""
    plan = plan_for(patients=20, messages=200, seed=3)
    whole = [one.payload for one in hospital_day(plan, NOW_MS)]
    chance = random.Random(7)
    found = list(whole)
    for _ in range(MADE_UP):
        if chance.random() < 0.5:
            found.append(b"".join(chance.choices(PIECES, k=chance.randrange(40))))
            continue
        frame = bytearray(chance.choice(whole))
        for _ in range(chance.randrange(1, 6)):
            at = chance.randrange(len(frame) + 1)
            frame[at : at + chance.choice((0, 0, 1, 5))] = chance.choice(PIECES)
        found.append(bytes(frame))
    return found


def test_both_forms_say_the_same_of_made_up_messages() -> None:
    needs_compiled()
    frames = made_up()
    ours = said("compiled", frames)
    assert len(ours) == 2 * len(frames)
    assert ours == said("python", frames)


@pytest.mark.shared_data
def test_both_forms_say_the_same_of_published_messages() -> None:
    needs_compiled()
    frames = [path.read_bytes() for path in sorted((DATA / "hl7" / "v2").rglob("*.*"))]
    assert len(frames) >= 180
    assert said("compiled", frames) == said("python", frames)


def test_an_edited_source_is_read_itself(tmp_path: Path) -> None:
    for package in ("services/ingest", "contracts", "plumbing"):
        ignored = shutil.ignore_patterns("_compiled", "__pycache__", "schemas", "examples")
        shutil.copytree(REPOSITORY / package, tmp_path / package, ignore=ignored)
    (tmp_path / "services" / "__init__.py").touch()
    ingest = tmp_path / "services" / "ingest"
    # What stands in for machine code here is a module with a mark.
    folder = "from services.ingest.compiled import folder; print(folder())"
    instead = Path(printed(folder, tmp_path))
    assert instead.parent == ingest / "_compiled"
    instead.mkdir(parents=True)
    source = (ingest / "times.py").read_text()
    (instead / "times.py").write_text(source + "\nMARK = True\n")
    assert printed(MARKED, tmp_path) == "True"
    for edited in (ingest / "units.py", tmp_path / "contracts" / "loinc.py"):
        before = edited.read_text()
        edited.write_text(before + "\n")
        assert printed(MARKED, tmp_path) == "False"
        edited.write_text(before)
        assert printed(MARKED, tmp_path) == "True"


def printed(program: str, root: Path) -> str:
    command = [sys.executable, "-c", program]
    environment = {"PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


IMPORT = re.compile(
    r"^(?:from ((?:contracts|plumbing|services)[\w.]*) import (\([^)]*\)|[^\n]*)"
    r"|import ((?:contracts|plumbing|services)[\w.]*))",
    re.MULTILINE,
)


def imported(source: str) -> set[str]:
    """The modules of ours that a source imports."""
    found = set()
    for package, names, alone in IMPORT.findall(source):
        inside = {f"{package}.{name}" for name in re.findall(r"\w+", names)}
        found |= {name for name in (package, alone, *inside) if name and is_module(name)}
    return found


def is_module(name: str) -> bool:
    return (REPOSITORY / f"{name.replace('.', '/')}.py").exists()


def test_all_that_the_compiled_modules_read_is_in_the_digest() -> None:
    ours = {f"services.ingest.{name}" for name in compiled.MODULES}
    read = set().union(*(imported(path.read_text()) for path in compiled.sources()[: len(ours)]))
    assert ours & read
    assert read <= ours | set(compiled.READ)
    assert set(compiled.READ) - {"contracts.topic"} <= read


def test_without_a_compiler_set_up_goes_on_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    compile_parser.main()
    assert "no C compiler" in capsys.readouterr().out


def test_what_was_compiled_is_not_compiled_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    built: list[Path] = []

    def build(scratch: Path) -> Path:
        built.append(scratch)
        made = scratch / "built"
        made.mkdir()
        return made

    monkeypatch.setattr(compile_parser, "_missing", str)
    monkeypatch.setattr(compile_parser, "_build", build)
    monkeypatch.setattr(compile_parser, "folder", lambda: tmp_path / "all" / "a")
    (tmp_path / "all" / "old").mkdir(parents=True)
    compile_parser.main()
    compile_parser.main()
    assert len(built) == 1
    assert [path.name for path in (tmp_path / "all").iterdir()] == ["a"]
    (tmp_path / "all" / "a" / "compiler").write_text("mypy 0.1\n")
    compile_parser.main()
    assert len(built) == 2
