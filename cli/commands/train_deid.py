"""`auscult train deid`: the tagger of notes, by one seed, on one thread."""

import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import typer

from cli.progress import console
from plumbing.clock import SystemClock


@dataclass(frozen=True)
class Asked:
    """What the options say. ``steps``: of both parts together, None: as shipped."""

    data: Path
    notes: Path
    gold: Path | None
    output: Path | None
    version: str
    seed: int
    threshold: float
    threshold_han: float
    steps: int | None
    pause: Path | None


def train_deid(asked: Asked) -> None:
    """Train, write <output>/deid/<version>, and print the digest to pin."""
    from training.deid.pipeline import NAME, Plan, read_texts, train

    created = datetime.fromtimestamp(SystemClock().now_ms() / 1000, UTC).date().isoformat()
    plan = Plan(asked.version, created, asked.threshold, asked.threshold_han, asked.seed)
    if asked.steps is not None:
        half = max(1, asked.steps // 2)
        plan = replace(
            plan,
            written=replace(plan.written, steps=half),
            marked=replace(plan.marked, steps=half),
        )
    folder = (asked.output or Path("data/taggers")) / NAME / asked.version
    try:
        texts = read_texts(asked.data, asked.notes, asked.gold)
        with console.status("writing texts") as status:
            told = status.update if console.is_terminal else console.print
            manifest = train(texts, plan, folder, told, asked.pause)
    except FileNotFoundError as error:
        sys.stderr.write(f"auscult: {error}\n")
        raise typer.Exit(1) from error
    print(f"{folder}  {manifest.digest}")
