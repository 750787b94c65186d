"""The `auscult` command: finds the module of the command that was asked for, and runs it.

Only that module is imported, so `auscult status` does not wait for torch.
"""

import importlib
import os
import sys
from dataclasses import dataclass
from typing import NoReturn

import typer

from cli.stack.process import StackError
from cli.stack.programs import ProgramMissing
from plumbing import log
from plumbing.errors import Unavailable


@dataclass(frozen=True)
class Command:
    """Where a command lives: ``name`` in ``module`` is a function, or a Typer of subcommands."""

    module: str
    name: str
    sentence: str


COMMANDS: dict[str, Command] = {
    "up": Command("stack", "up_command", "start Kafka, Redis and the four services"),
    "down": Command("stack", "down_command", "stop them"),
    "status": Command("stack", "status_command", "processes, lag, visible events"),
    "logs": Command("stack", "logs_command", "the processes' logs"),
    "demo": Command("demo", "demo_command", "the stack and a simulated hospital day"),
    "simulate": Command("simulate", "simulate_command", "synthetic traffic to MLLP"),
    "replay": Command("replay", "replay_command", "real files through the front door"),
    "reconcile": Command("reconcile", "reconcile_command", "accepted = visible, lost 0, doubled 0"),
    "parse": Command("parse", "parse_command", "what ingest makes of a file"),
    "deidentify": Command("deidentify", "deidentify_command", "remove who it is from texts"),
    "score": Command("score", "score_command", "NEWS2, qSOFA"),
    "train": Command("train", "train_command", "train, cross-validate and calibrate a model"),
    "predict": Command("predict", "predict_command", "apply a shipped model to a file"),
    "models": Command("models", "app", "list, verify, sign, promote, roll back"),
    "topics": Command("topics", "app", "make the topics as the contracts declare them"),
    "keys": Command("keys", "app", "make and rotate key files"),
    "erase": Command("erase", "app", "erase a person: request, confirm, show, hold, verify"),
    "audit": Command("audit", "app", "verify the audit log"),
    "rejected": Command("rejected", "app", "what was refused: list, show, replay, release"),
    "bench": Command("bench", "bench_command", "one benchmark, ours and its peers in one run"),
}
EXPECTED = (StackError, ProgramMissing, Unavailable, OSError, UnicodeError)


def main() -> None:
    """Run the command line; whatever goes wrong is one line on stderr, never a traceback."""
    try:
        _run(next(iter(sys.argv[1:]), ""))
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except EXPECTED as error:
        fail(_sentence(error))
    except Exception as error:  # noqa: BLE001  # a traceback could show what is being worked on
        fail(f"internal error: {type(error).__name__} at {log.where(error)}")


def _run(name: str) -> None:
    if name in {"", "-h", "--help"}:
        print(overview())
    elif name in COMMANDS:
        build(name)()
    else:
        fail(f"there is no command {name!r}; `auscult --help` lists them", code=2)


def build(name: str) -> typer.Typer:
    """Return the command line with the one command ``name``."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)

    @app.callback()
    def _root() -> None:
        """Keep the command's name needed, though it is the only one that was imported."""

    command = COMMANDS[name]
    found = getattr(importlib.import_module(f"cli.commands.{command.module}"), command.name)
    if isinstance(found, typer.Typer):
        app.add_typer(found, name=name)
    else:
        app.command(name)(found)
    return app


def overview() -> str:
    """Return the list of commands."""
    lines = [f"  {name:<11} {command.sentence}" for name, command in COMMANDS.items()]
    head = "Auscult: from a hospital's event stream to a clinician's worklist."
    return "\n".join(["usage: auscult COMMAND [OPTIONS]", "", head, "", *lines])


def fail(sentence: str, code: int = 1) -> NoReturn:
    """Print one line to stderr and exit."""
    print(f"auscult: {sentence}", file=sys.stderr)
    raise SystemExit(code)


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)


if __name__ == "__main__":
    main()
