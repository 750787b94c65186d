"""`auscult predict`: a shipped model on a file of its data set's columns, one JSON line a row."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
import typer

from cli.files import opened
from cli.progress import step
from cli.stack.programs import MODELS_DIR
from services.inference.icu_mortality import NAME, IcuMortality
from services.inference.model import ModelRefused
from services.inference.registry import ModelRegistry, trusted_keys
from training.physionet import BadTable, Stays, read_stays

TASKS = {"physionet2012": NAME}
STAYS_AT_ONCE = 256


def predict_command(
    task: Annotated[str, typer.Argument(help=f"The data set: {', '.join(TASKS)}.")],
    input_path: Annotated[
        Path, typer.Option("--input", help="The long table, .csv or .csv.gz; - is a pipe.")
    ],
    output_path: Annotated[
        Path, typer.Option("--output", help="JSON lines, plain or .gz; - is a pipe.")
    ] = Path("-"),
    until_minute: Annotated[
        int, typer.Option(min=0, help="Use what was known at this minute of the stay.")
    ] = 2880,
    models: Annotated[Path, typer.Option(help="Folder of models.")] = MODELS_DIR,
    version: Annotated[str, typer.Option(help="Version; default: the newest there is.")] = "",
) -> None:
    """Write one line for every stay of the file: RecordID, probability, covered."""
    if task not in TASKS:
        raise typer.BadParameter(f"{task!r} is not one of {', '.join(TASKS)}")
    try:
        model = shipped(TASKS[task], models, version)
        with step("reading the table"):
            stays = read_stays(input_path).until(until_minute)
        with step(f"{len(stays.record_ids)} stays"), opened(str(output_path), "wb") as output:
            for line in lines_of(model, stays):
                output.write(msgspec.json.encode(line) + b"\n")
    except BadTable as error:
        sys.stderr.write(f"auscult: {error}\n")
        raise typer.Exit(1) from error
    except ModelRefused as error:
        sys.stderr.write(f"auscult: the model was refused: {error.code}\n")
        raise typer.Exit(1) from error


def shipped(name: str, models: Path, version: str = "") -> IcuMortality:
    """Return the model of ``version`` ("": the newest), verified; raise ``ModelRefused``."""
    registry = ModelRegistry(models, trusted_keys(sorted(models.glob("*.pub"))))
    versions = [found for listed, found in registry.listed() if listed == name]
    if not version and not versions:
        raise ModelRefused("missing")
    return registry.verify(name, version or versions[-1])


def lines_of(model: IcuMortality, stays: Stays) -> Iterator[dict[str, object]]:
    """Yield a line for each stay, in the order of the file."""
    for start in range(0, len(stays.record_ids), STAYS_AT_ONCE):
        some = stays.some(np.arange(start, min(start + STAYS_AT_ONCE, len(stays.record_ids))))
        probabilities = model.probabilities(some.rows, some.patients)
        reasons = model.reasons(some.rows, some.patients)
        for record, said, reason in zip(some.record_ids, probabilities, reasons, strict=True):
            line: dict[str, object] = {
                "RecordID": int(record) if record.isdecimal() else record,
                "probability": float(said),
                "covered": not reason,
            }
            yield {**line, "reason": reason} if reason else line
