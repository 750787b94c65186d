"""`auscult train`: cross-validation, calibration, training, card and plots of a model."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from cli.commands.train_deid import GOLD, THRESHOLD, THRESHOLD_HAN, Asked, asked_deid
from cli.progress import console, say
from plumbing.clock import SystemClock, utc_date
from services.inference import manifest as manifests
from services.inference.icu_mortality import NAME
from services.inference.registry import MANIFEST, read_key

DEID = "deid"
TASKS = (NAME, DEID)
Notes = Annotated[
    Path, typer.Option(help="deid: folder of the notes that were written to learn from.")
]
Gold = Annotated[
    Path | None,
    typer.Option(help="deid: folder of gold notes, whose development half is learnt from."),
]
Limit = Annotated[
    float, typer.Option(help="deid: what identifies with more probability is removed.")
]
LimitHan = Annotated[
    float, typer.Option(help="deid: the same in texts of which a fifth or more is Chinese.")
]
Teachers = Annotated[
    list[Path] | None,
    typer.Option(help="deid: folder of a trained tagger to learn from too; several times."),
]
Begin = Annotated[
    Path | None,
    typer.Option(help="deid: folder of a trained tagger to go on from (else the first teacher)."),
]
SecondLook = Annotated[
    Path | None,
    typer.Option(help="deid: folder of a trained tagger; its words get a second look, no more."),
]
Measure = Annotated[
    Path | None,
    typer.Option(help="deid: folder of a trained tagger; what it reads is measured, no more."),
]
Lighten = Annotated[
    Path | None,
    typer.Option(help="deid: folder of a trained tagger; a lighter one is cut from it, no more."),
]
NewNotes = Annotated[
    str,
    typer.Option(help="deid: with --second-look, files whose marks taught that tagger nothing."),
]
LeaveOut = Annotated[
    str, typer.Option(help="deid: files in --notes to leave out: for the second look, or a test.")
]
ToldFile = Annotated[
    Path | None, typer.Option(help="deid: file of what a large teacher told, to learn from too.")
]
NotTold = Annotated[
    str, typer.Option(help="deid: with --tell, files in --notes that are only learnt from.")
]
Tell = Annotated[
    Path | None, typer.Option(help="deid: write such a file with --large-model, and no tagger.")
]
LargeModel = Annotated[
    Path | None, typer.Option(help="deid: with --tell, folder of bert-base-cased.")
]
TellTexts = Annotated[int, typer.Option(min=3, help="deid: with --tell, how many are written.")]
Seconds = Annotated[
    float,
    typer.Option(
        min=0, help="deid: so long, pauses too, instead of --steps; what comes out varies."
    ),
]
Threads = Annotated[
    int, typer.Option(min=1, help="deid: of the processor; another number, other weights.")
]


def train_command(
    task: Annotated[str, typer.Argument(help=f"What to train: {', '.join(TASKS)}.")],
    *,
    data: Annotated[Path, typer.Option(help="Folder with the task's data set.")],
    output: Annotated[
        Path | None, typer.Option(help="Folder of models; data/models, for deid data/taggers.")
    ] = None,
    version: Annotated[str, typer.Option(help="Version of the new model.")] = "1.0.0",
    folds: Annotated[int, typer.Option(min=2, max=20, help="Folds of cross-validation.")] = 5,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same model.")] = 0,
    rounds: Annotated[int, typer.Option(min=1, help="Trees of each bag.")] = 350,
    key: Annotated[
        Path | None, typer.Option(help="Ed25519 key (hex) to sign with; without it: not signed.")
    ] = None,
    notes: Notes = Path("data/training_notes"),
    gold: Gold = GOLD,
    threshold: Limit = THRESHOLD,
    threshold_han: LimitHan = THRESHOLD_HAN,
    steps: Annotated[
        int | None, typer.Option(min=2, help="deid: batches (of both parts); fewer for a trial.")
    ] = None,
    pause: Annotated[Path | None, typer.Option(help="deid: wait while this file exists.")] = None,
    device: Annotated[str, typer.Option(help="deid: cpu or cuda, where it learns.")] = "cpu",
    workers: Annotated[
        int, typer.Option(min=0, help="deid: processes that write texts; 0: the one that learns.")
    ] = 0,
    teacher: Teachers = None,
    begin: Begin = None,
    threads: Threads = 1,
    second_look: SecondLook = None,
    measure: Measure = None,
    lighten: Lighten = None,
    new_notes: NewNotes = "*",
    leave_out: LeaveOut = "",
    told: ToldFile = None,
    tell: Tell = None,
    not_told: NotTold = "",
    large_model: LargeModel = None,
    texts: TellTexts = 44_000,
    seconds: Seconds = 0.0,
) -> None:
    """Train TASK: the folder <output>/<task>/<version> gets weights, manifest, card and plots.

    deid: the tagger of notes, from templates and the development texts in --data.
    """
    if task == DEID:
        limits = (threshold, threshold_han)
        taught = Asked(data, notes, output, version, seed, gold, *limits, steps, pause)
        taught = replace(taught, device=device, workers=workers, seconds=seconds, threads=threads)
        taught = replace(taught, teachers=tuple(teacher or ()), begin=begin, lighten=lighten)
        taught = replace(taught, second_look=second_look, new_notes=new_notes, measure=measure)
        taught = replace(taught, left_out=leave_out, told=told, tell=tell, not_told=not_told)
        asked_deid(replace(taught, large_model=large_model, texts=texts))
        return
    if task not in TASKS:
        raise typer.BadParameter(f"{task!r} is not one of {', '.join(TASKS)}")
    _train_mortality(
        data, (output or Path("data/models")) / task, version, (folds, seed, rounds), key
    )


def _train_mortality(
    data: Path, output: Path, version: str, numbers: tuple[int, int, int], key: Path | None
) -> None:
    from training.icu_mortality.boosting import Recipe
    from training.icu_mortality.pipeline import Plan, read_data, train
    from training.physionet import BadTable

    signing_key = _key(key)
    created = utc_date(SystemClock().now_ms()).isoformat()
    folds, seed, rounds = numbers
    recipe = Recipe(rounds=rounds)
    plan = Plan(version=version, created=created, folds=folds, seed=seed, recipe=recipe)
    folder = output / version
    try:
        with console.status("reading the data") as status:
            manifest = train(read_data(data), plan, folder, status.update)
    except (BadTable, KeyError) as error:
        sys.stderr.write(f"auscult: {data}: not the task's data set: {error}\n")
        raise typer.Exit(1) from error
    _tell(manifest, folder, signing_key)


def _tell(manifest: manifests.Manifest, folder: Path, signing_key: bytes) -> None:
    """Sign a model that was written, where there is a key, and print its figures and digest."""
    if signing_key:
        manifest = manifests.signed(manifest, signing_key)
        (folder / MANIFEST).write_bytes(manifests.encode(manifest))
    say("signed" if signing_key else "not signed: see `auscult models sign`")
    for name, value in manifest.figures.items():
        print(f"{name:<28} {value:.4f}")
    print(f"{folder}  {manifest.digest}")


def _key(path: Path | None) -> bytes:
    """Return the signing key, or nothing: asked for before the work, not after it."""
    try:
        return read_key(path) if path else b""
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"{path}: not a key file") from error
