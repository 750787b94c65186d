"""`auscult bench NAME`: a benchmark on brokers or a stack of its own; a table, or JSON."""

import asyncio
import importlib
import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from cli.bench_tables import deid_table, figures_table
from cli.progress import step
from cli.stack.process import StackError
from cli.stack.programs import MODELS_DIR, TAGGER_DIR
from cli.stack.scratch import scratch_broker, scratch_stack
from cli.stack.settings import StackSettings
from plumbing.clock import SystemClock
from services.privacy.tagger.shipped import LIMIT_MAX, SHIPPED_DIGEST, STRICTEST
from simulator.run import Target

LOOPBACK = "127.0.0.1"
STAYS_PER_S = 150.0
PIPED_WIDTH = 160  # columns, where no terminal says how wide it is


@dataclass(frozen=True)
class Wanted:
    """What the options ask for; a benchmark uses what concerns it."""

    rates: tuple[float, ...]
    seconds: float
    stays: int
    data: Path | None
    tagger: Path | None
    notes: Path | None
    limit: float | None


def bench_command(
    name: Annotated[str, typer.Argument(help="One of the benchmarks, or `all`.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on stdout.")] = False,
    rates: Annotated[
        str, typer.Option(help="pipeline: events a second to try, upwards, by comma.")
    ] = "100,200,300,400,500,600,800,1000",
    seconds: Annotated[float, typer.Option(min=5, help="pipeline: how long each is held.")] = 60.0,
    stays: Annotated[int, typer.Option(min=1, help="physionet: how many stays.")] = 500,
    data: Annotated[
        Path | None,
        typer.Option(
            help="physionet: the table of stays (icu_b_long.csv.gz); parse: a folder of HL7 files;"
            " deid: the folder of the development texts."
        ),
    ] = None,
    tagger: Annotated[
        Path | None,
        typer.Option(
            help="deid, bad-texts: folder of another tagger; `first-part` of one that was trained."
        ),
    ] = None,
    notes: Annotated[
        Path | None,
        typer.Option(help="deid: folder of marked notes (en/, zh/): ours, on these alone."),
    ] = None,
    limit: Annotated[
        float | None,
        typer.Option(
            min=STRICTEST,
            max=LIMIT_MAX,
            help="deid: what PRIVACY_TAGGER_LIMIT of a site would give.",
        ),
    ] = None,
) -> None:
    """Run a benchmark: ours and its peers in one run.

    parse (HL7 v2 to envelope and JSON, beside python-hl7, hl7apy and HAPI), stream (our stage and
    stock Faust), mllp (the front door on a real broker), stalls (how long it stands still under
    messages of 15 MB), pipeline (the whole stack from MLLP to visible), inference, accelerator (the
    model on each device here), deidentify (speed), deid (what notes lose and keep, beside Presidio,
    scrubadub and Philter), bad-texts (how long notes take that were made to be slow), physionet
    (the page's risk against the offline score), erase (one of 200 patients under load, then looked
    for with every byte and key), or all.
    """
    if name not in {*BENCHMARKS, "all"}:
        raise typer.BadParameter(f"one of {', '.join(BENCHMARKS)}, all")
    if data is not None and not data.exists():
        raise typer.BadParameter(f"{data} is not there", param_hint="--data")
    wanted = Wanted(_rates(rates), seconds, stays, data, tagger, notes, limit)
    found: dict[str, Any] = {}
    for one in BENCHMARKS if name == "all" else [name]:
        if name == "all" and one == "physionet" and data is None:
            continue  # its table is not part of the repository
        with step(f"bench {one}"):
            found[one] = BENCHMARKS[one](wanted)
    if as_json:
        print(json.dumps(found))
    else:
        output = Console()
        if not output.is_terminal:
            output.width = PIPED_WIDTH
        for one, figures in found.items():
            output.print(TABLES.get(one, figures_table)(one, figures))


def _rates(text: str) -> tuple[float, ...]:
    try:
        found = tuple(float(rate) for rate in text.split(","))
    except ValueError:
        found = ()
    if not found or not all(0 < rate < math.inf for rate in found):
        raise typer.BadParameter("expected numbers above 0, by comma", param_hint="--rates")
    return found


def _stream(_: Wanted) -> Any:
    with scratch_broker() as bootstrap:
        return importlib.import_module("bench.stream").run(bootstrap)


def _mllp(_: Wanted) -> Any:
    with scratch_broker() as bootstrap:
        return importlib.import_module("bench.mllp").run(bootstrap)


def _stalls(_: Wanted) -> Any:
    with scratch_broker() as bootstrap:
        return importlib.import_module("bench.stalls").run(bootstrap)


