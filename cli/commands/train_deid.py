"""`auscult train deid`: the tagger of notes, by one seed; on a CPU always the same."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from cli.progress import console
from plumbing.clock import SystemClock, utc_date
from services.privacy.spans import Span

if TYPE_CHECKING:
    from training.deid.planning import Plan
    from training.deid.texts import Marked

Told = Callable[[str], None]
TRAINING = "training"
GOLD = Path("data/gold_notes")
THRESHOLD, THRESHOLD_HAN = 0.09, 0.08
LIMITS = {"threshold", "threshold_han"}
# Which options each way reads, of those that have a default; another one would be ignored.
TEACHING = {"device", "seconds", "left_out", "pause"}
READ = {
    "--tell": TEACHING | {"tell", "large_model", "not_told", "texts"},
    "--second-look": {"second_look", "new_notes", "threshold"},
    "--measure": {"measure"},
    "--lighten": LIMITS | {"lighten", "steps", "threads", "left_out", "pause"},
    TRAINING: TEACHING
    | LIMITS
    | {"gold", "steps", "workers", "threads", "teachers", "begin", "told"},
}
OPTIONS = {"teachers": "teacher", "left_out": "leave-out"}


@dataclass(frozen=True)
class Asked:
    """What the options say. ``steps``: of both parts together, None: as shipped."""

    data: Path
    notes: Path
    output: Path | None
    version: str
    seed: int
    gold: Path | None = GOLD
    threshold: float = THRESHOLD
    threshold_han: float = THRESHOLD_HAN
    steps: int | None = None
    pause: Path | None = None
    device: str = "cpu"
    workers: int = 0
    teachers: tuple[Path, ...] = ()
    begin: Path | None = None
    threads: int = 1
    seconds: float = 0.0
    left_out: str = ""
    told: Path | None = None
    measure: Path | None = None
    lighten: Path | None = None
    second_look: Path | None = None
    new_notes: str = "*"
    tell: Path | None = None
    large_model: Path | None = None
    not_told: str = ""
    texts: int = 44_000


def asked_deid(asked: Asked) -> None:
    """Do what the options ask for: tell of texts, teach a second look, measure, lighten, or
    train.
    """
    ways = {
        "--tell": asked.tell,
        "--second-look": asked.second_look,
        "--measure": asked.measure,
        "--lighten": asked.lighten,
    }
    way, *others = [name for name, path in ways.items() if path is not None] or [TRAINING]
    if others:
        raise typer.BadParameter(f"not with {others[0]}", param_hint=way)
    if (asked.tell is None) != (asked.large_model is None):
        raise typer.BadParameter("--tell and --large-model go together", param_hint="--tell")
    _refuse_unread(asked, way)
    if asked.tell is not None and asked.large_model is not None:
        tell_deid(asked, asked.large_model, asked.tell)
    elif asked.second_look is not None:
        look_again_deid(asked, asked.second_look)
    elif asked.measure is not None:
        measure_deid(asked, asked.measure)
    elif asked.lighten is not None:
        lighten_deid(asked, asked.lighten)
    else:
        train_deid(asked)


def _refuse_unread(asked: Asked, way: str) -> None:
    for one in fields(asked):
        is_asked = one.default is not MISSING and getattr(asked, one.name) != one.default
        if is_asked and one.name not in READ[way]:
            option = OPTIONS.get(one.name, one.name.replace("_", "-"))
            raise typer.BadParameter(f"is not read by {way}", param_hint=f"--{option}")


def train_deid(asked: Asked) -> None:
    """Train, write <output>/deid/<version>, and print the digest to pin."""
    _need(asked.device)
    from training.deid.fit import Progress
    from training.deid.pipeline import read_texts, train

    plan = _plan(asked)

    def write(folder: Path, told: Told) -> str:
        texts = read_texts(asked.data, asked.notes, asked.gold, asked.left_out, asked.told)
        return train(texts, plan, folder, Progress(told, asked.pause)).digest

    _write(asked, "writing texts", write)


def _plan(asked: Asked) -> "Plan":
    from training.deid.planning import Plan, by_time

    plan = Plan(asked.version, _today(), asked.threshold, asked.threshold_han, asked.seed)
    how = {"workers": asked.workers, "threads": asked.threads}
    if asked.steps is not None:
        how["steps"] = max(1, asked.steps // 2)
    plan = replace(
        plan,
        written=replace(plan.written, **how),
        marked=replace(plan.marked, **how),
        device=asked.device,
        teachers=asked.teachers,
        begin=asked.begin,
    )
    return by_time(plan, asked.seconds) if asked.seconds else plan


def tell_deid(asked: Asked, model: Path, output: Path) -> None:
    """Have large teachers tell of texts that they have not learnt from, and write it to a file."""
    _need(asked.device)
    from training.deid.fit import Progress
    from training.deid.large_teacher import Recipe
    from training.deid.large_texts import PARTS
    from training.deid.telling import Plan, tell_of_notes

    which = (asked.left_out, asked.not_told)
    plan = Plan(asked.data, asked.notes, *which, asked.seed, asked.texts, asked.device)
    recipe = Recipe(seconds=asked.seconds / PARTS) if asked.seconds else Recipe()

    def write(told: Told) -> str:
        progress = Progress(told, asked.pause)
        return f"{tell_of_notes(plan, model, recipe, output, progress)} texts"

    _show(output, "writing texts", write)


def look_again_deid(asked: Asked, before: Path) -> None:
    """Teach a trained tagger a second look, write <output>/deid/<version>, and print its digest."""
    from training.deid.looking_again import Plan, Texts, english_lines, look_again, new_notes
    from training.deid.texts import read_notes

    notes_named = asked.new_notes
    plan = Plan(before, notes_named, asked.version, _today(), asked.threshold, asked.seed)

    def write(folder: Path, told: Told) -> str:
        notes, lines = new_notes(asked.notes, notes_named), english_lines(asked.data)
        texts = Texts(notes, lines, counted=read_notes(asked.notes, "en"))
        return look_again(texts, _by_rules, plan, folder, told).digest

    _write(asked, "reading texts", write)


def measure_deid(asked: Asked, before: Path) -> None:
    """Measure what a trained tagger's products read, write <output>/deid/<version>, and print its
    digest.
    """
    from services.privacy.tagger.products import rounds_here
    from training.deid.pipeline import measure

    if not rounds_here():
        raise typer.BadParameter("asks for a processor with AVX2", param_hint="--measure")

    def write(folder: Path, _: Told) -> str:
        return measure(before, _notes(asked), asked.version, _today(), folder).digest

    _write(asked, "reading notes", write)


def lighten_deid(asked: Asked, before: Path) -> None:
    """Cut a lighter tagger from a trained one, teach it to say the same, write
    <output>/deid/<version>, and print its digest.
    """
    from training.deid.fit import Progress
    from training.deid.large_texts import LANG, Texts
    from training.deid.lightening import Plan, Recipe, lighten
    from training.deid.plain_texts import read_plain

    recipe = Recipe(threads=asked.threads)
    recipe = recipe if asked.steps is None else replace(recipe, steps=asked.steps)
    limits = (asked.threshold, asked.threshold_han)
    plan = Plan(before, asked.version, _today(), *limits, asked.seed, recipe)

    def write(folder: Path, told: Told) -> str:
        if not asked.data.is_dir():
            raise FileNotFoundError(f"{asked.data}: no such folder")
        notes = _notes(asked)
        texts = Texts(notes[LANG], (), read_plain(asked.data.parent))
        return lighten(texts, notes, plan, folder, Progress(told, asked.pause)).digest

    _write(asked, "writing texts", write)


def _today() -> str:
    return utc_date(SystemClock().now_ms()).isoformat()


def _notes(asked: Asked) -> dict[str, list["Marked"]]:
    """Return the training notes by language; raise ``FileNotFoundError``, a language has none."""
    from training.deid.pipeline import LANGUAGES
    from training.deid.texts import read_notes

    notes = {lang: read_notes(asked.notes, lang, asked.left_out) for lang in LANGUAGES}
    for lang in LANGUAGES:
        if not notes[lang]:
            raise FileNotFoundError(f"{asked.notes / lang}: no notes, or all left out")
    return notes


def _write(asked: Asked, doing: str, write: Callable[[Path, Told], str]) -> None:
    """Have the tagger's folder written, and print the digest to pin, which ``write`` returns."""
    from training.deid.pipeline import NAME

    folder = (asked.output or Path("data/taggers")) / NAME / asked.version
    _show(folder, doing, partial(write, folder))


def _show(output: Path, doing: str, work: Callable[[Told], str]) -> None:
    """Have the work done, telling how far it is, and print what it returns of its output."""
    from services.privacy.tagger.manifest import TaggerRefused
    from training.deid.large_model import NotBert
    from training.deid.pipeline import GoldenDiffers
    from training.deid.texts import BadGold
    from training.deid.told import BadTold

    refused = (FileNotFoundError, TaggerRefused, GoldenDiffers, BadGold, BadTold, NotBert)
    try:
        with console.status(doing) as status:
            found = work(status.update if console.is_terminal else console.print)
    except refused as error:
        sys.stderr.write(f"auscult: {error}\n")
        raise typer.Exit(1) from error
    print(f"{output}  {found}")


def _by_rules(text: str) -> Sequence[Span]:
    from services.privacy.free_text import TextCleaner

    return TextCleaner().clean(text).spans


def _need(device: str) -> None:
    if device == "cpu":
        return
    import torch

    if device != "cuda" or not torch.cuda.is_available():
        raise typer.BadParameter(f"{device}: no such device here", param_hint="--device")
