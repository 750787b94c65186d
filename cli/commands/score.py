"""`auscult score`: a rule-based score for each line of JSON; a refused line is an answer."""

import math
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import msgspec
import typer

from cli.files import opened
from contracts.assessed import Score
from services.inference.scores.news2 import Inputs, score_news2
from services.inference.scores.qsofa import score_qsofa
from services.inference.scores.tables import load_tables

NUMBERS = ("resp_rate", "spo2", "sbp", "pulse", "temp_c", "gcs", "age")
FLAGS = ("on_oxygen", "spo2_scale2", "confusion", "pregnant")
LEVELS = "ACVPU"


class LineRefused(Exception):
    """A line that cannot be scored; the message names what is wrong with it."""


def score_command(
    name: Annotated[str, typer.Argument(help="NEWS2 or qSOFA.")],
    source: Annotated[
        str, typer.Option("--input", help="JSON lines {id, input:{}}; .gz; - is stdin.")
    ] = "-",
    target: Annotated[
        str, typer.Option("--output", help="JSON lines, one per line read; .gz; - is stdout.")
    ] = "-",
) -> None:
    """Score each line: the total of what is known, and the range of what the true total may be."""
    scored = scorer(name)
    with opened(source, "rb") as lines, opened(target, "wb") as written:
        for line in lines:
            if line.strip():
                written.write(msgspec.json.encode(answer(line, scored)) + b"\n")


def scorer(name: str) -> Callable[[Inputs], Score]:
    """Return the score called ``name``, in any case; a wrong name is wrong usage."""
    tables = load_tables()
    known: dict[str, Callable[[Inputs], Score]] = {
        "news2": lambda inputs: score_news2(inputs, tables.news2),
        "qsofa": lambda inputs: score_qsofa(inputs, tables.qsofa),
    }
    if name.lower() not in known:
        raise typer.BadParameter("NAME is NEWS2 or qSOFA")
    return known[name.lower()]


def answer(line: bytes, scored: Callable[[Inputs], Score]) -> dict[str, Any]:
    """Return what is written for one line."""
    try:
        found: Any = msgspec.json.decode(line)
    except msgspec.DecodeError:
        return {"id": None, "refused": "not JSON"}
    if not isinstance(found, dict) or not isinstance(found.get("input"), dict):
        return {"id": None, "refused": "not {id, input:{}}"}
    try:
        score = scored(inputs_of(found["input"]))
    except LineRefused as error:
        return {"id": found.get("id"), "refused": str(error)}
    return {"id": found.get("id"), **_shown(score)}


def inputs_of(said: Mapping[str, Any]) -> dict[str, float | bool | str]:
    """Return the inputs of a line; null is missing, what no score reads is passed over.

    Raises:
        LineRefused: an input is not what its name means.
    """
    inputs: dict[str, float | bool | str] = {}
    for name, value in said.items():
        if value is None:
            continue
        if name in NUMBERS:
            inputs[name] = _number(name, value)
        elif name in FLAGS:
            inputs[name] = _flag(name, value)
        elif name == "acvpu":
            if not isinstance(value, str) or value.upper() not in LEVELS or len(value) != 1:
                raise LineRefused("acvpu is not one of A, C, V, P, U")
            inputs[name] = value.upper()
    return inputs


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise LineRefused(f"{name} is not a number")
    return float(value)


def _flag(name: str, value: Any) -> bool:
    if value not in (True, False):
        raise LineRefused(f"{name} is not true or false")
    return bool(value)


def _shown(score: Score) -> dict[str, Any]:
    line: dict[str, Any] = {
        "total": score.total,
        "total_min": score.total_min,
        "total_max": score.total_max,
        "complete": score.complete,
        "parts": score.parts,
        "risk": score.risk,
        "missing": score.missing,
        "covered": score.covered,
    }
    if not score.covered:
        line["reason"] = score.reason
    if score.name == "qSOFA":
        line["positive"] = score.positive
    return line