def _parse(wanted: Wanted) -> Any:
    return importlib.import_module("bench.parse").run(wanted.data)


def _inference(_: Wanted) -> Any:
    return importlib.import_module("bench.inference").run(MODELS_DIR)


def _accelerator(_: Wanted) -> Any:
    return importlib.import_module("bench.accelerator").run(MODELS_DIR)


def _deidentify(_: Wanted) -> Any:
    return [asdict(one) for one in importlib.import_module("bench.deidentify").run()]


def _bad_texts(wanted: Wanted) -> Any:
    return importlib.import_module("bench.bad_texts").run(_tagger(wanted))


def _deid(wanted: Wanted) -> Any:
    from training.deid.texts import BadGold

    run = importlib.import_module("bench.deid").run
    tagger = _tagger(wanted).stricter(wanted.limit)
    if wanted.notes is None:
        return run(wanted.data, tagger)
    try:
        return run(notes=wanted.notes, tagger=tagger)
    except BadGold as error:
        raise typer.BadParameter(f"no marked notes: {error}", param_hint="--notes") from error


def _tagger(wanted: Wanted) -> Any:
    from services.privacy.tagger.manifest import TaggerRefused, load_tagger, read_manifest

    if wanted.tagger is None:
        return load_tagger(TAGGER_DIR, SHIPPED_DIGEST)
    try:  # one that was just trained: its own manifest is believed
        return load_tagger(wanted.tagger, read_manifest(wanted.tagger).digest)
    except TaggerRefused as error:
        said = f"{wanted.tagger}: no tagger: {error}"
        raise typer.BadParameter(said, param_hint="--tagger") from error


def _pipeline(wanted: Wanted) -> Any:
    from bench.pipeline import Gateway, run

    with scratch_stack() as settings:
        metrics = f"http://{LOOPBACK}:{settings.at(settings.gateway_metrics_port)}/metrics"
        target = Target(LOOPBACK, settings.at(settings.mllp_port), connections=32)
        gateway = Gateway(metrics)
        return asyncio.run(run(target, gateway, SystemClock(), wanted.rates, wanted.seconds))


def _erase(_: Wanted) -> Any:
    from bench.erase import Reach, run
    from plumbing.kafka_connection import KafkaConnection
    from plumbing.kafka_log import KafkaReader

    with scratch_stack() as settings:
        reach = Reach(
            feed=Target(LOOPBACK, settings.at(settings.mllp_port), connections=8),
            privacy_url=f"http://{LOOPBACK}:{settings.at(settings.privacy_port)}",
            redis_url=settings.redis_url,
            keys_dir=settings.keys_dir,
        )

        async def measure() -> Any:
            reader = KafkaReader(KafkaConnection(bootstrap=settings.bootstrap))
            try:
                return await run(reach, reader, SystemClock())
            finally:
                await reader.close()

        return asyncio.run(measure())


def _physionet(wanted: Wanted) -> Any:
    from bench.physionet import adults, prove
    from cli.commands.predict import shipped
    from services.inference.icu_mortality import NAME
    from training.physionet import read_stays

    if wanted.data is None:
        raise StackError("give the table of stays: --data .../icu_b_long.csv.gz")
    model = shipped(NAME, MODELS_DIR)
    chosen = adults(read_stays(wanted.data), model, wanted.stays)
    with scratch_stack() as settings:
        proof = asyncio.run(prove(_reach(settings), model, chosen, SystemClock(), STAYS_PER_S))
    return {
        "stays": len(proof.stays),
        "messages": proof.messages,
        "accepted": proof.accepted,
        "equal_to_1e-4": sum(one.equal for one in proof.stays),
        "not_covered_on_both_sides": sum(
            one.equal and isinstance(one.offline, str) for one in proof.stays
        ),
        "largest_difference": proof.worst,
        "holds": proof.holds,
    }


def _reach(settings: StackSettings) -> Any:
    from bench.physionet import Reach

    return Reach(
        feed=Target(LOOPBACK, settings.at(settings.mllp_port), connections=8),
        gateway_url=settings.page_url,
        privacy_url=f"http://{LOOPBACK}:{settings.at(settings.privacy_port)}",
        keys_dir=settings.keys_dir,
    )


BENCHMARKS: dict[str, Callable[[Wanted], Any]] = {
    "parse": _parse,
    "stream": _stream,
    "mllp": _mllp,
    "stalls": _stalls,
    "inference": _inference,
    "accelerator": _accelerator,
    "deidentify": _deidentify,
    "deid": _deid,
    "bad-texts": _bad_texts,
    "pipeline": _pipeline,
    "erase": _erase,
    "physionet": _physionet,
}
TABLES: dict[str, Callable[[str, Any], Table]] = {"deid": deid_table}
